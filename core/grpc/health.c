/* SPDX-License-Identifier: Apache-2.0
 *
 * grpc.health.v1.Health.  Without a token, as /healthz: load balancers and kubelets have none, and
 * nothing is told that an open port does not tell.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/grpc/messages.h"
#include "core/grpc/method.h"

#include "sdk/lib/ban.h"

/* HealthCheckResponse.ServingStatus */
enum { SERVING = 1, NOT_SERVING = 2, SERVICE_UNKNOWN = 3 };

#define JOBS_SERVICE "bakplane.v1.Jobs"

static int
status_of(const bp_grpc_ask *ask)
{
    static const char *const known[] = {"", BP_V1_SERVICE, JOBS_SERVICE, NULL};
    if (!g_strv_contains(known, bp_json_text(ask->request, "service", ""))) {
        return SERVICE_UNKNOWN;
    }
    return ask->is_ending ? NOT_SERVING : SERVING;
}

static bool
check(const bp_grpc_ask *ask, bp_grpc_reply *out, GError **error)
{
    int status = status_of(ask);
    if (status == SERVICE_UNKNOWN) {
        bp_set_error(error, BP_ERR_NOT_FOUND, "there is no such service");
        return false;
    }
    out->answer = json_pack("{s:i}", "status", status);
    return true;
}

/* An unknown service may come yet, by the rules. */
static bool
watch(const bp_grpc_ask *ask, bp_grpc_reply *out, GError **error)
{
    (void)error;
    out->answer = json_pack("{s:i}", "status", status_of(ask));
    return true;
}

static guint64
version(const bp_grpc_ask *ask)
{
    return ask->is_ending ? 2 : 1;
}

const bp_grpc_method bp_grpc_health_methods[] = {
    {.path = "/grpc.health.v1.Health/Check",
     .request = &bp_grpc_health_request,
     .response = &bp_grpc_health_response,
     .role = BP_ROLE_NONE,
     .kind = BP_GRPC_ONE,
     .lane = BP_GRPC_QUICK,
     .answer = check},
    {.path = "/grpc.health.v1.Health/Watch",
     .request = &bp_grpc_health_request,
     .response = &bp_grpc_health_response,
     .role = BP_ROLE_NONE,
     .kind = BP_GRPC_STREAM,
     .lane = BP_GRPC_QUICK,
     .answer = watch,
     .version = version},
};
const gsize bp_grpc_health_n_methods = G_N_ELEMENTS(bp_grpc_health_methods);
