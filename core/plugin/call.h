/* SPDX-License-Identifier: Apache-2.0
 *
 * What goes along with a call into a plugin: cancellation, deadline, who speaks in the log, and
 * which storages a source may reach.  A small value on the caller's stack; copied, never freed.
 */
#ifndef BP_CORE_PLUGIN_CALL_H
#define BP_CORE_PLUGIN_CALL_H

#include "core/base/cancel.h"

typedef struct bp_refs bp_refs;

typedef struct bp_call {
    const bp_cancel *cancel; /* NULL = cannot be cancelled */
    gint64 deadline_ns;      /* CLOCK_MONOTONIC, 0 = none */
    const bp_refs *refs;     /* storages by reference, for calls to a source; NULL = none */
    /* Work that the plugin counts itself; NULL = nobody listens.  Any thread. */
    void (*progress)(void *ctx, guint64 done, guint64 total);
    void *progress_ctx;
} bp_call;

/**
 * The same call for undoing: not cancelled, 30 s from now.  After a signal all of them together
 * have what bp_cancel_set_grace says, also those that are on their way.
 */
bp_call bp_call_undo(const bp_call *call);

#endif
