/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether jobs can be done: the source and the backup storage answer, and a job can be put on
 * record.  They are asked at most once in BP_READY_KEEP_NS, by one thread at a time, whoever wants
 * to know and how often: it is no way to burden them.
 */
#ifndef BP_CORE_SERVER_READY_H
#define BP_CORE_SERVER_READY_H

#include "core/base/clock.h"
#include "core/verb/workspace.h"

#define BP_READY_KEEP_NS (10 * BP_NS_PER_S)
#define BP_READY_LIMIT_NS (5 * BP_NS_PER_S) /* for both to answer */

typedef struct bp_ready bp_ready;

/** What was found. */
typedef struct bp_ready_state {
    bool source, storage; /* answer as they should; why not is in the log */
    bool jobs;            /* their directory can be written, likewise */
} bp_ready_state;

/** @take_workspace: only used here.  @state_dir: copied.  Returns: (transfer full) */
bp_ready *bp_ready_new(bp_workspace *take_workspace, const char *state_dir);
void bp_ready_free(bp_ready *ready);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_ready, bp_ready_free)

/** As it was found lately; waits while it is being looked at for the first time.  Any thread. */
bp_ready_state bp_ready_get(bp_ready *ready);

#endif
