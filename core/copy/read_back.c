/* SPDX-License-Identifier: Apache-2.0
 *
 * See read_back.h.
 */
#include "core/copy/read_back.h"

#include "core/base/error.h"
#include "core/base/thread.h"
#include "core/copy/pool.h"

#include "sdk/lib/checksum.h"

#include "sdk/lib/ban.h"

struct bp_read_back {
    const bp_transfer_env *env;
    bp_pool *pool;
    pthread_mutex_t lock; /* guards error */
    GError *error;        /* the first of this run */
};

/* What the bytes were when they passed; who did not see them knows what they must be, at best. */
static const struct bp_checksum *
known_checksum(const bp_copy_task *task)
{
    const struct bp_checksum *seen = &task->result.checksum;
    return seen->kind != BP_CHECKSUM_NONE ? seen : &task->item.checksum;
}

static bool
compare(bp_copy_task *task, const struct bp_checksum *found, guint64 size, GError **error)
{
    const struct bp_checksum *must = known_checksum(task);
    if (size != task->result.size) {
        bp_set_error(error, BP_ERR_CORRUPT,
                     "copy of %s: read back it has %" G_GUINT64_FORMAT
                     " bytes instead of %" G_GUINT64_FORMAT,
                     task->item.dst_key, size, task->result.size);
        return false;
    }
    if (must->kind != BP_CHECKSUM_NONE && !bp_checksum_equal(must, found)) {
        char found_hex[BP_CHECKSUM_HEX_MAX], must_hex[BP_CHECKSUM_HEX_MAX];
        bp_checksum_to_hex(found, found_hex);
        bp_checksum_to_hex(must, must_hex);
        bp_set_error(error, BP_ERR_CORRUPT, "copy of %s: read back its %s is %s instead of %s",
                     task->item.dst_key, bp_checksum_kind_name(must->kind), found_hex, must_hex);
        return false;
    }
    if (task->result.checksum.kind == BP_CHECKSUM_NONE) {
        task->result.checksum = *found;
    }
    return true;
}

static bool
check(const bp_read_back *self, bp_copy_task *task, GError **error)
{
    const bp_transfer_env *env = self->env;
    guint32 kind = known_checksum(task)->kind;
    bp_copy_hash_params hash = {
        .store = env->params.dst,
        .call = &env->call,
        .key = task->item.dst_key,
        .buffer_bytes = env->params.buffer_bytes,
        .attempts = env->params.attempts,
        .max_delay_ns = env->params.max_delay_ns,
        .kind = kind != BP_CHECKSUM_NONE ? kind : BP_CHECKSUM_XXH3_128,
    };
    struct bp_checksum found;
    guint64 size;
    return bp_copy_hash(&hash, &found, &size, error) && compare(task, &found, size, error);
}

static bool
has_failed(bp_read_back *self)
{
    BP_LOCK_GUARD(&self->lock);
    return self->error != NULL;
}

static void
run(void *ctx, void *task, guint worker G_GNUC_UNUSED)
{
    bp_read_back *self = ctx;
    g_autoptr(GError) failed = NULL;
    if (has_failed(self) || check(self, task, &failed)) {
        return;
    }
    BP_LOCK_GUARD(&self->lock);
    if (self->error == NULL) {
        self->error = g_steal_pointer(&failed);
    }
}

static void
drop(void *ctx G_GNUC_UNUSED, void *task G_GNUC_UNUSED)
{
    /* Tasks stay with the caller of bp_read_back_run. */
}

bp_read_back *
bp_read_back_new(const bp_transfer_env *env, guint readers)
{
    bp_read_back *self = g_new0(bp_read_back, 1);
    self->env = env;
    pthread_mutex_init(&self->lock, NULL);
    self->pool = bp_pool_new(&(bp_pool_params){
        .workers = readers, .capacity = 2 * readers, .run = run, .drop = drop, .ctx = self});
    return self;
}

void
bp_read_back_free(bp_read_back *self)
{
    if (self != NULL) {
        bp_pool_free(self->pool);
        pthread_mutex_destroy(&self->lock);
        g_clear_error(&self->error);
        g_free(self);
    }
}

bool
bp_read_back_run(bp_read_back *self, bp_copy_task *first, GError **error)
{
    for (bp_copy_task *task = first; task != NULL; task = task->next) {
        if (!task->item.already) {
            (void)bp_pool_submit(self->pool, task); /* only bp_read_back_free stops this pool */
        }
    }
    bp_pool_drain(self->pool);
    BP_LOCK_GUARD(&self->lock);
    if (self->error != NULL) {
        g_propagate_error(error, g_steal_pointer(&self->error));
        return false;
    }
    return true;
}
