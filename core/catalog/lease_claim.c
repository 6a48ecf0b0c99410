/* SPDX-License-Identifier: Apache-2.0
 *
 * See lease_internal.h: agreeing on one winner where a storage cannot create exclusively.
 *
 * Everybody writes a claim of his own beside the lease, waits until the claims of the others are
 * visible, and looks: the lowest run id wins and writes the lease.  All others see the lease when
 * they look again.  A claim lives for a moment only; one that stays was left by a killed process.
 */
#include <string.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/catalog/catalog_internal.h"
#include "core/catalog/lease_internal.h"

#include "sdk/lib/ban.h"

#define BP_LOG_MODULE "lease"

#define CLAIM_ROUNDS 4 /* a lower claim that outlives so many is abandoned */
#define SETTLE_PART 6  /* of the renewal period: 5 s of 30 */

gint64
bp_lease__settle_ns(const bp_lease_params *params)
{
    return params->renew_ns / SETTLE_PART;
}

/* "…/lease.json" -> "…/lease-" */
static char *
claim_stem(const bp_lease_params *params)
{
    const char *dot = strrchr(params->key, '.');
    gsize n = dot != NULL ? (gsize)(dot - params->key) : strlen(params->key);
    return g_strdup_printf("%.*s-", (int)n, params->key);
}

static char *
claim_key(const bp_lease_params *params)
{
    g_autofree char *stem = claim_stem(params);
    return g_strconcat(stem, params->run_id, ".json", NULL);
}

void
bp_lease__drop_claim(const bp_lease_params *params)
{
    bp_call undo = bp_call_undo(params->catalog->call);
    bp_catalog catalog = *params->catalog;
    catalog.call = &undo;
    g_autofree char *key = claim_key(params);
    g_autoptr(GError) failed = NULL;
    if (!bp_catalog__remove(&catalog, key, &failed)) {
        BP_WARN("a claim stays behind", "key", key, "error", failed->message);
    }
}

/* Claims lower than ours; those of the dead, and at last those of nobody we know, go away. */
static bool
count_lower(const bp_lease_params *params, bool abandoned, guint *lower, GError **error)
{
    g_autofree char *stem = claim_stem(params);
    g_autofree char *ours = claim_key(params);
    g_autoptr(GPtrArray) claims = bp_catalog__names(params->catalog, stem, '\0', error);
    if (claims == NULL) {
        return false;
    }
    *lower = 0;
    for (guint i = 0; i < claims->len; i++) {
        const char *claim = g_ptr_array_index(claims, i);
        if (strcmp(claim, ours) >= 0) {
            break; /* sorted */
        }
        g_auto(bp_lease_found) found = {0};
        if (!bp_lease__get(params->catalog, claim, &found, error)) {
            return false;
        }
        if (found.text == NULL) {
            continue;
        }
        bp_lease_state state = bp_lease_record_judge(found.record);
        bool dead = state == BP_LEASE_DEAD || (abandoned && state == BP_LEASE_UNKNOWN);
        if (dead && !bp_catalog__remove(params->catalog, claim, error)) {
            return false;
        }
        *lower += dead ? 0 : 1;
    }
    return true;
}

static bool
lease_is_free(const bp_lease_params *params, GError **error)
{
    g_auto(bp_lease_found) found = {0};
    if (!bp_lease__get(params->catalog, params->key, &found, error)) {
        return false;
    }
    if (found.text == NULL || bp_lease_found_is(&found, params->run_id)) {
        return true;
    }
    bp_lease__set_held(params, &found, BP_LEASE_LIVE, error);
    return false;
}

static bool
win(const bp_lease_params *params, GError **error)
{
    const bp_cancel *cancel = params->catalog->call->cancel;
    for (guint round = 1; round <= CLAIM_ROUNDS; round++) {
        guint lower = 0;
        if (!bp_cancel_sleep_ns(cancel, bp_lease__settle_ns(params))) {
            return bp_cancel_check(cancel, error);
        }
        if (!count_lower(params, round == CLAIM_ROUNDS, &lower, error) ||
            !lease_is_free(params, error)) {
            return false;
        }
        if (lower == 0) {
            return true;
        }
    }
    bp_set_error(error, BP_ERR_EXISTS, "%s is about to be taken by another run", params->key);
    return false;
}

static bool
try_claim(void *ctx, GError **error)
{
    return bp_lease__write(ctx, NULL, error);
}

bool
bp_lease__claim(const bp_lease_params *params, const bp_lease_record *record, GError **error)
{
    g_autofree char *key = claim_key(params);
    bp_lease_write claim = {.store = params->catalog->store,
                            .call = params->catalog->call,
                            .key = key,
                            .record = record};
    if (bp_catalog__retry(params->catalog, try_claim, &claim, error) && win(params, error)) {
        return true;
    }
    bp_lease__drop_claim(params);
    return false;
}
