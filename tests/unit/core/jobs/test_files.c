/* SPDX-License-Identifier: Apache-2.0
 *
 * core/jobs/files: whole files, locks that readers do not disturb, and exactly one process.
 */
#include "core/jobs/files.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "tests/unit/core/jobs/jobs_fixture.h"

START_TEST(test_make_dir__is_ours_alone)
{
    g_autoptr(GError) error = NULL;
    struct stat found;
    g_autofree char *path = g_build_filename(jobs_root, "a", "b", NULL);
    ASSERT_FINE(bp_jobs__make_dir(path, &error), error);
    ck_assert_int_eq(chmod(path, 0755), 0);
    ASSERT_FINE(bp_jobs__make_dir(path, &error), error);
    ck_assert_int_eq(stat(path, &found), 0);
    ck_assert_uint_eq(found.st_mode & 0777, 0700);
}
END_TEST

START_TEST(test_write__replaces_whole_files)
{
    g_autoptr(GError) error = NULL;
    ASSERT_FINE(bp_jobs__write(jobs_root, "f", "long text", true, &error), error);
    ASSERT_FINE(bp_jobs__write(jobs_root, "f", "short", false, &error), error);
    g_autofree char *text = bp_jobs__read(jobs_root, "f", &error);
    ck_assert_str_eq(text, "short");
    ck_assert_ptr_null(bp_jobs__read(jobs_root, "none", &error));
    ck_assert_ptr_null(error);
}
END_TEST

START_TEST(test_write__without_a_directory)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(jobs_root, "none", NULL);
    ck_assert(!bp_jobs__write(path, "f", "text", true, &error));
    ASSERT_ERROR(error, BP_ERR_NOT_FOUND, "none/f");
}
END_TEST

static int
lock_l(gint64 limit_ns, const bp_cancel *cancel, GError **error)
{
    bp_lock_wait wait = {limit_ns, cancel};
    return bp_jobs__lock(jobs_root, "l", &wait, error);
}

/* Another process that takes it, and is stopped before it lets go. */
static pid_t
stop_with_l(void)
{
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        int fd = lock_l(0, NULL, NULL);
        (void)raise(SIGSTOP);
        _exit(fd >= 0 ? 0 : 1);
    }
    int status = 0;
    ck_assert_int_eq(waitpid(pid, &status, WUNTRACED), pid);
    ck_assert(WIFSTOPPED(status));
    return pid;
}

START_TEST(test_lock__of_a_stopped_process)
{
    g_autoptr(GError) error = NULL;
    pid_t pid = stop_with_l();
    ck_assert_int_eq(lock_l(60 * BP_NS_PER_MS, NULL, &error), -1);
    ck_assert(strstr(error->message, jobs_root) != NULL);
    ASSERT_ERROR(error, BP_ERR_RETRYABLE, "/l is held by another process");
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    int fd = lock_l(60 * BP_NS_PER_S, NULL, &error); /* free in a moment */
    ASSERT_FINE(fd >= 0, error);
    close(fd);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

START_TEST(test_lock__is_not_waited_for_after_a_cancel)
{
    g_autoptr(GError) error = NULL;
    pid_t pid = stop_with_l();
    g_autoptr(bp_cancel) cancel = bp_cancel_new();
    bp_cancel_trigger(cancel, SIGTERM);
    ck_assert_int_eq(lock_l(G_MAXINT64 / 2, cancel, &error), -1);
    ASSERT_ERROR(error, BP_ERR_CANCELLED, "cancelled while it waited for lock file");
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

START_TEST(test_lock__is_seen_without_being_touched)
{
    g_autoptr(GError) error = NULL;
    ck_assert_int_eq(bp_jobs__lock_state(jobs_root, "l"), BP_LOCK_GONE);
    int fd = lock_l(0, NULL, &error);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bp_jobs__lock_state(jobs_root, "l"), BP_LOCK_HELD);
    ck_assert_int_eq(bp_jobs__lock_state(jobs_root, "l"), BP_LOCK_HELD);
    close(fd);
    ck_assert_int_eq(bp_jobs__lock_state(jobs_root, "l"), BP_LOCK_FREE);
}
END_TEST

/* The most files that this process may have open.  Returns: what it was before */
static rlim_t
limit_files(rlim_t most)
{
    struct rlimit limit;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = most;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return before;
}

START_TEST(test_lock_state__of_one_that_cannot_be_opened)
{
    g_autoptr(GError) error = NULL;
    int fd = lock_l(0, NULL, &error);
    ASSERT_FINE(fd >= 0, error);
    rlim_t before = limit_files(0);
    bp_lock_state held = bp_jobs__lock_state(jobs_root, "l");
    (void)limit_files(before);
    ck_assert_int_eq(held, BP_LOCK_HELD);
    close(fd);
    g_autofree char *link = g_build_filename(jobs_root, "link", NULL);
    ck_assert_int_eq(symlink("l", link), 0);
    ck_assert_int_eq(bp_jobs__lock_state(jobs_root, "link"), BP_LOCK_HELD);
}
END_TEST

START_TEST(test_process__is_this_one)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) self = bp_jobs__self();
    ck_assert_int_gt((int)bp_json_u64(self, "start", 0), 0);
    int fd = bp_jobs__process(self, &error);
    ASSERT_FINE(fd >= 0, error);
    close(fd);
}
END_TEST

START_TEST(test_process__a_number_used_again_is_another)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) self = bp_jobs__self();
    bp_json_set_u64(self, "start", bp_json_u64(self, "start", 0) + 1);
    ck_assert_int_eq(bp_jobs__process(self, &error), -1);
    ASSERT_ERROR(error, BP_ERR_NOT_FOUND, "its process is gone");
}
END_TEST

START_TEST(test_process__that_has_ended)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) self = bp_jobs__self();
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    bp_json_set_u64(self, "pid", (guint64)pid);
    ck_assert_int_eq(bp_jobs__process(self, &error), -1);
    ASSERT_ERROR(error, BP_ERR_NOT_FOUND, "its process is gone");
}
END_TEST

/* Whether it is there cannot be told: it is not said to be gone, whichever step it was. */
START_TEST(test_process__with_too_many_files_open)
{
    g_autoptr(json_t) self = bp_jobs__self();
    int next = dup(STDIN_FILENO);
    close(next);
    for (rlim_t more = 0; more < 2; more++) {
        g_autoptr(GError) error = NULL;
        rlim_t before = limit_files((rlim_t)next + more);
        int fd = bp_jobs__process(self, &error);
        (void)limit_files(before);
        ck_assert_int_eq(fd, -1);
        ASSERT_ERROR(error, BP_ERR_RETRYABLE, "Too many open files");
    }
}
END_TEST

START_TEST(test_process__of_another_machine)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) self = bp_jobs__self();
    bp_json_set_text(self, "boot", "another");
    bp_json_set_text(self, "host", "elsewhere");
    ck_assert_int_eq(bp_jobs__process(self, &error), -1);
    ASSERT_ERROR(error, BP_ERR_UNSUPPORTED, "another machine, elsewhere");
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/jobs/files", jobs_setup, jobs_teardown, test_make_dir__is_ours_alone,
                     test_write__replaces_whole_files, test_write__without_a_directory,
                     test_lock__is_seen_without_being_touched, test_lock__of_a_stopped_process,
                     test_lock__is_not_waited_for_after_a_cancel,
                     test_lock_state__of_one_that_cannot_be_opened, test_process__is_this_one,
                     test_process__a_number_used_again_is_another, test_process__that_has_ended,
                     test_process__with_too_many_files_open, test_process__of_another_machine);
}
