/* SPDX-License-Identifier: Apache-2.0
 *
 * Workers that do what may take its time.  As many threads as are needed at the same time, up to a
 * limit; they stay until the end.  Any thread.
 */
#ifndef BP_CORE_GRPC_POOL_H
#define BP_CORE_GRPC_POOL_H

#include <glib.h>
#include <stdbool.h>

typedef struct bp_grpc_pool bp_grpc_pool;

/** @max_queued: what may wait for a thread, besides what runs.  Returns: (transfer full) */
bp_grpc_pool *bp_grpc_pool_new(guint max_threads, guint max_queued);
/** Nothing is queued any more, or to be queued. */
void bp_grpc_pool_free(bp_grpc_pool *pool);

/** False when there is no room: no thread, if the system refuses even the first one. */
bool bp_grpc_pool_push(bp_grpc_pool *pool, void (*run)(void *ctx), void *ctx);

#endif
