/* SPDX-License-Identifier: Apache-2.0
 *
 * A limit of bytes per second shared by all workers.
 */
#ifndef BP_CORE_COPY_THROTTLE_H
#define BP_CORE_COPY_THROTTLE_H

#include "core/base/retry_internal.h"

typedef struct bp_throttle bp_throttle;

/** NULL for 0 = unlimited.  `env` has the clock.  Returns: (transfer full) (nullable) */
bp_throttle *bp_throttle_new(guint64 bytes_per_s, const bp_retry_env *env);
void bp_throttle_free(bp_throttle *throttle);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_throttle, bp_throttle_free)

/** Wait until `bytes` more may pass; any thread.  NULL never waits.  CANCELLED. */
bool bp_throttle_take(bp_throttle *throttle, const bp_cancel *cancel, guint64 bytes,
                      GError **error);

#endif
