/* SPDX-License-Identifier: Apache-2.0
 *
 * Buffers of blocks, which are kept for the next block: given back to the C library, those of many
 * threads would stay in its arenas, twice as much as is in use.
 *
 * Any thread.
 */
#ifndef BAKPLANE_STORAGE_AZURE_BUFFERS_H
#define BAKPLANE_STORAGE_AZURE_BUFFERS_H

#include <bakplane/host.h>

struct bp_azure_buffers;

/** `limit` bounds what is kept, and is what bp_azure_buffers_left counts down from, bytes. */
struct bp_azure_buffers *bp_azure_buffers_new(const struct bp_host *host, uint64_t limit);
/** All buffers are back.  NULL is fine. */
void bp_azure_buffers_free(struct bp_azure_buffers *buffers);

/** What may be taken before the limit is reached; taking more is not refused. */
uint64_t bp_azure_buffers_left(struct bp_azure_buffers *buffers);

/** `cap` bytes, or NULL when the host refuses. */
void *bp_azure_buffers_take(struct bp_azure_buffers *buffers, const struct bp_op *op, size_t cap);
void bp_azure_buffers_give(struct bp_azure_buffers *buffers, void *take_memory, size_t cap);

#endif
