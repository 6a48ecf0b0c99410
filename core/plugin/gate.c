/* SPDX-License-Identifier: Apache-2.0
 *
 * See gate.h.
 */
#include "core/plugin/gate.h"

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/thread.h"

#include "sdk/lib/ban.h"

/* A cancel has no condition variable to signal: whoever waits looks up this often. */
#define LOOK_UP_NS (100 * BP_NS_PER_MS)

void
bp_gate_init(bp_gate *gate, guint limit)
{
    pthread_mutex_init(&gate->lock, NULL);
    bp_cond_init(&gate->left);
    gate->inside = 0;
    gate->limit = limit;
    gate->waiting_alone = 0;
    gate->alone = false;
}

void
bp_gate_clear(bp_gate *gate)
{
    g_assert(gate->inside == 0);
    pthread_cond_destroy(&gate->left);
    pthread_mutex_destroy(&gate->lock);
}

static bool
may_wait(const bp_call *call, gint64 now, GError **error)
{
    if (call == NULL) {
        return true;
    }
    if (!bp_cancel_check(call->cancel, error)) {
        return false;
    }
    if (call->deadline_ns != 0 && now >= call->deadline_ns) {
        bp_set_error(error, BP_ERR_TIMEOUT, "the deadline passed while other calls were running");
        return false;
    }
    return true;
}

bool
bp_gate_enter(bp_gate *gate, const bp_call *call, GError **error)
{
    BP_LOCK_GUARD(&gate->lock);
    while (gate->alone || gate->waiting_alone > 0 ||
           (gate->limit != 0 && gate->inside >= gate->limit)) {
        gint64 now = bp_clock_mono_ns();
        if (!may_wait(call, now, error)) {
            return false;
        }
        (void)bp_cond_wait_until(&gate->left, &gate->lock, now + LOOK_UP_NS); /* judged above */
    }
    gate->inside++;
    return true;
}

void
bp_gate_enter_alone(bp_gate *gate)
{
    BP_LOCK_GUARD(&gate->lock);
    gate->waiting_alone++;
    while (gate->inside > 0) {
        pthread_cond_wait(&gate->left, &gate->lock);
    }
    gate->waiting_alone--;
    gate->inside = 1;
    gate->alone = true;
}

void
bp_gate_leave(bp_gate *gate)
{
    BP_LOCK_GUARD(&gate->lock);
    gate->inside--;
    gate->alone = false;
    pthread_cond_broadcast(&gate->left);
}
