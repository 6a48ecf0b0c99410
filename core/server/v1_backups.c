/* SPDX-License-Identifier: Apache-2.0
 *
 * See v1.h: making, getting, listing and deleting backups.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/compat/ask_v1.h"
#include "core/server/v1_internal.h"

#include "sdk/lib/ban.h"

#define ENDS "the server ends; the job goes on, ask for it by its id"

static const char *
storage_of(const json_t *request)
{
    return bp_json_text(request, "storage", NULL);
}

/* -- create */

/* Whether the name is free, as far as the storage tells. */
static bool
check_name(bp_service *service, const json_t *request, GError **error)
{
    g_auto(bp_v1_look) look = {0};
    const char *name = bp_json_text(request, "name", NULL);
    if (name == NULL) {
        return true;
    }
    if (!bp_v1__look_open(&look, service, storage_of(request), error)) {
        return false;
    }
    g_autoptr(GError) none = NULL;
    g_autoptr(json_t) entry = bp_v1__look_entry(&look, name, &none);
    if (entry != NULL) {
        bp_set_error(error, BP_ERR_EXISTS, "backup already exist with the name: %s", name);
        return false;
    }
    if (!bp_error_is(none, BP_ERR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&none));
        return false;
    }
    return true;
}

/* What the storage has now. */
static json_t *
made_backup(bp_service *service, const json_t *job, GError **error)
{
    g_auto(bp_v1_look) look = {0};
    const char *storage = storage_of(json_object_get(job, "request"));
    if (!bp_v1__look_open(&look, service, storage, error)) {
        return NULL;
    }
    g_autoptr(json_t) entry = bp_v1__look_entry(&look, bp_json_text(job, "name", ""), error);
    bp_v1_told told = {.id = bp_json_text(job, "id", NULL),
                       .entry = entry,
                       .simple = bp_service_settings(service)->has_simple_answers};
    return entry != NULL ? bp_v1__look_info(&look, &told, error) : NULL;
}

static json_t *
answer_created(bp_service *service, const bp_v1_call *call, const json_t *job, json_t *answer)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) over = bp_v1__wait(service, call, job, &error);
    if (over == NULL) {
        return bp_v1__fail_with(answer, BP_V1_FAIL, error);
    }
    bp_v1_state state = bp_v1_state_of_job(over);
    if (state == BP_V1_DONE) {
        json_t *info = made_backup(service, over, &error);
        return info != NULL ? bp_v1__end(answer, BP_V1_SUCCESS, "success", info)
                            : bp_v1__fail_with(answer, BP_V1_FAIL, error);
    }
    g_autofree char *problem = bp_v1_tell_problem(over);
    return bp_v1__end(answer, BP_V1_FAIL, state == BP_V1_FAILED ? problem : ENDS,
                      bp_v1_tell_create(over));
}

json_t *
bp_v1__create(bp_service *service, const bp_v1_call *call)
{
    json_t *answer = bp_v1__answer(call);
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) request = bp_v1_ask_create(call->request, bp_service_config(service), &error);
    if (request == NULL || !bp_v1__check_request(request, &error)) {
        return bp_v1__fail(answer, error);
    }
    g_autofree char *key =
        g_strconcat(BP_V1_KEY_CREATE, bp_json_text(answer, "requestId", ""), NULL);
    g_autoptr(json_t) job = check_name(service, request, &error)
                                ? bp_v1__submit(service, call, request, key, &error)
                                : NULL;
    if (job == NULL) {
        bool wrong = bp_error_is(error, BP_ERR_EXISTS) || bp_error_is(error, BP_ERR_INVALID);
        return bp_v1__fail_with(answer, wrong ? BP_V1_PARAMETER_ERROR : BP_V1_FAIL, error);
    }
    if (bp_v1_is_said(call->request, "async")) {
        return bp_v1__end(answer, BP_V1_SUCCESS, "create backup is executing asynchronously",
                          bp_v1_tell_create(job));
    }
    return answer_created(service, call, job, answer);
}

/* -- get */

/* What is looked for; the job where one is known that makes it. */
typedef struct {
    bp_service *service;
    char *name, *storage;
    json_t *job;
    bool simple;
} sought;

static void
sought_clear(sought *s)
{
    g_free(s->name);
    g_free(s->storage);
    json_decref(s->job);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(sought, sought_clear)

/* By the ID of its job, by the ID of the request that started it, or by its own. */
static bool
find_by_id(sought *s, const char *id, GError **error)
{
    json_t *job = bp_jobs_get(bp_service_jobs(s->service), id, NULL);
    if (job == NULL || strcmp(bp_json_text(job, "verb", ""), "create") != 0) {
        json_decref(job);
        job = bp_v1__job_with_key(s->service, BP_V1_KEY_CREATE, id);
    }
    if (job != NULL) {
        s->job = job;
        s->name = g_strdup(bp_json_text(job, "name", ""));
        g_free(s->storage);
        s->storage = g_strdup(storage_of(json_object_get(job, "request")));
        return true;
    }
    g_auto(bp_v1_look) look = {0};
    g_autoptr(json_t) entry = bp_v1__look_open(&look, s->service, s->storage, error)
                                  ? bp_v1__look_id(&look, id, error)
                                  : NULL;
    if (entry == NULL && *error == NULL) {
        bp_set_error(error, BP_ERR_NOT_FOUND, "not found");
    }
    s->name = g_strdup(bp_json_text(entry, "name", NULL));
    return entry != NULL;
}

/* The last one that made or deleted it. */
static bool
find_job(sought *s, GError **error)
{
    g_autoptr(json_t) jobs =
        s->job == NULL ? bp_jobs_list(bp_service_jobs(s->service), NULL, error) : NULL;
    const json_t *found = bp_v1__job_of(jobs, s->name, s->storage);
    if (found != NULL && strcmp(bp_json_text(found, "verb", ""), "create") == 0) {
        s->job = json_deep_copy(found);
    }
    return s->job != NULL || jobs != NULL;
}

/* The storage is the truth, but for what has not come there yet, or has failed. */
static json_t *
look_for(const sought *s, GError **error)
{
    bp_v1_state state = s->job != NULL ? bp_v1_state_of_job(s->job) : BP_V1_DONE;
    if (state == BP_V1_INITIAL || state == BP_V1_EXECUTING) {
        return bp_v1_tell_create(s->job);
    }
    g_auto(bp_v1_look) look = {0};
    if (!bp_v1__look_open(&look, s->service, s->storage, error)) {
        return NULL;
    }
    g_autoptr(GError) problem = NULL;
    g_autoptr(json_t) entry = bp_v1__look_entry(&look, s->name, &problem);
    bool is_gone = bp_error_is(problem, BP_ERR_NOT_FOUND);
    if (state == BP_V1_FAILED && (entry == NULL ? is_gone : !bp_v1__is_whole(entry))) {
        return bp_v1_tell_create(s->job);
    }
    if (entry == NULL) {
        int class = bp_error_class(problem);
        bp_set_error(error, class, "%s", is_gone ? "not found" : problem->message);
        return NULL;
    }
    bp_v1_told told = {.id = bp_json_text(state == BP_V1_DONE ? s->job : NULL, "id", NULL),
                       .entry = entry,
                       .simple = s->simple};
    return bp_v1__look_info(&look, &told, error);
}

json_t *
bp_v1__get(bp_service *service, const bp_v1_call *call)
{
    json_t *answer = bp_v1__answer(call);
    const json_t *request = call->request;
    const char *name = bp_json_text(request, "backup_name", "");
    const char *id = bp_json_text(request, "backup_id", "");
    const char *storage = NULL;
    g_autoptr(GError) error = NULL;
    if (*name == '\0' && *id == '\0') {
        return bp_v1__end(answer, BP_V1_PARAMETER_ERROR,
                          "empty backup name and backup id, please set a backup name or id", NULL);
    }
    if (!bp_v1_ask_storage(bp_service_config(service), bp_json_text(request, "bucket_name", NULL),
                           bp_json_text(request, "path", NULL), &storage, &error)) {
        return bp_v1__fail(answer, error);
    }
    g_auto(sought) wanted = {.service = service,
                             .name = *name != '\0' ? g_strdup(name) : NULL,
                             .storage = g_strdup(storage),
                             .simple = bp_v1_is_said(request, "without_detail") ||
                                       bp_service_settings(service)->has_simple_answers};
    bool found =
        (wanted.name != NULL || find_by_id(&wanted, id, &error)) && find_job(&wanted, &error);
    json_t *info = found ? look_for(&wanted, &error) : NULL;
    return info != NULL ? bp_v1__end(answer, BP_V1_SUCCESS, "success", info)
                        : bp_v1__fail(answer, error);
}

/* -- list */

/* NULL: it cannot be read, and is left out, as everywhere. */
static json_t *
listed(const bp_v1_look *look, const json_t *jobs, const json_t *entry)
{
    const json_t *job = bp_v1__job_of(jobs, bp_json_text(entry, "name", ""), NULL);
    bool made = job != NULL && strcmp(bp_json_text(job, "verb", ""), "create") == 0;
    bp_v1_told told = {
        .id = bp_json_text(made ? job : NULL, "id", NULL), .entry = entry, .simple = true};
    g_autoptr(GError) unreadable = NULL;
    json_t *info = bp_service_settings(look->service)->has_simple_answers
                       ? bp_v1_tell_entry(&told)
                       : bp_v1__look_info(look, &told, &unreadable);
    if (info == NULL) {
        bp_monitor_note(look->verb.monitor, BP_NOTE_WARN, "list",
                        unreadable != NULL ? unreadable->message : "it cannot be read");
    }
    return info;
}

json_t *
bp_v1__list(bp_service *service, const bp_v1_call *call)
{
    json_t *answer = bp_v1__answer(call);
    g_auto(bp_v1_look) look = {0};
    g_autoptr(GError) error = NULL;
    g_autofree char *child = bp_v1_ask_listed(bp_json_text(call->request, "collection_name", NULL));
    g_autoptr(json_t) jobs = bp_jobs_list(bp_service_jobs(service), NULL, &error);
    if (jobs == NULL || !bp_v1__look_open(&look, service, NULL, &error) ||
        bp_verb_list(&look.verb, child, &error) == BP_VERB_FAILED) {
        return bp_v1__fail(answer, error);
    }
    json_t *data = json_array();
    const json_t *entries = json_object_get(look.verb.result, "backups");
    for (gsize i = 0; i < json_array_size(entries); i++) {
        json_t *info = listed(&look, jobs, json_array_get(entries, i));
        if (info != NULL) {
            json_array_append_new(data, info);
        }
    }
    return bp_v1__end(answer, BP_V1_SUCCESS, "success", data);
}

/* -- delete */

static bool
check_there(bp_service *service, const char *name, GError **error)
{
    g_auto(bp_v1_look) look = {0};
    g_autoptr(GError) problem = NULL;
    g_autoptr(json_t) entry = bp_v1__look_open(&look, service, NULL, &problem)
                                  ? bp_v1__look_entry(&look, name, &problem)
                                  : NULL;
    if (bp_error_is(problem, BP_ERR_NOT_FOUND)) {
        bp_set_error(error, BP_ERR_NOT_FOUND, "not found");
    } else if (entry == NULL) {
        g_propagate_error(error, g_steal_pointer(&problem));
    }
    return entry != NULL;
}

json_t *
bp_v1__delete(bp_service *service, const bp_v1_call *call)
{
    json_t *answer = bp_v1__answer(call);
    const char *name = bp_json_text(call->request, "backup_name", "");
    g_autoptr(GError) error = NULL;
    if (*name == '\0') {
        return bp_v1__end(answer, BP_V1_PARAMETER_ERROR, "empty backup name", NULL);
    }
    if (!check_there(service, name, &error)) {
        return bp_v1__fail(answer, error);
    }
    g_autoptr(json_t) request = json_pack("{s:s,s:s}", "verb", "delete", "name", name);
    g_autoptr(json_t) job = bp_v1__submit(service, call, request, NULL, &error);
    g_autoptr(json_t) over = job != NULL ? bp_v1__wait(service, call, job, &error) : NULL;
    if (over == NULL) {
        return bp_v1__fail_with(answer, BP_V1_FAIL, error);
    }
    bp_v1_state state = bp_v1_state_of_job(over);
    if (state == BP_V1_DONE) {
        return bp_v1__end(answer, BP_V1_SUCCESS, "success", NULL);
    }
    g_autofree char *problem = bp_v1_tell_problem(over);
    return bp_v1__end(answer, BP_V1_FAIL, state == BP_V1_FAILED ? problem : ENDS, NULL);
}
