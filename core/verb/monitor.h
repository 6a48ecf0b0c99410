/* SPDX-License-Identifier: Apache-2.0
 *
 * What a running verb lets others see: phase and progress as a snapshot, notes as they come.  The
 * CLI asks from its own thread; a verb without a monitor costs nothing.
 */
#ifndef BP_CORE_VERB_MONITOR_H
#define BP_CORE_VERB_MONITOR_H

#include <jansson.h>
#include <stdbool.h>

#include "core/copy/progress.h"
#include "core/plugin/source.h"

typedef struct bp_monitor bp_monitor;

/** Returns: (transfer full) */
bp_monitor *bp_monitor_new(void);
void bp_monitor_free(bp_monitor *monitor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_monitor, bp_monitor_free)

/** Fills numbers of the current phase; called by bp_monitor_snapshot under no lock of the verb. */
typedef void (*bp_progress_fn)(void *ctx, bp_progress *out);

/** A phase begins; `progress` may be NULL (no numbers).  `phase` is static text. */
void bp_monitor_begin(bp_monitor *monitor, const char *phase, bp_progress_fn progress, void *ctx);
/** The phase is over: `progress` is called a last time, and after this not any more. */
void bp_monitor_end(bp_monitor *monitor);

/** Numbers now; false when no phase is running.  Any thread. */
bool bp_monitor_snapshot(bp_monitor *monitor, bp_progress *out);
/** Numbers with which the last phase ended that had some; false when none has.  Any thread. */
bool bp_monitor_last(bp_monitor *monitor, bp_progress *out);

/** Something people should know; logged at once and kept for the result.  Any thread. */
void bp_monitor_note(bp_monitor *monitor, enum bp_note_level level, const char *code,
                     const char *text);
/** The same, for what a source tells; borrows the monitor. */
bp_note_fns bp_monitor_note_fns(bp_monitor *monitor);
/** All notes as a JSON array of {level, code, text}.  Returns: (transfer full) */
json_t *bp_monitor_notes(bp_monitor *monitor);
/** Number of WARN notes. */
guint bp_monitor_warnings(bp_monitor *monitor);

#endif
