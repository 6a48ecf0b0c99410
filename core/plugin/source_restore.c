/* SPDX-License-Identifier: Apache-2.0
 *
 * Restoring: targets are prepared, placed, filled by jobs, proven and finished.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/plugin/refs.h"
#include "core/plugin/source_internal.h"
#include "sdk/lib/key.h"

#include "sdk/lib/ban.h"

struct bp_source_restore {
    bp_source_inst *source;
    struct bp_restore *handle;
    guint32 n_targets;
    struct bp_restore_info info;
};

static bool
check_restore_info(bp_source_inst *source, const bp_call *call, bool has_jobs,
                   struct bp_restore_info *info, GError **error)
{
    const char *prefix = NULL;
    const char *why = NULL;
    guint32 flags = 0;
    bp_answer answer = {&source->base, "restore_begin"};
    if (!bp_answer_check_whole(&answer, "staging storage", info->staging_ref,
                               sizeof info->staging_ref, error) ||
        !bp_answer_check_whole(&answer, "staging prefix", info->staging_prefix,
                               sizeof info->staging_prefix, error)) {
        return false;
    }
    if (info->max_jobs == 0 && has_jobs) {
        return bp_plugin_bug(&source->base, "restore_begin", error, "allows no jobs");
    }
    if (info->staging_ref[0] == '\0') {
        return true;
    }
    if (call == NULL || bp_refs_find(call->refs, info->staging_ref, &prefix, &flags) == NULL ||
        (flags & BP_VIEW_READ_ONLY) != 0) {
        return bp_plugin_bug(&source->base, "restore_begin", error,
                             "wants to stage on \"%s\", which it cannot write to",
                             info->staging_ref);
    }
    if (!g_str_has_suffix(info->staging_prefix, "/") ||
        bp_key_check_prefix(info->staging_prefix, &why) != 0) {
        return bp_plugin_bug(&source->base, "restore_begin", error, "staging prefix \"%s\" %s",
                             info->staging_prefix, why != NULL ? why : "does not end in '/'");
    }
    return true;
}

bp_source_restore *
bp_source_restore_begin(bp_source_inst *source, const bp_call *call,
                        const struct bp_restore_args *args, const bp_note_fns *notes,
                        struct bp_restore_info *info, GError **error)
{
    bp_frame frame;
    struct bp_note_sink sink = bp_source__note_sink(notes);
    struct bp_restore_args told = *args;
    struct bp_restore *handle = NULL;
    told.notes = &sink;
    *info = (struct bp_restore_info){.struct_size = sizeof *info};
    if (!bp_source_can_restore(source)) {
        (void)bp_source__lacks(source, "restore", error);
        return NULL;
    }
    if (!bp_frame_enter(&frame, &source->base, "restore_begin", call, error)) {
        return NULL;
    }
    bp_status status =
        source->ops->restore_begin(source->handle, &frame.op, &told, info, &handle, &frame.error);
    bool fine = bp_frame_leave(&frame, status, error);
    if (status != BP_OK) {
        return NULL;
    }
    if (handle == NULL) {
        (void)bp_plugin_bug(&source->base, "restore_begin", fine ? error : NULL,
                            "answered no restore");
        return NULL;
    }
    bp_source_restore *restore = g_new0(bp_source_restore, 1);
    *restore = (bp_source_restore){
        .source = source, .handle = handle, .n_targets = args->n_pairs, .info = *info};
    bool has_jobs = (args->flags & (BP_RESTORE_DRY_RUN | BP_RESTORE_WITHOUT_ITEMS)) == 0;
    if (!fine || !check_restore_info(source, call, has_jobs, info, error)) {
        (void)bp_source_restore_end(restore, call, BP_OUTCOME_FAILED, NULL); /* the first counts */
        return NULL;
    }
    restore->info = *info;
    return restore;
}

bool
bp_source_restore_end(bp_source_restore *restore, const bp_call *call, enum bp_outcome outcome,
                      GError **error)
{
    bp_frame frame;
    bp_call undo = bp_call_undo(call);
    bp_frame_enter_always(&frame, &restore->source->base, "restore_end", &undo);
    bp_status status = restore->source->ops->restore_end(restore->handle, &frame.op,
                                                         (int32_t)outcome, &frame.error);
    g_free(restore);
    return bp_frame_leave(&frame, status, error);
}

static bool
enter_target(bp_frame *frame, bp_source_restore *restore, const char *what, const bp_call *call,
             guint32 target, GError **error)
{
    if (target >= restore->n_targets) {
        bp_set_error(error, BP_ERR_INVALID, "source %s: %s of target %u, there are %u",
                     restore->source->base.name, what, target, restore->n_targets);
        return false;
    }
    return bp_frame_enter(frame, &restore->source->base, what, call, error);
}

typedef struct {
    bp_sink_state sink;
    char *text;
} identity_sink;

static int32_t
take_identity(void *ctx, const char *text)
{
    identity_sink *self = ctx;
    if (bp_sink_is_over(&self->sink) || !bp_answer_check_text(&self->sink.answer, "identity", text,
                                                              BP_TOKEN_MAX, &self->sink.bug)) {
        return 1;
    }
    g_free(self->text);
    self->text = g_strdup(text);
    return 0;
}

bool
bp_source_target_prepare(bp_source_restore *restore, const bp_call *call, guint32 target,
                         const bp_note_fns *notes, char **identity, GError **error)
{
    bp_frame frame;
    struct bp_note_sink note_sink = bp_source__note_sink(notes);
    identity_sink self = {.text = NULL};
    struct bp_text_sink sink = {.struct_size = sizeof sink, .ctx = &self, .text = take_identity};
    *identity = NULL;
    bp_sink_begin(&self.sink, restore->source, "target_prepare", call);
    if (!enter_target(&frame, restore, "target_prepare", call, target, error)) {
        return false;
    }
    bp_status status = restore->source->ops->target_prepare(restore->handle, &frame.op, target,
                                                            &note_sink, &sink, &frame.error);
    /* Also after a failure: what was made is ours, and a later run has to know it. */
    *identity = self.text;
    return bp_sink_leave(&self.sink, &frame, status, error);
}

typedef struct {
    bp_sink_state sink;
    const bp_source_restore *restore;
    const bp_place_fns *fns;
} placing;

static int32_t
place_in_place(void *ctx, const char *prefix)
{
    placing *self = ctx;
    const char *why = "is missing";
    if (bp_sink_is_over(&self->sink)) {
        return 1;
    }
    if (prefix == NULL || bp_key_check_prefix(prefix, &why) != 0) {
        (void)bp_plugin_bug(self->sink.answer.instance, "target_place", &self->sink.bug,
                            "prefix \"%.200s\" %s", prefix != NULL ? prefix : "", why);
        return 1;
    }
    self->sink.stopped = !self->fns->in_place(self->fns->ctx, prefix);
    return self->sink.stopped;
}

static int32_t
place_stage(void *ctx, const char *item_key, const char *ref, const char *key)
{
    placing *self = ctx;
    const struct bp_restore_info *info = &self->restore->info;
    if (bp_sink_is_over(&self->sink) ||
        !bp_source__check_backup_key(&self->sink.answer, "item key", item_key, &self->sink.bug) ||
        !bp_answer_check_key(&self->sink.answer, "staging key", key, &self->sink.bug)) {
        return 1;
    }
    /* What lies elsewhere would not be swept after a crash. */
    if (info->staging_ref[0] == '\0' || g_strcmp0(ref, info->staging_ref) != 0 ||
        !g_str_has_prefix(key, info->staging_prefix)) {
        (void)bp_plugin_bug(self->sink.answer.instance, "target_place", &self->sink.bug,
                            "stages %s outside of the declared staging prefix", key);
        return 1;
    }
    self->sink.stopped = !self->fns->stage(self->fns->ctx, item_key, ref, key);
    return self->sink.stopped;
}

bool
bp_source_target_place(bp_source_restore *restore, const bp_call *call, guint32 target,
                       const bp_place_fns *fns, GError **error)
{
    bp_frame frame;
    placing self = {.restore = restore, .fns = fns};
    struct bp_place_sink sink = {
        .struct_size = sizeof sink, .ctx = &self, .in_place = place_in_place, .stage = place_stage};
    bp_sink_begin(&self.sink, restore->source, "target_place", call);
    if (!enter_target(&frame, restore, "target_place", call, target, error)) {
        return false;
    }
    bp_status status =
        restore->source->ops->target_place(restore->handle, &frame.op, target, &sink, &frame.error);
    return bp_sink_leave(&self.sink, &frame, status, error);
}

typedef struct {
    bp_sink_state sink;
    const bp_step_params *params;
    guint32 left;
} stepping;

static int32_t
step_job(void *ctx, const char *token, uint64_t weight)
{
    stepping *self = ctx;
    if (bp_sink_is_over(&self->sink) ||
        !bp_answer_check_text(&self->sink.answer, "job token", token, BP_TOKEN_MAX,
                              &self->sink.bug)) {
        return 1;
    }
    if (self->left == 0) {
        (void)bp_plugin_bug(self->sink.answer.instance, "target_step", &self->sink.bug,
                            "started more jobs than it was allowed to");
        return 1;
    }
    self->left--;
    self->sink.stopped = !self->params->job(self->params->ctx, token, weight);
    return self->sink.stopped;
}

bool
bp_source_target_step(bp_source_restore *restore, const bp_call *call, const bp_step_params *params,
                      bool *all_started, GError **error)
{
    bp_frame frame;
    stepping self = {.params = params, .left = params->free_jobs};
    struct bp_job_sink sink = {
        .struct_size = sizeof sink, .free_jobs = params->free_jobs, .ctx = &self, .job = step_job};
    struct bp_step_state state = {.struct_size = sizeof state};
    bp_sink_begin(&self.sink, restore->source, "target_step", call);
    if (!enter_target(&frame, restore, "target_step", call, params->target, error)) {
        return false;
    }
    bp_status status = restore->source->ops->target_step(restore->handle, &frame.op, params->target,
                                                         &sink, &state, &frame.error);
    *all_started = state.all_started != 0;
    return bp_sink_leave(&self.sink, &frame, status, error);
}

bool
bp_source_job_poll(bp_source_restore *restore, const bp_call *call, guint32 target,
                   const char *token, struct bp_job_state *out, GError **error)
{
    bp_frame frame;
    *out = (struct bp_job_state){.struct_size = sizeof *out};
    if (!enter_target(&frame, restore, "job_poll", call, target, error)) {
        return false;
    }
    bp_status status = restore->source->ops->job_poll(restore->handle, &frame.op, target, token,
                                                      out, &frame.error);
    if (!bp_frame_leave(&frame, status, error)) {
        return false;
    }
    bp_answer_text(out->reason, sizeof out->reason);
    if (out->phase > BP_JOB_FAILED) {
        return bp_plugin_bug(&restore->source->base, "job_poll", error, "answered phase %u",
                             out->phase);
    }
    out->done = out->total != 0 ? MIN(out->done, out->total) : out->done;
    return true;
}

bool
bp_source_target_prove(bp_source_restore *restore, const bp_call *call, guint32 target,
                       struct bp_proof *out, GError **error)
{
    bp_frame frame;
    bp_answer answer = {&restore->source->base, "target_prove"};
    *out = (struct bp_proof){.struct_size = sizeof *out};
    if (!enter_target(&frame, restore, "target_prove", call, target, error)) {
        return false;
    }
    bp_status status =
        restore->source->ops->target_prove(restore->handle, &frame.op, target, out, &frame.error);
    if (!bp_frame_leave(&frame, status, error)) {
        return false;
    }
    /* The bounds are those of the manifest; only `found` is an answer here. */
    out->low = out->high = 0;
    return bp_answer_check_proof(&answer, "the target", out, error);
}

bool
bp_source_target_finish(bp_source_restore *restore, const bp_call *call, guint32 target,
                        const bp_note_fns *notes, GError **error)
{
    bp_frame frame;
    struct bp_note_sink sink = bp_source__note_sink(notes);
    if (!enter_target(&frame, restore, "target_finish", call, target, error)) {
        return false;
    }
    bp_status status = restore->source->ops->target_finish(restore->handle, &frame.op, target,
                                                           &sink, &frame.error);
    return bp_frame_leave(&frame, status, error);
}
