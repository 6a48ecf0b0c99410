/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading copies again after their barrier, by threads of its own, and comparing them with what
 * was seen when they were made.  A copy whose bytes nobody has seen yet gets its checksum here.
 */
#ifndef BP_CORE_COPY_READ_BACK_H
#define BP_CORE_COPY_READ_BACK_H

#include "core/copy/task.h"

typedef struct bp_read_back bp_read_back;

/** Returns: (transfer full) */
bp_read_back *bp_read_back_new(const bp_transfer_env *env, guint readers);
void bp_read_back_free(bp_read_back *read_back);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_read_back, bp_read_back_free)

/** All tasks of the list.  CORRUPT names the first copy found to differ.  One thread. */
bool bp_read_back_run(bp_read_back *read_back, bp_copy_task *first, GError **error);

#endif
