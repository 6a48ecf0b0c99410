/* SPDX-License-Identifier: Apache-2.0
 *
 * See retry.h.  Two budgets: failures count against `attempts`; being throttled is no failure of
 * ours and is bounded by the deadline, or by a larger number where there is none.
 */
#include "core/base/retry.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/retry_internal.h"

#include "sdk/lib/ban.h"

#define FIRST_DELAY_NS (100 * BP_NS_PER_MS)
#define DEFAULT_MAX_DELAY_NS (30 * BP_NS_PER_S)
#define THROTTLED_FACTOR 4

/** How it went so far. */
typedef struct {
    guint failures, throttled;
} history;

/* By class. */
static atomic_ullong tried_again[BP_ERR_CLASS_END];

guint64
bp_retry_count(int cls)
{
    return cls > BP_OK && cls < BP_ERR_CLASS_END ? atomic_load(&tried_again[cls]) : 0;
}

static gint64
system_now(void *ctx G_GNUC_UNUSED)
{
    return bp_clock_mono_ns();
}

static bool
system_sleep(void *ctx G_GNUC_UNUSED, const bp_cancel *cancel, gint64 ns)
{
    return bp_cancel_sleep_ns(cancel, ns);
}

static guint32
system_random(void *ctx G_GNUC_UNUSED)
{
    guint32 out = 0;
    if (getrandom(&out, sizeof out, GRND_NONBLOCK) != sizeof out) {
        out = (guint32)bp_clock_mono_ns(); /* jitter only has to differ between callers */
    }
    return out;
}

const bp_retry_env bp_retry_env_system = {
    .now_ns = system_now,
    .sleep_ns = system_sleep,
    .random = system_random,
};

gint64
bp_retry_delay_ns(guint failures, gint64 max_delay_ns, guint32 random)
{
    gint64 cap = max_delay_ns > 0 ? max_delay_ns : DEFAULT_MAX_DELAY_NS;
    guint doublings = MIN(failures > 0 ? failures - 1 : 0, 20);
    gint64 ceiling = MIN(FIRST_DELAY_NS << doublings, cap);
    return (gint64)((double)ceiling * ((double)random / (double)G_MAXUINT32));
}

/* Counts the failure; false when it is not worth another attempt. */
static bool
count(history *past, const bp_retry_params *params, const GError *error)
{
    switch (bp_error_class(error)) {
    case BP_ERR_THROTTLED:
        past->throttled++;
        return params->deadline_ns != 0 || past->throttled < params->attempts * THROTTLED_FACTOR;
    case BP_ERR_RETRYABLE:
    case BP_ERR_TIMEOUT:
        past->failures++;
        return past->failures < params->attempts;
    default:
        past->failures++;
        return false;
    }
}

static gint64
delay_after(const bp_retry_env *env, const bp_retry_params *params, const history *past,
            const GError *error)
{
    gint64 own = bp_retry_delay_ns(past->failures + past->throttled, params->max_delay_ns,
                                   env->random(env->ctx));
    guint64 wish_ms = MIN(bp_error_retry_after_ms(error), (guint64)(G_MAXINT64 / BP_NS_PER_MS / 2));
    return MAX(own, (gint64)wish_ms * BP_NS_PER_MS);
}

/* " (tried 3 times)" at the end of the first line: a hint keeps its own. */
static void
tell_tries(GError *error, guint tries)
{
    if (tries < 2) {
        return;
    }
    g_autofree char *old = g_steal_pointer(&error->message);
    const char *hint = strstr(old, "\nhint: ");
    int length = hint != NULL ? (int)(hint - old) : (int)strlen(old);
    error->message =
        g_strdup_printf("%.*s (tried %u times)%s", length, old, tries, hint != NULL ? hint : "");
}

static void
give_up(GError **error, GError *take_last, const history *past)
{
    tell_tries(take_last, past->failures + past->throttled);
    g_propagate_error(error, take_last);
}

bool
bp_retry__with(const bp_retry_env *env, const bp_retry_params *params,
               bool (*attempt)(void *ctx, GError **error), void *ctx, GError **error)
{
    history past = {0};
    while (bp_cancel_check(params->cancel, error)) {
        GError *last = NULL;
        if (attempt(ctx, &last)) {
            return true;
        }
        g_assert(last != NULL);
        bool again = count(&past, params, last);
        gint64 delay = again ? delay_after(env, params, &past, last) : 0;
        bool in_time =
            params->deadline_ns == 0 || env->now_ns(env->ctx) + delay < params->deadline_ns;
        if (!again || !in_time) {
            give_up(error, last, &past);
            return false;
        }
        if (!env->sleep_ns(env->ctx, params->cancel, delay)) {
            tell_tries(last, past.failures + past.throttled);
            bp_set_error(error, BP_ERR_CANCELLED, "cancelled while waiting to try again: %s",
                         last->message);
            g_error_free(last);
            return false;
        }
        atomic_fetch_add(&tried_again[bp_error_class(last)], 1);
        g_error_free(last);
    }
    return false;
}

bool
bp_retry(const bp_retry_params *params, bool (*attempt)(void *ctx, GError **error), void *ctx,
         GError **error)
{
    return bp_retry__with(&bp_retry_env_system, params, attempt, ctx, error);
}
