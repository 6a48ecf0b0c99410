/* SPDX-License-Identifier: Apache-2.0
 *
 * Removing what a restore has put onto a storage for the source to read.
 */
#ifndef BP_CORE_VERB_RESTORE_SWEEP_H
#define BP_CORE_VERB_RESTORE_SWEEP_H

#include "core/verb/restore_journal.h"
#include "core/verb/workspace.h"

/** Everything below a prefix of that storage.  CORRUPT for one that does not end in '/'. */
bool bp_sweep_prefix(bp_workspace *workspace, const bp_call *call, const char *ref,
                     const char *prefix, GError **error);
/** Abort an upload in parts; false is logged. */
bool bp_sweep_upload(bp_workspace *workspace, const bp_call *call, const bp_leftover *leftover);

#endif
