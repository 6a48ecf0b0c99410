/* SPDX-License-Identifier: Apache-2.0
 *
 * See committer.h.  A barrier is due when somebody asks for it, when batch_items wait and the
 * last barrier is min_batch_ns ago, or when an item has waited for batch_ns.
 */
#include "core/copy/committer.h"

#include "core/base/clock.h"
#include "core/base/thread.h"
#include "core/copy/read_back.h"

#include "sdk/lib/ban.h"

/* Workers wait when so many batches are waiting for a barrier: bounds the memory. */
#define MAX_BATCHES 10

struct bp_committer {
    bp_committer_params params;
    bp_read_back *read_back; /* or NULL */
    pthread_t thread;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t wake;  /* for the thread: something changed that may make a barrier due */
    pthread_cond_t moved; /* for others: items were taken or proven, or the end */
    bp_copy_task *first, **end;
    guint waiting;    /* tasks in the list */
    guint64 pushed;   /* tasks ever pushed */
    guint64 proven;   /* … and of these proven, in order */
    guint64 wanted;   /* somebody waits until so many are proven */
    gint64 oldest_ns; /* when the first of the list came */
    gint64 last_barrier_ns;
    bool stopped;
};

static void
free_list(bp_copy_task *task)
{
    while (task != NULL) {
        bp_copy_task *next = task->next;
        bp_copy_task_free(task);
        task = next;
    }
}

/* When the next barrier is due; G_MAXINT64 = not yet known.  Called with the lock held. */
static gint64
due_ns(const bp_committer *self)
{
    const bp_copy_params *params = &self->params.env->params;
    if (self->waiting == 0) {
        return G_MAXINT64;
    }
    if (self->wanted > self->proven || self->waiting >= MAX_BATCHES * params->batch_items) {
        return 0;
    }
    gint64 by_age = self->oldest_ns + params->batch_ns;
    if (self->waiting >= params->batch_items) {
        return MIN(by_age, self->last_barrier_ns + params->min_batch_ns);
    }
    return by_age;
}

/* Waits for the next barrier and takes its tasks; NULL at the end. */
static bp_copy_task *
take_batch(bp_committer *self, guint *n)
{
    BP_LOCK_GUARD(&self->lock);
    gint64 due;
    while (!self->stopped && (due = due_ns(self)) > bp_clock_mono_ns()) {
        if (due == G_MAXINT64) {
            pthread_cond_wait(&self->wake, &self->lock);
        } else {
            (void)bp_cond_wait_until(&self->wake, &self->lock, due); /* the loop judges */
        }
    }
    if (self->stopped) {
        return NULL;
    }
    bp_copy_task *batch = self->first;
    *n = self->waiting;
    self->first = NULL;
    self->end = &self->first;
    self->waiting = 0;
    pthread_cond_broadcast(&self->moved);
    return batch;
}

static bool
tell_proven(const bp_copy_params *params, const bp_copy_task *batch, guint n, GError **error)
{
    if (params->proven == NULL) {
        return true;
    }
    g_autofree bp_copied *copied = g_new0(bp_copied, n);
    guint i = 0;
    for (const bp_copy_task *task = batch; task != NULL; task = task->next, i++) {
        copied[i] = (bp_copied){
            .dst_key = task->item.dst_key,
            .size = task->result.size,
            .checksum = task->result.checksum,
            .expected = task->item.checksum,
            .src_etag = task->item.src_etag != NULL ? task->item.src_etag : task->result.src_etag,
            .tag = task->item.tag,
            .label = task->item.label,
        };
    }
    return params->proven(params->ctx, copied, n, error);
}

static bool
prove(bp_committer *self, bp_copy_task *batch, guint n, GError **error)
{
    const bp_transfer_env *env = self->params.env;
    if (!bp_store_sync(env->params.dst, &env->call, error)) {
        g_prefix_error(error, "making %u copies durable: ", n);
        return false;
    }
    if (self->read_back != NULL && !bp_read_back_run(self->read_back, batch, error)) {
        return false;
    }
    return tell_proven(&env->params, batch, n, error);
}

static void
count_proven(bp_committer *self, guint n)
{
    BP_LOCK_GUARD(&self->lock);
    self->proven += n;
    self->last_barrier_ns = bp_clock_mono_ns();
    pthread_cond_broadcast(&self->moved);
}

static void *
run(void *ctx)
{
    bp_committer *self = ctx;
    bp_copy_task *batch;
    guint n = 0;
    while ((batch = take_batch(self, &n)) != NULL) {
        g_autoptr(GError) failed = NULL;
        bool ok = prove(self, batch, n, &failed);
        free_list(batch);
        if (!ok) {
            self->params.failed(self->params.ctx, failed);
            bp_committer_stop(self);
            break;
        }
        count_proven(self, n);
    }
    return NULL;
}

bp_committer *
bp_committer_new(const bp_committer_params *params)
{
    bp_committer *self = g_new0(bp_committer, 1);
    self->params = *params;
    self->end = &self->first;
    self->last_barrier_ns = bp_clock_mono_ns();
    pthread_mutex_init(&self->lock, NULL);
    bp_cond_init(&self->wake);
    bp_cond_init(&self->moved);
    if (params->env->params.read_back) {
        self->read_back = bp_read_back_new(params->env, params->workers);
    }
    bp_thread_start(&self->thread, run, self);
    return self;
}

void
bp_committer_free(bp_committer *self)
{
    if (self == NULL) {
        return;
    }
    bp_committer_stop(self);
    pthread_join(self->thread, NULL);
    free_list(self->first);
    bp_read_back_free(self->read_back);
    pthread_cond_destroy(&self->moved);
    pthread_cond_destroy(&self->wake);
    pthread_mutex_destroy(&self->lock);
    g_free(self);
}

void
bp_committer_push(bp_committer *self, bp_copy_task *task)
{
    const bp_copy_params *params = &self->params.env->params;
    BP_LOCK_GUARD(&self->lock);
    while (!self->stopped && self->waiting >= MAX_BATCHES * params->batch_items) {
        pthread_cond_wait(&self->moved, &self->lock);
    }
    task->next = NULL;
    *self->end = task;
    self->end = &task->next;
    if (self->waiting++ == 0) {
        self->oldest_ns = bp_clock_mono_ns();
    }
    self->pushed++;
    if (self->waiting == 1 || self->waiting % params->batch_items == 0) {
        pthread_cond_signal(&self->wake);
    }
}

bool
bp_committer_flush(bp_committer *self)
{
    BP_LOCK_GUARD(&self->lock);
    guint64 upto = self->pushed;
    self->wanted = MAX(self->wanted, upto);
    pthread_cond_signal(&self->wake);
    while (!self->stopped && self->proven < upto) {
        pthread_cond_wait(&self->moved, &self->lock);
    }
    return self->proven >= upto;
}

void
bp_committer_stop(bp_committer *self)
{
    BP_LOCK_GUARD(&self->lock);
    self->stopped = true;
    pthread_cond_broadcast(&self->wake);
    pthread_cond_broadcast(&self->moved);
}
