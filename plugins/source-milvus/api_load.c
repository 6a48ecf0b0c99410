/* SPDX-License-Identifier: Apache-2.0
 *
 * Load state and imports.
 */
#include <inttypes.h>
#include <string.h>

#include "api_internal.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/parse.h"

#include "sdk/lib/ban.h"

#define ERR_NOT_LOADED 101

static bp_status
ask_load(struct milvus_api *api, const struct bp_op *op, struct milvus_request *request,
         const struct milvus_load_query *query, milvus_answer **answer, struct bp_error *error)
{
    char *partitions[] = {milvus_api__text(query->partition)};
    Mv__LoadProgressRequest message = MV__LOAD_PROGRESS_REQUEST__INIT;
    message.db_name = milvus_api__db(query->db);
    message.collection_name = milvus_api__text(query->collection);
    message.n_partition_names = query->partition != NULL ? G_N_ELEMENTS(partitions) : 0;
    message.partition_names = partitions;
    g_autofree char *object = milvus_api__collection_text(query->db, query->collection);
    request->object = object;
    request->db = query->db;
    request->message = &message.base;
    bp_status status = milvus_api__call(api, op, request, answer, error);
    request->object = NULL;
    request->message = NULL;
    return status;
}

bp_status
milvus_api_load_state(struct milvus_api *api, const struct bp_op *op,
                      const struct milvus_load_query *query, enum milvus_load_state *out,
                      struct bp_error *error)
{
    struct milvus_request request = {.method = "GetLoadState",
                                     .answer = &mv__get_load_state_response__descriptor};
    g_autoptr(milvus_answer) answer = NULL;
    bp_status status = ask_load(api, op, &request, query, &answer, error);
    if (status == BP_OK) {
        *out = (enum milvus_load_state)((const Mv__GetLoadStateResponse *)answer)->state;
    }
    return status;
}

bp_status
milvus_api_load_progress(struct milvus_api *api, const struct bp_op *op,
                         const struct milvus_load_query *query, int64_t *out,
                         struct bp_error *error)
{
    struct milvus_request request = {.method = "GetLoadingProgress",
                                     .answer = &mv__get_loading_progress_response__descriptor};
    g_autoptr(milvus_answer) answer = NULL;
    bp_status status = ask_load(api, op, &request, query, &answer, error);
    if (status != BP_OK && error->remote_status == ERR_NOT_LOADED) {
        *out = 0;
        return BP_OK;
    }
    if (status == BP_OK) {
        *out = ((const Mv__GetLoadingProgressResponse *)answer)->progress;
    }
    return status;
}

bp_status
milvus_api_replicas(struct milvus_api *api, const struct bp_op *op,
                    const struct milvus_collection *collection, int32_t *out,
                    struct bp_error *error)
{
    Mv__GetReplicasRequest message = MV__GET_REPLICAS_REQUEST__INIT;
    message.has_collection_id = true;
    message.collection_id = collection->id;
    message.collection_name = collection->name;
    message.db_name = milvus_api__db(collection->db_name);
    g_autofree char *object = milvus_api__collection_text(collection->db_name, collection->name);
    struct milvus_request request = {.method = "GetReplicas",
                                     .object = object,
                                     .db = collection->db_name,
                                     .message = &message.base,
                                     .answer = &mv__get_replicas_response__descriptor};
    g_autoptr(milvus_answer) answer = NULL;
    bp_status status = milvus_api__call(api, op, &request, &answer, error);
    if (status == BP_OK) {
        *out = (int32_t)((const Mv__GetReplicasResponse *)answer)->n_replicas;
    }
    return status;
}

static bp_status
send_load(struct milvus_api *api, const struct bp_op *op, const struct milvus_load *load,
          struct milvus_request *request, struct bp_error *error)
{
    g_autofree char *object = milvus_api__collection_text(load->db, load->collection);
    request->object = object;
    request->db = load->db;
    request->patience = MILVUS_LONG;
    request->answer = &mv__status__descriptor;
    return milvus_api__call(api, op, request, NULL, error);
}

static bp_status
load_partitions(struct milvus_api *api, const struct bp_op *op, const struct milvus_load *load,
                struct bp_error *error)
{
    Mv__LoadPartitionsRequest message = MV__LOAD_PARTITIONS_REQUEST__INIT;
    message.db_name = milvus_api__db(load->db);
    message.collection_name = milvus_api__text(load->collection);
    message.n_partition_names = load->partitions->len;
    message.partition_names = (char **)load->partitions->pdata;
    message.has_replica_number = load->replicas > 0;
    message.replica_number = load->replicas;
    struct milvus_request request = {.method = "LoadPartitions", .message = &message.base};
    return send_load(api, op, load, &request, error);
}

bp_status
milvus_api_load(struct milvus_api *api, const struct bp_op *op, const struct milvus_load *load,
                struct bp_error *error)
{
    if (load->partitions != NULL) {
        return load_partitions(api, op, load, error);
    }
    Mv__LoadCollectionRequest message = MV__LOAD_COLLECTION_REQUEST__INIT;
    message.db_name = milvus_api__db(load->db);
    message.collection_name = milvus_api__text(load->collection);
    message.has_replica_number = load->replicas > 0;
    message.replica_number = load->replicas;
    struct milvus_request request = {.method = "LoadCollection", .message = &message.base};
    return send_load(api, op, load, &request, error);
}

/*
 * A proxy of Milvus 2.3.5 takes the whole server down when GetImportState or ListImportTasks is cut
 * on its way: it looks into an answer that it did not get (seen: a panic in internal/proxy/impl.go
 * after about 200 calls that were cut).  And of an Import it is good to hear whether it began.
 */
#define CUT_IS_HARM true

bp_status
milvus_api_import(struct milvus_api *api, const struct bp_op *op,
                  const struct milvus_import *import, int64_t *task, struct bp_error *error)
{
    g_autoptr(milvus_arena) arena = milvus_arena_new();
    Mv__ImportRequest message = MV__IMPORT_REQUEST__INIT;
    message.collection_name = milvus_api__text(import->collection);
    message.partition_name = milvus_api__text(import->partition);
    message.db_name = milvus_api__db(import->db);
    message.n_files = g_strv_length((char **)import->files);
    message.files = (char **)import->files;
    message.options = milvus_api__kv_pack(arena, import->options, &message.n_options);
    g_autofree char *where = milvus_api__collection_text(import->db, import->collection);
    g_autofree char *object = g_strdup_printf("%s partition %s of %s", where,
                                              import->partition != NULL ? import->partition : "",
                                              message.n_files > 0 ? message.files[0] : "");
    struct milvus_request request = {.method = "Import",
                                     .is_fragile = CUT_IS_HARM,
                                     .object = object,
                                     .db = import->db,
                                     .patience = MILVUS_LONG,
                                     .message = &message.base,
                                     .answer = &mv__import_response__descriptor};
    g_autoptr(milvus_answer) answer = NULL;
    bp_status status = milvus_api__call(api, op, &request, &answer, error);
    if (status != BP_OK) {
        return status;
    }
    const Mv__ImportResponse *response = (const Mv__ImportResponse *)answer;
    if (response->n_tasks != 1) {
        return bp_fail(error, BP_ERR_CORRUPT, "milvus %s: Import %s: %zu tasks in the answer",
                       milvus_api_address(api), object, response->n_tasks);
    }
    *task = response->tasks[0];
    return BP_OK;
}

static void
fill_import_state(struct milvus_import_state *out, const Mv__GetImportStateResponse *wire)
{
    *out = (struct milvus_import_state){
        .phase = wire->state,
        .percent = -1,
        .rows = wire->row_count,
        .collection_id = wire->collection_id,
        .n_segments = (uint32_t)wire->n_segment_ids,
    };
    for (size_t i = 0; i < wire->n_infos; i++) {
        const char *key = wire->infos[i]->key;
        const char *value = wire->infos[i]->value;
        uint64_t percent = 0;
        if (value == NULL) {
            continue;
        }
        if (g_strcmp0(key, "failed_reason") == 0) {
            g_strlcpy(out->reason, value, sizeof(out->reason));
        } else if (g_strcmp0(key, "progress_percent") == 0 && bp_parse_u64(value, &percent) == 0 &&
                   percent <= 100) {
            out->percent = (int32_t)percent;
        }
    }
}

bp_status
milvus_api_import_state(struct milvus_api *api, const struct bp_op *op, int64_t task,
                        struct milvus_import_state *out, struct bp_error *error)
{
    Mv__GetImportStateRequest message = MV__GET_IMPORT_STATE_REQUEST__INIT;
    message.has_task = true;
    message.task = task;
    g_autofree char *object = g_strdup_printf("task %" PRId64, task);
    struct milvus_request request = {.method = "GetImportState",
                                     .object = object,
                                     .is_fragile = CUT_IS_HARM,
                                     .message = &message.base,
                                     .answer = &mv__get_import_state_response__descriptor};
    g_autoptr(milvus_answer) answer = NULL;
    bp_status status = milvus_api__call(api, op, &request, &answer, error);
    if (status == BP_OK) {
        fill_import_state(out, (const Mv__GetImportStateResponse *)answer);
    }
    return status;
}

/* Without a limit the server answers all it remembers; ours are among the newest. */
#define LISTED_IMPORTS 1024

static bool
has_ended(int32_t phase)
{
    return phase == MILVUS_IMPORT_COMPLETED || phase == MILVUS_IMPORT_FAILED ||
           phase == MILVUS_IMPORT_FAILED_AND_CLEANED;
}

bp_status
milvus_api_count_imports(struct milvus_api *api, const struct bp_op *op, const char *db,
                         const struct milvus_collection *collection, uint32_t *running,
                         struct bp_error *error)
{
    Mv__ListImportTasksRequest message = MV__LIST_IMPORT_TASKS_REQUEST__INIT;
    message.collection_name = collection->name;
    message.has_limit = true;
    message.limit = LISTED_IMPORTS;
    struct milvus_request request = {.method = "ListImportTasks",
                                     .is_fragile = CUT_IS_HARM,
                                     .db = db,
                                     .object = collection->name,
                                     .message = &message.base,
                                     .answer = &mv__list_import_tasks_response__descriptor};
    g_autoptr(milvus_answer) answer = NULL;
    *running = 0;
    bp_status status = milvus_api__call(api, op, &request, &answer, error);
    if (status == BP_ERR_UNSUPPORTED) {
        return BP_OK;
    }
    if (status != BP_OK) {
        return status;
    }
    const Mv__ListImportTasksResponse *wire = (const Mv__ListImportTasksResponse *)answer;
    for (size_t i = 0; i < wire->n_tasks; i++) {
        const Mv__GetImportStateResponse *task = wire->tasks[i];
        *running += task->collection_id == collection->id && !has_ended(task->state);
    }
    return BP_OK;
}
