/* SPDX-License-Identifier: Apache-2.0
 *
 * Buffers of blocks.
 */
#include "plugins/storage-azure/buffers.h"

#include <glib.h>
#include <pthread.h>
#include <stdbool.h>

#include "sdk/lib/ban.h"

struct idle {
    void *memory;
    size_t cap;
};

struct bp_azure_buffers {
    const struct bp_host *host;
    uint64_t limit;
    pthread_mutex_t lock; /* guards all that follows; never held over the host's functions */
    uint64_t used, kept;  /* bytes, taken and idle */
    GArray *idle;         /* struct idle */
};

struct bp_azure_buffers *
bp_azure_buffers_new(const struct bp_host *host, uint64_t limit)
{
    struct bp_azure_buffers *buffers = g_new0(struct bp_azure_buffers, 1);
    buffers->host = host;
    buffers->limit = limit;
    buffers->idle = g_array_new(FALSE, FALSE, sizeof(struct idle));
    pthread_mutex_init(&buffers->lock, NULL);
    return buffers;
}

void
bp_azure_buffers_free(struct bp_azure_buffers *buffers)
{
    if (buffers == NULL) {
        return;
    }
    for (guint i = 0; i < buffers->idle->len; i++) {
        buffers->host->free(g_array_index(buffers->idle, struct idle, i).memory);
    }
    g_array_unref(buffers->idle);
    pthread_mutex_destroy(&buffers->lock);
    g_free(buffers);
}

uint64_t
bp_azure_buffers_left(struct bp_azure_buffers *buffers)
{
    pthread_mutex_lock(&buffers->lock);
    uint64_t left = buffers->used < buffers->limit ? buffers->limit - buffers->used : 0;
    pthread_mutex_unlock(&buffers->lock);
    return left;
}

/* Called with the lock held.  One of that size, or NULL. */
static void *
pick(struct bp_azure_buffers *buffers, size_t cap)
{
    for (guint i = 0; i < buffers->idle->len; i++) {
        const struct idle *idle = &g_array_index(buffers->idle, struct idle, i);
        if (idle->cap == cap) {
            void *memory = idle->memory;
            g_array_remove_index_fast(buffers->idle, i);
            buffers->kept -= cap;
            return memory;
        }
    }
    return NULL;
}

/* Called with the lock held.  One that stands in the way of `cap` bytes more, or NULL. */
static void *
pick_surplus(struct bp_azure_buffers *buffers, size_t cap)
{
    if (buffers->idle->len == 0 || buffers->used + buffers->kept + cap <= buffers->limit) {
        return NULL;
    }
    return pick(buffers, g_array_index(buffers->idle, struct idle, 0).cap);
}

void *
bp_azure_buffers_take(struct bp_azure_buffers *buffers, const struct bp_op *op, size_t cap)
{
    void *surplus = NULL;
    pthread_mutex_lock(&buffers->lock);
    void *memory = pick(buffers, cap);
    if (memory == NULL) {
        surplus = pick_surplus(buffers, cap);
    }
    buffers->used += cap;
    pthread_mutex_unlock(&buffers->lock);
    buffers->host->free(surplus);
    if (memory == NULL) {
        memory = buffers->host->alloc(op, cap);
    }
    if (memory == NULL) {
        pthread_mutex_lock(&buffers->lock);
        buffers->used -= cap;
        pthread_mutex_unlock(&buffers->lock);
    }
    return memory;
}

void
bp_azure_buffers_give(struct bp_azure_buffers *buffers, void *take_memory, size_t cap)
{
    const struct idle idle = {take_memory, cap};
    pthread_mutex_lock(&buffers->lock);
    buffers->used -= cap;
    bool keep = buffers->used + buffers->kept + cap <= buffers->limit;
    if (keep) {
        g_array_append_val(buffers->idle, idle);
        buffers->kept += cap;
    }
    pthread_mutex_unlock(&buffers->lock);
    if (!keep) {
        buffers->host->free(take_memory);
    }
}
