/* SPDX-License-Identifier: Apache-2.0
 *
 * Beginning and end of a capture, and its documents.
 */
#include <string.h>

#include "capture.h"
#include "document.h"
#include "layout.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/hostlog.h"

#include "sdk/lib/ban.h"

/* state_code of a finished backup. */
#define STATE_SUCCESS 2

static void
unit_free(void *element)
{
    struct milvus_unit *unit = element;
    g_free(unit->id);
    milvus_collection_free(unit->collection);
    g_clear_pointer(&unit->segments, g_ptr_array_unref);
    g_clear_pointer(&unit->delta_versions, g_hash_table_unref);
    g_clear_pointer(&unit->early, g_hash_table_unref);
    milvus_flush_clear(&unit->flush);
    g_free(unit);
}

static void
run_free(struct bp_run *run)
{
    g_hash_table_unref(run->units);
    milvus_plan_free(run->plan);
    g_free(run->run_id);
    g_free(run->backup);
    g_free(run->log_root);
    g_free(run);
}

/* Where the server itself finds its logs: a path, or a prefix in its bucket. */
static bp_status
find_log_root(const struct bp_source *source, const struct bp_op *op, char **out,
              struct bp_error *error)
{
    struct bp_storage_view view = {.struct_size = sizeof(view)};
    bp_status status = source->host->storage_info(op, source->config.storage, &view, error);
    if (status != BP_OK) {
        return status;
    }
    const char *root = view.server_root[0] != '\0' ? view.server_root : view.local_root;
    g_autofree char *path = g_strconcat(root, source->config.storage_prefix, NULL);
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/') {
        path[--n] = '\0';
    }
    *out = g_steal_pointer(&path);
    return BP_OK;
}

static void
add_units(struct bp_run *run)
{
    for (guint i = 0; i < run->plan->collections->len; i++) {
        struct milvus_unit *unit = g_new0(struct milvus_unit, 1);
        unit->planned = run->plan->collections->pdata[i];
        unit->id = milvus_unit_id_collection(unit->planned->id);
        unit->segments = g_ptr_array_new();
        unit->delta_versions = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        unit->early = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free,
                                            (GDestroyNotify)g_array_unref);
        (void)g_hash_table_replace(run->units, unit->id, unit);
    }
}

/* The plan made last, or a new one of everything. */
static bp_status
take_plan(struct bp_source *source, const struct bp_op *op, struct milvus_plan **out,
          struct bp_error *error)
{
    (void)pthread_mutex_lock(&source->lock);
    *out = g_steal_pointer(&source->plan);
    (void)pthread_mutex_unlock(&source->lock);
    if (*out != NULL) {
        return BP_OK;
    }
    return milvus_plan_make(source, op, NULL, NULL, out, error);
}

static bp_status
describe_databases(struct bp_run *run, const struct bp_op *op, struct bp_error *error)
{
    for (guint i = 0; i < run->plan->databases->len; i++) {
        bp_status status = milvus_api_describe_database(run->source->api, op,
                                                        run->plan->databases->pdata[i], error);
        if (status == BP_ERR_UNSUPPORTED) {
            return BP_OK; /* older than 2.4.3: a database is its name */
        }
        if (status != BP_OK) {
            return status;
        }
    }
    return BP_OK;
}

/* Nothing that a client can send makes such a server write them sooner. */
static void
warn_of_late_deletes(const struct bp_run *run, const struct bp_op *op)
{
    if (!milvus_api_can(run->source->api, MILVUS_CAN_FLUSH_DELETES)) {
        bp_hostlog(run->source->host, op, BP_LOG_WARN,
                   "milvus %s writes deletes of flushed rows to storage only every ten minutes or "
                   "so: rows deleted just before may come back with a restore (%s flushes them)",
                   milvus_api_version(run->source->api),
                   milvus_feature_since(MILVUS_CAN_FLUSH_DELETES));
    }
}

/* The flags of the run come before what the options say. */
static struct bp_run *
run_new(struct bp_source *source, const struct bp_run_args *args)
{
    struct bp_run *run = g_new0(struct bp_run, 1);
    run->source = source;
    run->run_id = g_strdup(args->run_id);
    run->backup = g_strdup(args->backup);
    run->start_ms = g_get_real_time() / 1000;
    run->units = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, unit_free);
    run->is_dry = (args->flags & BP_RUN_DRY) != 0;
    milvus_create_options_load(source->host, args->options, &run->options);
    if ((args->flags & BP_RUN_WITHOUT_ITEMS) != 0) {
        run->options.strategy = MILVUS_META_ONLY;
    } else if (run->is_dry) {
        run->options.strategy = MILVUS_SKIP_FLUSH;
    }
    return run;
}

bp_status
milvus_run_begin(struct bp_source *source, const struct bp_op *op, const struct bp_run_args *args,
                 struct bp_run_info *info, struct bp_run **out, struct bp_error *error)
{
    if ((args->flags & ~(BP_RUN_DRY | BP_RUN_WITHOUT_ITEMS)) != 0) {
        return bp_fail(error, BP_ERR_INVALID, "run_begin: unknown flags %#x", args->flags);
    }
    struct bp_run *run = run_new(source, args);
    bp_status status = BP_OK;
    bool has_data = run->options.strategy != MILVUS_META_ONLY;
    if (has_data && source->config.storage == NULL) {
        status = bp_fail(error, BP_ERR_INVALID,
                         "setting storage: name the storage that holds the data of Milvus");
    }
    if (status == BP_OK && has_data) {
        status = find_log_root(source, op, &run->log_root, error);
    }
    if (status == BP_OK) {
        status = take_plan(source, op, &run->plan, error);
    }
    if (status == BP_OK) {
        status = describe_databases(run, op, error);
    }
    if (status == BP_OK && has_data && !run->is_dry) {
        warn_of_late_deletes(run, op);
        status = milvus_gc_pause(source, op, &run->options, &run->pause, error);
    }
    if (status != BP_OK) {
        run_free(run);
        return status;
    }
    add_units(run);
    info->keepalive_ms = run->pause != NULL ? (uint32_t)(run->options.gc_pause_ms / 2) : 0;
    *out = run;
    return BP_OK;
}

bp_status
milvus_run_keepalive(struct bp_run *run, const struct bp_op *op, struct bp_error *error)
{
    return run->pause != NULL ? milvus_gc_renew(run->pause, op, error) : BP_OK;
}

/* A dry run only looked: the real one that follows works on the same plan. */
static void
give_plan_back(struct bp_run *run)
{
    struct bp_source *source = run->source;
    (void)pthread_mutex_lock(&source->lock);
    if (source->plan == NULL) {
        source->plan = g_steal_pointer(&run->plan);
    }
    (void)pthread_mutex_unlock(&source->lock);
}

bp_status
milvus_run_end(struct bp_run *run, const struct bp_op *op, int32_t outcome, struct bp_error *error)
{
    (void)outcome; /* a pause ends the same way after success and failure */
    bp_status status = milvus_gc_resume(run->pause, op, error);
    if (run->is_dry) {
        give_plan_back(run);
    }
    run_free(run);
    return status;
}

bp_status
milvus_run_unit(struct bp_run *run, const char *unit_id, struct milvus_unit **out,
                struct bp_error *error)
{
    *out = g_hash_table_lookup(run->units, unit_id);
    if (*out == NULL) {
        return bp_fail(error, BP_ERR_INVALID, "unit %s is not part of this run", unit_id);
    }
    return BP_OK;
}

char *
milvus_unit_text(const struct milvus_unit *unit)
{
    return g_strdup_printf("collection %s.%s", unit->planned->db_name, unit->planned->name);
}

/* Borrows databases and collections of the run, in the order of the plan. */
static struct milvus_backup *
backup_of(struct bp_run *run)
{
    struct milvus_backup *backup = milvus_backup_new();
    g_ptr_array_set_free_func(backup->databases, NULL);
    g_ptr_array_set_free_func(backup->collections, NULL);
    backup->id = g_strdup(run->run_id);
    backup->name = g_strdup(run->backup);
    backup->state_code = STATE_SUCCESS;
    backup->start_ms = run->start_ms;
    backup->end_ms = g_get_real_time() / 1000;
    backup->server_version = g_strdup(milvus_api_version(run->source->api));
    backup->log_root = g_strdup(run->log_root);
    for (guint i = 0; i < run->plan->databases->len; i++) {
        g_ptr_array_add(backup->databases, run->plan->databases->pdata[i]);
    }
    for (guint i = 0; i < run->plan->collections->len; i++) {
        const struct milvus_collection *planned = run->plan->collections->pdata[i];
        g_autofree char *id = milvus_unit_id_collection(planned->id);
        const struct milvus_unit *unit = g_hash_table_lookup(run->units, id);
        if (unit->is_done) {
            g_ptr_array_add(backup->collections, unit->collection);
        }
    }
    return backup;
}

bp_status
milvus_run_documents(struct bp_run *run, const struct bp_op *op,
                     const struct bp_document_sink *sink, struct bp_error *error)
{
    g_autoptr(milvus_backup) backup = backup_of(run);
    bp_hostlog(run->source->host, op, BP_LOG_DEBUG, "documents of %u databases, %u collections",
               backup->databases->len, backup->collections->len);
    return milvus_documents_write(backup, sink, error);
}
