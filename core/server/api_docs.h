/* SPDX-License-Identifier: Apache-2.0
 *
 * What /api is, told by itself: docs/reference/openapi.json, and a page that is made of it while
 * building (docs/rest_pages.py).
 *
 *     GET /api/v2/openapi.json
 *     GET /api/v2/docs           one page, without scripts; it loads nothing
 *
 * Both are the same for everybody and tell nothing of this machine, so nobody needs a token: a
 * browser could not send it.
 */
#ifndef BP_CORE_SERVER_API_DOCS_H
#define BP_CORE_SERVER_API_DOCS_H

#include "core/server/route.h"

extern const char bp_api__openapi[];
extern const char bp_api__page[];

extern const bp_route bp_api_docs_routes[];
extern const gsize bp_api_docs_n_routes;

#endif
