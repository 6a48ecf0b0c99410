/* SPDX-License-Identifier: Apache-2.0
 *
 * See api_health.h.
 */
#include "core/server/api_health.h"

#include "core/base/json.h"
#include "core/server/service.h"

#include "sdk/lib/ban.h"

static bp_reply *
show_health(void *ctx, const bp_http_request *request)
{
    (void)ctx;
    (void)request;
    json_t *health = json_object();
    bp_json_set_text(health, "status", "alive");
    return bp_reply_json(200, health);
}

static bp_reply *
show_ready(void *ctx, const bp_http_request *request)
{
    (void)request;
    bp_ready_state state = bp_ready_get(bp_service_ready(ctx));
    bool all = state.source && state.storage && state.jobs;
    json_t *ready = json_object();
    bp_json_set_text(ready, "status", all ? "ready" : "not ready");
    json_object_set_new(ready, "source", json_boolean(state.source));
    json_object_set_new(ready, "storage", json_boolean(state.storage));
    json_object_set_new(ready, "jobs", json_boolean(state.jobs));
    return bp_reply_json(all ? 200 : 503, ready);
}

const bp_route bp_api_health_routes[] = {
    {.method = "GET", .path = "/api/v2/health", .role = BP_ROLE_NONE, .answer = show_health},
    {.method = "GET", .path = "/api/v2/ready", .role = BP_ROLE_NONE, .answer = show_ready},
};
const gsize bp_api_health_n_routes = G_N_ELEMENTS(bp_api_health_routes);
