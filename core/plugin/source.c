/* SPDX-License-Identifier: Apache-2.0
 *
 * Source instances: open, facts, probe, plan, adopt.  See source.h.
 */
#include "core/plugin/source.h"

#include "core/base/error.h"
#include "core/base/log.h"
#include "core/plugin/host.h"
#include "core/plugin/source_internal.h"

#include "sdk/lib/ban.h"

/* Bytes of a proof in minor 0. */
#define PROOF_MIN (offsetof(struct bp_proof, note) + sizeof(((struct bp_proof *)0)->note))

bool
bp_source__lacks(const bp_source_inst *source, const char *what, GError **error)
{
    bp_set_error(error, BP_ERR_UNSUPPORTED, "source %s has no %s", source->base.name, what);
    return false;
}

static bool
check_info(bp_source_inst *source, GError **error)
{
    struct bp_source_info *info = &source->info;
    bp_answer answer = {&source->base, "info"};
    bp_answer_text(info->item_kind, sizeof info->item_kind);
    bp_answer_text(info->parent_kind, sizeof info->parent_kind);
    bp_answer_text(info->proof_what, sizeof info->proof_what);
    bp_answer_text(info->server_version, sizeof info->server_version);
    bp_answer_text(info->address, sizeof info->address);
    return bp_answer_check_text(&answer, "kind of items", info->item_kind, sizeof info->item_kind,
                                error) &&
           bp_answer_check_whole(&answer, "default parent", info->default_parent,
                                 sizeof info->default_parent, error) &&
           bp_answer_check_whole(&answer, "commit document", info->commit_document,
                                 sizeof info->commit_document, error) &&
           bp_source__check_backup_key(&answer, "commit document", info->commit_document, error);
}

static bool
learn_info(bp_source_inst *source, GError **error)
{
    bp_frame frame;
    struct bp_source_info told = {.struct_size = sizeof told};
    if (!bp_frame_enter(&frame, &source->base, "info", NULL, error)) {
        return false;
    }
    bp_status status = source->ops->info(source->handle, &told, &frame.error);
    if (!bp_frame_leave(&frame, status, error)) {
        return false;
    }
    source->info = told;
    return check_info(source, error);
}

static bool
open_handle(bp_source_inst *source, const bp_call *call, GError **error)
{
    bp_frame frame;
    bp_frame_enter_alone(&frame, &source->base, "open", call);
    bp_status status = source->ops->open(bp_host_table(), &frame.op, source->settings,
                                         &source->handle, &frame.error);
    if (status != BP_OK) {
        source->handle = NULL;
    }
    if (!bp_frame_leave_alone(&frame, status, error)) {
        return false;
    }
    return source->handle != NULL ||
           bp_plugin_bug(&source->base, "open", error, "answered no instance");
}

bp_source_inst *
bp_source_open(bp_module *module, bp_settings *take_settings, const bp_call *call, GError **error)
{
    g_autoptr(bp_source_inst) source = g_new0(bp_source_inst, 1);
    bp_instance_init(&source->base, module, BP_PLUGIN_SOURCE, module->descriptor.name);
    source->settings = take_settings;
    source->ops = &module->source;
    if (!bp_module_offers(module, BP_PLUGIN_SOURCE)) {
        bp_set_error(error, BP_ERR_INVALID, "%s is no source plugin", module->path);
        return NULL;
    }
    if (!open_handle(source, call, error) || !learn_info(source, error)) {
        return NULL;
    }
    return g_steal_pointer(&source);
}

void
bp_source_free(bp_source_inst *source)
{
    if (source == NULL) {
        return;
    }
    if (source->handle != NULL) {
        bp_frame frame;
        bp_frame_enter_alone(&frame, &source->base, "close", NULL);
        source->ops->close(source->handle);
        (void)bp_frame_leave_alone(&frame, BP_OK, NULL); /* close cannot fail */
    }
    bp_settings_free(source->settings);
    bp_instance_clear(&source->base);
    g_free(source);
}

const struct bp_source_info *
bp_source_facts(bp_source_inst *source)
{
    return &source->info;
}

const char *
bp_source_kind(const bp_source_inst *source)
{
    return source->base.module->descriptor.name;
}

bool
bp_source_can_restore(const bp_source_inst *source)
{
    const struct bp_source_ops *ops = source->ops;
    return ops->restore_begin != NULL && ops->target_prepare != NULL && ops->target_place != NULL &&
           ops->target_step != NULL && ops->job_poll != NULL && ops->target_prove != NULL &&
           ops->target_finish != NULL && ops->restore_end != NULL;
}

bool
bp_source_can_adopt(const bp_source_inst *source)
{
    return source->ops->adopt != NULL;
}

static int32_t
pass_note(void *ctx, int32_t level, const char *code, const char *text)
{
    const bp_note_fns *self = ctx;
    if (self == NULL || text == NULL) {
        return 0;
    }
    g_autofree char *valid_code = g_utf8_make_valid(code != NULL ? code : "", -1);
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_autofree char *clean = bp_log_redact(valid);
    /* A level that is newer than we are is at least worth a warning. */
    self->note(self->ctx, level == BP_NOTE_INFO ? BP_NOTE_INFO : BP_NOTE_WARN, valid_code, clean);
    return 0;
}

struct bp_note_sink
bp_source__note_sink(const bp_note_fns *notes)
{
    return (struct bp_note_sink){
        .struct_size = sizeof(struct bp_note_sink), .ctx = (void *)notes, .note = pass_note};
}

bool
bp_source_probe(bp_source_inst *source, const bp_call *call, const bp_note_fns *notes,
                GError **error)
{
    bp_frame frame;
    struct bp_note_sink sink = bp_source__note_sink(notes);
    if (!bp_frame_enter(&frame, &source->base, "probe", call, error)) {
        return false;
    }
    bp_status status = source->ops->probe(source->handle, &frame.op, &sink, &frame.error);
    return bp_frame_leave(&frame, status, error) && learn_info(source, error);
}

/* The tree as it is told, and the questions asked in between. */
typedef struct {
    bp_sink_state sink;
    GHashTable *seen;
    const bp_plan_fns *fns;
} planning;

static int32_t
plan_wants(void *ctx, const struct bp_unit *unit)
{
    planning *self = ctx;
    struct bp_unit checked;
    return !bp_sink_is_over(&self->sink) &&
           bp_source__take_unit(&self->sink, unit, NULL, &checked) &&
           self->fns->wants(self->fns->ctx, &checked);
}

static int32_t
plan_unit(void *ctx, const struct bp_unit *unit)
{
    planning *self = ctx;
    struct bp_unit checked;
    if (bp_sink_is_over(&self->sink) ||
        !bp_source__take_unit(&self->sink, unit, self->seen, &checked)) {
        return 1;
    }
    self->sink.stopped = !self->fns->unit(self->fns->ctx, &checked);
    return self->sink.stopped;
}

bool
bp_source_plan(bp_source_inst *source, const bp_call *call, const bp_plan_fns *fns, GError **error)
{
    bp_frame frame;
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    planning self = {.seen = seen, .fns = fns};
    struct bp_unit_filter filter = {
        .struct_size = sizeof filter, .ctx = &self, .wants = plan_wants};
    struct bp_unit_sink sink = {.struct_size = sizeof sink, .ctx = &self, .unit = plan_unit};
    bp_sink_begin(&self.sink, source, "plan", call);
    if (!bp_frame_enter(&frame, &source->base, "plan", call, error)) {
        return false;
    }
    bp_status status = source->ops->plan(source->handle, &frame.op,
                                         fns->wants != NULL ? &filter : NULL, &sink, &frame.error);
    return bp_sink_leave(&self.sink, &frame, status, error);
}

typedef struct {
    bp_sink_state sink;
    GHashTable *seen;
    const bp_adopt_fns *fns;
} adoption;

/* Items and proofs belong to a unit that was told before. */
static bool
adopted_before(adoption *self, const char *unit_id)
{
    if (bp_sink_is_over(&self->sink)) {
        return false;
    }
    if (unit_id == NULL || !g_hash_table_contains(self->seen, unit_id)) {
        return bp_plugin_bug(self->sink.answer.instance, "adopt", &self->sink.bug,
                             "tells of unit \"%.200s\" before the unit itself",
                             unit_id != NULL ? unit_id : "");
    }
    return true;
}

static int32_t
adopt_unit(void *ctx, const struct bp_unit *unit)
{
    adoption *self = ctx;
    struct bp_unit checked;
    if (bp_sink_is_over(&self->sink) ||
        !bp_source__take_unit(&self->sink, unit, self->seen, &checked)) {
        return 1;
    }
    self->sink.stopped = !self->fns->unit(self->fns->ctx, &checked);
    return self->sink.stopped;
}

static int32_t
adopt_item(void *ctx, const char *unit_id, const struct bp_item *item)
{
    adoption *self = ctx;
    struct bp_item checked;
    if (!adopted_before(self, unit_id) ||
        !bp_source__take_item(&self->sink, item, true, &checked)) {
        return 1;
    }
    self->sink.stopped = !self->fns->item(self->fns->ctx, unit_id, &checked);
    return self->sink.stopped;
}

static int32_t
adopt_proof(void *ctx, const char *unit_id, const struct bp_proof *proof)
{
    adoption *self = ctx;
    struct bp_proof checked;
    if (!adopted_before(self, unit_id)) {
        return 1;
    }
    if (!bp_answer_copy(&checked, sizeof checked, PROOF_MIN, proof)) {
        (void)bp_plugin_bug(self->sink.answer.instance, "adopt", &self->sink.bug,
                            "proof of %s is too short", unit_id);
        return 1;
    }
    if (!bp_answer_check_proof(&self->sink.answer, unit_id, &checked, &self->sink.bug)) {
        return 1;
    }
    self->sink.stopped = !self->fns->proof(self->fns->ctx, unit_id, &checked);
    return self->sink.stopped;
}

bool
bp_source_adopt(bp_source_inst *source, const bp_call *call, const char *backup_ref,
                const bp_adopt_fns *fns, struct bp_adopt_info *info, GError **error)
{
    bp_frame frame;
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    adoption self = {.seen = seen, .fns = fns};
    struct bp_adopt_sink sink = {.struct_size = sizeof sink,
                                 .ctx = &self,
                                 .unit = adopt_unit,
                                 .item = adopt_item,
                                 .proof = adopt_proof};
    *info = (struct bp_adopt_info){.struct_size = sizeof *info};
    bp_sink_begin(&self.sink, source, "adopt", call);
    if (source->ops->adopt == NULL) {
        return bp_source__lacks(source, "way to read backups of other programs", error);
    }
    if (!bp_frame_enter(&frame, &source->base, "adopt", call, error)) {
        return false;
    }
    bp_status status =
        source->ops->adopt(source->handle, &frame.op, backup_ref, &sink, info, &frame.error);
    bp_answer_text(info->server_version, sizeof info->server_version);
    bp_answer_text(info->writer, sizeof info->writer);
    return bp_sink_leave(&self.sink, &frame, status, error);
}
