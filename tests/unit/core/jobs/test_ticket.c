/* SPDX-License-Identifier: Apache-2.0
 *
 * core/jobs/ticket: who is let in, who waits, and what is on record.
 */
#include "core/jobs/ticket.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/fault.h"
#include "core/base/log.h"
#include "core/jobs/store_internal.h"
#include "tests/unit/core/jobs/jobs_fixture.h"

#define FOREVER (G_MAXINT64 / 2)

START_TEST(test_take__is_running_and_ours_alone)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(bp_ticket) ticket = jobs_take("b", "s", &error);
    ASSERT_FINE(ticket != NULL, error);
    ck_assert_ptr_null(bp_ticket_waits_for(ticket));
    jobs_state_is(bp_ticket_id(ticket), "running");
    struct stat found;
    g_autofree char *dir = jobs_path(NULL, NULL);
    g_autofree char *record = jobs_path(bp_ticket_id(ticket), "record.json");
    ck_assert_int_eq(stat(dir, &found), 0);
    ck_assert_uint_eq(found.st_mode & 0777, 0700);
    ck_assert_int_eq(stat(record, &found), 0);
    ck_assert_uint_eq(found.st_mode & 0777, 0600);
}
END_TEST

START_TEST(test_take__two_writers_of_one_backup)
{
    g_autoptr(GError) error = NULL;
    jobs_child child = jobs_start("b", NULL);
    ck_assert_ptr_null(jobs_take("b", NULL, &error));
    ck_assert(strstr(error->message, child.id) != NULL);
    ASSERT_ERROR(error, BP_ERR_EXISTS, "backup b is being worked on by job");
    (void)jobs_end(&child, SIGKILL);
}
END_TEST

/* Whoever has read that it ended may go on at once, also before its process lets go of the lock. */
START_TEST(test_take__the_other_says_that_it_ended)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(bp_ticket) other = jobs_take("b", "s", &error);
    ASSERT_FINE(other != NULL, error);
    g_autoptr(json_t) record = bp_jobs__record(jobs, bp_ticket_id(other), NULL);
    bp_json_set_text(record, "state", "succeeded");
    ck_assert(bp_jobs__write_record(jobs, bp_ticket_id(other), record, NULL));
    g_autoptr(bp_ticket) next = jobs_take("b", "s", &error);
    ASSERT_FINE(next != NULL, error);
    ck_assert_ptr_null(bp_ticket_waits_for(next));
}
END_TEST

START_TEST(test_wait__until_the_other_has_ended)
{
    g_autoptr(GError) error = NULL;
    jobs_child child = jobs_start("a", "s");
    g_autoptr(bp_ticket) ticket = jobs_take("b", "s", &error);
    ASSERT_FINE(ticket != NULL, error);
    ck_assert_str_eq(bp_ticket_waits_for(ticket), child.id);
    jobs_state_is(bp_ticket_id(ticket), "queued");
    (void)jobs_end(&child, SIGKILL);
    ASSERT_FINE(bp_ticket_wait(ticket, FOREVER, NULL, &error) == BP_TURN_COME, error);
    ck_assert_ptr_null(bp_ticket_waits_for(ticket));
    jobs_state_is(bp_ticket_id(ticket), "running");
}
END_TEST

START_TEST(test_wait__who_came_first_goes_first)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(bp_ticket) runs = jobs_take("a", "s", &error);
    g_autoptr(bp_ticket) first = jobs_take("b", "s", &error);
    g_autoptr(bp_ticket) second = jobs_take("c", "s", &error);
    ASSERT_FINE(second != NULL, error);
    g_autoptr(json_t) result = json_object();
    ck_assert(bp_ticket_finish(runs, "succeeded", result, NULL));
    g_autoptr(bp_cancel) now = bp_cancel_new();
    g_autoptr(bp_ticket) gone = g_steal_pointer(&runs);
    g_clear_pointer(&gone, bp_ticket_free);
    bool earlier = strcmp(bp_ticket_id(first), bp_ticket_id(second)) < 0;
    bp_ticket *next = earlier ? first : second; /* in one millisecond chance decides */
    ASSERT_FINE(bp_ticket_wait(next, FOREVER, now, &error) == BP_TURN_COME, error);
    jobs_state_is(bp_ticket_id(next), "running");
    jobs_state_is(bp_ticket_id(earlier ? second : first), "queued");
}
END_TEST

START_TEST(test_wait__no_longer_than_it_may)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(bp_ticket) other = jobs_take("a", "s", NULL);
    g_autoptr(bp_ticket) ticket = jobs_take("b", "s", &error);
    ASSERT_FINE(ticket != NULL, error);
    g_autofree char *wanted =
        g_strdup_printf("waited 1 ms for job %s (create a, process %d), which has not ended\nhint: "
                        "bakplane job cancel %s ends it",
                        bp_ticket_id(other), (int)getpid(), bp_ticket_id(other));
    ck_assert_int_eq(bp_ticket_wait(ticket, BP_NS_PER_MS, NULL, &error), BP_TURN_GIVEN_UP);
    ASSERT_ERROR(error, BP_ERR_TIMEOUT, wanted);
    ck_assert_int_eq(bp_ticket_wait(ticket, 0, NULL, &error), BP_TURN_GIVEN_UP);
    ASSERT_ERROR(error, BP_ERR_EXISTS, "captures the same source, and may not be waited for");
    ck_assert_str_eq(bp_ticket_waits_for(ticket), bp_ticket_id(other));
}
END_TEST

START_TEST(test_finish__result_then_record_then_lock)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(bp_ticket) ticket = jobs_take("b", NULL, NULL);
    g_autofree char *id = g_strdup(bp_ticket_id(ticket));
    bp_log_add_secret("hunter22");
    g_autoptr(json_t) result =
        json_pack("{s:s,s:{s:s}}", "outcome", "failed", "error", "message", "no hunter22 here");
    ASSERT_FINE(bp_ticket_finish(ticket, "failed", result, &error), error);
    ck_assert(!jobs_exists(id, "lock"));
    g_autoptr(json_t) job = bp_jobs_get(jobs, id, &error);
    ASSERT_FINE(job != NULL, error);
    ck_assert_str_eq(bp_json_text(json_object_get(job, "error"), "message", ""), "no *** here");
    const json_t *kept = json_object_get(json_object_get(job, "result"), "error");
    ck_assert_str_eq(bp_json_text(kept, "message", ""), "no *** here");
}
END_TEST

START_TEST(test_finish__secrets_that_json_writes_otherwise)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(bp_ticket) ticket = jobs_take("b", NULL, NULL);
    bp_log_add_secret("hunt\"er");
    bp_log_add_secret("outcome");
    g_autoptr(json_t) result = json_pack("{s:s,s:{s:s}}", "outcome", "failed", "error", "message",
                                         "no hunt\"er here, no outcome");
    ASSERT_FINE(bp_ticket_finish(ticket, "failed", result, &error), error);
    g_autoptr(json_t) job = bp_jobs_get(jobs, bp_ticket_id(ticket), NULL);
    ck_assert_str_eq(bp_json_text(json_object_get(job, "error"), "message", ""),
                     "no *** here, no ***");
    const json_t *kept = json_object_get(job, "result");
    ck_assert_str_eq(bp_json_text(kept, "outcome", ""), "failed");
    ck_assert_str_eq(bp_json_text(json_object_get(kept, "error"), "message", ""),
                     "no *** here, no ***");
}
END_TEST

START_TEST(test_progress__is_seen)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(bp_ticket) ticket = jobs_take("b", NULL, NULL);
    g_autoptr(json_t) numbers = json_pack("{s:s,s:i}", "phase", "copy", "items_done", 3);
    ASSERT_FINE(bp_ticket_progress(ticket, numbers, &error), error);
    g_autoptr(json_t) job = bp_jobs_get(jobs, bp_ticket_id(ticket), &error);
    ck_assert(json_equal(json_object_get(job, "progress"), numbers));
}
END_TEST

START_TEST(test_log__keeps_the_last_mebibyte)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(bp_ticket) ticket = jobs_take("b", NULL, NULL);
    g_autofree char *line = g_strnfill(1023, 'x');
    for (guint i = 0; i < 2000; i++) {
        bp_ticket_log_line(ticket, line);
    }
    bp_ticket_log_line(ticket, "the last one");
    g_autofree char *log = bp_jobs_log(jobs, bp_ticket_id(ticket), &error);
    ASSERT_FINE(log != NULL, error);
    ck_assert(g_str_has_suffix(log, "x\nthe last one\n"));
    ck_assert_uint_le(strlen(log), BP_JOBS_LOG_BYTES);
    ck_assert_uint_ge(strlen(log), BP_JOBS_LOG_BYTES / 2);
}
END_TEST

START_TEST(test_take__a_directory_that_is_none)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(jobs_root, "jobs", NULL);
    ASSERT_FINE(g_file_set_contents(path, "a file", -1, &error), error);
    ck_assert_ptr_null(jobs_take("b", NULL, &error));
    ck_assert_ptr_nonnull(error);
    ck_assert(!bp_error_is(error, BP_ERR_EXISTS)); /* that would mean another job */
}
END_TEST

/* As on a full disk: files can be made, but nothing can be written to them. */
static rlim_t
limit_size(rlim_t most)
{
    struct rlimit limit;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = most;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    return before;
}

START_TEST(test_take__who_cannot_be_recorded_leaves_nothing)
{
    g_autoptr(GError) error = NULL;
    void (*usual)(int) = signal(SIGXFSZ, SIG_IGN);
    rlim_t before = limit_size(0);
    bp_ticket *ticket = jobs_take("b", NULL, &error);
    (void)limit_size(before);
    (void)signal(SIGXFSZ, usual);
    ck_assert_ptr_null(ticket);
    ck_assert(strstr(error->message, "record.json") != NULL);
    g_autofree char *path = jobs_path(NULL, NULL);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    ck_assert_str_eq(g_dir_read_name(dir), "lock");
    ck_assert_ptr_null(g_dir_read_name(dir));
}
END_TEST

/* A process that is stopped while it has the directory's lock. */
static pid_t
stop_with_directory(void)
{
    ck_assert(bp_jobs__make_dir(jobs->dir, NULL));
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        bp_lock_wait once = {0};
        int fd = bp_jobs__lock(jobs->dir, "lock", &once, NULL);
        (void)raise(SIGSTOP);
        _exit(fd >= 0 ? 0 : 1);
    }
    int status = 0;
    ck_assert_int_eq(waitpid(pid, &status, WUNTRACED), pid);
    ck_assert(WIFSTOPPED(status));
    return pid;
}

START_TEST(test_wait__its_turn_cannot_be_recorded)
{
    g_autoptr(GError) error = NULL;
    bp_ticket *other = jobs_take("a", "s", NULL);
    g_autoptr(bp_ticket) ticket = jobs_take("b", "s", &error);
    ASSERT_FINE(ticket != NULL, error);
    bp_ticket_free(other);
    void (*usual)(int) = signal(SIGXFSZ, SIG_IGN);
    rlim_t before = limit_size(0);
    bp_turn turn = bp_ticket_wait(ticket, FOREVER, NULL, &error);
    (void)limit_size(before);
    (void)signal(SIGXFSZ, usual);
    ck_assert_int_eq(turn, BP_TURN_UNKNOWN);
    ck_assert_ptr_nonnull(strstr(error->message, "record.json"));
    ck_assert_ptr_null(bp_ticket_waits_for(ticket));
    g_autoptr(json_t) result = json_object();
    ck_assert(bp_ticket_finish(ticket, "succeeded", result, NULL)); /* the disk has room again */
    jobs_state_is(bp_ticket_id(ticket), "succeeded");
}
END_TEST

START_TEST(test_wait__the_directory_tells_a_moment_later)
{
    g_autoptr(GError) error = NULL;
    bp_ticket *other = jobs_take("a", "s", NULL);
    g_autoptr(bp_ticket) ticket = jobs_take("b", "s", &error);
    ASSERT_FINE(ticket != NULL, error);
    bp_ticket_free(other);
    ASSERT_FINE(bp_fault_load("jobs.turn::class=retryable:nth=1", &error), error);
    bp_turn turn = bp_ticket_wait(ticket, FOREVER, NULL, &error);
    ASSERT_FINE(bp_fault_load("", NULL), error);
    ck_assert_int_eq(turn, BP_TURN_COME);
}
END_TEST

START_TEST(test_wait__a_stopped_process_has_the_directory)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(bp_ticket) other = jobs_take("a", "s", NULL);
    g_autoptr(bp_ticket) ticket = jobs_take("b", "s", &error);
    ASSERT_FINE(ticket != NULL, error);
    jobs->lock_limit_ns = 60 * BP_NS_PER_MS;
    pid_t pid = stop_with_directory();
    ck_assert_int_eq(bp_ticket_wait(ticket, FOREVER, NULL, &error), BP_TURN_UNKNOWN);
    ASSERT_ERROR(error, BP_ERR_RETRYABLE, "/jobs/lock is held by another process");
    jobs_state_is(bp_ticket_id(ticket), "running"); /* which it is from now on */
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

START_TEST(test_take__a_stopped_process_has_the_directory)
{
    g_autoptr(GError) error = NULL;
    ck_assert_int_eq(jobs->lock_limit_ns, 10 * BP_NS_PER_S);
    jobs->lock_limit_ns = 60 * BP_NS_PER_MS;
    pid_t pid = stop_with_directory();
    ck_assert_ptr_null(jobs_take("b", NULL, &error));
    ASSERT_ERROR(error, BP_ERR_RETRYABLE, "/jobs/lock is held by another process");
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    g_autoptr(bp_ticket) ticket = jobs_take("b", NULL, &error);
    ASSERT_FINE(ticket != NULL, error);
}
END_TEST

static bp_ticket *
hold(const char *claim, GError **error)
{
    g_autoptr(json_t) request = json_pack("{s:s,s:s}", "verb", "create", "name", "b");
    g_autoptr(json_t) claims = json_pack("[s]", claim);
    bp_ticket_params params = {
        .jobs = jobs, .request = request, .claims = claims, .origin = "test", .hold = true};
    return bp_ticket_take(&params, error);
}

START_TEST(test_turns__looks_once)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(bp_ticket) ticket = hold("source s", &error);
    ASSERT_FINE(ticket != NULL, error);
    pid_t pid = stop_with_directory();
    gint64 until_ns = bp_clock_mono_ns() + jobs->lock_limit_ns;
    ck_assert_ptr_null(bp_turns_begin(jobs, &error));
    ASSERT_ERROR(error, BP_ERR_RETRYABLE, "is held by another process");
    ck_assert(bp_clock_mono_ns() < until_ns);
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    g_autoptr(bp_turns) turns = bp_turns_begin(jobs, &error);
    ASSERT_FINE(turns != NULL, error);
    bool turn = false;
    ASSERT_FINE(bp_ticket_may_run(ticket, turns, &turn, &error), error);
    ck_assert(turn);
}
END_TEST

START_TEST(test_turns__who_may_is_in_the_way_of_the_next)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(bp_ticket) one = hold("source s", &error);
    g_autoptr(bp_ticket) two = hold("source s", &error);
    ASSERT_FINE(two != NULL, error);
    g_autoptr(bp_turns) turns = bp_turns_begin(jobs, &error);
    ASSERT_FINE(turns != NULL, error);
    bool earlier = strcmp(bp_ticket_id(one), bp_ticket_id(two)) < 0; /* in one millisecond */
    bool first = false;
    bool second = true;
    ASSERT_FINE(bp_ticket_may_run(earlier ? one : two, turns, &first, &error), error);
    ASSERT_FINE(bp_ticket_may_run(earlier ? two : one, turns, &second, &error), error);
    ck_assert(first);
    ck_assert(!second);
    ck_assert_str_eq(bp_ticket_waits_for(earlier ? two : one), bp_ticket_id(earlier ? one : two));
}
END_TEST

/* A worker that was started has the source, although its record still says queued. */
START_TEST(test_turns__who_is_being_started_is_in_the_way)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(bp_ticket) one = hold("source s", &error);
    g_autoptr(bp_ticket) two = hold("source s", &error);
    ASSERT_FINE(two != NULL, error);
    bool in_order = strcmp(bp_ticket_id(one), bp_ticket_id(two)) < 0; /* in one millisecond */
    bp_ticket *older = in_order ? one : two;
    bp_ticket *younger = in_order ? two : one;
    bool turn = true;
    ASSERT_FINE(bp_ticket_count_start(younger, &error), error);
    bp_turns *turns = bp_turns_begin(jobs, NULL);
    ASSERT_FINE(bp_ticket_may_run(older, turns, &turn, &error), error);
    bp_turns_end(turns);
    ck_assert(!turn);
    ck_assert_str_eq(bp_ticket_waits_for(older), bp_ticket_id(younger));
    bp_ticket_uncount_start(younger);
    turns = bp_turns_begin(jobs, NULL);
    ASSERT_FINE(bp_ticket_may_run(older, turns, &turn, &error), error);
    bp_turns_end(turns);
    ck_assert(turn);
}
END_TEST

/* It holds its lock, so it may be in anybody's way: nobody is let in past it. */
START_TEST(test_turns__a_live_job_that_cannot_be_read)
{
    g_autoptr(GError) error = NULL;
    jobs_child child = jobs_start("b", "s");
    jobs_write(child.id, "record.json", "{\"version\":1,\"st");
    ck_assert_ptr_null(jobs_take("c", "s", &error));
    ck_assert_ptr_nonnull(strstr(error->message, child.id));
    ASSERT_ERROR(error, BP_ERR_RETRYABLE, "may be in the way");
    ck_assert_ptr_null(bp_turns_begin(jobs, &error));
    ASSERT_ERROR(error, BP_ERR_RETRYABLE, "may be in the way");
    (void)jobs_end(&child, SIGKILL);
    g_autoptr(bp_ticket) next = jobs_take("c", "s", &error);
    ASSERT_FINE(next != NULL, error);
    ck_assert_ptr_null(bp_ticket_waits_for(next));
}
END_TEST

/* Its server was down when another process began to write the same backup. */
START_TEST(test_revive__waits_for_another_writer)
{
    g_autoptr(GError) error = NULL;
    bp_ticket *before = hold("backup here/b", &error);
    ASSERT_FINE(before != NULL, error);
    g_autofree char *id = g_strdup(bp_ticket_id(before));
    bp_ticket_free(before);
    g_autoptr(bp_ticket) writer = jobs_take("b", NULL, &error);
    ASSERT_FINE(writer != NULL, error);
    g_autoptr(bp_ticket) revived = bp_ticket_revive(jobs, id, &error);
    ASSERT_FINE(revived != NULL, error);
    bool turn = true;
    bp_turns *turns = bp_turns_begin(jobs, NULL);
    ASSERT_FINE(bp_ticket_may_run(revived, turns, &turn, &error), error);
    bp_turns_end(turns);
    ck_assert(!turn);
    ck_assert_str_eq(bp_ticket_waits_for(revived), bp_ticket_id(writer));
    g_autoptr(json_t) result = json_object();
    ck_assert(bp_ticket_finish(writer, "succeeded", result, NULL));
    turns = bp_turns_begin(jobs, NULL);
    ASSERT_FINE(bp_ticket_may_run(revived, turns, &turn, &error), error);
    bp_turns_end(turns);
    ck_assert(turn);
}
END_TEST

/* As it would be called.  Returns: (transfer full) */
static char *
id_of(gint64 ago_ns)
{
    return bp_jobs__new_id(bp_clock_wall_ns() - ago_ns);
}

static void
make_ended(const char *id)
{
    g_autofree char *text =
        g_strdup_printf("{\"version\":1,\"id\":\"%s\",\"state\":\"succeeded\"}", id);
    jobs_write(id, "record.json", text);
}

START_TEST(test_take__removes_what_is_old)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *old = id_of(100 * 86400 * BP_NS_PER_S);
    g_autofree char *young = id_of(80 * 86400 * BP_NS_PER_S);
    make_ended(old);
    make_ended(young);
    g_autoptr(bp_ticket) ticket = jobs_take("b", NULL, &error);
    ASSERT_FINE(ticket != NULL, error);
    ck_assert(!jobs_exists(old, NULL));
    ck_assert(jobs_exists(young, "record.json"));
}
END_TEST

START_TEST(test_take__removes_what_is_too_much)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *oldest = NULL;
    for (guint i = 0; i < BP_JOBS_MAX; i++) {
        g_autofree char *id = id_of((gint64)(BP_JOBS_MAX - i) * 60 * BP_NS_PER_S);
        make_ended(id);
        oldest = i == 0 ? g_steal_pointer(&id) : oldest;
    }
    g_autoptr(bp_ticket) ticket = jobs_take("b", NULL, &error);
    ASSERT_FINE(ticket != NULL, error);
    g_autoptr(GPtrArray) left = bp_jobs__ids(jobs, &error);
    ASSERT_FINE(left != NULL, error);
    ck_assert_uint_eq(left->len, BP_JOBS_MAX); /* with the new one */
    ck_assert(!jobs_exists(oldest, NULL));
    ck_assert_str_eq(g_ptr_array_index(left, BP_JOBS_MAX - 1), bp_ticket_id(ticket));
}
END_TEST

int
main(void)
{
    return RUN_SUITE(
        "core/jobs/ticket", jobs_setup, jobs_teardown, test_take__is_running_and_ours_alone,
        test_take__two_writers_of_one_backup, test_take__the_other_says_that_it_ended,
        test_wait__until_the_other_has_ended, test_wait__who_came_first_goes_first,
        test_finish__result_then_record_then_lock, test_finish__secrets_that_json_writes_otherwise,
        test_progress__is_seen, test_log__keeps_the_last_mebibyte,
        test_take__a_directory_that_is_none, test_take__who_cannot_be_recorded_leaves_nothing,
        test_wait__no_longer_than_it_may, test_wait__its_turn_cannot_be_recorded,
        test_wait__the_directory_tells_a_moment_later,
        test_wait__a_stopped_process_has_the_directory,
        test_take__a_stopped_process_has_the_directory, test_turns__looks_once,
        test_turns__who_may_is_in_the_way_of_the_next, test_turns__a_live_job_that_cannot_be_read,
        test_turns__who_is_being_started_is_in_the_way, test_revive__waits_for_another_writer,
        test_take__removes_what_is_old, test_take__removes_what_is_too_much);
}
