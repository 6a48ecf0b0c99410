/* SPDX-License-Identifier: Apache-2.0
 *
 * The source plugin "files": restoring.  Items are staged below "restored-<run>/"; a job then
 * takes them in, that is copies them to "restored/<target>/", as a server would.
 */
#include <string.h>

#include "sdk/lib/errors.h"
#include "sdk/lib/key.h"
#include "sdk/lib/parse.h"
#include "sdk/lib/settings.h"
#include "tests/harness/source_files.h"

#include "sdk/lib/ban.h"

#define MAX_JOBS 4
#define OBJECT_MAX (16u << 20)
#define KNOWN_FLAGS (BP_RESTORE_DRY_RUN | BP_RESTORE_FORCE | BP_RESTORE_WITHOUT_ITEMS)

const struct bp_config_key files_restore_keys[3] = {
    {.name = "ingest",
     .type = BP_CONFIG_BOOL,
     .def = "true",
     .help = "take staged objects in, so that they stay after the staging is swept"},
    /* Of files there is nothing to do for these, which all restores of /api/v1 say. */
    {.name = "index", .type = BP_CONFIG_BOOL, .def = "false", .help = "make indexes"},
    {.name = "load", .type = BP_CONFIG_BOOL, .def = "false", .help = "load what came back"},
};

typedef struct {
    char *unit, *name; /* name: "parent/name" where there are parents */
    bool ours;         /* what is there may be replaced */
    char *done;        /* identity of what is there and stays, or NULL */
} files_target;

struct bp_restore {
    struct bp_source *source;
    char *backup_ref, *staging;
    files_target *targets;
    guint32 n_targets;
    bool ingest, items;
};

static void
restore_free(struct bp_restore *restore)
{
    for (guint32 i = 0; i < restore->n_targets; i++) {
        g_free(restore->targets[i].unit);
        g_free(restore->targets[i].name);
        g_free(restore->targets[i].done);
    }
    g_free(restore->targets);
    g_free(restore->backup_ref);
    g_free(restore->staging);
    g_free(restore);
}

/* "restored/<target>/", or its staging. */
static char *
target_prefix(const struct bp_restore *restore, uint32_t target, bool staged)
{
    return g_strconcat(staged ? restore->staging : FILES_RESTORED, restore->targets[target].name,
                       "/", NULL);
}

static bp_status
check_target(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
             struct bp_error *error)
{
    guint64 there = 0;
    g_autofree char *prefix = target_prefix(restore, target, false);
    bp_status status =
        files_count(restore->source, op, restore->source->storage, prefix, &there, error);
    if (status == BP_OK && there > 0 && restore->targets[target].done != NULL) {
        return BP_OK;
    }
    g_clear_pointer(&restore->targets[target].done, g_free);
    if (status == BP_OK && there > 0 && !restore->targets[target].ours) {
        status = bp_fail(error, BP_ERR_EXISTS, "%s exists already", restore->targets[target].name);
    }
    return status;
}

static struct bp_restore *
restore_new(struct bp_source *self, const struct bp_restore_args *args)
{
    struct bp_restore *restore = g_new0(struct bp_restore, 1);
    restore->source = self;
    restore->backup_ref = g_strdup(args->backup_ref);
    restore->staging = g_strconcat(FILES_STAGING, args->run_id, "/", NULL);
    restore->ingest = bp_setting_bool(self->host, args->options, "ingest", true);
    restore->items = (args->flags & BP_RESTORE_WITHOUT_ITEMS) == 0;
    restore->n_targets = args->n_pairs;
    restore->targets = g_new0(files_target, args->n_pairs);
    for (guint32 i = 0; i < args->n_pairs; i++) {
        const struct bp_restore_pair *pair =
            (const void *)((const char *)args->pairs + (gsize)i * args->pair_stride);
        restore->targets[i] =
            (files_target){.unit = g_strdup(pair->unit_id),
                           .name = self->databases ? g_build_path("/", pair->target_parent,
                                                                  pair->target_name, NULL)
                                                   : g_strdup(pair->target_name),
                           .ours = pair->ours != NULL,
                           .done = g_strdup(pair->done)};
    }
    return restore;
}

bp_status
files_restore_begin(struct bp_source *self, const struct bp_op *op,
                    const struct bp_restore_args *args, struct bp_restore_info *info,
                    struct bp_restore **out, struct bp_error *error)
{
    if ((args->flags & ~KNOWN_FLAGS) != 0) {
        return bp_fail(error, BP_ERR_INVALID, "unknown flags of a restore: %u", args->flags);
    }
    for (guint32 i = 0; i < args->n_pairs; i++) {
        const struct bp_restore_pair *pair =
            (const void *)((const char *)args->pairs + (gsize)i * args->pair_stride);
        if ((pair->flags & ~BP_PROOF_UNPROVABLE) != 0) {
            return bp_fail(error, BP_ERR_INVALID, "unknown flags of a pair: %u", pair->flags);
        }
    }
    struct bp_restore *restore = restore_new(self, args);
    bp_status status = BP_OK;
    for (guint32 i = 0; i < restore->n_targets && status == BP_OK; i++) {
        status = check_target(restore, op, i, error);
    }
    if (status != BP_OK) {
        restore_free(restore);
        return status;
    }
    info->max_jobs = MAX_JOBS;
    g_strlcpy(info->staging_ref, self->storage, sizeof info->staging_ref);
    g_strlcpy(info->staging_prefix, restore->staging, sizeof info->staging_prefix);
    *out = restore;
    return BP_OK;
}

typedef struct {
    struct bp_restore *restore;
    const struct bp_op *op;
    gsize skip; /* bytes of the key that are not the object's own name */
    const char *to;
    const struct bp_place_sink *sink;
    guint64 n;
} moving;

static bp_status
remove_one(void *ctx, const char *key, const struct bp_object_meta *meta, struct bp_error *error)
{
    moving *self = ctx;
    struct bp_source *source = self->restore->source;
    (void)meta;
    return source->host->storage_remove(self->op, source->storage, key, error);
}

bp_status
files_target_prepare(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                     const struct bp_note_sink *notes, const struct bp_text_sink *identity,
                     struct bp_error *error)
{
    (void)notes;
    g_autofree char *prefix = target_prefix(restore, target, false);
    const char *done = restore->targets[target].done;
    /* The staging's name tells the runs apart. */
    g_autofree char *text =
        done != NULL ? g_strdup(done) : g_strconcat(restore->staging, " ", prefix, NULL);
    moving self = {.restore = restore, .op = op};
    if (identity->text(identity->ctx, text) != 0) {
        return bp_fail(error, BP_ERR_CANCELLED, "the restore was stopped");
    }
    if (done != NULL) {
        return BP_OK;
    }
    /* Only what an interrupted restore of ours has left can be there. */
    return files_each(restore->source, op, restore->source->storage, prefix, remove_one, &self,
                      error);
}

static bp_status
stage_one(void *ctx, const char *key, const struct bp_object_meta *meta, struct bp_error *error)
{
    moving *self = ctx;
    char staged[BP_KEY_MAX + 1];
    (void)meta;
    if (bp_key_join(staged, sizeof staged, self->to, key + self->skip) != 0) {
        return bp_fail(error, BP_ERR_INVALID, "key %s is too long for staging", key);
    }
    return self->sink->stage(self->sink->ctx, key, self->restore->source->storage, staged) == 0
               ? BP_OK
               : bp_fail(error, BP_ERR_CANCELLED, "the placing was stopped");
}

bp_status
files_target_place(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                   const struct bp_place_sink *sink, struct bp_error *error)
{
    g_autofree char *from = g_strconcat(FILES_ITEMS, restore->targets[target].unit, "/", NULL);
    g_autofree char *to = target_prefix(restore, target, true);
    moving self = {.restore = restore, .op = op, .skip = strlen(from), .to = to, .sink = sink};
    if (!restore->items) {
        return BP_OK;
    }
    return files_each(restore->source, op, restore->backup_ref, from, stage_one, &self, error);
}

bp_status
files_target_step(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                  const struct bp_job_sink *sink, struct bp_step_state *out, struct bp_error *error)
{
    (void)op;
    if (!restore->items) {
        out->all_started = 1;
        return BP_OK;
    }
    if (sink->free_jobs == 0) {
        return BP_OK;
    }
    g_autofree char *token = g_strdup_printf("%u", target);
    out->all_started = 1;
    return sink->job(sink->ctx, token, BP_UNKNOWN) == 0
               ? BP_OK
               : bp_fail(error, BP_ERR_CANCELLED, "the jobs were stopped");
}

static bp_status
take_in_one(void *ctx, const char *key, const struct bp_object_meta *meta, struct bp_error *error)
{
    moving *self = ctx;
    struct bp_source *source = self->restore->source;
    char to[BP_KEY_MAX + 1];
    size_t n = 0;
    if (meta->size > OBJECT_MAX || bp_key_join(to, sizeof to, self->to, key + self->skip) != 0) {
        return bp_fail(error, BP_ERR_UNSUPPORTED, "%s is too large to be taken in", key);
    }
    g_autofree char *buffer = g_malloc(meta->size + 1);
    const struct bp_read_args args = {
        .struct_size = sizeof args, .key = key, .length = meta->size + 1};
    bp_status status =
        source->host->storage_read_small(self->op, source->storage, &args, buffer, &n, error);
    if (status == BP_OK) {
        status = source->host->storage_write_small(self->op, source->storage, to, buffer, n, error);
    }
    self->n += status == BP_OK;
    return status;
}

bp_status
files_job_poll(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
               const char *token, struct bp_job_state *out, struct bp_error *error)
{
    uint64_t number = 0;
    if (bp_parse_u64(token, &number) != 0 || number != target) {
        return bp_fail(error, BP_ERR_NOT_FOUND, "there is no job %s", token);
    }
    g_autofree char *from = target_prefix(restore, target, true);
    g_autofree char *to = target_prefix(restore, target, false);
    moving self = {.restore = restore, .op = op, .skip = strlen(from), .to = to};
    bp_status status = restore->ingest ? files_each(restore->source, op, restore->source->storage,
                                                    from, take_in_one, &self, error)
                                       : BP_OK;
    out->phase = BP_JOB_DONE;
    out->done = out->total = self.n;
    return status;
}

bp_status
files_target_prove(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                   struct bp_proof *out, struct bp_error *error)
{
    g_autofree char *prefix = target_prefix(restore, target, !restore->ingest);
    guint64 found = 0;
    bp_status status =
        files_count(restore->source, op, restore->source->storage, prefix, &found, error);
    out->found = found;
    return status;
}

bp_status
files_target_finish(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                    const struct bp_note_sink *notes, struct bp_error *error)
{
    (void)op;
    (void)error;
    (void)notes->note(notes->ctx, BP_NOTE_INFO, "finished", restore->targets[target].name);
    return BP_OK;
}

bp_status
files_restore_end(struct bp_restore *restore, const struct bp_op *op, int32_t outcome,
                  struct bp_error *error)
{
    (void)op;
    (void)outcome;
    (void)error;
    restore_free(restore);
    return BP_OK;
}
