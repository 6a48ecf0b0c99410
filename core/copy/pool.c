/* SPDX-License-Identifier: Apache-2.0
 *
 * A ring of waiting tasks, a list of shares, one lock, and a condition for each kind of waiting.
 * Tasks and pieces are run, and tasks dropped, outside the lock.
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
    pthread_mutex_t lock;  /* guards all below */
    pthread_cond_t work;   /* something to run, more may run, or the end */
    pthread_cond_t room;   /* a slot became free, or stopped */
    pthread_cond_t idle;   /* nothing is queued or running */
    pthread_cond_t left;   /* a worker left a share */
    bp_pool_share *shares; /* offered, with something to take */
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

/* What a worker does next: a task of its own, or a piece of another's. */
typedef struct {
    void *task;
    bp_pool_share *share;
} job;

/* Called with the lock held. */
static bool
has_work(const bp_pool *pool)
{
    return pool->queued > 0 || (pool->shares != NULL && !pool->stopped);
}

/* Counted as running; false at the end. */
static bool
take(bp_pool *pool, job *next)
{
    BP_LOCK_GUARD(&pool->lock);
    while (!pool->quit && (!has_work(pool) || pool->running >= pool->limit)) {
        pthread_cond_wait(&pool->work, &pool->lock);
    }
    if (pool->quit) {
        return false;
    }
    *next = (job){NULL, NULL};
    if (pool->queued > 0) {
        next->task = pop(pool);
        pthread_cond_signal(&pool->room);
    } else {
        next->share = pool->shares;
        next->share->inside++;
    }
    pool->running++;
    return true;
}

/* Called with the lock held. */
static void
unlist(bp_pool *pool, bp_pool_share *share)
{
    bp_pool_share **at = &pool->shares;
    while (*at != NULL && *at != share) {
        at = &(*at)->next;
    }
    if (*at != NULL) {
        *at = share->next;
    }
    share->over = true;
}

static void
done(bp_pool *pool, const job *last, bool more)
{
    BP_LOCK_GUARD(&pool->lock);
    pool->running--;
    if (last->share != NULL) {
        if (!more && !last->share->over) {
            unlist(pool, last->share);
        }
        last->share->inside--;
        pthread_cond_broadcast(&pool->left);
    }
    if (has_work(pool)) {
        pthread_cond_signal(&pool->work);
    }
    if (pool->queued == 0 && pool->running == 0) {
        pthread_cond_broadcast(&pool->idle);
    }
}

static void *
work(void *ctx)
{
    worker *self = ctx;
    bp_pool *pool = self->pool;
    job next;
    while (take(pool, &next)) {
        bool more = false;
        if (next.share != NULL) {
            more = next.share->piece(next.share->ctx, self->number);
        } else {
            pool->params.run(pool->params.ctx, next.task, self->number);
        }
        done(pool, &next, more);
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
    bp_cond_init(&pool->left);
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
    pthread_cond_destroy(&pool->left);
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
bp_pool_offer(bp_pool *pool, bp_pool_share *share)
{
    BP_LOCK_GUARD(&pool->lock);
    bp_pool_share **end = &pool->shares;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    share->next = NULL;
    share->inside = 0;
    share->over = false;
    *end = share;
    pthread_cond_broadcast(&pool->work);
}

void
bp_pool_withdraw(bp_pool *pool, bp_pool_share *share)
{
    BP_LOCK_GUARD(&pool->lock);
    unlist(pool, share);
    while (share->inside > 0) {
        pthread_cond_wait(&pool->left, &pool->lock);
    }
}

bool
bp_pool_is_busy(bp_pool *pool)
{
    BP_LOCK_GUARD(&pool->lock);
    return pool->queued >= MIN(pool->limit, pool->params.capacity);
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
