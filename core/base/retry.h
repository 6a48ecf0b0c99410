/* SPDX-License-Identifier: Apache-2.0
 *
 * Trying again: which errors are worth it, how long to wait, when to give up.
 */
#ifndef BP_CORE_BASE_RETRY_H
#define BP_CORE_BASE_RETRY_H

#include <stdbool.h>

#include "core/base/cancel.h"

/**
 * Run `attempt` until it succeeds, its error is not worth a retry, or attempts ran out; the last
 * error tells how often it was tried.  For all calls of a job outside the engine.
 */
typedef struct bp_retry_params {
    const bp_cancel *cancel;
    guint attempts;
    gint64 max_delay_ns;
    gint64 deadline_ns; /* 0 = none; THROTTLED is retried until then, not only `attempts` times */
} bp_retry_params;
bool bp_retry(const bp_retry_params *params, bool (*attempt)(void *ctx, GError **error), void *ctx,
              GError **error);

/** How often something was tried again in this process after an error of that class.  Any thread.
 */
guint64 bp_retry_count(int cls);

#endif
