/* SPDX-License-Identifier: Apache-2.0
 *
 * bp_retry with its clock, sleep and dice exchangeable, for tests and for whoever plans waits of
 * its own by the same rule.
 */
#ifndef BP_CORE_BASE_RETRY_INTERNAL_H
#define BP_CORE_BASE_RETRY_INTERNAL_H

#include "core/base/retry.h"

typedef struct bp_retry_env {
    gint64 (*now_ns)(void *ctx);                                     /* monotonic */
    bool (*sleep_ns)(void *ctx, const bp_cancel *cancel, gint64 ns); /* false = cancelled */
    guint32 (*random)(void *ctx);                                    /* all 32 bits */
    void *ctx;
} bp_retry_env;

/** The real clock, sleep and dice. */
extern const bp_retry_env bp_retry_env_system;

/**
 * Wait after the n-th failure (from 1): a random part of 100 ms * 2^(n-1), which is capped at
 * `max_delay_ns` (0 = 30 s).  Full jitter, so that many workers do not come back together.
 */
gint64 bp_retry_delay_ns(guint failures, gint64 max_delay_ns, guint32 random);

bool bp_retry__with(const bp_retry_env *env, const bp_retry_params *params,
                    bool (*attempt)(void *ctx, GError **error), void *ctx, GError **error);

#endif
