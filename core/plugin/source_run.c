/* SPDX-License-Identifier: Apache-2.0
 *
 * Capturing: a run and its units, items by page, documents.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/plugin/source_internal.h"

#include "sdk/lib/ban.h"

bp_source_run *
bp_source_run_begin(bp_source_inst *source, const bp_call *call, const struct bp_run_args *args,
                    guint32 *keepalive_ms, GError **error)
{
    bp_frame frame;
    struct bp_run *handle = NULL;
    struct bp_run_info info = {.struct_size = sizeof info};
    if (!bp_frame_enter(&frame, &source->base, "run_begin", call, error)) {
        return NULL;
    }
    bp_status status =
        source->ops->run_begin(source->handle, &frame.op, args, &info, &handle, &frame.error);
    bool fine = bp_frame_leave(&frame, status, error);
    if (status != BP_OK) {
        return NULL;
    }
    if (handle == NULL) {
        (void)bp_plugin_bug(&source->base, "run_begin", fine ? error : NULL, "answered no run");
        return NULL;
    }
    bp_source_run *run = g_new0(bp_source_run, 1);
    *run = (bp_source_run){.source = source, .handle = handle};
    if (!fine) {
        (void)bp_source_run_end(run, call, BP_OUTCOME_FAILED, NULL); /* the first error counts */
        return NULL;
    }
    *keepalive_ms = source->ops->run_keepalive != NULL ? info.keepalive_ms : 0;
    return run;
}

bool
bp_source_run_keepalive(bp_source_run *run, const bp_call *call, GError **error)
{
    bp_frame frame;
    if (run->source->ops->run_keepalive == NULL) {
        return true;
    }
    if (!bp_frame_enter(&frame, &run->source->base, "run_keepalive", call, error)) {
        return false;
    }
    bp_status status = run->source->ops->run_keepalive(run->handle, &frame.op, &frame.error);
    return bp_frame_leave(&frame, status, error);
}

bool
bp_source_run_end(bp_source_run *run, const bp_call *call, enum bp_outcome outcome, GError **error)
{
    bp_frame frame;
    bp_call undo = bp_call_undo(call);
    bp_frame_enter_always(&frame, &run->source->base, "run_end", &undo);
    bp_status status =
        run->source->ops->run_end(run->handle, &frame.op, (int32_t)outcome, &frame.error);
    g_free(run);
    return bp_frame_leave(&frame, status, error);
}

bool
bp_source_unit_begin(bp_source_run *run, const bp_call *call, const char *unit, GError **error)
{
    bp_frame frame;
    const struct bp_unit_args args = {.struct_size = sizeof args, .unit_id = unit};
    if (!bp_frame_enter(&frame, &run->source->base, "unit_begin", call, error)) {
        return false;
    }
    bp_status status = run->source->ops->unit_begin(run->handle, &frame.op, &args, &frame.error);
    return bp_frame_leave(&frame, status, error);
}

bool
bp_source_unit_refresh(bp_source_run *run, const bp_call *call, const char *unit, GError **error)
{
    bp_frame frame;
    const struct bp_unit_args args = {.struct_size = sizeof args, .unit_id = unit};
    if (run->source->ops->unit_refresh == NULL) {
        return bp_source__lacks(run->source, "way to look at a unit again", error);
    }
    if (!bp_frame_enter(&frame, &run->source->base, "unit_refresh", call, error)) {
        return false;
    }
    bp_status status = run->source->ops->unit_refresh(run->handle, &frame.op, &args, &frame.error);
    return bp_frame_leave(&frame, status, error);
}

bool
bp_source_unit_end(bp_source_run *run, const bp_call *call, const char *unit,
                   enum bp_outcome outcome, GError **error)
{
    bp_frame frame;
    bp_call undo = bp_call_undo(call);
    bp_frame_enter_always(&frame, &run->source->base, "unit_end", &undo);
    bp_status status =
        run->source->ops->unit_end(run->handle, &frame.op, unit, (int32_t)outcome, &frame.error);
    return bp_frame_leave(&frame, status, error);
}

bool
bp_source_unit_prove(bp_source_run *run, const bp_call *call, const char *unit,
                     struct bp_proof *out, GError **error)
{
    bp_frame frame;
    bp_answer answer = {&run->source->base, "unit_prove"};
    *out = (struct bp_proof){.struct_size = sizeof *out};
    if (!bp_frame_enter(&frame, &run->source->base, "unit_prove", call, error)) {
        return false;
    }
    bp_status status =
        run->source->ops->unit_prove(run->handle, &frame.op, unit, out, &frame.error);
    return bp_frame_leave(&frame, status, error) &&
           bp_answer_check_proof(&answer, unit, out, error);
}

/* STREAM items. */

struct bp_source_reader {
    bp_source_inst *source;
    struct bp_item_reader *handle;
};

static void
close_item(bp_source_inst *source, struct bp_item_reader *handle)
{
    bp_frame frame;
    bp_frame_enter_always(&frame, &source->base, "item_close", NULL);
    source->ops->item_close(handle);
    (void)bp_frame_leave(&frame, BP_OK, NULL); /* item_close cannot fail */
}

bp_source_reader *
bp_source_item_open(bp_source_run *run, const bp_call *call, const struct bp_item_open_args *args,
                    GError **error)
{
    bp_frame frame;
    struct bp_item_reader *handle = NULL;
    const struct bp_source_ops *ops = run->source->ops;
    if (ops->item_open == NULL || ops->item_read == NULL || ops->item_close == NULL) {
        (void)bp_source__lacks(run->source, "streamed items", error);
        return NULL;
    }
    if (!bp_frame_enter(&frame, &run->source->base, "item_open", call, error)) {
        return NULL;
    }
    bp_status status = ops->item_open(run->handle, &frame.op, args, &handle, &frame.error);
    bool fine = bp_frame_leave(&frame, status, error);
    if (status != BP_OK) {
        return NULL;
    }
    if (handle == NULL) {
        (void)bp_plugin_bug(&run->source->base, "item_open", fine ? error : NULL,
                            "answered no reader");
        return NULL;
    }
    if (!fine) {
        close_item(run->source, handle);
        return NULL;
    }
    bp_source_reader *reader = g_new0(bp_source_reader, 1);
    *reader = (bp_source_reader){.source = run->source, .handle = handle};
    return reader;
}

bool
bp_source_item_read(bp_source_reader *reader, const bp_call *call, void *buffer, gsize cap,
                    gsize *n, GError **error)
{
    bp_frame frame;
    bp_source_inst *source = reader->source;
    size_t got = 0;
    *n = 0;
    if (!bp_frame_enter(&frame, &source->base, "item_read", call, error)) {
        return false;
    }
    bp_status status =
        source->ops->item_read(reader->handle, &frame.op, buffer, cap, &got, &frame.error);
    if (!bp_frame_leave(&frame, status, error)) {
        return false;
    }
    if (got > cap) {
        return bp_plugin_bug(&source->base, "item_read", error,
                             "answered %zu bytes into room for %zu", got, cap);
    }
    *n = frame.effect.cut ? 0 : got;
    return true;
}

void
bp_source_item_close(bp_source_reader *reader)
{
    if (reader != NULL) {
        close_item(reader->source, reader->handle);
        g_free(reader);
    }
}

/* Documents: begin, write…, end, one after the other, the commit document last. */

typedef struct {
    bp_sink_state sink;
    const bp_document_fns *fns;
    const char *commit_key; /* which the source's facts name */
    bool open, committed;
} documents;

static int32_t
document_bug(documents *self, const char *why)
{
    (void)bp_plugin_bug(self->sink.answer.instance, "documents", &self->sink.bug, "%s", why);
    return 1;
}

static int32_t
document_begin(void *ctx, const char *key, uint32_t flags)
{
    documents *self = ctx;
    if (bp_sink_is_over(&self->sink) ||
        !bp_source__check_backup_key(&self->sink.answer, "document", key, &self->sink.bug)) {
        return 1;
    }
    bool commit = (flags & BP_DOCUMENT_COMMIT) != 0;
    if (self->open) {
        return document_bug(self, "a document begins inside of another");
    }
    if (self->committed) {
        return document_bug(self, "a document follows the commit document");
    }
    if ((flags & ~BP_DOCUMENT_COMMIT) != 0) {
        return document_bug(self, "a document has unknown flags");
    }
    if (commit && strcmp(key, self->commit_key) != 0) {
        return document_bug(self, "the commit document is not the one that info names");
    }
    self->open = true;
    self->committed = commit;
    self->sink.stopped = !self->fns->begin(self->fns->ctx, key, commit);
    return self->sink.stopped;
}

static int32_t
document_write(void *ctx, const void *bytes, size_t n)
{
    documents *self = ctx;
    if (bp_sink_is_over(&self->sink)) {
        return 1;
    }
    if (!self->open) {
        return document_bug(self, "text outside of a document");
    }
    self->sink.stopped = !self->fns->write(self->fns->ctx, bytes, n);
    return self->sink.stopped;
}

static int32_t
document_end(void *ctx)
{
    documents *self = ctx;
    if (bp_sink_is_over(&self->sink)) {
        return 1;
    }
    if (!self->open) {
        return document_bug(self, "the end of a document that did not begin");
    }
    self->open = false;
    self->sink.stopped = !self->fns->end(self->fns->ctx);
    return self->sink.stopped;
}

bool
bp_source_documents(bp_source_run *run, const bp_call *call, const bp_document_fns *fns,
                    GError **error)
{
    bp_frame frame;
    bp_source_inst *source = run->source;
    documents self = {.fns = fns, .commit_key = source->info.commit_document};
    struct bp_document_sink sink = {.struct_size = sizeof sink,
                                    .ctx = &self,
                                    .begin = document_begin,
                                    .write = document_write,
                                    .end = document_end};
    bp_sink_begin(&self.sink, source, "documents", call);
    if (!bp_frame_enter(&frame, &source->base, "documents", call, error)) {
        return false;
    }
    bp_status status = source->ops->documents(run->handle, &frame.op, &sink, &frame.error);
    if (!bp_sink_leave(&self.sink, &frame, status, error)) {
        return false;
    }
    if (self.open) {
        return bp_plugin_bug(&source->base, "documents", error, "the last document has no end");
    }
    return self.committed ||
           bp_plugin_bug(&source->base, "documents", error, "there is no commit document");
}
