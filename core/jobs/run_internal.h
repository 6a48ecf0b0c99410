/* SPDX-License-Identifier: Apache-2.0
 *
 * What running a job has in common for the command line and a worker.
 */
#ifndef BP_CORE_JOBS_RUN_INTERNAL_H
#define BP_CORE_JOBS_RUN_INTERNAL_H

#include "core/jobs/run.h"
#include "core/jobs/ticket.h"

/** What goes on after an interruption. */
typedef bp_verb_outcome (*bp_jobs_run_fn)(const bp_verb *verb, const json_t *request, void *ctx,
                                          GError **error);

/** Wait for the turn of a ticket, run, and say how it ended.  @run: NULL = bp_request_run. */
bp_verb_outcome bp_jobs__run_seen(const bp_jobs_run_params *params, bp_ticket *ticket,
                                  bp_jobs_run_fn run, void *ctx, GError **error);

#endif
