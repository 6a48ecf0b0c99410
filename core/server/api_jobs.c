/* SPDX-License-Identifier: Apache-2.0
 *
 * See api_jobs.h.
 */
#include "core/server/api_jobs.h"

#include <stdbool.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/server/service.h"
#include "sdk/lib/parse.h"

#include "sdk/lib/ban.h"

#define HERE "/api/v2/jobs"

/* Parameters that nobody knows are mistakes: a filter that is not obeyed shows too much. */
static bool
check_parameters(const bp_http_target *target, const char *const *known, GError **error)
{
    GHashTableIter iter;
    gpointer name = NULL;
    g_hash_table_iter_init(&iter, target->query);
    while (g_hash_table_iter_next(&iter, &name, NULL)) {
        if (!g_strv_contains(known, name)) {
            bp_set_error(error, BP_ERR_INVALID, "there is no parameter '%s' here", (char *)name);
            return false;
        }
    }
    return true;
}

static bool
parse_limit(const bp_http_target *target, gsize *out, GError **error)
{
    const char *text = bp_http_target_parameter(target, "limit");
    guint64 n = BP_API_JOBS_LIMIT;
    if (text != NULL && (bp_parse_u64(text, &n) != 0 || n == 0 || n > BP_JOBS_MAX)) {
        bp_set_error(error, BP_ERR_INVALID, "limit is a number from 1 to %d", BP_JOBS_MAX);
        return false;
    }
    *out = (gsize)n;
    return true;
}

static bool
check_state(const char *state, GError **error)
{
    static const char *const live[] = {"queued", "running", "cancelling", "unreadable", NULL};
    if (state == NULL || bp_jobs_is_over(state) || g_strv_contains(live, state)) {
        return true;
    }
    bp_set_error(error, BP_ERR_INVALID, "there is no state '%s'", state);
    bp_error_add_hint(error, "states are queued, running, cancelling, succeeded, different, "
                             "failed, cancelled, interrupted");
    return false;
}

/* One page: what comes after the cursor, an ID.  Newest come first, and sort last. */
static json_t *
page_of(const json_t *all, const char *cursor, gsize limit)
{
    json_t *page = json_object();
    json_t *jobs = json_array();
    json_object_set_new(page, "jobs", jobs);
    for (gsize i = 0; i < json_array_size(all); i++) {
        json_t *job = json_array_get(all, i);
        const char *id = bp_json_text(job, "id", "");
        if (cursor != NULL && strcmp(id, cursor) >= 0) {
            continue;
        }
        if (json_array_size(jobs) == limit) {
            const json_t *last = json_array_get(jobs, limit - 1);
            bp_json_set_text(page, "next", bp_json_text(last, "id", ""));
            break;
        }
        json_array_append(jobs, job);
    }
    return page;
}

static bp_reply *
list_jobs(void *ctx, const bp_http_request *request)
{
    static const char *const known[] = {"state", "limit", "cursor", NULL};
    const bp_service *service = ctx;
    const char *state = bp_http_target_parameter(request->target, "state");
    const char *cursor = bp_http_target_parameter(request->target, "cursor");
    g_autoptr(GError) error = NULL;
    gsize limit = 0;
    if (!check_parameters(request->target, known, &error) || !check_state(state, &error) ||
        !parse_limit(request->target, &limit, &error)) {
        return bp_reply_error(error);
    }
    g_autoptr(json_t) all = bp_jobs_list(bp_service_jobs(service), state, &error);
    return all != NULL ? bp_reply_json(200, page_of(all, cursor, limit)) : bp_reply_error(error);
}

static bp_reply *
answer_job(const bp_service *service, const char *id, unsigned status)
{
    g_autoptr(GError) error = NULL;
    json_t *job = bp_jobs_get(bp_service_jobs(service), id, &error);
    return job != NULL ? bp_reply_json(status, job) : bp_reply_error(error);
}

static bp_reply *
show_job(void *ctx, const bp_http_request *request)
{
    return answer_job(ctx, bp_http_part(request, "id"), 200);
}

static bp_reply *
show_log(void *ctx, const bp_http_request *request)
{
    const bp_service *service = ctx;
    g_autoptr(GError) error = NULL;
    g_autofree char *log =
        bp_jobs_log(bp_service_jobs(service), bp_http_part(request, "id"), &error);
    return log != NULL ? bp_reply_text(200, log) : bp_reply_error(error);
}

static bp_reply *
cancel_job(void *ctx, const bp_http_request *request)
{
    const bp_service *service = ctx;
    const char *id = bp_http_part(request, "id");
    g_autoptr(GError) error = NULL;
    if (bp_supervisor_cancel(bp_service_supervisor(service), id, &error)) {
        return answer_job(service, id, 202);
    }
    /* It has ended: nothing is wrong with the request, only with its moment. */
    return bp_error_is(error, BP_ERR_INVALID) ? bp_reply_problem(409, error->message, NULL)
                                              : bp_reply_error(error);
}

/* The body as a request.  INVALID.  Returns: (transfer full) (nullable) */
static json_t *
read_request(const bp_http_request *request, GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autoptr(json_t) body = bp_json_parse(request->body, request->n, "the body", &problem);
    if (body == NULL) {
        bp_set_error(error, BP_ERR_INVALID, "%s", problem->message);
        return NULL;
    }
    if (json_object_get(body, "settings") != NULL) {
        bp_set_error(error, BP_ERR_DENIED, "settings are the configuration's, not a request's");
        return NULL;
    }
    return g_steal_pointer(&body);
}

static bp_reply *
start_job(void *ctx, const bp_http_request *request)
{
    const bp_service *service = ctx;
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) body = read_request(request, &error);
    bp_submit_params params = {.request = body, .origin = "rest-v2"};
    g_autofree char *id =
        body != NULL ? bp_supervisor_submit(bp_service_supervisor(service), &params, &error) : NULL;
    if (id == NULL) {
        return bp_reply_error(error);
    }
    g_autofree char *where = g_strconcat(HERE "/", id, NULL);
    bp_reply *answer = answer_job(service, id, 202);
    bp_reply_add_header(answer, "Location", where);
    return answer;
}

const bp_route bp_api_jobs_routes[] = {
    {.method = "GET", .path = HERE, .role = BP_ROLE_READ, .answer = list_jobs},
    {.method = "POST", .path = HERE, .role = BP_ROLE_OPERATE, .answer = start_job},
    {.method = "GET", .path = HERE "/{id}", .role = BP_ROLE_READ, .answer = show_job},
    {.method = "GET", .path = HERE "/{id}/log", .role = BP_ROLE_READ, .answer = show_log},
    {.method = "POST", .path = HERE "/{id}/cancel", .role = BP_ROLE_OPERATE, .answer = cancel_job},
};
const gsize bp_api_jobs_n_routes = G_N_ELEMENTS(bp_api_jobs_routes);
