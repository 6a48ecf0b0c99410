/* SPDX-License-Identifier: Apache-2.0
 *
 * See monitor.h.
 */
#include "core/verb/monitor.h"

#include <pthread.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/log.h"
#include "core/base/thread.h"

#include "sdk/lib/ban.h"

#define BP_LOG_MODULE "job"

struct bp_monitor {
    pthread_mutex_t lock; /* guards all below; held while a phase's numbers are taken, so that
                             bp_monitor_end waits for a snapshot that is under way */
    const char *phase;
    bp_progress_fn progress;
    void *ctx;
    gint64 began_ns;
    bp_progress last; /* with which a phase ended; its phase is NULL while none had numbers */
    json_t *notes;
    GHashTable *said; /* each note as one text: they may be many */
    guint warnings;
};

bp_monitor *
bp_monitor_new(void)
{
    bp_monitor *monitor = g_new0(bp_monitor, 1);
    pthread_mutex_init(&monitor->lock, NULL);
    monitor->notes = json_array();
    monitor->said = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return monitor;
}

void
bp_monitor_free(bp_monitor *monitor)
{
    if (monitor != NULL) {
        json_decref(monitor->notes);
        g_hash_table_unref(monitor->said);
        pthread_mutex_destroy(&monitor->lock);
        g_free(monitor);
    }
}

void
bp_monitor_begin(bp_monitor *monitor, const char *phase, bp_progress_fn progress, void *ctx)
{
    BP_INFO("phase begins", "phase", phase);
    BP_LOCK_GUARD(&monitor->lock);
    monitor->phase = phase;
    monitor->progress = progress;
    monitor->ctx = ctx;
    monitor->began_ns = bp_clock_mono_ns();
}

/* Under the lock, in a phase. */
static void
take_numbers(const bp_monitor *monitor, bp_progress *out)
{
    memset(out, 0, sizeof *out);
    if (monitor->progress != NULL) {
        monitor->progress(monitor->ctx, out);
    }
    out->phase = monitor->phase;
    out->elapsed_ns = bp_clock_mono_ns() - monitor->began_ns;
}

void
bp_monitor_end(bp_monitor *monitor)
{
    BP_LOCK_GUARD(&monitor->lock);
    if (monitor->phase != NULL && monitor->progress != NULL) {
        take_numbers(monitor, &monitor->last);
    }
    monitor->phase = NULL;
    monitor->progress = NULL;
}

bool
bp_monitor_snapshot(bp_monitor *monitor, bp_progress *out)
{
    memset(out, 0, sizeof *out);
    BP_LOCK_GUARD(&monitor->lock);
    if (monitor->phase == NULL) {
        return false;
    }
    take_numbers(monitor, out);
    return true;
}

bool
bp_monitor_last(bp_monitor *monitor, bp_progress *out)
{
    BP_LOCK_GUARD(&monitor->lock);
    *out = monitor->last;
    return out->phase != NULL;
}

void
bp_monitor_note(bp_monitor *monitor, enum bp_note_level level, const char *code, const char *text)
{
    g_autofree char *clean = bp_log_redact(text);
    if (level == BP_NOTE_WARN) {
        BP_WARN(clean, "code", code);
    } else {
        BP_INFO(clean, "code", code);
    }
    json_t *note = json_object();
    json_object_set_new(note, "level", json_string(level == BP_NOTE_WARN ? "warning" : "info"));
    bp_json_set_text(note, "code", code);
    bp_json_set_text(note, "text", clean);
    BP_LOCK_GUARD(&monitor->lock);
    if (!g_hash_table_add(monitor->said, bp_json_line(note))) { /* of a call that was tried again */
        json_decref(note);
        return;
    }
    json_array_append_new(monitor->notes, note);
    monitor->warnings += level == BP_NOTE_WARN;
}

static void
take_note(void *ctx, enum bp_note_level level, const char *code, const char *text)
{
    bp_monitor_note(ctx, level, code, text);
}

bp_note_fns
bp_monitor_note_fns(bp_monitor *monitor)
{
    return (bp_note_fns){.note = take_note, .ctx = monitor};
}

json_t *
bp_monitor_notes(bp_monitor *monitor)
{
    BP_LOCK_GUARD(&monitor->lock);
    return json_deep_copy(monitor->notes);
}

guint
bp_monitor_warnings(bp_monitor *monitor)
{
    BP_LOCK_GUARD(&monitor->lock);
    return monitor->warnings;
}
