/* SPDX-License-Identifier: Apache-2.0
 *
 * The copy engine: a pool of workers, each with a buffer, that hand what they copied to the
 * committer.  The first error stops everything and is what all callers get from then on.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/thread.h"
#include "core/copy/committer.h"
#include "core/copy/copy.h"
#include "core/copy/pool.h"

#include "sdk/lib/ban.h"

#define BP_LOG_MODULE "copy"

#define QUEUE_ITEMS 512
#define DEFAULT_BUFFER_BYTES (1024 * 1024)
#define BUFFER_ALIGN 4096
#define DEFAULT_BATCH_ITEMS 1000
#define DEFAULT_BATCH_NS (10 * BP_NS_PER_S)
#define DEFAULT_MIN_BATCH_NS BP_NS_PER_S

/* Fewer at most once in this time: workers that are refused together count as one refusal. */
#define SHRINK_PAUSE_NS BP_NS_PER_S
/* So many rounds of all running workers without a refusal, then one more worker runs. */
#define GROW_ROUNDS 4

struct bp_copy_group {
    atomic_uint refs;    /* its owner and each task on its way: an owner may give up earlier */
    guint64 open, stale; /* guarded by the engine's lock */
};

struct bp_copy {
    bp_transfer_env env;
    bp_counters counters;
    bp_cancel *stop; /* set with the job's, on the first error, and at the end */
    guint workers;
    guint8 *buffers; /* one after the other */
    bp_pool *pool;
    bp_committer *committer;
    pthread_mutex_t lock; /* guards all below, and all groups */
    pthread_cond_t moved; /* an item ended, or the engine */
    guint64 open;         /* items submitted and not yet copied or stale */
    GError *error;        /* the first one */
    bool blamed;          /* … and an item's: that of the tag */
    guint32 blamed_tag;
    const bp_store *last_src; /* the last one seen by adapt_workers */
    guint most, limit;        /* workers that may run: at all, just now */
    guint good;               /* items since the limit changed */
    gint64 shrunk_ns;
};

/* @item: whose copy failed, or NULL. */
static void
fail_at(bp_copy *copy, const bp_copy_item *item, const GError *error)
{
    pthread_mutex_lock(&copy->lock);
    bool first = copy->error == NULL;
    if (first) {
        copy->error = g_error_copy(error);
        copy->blamed = item != NULL;
        copy->blamed_tag = item != NULL ? item->tag : 0;
    }
    pthread_cond_broadcast(&copy->moved);
    pthread_mutex_unlock(&copy->lock);
    if (first) {
        bp_cancel_trigger(copy->stop, 0);
        bp_pool_stop(copy->pool);
        bp_committer_stop(copy->committer);
    }
}

static void
fail(void *ctx, const GError *error)
{
    fail_at(ctx, NULL, error);
}

/* Lock held. */
static bool
check_error(const bp_copy *copy, GError **error)
{
    if (copy->error == NULL) {
        return true;
    }
    g_propagate_error(error, g_error_copy(copy->error));
    return false;
}

static void
set_limit(bp_copy *copy, guint limit)
{
    copy->limit = limit;
    copy->good = 0;
    bp_pool_limit(copy->pool, limit);
}

static void
on_throttled(void *ctx)
{
    bp_copy *copy = ctx;
    gint64 now_ns = bp_clock_mono_ns();
    guint limit;
    {
        BP_LOCK_GUARD(&copy->lock);
        copy->good = 0;
        if (copy->limit == 1 || now_ns - copy->shrunk_ns < SHRINK_PAUSE_NS) {
            return;
        }
        copy->shrunk_ns = now_ns;
        limit = copy->limit / 2;
        set_limit(copy, limit);
    }
    g_autofree char *text = g_strdup_printf("%u", limit);
    BP_INFO("throttled by a storage, fewer items at a time", "workers", text);
}

/* An item ended well or stale. */
static void
count_end(bp_copy *copy, bp_copy_group *group, bool stale)
{
    BP_LOCK_GUARD(&copy->lock);
    copy->open--;
    group->open--;
    group->stale += stale ? 1 : 0;
    if (!stale && copy->limit < copy->most && ++copy->good >= GROW_ROUNDS * copy->limit) {
        set_limit(copy, copy->limit + 1);
    }
    if (copy->open == 0 || group->open == 0) {
        pthread_cond_broadcast(&copy->moved);
    }
}

static void
unref_group(bp_copy_group *group)
{
    if (atomic_fetch_sub(&group->refs, 1) == 1) {
        g_free(group);
    }
}

/* What an earlier run proved may have been lost since; then it is copied like any other. */
static bool
is_still_there(bp_copy *copy, const bp_copy_item *item)
{
    struct bp_object_meta meta = {.struct_size = sizeof meta};
    const bp_copy_params *params = &copy->env.params;
    return bp_store_stat(params->dst, &copy->env.call, item->dst_key, &meta, NULL) &&
           meta.size == item->size;
}

static bool
do_item(bp_copy *copy, bp_copy_task *task, guint worker, GError **error)
{
    bp_copy_item *item = &task->item;
    if (item->already && !item->seen && !is_still_there(copy, item)) {
        bp_counters_expect(&copy->counters, item->size);
        item->already = false;
    }
    if (item->already) {
        task->result = (bp_transfer_result){.size = item->size, .checksum = item->checksum};
        bp_counters_skip(&copy->counters, item->size);
        return true;
    }
    guint8 *buffer = copy->buffers + worker * copy->env.params.buffer_bytes;
    if (!bp_transfer_run(&copy->env, item, buffer, &task->result, error)) {
        return false;
    }
    bp_counters_finish(&copy->counters, item->size, task->result.size);
    return true;
}

static void
run_task(void *ctx, void *data, guint worker)
{
    bp_copy *copy = ctx;
    bp_copy_task *task = data;
    bp_copy_group *group = task->group;
    g_autoptr(GError) failed = NULL;
    if (do_item(copy, task, worker, &failed)) {
        bp_committer_push(copy->committer, task);
        count_end(copy, group, false);
    } else if (bp_error_is(failed, BP_ERR_STALE)) {
        BP_DEBUG("source item is gone", "key", task->item.src_key, "reason", failed->message);
        bp_counters_forget(&copy->counters, task->item.size);
        bp_copy_task_free(task);
        count_end(copy, group, true);
    } else {
        fail_at(copy, &task->item, failed);
        bp_copy_task_free(task);
    }
    unref_group(group);
}

static void
drop_task(void *ctx G_GNUC_UNUSED, void *data)
{
    bp_copy_task *task = data;
    unref_group(task->group);
    bp_copy_task_free(task);
}

static void
set_defaults(bp_copy_params *params)
{
    if (params->buffer_bytes == 0) {
        params->buffer_bytes = DEFAULT_BUFFER_BYTES;
    }
    gsize rest = params->buffer_bytes % BUFFER_ALIGN;
    params->buffer_bytes += rest > 0 ? BUFFER_ALIGN - rest : 0;
    params->attempts = MAX(params->attempts, 1);
    if (params->batch_items == 0) {
        params->batch_items = DEFAULT_BATCH_ITEMS;
    }
    if (params->batch_ns == 0) {
        params->batch_ns = DEFAULT_BATCH_NS;
    }
    if (params->min_batch_ns == 0) {
        params->min_batch_ns = DEFAULT_MIN_BATCH_NS;
    }
}

static void
start_threads(bp_copy *copy)
{
    copy->pool = bp_pool_new(&(bp_pool_params){.workers = copy->workers,
                                               .capacity = QUEUE_ITEMS,
                                               .run = run_task,
                                               .drop = drop_task,
                                               .ctx = copy});
    copy->env.pool = copy->workers > 1 ? copy->pool : NULL;
    copy->env.buffers = copy->buffers;
    copy->committer = bp_committer_new(&(bp_committer_params){
        .env = &copy->env, .workers = copy->workers, .failed = fail, .ctx = copy});
}

bp_copy *
bp_copy_new(const bp_copy_params *params)
{
    bp_copy *copy = g_new0(bp_copy, 1);
    pthread_mutex_init(&copy->lock, NULL);
    bp_cond_init(&copy->moved);
    bp_counters_init(&copy->counters);
    copy->stop = bp_cancel_new_child(params->call->cancel);
    copy->env.params = *params;
    set_defaults(&copy->env.params);
    copy->env.call = *params->call;
    copy->env.call.cancel = copy->stop;
    copy->env.throttle = bp_throttle_new(params->rate_bytes_per_s, &bp_retry_env_system);
    copy->env.counters = &copy->counters;
    copy->env.routes = bp_routes_new(params->dst);
    copy->env.retry = (bp_copy_retry){.env = &bp_retry_env_system,
                                      .params = {.cancel = copy->stop,
                                                 .attempts = copy->env.params.attempts,
                                                 .max_delay_ns = params->max_delay_ns,
                                                 .deadline_ns = params->call->deadline_ns},
                                      .throttled = on_throttled,
                                      .ctx = copy};
    copy->workers = bp_store_parallel(params->dst, MAX(params->workers, 1));
    copy->most = copy->limit = copy->workers;
    /* Pages of a buffer that is never used (direct copies) never become memory. */
    copy->buffers = aligned_alloc(BUFFER_ALIGN, copy->workers * copy->env.params.buffer_bytes);
    if (copy->buffers == NULL) {
        g_error("no memory for %u copy buffers", copy->workers);
    }
    start_threads(copy);
    return copy;
}

void
bp_copy_free(bp_copy *copy)
{
    if (copy == NULL) {
        return;
    }
    bp_cancel_trigger(copy->stop, 0);
    bp_committer_stop(copy->committer);
    bp_pool_free(copy->pool);
    bp_committer_free(copy->committer);
    bp_routes_free(copy->env.routes);
    bp_throttle_free(copy->env.throttle);
    bp_cancel_free(copy->stop);
    pthread_cond_destroy(&copy->moved);
    pthread_mutex_destroy(&copy->lock);
    g_clear_error(&copy->error);
    free(copy->buffers);
    g_free(copy);
}

bp_copy_group *
bp_copy_group_new(bp_copy *copy G_GNUC_UNUSED)
{
    bp_copy_group *group = g_new0(bp_copy_group, 1);
    atomic_init(&group->refs, 1);
    return group;
}

void
bp_copy_group_free(bp_copy_group *group)
{
    if (group != NULL) {
        unref_group(group);
    }
}

/* No more workers than the source of an item allows.  Lock held. */
static void
adapt_workers(bp_copy *copy, const bp_store *src)
{
    if (src == NULL || src == copy->last_src) {
        return;
    }
    copy->last_src = src;
    copy->most = MIN(copy->most, bp_store_parallel(src, copy->workers));
    if (copy->limit > copy->most) {
        set_limit(copy, copy->most);
    }
}

static bool
admit(bp_copy *copy, bp_copy_group *group, const bp_copy_item *item, GError **error)
{
    BP_LOCK_GUARD(&copy->lock);
    if (!check_error(copy, error)) {
        return false;
    }
    adapt_workers(copy, item->src);
    copy->open++;
    group->open++;
    atomic_fetch_add(&group->refs, 1);
    return true;
}

bool
bp_copy_submit(bp_copy *copy, bp_copy_group *group, const bp_copy_item *item, GError **error)
{
    if (!admit(copy, group, item, error)) {
        return false;
    }
    if (!item->already) {
        bp_counters_expect(&copy->counters, item->size);
    }
    if (bp_pool_submit(copy->pool, bp_copy_task_new(group, item))) {
        return true;
    }
    BP_LOCK_GUARD(&copy->lock);
    return check_error(copy, error);
}

bool
bp_copy_group_wait(bp_copy *copy, bp_copy_group *group, guint64 *stale, GError **error)
{
    BP_LOCK_GUARD(&copy->lock);
    while (group->open > 0 && copy->error == NULL) {
        pthread_cond_wait(&copy->moved, &copy->lock);
    }
    *stale = group->stale;
    if (!check_error(copy, error)) {
        return false;
    }
    group->stale = 0;
    return true;
}

static bool
wait_copied(bp_copy *copy, GError **error)
{
    BP_LOCK_GUARD(&copy->lock);
    while (copy->open > 0 && copy->error == NULL) {
        pthread_cond_wait(&copy->moved, &copy->lock);
    }
    return check_error(copy, error);
}

bool
bp_copy_flush(bp_copy *copy, GError **error)
{
    if (!wait_copied(copy, error)) {
        return false;
    }
    if (bp_committer_flush(copy->committer)) {
        return true;
    }
    BP_LOCK_GUARD(&copy->lock);
    return check_error(copy, error);
}

bool
bp_copy_failed_item(bp_copy *copy, guint32 *tag)
{
    BP_LOCK_GUARD(&copy->lock);
    *tag = copy->blamed_tag;
    return copy->blamed;
}

void
bp_copy_progress(bp_copy *copy, bp_progress *out)
{
    out->phase = "copy";
    bp_counters_get(&copy->counters, out);
}
