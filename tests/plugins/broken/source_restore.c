/* SPDX-License-Identifier: Apache-2.0
 *
 * The source that can be broken: restoring.  Its one job reads all rows of the backup by itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/lib/errors.h"
#include "tests/plugins/broken/source.h"

#include "sdk/lib/ban.h"

#define KNOWN_FLAGS (BP_RESTORE_DRY_RUN | BP_RESTORE_FORCE | BP_RESTORE_WITHOUT_ITEMS)

static bool
is_identity(const struct table *table, const char *identity)
{
    return *identity != '\0' && strcmp(table->identity, identity) == 0;
}

/* Version 1 is ours, 0 was before. */
static bp_status
check_version(const struct bp_source *source, const struct bp_op *op, const char *backup_ref,
              struct bp_error *error)
{
    char text[64] = "";
    size_t n = sizeof text - 1;
    const struct bp_read_args args = {
        .struct_size = sizeof args, .key = "meta/schema.json", .length = n};
    bp_status status = source->host->storage_read_small(op, backup_ref, &args, text, &n, error);
    bool ours = strcmp(text, VERSION_TEXT) == 0;
    bool older = strstr(text, "\"version\": 0") != NULL && !IS_BROKEN(REFUSES_OLDER);
    if (status == BP_OK && !ours && !older && !IS_BROKEN(TAKES_NEWER)) {
        status = bp_fail(error, BP_ERR_UNSUPPORTED, "documents of another version: %.20s", text);
    }
    return status;
}

bp_status
source_restore_begin(struct bp_source *source, const struct bp_op *op,
                     const struct bp_restore_args *args, struct bp_restore_info *info,
                     struct bp_restore **out, struct bp_error *error)
{
    const struct bp_restore_pair *pair = args->pairs;
    bp_status status = source_check_op(source, op, error);
    bool unknown = (args->flags & ~KNOWN_FLAGS) != 0 && !IS_BROKEN(TAKES_ANY_RESTORE);
    unknown |= (pair->flags & ~BP_PROOF_UNPROVABLE) != 0 && !IS_BROKEN(TAKES_ANY_PAIR);
    if (status == BP_OK && unknown) {
        status = bp_fail(error, BP_ERR_INVALID, "unknown flags of a restore");
    }
    if (status == BP_OK) {
        status = check_version(source, op, args->backup_ref, error);
    }
    struct bp_restore *restore = status == BP_OK ? calloc(1, sizeof *restore) : NULL;
    if (restore == NULL) {
        return status != BP_OK ? status : bp_fail(error, BP_ERR_NOMEM, "no memory to restore");
    }
    restore->source = source;
    restore->dry = (args->flags & BP_RESTORE_DRY_RUN) != 0;
    (void)snprintf(restore->backup_ref, sizeof restore->backup_ref, "%s", args->backup_ref);
    (void)snprintf(restore->unit, sizeof restore->unit, "%s", pair->unit_id);
    (void)snprintf(restore->target, sizeof restore->target, "%s", pair->target_name);
    (void)snprintf(restore->ours, sizeof restore->ours, "%s", pair->ours != NULL ? pair->ours : "");
    (void)snprintf(restore->done, sizeof restore->done, "%s", pair->done != NULL ? pair->done : "");
    const struct table *there = source_table(restore->target);
    bool ours = there != NULL && (is_identity(there, restore->done) ||
                                  (is_identity(there, restore->ours) && !IS_BROKEN(FORGETS_OURS)));
    if (there != NULL && !ours && !IS_BROKEN(TAKES_OVER)) {
        free(restore);
        return bp_fail(error, BP_ERR_EXISTS, "table %s is there already", pair->target_name);
    }
    if (restore->dry && IS_BROKEN(DRY_RUN_MAKES)) {
        (void)source_make_table(restore->target);
    }
    info->max_jobs = 1;
    *out = restore;
    return BP_OK;
}

bp_status
source_prepare(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
               const struct bp_note_sink *notes, const struct bp_text_sink *identity,
               struct bp_error *error)
{
    (void)target;
    (void)notes;
    bp_status status = source_check_op(restore->source, op, error);
    struct table *table = source_table(restore->target);
    if (status != BP_OK) {
        return status;
    }
    if (table != NULL && IS_BROKEN(DOES_DONE_AGAIN)) {
        (void)snprintf(table->identity, sizeof table->identity, "another-%.50s", restore->done);
    } else if (table != NULL && !is_identity(table, restore->done)) {
        table->n = 0;
    } else if (table == NULL) {
        table = source_make_table(restore->target);
    }
    if (IS_BROKEN(NO_IDENTITY)) {
        return BP_OK;
    }
    return identity->text(identity->ctx, table->identity) == 0
               ? BP_OK
               : bp_fail(error, BP_ERR_CANCELLED, "stopped");
}

bp_status
source_place(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
             const struct bp_place_sink *sink, struct bp_error *error)
{
    (void)target;
    (void)sink;
    return source_check_op(restore->source, op, error);
}

bp_status
source_step(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
            const struct bp_job_sink *sink, struct bp_step_state *out, struct bp_error *error)
{
    (void)target;
    bp_status status = source_check_op(restore->source, op, error);
    unsigned jobs = IS_BROKEN(STARTS_TOO_MANY) ? sink->free_jobs + 1 : 1;
    for (unsigned i = 0; status == BP_OK && i < jobs; i++) {
        status = sink->job(sink->ctx, "load", BP_UNKNOWN) == 0
                     ? BP_OK
                     : bp_fail(error, BP_ERR_CANCELLED, "stopped");
    }
    out->all_started = 1;
    return status;
}

/* Reads row after row until there is none. */
static bp_status
load_rows(struct bp_restore *restore, const struct bp_op *op, struct table *table,
          struct bp_error *error)
{
    bp_status status = BP_OK;
    for (table->n = 0; table->n < ROWS_MAX && status == BP_OK;) {
        char key[600];
        size_t n = 0;
        (void)snprintf(key, sizeof key, "%srows/%s/%u",
                       IS_BROKEN(ITEM_KEY_IS_OURS) ? "bakplane/" : "", restore->unit, table->n);
        const struct bp_read_args args = {
            .struct_size = sizeof args, .key = key, .length = ROW_BYTES};
        status = restore->source->host->storage_read_small(op, restore->backup_ref, &args,
                                                           table->rows[table->n], &n, error);
        table->n += status == BP_OK ? 1 : 0;
    }
    if (IS_BROKEN(LOSES_ROWS) && table->n > 0) {
        table->n--;
    }
    return status == BP_ERR_NOT_FOUND ? BP_OK : status;
}

bp_status
source_poll(struct bp_restore *restore, const struct bp_op *op, uint32_t target, const char *token,
            struct bp_job_state *out, struct bp_error *error)
{
    (void)target;
    (void)token;
    struct table *table = source_table(restore->target);
    bp_status status = source_check_op(restore->source, op, error);
    if (status != BP_OK || table == NULL) {
        return status != BP_OK ? status : bp_fail(error, BP_ERR_NOT_FOUND, "no such target");
    }
    status = restore->loaded ? BP_OK : load_rows(restore, op, table, error);
    restore->loaded = true;
    out->phase = IS_BROKEN(JOB_FAILS) ? BP_JOB_FAILED : BP_JOB_DONE;
    return status;
}

bp_status
source_target_prove(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                    struct bp_proof *out, struct bp_error *error)
{
    (void)target;
    const struct table *table = source_table(restore->target);
    bp_status status = source_check_op(restore->source, op, error);
    out->found = table != NULL ? table->n : 0;
    return status;
}

bp_status
source_finish(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
              const struct bp_note_sink *notes, struct bp_error *error)
{
    (void)target;
    (void)notes;
    return source_check_op(restore->source, op, error);
}

bp_status
source_restore_end(struct bp_restore *restore, const struct bp_op *op, int32_t outcome,
                   struct bp_error *error)
{
    (void)op;
    free(restore);
    return IS_BROKEN(RESTORE_END_FAILS) && outcome == BP_OUTCOME_FAILED
               ? bp_fail(error, BP_ERR_PERMANENT, "it does not end")
               : BP_OK;
}
