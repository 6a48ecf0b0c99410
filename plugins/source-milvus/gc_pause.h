/* SPDX-License-Identifier: Apache-2.0
 *
 * Keeping the server from deleting files of compacted segments while they are copied.  A pause
 * ends by itself after its length; the core's timer renews it.
 */
#ifndef BAKPLANE_MILVUS_GC_PAUSE_H
#define BAKPLANE_MILVUS_GC_PAUSE_H

#include <bakplane/error.h>
#include <bakplane/host.h>
#include <bakplane/op.h>

#include "config.h"

struct bp_source;
struct milvus_gc_pause_state;

/**
 * Pauses as the options say.  Succeeds with *out == NULL when nothing was paused: switched off,
 * no management address, or (with a line in the log) a server that cannot or did not.  With
 * MILVUS_GC_REQUIRE each of these but the first is an error.
 */
bp_status milvus_gc_pause(struct bp_source *source, const struct bp_op *op,
                          const struct milvus_create_options *options,
                          struct milvus_gc_pause_state **out, struct bp_error *error);

/** Pauses again from now on. */
bp_status milvus_gc_renew(struct milvus_gc_pause_state *pause, const struct bp_op *op,
                          struct bp_error *error);

/** Ends the pause and frees; NULL is fine. */
bp_status milvus_gc_resume(struct milvus_gc_pause_state *pause, const struct bp_op *op,
                           struct bp_error *error);

#endif
