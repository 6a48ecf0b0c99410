/* SPDX-License-Identifier: Apache-2.0
 *
 * What a job needs for itself among all jobs of a job directory.
 *
 *     "backup PLACE/NAME"   it writes that backup: a second one is refused
 *     "source PLACE"        it captures that source: a second one waits, because the pause of
 *                           garbage collection is cluster-wide on older servers and who ends first
 *                           would end it for both
 *
 * PLACE is what a storage calls itself; two names of one place are told apart by the lease in the
 * backup, which is the truth.  The targets of a restore are claimed by its journal, not here: they
 * are known only when the backup has been read.  What writes nothing (bp_request_writes) claims
 * nothing.
 */
#ifndef BP_CORE_JOBS_CLAIMS_H
#define BP_CORE_JOBS_CLAIMS_H

#include <jansson.h>

#include "core/verb/workspace.h"

/**
 * Opens the storages in question, without connecting.  One that cannot be opened gives no claim:
 * the job will say why.  The job's main thread.  Returns: (transfer full) an array of texts
 */
json_t *bp_claims_of(bp_workspace *workspace, const json_t *request);

typedef enum {
    BP_CLAIMS_FREE,
    BP_CLAIMS_WAIT,   /* both want the same source */
    BP_CLAIMS_REFUSE, /* both write the same backup */
} bp_claims_verdict;

/** Of two jobs that want to run at the same time.  Pure. */
bp_claims_verdict bp_claims_compare(const json_t *one, const json_t *other);

#endif
