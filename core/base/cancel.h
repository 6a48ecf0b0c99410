/* SPDX-License-Identifier: Apache-2.0
 *
 * Cancellation: a flag that any thread asks cheaply and a descriptor that poll() can wait for.
 */
#ifndef BP_CORE_BASE_CANCEL_H
#define BP_CORE_BASE_CANCEL_H

#include <glib.h>
#include <stdbool.h>

typedef struct bp_cancel bp_cancel;

/** Returns: (transfer full) */
bp_cancel *bp_cancel_new(void);
/**
 * One that is also set when `parent` is, which must outlive it: lets a job stop its own threads
 * without claiming that the user did.  Returns: (transfer full)
 */
bp_cancel *bp_cancel_new_child(const bp_cancel *parent);
void bp_cancel_free(bp_cancel *cancel);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_cancel, bp_cancel_free)

/**
 * Ask everything to stop.  Idempotent, async-signal-safe.
 * @signal: the number of the signal that asked, or 0.
 */
void bp_cancel_trigger(bp_cancel *cancel, int signal);

/** NULL is never cancelled. */
bool bp_cancel_is_set(const bp_cancel *cancel);

/** The signal given to the first trigger, or 0. */
int bp_cancel_signal(const bp_cancel *cancel);

/** Readable once cancelled; -1 for NULL. */
int bp_cancel_fd(const bp_cancel *cancel);

/**
 * What undoes is not stopped with all the rest, but does not go on for ever either: it watches a
 * cancel of its own, which is set `ns` after the first signal.  Before any thread or signal.
 */
void bp_cancel_set_grace(bp_cancel *cancel, gint64 ns);

/**
 * The one for undoing, of `cancel` or of its nearest ancestor that has one; itself, given one of
 * these; else NULL.  Lives as long as the cancel it was set for.
 */
const bp_cancel *bp_cancel_grace(const bp_cancel *cancel);

/** Sleep; false when cancelled before or meanwhile.  NULL sleeps through. */
bool bp_cancel_sleep_ns(const bp_cancel *cancel, gint64 ns);

/** Raise CANCELLED if set.  Returns: not cancelled. */
bool bp_cancel_check(const bp_cancel *cancel, GError **error);

#endif
