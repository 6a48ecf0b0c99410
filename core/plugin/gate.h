/* SPDX-License-Identifier: Apache-2.0
 *
 * How many calls are inside a plugin at the same time.  A gate counts; it holds no mutex while
 * somebody is inside.  Each module has one gate per kind, so that a source which calls its own
 * .so's storage through the host cannot wait for itself; each instance has one of its own.
 *
 * Lock order: core/base/README.md.
 */
#ifndef BP_CORE_PLUGIN_GATE_H
#define BP_CORE_PLUGIN_GATE_H

#include <pthread.h>

#include "core/plugin/call.h"

typedef struct bp_gate {
    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t left;
    guint inside, limit; /* limit 0 = any number */
    guint waiting_alone; /* they come before who wants to enter: else a busy plugin is never left */
    bool alone;          /* who is inside wants no company */
} bp_gate;

void bp_gate_init(bp_gate *gate, guint limit);
/** Nobody is inside. */
void bp_gate_clear(bp_gate *gate);

/** Wait for a place.  CANCELLED, TIMEOUT (the call's own deadline).  NULL call waits for ever. */
bool bp_gate_enter(bp_gate *gate, const bp_call *call, GError **error);
/** Wait until nobody is inside, and keep others out; for open and close. */
void bp_gate_enter_alone(bp_gate *gate);
/** For both. */
void bp_gate_leave(bp_gate *gate);

#endif
