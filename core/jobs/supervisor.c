/* SPDX-License-Identifier: Apache-2.0
 *
 * See supervisor.h.  One thread looks at everything four times a second: workers that ended, jobs
 * that nobody runs any more, what has changed for who watches, and whose turn it is.
 */
#include "core/jobs/supervisor.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/log.h"
#include "core/base/thread.h"
#include "core/jobs/supervisor_internal.h"

#include "sdk/lib/ban.h"

#define BP_LOG_MODULE "jobs"

#define SUPERVISOR_LOCK "supervisor"
#define LOOK_NS (250 * BP_NS_PER_MS)

static void
ticket_free(gpointer data)
{
    bp_ticket_free(data);
}

void
bp_supervisor__end(bp_ticket *ticket, const char *state, const GError *why)
{
    g_autoptr(GError) unwritten = NULL;
    g_autoptr(json_t) result = json_object();
    const json_t *record = bp_ticket_record(ticket);
    bp_json_set_text(result, "job", bp_json_text(record, "verb", NULL));
    bp_json_set_text(result, "name", bp_json_text(record, "name", NULL));
    bp_json_set_text(result, "outcome", "failed");
    json_object_set_new(result, "error", bp_json_error(why));
    if (!bp_ticket_finish(ticket, state, result, &unwritten)) {
        BP_WARN("how a job ended is not on record", "job", bp_ticket_id(ticket), "reason",
                unwritten->message);
    }
}

void
bp_supervisor__enqueue(bp_supervisor *s, bp_ticket *take_ticket)
{
    BP_LOCK_GUARD(&s->guard);
    guint at = s->queue->len;
    const char *id = bp_ticket_id(take_ticket);
    while (at > 0 && strcmp(bp_ticket_id(g_ptr_array_index(s->queue, at - 1)), id) > 0) {
        at--;
    }
    g_ptr_array_insert(s->queue, (int)at, take_ticket);
}

/* -- workers */

static gboolean
has_rested(gpointer id, gpointer ended_ns, gpointer now_ns)
{
    (void)id;
    return *(gint64 *)now_ns - *(gint64 *)ended_ns >= BP_LEFT_NS;
}

static void
reap(bp_supervisor *s)
{
    GHashTableIter iter;
    gpointer id = NULL;
    gpointer process = NULL;
    gint64 now_ns = bp_clock_mono_ns();
    g_hash_table_iter_init(&iter, s->workers);
    while (g_hash_table_iter_next(&iter, &id, &process)) {
        pid_t pid = (pid_t)GPOINTER_TO_INT(process);
        pid_t ended = waitpid(pid, NULL, WNOHANG);
        if (ended == pid || (ended < 0 && errno == ECHILD)) {
            g_hash_table_insert(s->ended, g_strdup(id), g_memdup2(&now_ns, sizeof now_ns));
            g_hash_table_iter_remove(&iter);
        }
    }
    g_hash_table_foreach_remove(s->ended, has_rested, &now_ns);
}

/* The machine is short of something, and will not be for ever. */
static bool
is_passing(const GError *error)
{
    return bp_error_is(error, BP_ERR_RETRYABLE) || bp_error_is(error, BP_ERR_THROTTLED) ||
           bp_error_is(error, BP_ERR_NOMEM);
}

/* @held: set when it has to wait once more, as it does for its turn. */
static void
start(bp_supervisor *s, bp_ticket *take_ticket, GError **held)
{
    g_autoptr(bp_ticket) ticket = take_ticket;
    g_autoptr(GError) error = NULL;
    if (!bp_ticket_count_start(ticket, held)) { /* a full disk */
        bp_supervisor__enqueue(s, g_steal_pointer(&ticket));
        return;
    }
    pid_t pid = bp_supervisor__spawn(&s->spawn, ticket, &error);
    if (pid < 0 && is_passing(error)) {
        g_propagate_error(held, g_steal_pointer(&error));
        bp_ticket_uncount_start(ticket);
        bp_supervisor__enqueue(s, g_steal_pointer(&ticket));
        return;
    }
    if (pid < 0) {
        bp_supervisor__end(ticket, "failed", error);
        return;
    }
    g_hash_table_insert(s->workers, g_strdup(bp_ticket_id(ticket)), GINT_TO_POINTER((gint)pid));
}

/* -- whose turn it is */

/* Returns: (transfer container) */
static GPtrArray *
queued(bp_supervisor *s)
{
    GPtrArray *waiting = g_ptr_array_new();
    BP_LOCK_GUARD(&s->guard);
    for (guint i = 0; i < s->queue->len; i++) {
        g_ptr_array_add(waiting, g_ptr_array_index(s->queue, i));
    }
    return waiting;
}

static void
take_off(bp_supervisor *s, bp_ticket *ticket)
{
    BP_LOCK_GUARD(&s->guard);
    guint at = 0;
    if (g_ptr_array_find(s->queue, ticket, &at)) {
        (void)g_ptr_array_steal_index(s->queue, at);
    }
}

static void
end_cancelled(bp_supervisor *s)
{
    g_autoptr(GPtrArray) waiting = queued(s);
    for (guint i = 0; i < waiting->len; i++) {
        bp_ticket *ticket = g_ptr_array_index(waiting, i);
        if (bp_ticket_is_cancelled(ticket)) {
            g_autoptr(GError) why = NULL;
            take_off(s, ticket);
            bp_set_error(&why, BP_ERR_CANCELLED, "cancelled before it began");
            bp_supervisor__end(ticket, "cancelled", why);
            bp_ticket_free(ticket);
        }
    }
}

/*
 * Off the queue, oldest first, as many as may run at once.  @held: set when one may be due, and it
 * cannot be told.  Returns: (transfer container)
 */
static GPtrArray *
take_due(bp_supervisor *s, GError **held)
{
    guint most = s->params.max_running > 0 ? s->params.max_running : G_MAXUINT;
    guint running = g_hash_table_size(s->workers);
    GPtrArray *due = g_ptr_array_new();
    g_autoptr(GPtrArray) waiting = queued(s);
    g_autoptr(bp_turns) turns = NULL;
    if (waiting->len > 0 && running < most) {
        turns = bp_turns_begin(s->jobs, held);
    }
    if (turns != NULL) { /* those of an earlier server go on, too */
        running += bp_turns_running(turns, s->workers);
    }
    for (guint i = 0; turns != NULL && i < waiting->len && running + due->len < most; i++) {
        bp_ticket *ticket = g_ptr_array_index(waiting, i);
        bool turn = false;
        if (bp_ticket_may_run(ticket, turns, &turn, *held == NULL ? held : NULL) && turn) {
            take_off(s, ticket);
            g_ptr_array_add(due, ticket);
        }
    }
    return due;
}

/* Told once, and not of what is over at the next look, as another process's is. */
static void
say_what_holds(bp_supervisor *s, const GError *held)
{
    bool stands = held != NULL && g_strcmp0(s->held, held->message) == 0;
    if (stands && !s->held_said) {
        BP_WARN("jobs wait though it is their turn", "reason", held->message);
    }
    s->held_said = stands;
    g_free(s->held);
    s->held = held != NULL ? g_strdup(held->message) : NULL;
}

static void
start_due(bp_supervisor *s)
{
    g_autoptr(GError) held = NULL; /* the first of them all */
    end_cancelled(s);
    g_autoptr(GPtrArray) due = take_due(s, &held);
    for (guint i = 0; i < due->len; i++) {
        start(s, g_ptr_array_index(due, i), held == NULL ? &held : NULL);
    }
    say_what_holds(s, held);
}

static bool
wait_for_look(bp_supervisor *s)
{
    gint64 until_ns = bp_clock_mono_ns() + LOOK_NS;
    BP_LOCK_GUARD(&s->guard);
    while (!s->stopping && bp_cond_wait_until(&s->wake, &s->guard, until_ns)) {
    }
    return !s->stopping;
}

static void *
run(void *ctx)
{
    bp_supervisor *s = ctx;
    do {
        reap(s);
        bp_supervisor__look_at_all(s);
        start_due(s);
        atomic_store(&s->looked_ns, bp_clock_mono_ns());
    } while (wait_for_look(s));
    return NULL;
}

/* -- from outside */

static bool
take_directory(bp_supervisor *s, GError **error)
{
    if (!bp_jobs__make_dir(s->jobs->dir, error)) {
        return false;
    }
    g_autofree char *path = g_build_filename(s->jobs->dir, SUPERVISOR_LOCK, NULL);
    if (!g_file_test(path, G_FILE_TEST_EXISTS) &&
        !bp_jobs__write(s->jobs->dir, SUPERVISOR_LOCK, "", false, error)) {
        return false;
    }
    s->lock = bp_jobs__try_lock(s->jobs->dir, SUPERVISOR_LOCK, error);
    if (s->lock < 0) {
        g_prefix_error(error, "another server works on this state_dir: ");
        bp_error_add_hint(error, "end that one, or give each a state_dir of its own");
    }
    return s->lock >= 0;
}

static char *
own_program(void)
{
    char *path = g_file_read_link("/proc/self/exe", NULL);
    return path != NULL ? path : g_strdup("bakplane");
}

bp_supervisor *
bp_supervisor_new(const bp_supervisor_params *params, GError **error)
{
    bp_supervisor *s = g_new0(bp_supervisor, 1);
    s->params = *params;
    s->spawn = (bp_spawn_params){
        .program = params->program != NULL ? g_strdup(params->program) : own_program(),
        .state_dir = g_strdup(params->state_dir),
        .config = g_strdup(params->config),
        .dialect = g_strdup(params->dialect),
        .sets = (const char *const *)g_strdupv((char **)params->sets),
    };
    s->jobs = bp_jobs_open(params->state_dir);
    s->lock = -1;
    s->workers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    s->ended = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    s->queue = g_ptr_array_new_with_free_func(ticket_free);
    s->seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, bp_supervisor__seen_free);
    pthread_mutex_init(&s->guard, NULL);
    bp_cond_init(&s->wake);
    bp_cond_init(&s->let_in);
    if (!take_directory(s, error)) {
        bp_supervisor_free(s);
        return NULL;
    }
    atomic_store(&s->looked_ns, bp_clock_mono_ns());
    bp_thread_start(&s->thread, run, s);
    return s;
}

void
bp_supervisor_free(bp_supervisor *s)
{
    if (s == NULL) {
        return;
    }
    if (s->lock >= 0) { /* then there is a thread */
        pthread_mutex_lock(&s->guard);
        s->stopping = true;
        pthread_cond_signal(&s->wake);
        pthread_mutex_unlock(&s->guard);
        pthread_join(s->thread, NULL);
        close(s->lock);
    }
    g_ptr_array_unref(s->queue);
    g_hash_table_unref(s->workers);
    g_hash_table_unref(s->ended);
    g_hash_table_unref(s->seen);
    g_free(s->held);
    pthread_cond_destroy(&s->wake);
    pthread_cond_destroy(&s->let_in);
    pthread_mutex_destroy(&s->guard);
    bp_jobs_close(s->jobs);
    g_free((char *)s->spawn.program);
    g_free((char *)s->spawn.state_dir);
    g_free((char *)s->spawn.config);
    g_free((char *)s->spawn.dialect);
    g_strfreev((char **)s->spawn.sets);
    g_free(s);
}

gint64
bp_supervisor_looked_ns(const bp_supervisor *s)
{
    return atomic_load(&s->looked_ns);
}

bool
bp_supervisor_cancel(bp_supervisor *s, const char *id, GError **error)
{
    return bp_jobs_cancel(s->jobs, id, error);
}
