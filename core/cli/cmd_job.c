/* SPDX-License-Identifier: Apache-2.0
 *
 * bakplane job list|show|watch|cancel.
 */
#include <pthread.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/thread.h"
#include "core/cli/cli.h"
#include "core/cli/show.h"
#include "core/jobs/store.h"

#include "sdk/lib/ban.h"

#define LOOK_NS (200 * BP_NS_PER_MS)

static char *state;
static gint limit;
static gboolean with_log;

static const GOptionEntry entries[] = {
    {"state", 0, 0, G_OPTION_ARG_STRING, &state, "list: only jobs in this state",
     "queued|running|cancelling|succeeded|different|failed|cancelled|interrupted"},
    {"limit", 0, 0, G_OPTION_ARG_INT, &limit, "list: only the newest N (default all)", "N"},
    {"log", 0, 0, G_OPTION_ARG_NONE, &with_log, "show: with the last lines of its log", NULL},
    {0},
};

/* The numbers of a job that is watched, for the progress that is shown here. */
typedef struct {
    pthread_mutex_t lock; /* guards now */
    bp_progress now;
    const char *phase; /* that the monitor shows, or NULL */
    bp_monitor *monitor;
} watched;

static void
show_numbers(void *ctx, bp_progress *out)
{
    watched *seen = ctx;
    BP_LOCK_GUARD(&seen->lock);
    *out = seen->now;
}

static void
take_numbers(watched *seen, const json_t *progress)
{
    BP_LOCK_GUARD(&seen->lock);
    seen->now = (bp_progress){
        .items_done = bp_json_u64(progress, "items_done", 0),
        .items_total = bp_json_u64(progress, "items_total", 0),
        .bytes_done = bp_json_u64(progress, "bytes_done", 0),
        .bytes_total = bp_json_u64(progress, "bytes_total", 0),
    };
}

static void
follow(watched *seen, const json_t *progress)
{
    const char *phase = bp_json_text(progress, "phase", NULL);
    take_numbers(seen, progress);
    if (g_strcmp0(phase, seen->phase) == 0) {
        return;
    }
    if (seen->phase != NULL) {
        bp_monitor_end(seen->monitor);
    }
    seen->phase = g_intern_string(phase); /* few, and the view keeps it */
    if (seen->phase != NULL) {
        bp_monitor_begin(seen->monitor, seen->phase, show_numbers, seen);
    }
}

/* Until it has ended.  Returns: (transfer full) (nullable) */
static json_t *
watch_until_over(bp_jobs *jobs, const char *id, watched *seen, const bp_cancel *cancel,
                 GError **error)
{
    for (;;) {
        json_t *job = bp_jobs_get(jobs, id, error);
        if (job == NULL || bp_jobs_is_over(bp_json_text(job, "state", ""))) {
            return job;
        }
        follow(seen, json_object_get(job, "progress"));
        json_decref(job);
        if (!bp_cancel_sleep_ns(cancel, LOOK_NS)) {
            bp_set_error(error, BP_ERR_CANCELLED, "job %s is not watched any more; it goes on", id);
            return NULL;
        }
    }
}

static bp_verb_outcome
judge(const json_t *job, GError **error)
{
    const char *ended = bp_json_text(job, "state", "");
    if (strcmp(ended, "succeeded") == 0) {
        return BP_VERB_OK;
    }
    if (strcmp(ended, "different") == 0) {
        return BP_VERB_DIFFERENT;
    }
    const json_t *why = json_object_get(job, "error");
    bp_set_error(error, BP_ERR_PERMANENT, "job %s: %s: %s", bp_json_text(job, "id", "?"), ended,
                 bp_json_text(why, "message", "no reason is on record"));
    const char *hint = bp_json_text(why, "hint", NULL);
    if (hint != NULL) {
        bp_error_add_hint(error, "%s", hint);
    }
    return BP_VERB_FAILED;
}

static void
put_job(const bp_verb *verb, json_t *take_one)
{
    json_t *list = json_array();
    json_array_append_new(list, take_one);
    json_object_set_new(verb->result, "jobs", list);
    json_object_set_new(verb->result, "detail", json_true());
}

static bp_verb_outcome
run_watch(const bp_cli *cli, bp_jobs *jobs, const bp_verb *verb, const char *id, GError **error)
{
    watched seen = {.monitor = cli->monitor};
    pthread_mutex_init(&seen.lock, NULL);
    json_t *over = watch_until_over(jobs, id, &seen, cli->cancel, error);
    follow(&seen, NULL);
    pthread_mutex_destroy(&seen.lock);
    if (over == NULL) {
        return BP_VERB_FAILED;
    }
    put_job(verb, over);
    return judge(over, error);
}

static bp_verb_outcome
run_list(bp_jobs *jobs, const bp_verb *verb, GError **error)
{
    json_t *list = bp_jobs_list(jobs, state, error);
    if (list == NULL) {
        return BP_VERB_FAILED;
    }
    while (limit > 0 && json_array_size(list) > (gsize)limit) {
        (void)json_array_remove(list, json_array_size(list) - 1);
    }
    json_object_set_new(verb->result, "jobs", list);
    return BP_VERB_OK;
}

static bp_verb_outcome
run_show(bp_jobs *jobs, const bp_verb *verb, const char *id, GError **error)
{
    json_t *one = bp_jobs_get(jobs, id, error);
    if (one == NULL) {
        return BP_VERB_FAILED;
    }
    if (with_log) {
        g_autofree char *log = bp_jobs_log(jobs, id, NULL);
        json_object_set_new(one, "log", json_string(log != NULL ? log : ""));
    }
    put_job(verb, one);
    return BP_VERB_OK;
}

static bp_verb_outcome
run_cancel(bp_jobs *jobs, const bp_verb *verb, const char *id, GError **error)
{
    g_autoptr(GError) problem = NULL;
    if (!bp_jobs_cancel(jobs, id, &problem)) {
        if (bp_error_is(problem, BP_ERR_INVALID)) { /* nothing is wrong with the command */
            bp_set_error(error, BP_ERR_PERMANENT, "%s: there is nothing to cancel",
                         problem->message);
        } else {
            g_propagate_error(error, g_steal_pointer(&problem));
        }
        return BP_VERB_FAILED;
    }
    json_t *one = bp_jobs_get(jobs, id, error);
    if (one == NULL) {
        return BP_VERB_FAILED;
    }
    put_job(verb, one);
    return BP_VERB_OK;
}

static bool
check_words(char **args, GError **error)
{
    static const char *const verbs[] = {"show", "watch", "cancel", NULL};
    guint n = g_strv_length(args);
    bool is_list = n == 1 && strcmp(args[0], "list") == 0;
    bool fine = is_list || (n == 2 && g_strv_contains(verbs, args[0]));
    if (!fine) {
        bp_set_error(error, BP_ERR_INVALID,
                     "write job list, job show ID, job watch ID, or job cancel ID");
    } else if (limit < 0) {
        fine = false;
        bp_set_error(error, BP_ERR_INVALID, "--limit %d is no number of jobs", limit);
    } else if (!is_list && (state != NULL || limit > 0)) {
        fine = false;
        bp_set_error(error, BP_ERR_INVALID, "--state and --limit are for job list");
    } else if (with_log && strcmp(args[0], "show") != 0) {
        fine = false;
        bp_set_error(error, BP_ERR_INVALID, "--log is for job show");
    }
    return fine;
}

static bool
check_state(GError **error)
{
    static const char *const live[] = {"queued", "running", "cancelling", "unreadable", NULL};
    if (state == NULL || bp_jobs_is_over(state) || g_strv_contains(live, state)) {
        return true;
    }
    bp_set_error(error, BP_ERR_INVALID, "--state %s: there is no such state", state);
    bp_error_add_hint(error, "states are queued, running, cancelling, succeeded, different, "
                             "failed, cancelled, interrupted");
    return false;
}

static bp_verb_outcome
run(bp_cli *cli, const bp_verb *verb, GError **error)
{
    char **args = cli->args;
    if (!check_words(args, error) || !check_state(error)) {
        return BP_VERB_FAILED;
    }
    g_autofree char *state_dir = bp_workspace_state_dir(cli->workspace, error);
    if (state_dir == NULL) {
        return BP_VERB_FAILED;
    }
    g_autoptr(bp_jobs) jobs = bp_jobs_open(state_dir);
    if (strcmp(args[0], "list") == 0) {
        return run_list(jobs, verb, error);
    }
    if (strcmp(args[0], "show") == 0) {
        return run_show(jobs, verb, args[1], error);
    }
    return strcmp(args[0], "watch") == 0 ? run_watch(cli, jobs, verb, args[1], error)
                                         : run_cancel(jobs, verb, args[1], error);
}

const bp_command bp_command_job = {
    .name = "job",
    .words = "list | show ID | watch ID | cancel ID",
    .summary = "show, watch and cancel what runs and ran on this machine",
    .description = "Every create, copy, restore, delete, prune and verify --deep on this machine,\n"
                   "whoever started it: what it does now, how it ended, and what it said. A job\n"
                   "whose process was killed is interrupted from that moment on.",
    .entries = entries,
    .needs_config = true,
    .run = run,
    .show = bp_show_jobs,
};
