/* SPDX-License-Identifier: Apache-2.0
 *
 * A bounded work queue with a fixed number of worker threads.  Submitting blocks while the queue
 * is full, so memory does not depend on the number of tasks.
 */
#ifndef BP_CORE_COPY_POOL_H
#define BP_CORE_COPY_POOL_H

#include <glib.h>
#include <stdbool.h>

typedef struct bp_pool bp_pool;

typedef struct bp_pool_params {
    guint workers;  /* threads, >= 1 */
    guint capacity; /* tasks waiting at most, >= 1 */
    /** Does one task and frees it.  Runs on a worker; `worker` is its number from 0. */
    void (*run)(void *ctx, void *task, guint worker);
    /** Frees a task that will not be run any more. */
    void (*drop)(void *ctx, void *task);
    void *ctx;
} bp_pool_params;

/**
 * Work of a running task of which idle workers may take pieces.  Kept by who offers it, who has to
 * withdraw it; all but the first two members is the pool's.
 */
typedef struct bp_pool_share {
    /** One piece, on another worker, several at the same time.  false: no more to take. */
    bool (*piece)(void *ctx, guint worker);
    void *ctx;
    struct bp_pool_share *next;
    guint inside;
    bool over;
} bp_pool_share;

/** Returns: (transfer full) */
bp_pool *bp_pool_new(const bp_pool_params *params);
/** Drops what still waits, joins the workers, frees. */
void bp_pool_free(bp_pool *pool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_pool, bp_pool_free)

/** Blocks while full.  false (and the task dropped) after bp_pool_stop. */
bool bp_pool_submit(bp_pool *pool, void *task);
/** Workers that find nothing queued join in, piece by piece, until there is no more to take. */
void bp_pool_offer(bp_pool *pool, bp_pool_share *share);
/** Nobody joins any more; returns when all who did have left. */
void bp_pool_withdraw(bp_pool *pool, bp_pool_share *share);
/** True while so much is queued that no worker will be idle soon. */
bool bp_pool_is_busy(bp_pool *pool);
/** Waits until nothing is queued or running. */
void bp_pool_drain(bp_pool *pool);
/** Drops what waits and refuses what comes; running tasks end by themselves.  Any thread. */
void bp_pool_stop(bp_pool *pool);
/** Most tasks at once from now on, 1 … workers: shrinks on throttling, grows again. */
void bp_pool_limit(bp_pool *pool, guint running);

#endif
