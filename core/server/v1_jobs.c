/* SPDX-License-Identifier: Apache-2.0
 *
 * See v1_internal.h: jobs of v1's operations.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/jobs/request.h"
#include "core/server/v1_internal.h"
#include "core/verb/select.h"

#include "sdk/lib/ban.h"

/* Names without a parent are of the source's own; which that is does not matter for a check. */
#define SOME_PARENT "default"

static bool
is_about(const json_t *job, const char *name, const char *storage)
{
    const char *verb = bp_json_text(job, "verb", "");
    const char *place = bp_json_text(json_object_get(job, "request"), "storage", "");
    return (strcmp(verb, "create") == 0 || strcmp(verb, "delete") == 0) &&
           strcmp(bp_json_text(job, "name", ""), name) == 0 &&
           strcmp(place, storage != NULL ? storage : "") == 0;
}

const json_t *
bp_v1__job_of(const json_t *jobs, const char *name, const char *storage)
{
    for (gsize i = 0; i < json_array_size(jobs); i++) {
        const json_t *job = json_array_get(jobs, i);
        if (is_about(job, name, storage)) {
            return job;
        }
    }
    return NULL;
}

static bool
can_be_key(const char *key)
{
    for (const char *p = key; *p != '\0'; p++) {
        if (!g_ascii_isprint(*p)) {
            return false;
        }
    }
    return strlen(key) <= BP_SUBMIT_KEY_BYTES;
}

json_t *
bp_v1__submit(bp_service *service, const bp_v1_call *call, const json_t *request, const char *key,
              GError **error)
{
    /* Who says the same again means a new job here, and never gets an old one's answer. */
    bp_submit_params params = {.request = request,
                               .origin = call->origin != NULL ? call->origin : "v1",
                               .key = key != NULL && can_be_key(key) ? key : NULL,
                               .takes_key = true};
    g_autofree char *id = bp_supervisor_submit(bp_service_supervisor(service), &params, error);
    return id != NULL ? bp_jobs_get(bp_service_jobs(service), id, error) : NULL;
}

json_t *
bp_v1__wait(bp_service *service, const bp_v1_call *call, const json_t *job, GError **error)
{
    return bp_service_wait(service, bp_json_text(job, "id", ""), G_MAXINT64, call->stopping, error);
}

json_t *
bp_v1__job_with_key(bp_service *service, const char *prefix, const char *id)
{
    g_autofree char *key = g_strconcat(prefix, id, NULL);
    g_autofree char *found = bp_jobs_find_key(bp_service_jobs(service), key);
    return found != NULL ? bp_jobs_get(bp_service_jobs(service), found, NULL) : NULL;
}

bool
bp_v1__check_request(const json_t *request, GError **error)
{
    bp_select_text text = {.filter = bp_json_text(request, "filter", NULL),
                           .children = bp_json_text(request, "collections", NULL),
                           .json = bp_json_text(request, "database_collections", NULL)};
    g_autoptr(bp_selection) selection = bp_select_parse(&text, SOME_PARENT, error);
    if (selection == NULL) {
        return false;
    }
    g_autoptr(bp_renames) renames =
        bp_renames_new(SOME_PARENT, bp_json_text(request, "rename", NULL),
                       bp_json_text(request, "suffix", NULL), error);
    return renames != NULL && bp_request_check(request, error);
}
