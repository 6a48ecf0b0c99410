/* SPDX-License-Identifier: Apache-2.0
 *
 * See work.h.
 */
#include "core/jobs/work.h"

#include <signal.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/job/restore_settle.h"
#include "core/jobs/run_internal.h"

#include "sdk/lib/ban.h"

/* Killed after its last write: what it made is there, and it was this job that made it. */
static bool
was_done(const bp_job *job, const json_t *request, const json_t *record)
{
    g_autoptr(json_t) found = json_object();
    bp_job look = {.workspace = job->workspace, .monitor = job->monitor, .result = found};
    bool is_create = strcmp(bp_json_text(request, "verb", ""), "create") == 0;
    if (!is_create ||
        bp_job_get(&look, bp_json_text(request, "name", ""), true, NULL) != BP_VERB_OK) {
        return false;
    }
    gint64 made = bp_clock_parse(bp_json_text(found, "started", ""));
    gint64 began = bp_clock_parse(bp_json_text(record, "started", ""));
    if (strcmp(bp_json_text(found, "status", ""), "success") != 0 || made < began) {
        return false;
    }
    bp_json_set_text(job->result, "state", "success");
    json_object_set(job->result, "items", json_object_get(found, "items"));
    json_object_set(job->result, "bytes", json_object_get(found, "bytes"));
    json_object_set(job->result, "units", json_object_get(found, "units"));
    bp_json_set_text(job->result, "source_address", bp_json_text(found, "source_address", NULL));
    bp_json_set_text(job->result, "label", bp_json_text(found, "label", NULL));
    return true;
}

/* From what it proved; from the start where it had not begun to write. */
static bp_verb_outcome
resume(const bp_job *job, const json_t *request, const json_t *record, GError **error)
{
    GError *problem = NULL;
    g_autoptr(json_t) again = json_deep_copy(request);
    json_object_set_new(again, "resume", json_true());
    (void)json_object_del(again, "replace");
    bp_verb_outcome outcome = bp_request_run(job, again, &problem);
    if (outcome == BP_VERB_FAILED && bp_error_is(problem, BP_ERR_NOT_FOUND)) {
        g_clear_error(&problem);
        outcome = bp_request_run(job, request, &problem);
    }
    if (outcome == BP_VERB_FAILED && bp_error_is(problem, BP_ERR_EXISTS) &&
        was_done(job, request, record)) {
        g_clear_error(&problem);
        outcome = BP_VERB_OK;
    }
    if (problem != NULL) {
        g_propagate_error(error, problem);
    }
    return outcome;
}

static bp_verb_outcome
run_again(const bp_job *job, const json_t *request, void *ctx, GError **error)
{
    const json_t *record = ctx;
    const char *verb = bp_json_text(request, "verb", "");
    bp_monitor_note(job->monitor, BP_NOTE_WARN, "interrupted",
                    "an earlier process of this job was killed");
    if (strcmp(verb, "create") == 0 || strcmp(verb, "copy") == 0) {
        return resume(job, request, record, error);
    }
    if (strcmp(verb, "restore") == 0) {
        if (!bp_workspace_choose(job->workspace, bp_json_text(request, "storage", NULL), error)) {
            return BP_VERB_FAILED;
        }
        guint64 pid = bp_json_u64(json_object_get(record, "killed"), "pid", 0);
        return bp_job_restore_settle(job, bp_json_text(request, "name", ""), pid, error);
    }
    return bp_request_run(job, request, error);
}

bp_verb_outcome
bp_jobs_work(const bp_work_params *params, GError **error)
{
    g_autoptr(bp_ticket) ticket =
        bp_ticket_adopt(params->jobs, params->id, params->take_lock, error);
    if (ticket == NULL) {
        return BP_VERB_FAILED;
    }
    if (bp_ticket_is_cancelled(ticket)) {
        bp_cancel_trigger(params->cancel, SIGTERM);
    }
    const json_t *record = bp_ticket_record(ticket);
    const json_t *request = json_object_get(record, "request");
    bool again = bp_json_u64(record, "attempt", 1) > 1;
    bp_json_set_text(params->job->result, "job", bp_json_text(request, "verb", NULL));
    bp_json_set_text(params->job->result, "name", bp_json_text(request, "name", NULL));
    bp_jobs_run_params run = {.job = params->job,
                              .request = request,
                              .cancel = params->cancel,
                              .origin = bp_json_text(record, "origin", NULL)};
    return bp_jobs__run_seen(&run, ticket, again ? run_again : NULL, (void *)record, error);
}

void
bp_jobs_work_failed(bp_jobs *jobs, const char *id, int take_lock, const GError *why)
{
    g_autoptr(bp_ticket) ticket = bp_ticket_adopt(jobs, id, take_lock, NULL);
    g_autoptr(json_t) result = json_object();
    bp_json_set_text(result, "outcome", "failed");
    json_object_set_new(result, "error", bp_json_error(why));
    if (ticket != NULL) {
        (void)bp_ticket_finish(ticket, "failed", result, NULL); /* else it looks interrupted */
    }
}
