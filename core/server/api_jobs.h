/* SPDX-License-Identifier: Apache-2.0
 *
 * /api/v2/jobs: what runs and ran on this machine, whoever started it; starting and cancelling.
 *
 *     GET  /api/v2/jobs?state=&limit=&cursor=   {"jobs": […], "next": CURSOR if there are more}
 *     POST /api/v2/jobs                         a request (core/jobs/request.h); 202 and Location
 *     GET  /api/v2/jobs/ID?wait=SECONDS         with its result; waits until it is over
 *     GET  /api/v2/jobs/ID/log                  text
 *     POST /api/v2/jobs/ID/cancel               202
 *
 * Objects of jobs are those of core/jobs/store.h.  The whole of /api/v2 is described in
 * docs/reference/openapi.json.  The ctx of its routes is the bp_service.
 */
#ifndef BP_CORE_SERVER_API_JOBS_H
#define BP_CORE_SERVER_API_JOBS_H

#include "core/server/route.h"

#define BP_API_MAX_WAIT_S 60

extern const bp_route bp_api_jobs_routes[];
extern const gsize bp_api_jobs_n_routes;

#endif
