/* SPDX-License-Identifier: Apache-2.0
 *
 * See v1.h: restoring, looking at a restore, and trying everything.
 */
#include <string.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/log.h"
#include "core/catalog/name.h"
#include "core/compat/ask_v1.h"
#include "core/server/v1_internal.h"

#include "sdk/lib/ban.h"

#define ENDS "the server ends; the restore goes on, ask for it by its id"

/* "restore_" and the time, as names of backups are made. */
static char *
make_id(void)
{
    g_autofree char *name = bp_backup_name_generate(bp_clock_wall_ns());
    return g_strconcat("restore", strchr(name, '_'), NULL);
}

/* An ID that a client has chosen finds this restore later, and no other that is still at work. */
static char *
take_id(bp_service *service, const json_t *message, GError **error)
{
    const char *given = bp_json_text(message, "id", "");
    if (*given == '\0') {
        return make_id();
    }
    gsize n = strlen(given) + strlen(BP_V1_KEY_RESTORE);
    for (const char *p = given; *p != '\0'; p++) {
        if (!g_ascii_isgraph(*p) || n > BP_SUBMIT_KEY_BYTES) {
            bp_set_error(error, BP_ERR_INVALID,
                         "id: it has to be of at most %zu printable ASCII characters",
                         BP_SUBMIT_KEY_BYTES - strlen(BP_V1_KEY_RESTORE));
            return NULL;
        }
    }
    g_autoptr(json_t) other = bp_v1__job_with_key(service, BP_V1_KEY_RESTORE, given);
    bp_v1_state state = other != NULL ? bp_v1_state_of_job(other) : BP_V1_DONE;
    if (state == BP_V1_INITIAL || state == BP_V1_EXECUTING) {
        bp_set_error(error, BP_ERR_INVALID, "id: a restore with it has not ended");
        bp_error_add_hint(error, "get_restore tells what became of it");
        return NULL;
    }
    return g_strdup(given);
}

static bool
check_there(bp_service *service, const json_t *request, GError **error)
{
    g_auto(bp_v1_look) look = {0};
    g_autoptr(json_t) entry =
        bp_v1__look_open(&look, service, bp_json_text(request, "storage", NULL), error)
            ? bp_v1__look_entry(&look, bp_json_text(request, "name", ""), error)
            : NULL;
    return entry != NULL;
}

static json_t *
answer_restored(bp_service *service, const bp_v1_call *call, const json_t *job, const char *id,
                json_t *answer)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) over = bp_v1__wait(service, call, job, &error);
    if (over == NULL) {
        return bp_v1__fail_with(answer, BP_V1_FAIL, error);
    }
    bp_v1_state state = bp_v1_state_of_job(over);
    json_t *task = bp_v1_tell_restore(over, id);
    g_autofree char *problem = bp_v1_tell_problem(over);
    if (state == BP_V1_DONE) {
        return bp_v1__end(answer, BP_V1_SUCCESS, problem != NULL ? problem : "success", task);
    }
    return bp_v1__end(answer, BP_V1_FAIL, state == BP_V1_FAILED ? problem : ENDS, task);
}

json_t *
bp_v1__restore(bp_service *service, const bp_v1_call *call)
{
    json_t *answer = bp_v1__answer(call);
    g_autoptr(GError) error = NULL;
    if (!bp_v1_is_said(call->request, "backup_name")) {
        return bp_v1__end(answer, BP_V1_PARAMETER_ERROR, "empty backup name", NULL);
    }
    g_autoptr(json_t) request =
        bp_v1_ask_restore(call->request, bp_service_config(service), &error);
    g_autofree char *id = request != NULL && bp_v1__check_request(request, &error)
                              ? take_id(service, call->request, &error)
                              : NULL;
    if (id == NULL || !check_there(service, request, &error)) {
        return bp_v1__fail(answer, error);
    }
    g_autofree char *key = g_strconcat(BP_V1_KEY_RESTORE, id, NULL);
    g_autoptr(json_t) job = bp_v1__submit(service, call, request, key, &error);
    if (job == NULL) {
        return bp_v1__fail(answer, error);
    }
    if (bp_v1_is_said(call->request, "async")) {
        return bp_v1__end(answer, BP_V1_SUCCESS, "restore backup is executing asynchronously",
                          bp_v1_tell_restore(job, id));
    }
    return answer_restored(service, call, job, id, answer);
}

json_t *
bp_v1__get_restore(bp_service *service, const bp_v1_call *call)
{
    json_t *answer = bp_v1__answer(call);
    const char *id = bp_json_text(call->request, "id", "");
    if (*id == '\0') {
        return bp_v1__end(answer, BP_V1_FAIL, "empty restore id", NULL);
    }
    g_autoptr(json_t) job = bp_v1__job_with_key(service, BP_V1_KEY_RESTORE, id);
    if (job == NULL) { /* of another interface, by the job's own */
        job = bp_jobs_get(bp_service_jobs(service), id, NULL);
    }
    if (job == NULL || strcmp(bp_json_text(job, "verb", ""), "restore") != 0) {
        return bp_v1__end(answer, BP_V1_FAIL, "restore id not exist in context", NULL);
    }
    return bp_v1__end(answer, BP_V1_SUCCESS, "success", bp_v1_tell_restore(job, id));
}

json_t *
bp_v1__check(bp_service *service, const bp_v1_call *call)
{
    json_t *answer = bp_v1__answer(call);
    g_auto(bp_v1_look) look = {0};
    g_autoptr(GError) error = NULL;
    if (!bp_v1__look_borrow(&look, service, &error)) {
        return bp_v1__fail_with(answer, BP_V1_FAIL, error);
    }
    bool done = bp_verb_check(&look.verb, &error) != BP_VERB_FAILED;
    g_autofree char *text = bp_v1_tell_check(look.verb.result, bp_service_config(service), done);
    g_autofree char *redacted = bp_log_redact(text);
    return bp_v1__end(answer, done ? BP_V1_SUCCESS : BP_V1_FAIL, redacted, NULL);
}
