/* SPDX-License-Identifier: Apache-2.0
 *
 * Running a job where others can see it: registered, with progress, log and result in the job
 * directory.  The command line runs its verbs through here, and so does a worker of a server.
 */
#ifndef BP_CORE_JOBS_RUN_H
#define BP_CORE_JOBS_RUN_H

#include "core/jobs/request.h"

typedef struct bp_jobs_run_params {
    const bp_verb *verb;     /* workspace, monitor and the result to fill */
    const json_t *request;   /* valid by bp_request_check, else INVALID */
    const bp_cancel *cancel; /* the workspace's; NULL = cannot be cancelled */
    const char *origin;      /* "cli" … */
} bp_jobs_run_params;

/**
 * Register the job, wait for its turn, do it, and say how it ended.  What only reads, and dry runs,
 * are done without being registered.  A job directory that cannot be written is a note, no failure,
 * also when it goes while the job waits there.
 * The result has all members, also those of bp_result_finish, and "job_id" if it was registered.
 *
 * EXISTS when another job writes the same backup; CANCELLED while waiting; TIMEOUT, or EXISTS where
 * it may not wait, when a create's turn has not come within `backup.wait_for_turn`; else the verb's
 * errors and outcome.  Main thread; starts one more, for progress, and takes the log's copy
 * meanwhile.
 */
bp_verb_outcome bp_jobs_run(const bp_jobs_run_params *params, GError **error);

#endif
