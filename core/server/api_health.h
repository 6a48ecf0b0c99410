/* SPDX-License-Identifier: Apache-2.0
 *
 * For who watches over the server, without a token: nothing is told but how it is.
 *
 *     GET /api/v2/health   200 {"status": "alive"}
 *     GET /api/v2/ready    200, or 503 when no job could be done now:
 *                          {"status": "ready" | "not ready", "source": true, "storage": true}
 *
 * The ctx is a bp_service.
 */
#ifndef BP_CORE_SERVER_API_HEALTH_H
#define BP_CORE_SERVER_API_HEALTH_H

#include "core/server/route.h"

extern const bp_route bp_api_health_routes[];
extern const gsize bp_api_health_n_routes;

#endif
