/* SPDX-License-Identifier: Apache-2.0
 *
 * See api_jobs.h.
 */
#include "core/server/api_jobs.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/server/api.h"

#include "sdk/lib/ban.h"

#define HERE BP_API_HERE "/jobs"

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
    static const bp_api_number limits = {"limit", 1, BP_API_MAX_PAGE, BP_API_PAGE};
    const char *state = bp_http_target_parameter(request->target, "state");
    const char *cursor = bp_http_target_parameter(request->target, "cursor");
    g_autoptr(GError) error = NULL;
    guint64 limit = 0;
    if (!bp_api__check_parameters(request, known, &error) || !check_state(state, &error) ||
        !bp_api__number(request, &limits, &limit, &error)) {
        return bp_reply_error(error);
    }
    g_autoptr(json_t) all = bp_jobs_list(bp_service_jobs(ctx), state, &error);
    return all != NULL ? bp_reply_json(200, page_of(all, cursor, limit)) : bp_reply_error(error);
}

static bp_reply *
show_job(void *ctx, const bp_http_request *request)
{
    static const char *const known[] = {"wait", NULL};
    static const bp_api_number waits = {"wait", 0, BP_API_MAX_WAIT_S, 0};
    const char *id = bp_http_part(request, "id");
    g_autoptr(GError) error = NULL;
    guint64 seconds = 0;
    if (!bp_api__check_parameters(request, known, &error) ||
        !bp_api__number(request, &waits, &seconds, &error)) {
        return bp_reply_error(error);
    }
    if (seconds == 0) {
        return bp_api__job(ctx, id, 200);
    }
    gint64 until_ns = bp_clock_mono_ns() + (gint64)seconds * BP_NS_PER_S;
    json_t *job = bp_service_wait(ctx, id, until_ns, request->stopping, &error);
    return job != NULL ? bp_reply_json(200, job) : bp_reply_error(error);
}

static bp_reply *
show_log(void *ctx, const bp_http_request *request)
{
    static const char *const known[] = {NULL};
    g_autoptr(GError) error = NULL;
    g_autofree char *log =
        bp_api__check_parameters(request, known, &error)
            ? bp_jobs_log(bp_service_jobs(ctx), bp_http_part(request, "id"), &error)
            : NULL;
    return log != NULL ? bp_reply_text(200, log) : bp_reply_error(error);
}

static bp_reply *
cancel_job(void *ctx, const bp_http_request *request)
{
    static const char *const known[] = {NULL};
    const char *id = bp_http_part(request, "id");
    g_autoptr(GError) error = NULL;
    if (!bp_api__check_parameters(request, known, &error) ||
        !bp_api__check_no_body(request, &error)) {
        return bp_reply_error(error);
    }
    if (bp_supervisor_cancel(bp_service_supervisor(ctx), id, &error)) {
        return bp_api__job(ctx, id, 202);
    }
    /* It has ended: nothing is wrong with the request, only with its moment. */
    return bp_error_is(error, BP_ERR_INVALID) ? bp_reply_error_as(409, error)
                                              : bp_reply_error(error);
}

static bp_reply *
start_job(void *ctx, const bp_http_request *request)
{
    static const char *const known[] = {NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) wanted =
        bp_api__check_parameters(request, known, &error) ? bp_api__body(request, &error) : NULL;
    return wanted != NULL ? bp_api__start(ctx, request, wanted) : bp_reply_error(error);
}

const bp_route bp_api_jobs_routes[] = {
    {.method = "GET", .path = HERE, .role = BP_ROLE_READ, .answer = list_jobs},
    {.method = "POST", .path = HERE, .role = BP_ROLE_OPERATE, .answer = start_job},
    {.method = "GET", .path = HERE "/{id}", .role = BP_ROLE_READ, .answer = show_job},
    {.method = "GET", .path = HERE "/{id}/log", .role = BP_ROLE_READ, .answer = show_log},
    {.method = "POST", .path = HERE "/{id}/cancel", .role = BP_ROLE_OPERATE, .answer = cancel_job},
};
const gsize bp_api_jobs_n_routes = G_N_ELEMENTS(bp_api_jobs_routes);
