/* SPDX-License-Identifier: Apache-2.0
 *
 * See service.h.
 */
#include "core/server/service.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/thread.h"

#include "sdk/lib/ban.h"

#define BORROW_LIMIT_NS (30 * BP_NS_PER_S)
/* Nobody signals a condition when a cancel is set, so whoever waits looks at it now and then. */
#define LOOK_NS (100 * BP_NS_PER_MS)
/* More than there are in the directory: what is not known any more is forgotten then. */
#define MAX_CHANGES (4 * (guint)BP_JOBS_MAX)

struct bp_service {
    const bp_config_tree *config;
    const bp_server_settings *settings;
    const bp_access *access;
    const bp_cancel *cancel;
    bp_ready *ready;
    bp_tally *tally;
    bp_jobs *jobs;
    bp_workspace *workspace; /* the supervisor's */
    bp_supervisor *supervisor;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t back;  /* a workspace */
    GPtrArray *idle;      /* bp_workspace* */
    guint n_lent;
    pthread_cond_t changed;  /* a job */
    GHashTable *changes;     /* ID -> guint64*, the value of `last` then */
    guint64 last, forgotten; /* of all; of those that are not in the table */
};

static void
workspace_free(gpointer workspace)
{
    bp_workspace_free(workspace);
}

/* Called by the supervisor's thread. */
static void
on_changed(void *ctx, const char *id)
{
    bp_service *s = ctx;
    BP_LOCK_GUARD(&s->lock);
    s->last++;
    if (g_hash_table_size(s->changes) >= MAX_CHANGES) {
        g_hash_table_remove_all(s->changes);
        s->forgotten = s->last;
    }
    g_hash_table_replace(s->changes, g_strdup(id), g_memdup2(&s->last, sizeof s->last));
    pthread_cond_broadcast(&s->changed);
}

static bool
start(bp_service *s, const bp_service_params *params, GError **error)
{
    s->workspace = bp_workspace_new(params->config, params->cancel, error);
    if (s->workspace == NULL || !bp_workspace_load_plugins(s->workspace, error)) {
        return false;
    }
    s->ready =
        bp_ready_new(bp_workspace_new_beside(s->workspace, params->cancel), params->state_dir);
    /* Without a file there is none for workers, either, whatever they would find. */
    const char *config = bp_config_path(params->config);
    const bp_config_dialect *dialect = bp_config_foreign_dialect(params->config);
    bp_supervisor_params supervisor = {.state_dir = params->state_dir,
                                       .program = params->program,
                                       .config = config != NULL ? config : "",
                                       .dialect = dialect != NULL ? dialect->name : NULL,
                                       .sets = params->sets,
                                       .workspace = s->workspace,
                                       .max_running = params->settings->max_running,
                                       .changed = on_changed,
                                       .ctx = s};
    s->supervisor = bp_supervisor_new(&supervisor, error);
    return s->supervisor != NULL;
}

bp_service *
bp_service_new(const bp_service_params *params, GError **error)
{
    bp_service *s = g_new0(bp_service, 1);
    s->config = params->config;
    s->settings = params->settings;
    s->access = params->access;
    s->cancel = params->cancel;
    s->jobs = bp_jobs_open(params->state_dir);
    s->tally = bp_tally_new(params->state_dir); /* before anything is taken up */
    s->idle = g_ptr_array_new_with_free_func(workspace_free);
    s->changes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    pthread_mutex_init(&s->lock, NULL);
    bp_cond_init(&s->back);
    bp_cond_init(&s->changed);
    if (!start(s, params, error)) {
        bp_service_free(s);
        return NULL;
    }
    return s;
}

void
bp_service_free(bp_service *s)
{
    if (s == NULL) {
        return;
    }
    g_assert(s->n_lent == 0);
    bp_supervisor_free(s->supervisor);
    bp_ready_free(s->ready);
    bp_tally_free(s->tally);
    g_ptr_array_unref(s->idle);
    bp_workspace_free(s->workspace); /* the last one: its plugins are those of all */
    bp_jobs_close(s->jobs);
    g_hash_table_unref(s->changes);
    pthread_cond_destroy(&s->changed);
    pthread_cond_destroy(&s->back);
    pthread_mutex_destroy(&s->lock);
    g_free(s);
}

bp_jobs *
bp_service_jobs(const bp_service *s)
{
    return s->jobs;
}

bp_supervisor *
bp_service_supervisor(const bp_service *s)
{
    return s->supervisor;
}

const bp_server_settings *
bp_service_settings(const bp_service *s)
{
    return s->settings;
}

const bp_config_tree *
bp_service_config(const bp_service *s)
{
    return s->config;
}

const bp_access *
bp_service_access(const bp_service *s)
{
    return s->access;
}

bp_tally *
bp_service_tally(const bp_service *s)
{
    return s->tally;
}

bp_ready *
bp_service_ready(const bp_service *s)
{
    return s->ready;
}

bp_reply *
bp_service_guard(void *ctx, const bp_http_request *request)
{
    const bp_service *s = ctx;
    return bp_access_check(s->access, request);
}

/* Under the lock.  Returns: false at the deadline or when cancelled. */
static bool
wait_for(bp_service *s, pthread_cond_t *what, gint64 deadline_ns, const bp_cancel *cancel)
{
    gint64 now_ns = bp_clock_mono_ns();
    if (now_ns >= deadline_ns || bp_cancel_is_set(cancel)) {
        return false;
    }
    (void)bp_cond_wait_until(what, &s->lock, MIN(deadline_ns, now_ns + LOOK_NS));
    return true;
}

bp_workspace *
bp_service_borrow(bp_service *s, GError **error)
{
    gint64 deadline_ns = bp_clock_mono_ns() + BORROW_LIMIT_NS;
    BP_LOCK_GUARD(&s->lock);
    while (s->n_lent == BP_SERVICE_WORKSPACES && wait_for(s, &s->back, deadline_ns, s->cancel)) {
    }
    if (bp_cancel_is_set(s->cancel)) {
        bp_set_error(error, BP_ERR_CANCELLED, "the server ends");
        return NULL;
    }
    if (s->n_lent == BP_SERVICE_WORKSPACES) {
        bp_set_error(error, BP_ERR_THROTTLED, "too many requests at the same time");
        bp_error_add_hint(error, "ask again later");
        return NULL;
    }
    s->n_lent++;
    return s->idle->len > 0 ? g_ptr_array_steal_index_fast(s->idle, s->idle->len - 1)
                            : bp_workspace_new_beside(s->workspace, s->cancel);
}

void
bp_service_give_back(bp_service *s, bp_workspace *workspace)
{
    if (workspace == NULL) {
        return;
    }
    BP_LOCK_GUARD(&s->lock);
    s->n_lent--;
    g_ptr_array_add(s->idle, workspace);
    pthread_cond_signal(&s->back);
}

/* Under the lock. */
static guint64
changes_of(const bp_service *s, const char *id)
{
    if (id == NULL) {
        return s->last;
    }
    const guint64 *known = g_hash_table_lookup(s->changes, id);
    return known != NULL ? *known : s->forgotten;
}

guint64
bp_service_changes(bp_service *s, const char *id)
{
    BP_LOCK_GUARD(&s->lock);
    return changes_of(s, id);
}

guint64
bp_service_wait_change(bp_service *s, const char *id, guint64 seen, gint64 deadline_ns,
                       const bp_cancel *stopping)
{
    BP_LOCK_GUARD(&s->lock);
    while (changes_of(s, id) == seen && wait_for(s, &s->changed, deadline_ns, stopping)) {
    }
    return changes_of(s, id);
}

/* A server's that lost its process is taken up again. */
bool
bp_service_is_over(const json_t *job)
{
    const char *state = bp_json_text(job, "state", "");
    bool goes_on =
        strcmp(state, "interrupted") == 0 && strcmp(bp_json_text(job, "origin", ""), "cli") != 0;
    return bp_jobs_is_over(state) && !goes_on;
}

json_t *
bp_service_wait(bp_service *s, const char *id, gint64 deadline_ns, const bp_cancel *stopping,
                GError **error)
{
    for (;;) {
        guint64 seen = bp_service_changes(s, id); /* before looking: no change is missed */
        json_t *job = bp_jobs_get(s->jobs, id, error);
        if (job == NULL || bp_service_is_over(job) ||
            bp_service_wait_change(s, id, seen, deadline_ns, stopping) == seen) {
            return job;
        }
        json_decref(job);
    }
}
