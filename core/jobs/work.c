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
#include "core/jobs/run_internal.h"
#include "core/verb/done.h"
#include "core/verb/restore_settle.h"

#include "sdk/lib/ban.h"

/* Killed after its last write: what it was to make is there. */
static bool
was_done(const bp_verb *verb, const json_t *request, const json_t *record)
{
    const char *name = bp_json_text(request, "name", "");
    if (strcmp(bp_json_text(request, "verb", ""), "create") == 0) {
        gint64 began = bp_clock_parse(bp_json_text(record, "started", ""));
        return bp_verb_was_created(verb, bp_json_text(request, "storage", NULL), name, began);
    }
    /* With --replace the copy may be the one that was to be replaced: the same, but for damage. */
    return !json_is_true(json_object_get(request, "replace")) &&
           bp_verb_was_copied(verb, bp_json_text(request, "from", NULL),
                              bp_json_text(request, "to", NULL), name);
}

/* From what it proved; from the start where it had not begun to write. */
static bp_verb_outcome
resume(const bp_verb *verb, const json_t *request, const json_t *record, GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autoptr(json_t) again = json_deep_copy(request);
    json_object_set_new(again, "resume", json_true());
    (void)json_object_del(again, "replace");
    bp_verb_outcome outcome = bp_request_run(verb, again, &problem);
    bool is_there = bp_error_is(problem, BP_ERR_EXISTS);
    if (is_there && was_done(verb, request, record)) {
        return BP_VERB_OK;
    }
    bool is_to_go = is_there && json_is_true(json_object_get(request, "replace"));
    if (bp_error_is(problem, BP_ERR_NOT_FOUND) || is_to_go) {
        return bp_request_run(verb, request, error);
    }
    if (problem != NULL) {
        g_propagate_error(error, g_steal_pointer(&problem));
    }
    return outcome;
}

static bp_verb_outcome
delete_again(const bp_verb *verb, const json_t *request, GError **error)
{
    g_autoptr(GError) problem = NULL;
    bp_verb_outcome outcome = bp_request_run(verb, request, &problem);
    if (bp_error_is(problem, BP_ERR_NOT_FOUND)) { /* else its first process would have said so */
        bp_monitor_note(verb->monitor, BP_NOTE_INFO, "deleted",
                        "nothing was left of the backup when this was looked at again");
        return BP_VERB_OK;
    }
    if (problem != NULL) {
        g_propagate_error(error, g_steal_pointer(&problem));
    }
    return outcome;
}

/* It was done, and so is its result; only its state is missing. */
static bool
take_kept(const bp_verb *verb, const bp_ticket *ticket, bp_verb_outcome *outcome)
{
    g_autoptr(json_t) kept = bp_ticket_kept_result(ticket);
    const char *word = bp_json_text(kept, "outcome", "");
    *outcome = strcmp(word, "done") == 0 ? BP_VERB_OK : BP_VERB_DIFFERENT;
    if (*outcome != BP_VERB_OK && strcmp(word, "different") != 0) {
        return false;
    }
    const json_t *notes = json_object_get(kept, "notes");
    for (gsize i = 0; i < json_array_size(notes); i++) {
        const json_t *note = json_array_get(notes, i);
        bool warns = strcmp(bp_json_text(note, "level", ""), "warning") == 0;
        bp_monitor_note(verb->monitor, warns ? BP_NOTE_WARN : BP_NOTE_INFO,
                        bp_json_text(note, "code", "note"), bp_json_text(note, "text", ""));
    }
    json_object_update(verb->result, kept);
    return true;
}

static bp_verb_outcome
run_again(const bp_verb *verb, const json_t *request, void *ctx, GError **error)
{
    const bp_ticket *ticket = ctx;
    const char *name = bp_json_text(request, "verb", "");
    bp_verb_outcome outcome = BP_VERB_FAILED;
    bp_monitor_note(verb->monitor, BP_NOTE_WARN, "interrupted",
                    "an earlier process of this job was killed or stopped");
    if (take_kept(verb, ticket, &outcome)) {
        return outcome;
    }
    if (strcmp(name, "create") == 0 || strcmp(name, "copy") == 0) {
        return resume(verb, request, bp_ticket_record(ticket), error);
    }
    if (strcmp(name, "restore") == 0) {
        if (!bp_workspace_choose(verb->workspace, bp_json_text(request, "storage", NULL), error)) {
            return BP_VERB_FAILED;
        }
        return bp_verb_restore_settle(verb, bp_json_text(request, "name", ""), error);
    }
    return strcmp(name, "delete") == 0 ? delete_again(verb, request, error)
                                       : bp_request_run(verb, request, error);
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
    bp_json_set_text(params->verb->result, "job", bp_json_text(request, "verb", NULL));
    bp_json_set_text(params->verb->result, "name", bp_json_text(request, "name", NULL));
    bp_jobs_run_params run = {.verb = params->verb,
                              .request = request,
                              .cancel = params->cancel,
                              .origin = bp_json_text(record, "origin", NULL)};
    return bp_jobs__run_seen(&run, ticket, bp_ticket_is_again(ticket) ? run_again : NULL, ticket,
                             error);
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
