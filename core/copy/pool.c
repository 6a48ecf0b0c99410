/* SPDX-License-Identifier: Apache-2.0
 *
 * A ring of waiting tasks, one lock, and a condition for each kind of waiting.  Tasks are run and
 * dropped outside the lock.
 */
#include "core/copy/pool.h"

#include "core/base/thread.h"

#include "sdk/lib/ban.h"

typedef struct {
    bp_pool *pool;
    guint number;
    pthread_t thread;
} worker;

struct bp_pool {
    bp_pool_params params;
    worker *workers;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t work;  /* something to run, more may run, or the end */
    pthread_cond_t room;  /* a slot became free, or stopped */
    pthread_cond_t idle;  /* nothing is queued or running */
    void **ring;
    guint first, queued;
    guint running, limit;
    bool stopped, quit;
};

/* Called with the lock held. */
static void *
pop(bp_pool *pool)
{
    void *task = pool->ring[pool->first];
    pool->first = (pool->first + 1) % pool->params.capacity;
    pool->queued--;
    return task;
}

/* The next task, counted as running; NULL at the end. */
static void *
take(bp_pool *pool)
{
    BP_LOCK_GUARD(&pool->lock);
    while (!pool->quit && (pool->queued == 0 || pool->running >= pool->limit)) {
        pthread_cond_wait(&pool->work, &pool->lock);
    }
    if (pool->quit) {
        return NULL;
    }
    void *task = pop(pool);
    pool->running++;
    pthread_cond_signal(&pool->room);
    return task;
}

static void
done(bp_pool *pool)
{
    BP_LOCK_GUARD(&pool->lock);
    pool->running--;
    if (pool->queued > 0) {
        pthread_cond_signal(&pool->work);
    } else if (pool->running == 0) {
        pthread_cond_broadcast(&pool->idle);
    }
}

static void *
work(void *ctx)
{
    worker *self = ctx;
    bp_pool *pool = self->pool;
    void *task;
    while ((task = take(pool)) != NULL) {
        pool->params.run(pool->params.ctx, task, self->number);
        done(pool);
    }
    return NULL;
}

bp_pool *
bp_pool_new(const bp_pool_params *params)
{
    g_assert(params->workers > 0 && params->capacity > 0);
    bp_pool *pool = g_new0(bp_pool, 1);
    pool->params = *params;
    pool->ring = g_new0(void *, params->capacity);
    pool->limit = params->workers;
    pthread_mutex_init(&pool->lock, NULL);
    bp_cond_init(&pool->work);
    bp_cond_init(&pool->room);
    bp_cond_init(&pool->idle);
    pool->workers = g_new0(worker, params->workers);
    for (guint i = 0; i < params->workers; i++) {
        pool->workers[i].pool = pool;
        pool->workers[i].number = i;
        bp_thread_start(&pool->workers[i].thread, work, &pool->workers[i]);
    }
    return pool;
}

void
bp_pool_free(bp_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    bp_pool_stop(pool);
    pthread_mutex_lock(&pool->lock);
    pool->quit = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (guint i = 0; i < pool->params.workers; i++) {
        pthread_join(pool->workers[i].thread, NULL);
    }
    pthread_cond_destroy(&pool->idle);
    pthread_cond_destroy(&pool->room);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
    g_free(pool->workers);
    g_free(pool->ring);
    g_free(pool);
}

static bool
push(bp_pool *pool, void *task)
{
    BP_LOCK_GUARD(&pool->lock);
    while (!pool->stopped && pool->queued == pool->params.capacity) {
        pthread_cond_wait(&pool->room, &pool->lock);
    }
    if (pool->stopped) {
        return false;
    }
    pool->ring[(pool->first + pool->queued) % pool->params.capacity] = task;
    pool->queued++;
    pthread_cond_signal(&pool->work);
    return true;
}

bool
bp_pool_submit(bp_pool *pool, void *task)
{
    if (!push(pool, task)) {
        pool->params.drop(pool->params.ctx, task);
        return false;
    }
    return true;
}

void
bp_pool_drain(bp_pool *pool)
{
    BP_LOCK_GUARD(&pool->lock);
    while (pool->queued > 0 || pool->running > 0) {
        pthread_cond_wait(&pool->idle, &pool->lock);
    }
}

/* One waiting task of a stopped pool, or NULL. */
static void *
take_dropped(bp_pool *pool)
{
    BP_LOCK_GUARD(&pool->lock);
    if (!pool->stopped) {
        pool->stopped = true;
        pthread_cond_broadcast(&pool->room);
    }
    if (pool->queued > 0) {
        return pop(pool);
    }
    if (pool->running == 0) {
        pthread_cond_broadcast(&pool->idle);
    }
    return NULL;
}

void
bp_pool_stop(bp_pool *pool)
{
    void *task;
    while ((task = take_dropped(pool)) != NULL) {
        pool->params.drop(pool->params.ctx, task);
    }
}

void
bp_pool_limit(bp_pool *pool, guint running)
{
    BP_LOCK_GUARD(&pool->lock);
    pool->limit = CLAMP(running, 1, pool->params.workers);
    pthread_cond_broadcast(&pool->work);
}
