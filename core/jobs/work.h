/* SPDX-License-Identifier: Apache-2.0
 *
 * A worker's side: a process that a supervisor started for one job.
 *
 * It is run as "PROGRAM job-worker", gets {"state_dir", "id", "config", "dialect", "sets"} as JSON
 * on standard input, and the job's lock as descriptor BP_WORK_LOCK_FD.  No secret is in its
 * arguments or in what is added to its environment; it reads the configuration by itself.
 */
#ifndef BP_CORE_JOBS_WORK_H
#define BP_CORE_JOBS_WORK_H

#include "core/jobs/store.h"
#include "core/verb/verb.h"

#define BP_WORK_LOCK_FD 3

typedef struct bp_work_params {
    bp_jobs *jobs;
    const char *id;
    int take_lock; /* owned from now on */
    const bp_verb *verb;
    bp_cancel *cancel; /* the workspace's; triggered when the job was cancelled before it began */
} bp_work_params;

/**
 * Take the job over and bring it to an end, as bp_jobs_run; one that was interrupted as
 * supervisor.h says.  Main thread.  Errors and outcome: the verb's.
 */
bp_verb_outcome bp_jobs_work(const bp_work_params *params, GError **error);

/** It cannot even begin: the job has failed because of that.  @take_lock: owned. */
void bp_jobs_work_failed(bp_jobs *jobs, const char *id, int take_lock, const GError *why);

#endif
