/* SPDX-License-Identifier: Apache-2.0
 *
 * See supervisor.h.  One thread looks at everything four times a second: workers that ended, jobs
 * whose turn it is, jobs that nobody runs any more, and what has changed for who watches.
 */
#include "core/jobs/supervisor.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/log.h"
#include "core/base/thread.h"
#include "core/jobs/store_internal.h"
#include "core/jobs/supervisor_internal.h"

#include "sdk/lib/ban.h"

#define BP_LOG_MODULE "jobs"

#define SUPERVISOR_LOCK "supervisor"
#define LOOK_NS (250 * BP_NS_PER_MS)

/* A worker of ours. */
typedef struct {
    char *id;
    pid_t pid;
} worker;

static void
worker_free(gpointer data)
{
    worker *one = data;
    g_free(one->id);
    g_free(one);
}

static void
ticket_free(gpointer data)
{
    bp_ticket_free(data);
}

static void
end_ticket(bp_ticket *ticket, const char *state, int class, const char *why)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) unwritten = NULL;
    g_autoptr(json_t) result = json_object();
    const json_t *record = bp_ticket_record(ticket);
    bp_set_error(&error, class, "%s", why);
    bp_json_set_text(result, "job", bp_json_text(record, "verb", NULL));
    bp_json_set_text(result, "name", bp_json_text(record, "name", NULL));
    bp_json_set_text(result, "outcome", "failed");
    json_object_set_new(result, "error", bp_json_error(error));
    if (!bp_ticket_finish(ticket, state, result, &unwritten)) {
        BP_WARN("how a job ended is not on record", "job", bp_ticket_id(ticket), "reason",
                unwritten->message);
    }
}

/* -- jobs that nobody runs any more */

static void
enqueue(bp_supervisor *s, bp_ticket *take_ticket)
{
    BP_LOCK_GUARD(&s->guard);
    g_ptr_array_add(s->queue, take_ticket);
}

/* Its process is gone, and it has not said how it ended.  false: to be looked at once more. */
static bool
take_up(bp_supervisor *s, const char *id)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(bp_ticket) ticket = bp_ticket_revive(s->jobs, id, &error);
    if (ticket == NULL) {
        if (!bp_error_is(error, BP_ERR_INVALID) && !bp_error_is(error, BP_ERR_EXISTS)) {
            BP_WARN("a job cannot be taken up again", "job", id, "reason", error->message);
        }
        return bp_error_is(error, BP_ERR_INVALID);
    }
    const json_t *record = bp_ticket_record(ticket);
    bool again = json_object_get(record, "again") != NULL;
    if (bp_ticket_is_cancelled(ticket)) {
        end_ticket(ticket, "cancelled", BP_ERR_CANCELLED, "cancelled, and then killed");
    } else if (again && bp_json_u64(record, "attempt", 1) > BP_SUPERVISOR_ATTEMPTS) {
        end_ticket(ticket, "failed", BP_ERR_PERMANENT,
                   "its process was killed again and again; what is proven stays");
    } else {
        BP_INFO("a job is taken up again", "job", id);
        enqueue(s, g_steal_pointer(&ticket));
    }
    return true;
}

static bool
is_dead_of_server(const bp_supervisor *s, const char *id)
{
    g_autofree char *path = bp_jobs__path(s->jobs, id);
    if (bp_jobs__lock_state(path, BP_JOB_LOCK) != BP_LOCK_FREE) {
        return false;
    }
    g_autoptr(json_t) record = bp_jobs__record(s->jobs, id, NULL);
    return record != NULL && bp_jobs__is_supervised(record) &&
           !bp_jobs_is_over(bp_json_text(record, "state", ""));
}

static void
reap(bp_supervisor *s)
{
    for (guint i = s->workers->len; i > 0; i--) {
        const worker *one = g_ptr_array_index(s->workers, i - 1);
        pid_t ended = waitpid(one->pid, NULL, WNOHANG);
        if (ended == one->pid || (ended < 0 && errno == ECHILD)) {
            g_ptr_array_remove_index(s->workers, i - 1);
        }
    }
}

/* -- whose turn it is */

static void
start(bp_supervisor *s, bp_ticket *take_ticket)
{
    g_autoptr(bp_ticket) ticket = take_ticket;
    g_autoptr(GError) error = NULL;
    pid_t pid = bp_supervisor__spawn(&s->spawn, ticket, &error);
    if (pid < 0) {
        end_ticket(ticket, "failed", bp_error_class(error), error->message);
        return;
    }
    worker *one = g_new0(worker, 1);
    one->id = g_strdup(bp_ticket_id(ticket));
    one->pid = pid;
    g_ptr_array_add(s->workers, one);
}

/* Taken off the queue when it is to be started or has ended.  Returns: (transfer full) (nullable)
 */
static bp_ticket *
next_due(bp_supervisor *s, bool may_start)
{
    BP_LOCK_GUARD(&s->guard);
    for (guint i = 0; i < s->queue->len; i++) {
        bp_ticket *ticket = g_ptr_array_index(s->queue, i);
        bool turn = false;
        g_autoptr(GError) error = NULL;
        if (!bp_ticket_is_cancelled(ticket) &&
            (!may_start || !bp_ticket_may_run(ticket, &turn, &error) || !turn)) {
            continue; /* an error is looked at again, and again */
        }
        return g_ptr_array_steal_index(s->queue, i);
    }
    return NULL;
}

static void
start_due(bp_supervisor *s)
{
    guint most = s->params.max_running > 0 ? s->params.max_running : G_MAXUINT;
    bp_ticket *ticket = NULL;
    while ((ticket = next_due(s, s->workers->len < most)) != NULL) {
        if (bp_ticket_is_cancelled(ticket)) {
            end_ticket(ticket, "cancelled", BP_ERR_CANCELLED, "cancelled before it began");
            bp_ticket_free(ticket);
        } else {
            start(s, ticket);
        }
    }
}

/* -- what has changed */

static char *
looks_of(const char *path)
{
    static const char *const names[] = {BP_JOB_RECORD, BP_JOB_PROGRESS, BP_JOB_CANCEL};
    GString *looks = g_string_new(NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *file = g_build_filename(path, names[i], NULL);
        struct stat found;
        if (stat(file, &found) == 0) { /* each is replaced whole, so it has another inode */
            g_string_append_printf(looks, "%lu.%ld.%ld ", (unsigned long)found.st_ino,
                                   (long)found.st_mtim.tv_sec, found.st_mtim.tv_nsec);
        }
    }
    g_string_append_printf(looks, "%d", (int)bp_jobs__lock_state(path, BP_JOB_LOCK));
    return g_string_free(looks, FALSE);
}

/* Jobs of all processes.  Ended ones cost a look at a few files. */
static void
look_at_all(bp_supervisor *s)
{
    g_autoptr(GPtrArray) ids = bp_jobs__ids(s->jobs, NULL);
    for (guint i = 0; ids != NULL && i < ids->len; i++) {
        const char *id = g_ptr_array_index(ids, i);
        g_autofree char *path = bp_jobs__path(s->jobs, id);
        g_autofree char *looks = looks_of(path);
        if (g_strcmp0(looks, g_hash_table_lookup(s->seen, id)) == 0) {
            continue;
        }
        g_hash_table_insert(s->seen, g_strdup(id), g_steal_pointer(&looks));
        if (is_dead_of_server(s, id) && !take_up(s, id)) {
            g_hash_table_remove(s->seen, id);
        }
        if (s->params.changed != NULL) {
            s->params.changed(s->params.ctx, id);
        }
    }
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
        look_at_all(s);
        start_due(s);
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
        .sets = (const char *const *)g_strdupv((char **)params->sets),
    };
    s->jobs = bp_jobs_open(params->state_dir);
    s->lock = -1;
    s->workers = g_ptr_array_new_with_free_func(worker_free);
    s->queue = g_ptr_array_new_with_free_func(ticket_free);
    s->seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    pthread_mutex_init(&s->guard, NULL);
    bp_cond_init(&s->wake);
    if (!take_directory(s, error)) {
        bp_supervisor_free(s);
        return NULL;
    }
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
    g_ptr_array_unref(s->workers);
    g_hash_table_unref(s->seen);
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->guard);
    bp_jobs_close(s->jobs);
    g_free((char *)s->spawn.program);
    g_free((char *)s->spawn.state_dir);
    g_free((char *)s->spawn.config);
    g_strfreev((char **)s->spawn.sets);
    g_free(s);
}

bool
bp_supervisor_cancel(bp_supervisor *s, const char *id, GError **error)
{
    return bp_jobs_cancel(s->jobs, id, error);
}
