/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory of blocks: slabs of 16 units, of which a buffer has 1, 2, 4, 8 or 16 in a row, or as many
 * as it needs at least.
 */
#include "plugins/storage-azure/buffers.h"

#include <glib.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "sdk/lib/ban.h"

#define UNITS_OF_SLAB 16U
#define LEAST_UNIT ((size_t)64 << 10)
#define MAX_SLABS 4096U
#define NO_SLAB UINT32_MAX /* memory of its own */

struct slab {
    uint8_t *at;    /* NULL until it is needed */
    uint32_t taken; /* a bit for each unit */
};

struct bp_azure_buffers {
    const struct bp_host *host;
    size_t unit;               /* bytes */
    uint32_t units, n_slabs;   /* units: of a slab */
    pthread_mutex_t lock;      /* guards all that follows; never held over the host's functions */
    uint32_t writers, holders; /* holders: of units */
    uint32_t n_free;           /* units */
    struct slab *slabs;
};

struct bp_azure_buffers *
bp_azure_buffers_new(const struct bp_host *host, uint64_t limit, uint64_t largest)
{
    struct bp_azure_buffers *buffers = g_new0(struct bp_azure_buffers, 1);
    uint64_t slab = MAX(MIN(limit, largest), LEAST_UNIT);
    buffers->host = host;
    buffers->units = (uint32_t)MIN(slab / LEAST_UNIT, UNITS_OF_SLAB);
    buffers->unit = (size_t)(slab / buffers->units);
    buffers->n_slabs = (uint32_t)CLAMP(limit / slab, 1, MAX_SLABS);
    buffers->n_free = buffers->n_slabs * buffers->units;
    buffers->slabs = g_new0(struct slab, buffers->n_slabs);
    pthread_mutex_init(&buffers->lock, NULL);
    return buffers;
}

void
bp_azure_buffers_free(struct bp_azure_buffers *buffers)
{
    if (buffers == NULL) {
        return;
    }
    for (uint32_t i = 0; i < buffers->n_slabs; i++) {
        buffers->host->free(buffers->slabs[i].at);
    }
    g_free(buffers->slabs);
    pthread_mutex_destroy(&buffers->lock);
    g_free(buffers);
}

void
bp_azure_buffers_join(struct bp_azure_buffers *buffers, int32_t writers)
{
    pthread_mutex_lock(&buffers->lock);
    buffers->writers += (uint32_t)writers;
    pthread_mutex_unlock(&buffers->lock);
}

static uint32_t
units_for(const struct bp_azure_buffers *buffers, uint64_t bytes)
{
    uint64_t units = bytes / buffers->unit + (bytes % buffers->unit != 0 ? 1 : 0);
    return (uint32_t)MIN(units, UINT32_MAX);
}

/* The largest power of two that is not above, at least 1. */
static uint32_t
power_below(uint32_t most)
{
    uint32_t units = 1;
    while (units <= most / 2) {
        units *= 2;
    }
    return units;
}

/* Called with the lock held.  An equal share for everybody.  While the first ones still hold more
 * than theirs, what is left is shared by those who hold nothing; more of them may be on their way.
 */
static uint32_t
share(const struct bp_azure_buffers *buffers, int first)
{
    uint32_t equal = buffers->n_slabs * buffers->units / MAX(buffers->writers, 1);
    uint32_t others = buffers->writers - MIN(buffers->writers, buffers->holders);
    uint32_t left = buffers->n_free / (first ? MAX(others, 4) : MAX(others, 1));
    return power_below(MIN(MIN(equal, left), buffers->units));
}

/* Called with the lock held. */
static bool
find(const struct bp_azure_buffers *buffers, uint32_t units, struct bp_azure_buffer *out)
{
    uint32_t bits = (UINT32_C(1) << units) - 1;
    /* Powers of two lie at their multiples, so that they leave no holes. */
    uint32_t step = (units & (units - 1)) == 0 ? units : 1;
    for (uint32_t slab = 0; slab < buffers->n_slabs; slab++) {
        for (uint32_t first = 0; first + units <= buffers->units; first += step) {
            if ((buffers->slabs[slab].taken & bits << first) == 0) {
                *out = (struct bp_azure_buffer){
                    .cap = units * buffers->unit, .slab = slab, .first = first, .units = units};
                return true;
            }
        }
    }
    return false;
}

static bool
pick(struct bp_azure_buffers *buffers, const struct bp_azure_wish *wish,
     struct bp_azure_buffer *out)
{
    bool found;
    uint32_t least = MAX(units_for(buffers, wish->least), 1);
    uint32_t most = units_for(buffers, wish->most);
    if (least > UNITS_OF_SLAB) {
        return false;
    }
    pthread_mutex_lock(&buffers->lock);
    uint32_t units = share(buffers, wish->first);
    while (units / 2 >= most && units > 1) {
        units /= 2;
    }
    units = MAX(units, least);
    found = find(buffers, units, out);
    while (!found && units > least) {
        units = MAX(units / 2, least);
        found = find(buffers, units, out);
    }
    if (found) {
        buffers->slabs[out->slab].taken |= ((UINT32_C(1) << out->units) - 1) << out->first;
        buffers->n_free -= out->units;
        buffers->holders++;
    }
    pthread_mutex_unlock(&buffers->lock);
    return found;
}

static void
put_back(struct bp_azure_buffers *buffers, const struct bp_azure_buffer *buffer)
{
    pthread_mutex_lock(&buffers->lock);
    buffers->slabs[buffer->slab].taken &= ~(((UINT32_C(1) << buffer->units) - 1) << buffer->first);
    buffers->n_free += buffer->units;
    buffers->holders--;
    pthread_mutex_unlock(&buffers->lock);
}

/* The slab's memory, which two threads may have been the first to want. */
static uint8_t *
slab_memory(struct bp_azure_buffers *buffers, const struct bp_op *op, uint32_t number)
{
    struct slab *slab = &buffers->slabs[number];
    pthread_mutex_lock(&buffers->lock);
    uint8_t *at = slab->at;
    pthread_mutex_unlock(&buffers->lock);
    if (at != NULL) {
        return at;
    }
    uint8_t *made = buffers->host->alloc(op, buffers->unit * buffers->units);
    pthread_mutex_lock(&buffers->lock);
    if (slab->at == NULL) {
        slab->at = made;
        made = NULL;
    }
    at = slab->at;
    pthread_mutex_unlock(&buffers->lock);
    buffers->host->free(made);
    return at;
}

int
bp_azure_buffers_take(struct bp_azure_buffers *buffers, const struct bp_op *op,
                      const struct bp_azure_wish *wish, struct bp_azure_buffer *out)
{
    if (pick(buffers, wish, out)) {
        uint8_t *slab = slab_memory(buffers, op, out->slab);
        if (slab == NULL) {
            put_back(buffers, out);
            *out = (struct bp_azure_buffer){0};
            return 0;
        }
        out->at = slab + out->first * buffers->unit;
        return 1;
    }
    *out = (struct bp_azure_buffer){.slab = NO_SLAB};
    out->cap = MAX((size_t)wish->least, MIN(buffers->unit, LEAST_UNIT));
    out->at = buffers->host->alloc(op, out->cap);
    return out->at != NULL;
}

void
bp_azure_buffers_give(struct bp_azure_buffers *buffers, struct bp_azure_buffer *buffer)
{
    if (buffer->at != NULL && buffer->slab == NO_SLAB) {
        buffers->host->free(buffer->at);
    } else if (buffer->at != NULL) {
        put_back(buffers, buffer);
    }
    *buffer = (struct bp_azure_buffer){0};
}
