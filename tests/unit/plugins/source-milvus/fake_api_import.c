/* SPDX-License-Identifier: Apache-2.0
 *
 * See fake_api.h: imports, over gRPC and over REST.
 */
#include <string.h>

#include "fake_api_internal.h"
#include "plugins/source-milvus/rest.h"

static struct milvus_rest rest;

void
fake_api_rest(struct milvus_api *api)
{
    rest.api = api;
}

bp_status
milvus_api_import(struct milvus_api *api, const struct bp_op *op,
                  const struct milvus_import *import, int64_t *task, struct bp_error *error)
{
    (void)op;
    g_autoptr(GString) text = g_string_new(import->partition);
    for (const char *const *file = import->files; *file != NULL; file++) {
        g_string_append_printf(text, " [%s]", *file);
    }
    for (guint i = 0; i < import->options->len; i++) {
        const struct milvus_kv *kv = &g_array_index(import->options, struct milvus_kv, i);
        g_string_append_printf(text, " %s=%s", kv->key, kv->value);
    }
    bp_status status = fake_api__change(api, "Import", text->str, error);
    if (status == BP_OK) {
        g_assert_cmpuint(api->n_imports, <, IMPORTS_MAX);
        api->import_into[api->n_imports] = fake_api_find(api, import->db, import->collection);
        *task = (int64_t)++api->n_imports;
    }
    return status;
}

bp_status
milvus_api_import_state(struct milvus_api *api, const struct bp_op *op, int64_t task,
                        struct milvus_import_state *out, struct bp_error *error)
{
    (void)op;
    bp_status status = fake_api__enter(api, "GetImportState", error);
    size_t i = (size_t)task - 1;
    if (status != BP_OK) {
        return status;
    }
    const struct fake_import *answer = &api->answers[MIN(i, api->n_answers - 1)];
    if (api->polls[i]++ < answer->polls) {
        out->phase = MILVUS_IMPORT_STARTED;
        out->percent = 50;
        return BP_OK;
    }
    out->phase = answer->phase;
    out->rows = answer->rows;
    (void)g_strlcpy(out->reason, answer->reason != NULL ? answer->reason : "", sizeof out->reason);
    const struct milvus_segment_info info = {.id = 5000 + task,
                                             .num_rows = answer->rows - answer->missing_rows,
                                             .state = MILVUS_SEGMENT_FLUSHED};
    g_array_append_val(api->import_into[i]->segments, info);
    return BP_OK;
}

bp_status
milvus_api_count_imports(struct milvus_api *api, const struct bp_op *op, const char *db,
                         const struct milvus_collection *collection, uint32_t *running,
                         struct bp_error *error)
{
    (void)op;
    (void)db;
    (void)collection;
    bp_status status = fake_api__enter(api, "ListImportTasks", error);
    *running = api->running_looks > 0 ? api->running : 0;
    api->running_looks -= api->running_looks > 0;
    return status;
}

void
fake_api_running(struct milvus_api *api, uint32_t imports, int looks)
{
    api->running = imports;
    api->running_looks = looks;
}

/* --- rest.h ----------------------------------------------------------------------------------- */

bp_status
milvus_rest_find(struct bp_source *source, const struct bp_op *op, struct milvus_rest **out,
                 struct bp_error *error)
{
    (void)source;
    (void)op;
    (void)error;
    *out = rest.api != NULL ? &rest : NULL;
    return BP_OK;
}

void
milvus_rest_free(struct milvus_rest *one)
{
    (void)one;
}

bp_status
milvus_rest_import(struct milvus_rest *one, const struct bp_op *op,
                   const struct milvus_rest_import *import, int64_t *job, struct bp_error *error)
{
    (void)op;
    struct milvus_api *api = one->api;
    g_autoptr(GString) text = g_string_new("over REST ");
    g_string_append(text, import->partition);
    for (guint i = 0; i < import->dirs->len; i++) {
        const struct milvus_dirs *dirs = import->dirs->pdata[i];
        g_string_append_printf(text, " [%s|%s]", dirs->inserts != NULL ? dirs->inserts : "",
                               dirs->deltas != NULL ? dirs->deltas : "");
    }
    bp_status status = fake_api__change(api, "Import", text->str, error);
    if (status == BP_OK) {
        api->import_into[api->n_imports] = fake_api_find(api, import->db, import->collection);
        *job = (int64_t)++api->n_imports;
    }
    return status;
}

bp_status
milvus_rest_import_state(struct milvus_rest *one, const struct bp_op *op, const char *db,
                         int64_t job, struct milvus_import_state *out, struct bp_error *error)
{
    (void)db;
    return milvus_api_import_state(one->api, op, job, out, error);
}
