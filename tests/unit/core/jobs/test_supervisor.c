/* SPDX-License-Identifier: Apache-2.0
 *
 * core/jobs/supervisor: jobs in processes of their own, also after these or the server were killed.
 * The workers are the built program; the source is "files" in a scratch directory.
 */
#include "core/jobs/supervisor.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/fault.h"
#include "core/base/json.h"
#include "core/base/log.h"
#include "core/base/thread.h"
#include "core/jobs/store_internal.h"
#include "core/jobs/supervisor_internal.h"
#include "tests/unit/core/verb/verb_fixture.h"

#define PATIENCE_NS (40 * BP_NS_PER_S)

static bp_verb verb;
static bp_jobs *jobs;
static bp_supervisor *supervisor;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards changes */
static pthread_cond_t changed;
static guint changes;
static guint most; /* that run at the same time */

static void
count_change(void *ctx, const char *id)
{
    (void)ctx;
    (void)id;
    BP_LOCK_GUARD(&lock);
    changes++;
    pthread_cond_broadcast(&changed);
}

static bp_supervisor *
supervise_with(const char *program, GError **error)
{
    g_autofree char *state = g_build_filename(verb_root, "state", NULL);
    g_autofree char *config = g_build_filename(verb_root, "bakplane.yaml", NULL);
    bp_supervisor_params params = {.state_dir = state,
                                   .program = program,
                                   .config = config,
                                   .workspace = verb.workspace,
                                   .max_running = most,
                                   .changed = count_change};
    return bp_supervisor_new(&params, error);
}

static bp_supervisor *
supervise(GError **error)
{
    return supervise_with(g_getenv("BAKPLANE_BIN"), error);
}

static void
setup(void)
{
    g_autoptr(GError) error = NULL;
    verb_setup();
    verb_seed();
    bp_cond_init(&changed);
    g_unsetenv("BP_FAULT");
    most = 0;
    verb = verb_open();
    g_autofree char *state = g_build_filename(verb_root, "state", NULL);
    jobs = bp_jobs_open(state);
    supervisor = supervise(&error);
    ASSERT_FINE(supervisor != NULL, error);
}

/* Its workers, if a test left one: each is a child of this process. */
static void
teardown(void)
{
    g_clear_pointer(&supervisor, bp_supervisor_free);
    g_unsetenv("BP_FAULT");
    while (waitpid(-1, NULL, 0) > 0) {
    }
    g_clear_pointer(&jobs, bp_jobs_close);
    verb_close(&verb);
    pthread_cond_destroy(&changed);
    verb_teardown();
}

static char *
submit(const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) request = bp_json_parse(text, strlen(text), "request", NULL);
    bp_submit_params params = {.request = request};
    char *id = bp_supervisor_submit(supervisor, &params, &error);
    ASSERT_FINE(id != NULL, error);
    return id;
}

/* Waits for the state, told of each change.  Returns: (transfer full) the job then */
static json_t *
wait_for(const char *id, const char *state)
{
    gint64 until_ns = bp_clock_mono_ns() + PATIENCE_NS;
    for (;;) {
        pthread_mutex_lock(&lock);
        guint before = changes;
        pthread_mutex_unlock(&lock);
        json_t *found = bp_jobs_get(jobs, id, NULL);
        if (strcmp(bp_json_text(found, "state", ""), state) == 0) {
            return found;
        }
        const json_t *why = json_object_get(found, "error");
        ck_assert_msg(bp_clock_mono_ns() < until_ns, "job %s is %s, not %s: %s", id,
                      bp_json_text(found, "state", "?"), state, bp_json_text(why, "message", ""));
        json_decref(found);
        BP_LOCK_GUARD(&lock);
        while (changes == before && bp_cond_wait_until(&changed, &lock, until_ns)) {
        }
    }
}

/* Its process, once it has written something to the backup storage. */
static pid_t
wait_for_file(const char *id, const char *path)
{
    json_t *found = wait_for(id, "running");
    gint64 until_ns = bp_clock_mono_ns() + PATIENCE_NS;
    while (!verb_exists(path)) {
        ck_assert_msg(bp_clock_mono_ns() < until_ns, "job %s has not written %s", id, path);
        g_usleep(1000); /* nobody tells of files */
    }
    pid_t pid = (pid_t)bp_json_u64(found, "pid", 0);
    json_decref(found);
    return pid;
}

#define CREATE_B "{\"verb\":\"create\",\"name\":\"b\"}"
#define MANIFEST_B "backups/b/bakplane/manifest.json"

/*
 * A create of b that takes half a minute, unless it is stopped.  An object that the storage copies
 * by itself passes the throttle as a whole, and the next one waits for its share: with two large
 * ones there always is one that waits.
 */
static char *
submit_slow(void)
{
    g_autofree char *text = g_strnfill(2 * 1024 * 1024, 'x');
    verb_write("data/default/books/large", text);
    verb_write("data/default/books/larger", text);
    char *id = submit("{\"verb\":\"create\",\"name\":\"b\",\"settings\":[\"throttle=64KiB\"]}");
    (void)wait_for_file(id, MANIFEST_B);
    return id;
}

START_TEST(test_submit__is_done_by_a_worker)
{
    g_autofree char *id = submit("{\"verb\":\"create\"}");
    g_autoptr(json_t) done = wait_for(id, "succeeded");
    ck_assert_str_eq(bp_json_text(done, "origin", ""), "server");
    ck_assert(g_str_has_prefix(bp_json_text(done, "name", ""), "backup_"));
    const json_t *result = json_object_get(done, "result");
    ck_assert_uint_eq(bp_json_u64(result, "items", 0), 4);
    ck_assert_str_eq(bp_json_text(result, "outcome", ""), "done");
}
END_TEST

/* Workers write to the log of their server, side by side. */
START_TEST(test_submit__its_lines_name_it)
{
    g_autofree char *id = submit(CREATE_B);
    json_decref(wait_for(id, "succeeded"));
    g_autofree char *log = bp_jobs_log(jobs, id, NULL);
    g_autofree char *name = g_strdup_printf(" job_id=%s\n", id);
    ck_assert_msg(log != NULL && g_str_has_suffix(log, name), "%s", log);
}
END_TEST

START_TEST(test_submit__one_source_one_create)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *first = submit_slow();
    g_autofree char *second = submit("{\"verb\":\"create\",\"name\":\"c\"}");
    g_autoptr(json_t) waits = wait_for(second, "queued");
    ck_assert_str_eq(bp_json_text(waits, "waits_for", ""), first);
    g_autoptr(json_t) request = bp_json_parse(CREATE_B, strlen(CREATE_B), "request", NULL);
    bp_submit_params params = {.request = request};
    ck_assert_ptr_null(bp_supervisor_submit(supervisor, &params, &error));
    ASSERT_ERROR(error, BP_ERR_EXISTS, first);
    ASSERT_FINE(bp_supervisor_cancel(supervisor, first, &error), error);
    json_decref(wait_for(first, "cancelled"));
    json_decref(wait_for(second, "succeeded"));
}
END_TEST

START_TEST(test_cancel__before_it_began)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *first = submit_slow();
    g_autofree char *second = submit("{\"verb\":\"create\",\"name\":\"c\"}");
    ASSERT_FINE(bp_supervisor_cancel(supervisor, second, &error), error);
    g_autoptr(json_t) ended = wait_for(second, "cancelled");
    ck_assert_ptr_null(json_object_get(ended, "started"));
    ck_assert(!verb_exists("backups/c"));
    ASSERT_FINE(bp_supervisor_cancel(supervisor, first, &error), error);
    json_decref(wait_for(first, "cancelled"));
}
END_TEST

START_TEST(test_killed__create_is_resumed)
{
    g_setenv("BP_FAULT", "source.documents::delay=20s", TRUE);
    g_autofree char *id = submit(CREATE_B);
    pid_t pid = wait_for_file(id, MANIFEST_B);
    g_unsetenv("BP_FAULT");
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    g_autoptr(json_t) done = wait_for(id, "succeeded");
    ck_assert_uint_eq(bp_json_u64(done, "attempt", 0), 2);
    ck_assert_uint_eq(bp_json_u64(json_object_get(done, "result"), "items", 0), 4);
}
END_TEST

START_TEST(test_killed__after_its_last_write)
{
    g_setenv("BP_FAULT", "create.committed::abort", TRUE);
    g_autofree char *id = submit(CREATE_B);
    g_autoptr(json_t) done = wait_for(id, "succeeded");
    ck_assert_uint_eq(bp_json_u64(done, "attempt", 0), 2);
    ck_assert_uint_eq(bp_json_u64(json_object_get(done, "result"), "items", 0), 4);
}
END_TEST

START_TEST(test_killed__before_its_first_write)
{
    g_setenv("BP_FAULT", "source.run_begin::delay=20s;catalog.lease.before::delay=20s", TRUE);
    g_autofree char *id = submit(CREATE_B);
    g_autoptr(json_t) begun = wait_for(id, "running");
    g_unsetenv("BP_FAULT");
    ck_assert_int_eq(kill((pid_t)bp_json_u64(begun, "pid", 0), SIGKILL), 0);
    json_decref(wait_for(id, "succeeded"));
}
END_TEST

START_TEST(test_killed__again_and_again)
{
    g_setenv("BP_FAULT", "source.documents::abort", TRUE);
    g_autofree char *id = submit(CREATE_B);
    g_autoptr(json_t) ended = wait_for(id, "failed");
    const json_t *why = json_object_get(ended, "error");
    ck_assert_ptr_nonnull(strstr(bp_json_text(why, "message", ""), "again and again"));
    ck_assert_uint_eq(bp_json_u64(ended, "attempt", 0), 4);
}
END_TEST

START_TEST(test_killed__restore_names_its_targets)
{
    g_autofree char *made = submit(CREATE_B);
    json_decref(wait_for(made, "succeeded"));
    g_setenv("BP_FAULT", "source.target_finish::abort:nth=2", TRUE);
    g_autofree char *id = submit("{\"verb\":\"restore\",\"name\":\"b\",\"suffix\":\"_r\","
                                 "\"settings\":[\"concurrency.units=1\"]}");
    g_autoptr(json_t) ended = wait_for(id, "failed");
    const json_t *targets = json_object_get(json_object_get(ended, "result"), "targets");
    guint complete = 0;
    guint failed = 0;
    for (gsize i = 0; i < json_array_size(targets); i++) {
        const char *state = bp_json_text(json_array_get(targets, i), "state", "");
        complete += strcmp(state, "complete") == 0;
        failed += strcmp(state, "failed") == 0;
    }
    ck_assert_uint_eq(json_array_size(targets), 3);
    ck_assert_uint_eq(complete, 1);
    ck_assert_uint_eq(failed, 1);
    const json_t *why = json_object_get(ended, "error");
    ck_assert_ptr_nonnull(strstr(bp_json_text(why, "message", ""), "complete: "));
}
END_TEST

/* Each verb, after its last write, but before that was on record. */
START_TEST(test_killed__copy_after_its_last_write)
{
    g_autofree char *made = submit(CREATE_B);
    json_decref(wait_for(made, "succeeded"));
    g_setenv("BP_FAULT", "copy.committed::abort", TRUE);
    g_autofree char *id = submit("{\"verb\":\"copy\",\"name\":\"b\",\"to\":\"other\"}");
    g_autoptr(json_t) done = wait_for(id, "succeeded");
    ck_assert_uint_eq(bp_json_u64(done, "attempt", 0), 2);
    const json_t *result = json_object_get(done, "result");
    ck_assert_uint_eq(bp_json_u64(result, "items", 0), 4);
    ck_assert_str_eq(bp_json_text(result, "from", ""), "backups");
}
END_TEST

START_TEST(test_killed__delete_after_its_last_write)
{
    g_autofree char *made = submit(CREATE_B);
    json_decref(wait_for(made, "succeeded"));
    g_setenv("BP_FAULT", "delete.removed::abort", TRUE);
    g_autofree char *id = submit("{\"verb\":\"delete\",\"name\":\"b\"}");
    g_autoptr(json_t) done = wait_for(id, "succeeded");
    ck_assert_uint_eq(bp_json_u64(done, "attempt", 0), 2);
    ck_assert(!verb_exists("backups/b"));
}
END_TEST

#define REPLACE_B "{\"verb\":\"create\",\"name\":\"b\",\"replace\":true}"

START_TEST(test_killed__replace_after_its_last_write)
{
    g_autofree char *made = submit(CREATE_B);
    json_decref(wait_for(made, "succeeded"));
    verb_write("data/default/books/more", "more");
    g_setenv("BP_FAULT", "create.committed::abort", TRUE);
    g_autofree char *id = submit(REPLACE_B);
    g_autoptr(json_t) done = wait_for(id, "succeeded");
    ck_assert_uint_eq(bp_json_u64(done, "attempt", 0), 2);
    ck_assert_uint_eq(bp_json_u64(json_object_get(done, "result"), "items", 0), 5);
}
END_TEST

/* What is there is whole, but it is what was to be replaced. */
START_TEST(test_killed__replace_before_its_first_write)
{
    g_autofree char *made = submit(CREATE_B);
    json_decref(wait_for(made, "succeeded"));
    verb_write("data/default/books/more", "more");
    g_setenv("BP_FAULT", "source.probe::delay=20s", TRUE);
    g_autofree char *id = submit(REPLACE_B);
    g_autoptr(json_t) begun = wait_for(id, "running");
    g_unsetenv("BP_FAULT");
    ck_assert_int_eq(kill((pid_t)bp_json_u64(begun, "pid", 0), SIGKILL), 0);
    g_autoptr(json_t) done = wait_for(id, "succeeded");
    ck_assert_uint_eq(bp_json_u64(json_object_get(done, "result"), "items", 0), 5);
}
END_TEST

#define RESTORE_B "{\"verb\":\"restore\",\"name\":\"b\",\"suffix\":\"_r\"}"

static void
restore_killed_at(const char *fault)
{
    g_autofree char *made = submit(CREATE_B);
    json_decref(wait_for(made, "succeeded"));
    g_setenv("BP_FAULT", fault, TRUE);
    g_autofree char *id = submit(RESTORE_B);
    g_autoptr(json_t) done = wait_for(id, "succeeded");
    ck_assert_uint_eq(bp_json_u64(done, "attempt", 0), 2);
    const json_t *targets = json_object_get(json_object_get(done, "result"), "targets");
    ck_assert_uint_eq(json_array_size(targets), 3);
    for (gsize i = 0; i < json_array_size(targets); i++) {
        ck_assert_str_eq(bp_json_text(json_array_get(targets, i), "state", ""), "complete");
    }
    ck_assert_uint_eq(verb_count("state/restore"), 1); /* its lock file: no journal is left */
}

START_TEST(test_killed__restore_before_its_journal_went)
{
    restore_killed_at("restore.complete::abort");
}
END_TEST

START_TEST(test_killed__restore_after_its_journal_went)
{
    restore_killed_at("restore.ended::abort");
}
END_TEST

START_TEST(test_killed__before_it_began)
{
    g_autoptr(GError) error = NULL;
    g_clear_pointer(&supervisor, bp_supervisor_free);
    supervisor = supervise_with("/bin/false", &error);
    ASSERT_FINE(supervisor != NULL, error);
    g_autofree char *id = submit(CREATE_B);
    g_autoptr(json_t) ended = wait_for(id, "failed");
    const json_t *why = json_object_get(ended, "error");
    ck_assert_str_eq(bp_json_text(why, "message", ""),
                     "its worker was started 4 times, and each time ended before it began");
    ck_assert_ptr_nonnull(strstr(bp_json_text(why, "hint", ""), "/bin/false"));
}
END_TEST

/* A script in the worker's place says whether it has the descriptor that we left open. */
START_TEST(test_start__nothing_of_the_server_is_inherited)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *script = g_build_filename(verb_root, "worker.sh", NULL);
    g_autofree char *text = g_strdup_printf("#!/bin/sh\n"
                                            "{ [ -e /proc/self/fd/3 ] && echo lock\n"
                                            "[ -e /proc/self/fd/57 ] && echo socket\n"
                                            "echo end; } >%s/seen.part\n"
                                            "mv %s/seen.part %s/seen\n",
                                            verb_root, verb_root, verb_root);
    verb_write("worker.sh", text);
    ck_assert_int_eq(chmod(script, 0700), 0);
    ck_assert_int_eq(dup2(STDIN_FILENO, 57), 57); /* not CLOEXEC, as of a careless library */
    g_clear_pointer(&supervisor, bp_supervisor_free);
    supervisor = supervise_with(script, &error);
    ASSERT_FINE(supervisor != NULL, error);
    g_autofree char *id = submit(CREATE_B);
    json_decref(wait_for(id, "failed"));
    close(57);
    g_autofree char *seen = verb_read("seen");
    ck_assert_str_eq(seen, "lock\nend\n");
}
END_TEST

static void
count_held(void *ctx, const char *line)
{
    *(guint *)ctx += strstr(line, "jobs wait though it is their turn") != NULL;
}

/*
 * The machine is short of something for a moment: the job waits for that, which is said once, and
 * no start is lost.
 */
START_TEST(test_start__fails_for_the_moment)
{
    guint held = 0;
    g_autoptr(GError) error = NULL;
    bp_log_set_copy(count_held, &held);
    ASSERT_FINE(bp_fault_load("jobs.spawn::class=retryable:nth=1;jobs.spawn::class=retryable:nth=2;"
                              "jobs.spawn::class=retryable:nth=3",
                              &error),
                error);
    g_autofree char *id = submit(CREATE_B);
    json_decref(wait_for(id, "succeeded"));
    ASSERT_FINE(bp_fault_load("", &error), error);
    bp_log_set_copy(NULL, NULL);
    ck_assert_uint_eq(held, 1);
    g_autoptr(json_t) record = bp_jobs__record(jobs, id, &error);
    ck_assert_uint_eq(bp_json_u64(record, "starts", 0), 1);
}
END_TEST

/* Its server goes down, and all of the service's processes get the signal. */
START_TEST(test_stopped__with_its_server)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *id = submit_slow();
    g_autoptr(json_t) slow = bp_jobs_get(jobs, id, NULL);
    pid_t pid = (pid_t)bp_json_u64(slow, "pid", 0);
    g_clear_pointer(&supervisor, bp_supervisor_free);
    ck_assert_int_eq(kill(pid, SIGTERM), 0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    g_autoptr(json_t) left = bp_jobs_get(jobs, id, NULL);
    ck_assert_str_eq(bp_json_text(left, "state", ""), "interrupted");
    const json_t *why = json_object_get(left, "error");
    ck_assert_str_eq(bp_json_text(why, "hint", ""), "the server goes on with it");
    verb_remove("data/default/books/large"); /* what made it slow */
    verb_remove("data/default/books/larger");
    supervisor = supervise(&error);
    ASSERT_FINE(supervisor != NULL, error);
    g_autoptr(json_t) done = wait_for(id, "succeeded");
    ck_assert_uint_eq(bp_json_u64(done, "attempt", 0), 1);
    ck_assert_uint_eq(bp_json_u64(json_object_get(done, "result"), "items", 0), 4);
}
END_TEST

/* The server is still there for a moment: it must not start anew what is being stopped. */
START_TEST(test_stopped__before_its_server)
{
    g_autofree char *id = submit_slow();
    g_autoptr(json_t) slow = bp_jobs_get(jobs, id, NULL);
    ck_assert_int_eq(kill((pid_t)bp_json_u64(slow, "pid", 0), SIGTERM), 0);
    json_decref(wait_for(id, "interrupted"));
    g_autofree char *other = submit("{\"verb\":\"delete\",\"name\":\"nothing\"}");
    json_decref(wait_for(other, "failed")); /* the supervisor has looked at all meanwhile */
    g_autoptr(json_t) left = bp_jobs_get(jobs, id, NULL);
    ck_assert_str_eq(bp_json_text(left, "state", ""), "interrupted");
}
END_TEST

START_TEST(test_stopped__and_cancelled_then)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *id = submit_slow();
    g_autoptr(json_t) slow = bp_jobs_get(jobs, id, NULL);
    ck_assert_int_eq(kill((pid_t)bp_json_u64(slow, "pid", 0), SIGTERM), 0);
    json_decref(wait_for(id, "interrupted"));
    ASSERT_FINE(bp_supervisor_cancel(supervisor, id, &error), error);
    json_decref(wait_for(id, "cancelled"));
}
END_TEST

START_TEST(test_stopped__after_it_was_cancelled)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *id = submit_slow();
    ASSERT_FINE(bp_supervisor_cancel(supervisor, id, &error), error);
    g_autoptr(json_t) ended = wait_for(id, "cancelled");
    ck_assert_str_eq(bp_json_text(json_object_get(ended, "error"), "class", ""), "cancelled");
}
END_TEST

START_TEST(test_new__takes_up_what_is_left)
{
    g_autoptr(GError) error = NULL;
    g_setenv("BP_FAULT", "source.documents::delay=20s", TRUE);
    g_autofree char *first = submit(CREATE_B);
    pid_t pid = wait_for_file(first, MANIFEST_B);
    g_unsetenv("BP_FAULT");
    g_autofree char *second = submit("{\"verb\":\"create\",\"name\":\"c\"}");
    json_decref(wait_for(second, "queued"));
    g_clear_pointer(&supervisor, bp_supervisor_free); /* as if the server went down */
    json_decref(wait_for(first, "running"));
    g_autoptr(json_t) orphan = bp_jobs_get(jobs, second, NULL);
    ck_assert_str_eq(bp_json_text(orphan, "state", ""), "interrupted");
    const json_t *why = json_object_get(orphan, "error");
    ck_assert_str_eq(bp_json_text(why, "message", ""),
                     "it has not begun, and waits for its server");
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid); /* as init does for who lost its parent */
    supervisor = supervise(&error);
    ASSERT_FINE(supervisor != NULL, error);
    json_decref(wait_for(first, "succeeded"));
    g_autoptr(json_t) done = wait_for(second, "succeeded");
    ck_assert_uint_eq(bp_json_u64(done, "attempt", 0), 1);
}
END_TEST

/* Waits until it has begun and ended a look at all its jobs after this was called. */
static void
wait_for_looks(void)
{
    gint64 until_ns = bp_clock_mono_ns() + PATIENCE_NS;
    for (guint i = 0; i < 2; i++) {
        gint64 before_ns = bp_clock_mono_ns();
        while (bp_supervisor_looked_ns(supervisor) <= before_ns) {
            ck_assert_msg(bp_clock_mono_ns() < until_ns, "nobody looks at the jobs");
            g_usleep(1000); /* nobody tells of looks */
        }
    }
}

/* A worker outlives its server, and counts for the next one. */
START_TEST(test_new__counts_what_still_runs)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *first = submit_slow();
    g_clear_pointer(&supervisor, bp_supervisor_free);
    most = 1;
    supervisor = supervise(&error);
    ASSERT_FINE(supervisor != NULL, error);
    g_autofree char *second = submit("{\"verb\":\"delete\",\"name\":\"nothing\"}");
    wait_for_looks();
    g_autoptr(json_t) waits = bp_jobs_get(jobs, second, NULL);
    ck_assert_str_eq(bp_json_text(waits, "state", ""), "queued");
    ASSERT_FINE(bp_supervisor_cancel(supervisor, first, &error), error);
    g_autoptr(json_t) ended = wait_for(first, "cancelled");
    g_autoptr(json_t) begun = wait_for(second, "failed");
    ck_assert_int_ge(bp_clock_parse(bp_json_text(begun, "started", "")),
                     bp_clock_parse(bp_json_text(ended, "ended", "")));
}
END_TEST

START_TEST(test_new__one_of_a_directory)
{
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(supervise(&error));
    ASSERT_ERROR(error, BP_ERR_EXISTS, "another server works on this state_dir");
}
END_TEST

int
main(void)
{
    return RUN_SUITE(
        "core/jobs/supervisor", setup, teardown, test_submit__is_done_by_a_worker,
        test_submit__its_lines_name_it, test_submit__one_source_one_create,
        test_cancel__before_it_began, test_killed__create_is_resumed,
        test_killed__after_its_last_write, test_killed__before_its_first_write,
        test_killed__again_and_again, test_killed__restore_names_its_targets,
        test_killed__before_it_began, test_killed__copy_after_its_last_write,
        test_killed__delete_after_its_last_write, test_killed__replace_after_its_last_write,
        test_killed__replace_before_its_first_write, test_killed__restore_before_its_journal_went,
        test_killed__restore_after_its_journal_went, test_start__nothing_of_the_server_is_inherited,
        test_start__fails_for_the_moment, test_stopped__with_its_server,
        test_stopped__before_its_server, test_stopped__and_cancelled_then,
        test_stopped__after_it_was_cancelled, test_new__takes_up_what_is_left,
        test_new__counts_what_still_runs, test_new__one_of_a_directory);
}
