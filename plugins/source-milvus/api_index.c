/* SPDX-License-Identifier: Apache-2.0
 *
 * Indexes.
 */
#include <string.h>

#include "api_internal.h"

#include "sdk/lib/ban.h"

/* DescribeIndex' states. */
#define INDEX_FINISHED 3
#define INDEX_FAILED 4

/* NOT_FOUND means that there is none; then *answer stays NULL. */
static bp_status
describe(struct milvus_api *api, const struct bp_op *op, const char *db, const char *collection,
         milvus_answer **answer, struct bp_error *error)
{
    Mv__IndexRequest message = MV__INDEX_REQUEST__INIT;
    message.db_name = milvus_api__db(db);
    message.collection_name = milvus_api__text(collection);
    g_autofree char *object = milvus_api__collection_text(db, collection);
    struct milvus_request request = {.method = "DescribeIndex",
                                     .object = object,
                                     .db = db,
                                     .patience = MILVUS_LONG,
                                     .message = &message.base,
                                     .answer = &mv__describe_index_response__descriptor};
    bp_status status = milvus_api__call(api, op, &request, answer, error);
    /* A missing collection is NOT_FOUND as well, and no empty list. */
    if (status == BP_ERR_NOT_FOUND && strstr(error->message, "index") != NULL &&
        strstr(error->message, "collection not found") == NULL) {
        return BP_OK;
    }
    return status;
}

bp_status
milvus_api_list_indexes(struct milvus_api *api, const struct bp_op *op, const char *db,
                        const char *collection, GPtrArray *indexes, struct bp_error *error)
{
    g_autoptr(milvus_answer) answer = NULL;
    bp_status status = describe(api, op, db, collection, &answer, error);
    if (status != BP_OK || answer == NULL) {
        return status;
    }
    const Mv__DescribeIndexResponse *response = (const Mv__DescribeIndexResponse *)answer;
    for (size_t i = 0; i < response->n_index_descriptions; i++) {
        const Mv__IndexDescription *wire = response->index_descriptions[i];
        struct milvus_index *index = milvus_index_new(wire->field_name, wire->index_name);
        index->id = wire->index_id;
        milvus_api__kv_unpack(index->params, wire->n_params, wire->params);
        g_ptr_array_add(indexes, index);
    }
    return BP_OK;
}

bp_status
milvus_api_index_progress(struct milvus_api *api, const struct bp_op *op, const char *db,
                          const char *collection, struct milvus_index_progress *out,
                          struct bp_error *error)
{
    *out = (struct milvus_index_progress){0};
    g_autoptr(milvus_answer) answer = NULL;
    bp_status status = describe(api, op, db, collection, &answer, error);
    if (status != BP_OK || answer == NULL) {
        return status;
    }
    const Mv__DescribeIndexResponse *response = (const Mv__DescribeIndexResponse *)answer;
    for (size_t i = 0; i < response->n_index_descriptions; i++) {
        const Mv__IndexDescription *wire = response->index_descriptions[i];
        out->n_indexes++;
        out->indexed_rows += wire->indexed_rows;
        out->total_rows += wire->total_rows;
        if (wire->state == INDEX_FAILED) {
            if (out->n_failed++ == 0) {
                (void)g_snprintf(out->failed, sizeof(out->failed), "index %s: %s",
                                 wire->index_name != NULL ? wire->index_name : "",
                                 wire->fail_reason != NULL ? wire->fail_reason : "");
            }
        } else if (wire->state != INDEX_FINISHED) {
            out->n_unfinished++;
        }
    }
    return BP_OK;
}

/* "collection db.c index i of field f" */
static char *
index_text(const char *db, const char *collection, const struct milvus_index *index)
{
    g_autofree char *where = milvus_api__collection_text(db, collection);
    return g_strdup_printf("%s index %s of field %s", where, index->name != NULL ? index->name : "",
                           index->field_name != NULL ? index->field_name : "");
}

bp_status
milvus_api_create_index(struct milvus_api *api, const struct bp_op *op, const char *db,
                        const char *collection, const struct milvus_index *index,
                        struct bp_error *error)
{
    g_autoptr(milvus_arena) arena = milvus_arena_new();
    Mv__CreateIndexRequest message = MV__CREATE_INDEX_REQUEST__INIT;
    message.db_name = milvus_api__db(db);
    message.collection_name = milvus_api__text(collection);
    message.field_name = index->field_name;
    message.index_name = index->name;
    message.extra_params = milvus_api__kv_pack(arena, index->params, &message.n_extra_params);
    g_autofree char *object = index_text(db, collection, index);
    struct milvus_request request = {.method = "CreateIndex",
                                     .object = object,
                                     .db = db,
                                     .patience = MILVUS_LONG,
                                     .message = &message.base,
                                     .answer = &mv__status__descriptor};
    return milvus_api__call(api, op, &request, NULL, error);
}

bp_status
milvus_api_drop_index(struct milvus_api *api, const struct bp_op *op, const char *db,
                      const char *collection, const struct milvus_index *index,
                      struct bp_error *error)
{
    Mv__IndexRequest message = MV__INDEX_REQUEST__INIT;
    message.db_name = milvus_api__db(db);
    message.collection_name = milvus_api__text(collection);
    message.field_name = index->field_name;
    message.index_name = index->name;
    g_autofree char *object = index_text(db, collection, index);
    struct milvus_request request = {.method = "DropIndex",
                                     .object = object,
                                     .db = db,
                                     .message = &message.base,
                                     .answer = &mv__status__descriptor};
    return milvus_api__call(api, op, &request, NULL, error);
}
