/* SPDX-License-Identifier: Apache-2.0
 *
 * bakplane.v1.Jobs: the same as /api/v2/jobs, and a stream that follows one.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/grpc/messages.h"
#include "core/grpc/method.h"

#include "sdk/lib/ban.h"

#define SERVICE "/bakplane.v1.Jobs/"
#define DEFAULT_LIMIT 100

/* An object is a Struct in a message. */
static void
wrap(json_t *job, const char *member)
{
    json_t *object = json_object_get(job, member);
    if (json_is_object(object)) {
        json_object_set_new(job, member, json_pack("{s:O}", "fields", object));
    }
}

/* Returns: (transfer full) (nullable) */
static json_t *
job_of(const bp_grpc_ask *ask, const char *id, GError **error)
{
    json_t *job = bp_jobs_get(bp_service_jobs(ask->service), id, error);
    wrap(job, "request");
    wrap(job, "result");
    return job;
}

static const char *
id_of(const bp_grpc_ask *ask)
{
    return bp_json_text(ask->request, "id", "");
}

/* The request to start.  Borrowed, or NULL. */
static const json_t *
request_of(const bp_grpc_ask *ask, GError **error)
{
    const json_t *request = json_object_get(json_object_get(ask->request, "request"), "fields");
    if (request == NULL) {
        bp_set_error(error, BP_ERR_INVALID, "there is no request");
        bp_error_add_hint(error, "a request is {\"verb\": \"create\", \"name\": NAME}");
        return NULL;
    }
    if (json_object_get(request, "settings") != NULL) {
        bp_set_error(error, BP_ERR_DENIED, "settings are the configuration's, not a request's");
        return NULL;
    }
    return request;
}

static bool
start(const bp_grpc_ask *ask, bp_grpc_reply *out, GError **error)
{
    const json_t *request = request_of(ask, error);
    const char *key = bp_json_text(ask->request, "key", "");
    bp_submit_params params = {
        .request = request, .origin = "grpc", .key = *key != '\0' ? key : NULL};
    g_autofree char *id =
        request != NULL ? bp_supervisor_submit(bp_service_supervisor(ask->service), &params, error)
                        : NULL;
    if (id == NULL) {
        return false;
    }
    out->answer = job_of(ask, id, NULL);
    if (out->answer ==
        NULL) { /* it is let in all the same, and who is told so need not ask again */
        out->answer = json_pack("{s:s, s:s}", "id", id, "state", "unreadable");
    }
    return true;
}

static bool
get(const bp_grpc_ask *ask, bp_grpc_reply *out, GError **error)
{
    out->answer = job_of(ask, id_of(ask), error);
    return out->answer != NULL;
}

static bool
cancel(const bp_grpc_ask *ask, bp_grpc_reply *out, GError **error)
{
    g_autoptr(GError) problem = NULL;
    if (bp_supervisor_cancel(bp_service_supervisor(ask->service), id_of(ask), &problem)) {
        return get(ask, out, error);
    }
    if (bp_error_is(problem, BP_ERR_INVALID)) {
        /* It has ended: nothing is wrong with the request, only with its moment. */
        bp_set_error(error, BP_ERR_UNSUPPORTED, "%s", problem->message);
    } else {
        g_propagate_error(error, g_steal_pointer(&problem));
    }
    return false;
}

static bool
watch(const bp_grpc_ask *ask, bp_grpc_reply *out, GError **error)
{
    out->answer = job_of(ask, id_of(ask), error);
    out->is_last = out->answer != NULL && bp_service_is_over(out->answer);
    return out->answer != NULL;
}

static guint64
version(const bp_grpc_ask *ask)
{
    return bp_service_changes(ask->service, id_of(ask));
}

static bool
check_list(const json_t *request, gsize *limit, GError **error)
{
    static const char *const live[] = {"", "queued", "running", "cancelling", "unreadable", NULL};
    const char *state = bp_json_text(request, "state", "");
    json_int_t n = json_integer_value(json_object_get(request, "limit"));
    if (!g_strv_contains(live, state) && !bp_jobs_is_over(state)) {
        bp_set_error(error, BP_ERR_INVALID, "there is no state '%s'", state);
        return false;
    }
    if (n < 0 || n > BP_JOBS_MAX) {
        bp_set_error(error, BP_ERR_INVALID, "limit is a number up to %d", BP_JOBS_MAX);
        return false;
    }
    *limit = n > 0 ? (gsize)n : DEFAULT_LIMIT;
    return true;
}

/* What comes after the cursor, an ID.  Newest come first, and sort last. */
static json_t *
page_of(const json_t *all, const char *cursor, gsize limit)
{
    json_t *jobs = json_array();
    json_t *page = json_pack("{s:o}", "jobs", jobs);
    for (gsize i = 0; i < json_array_size(all); i++) {
        json_t *job = json_array_get(all, i);
        if (*cursor != '\0' && strcmp(bp_json_text(job, "id", ""), cursor) >= 0) {
            continue;
        }
        if (json_array_size(jobs) == limit) {
            const json_t *last = json_array_get(jobs, limit - 1);
            bp_json_set_text(page, "next", bp_json_text(last, "id", ""));
            break;
        }
        wrap(job, "request");
        json_array_append(jobs, job);
    }
    return page;
}

static bool
list(const bp_grpc_ask *ask, bp_grpc_reply *out, GError **error)
{
    const char *state = bp_json_text(ask->request, "state", NULL);
    gsize limit = 0;
    if (!check_list(ask->request, &limit, error)) {
        return false;
    }
    g_autoptr(json_t) all = bp_jobs_list(bp_service_jobs(ask->service),
                                         state != NULL && *state != '\0' ? state : NULL, error);
    if (all == NULL) {
        return false;
    }
    out->answer = page_of(all, bp_json_text(ask->request, "cursor", ""), limit);
    return true;
}

const bp_grpc_method bp_grpc_jobs_methods[] = {
    {.path = SERVICE "Start",
     .request = &bp_grpc_start_request,
     .response = &bp_grpc_job,
     .role = BP_ROLE_OPERATE,
     .kind = BP_GRPC_ONE,
     .lane = BP_GRPC_STORAGE, /* who writes where is asked of the storages */
     .answer = start},
    {.path = SERVICE "List",
     .request = &bp_grpc_list_request,
     .response = &bp_grpc_list_response,
     .role = BP_ROLE_READ,
     .kind = BP_GRPC_ONE,
     .lane = BP_GRPC_QUICK,
     .answer = list},
    {.path = SERVICE "Get",
     .request = &bp_grpc_get_request,
     .response = &bp_grpc_job,
     .role = BP_ROLE_READ,
     .kind = BP_GRPC_ONE,
     .lane = BP_GRPC_QUICK,
     .answer = get},
    {.path = SERVICE "Watch",
     .request = &bp_grpc_watch_request,
     .response = &bp_grpc_job,
     .role = BP_ROLE_READ,
     .kind = BP_GRPC_STREAM,
     .lane = BP_GRPC_QUICK,
     .answer = watch,
     .version = version},
    {.path = SERVICE "Cancel",
     .request = &bp_grpc_cancel_request,
     .response = &bp_grpc_job,
     .role = BP_ROLE_OPERATE,
     .kind = BP_GRPC_ONE,
     .lane = BP_GRPC_QUICK,
     .answer = cancel},
};
const gsize bp_grpc_jobs_n_methods = G_N_ELEMENTS(bp_grpc_jobs_methods);
