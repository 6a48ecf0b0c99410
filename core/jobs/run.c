/* SPDX-License-Identifier: Apache-2.0
 *
 * See run.h.
 */
#include "core/jobs/run.h"

#include <pthread.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/base/thread.h"
#include "core/copy/rate.h"
#include "core/jobs/claims.h"
#include "core/jobs/run_internal.h"
#include "core/jobs/successes.h"
#include "core/jobs/ticket_internal.h"
#include "core/plugin/stats.h"

#include "sdk/lib/ban.h"

#define BP_LOG_MODULE "jobs"

#define TICK_NS BP_NS_PER_S

/* What is on record while it runs. */
typedef struct {
    const bp_verb *verb;
    bp_ticket *ticket;
} seen_run;

/* Writes the numbers down, once a second. */
typedef struct {
    bp_ticket *ticket;
    bp_monitor *monitor;
    bp_rate rate;
    bool failed;   /* the last time; only changes are said */
    char *run;     /* of this process: its numbers begin at 0 */
    json_t *stats; /* as they were written; NULL = not yet */
    pthread_t thread;
    pthread_mutex_t lock; /* guards stopping */
    pthread_cond_t wake;
    bool stopping;
} ticker;

/* @is_last: the verb has ended, and with it the phase that had numbers. */
static bool
write_progress(ticker *t, bool is_last, GError **error)
{
    bp_progress numbers;
    bool is_known =
        is_last ? bp_monitor_last(t->monitor, &numbers) : bp_monitor_snapshot(t->monitor, &numbers);
    if (!is_known) {
        return true;
    }
    bp_rate_update(&t->rate, &numbers);
    g_autoptr(json_t) progress = bp_progress_json(&numbers, &t->rate);
    return bp_ticket_progress(t->ticket, progress, error);
}

static bool
write_stats(ticker *t, GError **error)
{
    json_t *stats = bp_stats_json();
    bp_json_set_text(stats, "run", t->run);
    bool fine = json_equal(stats, t->stats) || bp_ticket_stats(t->ticket, stats, error);
    json_decref(t->stats);
    t->stats = fine ? json_incref(stats) : NULL;
    json_decref(stats);
    return fine;
}

static void
tick(ticker *t, bool is_last)
{
    g_autoptr(GError) error = NULL;
    bool written = write_progress(t, is_last, &error) && write_stats(t, &error);
    if (!written && !t->failed) {
        BP_INFO("progress cannot be written", "reason", error->message);
    } else if (written && t->failed) {
        BP_INFO("progress is written again");
    }
    t->failed = !written;
}

static bool
wait_for_tick(ticker *t)
{
    gint64 until_ns = bp_clock_mono_ns() + TICK_NS;
    BP_LOCK_GUARD(&t->lock);
    while (!t->stopping && bp_cond_wait_until(&t->wake, &t->lock, until_ns)) {
    }
    return !t->stopping;
}

static void *
run_ticker(void *ctx)
{
    ticker *t = ctx;
    while (wait_for_tick(t)) {
        tick(t, false);
    }
    return NULL;
}

static void
ticker_start(ticker *t)
{
    t->run = bp_text_uuid();
    pthread_mutex_init(&t->lock, NULL);
    bp_cond_init(&t->wake);
    bp_thread_start(&t->thread, run_ticker, t);
}

static void
ticker_stop(ticker *t)
{
    pthread_mutex_lock(&t->lock);
    t->stopping = true;
    pthread_cond_signal(&t->wake);
    pthread_mutex_unlock(&t->lock);
    pthread_join(t->thread, NULL);
    tick(t, true);
    json_decref(t->stats);
    g_free(t->run);
    pthread_cond_destroy(&t->wake);
    pthread_mutex_destroy(&t->lock);
}

static void
note_unseen(const bp_jobs_run_params *params, const json_t *request, const GError *why)
{
    bool is_create = strcmp(bp_json_text(request, "verb", ""), "create") == 0;
    g_autofree char *text = g_strdup_printf(
        "this job will not be listed%s: %s",
        is_create ? ", and no other create of its source is kept apart from it" : "", why->message);
    bp_monitor_note(params->verb->monitor, BP_NOTE_WARN, "job-directory", text);
}

/* NULL with an error: it must not run.  NULL without: it runs unseen. */
static bp_ticket *
let_in(const bp_jobs_run_params *params, const json_t *request, bp_jobs *jobs, GError **error)
{
    g_autoptr(json_t) claims = bp_claims_of(params->verb->workspace, request);
    bp_ticket_params ticket = {.jobs = jobs,
                               .request = request,
                               .claims = claims,
                               .origin = params->origin,
                               .cancel = params->cancel};
    GError *problem = NULL;
    bp_ticket *taken = bp_ticket_take(&ticket, &problem);
    if (taken == NULL &&
        (bp_error_is(problem, BP_ERR_EXISTS) || bp_error_is(problem, BP_ERR_CANCELLED))) {
        g_propagate_error(error, problem);
    } else if (taken == NULL) {
        note_unseen(params, request, problem);
        g_error_free(problem);
    }
    return taken;
}

static void
note_not_waited(const bp_jobs_run_params *params, const GError *why)
{
    g_autofree char *text = g_strdup_printf("this job does not wait any longer, and is not kept "
                                            "apart from other creates of its source: %s",
                                            why->message);
    bp_monitor_note(params->verb->monitor, BP_NOTE_WARN, "job-directory", text);
}

static bool
longest_wait(const bp_jobs_run_params *params, gint64 *out_ns, GError **error)
{
    g_autoptr(GPtrArray) overrides = bp_request_settings(params->request);
    g_autoptr(bp_settings) settings = bp_workspace_backup_settings(
        params->verb->workspace, (const char *const *)overrides->pdata, error);
    if (settings != NULL) {
        *out_ns = (gint64)bp_settings_u64(settings, "wait_for_turn") * BP_NS_PER_MS;
    }
    return settings != NULL;
}

static void
note_waits(const bp_jobs_run_params *params, const bp_ticket *ticket, gint64 limit_ns)
{
    g_autofree char *other = bp_ticket_other(ticket);
    g_autofree char *limit = bp_text_duration(limit_ns);
    g_autofree char *text = g_strdup_printf(
        "waits for %s, at most %s: backups of one source are made one after the other", other,
        limit);
    bp_monitor_note(params->verb->monitor, BP_NOTE_WARN, "queued", text);
}

/* false: it must not run. */
static bool
wait_for_turn(const bp_jobs_run_params *params, bp_ticket *ticket, GError **error)
{
    gint64 limit_ns = 0;
    if (bp_ticket_waits_for(ticket) == NULL) {
        return true;
    }
    if (!bp_request_check_early(params->verb->workspace, params->request, error) ||
        !longest_wait(params, &limit_ns, error)) {
        return false;
    }
    if (limit_ns > 0) {
        note_waits(params, ticket, limit_ns);
    }
    bp_monitor_begin(params->verb->monitor, "wait", NULL, NULL);
    GError *problem = NULL;
    bp_turn turn = bp_ticket_wait(ticket, limit_ns, params->cancel, &problem);
    bp_monitor_end(params->verb->monitor);
    if (turn == BP_TURN_UNKNOWN) {
        note_not_waited(params, problem);
        g_error_free(problem);
    } else if (turn == BP_TURN_GIVEN_UP) {
        g_propagate_error(error, problem);
    }
    return turn != BP_TURN_GIVEN_UP;
}

static const char *
state_of(const bp_jobs_run_params *params, bp_verb_outcome outcome)
{
    if (outcome == BP_VERB_FAILED) {
        return bp_cancel_is_set(params->cancel) ? "cancelled" : "failed";
    }
    return outcome == BP_VERB_OK ? "succeeded" : "different";
}

/* One without items would hide that there is no backup to go back to. */
static bool
is_success(const bp_jobs_run_params *params, bp_verb_outcome outcome)
{
    return outcome == BP_VERB_OK &&
           strcmp(bp_json_text(params->request, "verb", ""), "create") == 0 &&
           !json_is_true(json_object_get(params->request, "meta_only"));
}

/* Before the record says so: who is killed in between is resumed, and notes it again. */
static void
note_success(const bp_jobs_run_params *params, const bp_ticket *ticket)
{
    const bp_verb *verb = params->verb;
    const bp_config_tree *config = bp_workspace_config(verb->workspace);
    const char *plugin = bp_config_peek(config, "source.plugin");
    bp_success success = {.source = bp_json_text(verb->result, "source_address", plugin),
                          .label = bp_json_text(params->request, "label", ""),
                          .job = ticket->id,
                          .name = bp_json_text(verb->result, "name", NULL),
                          .wall_ns = bp_clock_wall_ns()};
    g_autoptr(GError) error = NULL;
    if (!bp_successes_note(ticket->jobs, &success, &error)) {
        g_autofree char *text =
            g_strdup_printf("that this backup succeeded is not on record: %s", error->message);
        bp_monitor_note(verb->monitor, BP_NOTE_WARN, "job-directory", text);
    }
}

static void
finish(const bp_jobs_run_params *params, bp_ticket *ticket, bp_verb_outcome outcome,
       const GError *failure)
{
    const bp_verb *verb = params->verb;
    if (is_success(params, outcome)) {
        note_success(params, ticket);
    }
    bp_result_finish(verb->result, outcome, verb->monitor, failure);
    g_autoptr(GError) error = NULL;
    bool stopped = outcome == BP_VERB_FAILED && bp_cancel_is_set(params->cancel);
    if (stopped && bp_ticket_leave(ticket, &error)) {
        BP_INFO("stopped; the next server goes on with it", "job", bp_ticket_id(ticket));
        return;
    }
    g_clear_error(&error);
    if (!bp_ticket_finish(ticket, state_of(params, outcome), verb->result, &error)) {
        g_autofree char *text =
            g_strdup_printf("how this job ended is not on record: %s", error->message);
        bp_monitor_note(verb->monitor, BP_NOTE_WARN, "job-directory", text);
    }
}

/* A restore that is complete and then killed is known by that. */
static void
keep_result(void *ctx, bp_verb_outcome outcome)
{
    const seen_run *run = ctx;
    g_autoptr(json_t) result = json_copy(run->verb->result);
    bp_result_finish(result, outcome, run->verb->monitor, NULL);
    g_autoptr(GError) error = NULL;
    if (!bp_ticket_keep_result(run->ticket, result, &error)) {
        BP_WARN("the result is not on record yet", "reason", error->message);
    }
}

bp_verb_outcome
bp_jobs__run_seen(const bp_jobs_run_params *params, bp_ticket *ticket, bp_jobs_run_fn run,
                  void *ctx, GError **error)
{
    seen_run this_run = {.verb = params->verb, .ticket = ticket};
    bp_verb seen = *params->verb;
    seen.id = bp_ticket_id(ticket);
    seen.complete = keep_result;
    seen.ctx = &this_run;
    const bp_verb *verb = &seen;
    ticker t = {.ticket = ticket, .monitor = verb->monitor};
    bp_json_set_text(verb->result, "job_id", bp_ticket_id(ticket));
    bp_log_set_job(bp_ticket_id(ticket));
    bp_log_set_copy(bp_ticket_log_line, ticket);
    ticker_start(&t);
    GError *failure = NULL;
    bp_verb_outcome outcome = BP_VERB_FAILED;
    if (wait_for_turn(params, ticket, &failure)) {
        outcome = run != NULL ? run(verb, params->request, ctx, &failure)
                              : bp_request_run(verb, params->request, &failure);
    }
    ticker_stop(&t);
    bp_log_set_copy(NULL, NULL);
    finish(params, ticket, outcome, failure);
    if (failure != NULL) {
        g_propagate_error(error, failure);
    }
    return outcome;
}

bp_verb_outcome
bp_jobs_run(const bp_jobs_run_params *params, GError **error)
{
    if (!bp_request_check(params->request, error)) {
        return BP_VERB_FAILED;
    }
    if (!bp_request_writes(params->request)) {
        return bp_request_run(params->verb, params->request, error);
    }
    g_autofree char *state_dir = bp_workspace_state_dir(params->verb->workspace, error);
    if (state_dir == NULL) {
        return BP_VERB_FAILED;
    }
    g_autoptr(json_t) request = bp_request_complete(params->request);
    g_autoptr(bp_jobs) jobs = bp_jobs_open(state_dir);
    bp_json_set_text(params->verb->result, "job", bp_json_text(request, "verb", NULL));
    bp_json_set_text(params->verb->result, "name", bp_json_text(request, "name", NULL));
    GError *refused = NULL;
    g_autoptr(bp_ticket) ticket = let_in(params, request, jobs, &refused);
    if (refused != NULL) {
        g_propagate_error(error, refused);
        return BP_VERB_FAILED;
    }
    if (ticket == NULL) {
        return bp_request_run(params->verb, request, error);
    }
    bp_jobs_run_params named = *params;
    named.request = request;
    return bp_jobs__run_seen(&named, ticket, NULL, NULL, error);
}
