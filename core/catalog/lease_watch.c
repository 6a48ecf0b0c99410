/* SPDX-License-Identifier: Apache-2.0
 *
 * See lease_internal.h: is a lease whose holder cannot be looked for still renewed?  Measured by
 * our own monotonic clock alone: what the holder's clock says is not asked.
 */
#include <string.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/catalog/lease_internal.h"

#include "sdk/lib/ban.h"

#define BP_LOG_MODULE "lease"

#define MISSED_RENEWALS 3 /* a holder gives up after two (lease.c) */
#define RENEW_MAX_NS (300 * BP_NS_PER_S)

/* The holder's own period, within reason. */
static gint64
renewal_period(const bp_lease_params *params, const bp_lease_found *found)
{
    gint64 period = found->record->readable ? found->record->renew_ns : 0;
    return CLAMP(period, params->renew_ns, RENEW_MAX_NS);
}

bool
bp_lease__watch(const bp_lease_params *params, const bp_lease_found *first,
                bp_lease_verdict *verdict, GError **error)
{
    const bp_cancel *cancel = params->catalog->call->cancel;
    gint64 period = renewal_period(params, first);
    gint64 until = bp_clock_mono_ns() + MISSED_RENEWALS * period;
    g_autofree char *holder = bp_lease_record_describe(first->record);
    g_autofree char *wait = bp_text_duration(MISSED_RENEWALS * period);
    BP_WARN("watching whether a lease is still renewed", "key", params->key, "holder", holder,
            "for", wait);
    gint64 looked_ns = 0;
    do { /* the last look comes after all the time: who was stopped meanwhile has seen nothing */
        if (!bp_cancel_sleep_ns(cancel, period / 3)) {
            return bp_cancel_check(cancel, error);
        }
        g_auto(bp_lease_found) now = {0};
        looked_ns = bp_clock_mono_ns();
        if (!bp_lease__get(params->catalog, params->key, &now, error)) {
            return false;
        }
        if (now.text == NULL) {
            *verdict = BP_LEASE_WATCH_GONE;
            return true;
        }
        if (strcmp(now.text, first->text) != 0 || strcmp(now.etag, first->etag) != 0) {
            *verdict = BP_LEASE_WATCH_ALIVE;
            return true;
        }
    } while (looked_ns < until);
    *verdict = BP_LEASE_WATCH_STALE;
    return true;
}
