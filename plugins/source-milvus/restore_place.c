/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the server reads the backup: where it is, or copied next to the server's own data.
 *
 * An import takes everything that lies in a directory.  So a directory of the backup is handed
 * over only when the listing showed that it holds exactly what is wanted; anything else is staged,
 * where we decide what lies there.
 */
#include <inttypes.h>
#include <string.h>

#include "layout.h"
#include "restore.h"
#include "restore_state.h"
#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

static bool
is_loopback(const char *address)
{
    return g_str_has_prefix(address, "localhost:") || g_str_has_prefix(address, "127.") ||
           g_str_has_prefix(address, "[::1]");
}

/*
 * Files, whichever plugin holds them: they have a path here, or one where the server is.  Of an
 * object store server_root is the beginning of keys, and no key begins with '/'.
 */
static bool
is_files(const struct bp_storage_view *view)
{
    return strcmp(view->kind, "local") == 0 || view->local_root[0] != '\0' ||
           view->server_root[0] == '/';
}

/*
 * Where the server finds what we call key "" of a storage, or NULL and why not.  Files are read by
 * path, an object store by key from the bucket's beginning.
 */
static char *
server_base(const struct bp_restore *restore, const struct bp_storage_view *view, const char **why)
{
    if (!is_files(view)) {
        if ((view->flags & BP_VIEW_SERVER_READS) != 0) {
            return g_strdup(view->server_root);
        }
        *why = "it is not the store that this Milvus reads";
        return NULL;
    }
    if ((view->flags & BP_VIEW_SERVER_DENIED) != 0) {
        *why = "the user that Milvus runs as may not read its directory";
        return NULL;
    }
    if (view->server_root[0] != '\0') {
        return g_strdup(view->server_root);
    }
    /* A server in a container answers at loopback, too, and sees other paths.  Of our own plugin
     * the operator can say so; of another one nobody can. */
    if (strcmp(view->kind, "local") != 0) {
        *why = "its plugin does not say where Milvus sees the files";
        return NULL;
    }
    if (is_loopback(milvus_api_address(restore->api)) && view->local_root[0] != '\0') {
        return g_strdup(view->local_root);
    }
    *why = "Milvus runs on another machine and server_root does not say where it sees the files";
    return NULL;
}

/* Files that must not be imported lie among those that must, or in a form the server misreads. */
static bool
can_name_directories(const struct bp_restore *restore, const struct milvus_target *target)
{
    for (guint i = 0; i < target->from->partitions->len; i++) {
        const struct milvus_partition *partition = target->from->partitions->pdata[i];
        if (milvus_is_one_task(restore, partition, false)) {
            continue;
        }
        for (guint k = 0; k < partition->segments->len; k++) {
            const struct milvus_segment *segment = partition->segments->pdata[k];
            bool has_form = segment->group_id != 0 || milvus_takes_partitions(restore);
            if (milvus_has_data(segment) && (!segment->is_exact || !has_form)) {
                return false;
            }
        }
    }
    return true;
}

/* A Milvus reads files only when its own data are files. */
static bp_status
reads_kind(const struct bp_restore *restore, const struct bp_op *op,
           const struct bp_storage_view *backup, bool *reads, struct bp_error *error)
{
    struct bp_storage_view own = {.struct_size = sizeof own};
    const char *ref = restore->source->config.storage;
    *reads = true;
    if (ref == NULL || !is_files(backup)) {
        return BP_OK;
    }
    bp_status status = restore->host->storage_info(op, ref, &own, error);
    *reads = status == BP_OK && is_files(&own);
    return status;
}

static bp_status
find_place(const struct bp_restore *restore, const struct bp_op *op,
           const struct milvus_target *target, char **base, struct bp_error *error)
{
    struct bp_storage_view view = {.struct_size = sizeof view};
    const char *why = NULL;
    if (restore->options.placement == MILVUS_PLACE_STAGE) {
        return BP_OK;
    }
    bool reads = false;
    bp_status status = restore->host->storage_info(op, restore->backup_ref, &view, error);
    if (status == BP_OK) {
        status = reads_kind(restore, op, &view, &reads, error);
    }
    if (status != BP_OK) {
        return status;
    }
    g_autofree char *found = reads ? server_base(restore, &view, &why) : NULL;
    if (!reads) {
        why = "it keeps its own data in an object store, and reads nothing else";
    }
    if (found != NULL && !can_name_directories(restore, target)) {
        g_clear_pointer(&found, g_free);
        why = "its directories hold files that are not part of the backup";
    }
    if (found == NULL && restore->options.placement == MILVUS_PLACE_IN_PLACE) {
        return bp_fail(error, BP_ERR_INVALID,
                       "collection %s.%s: Milvus cannot read the backup where it is: %s",
                       target->db, target->name, why);
    }
    *base = g_steal_pointer(&found);
    return BP_OK;
}

static bool
has_logs(const struct milvus_collection *from, bool want_deltas)
{
    for (guint i = 0; i < from->partitions->len; i++) {
        const struct milvus_partition *partition = from->partitions->pdata[i];
        for (guint k = 0; k < partition->segments->len; k++) {
            const struct milvus_segment *segment = partition->segments->pdata[k];
            if ((want_deltas ? segment->delta_logs : segment->insert_logs)->len > 0) {
                return true;
            }
        }
    }
    return want_deltas && from->l0_segments->len > 0;
}

static bp_status
stopped(struct bp_error *error)
{
    return bp_fail(error, BP_ERR_CANCELLED, "the restore was stopped");
}

static bp_status
place_here(const struct milvus_target *target, const struct bp_place_sink *sink,
           struct bp_error *error)
{
    static const char *const kinds[] = {MILVUS_INSERT_LOG, MILVUS_DELTA_LOG};
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autofree char *prefix =
            g_strdup_printf("binlogs/%s/%" PRId64 "/", kinds[i], target->from->id);
        if (has_logs(target->from, i == 1) && sink->in_place(sink->ctx, prefix) != 0) {
            return stopped(error);
        }
    }
    return BP_OK;
}

struct staging {
    const struct bp_place_sink *sink;
    const char *ref;
    char *prefix; /* of this target, ends in '/' */
    struct bp_error *error;
};

static bp_status
stage_segment(const struct staging *staging, const struct milvus_segment *segment)
{
    const struct milvus_segment there = milvus_segment_placed(segment, true);
    for (int kind = 0; kind < 2; kind++) {
        const GArray *logs = kind == 0 ? segment->insert_logs : segment->delta_logs;
        char *(*key_of)(const struct milvus_segment *, const struct milvus_log *) =
            kind == 0 ? milvus_insert_key : milvus_delta_key;
        for (guint i = 0; i < logs->len; i++) {
            const struct milvus_log *log = &g_array_index(logs, struct milvus_log, i);
            g_autofree char *from = key_of(segment, log);
            g_autofree char *below = key_of(&there, log);
            g_autofree char *to = g_strconcat(staging->prefix, below, NULL);
            if (staging->sink->stage(staging->sink->ctx, from, staging->ref, to) != 0) {
                return stopped(staging->error);
            }
        }
    }
    return BP_OK;
}

static bp_status
stage_segments(const struct staging *staging, const GPtrArray *segments)
{
    bp_status status = BP_OK;
    for (guint i = 0; i < segments->len && status == BP_OK; i++) {
        status = stage_segment(staging, segments->pdata[i]);
    }
    return status;
}

static bp_status
stage_all(const struct staging *staging, const struct milvus_target *target)
{
    bp_status status = stage_segments(staging, target->from->l0_segments);
    for (guint i = 0; i < target->from->partitions->len && status == BP_OK; i++) {
        const struct milvus_partition *partition = target->from->partitions->pdata[i];
        status = stage_segments(staging, partition->segments);
    }
    return status;
}

/* Where the server finds key "" of its own storage, into which items are staged. */
static bp_status
find_staging(const struct bp_restore *restore, const struct bp_op *op,
             const struct milvus_target *target, char **root, struct bp_error *error)
{
    const char *ref = restore->source->config.storage;
    struct bp_storage_view view = {.struct_size = sizeof view};
    const char *why = NULL;
    if (ref == NULL) {
        return bp_fail(error, BP_ERR_INVALID,
                       "collection %s.%s: Milvus cannot read the backup where it is, and the "
                       "source's setting storage does not say where it could be copied to",
                       target->db, target->name);
    }
    bp_status status = restore->host->storage_info(op, ref, &view, error);
    if (status != BP_OK) {
        return status;
    }
    /* It is the server's own storage: it reads there, whatever was found out of the backup's. */
    view.flags = (view.flags | BP_VIEW_SERVER_READS) & ~BP_VIEW_SERVER_DENIED;
    *root = server_base(restore, &view, &why);
    return *root != NULL ? BP_OK
                         : bp_fail(error, BP_ERR_INVALID,
                                   "storage %s cannot be used for staging: %s", ref, why);
}

static bp_status
place_staged(struct bp_restore *restore, const struct bp_op *op, uint32_t number,
             const struct bp_place_sink *sink, struct bp_error *error)
{
    struct milvus_target *target = restore->targets->pdata[number];
    g_autofree char *root = NULL;
    bp_status status = find_staging(restore, op, target, &root, error);
    if (status != BP_OK) {
        return status;
    }
    g_autofree char *prefix = g_strdup_printf("%s%" PRIu32 "/", restore->staging_prefix, number);
    const struct staging staging = {
        .sink = sink, .ref = restore->source->config.storage, .prefix = prefix, .error = error};
    status = stage_all(&staging, target);
    if (status == BP_OK) {
        g_autofree char *base = g_strconcat(root, prefix, NULL);
        milvus_tasks_make(restore, target, base, true);
    }
    return status;
}

static bp_status
check_target_place(const struct bp_restore *restore, const struct bp_op *op,
                   const struct milvus_target *target, struct bp_error *error)
{
    g_autofree char *base = NULL;
    g_autofree char *root = NULL;
    if (!has_logs(target->from, false) && !has_logs(target->from, true)) {
        return BP_OK;
    }
    bp_status status = find_place(restore, op, target, &base, error);
    return status == BP_OK && base == NULL ? find_staging(restore, op, target, &root, error)
                                           : status;
}

bp_status
milvus_restore_check_place(struct bp_restore *restore, const struct bp_op *op,
                           struct bp_error *error)
{
    bp_status status = BP_OK;
    for (guint i = 0; !restore->without_items && i < restore->targets->len && status == BP_OK;
         i++) {
        status = check_target_place(restore, op, restore->targets->pdata[i], error);
    }
    return status;
}

bp_status
milvus_target_place(struct bp_restore *restore, const struct bp_op *op, uint32_t number,
                    const struct bp_place_sink *sink, struct bp_error *error)
{
    struct milvus_target *target = restore->targets->pdata[number];
    g_autofree char *base = NULL;
    if (restore->without_items) {
        target->tasks = g_ptr_array_new_with_free_func((GDestroyNotify)milvus_task_free);
        return BP_OK;
    }
    bp_status status = find_place(restore, op, target, &base, error);
    if (status != BP_OK) {
        return status;
    }
    if (base == NULL) {
        return place_staged(restore, op, number, sink, error);
    }
    status = place_here(target, sink, error);
    if (status == BP_OK) {
        milvus_tasks_make(restore, target, base, false);
    }
    return status;
}
