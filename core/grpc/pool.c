/* SPDX-License-Identifier: Apache-2.0
 *
 * See pool.h.
 */
#include "core/grpc/pool.h"

#include "core/base/log.h"
#include "core/base/thread.h"

#include "sdk/lib/ban.h"

#define BP_LOG_MODULE "grpc"

typedef struct {
    void (*run)(void *ctx);
    void *ctx;
} work;

struct bp_grpc_pool {
    guint max_threads, max_queued;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t wake;
    GQueue queue; /* work* */
    guint n_idle;
    GArray *threads;          /* pthread_t */
    bool is_ending, is_short; /* of threads: it is told once, not for each call */
};

bp_grpc_pool *
bp_grpc_pool_new(guint max_threads, guint max_queued)
{
    bp_grpc_pool *pool = g_new0(bp_grpc_pool, 1);
    pool->max_threads = max_threads;
    pool->max_queued = max_queued;
    pthread_mutex_init(&pool->lock, NULL);
    bp_cond_init(&pool->wake);
    g_queue_init(&pool->queue);
    pool->threads = g_array_new(FALSE, FALSE, sizeof(pthread_t));
    return pool;
}

/* Returns: (transfer full) (nullable) NULL at the end */
static work *
next(bp_grpc_pool *pool)
{
    BP_LOCK_GUARD(&pool->lock);
    pool->n_idle++;
    while (g_queue_is_empty(&pool->queue) && !pool->is_ending) {
        pthread_cond_wait(&pool->wake, &pool->lock);
    }
    pool->n_idle--;
    return g_queue_pop_head(&pool->queue);
}

static void *
serve(void *ctx)
{
    bp_grpc_pool *pool = ctx;
    for (work *item = next(pool); item != NULL; item = next(pool)) {
        item->run(item->ctx);
        g_free(item);
    }
    return NULL;
}

/* Under the lock.  Returns: there is one more, which takes what is queued next */
static bool
add_thread(bp_grpc_pool *pool)
{
    if (pool->threads->len >= pool->max_threads) {
        return false;
    }
    pthread_t thread;
    g_autoptr(GError) error = NULL;
    bool is_there = bp_thread_try_start(&thread, serve, pool, &error);
    if (is_there) {
        g_array_append_val(pool->threads, thread);
    } else if (!pool->is_short) {
        BP_WARN("calls of gRPC wait or are refused", "why", error->message);
    }
    pool->is_short = !is_there;
    return is_there;
}

bool
bp_grpc_pool_push(bp_grpc_pool *pool, void (*run)(void *ctx), void *ctx)
{
    BP_LOCK_GUARD(&pool->lock);
    guint n_waiting = g_queue_get_length(&pool->queue);
    if (pool->is_ending) {
        return false;
    }
    bool is_taken = n_waiting < pool->n_idle || add_thread(pool);
    bool can_wait = pool->threads->len > 0 && n_waiting < pool->n_idle + pool->max_queued;
    if (!is_taken && !can_wait) {
        return false;
    }
    work item = {.run = run, .ctx = ctx};
    g_queue_push_tail(&pool->queue, g_memdup2(&item, sizeof item));
    pthread_cond_signal(&pool->wake);
    return true;
}

void
bp_grpc_pool_free(bp_grpc_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->is_ending = true;
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
    for (guint i = 0; i < pool->threads->len; i++) {
        pthread_join(g_array_index(pool->threads, pthread_t, i), NULL);
    }
    g_array_unref(pool->threads);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->lock);
    g_free(pool);
}
