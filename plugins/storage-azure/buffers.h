/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory of blocks, shared by all that are being filled: so much and no more, however many there
 * are.  With few of them blocks are large, with many small.
 *
 * It comes from a few slabs, which stay until the end: given back to the C library, buffers of many
 * threads would stay in its arenas, several times as much as is in use.  A slab is as large as the
 * largest block; what no block has filled yet costs nothing.
 *
 * Any thread.
 */
#ifndef BAKPLANE_STORAGE_AZURE_BUFFERS_H
#define BAKPLANE_STORAGE_AZURE_BUFFERS_H

#include <bakplane/host.h>

struct bp_azure_buffers;

/** `limit` bounds all blocks together, `largest` one of them, bytes. */
struct bp_azure_buffers *bp_azure_buffers_new(const struct bp_host *host, uint64_t limit,
                                              uint64_t largest);
/** All buffers are back.  NULL is fine. */
void bp_azure_buffers_free(struct bp_azure_buffers *buffers);

/** So many more writers (or fewer) share what there is. */
void bp_azure_buffers_join(struct bp_azure_buffers *buffers, int32_t writers);

struct bp_azure_buffer {
    uint8_t *at; /**< NULL = none */
    size_t cap;  /**< bytes */
    uint32_t slab, first, units;
};

struct bp_azure_wish {
    uint64_t least; /**< had beyond the limit where it must be */
    uint64_t most;  /**< what will be written, or BP_UNKNOWN */
    int first;      /**< of a new writer, which takes care that others may come, too */
};

/** A buffer of this writer's share.  Never waits.  0 when the host refuses. */
int bp_azure_buffers_take(struct bp_azure_buffers *buffers, const struct bp_op *op,
                          const struct bp_azure_wish *wish, struct bp_azure_buffer *out);
/** Gives it back and clears it.  One that is none is fine. */
void bp_azure_buffers_give(struct bp_azure_buffers *buffers, struct bp_azure_buffer *buffer);

#endif
