/* SPDX-License-Identifier: Apache-2.0
 *
 * GET /metrics for Prometheus: the jobs of this machine, whoever ran them, and this process.  Each
 * metric is in the table of docs/guide/operations.md.
 */
#ifndef BP_CORE_SERVER_METRICS_H
#define BP_CORE_SERVER_METRICS_H

#include "core/jobs/tally.h"
#include "core/server/route.h"

/** All of it as text.  Any thread.  Returns: (transfer full) */
char *bp_metrics_text(bp_tally *tally);

/** The ctx is a bp_service. */
extern const bp_route bp_metrics_routes[];
extern const gsize bp_metrics_n_routes;

#endif
