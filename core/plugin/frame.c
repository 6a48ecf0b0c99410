/* SPDX-License-Identifier: Apache-2.0
 *
 * See frame.h, and call.h for bp_call_undo.
 */
#include "core/plugin/frame.h"

#include <stdarg.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

#define UNDO_NS (30 * BP_NS_PER_S)

bp_call
bp_call_undo(const bp_call *call)
{
    bp_call undo = {.cancel = call != NULL ? bp_cancel_grace(call->cancel) : NULL,
                    .deadline_ns = bp_clock_mono_ns() + UNDO_NS,
                    .refs = call != NULL ? call->refs : NULL};
    return undo;
}

/* What an unknown thread model or a careless plugin gets is the most careful treatment. */
static guint
instance_limit(const struct bp_plugin *plugin)
{
    switch (plugin->thread_model) {
    case BP_THREADS_INSTANCE:
        return 1;
    case BP_THREADS_PARALLEL:
        return plugin->max_parallel;
    default:
        return 0; /* the module's gate lets one in at a time */
    }
}

void
bp_instance_init(bp_instance *instance, bp_module *module, bp_plugin_kind kind, const char *name)
{
    instance->module = module;
    instance->kind = kind;
    instance->name = g_strdup(name);
    instance->stats = kind == BP_PLUGIN_STORAGE ? bp_stats_of(name) : NULL;
    bp_gate_init(&instance->gate, instance_limit(&module->descriptor));
}

void
bp_instance_clear(bp_instance *instance)
{
    bp_gate_clear(&instance->gate);
    g_free(instance->name);
}

bool
bp_plugin_bug(const bp_instance *instance, const char *what, GError **error, const char *format,
              ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    bp_set_error(error, BP_ERR_PERMANENT, "plugin bug: %s %s: %s",
                 instance->module->descriptor.name, what, valid);
    return false;
}

static void
fill(bp_frame *frame, bp_instance *instance, const char *what, const bp_call *call)
{
    memset(frame, 0, sizeof *frame);
    bp_error_init(&frame->error);
    frame->instance = instance;
    frame->what = what;
    if (call != NULL) {
        frame->call = *call;
    }
    frame->op = (struct bp_op){.struct_size = sizeof frame->op,
                               .deadline_ns = frame->call.deadline_ns,
                               .host_private = frame};
}

static bp_gate *
module_gate(const bp_frame *frame)
{
    return &frame->instance->module->gate;
}

static bool
apply_fault(bp_frame *frame, bp_fault_moment moment, GError **error)
{
#if BP_FAULTS
    char point[96];
    g_snprintf(point, sizeof point, "%s.%s", bp_plugin_kind_name(frame->instance->kind),
               frame->what);
    return bp_fault_call(point, frame->instance->name, moment, &frame->effect, error);
#else
    (void)frame;
    (void)moment;
    (void)error;
    return true;
#endif
}

static bool
take_places(bp_frame *frame, const bp_call *call, GError **error)
{
    if (!bp_gate_enter(module_gate(frame), call, error)) {
        return false;
    }
    if (!bp_gate_enter(&frame->instance->gate, call, error)) {
        bp_gate_leave(module_gate(frame));
        return false;
    }
    return true;
}

static bool
may_start(const bp_frame *frame, GError **error)
{
    if (!bp_cancel_check(frame->call.cancel, error)) {
        return false;
    }
    if (frame->call.deadline_ns != 0 && bp_clock_mono_ns() >= frame->call.deadline_ns) {
        bp_set_error(error, BP_ERR_TIMEOUT, "the deadline passed before %s", frame->what);
        return false;
    }
    return true;
}

static void
name_instance(const bp_frame *frame, GError **error)
{
    g_prefix_error(error, "%s %s: ", bp_plugin_kind_name(frame->instance->kind),
                   frame->instance->name);
}

static void
count(const bp_frame *frame, int class)
{
    if (frame->instance->stats != NULL) {
        bp_stats_call call = {.operation = frame->what,
                              .class = class,
                              .ns = bp_clock_mono_ns() - frame->entered_ns,
                              .bytes = class == BP_OK ? frame->bytes : 0};
        bp_stats_count(frame->instance->stats, &call);
    }
}

/* A fault that comes before the call is counted as if the plugin had answered so. */
static bool
apply_first_fault(bp_frame *frame, GError **error)
{
    GError *failed = NULL;
    frame->entered_ns = bp_clock_mono_ns();
    if (apply_fault(frame, BP_FAULT_BEFORE, &failed)) {
        return true;
    }
    count(frame, bp_error_class(failed));
    g_propagate_error(error, failed);
    return false;
}

bool
bp_frame_enter(bp_frame *frame, bp_instance *instance, const char *what, const bp_call *call,
               GError **error)
{
    fill(frame, instance, what, call);
    if (!may_start(frame, error) || !apply_first_fault(frame, error) ||
        !take_places(frame, &frame->call, error)) {
        name_instance(frame, error);
        return false;
    }
    frame->entered_ns = bp_clock_mono_ns();
    return true;
}

void
bp_frame_enter_always(bp_frame *frame, bp_instance *instance, const char *what, const bp_call *call)
{
    fill(frame, instance, what, call);
    (void)take_places(frame, NULL, NULL); /* waits for as long as it takes */
    frame->entered_ns = bp_clock_mono_ns();
}

void
bp_frame_enter_alone(bp_frame *frame, bp_instance *instance, const char *what, const bp_call *call)
{
    fill(frame, instance, what, call);
    bp_gate_enter_alone(module_gate(frame));
    frame->entered_ns = bp_clock_mono_ns();
}

/* A class without a reason helps nobody and tells of a plugin that forgot to fill its error. */
static bool
blame(bp_frame *frame, bp_status status, GError **error)
{
    const struct bp_error *raw = &frame->error;
    if (status < 0) {
        return bp_plugin_bug(frame->instance, frame->what, error, "answered %d, which is no class",
                             status);
    }
    if (raw->message[0] == '\0') {
        return bp_plugin_bug(frame->instance, frame->what, error, "failed (%s) without saying why",
                             bp_class_name(status));
    }
    if (raw->cls != status) {
        return bp_plugin_bug(frame->instance, frame->what, error,
                             "answered class %d with an error of class %d: %.*s", status, raw->cls,
                             (int)sizeof raw->message, raw->message);
    }
    if (error != NULL) {
        bp_set_error_from_plugin(error, raw);
        char *clean = bp_log_redact((*error)->message);
        g_free((*error)->message);
        (*error)->message = clean;
        name_instance(frame, error);
    }
    return false;
}

static bool
judge(bp_frame *frame, bp_status status, GError **error)
{
    GError *failed = NULL;
    if (status != BP_OK) {
        (void)blame(frame, status, &failed);
    } else if (!apply_fault(frame, BP_FAULT_AFTER, &failed)) {
        name_instance(frame, &failed);
    }
    count(frame, bp_error_class(failed));
    if (failed != NULL) {
        g_propagate_error(error, failed);
        return false;
    }
    return true;
}

bool
bp_frame_leave(bp_frame *frame, bp_status status, GError **error)
{
    bp_gate_leave(&frame->instance->gate);
    bp_gate_leave(module_gate(frame));
    return judge(frame, status, error);
}

bool
bp_frame_leave_alone(bp_frame *frame, bp_status status, GError **error)
{
    bp_gate_leave(module_gate(frame));
    return judge(frame, status, error);
}

const bp_frame *
bp_frame_of(const struct bp_op *op)
{
    return op != NULL ? op->host_private : NULL;
}
