/* SPDX-License-Identifier: Apache-2.0
 *
 * A token bucket kept as a point in time: the moment at which all bytes granted so far have had
 * their share of the rate.  Who comes earlier waits until then; an idle bucket saves up at most
 * BURST_NS worth.
 */
#include "core/copy/throttle.h"

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/thread.h"

#include "sdk/lib/ban.h"

#define BURST_NS (100 * BP_NS_PER_MS)

struct bp_throttle {
    const bp_retry_env *env;
    pthread_mutex_t lock; /* guards paid_until_ns */
    gint64 paid_until_ns;
    double ns_per_byte;
};

bp_throttle *
bp_throttle_new(guint64 bytes_per_s, const bp_retry_env *env)
{
    if (bytes_per_s == 0) {
        return NULL;
    }
    bp_throttle *throttle = g_new0(bp_throttle, 1);
    pthread_mutex_init(&throttle->lock, NULL);
    throttle->ns_per_byte = (double)BP_NS_PER_S / (double)bytes_per_s;
    throttle->env = env;
    throttle->paid_until_ns = env->now_ns(env->ctx);
    return throttle;
}

void
bp_throttle_free(bp_throttle *throttle)
{
    if (throttle != NULL) {
        pthread_mutex_destroy(&throttle->lock);
        g_free(throttle);
    }
}

static gint64
reserve(bp_throttle *throttle, guint64 bytes, gint64 now_ns)
{
    BP_LOCK_GUARD(&throttle->lock);
    gint64 from_ns = MAX(throttle->paid_until_ns, now_ns - BURST_NS);
    throttle->paid_until_ns = from_ns + (gint64)((double)bytes * throttle->ns_per_byte);
    return from_ns;
}

bool
bp_throttle_take(bp_throttle *throttle, const bp_cancel *cancel, guint64 bytes, GError **error)
{
    if (throttle == NULL) {
        return true;
    }
    const bp_retry_env *env = throttle->env;
    gint64 now_ns = env->now_ns(env->ctx);
    gint64 wait_ns = reserve(throttle, bytes, now_ns) - now_ns;
    if (wait_ns > 0 && !env->sleep_ns(env->ctx, cancel, wait_ns)) {
        bp_set_error(error, BP_ERR_CANCELLED, "cancelled");
        return false;
    }
    return true;
}
