/* SPDX-License-Identifier: Apache-2.0
 *
 * The context of one call: deadline, cancellation, logging.  Passed down, never kept.
 *
 * After a cancel each operation of every plugin is back within a second, with BP_ERR_CANCELLED,
 * wherever it could wait for a network or another process.  What has to be undone then, and by
 * nobody else, may take three seconds more.
 */
#ifndef BAKPLANE_OP_H
#define BAKPLANE_OP_H

#include <bakplane/abi.h>

/**
 * Belongs to the caller and is valid for the call.  Handed back to the host's functions, which
 * may be called from any thread inside the call.
 *
 * For undoing a plugin may make one itself, with its own struct_size, a deadline, and NULL as
 * host_private.  The host's functions take it; it is never cancelled, and reaches no storage.
 */
struct bp_op {
    uint32_t struct_size;
    uint32_t flags;           /**< none in minor 0 */
    int64_t deadline_ns;      /**< CLOCK_MONOTONIC; 0 = none.  Past it: BP_ERR_TIMEOUT */
    const void *host_private; /**< the host's own; plugins do not look at it */
};

#endif
