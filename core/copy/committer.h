/* SPDX-License-Identifier: Apache-2.0
 *
 * The last stage of the engine: one thread that gathers copied items, calls the barrier of the
 * destination and tells of the items that are proven by it.  Workers go on copying meanwhile.
 */
#ifndef BP_CORE_COPY_COMMITTER_H
#define BP_CORE_COPY_COMMITTER_H

#include "core/copy/task.h"

typedef struct bp_committer bp_committer;

typedef struct bp_committer_params {
    const bp_transfer_env *env;
    guint workers; /* how many copy: as many read back */
    /** The barrier, reading back or `proven` failed.  On the committer's thread, once. */
    void (*failed)(void *ctx, const GError *error);
    void *ctx;
} bp_committer_params;

/** Returns: (transfer full) */
bp_committer *bp_committer_new(const bp_committer_params *params);
/** Joins the thread; what was not proven never will be. */
void bp_committer_free(bp_committer *committer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_committer, bp_committer_free)

/** Blocks while too much waits for a barrier.  Any thread. */
void bp_committer_push(bp_committer *committer, bp_copy_task *take_task);
/** Barrier now; false when it was stopped before all pushed so far was proven.  Any thread. */
bool bp_committer_flush(bp_committer *committer);
/** No more barriers; wakes who waits.  Any thread. */
void bp_committer_stop(bp_committer *committer);

#endif
