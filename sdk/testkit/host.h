/* SPDX-License-Identifier: Apache-2.0
 *
 * The kit as a host: the table that the plugin gets, and the context of each call.  There is one
 * host in a process.  Unlike bakplane it can refuse memory, remembers what was logged, and shows
 * itself as older or newer than it is.
 */
#ifndef BAKPLANE_TESTKIT_HOST_H
#define BAKPLANE_TESTKIT_HOST_H

#include <bakplane/host.h>
#include <stdatomic.h>
#include <stdbool.h>

enum bp_kit_host_shape {
    BP_KIT_HOST_USUAL,
    BP_KIT_HOST_OLDEST, /**< ends where minor 0 ends; what lies behind cannot be touched */
    BP_KIT_HOST_NEWER   /**< a later minor, with members that nobody knows yet */
};

/** The table; valid for the life of the process. */
const struct bp_host *bp_kit_host(enum bp_kit_host_shape shape);

/** From now on lines that the plugin logs are kept, at any level, up to a bound. */
void bp_kit_host_keep_lines(void);
/** The i-th of them, or NULL. */
const char *bp_kit_host_line(size_t i);

/** Refuse the n-th request for memory from now on, counted from 1, and no other; 0 = none. */
void bp_kit_host_refuse(unsigned n);
/** Requests for memory since the last bp_kit_host_refuse. */
unsigned bp_kit_host_requests(void);
/** Blocks of the host's memory that were not given back. */
size_t bp_kit_host_blocks(void);

/** The context of calls; may be used for several, one after the other or at once. */
struct bp_kit_op {
    struct bp_op op;
    _Atomic int cancelled;
    int fd;                 /**< readable once cancelled; -1: could not be made */
    _Atomic unsigned asked; /**< how often the plugin asked whether it is cancelled */
    _Atomic unsigned *asks; /**< where that is counted, or NULL */
    long long undoing_ns;   /**< what undoing took, which has a context and 30 s of its own */
};

/** deadline_ms from now; 0 = none, below 0 = it has passed. */
void bp_kit_op_init(struct bp_kit_op *self, int deadline_ms);
void bp_kit_op_clear(struct bp_kit_op *self);
/** Any thread. */
void bp_kit_op_cancel(struct bp_kit_op *self);

#endif
