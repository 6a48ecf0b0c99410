/* SPDX-License-Identifier: Apache-2.0
 *
 * Begin and end of a restore, and the small things that all its files use.
 */
#include "restore.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "document.h"
#include "inventory.h"
#include "layout.h"
#include "restore_state.h"
#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

/* 2.2 and 2.3 run imports one after the other; more outstanding ones only fill their queue. */
#define MAX_JOBS_SERIAL 4
#define MAX_JOBS_PARALLEL 64

static void
target_free(void *data)
{
    struct milvus_target *target = data;
    g_free(target->db);
    g_free(target->name);
    g_free(target->ours);
    g_free(target->done);
    g_clear_pointer(&target->earlier, g_hash_table_unref);
    g_clear_pointer(&target->tasks, g_ptr_array_unref);
    g_free(target);
}

void
milvus_task_free(struct milvus_task *task)
{
    if (task == NULL) {
        return;
    }
    g_ptr_array_unref(task->dirs);
    g_free(task);
}

char *
milvus_target_identity(const struct milvus_collection *found)
{
    return g_strdup_printf("collection %" PRId64 " created %" PRIu64, found->id,
                           found->created_timestamp);
}

bool
milvus_target_has_l0(const struct milvus_target *target)
{
    for (guint i = 0; i < target->from->partitions->len; i++) {
        const struct milvus_partition *partition = target->from->partitions->pdata[i];
        for (guint k = 0; k < partition->segments->len; k++) {
            if (((struct milvus_segment *)partition->segments->pdata[k])->is_l0) {
                return true;
            }
        }
    }
    return target->from->l0_segments->len > 0;
}

bp_status
milvus_target_fail(const struct milvus_target *target, struct bp_error *error)
{
    g_autofree char *why = g_strdup(error->message);
    (void)g_snprintf(error->message, sizeof error->message, "collection %s.%s: %s", target->db,
                     target->name, why);
    return error->cls;
}

bp_status
milvus_note(const struct bp_note_sink *notes, int32_t level, const char *code,
            struct bp_error *error, const char *format, ...)
{
    if (notes == NULL || notes->note == NULL) {
        return BP_OK;
    }
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    if (notes->note(notes->ctx, level, code, text) != 0) {
        return bp_fail(error, BP_ERR_CANCELLED, "the restore was stopped");
    }
    return BP_OK;
}

static void
restore_free(struct bp_restore *restore)
{
    g_clear_pointer(&restore->targets, g_ptr_array_unref);
    g_clear_pointer(&restore->backup, milvus_backup_free);
    milvus_rest_free(restore->rest);
    g_free(restore->backup_ref);
    g_free(restore->run_id);
    g_free(restore->staging_prefix);
    g_free(restore);
}

/* Compares what the documents list with what lies there, once per collection. */
static bp_status
settle(struct bp_restore *restore, const struct bp_op *op, struct milvus_collection *collection,
       struct bp_error *error)
{
    g_autoptr(milvus_inventory) inventory = NULL;
    bp_status status = milvus_inventory_load(restore->host, op, restore->backup_ref, collection->id,
                                             &inventory, error);
    if (status == BP_OK) {
        status =
            milvus_inventory_settle(inventory, collection, restore->backup->server_version, error);
    }
    return status == BP_OK ? milvus_inventory_check(collection, error) : status;
}

static bp_status
add_targets(struct bp_restore *restore, const struct bp_op *op, const struct bp_restore_args *args,
            struct bp_error *error)
{
    g_autoptr(GHashTable) settled = g_hash_table_new(NULL, NULL);
    for (uint32_t i = 0; i < args->n_pairs; i++) {
        const struct bp_restore_pair *pair =
            (const void *)((const char *)args->pairs + (size_t)i * args->pair_stride);
        struct milvus_collection *from = milvus_backup_find(restore->backup, pair->unit_id);
        if (from == NULL) {
            return bp_fail(error, BP_ERR_CORRUPT, "the documents of the backup do not name unit %s",
                           pair->unit_id);
        }
        if ((pair->flags & ~BP_PROOF_UNPROVABLE) != 0) {
            return bp_fail(error, BP_ERR_INVALID, "unknown flags 0x%" PRIx32 " of unit %s",
                           pair->flags, pair->unit_id);
        }
        bool counted = (pair->flags & BP_PROOF_UNPROVABLE) == 0;
        struct milvus_target *target = g_new0(struct milvus_target, 1);
        target->from = from;
        target->db = g_strdup(pair->target_parent);
        target->name = g_strdup(pair->target_name);
        target->ours = g_strdup(pair->ours);
        target->done = g_strdup(pair->done);
        target->low = counted ? pair->low : 0;
        target->high = counted ? pair->high : BP_UNKNOWN;
        g_ptr_array_add(restore->targets, target);
        if (!restore->without_items && g_hash_table_add(settled, from)) {
            bp_status status = settle(restore, op, from, error);
            if (status != BP_OK) {
                return status;
            }
        }
    }
    return BP_OK;
}

static bp_status
check_all(struct bp_restore *restore, const struct bp_op *op, const struct bp_restore_args *args,
          struct bp_error *error)
{
    const struct bp_note_sink *notes = args->notes;
    bool is_dry_run = (args->flags & BP_RESTORE_DRY_RUN) != 0;
    bp_status status = milvus_api_connect(restore->api, op, error);
    if (status == BP_OK && milvus_api_can(restore->api, MILVUS_CAN_IMPORT_REST)) {
        status = milvus_rest_find(restore->source, op, &restore->rest, error);
    }
    if (status == BP_OK) {
        status = milvus_documents_read(restore->host, op, restore->backup_ref, &restore->backup,
                                       NULL, error);
    }
    if (status == BP_OK) {
        status = add_targets(restore, op, args, error);
    }
    if (status == BP_OK) {
        status = milvus_restore_check_server(restore, args, notes, error);
    }
    if (status == BP_OK) {
        status = milvus_restore_check_place(restore, op, error);
    }
    if (status == BP_OK) {
        status = milvus_restore_check_targets(restore, op, notes, is_dry_run, error);
    }
    if (status == BP_OK) {
        status = milvus_restore_databases(restore, op, args, notes, error);
    }
    return status;
}

static void
fill_info(const struct bp_restore *restore, struct bp_restore_info *info)
{
    bool is_serial = !milvus_api_can(restore->api, MILVUS_CAN_IMPORT_ONE_PATH);
    uint32_t wish = restore->options.max_jobs;
    info->max_jobs = wish > 0 ? wish : is_serial ? MAX_JOBS_SERIAL : MAX_JOBS_PARALLEL;
    const char *storage = restore->source->config.storage;
    (void)g_strlcpy(info->staging_ref, storage != NULL ? storage : "", sizeof info->staging_ref);
    (void)g_strlcpy(info->staging_prefix, restore->staging_prefix, sizeof info->staging_prefix);
}

bp_status
milvus_restore_begin(struct bp_source *source, const struct bp_op *op,
                     const struct bp_restore_args *args, struct bp_restore_info *info,
                     struct bp_restore **out, struct bp_error *error)
{
    const uint32_t known = BP_RESTORE_DRY_RUN | BP_RESTORE_FORCE | BP_RESTORE_WITHOUT_ITEMS;
    if ((args->flags & ~known) != 0) {
        return bp_fail(error, BP_ERR_INVALID, "unknown flag in 0x%" PRIx32 " of a restore",
                       args->flags);
    }
    struct bp_restore *restore = g_new0(struct bp_restore, 1);
    restore->source = source;
    restore->host = source->host;
    restore->api = source->api;
    restore->backup_ref = g_strdup(args->backup_ref);
    restore->run_id = g_strdup(args->run_id);
    restore->staging_prefix = g_strdup_printf("restore-temp-%s/", args->run_id);
    restore->targets = g_ptr_array_new_with_free_func(target_free);
    bp_status status =
        milvus_restore_options_load(restore->host, args->options, &restore->options, error);
    restore->without_items = (args->flags & BP_RESTORE_WITHOUT_ITEMS) != 0;
    if (status == BP_OK) {
        status = check_all(restore, op, args, error);
    }
    if (status != BP_OK) {
        restore_free(restore);
        return status;
    }
    fill_info(restore, info);
    *out = restore;
    return BP_OK;
}

/* Staging is swept by the core; what was made in the server stays and is named by it. */
bp_status
milvus_restore_end(struct bp_restore *restore, const struct bp_op *op, int32_t outcome,
                   struct bp_error *error)
{
    (void)op;
    (void)outcome;
    (void)error;
    restore_free(restore);
    return BP_OK;
}
