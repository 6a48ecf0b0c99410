/* SPDX-License-Identifier: Apache-2.0
 *
 * One submitted item on its way through the engine: queued, copied, waiting for the barrier,
 * proven.  One block of memory together with all its texts; owned by whoever has it just now.
 */
#ifndef BP_CORE_COPY_TASK_H
#define BP_CORE_COPY_TASK_H

#include "core/copy/transfer.h"

typedef struct bp_copy_task bp_copy_task;

struct bp_copy_task {
    bp_copy_task *next; /* in the committer's list */
    bp_copy_group *group;
    bp_copy_item item;
    bp_transfer_result result;
    char texts[];
};

/** Returns: (transfer full) */
bp_copy_task *bp_copy_task_new(bp_copy_group *group, const bp_copy_item *item);
void bp_copy_task_free(bp_copy_task *task);

#endif
