/* SPDX-License-Identifier: Apache-2.0
 *
 * See api.h.
 */
#include "core/server/api.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/jobs/request.h"
#include "sdk/lib/parse.h"

#include "sdk/lib/ban.h"

#define KEY_HEADER "idempotency-key"

bool
bp_api__check_parameters(const bp_http_request *request, const char *const *known, GError **error)
{
    GHashTableIter iter;
    gpointer name = NULL;
    g_hash_table_iter_init(&iter, request->target->query);
    while (g_hash_table_iter_next(&iter, &name, NULL)) {
        if (!g_strv_contains(known, name)) {
            bp_set_error(error, BP_ERR_INVALID, "there is no parameter '%s' here", (char *)name);
            return false;
        }
    }
    return true;
}

bool
bp_api__number(const bp_http_request *request, const bp_api_number *wanted, guint64 *out,
               GError **error)
{
    const char *text = bp_http_target_parameter(request->target, wanted->name);
    guint64 n = wanted->fallback;
    if (text != NULL && (bp_parse_u64(text, &n) != 0 || n < wanted->least || n > wanted->most)) {
        bp_set_error(error, BP_ERR_INVALID,
                     "%s is a number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
                     wanted->name, wanted->least, wanted->most);
        return false;
    }
    *out = n;
    return true;
}

bool
bp_api__switch(const bp_http_request *request, const char *name, bool *out, GError **error)
{
    const char *text = bp_http_target_parameter(request->target, name);
    *out = g_strcmp0(text, "true") == 0;
    if (text == NULL || *out || strcmp(text, "false") == 0) {
        return true;
    }
    bp_set_error(error, BP_ERR_INVALID, "%s is true or false", name);
    return false;
}

json_t *
bp_api__body(const bp_http_request *request, GError **error)
{
    g_autoptr(GError) problem = NULL;
    json_t *body = bp_json_parse(request->body, request->n, "the body", &problem);
    if (body == NULL) {
        bp_set_error(error, BP_ERR_INVALID, "%s", problem->message);
    }
    return body;
}

json_t *
bp_api__optional_body(const bp_http_request *request, GError **error)
{
    return request->n > 0 ? bp_api__body(request, error) : json_object();
}

bool
bp_api__check_no_body(const bp_http_request *request, GError **error)
{
    g_autoptr(json_t) body = bp_api__optional_body(request, error);
    const char *member = body != NULL ? json_object_iter_key(json_object_iter(body)) : NULL;
    if (member != NULL) {
        bp_set_error(error, BP_ERR_INVALID, "this request knows no '%s'", member);
    }
    return body != NULL && member == NULL;
}

bp_reply *
bp_api__job(bp_service *service, const char *id, unsigned status)
{
    g_autoptr(GError) error = NULL;
    json_t *job = bp_jobs_get(bp_service_jobs(service), id, &error);
    return job != NULL ? bp_reply_json(status, job) : bp_reply_error(error);
}

/* A key that has a job now, although this is not that job, is what stood in the way. */
static bp_reply *
refuse(bp_service *service, const char *key, const GError *error)
{
    if (key == NULL || !bp_error_is(error, BP_ERR_EXISTS)) {
        return bp_reply_error(error);
    }
    g_autofree char *owner = bp_jobs_find_key(bp_service_jobs(service), key);
    return owner != NULL ? bp_reply_error_as(422, error) : bp_reply_error(error);
}

bp_reply *
bp_api__start(bp_service *service, const bp_http_request *request, const json_t *wanted)
{
    const char *key = bp_http_header(request, KEY_HEADER);
    g_autoptr(GError) error = NULL;
    if (json_object_get(wanted, "settings") != NULL) {
        return bp_reply_problem(403, "settings are the configuration's, not a request's", NULL);
    }
    if (!bp_request_check(wanted, &error)) {
        return bp_reply_error(error);
    }
    g_autofree char *before = key != NULL ? bp_jobs_find_key(bp_service_jobs(service), key) : NULL;
    bp_submit_params params = {.request = wanted, .origin = "rest-v2", .key = key};
    g_autofree char *id = bp_supervisor_submit(bp_service_supervisor(service), &params, &error);
    if (id == NULL) {
        return refuse(service, key, error);
    }
    g_autofree char *where = g_strconcat(BP_API_HERE "/jobs/", id, NULL);
    json_t *job = bp_jobs_get(bp_service_jobs(service), id, NULL);
    if (job == NULL) { /* it is let in all the same, and who is told so need not ask again */
        job = json_pack("{s:s, s:s}", "id", id, "state", "unreadable");
    }
    bp_reply *answer = bp_reply_json(g_strcmp0(before, id) == 0 ? 200 : 202, job);
    bp_reply_add_header(answer, "Location", where);
    return answer;
}
