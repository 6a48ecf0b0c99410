/* SPDX-License-Identifier: Apache-2.0
 *
 * See api_docs.h.
 */
#include "core/server/api_docs.h"

#include "core/server/api.h"

#include "sdk/lib/ban.h"

/* Style sheets in the page, and nothing else, from nowhere. */
#define POLICY "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

static bp_reply *
show_openapi(void *ctx, const bp_http_request *request)
{
    (void)ctx;
    (void)request;
    return bp_reply_typed(200, "application/json; charset=utf-8", bp_api__openapi);
}

static bp_reply *
show_page(void *ctx, const bp_http_request *request)
{
    (void)ctx;
    (void)request;
    bp_reply *answer = bp_reply_typed(200, "text/html; charset=utf-8", bp_api__page);
    bp_reply_add_header(answer, "Content-Security-Policy", POLICY);
    return answer;
}

const bp_route bp_api_docs_routes[] = {
    {.method = "GET",
     .path = BP_API_HERE "/openapi.json",
     .role = BP_ROLE_NONE,
     .answer = show_openapi},
    {.method = "GET", .path = BP_API_HERE "/docs", .role = BP_ROLE_NONE, .answer = show_page},
};
const gsize bp_api_docs_n_routes = G_N_ELEMENTS(bp_api_docs_routes);
