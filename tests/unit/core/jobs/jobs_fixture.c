/* SPDX-License-Identifier: Apache-2.0
 *
 * See jobs_fixture.h.
 */
#include "tests/unit/core/jobs/jobs_fixture.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

char *jobs_root;
bp_jobs *jobs;

void
jobs_setup(void)
{
    g_autoptr(GError) error = NULL;
    jobs_root = g_dir_make_tmp("jobs-XXXXXX", &error);
    ASSERT_FINE(jobs_root != NULL, error);
    jobs = bp_jobs_open(jobs_root);
}

static void
remove_tree(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name = NULL;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        remove_tree(child);
        (void)g_remove(child);
    }
}

void
jobs_teardown(void)
{
    remove_tree(jobs_root);
    (void)g_rmdir(jobs_root);
    g_clear_pointer(&jobs, bp_jobs_close);
    g_clear_pointer(&jobs_root, g_free);
}

char *
jobs_path(const char *id, const char *name)
{
    return g_build_filename(jobs_root, "jobs", id, name, NULL);
}

bool
jobs_exists(const char *id, const char *name)
{
    g_autofree char *path = jobs_path(id, name);
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

void
jobs_write(const char *id, const char *name, const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *dir = jobs_path(id, NULL);
    g_autofree char *path = jobs_path(id, name);
    ck_assert_int_eq(g_mkdir_with_parents(dir, 0700), 0);
    ASSERT_FINE(g_file_set_contents(path, text, -1, &error), error);
}

bp_ticket *
jobs_take(const char *name, const char *source, GError **error)
{
    g_autoptr(json_t) request = json_pack("{s:s,s:s}", "verb", "create", "name", name);
    g_autoptr(json_t) claims = json_array();
    g_autofree char *backup = g_strconcat("backup here/", name, NULL);
    json_array_append_new(claims, json_string(backup));
    if (source != NULL) {
        g_autofree char *text = g_strconcat("source ", source, NULL);
        json_array_append_new(claims, json_string(text));
    }
    bp_ticket_params params = {
        .jobs = jobs, .request = request, .claims = claims, .origin = "test"};
    return bp_ticket_take(&params, error);
}

/* Says its job's ID through the pipe, then waits for the signal. */
static void
be_child(int out, const char *name, const char *source)
{
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &wanted, NULL);
    bp_ticket *ticket = jobs_take(name, source, NULL);
    if (ticket == NULL || write(out, bp_ticket_id(ticket), strlen(bp_ticket_id(ticket))) < 0) {
        _exit(1);
    }
    close(out);
    int got = 0;
    (void)sigwait(&wanted, &got);
    json_t *result = json_pack("{s:s}", "outcome", "failed");
    _exit(bp_ticket_finish(ticket, "cancelled", result, NULL) ? 0 : 1);
}

jobs_child
jobs_start(const char *name, const char *source)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    jobs_child child = {.pid = fork()};
    ck_assert_int_ge(child.pid, 0);
    if (child.pid == 0) {
        close(ends[0]);
        be_child(ends[1], name, source);
    }
    close(ends[1]);
    char id[64] = "";
    ck_assert_int_gt(read(ends[0], id, sizeof id - 1), 0);
    close(ends[0]);
    child.id = g_strdup(id);
    return child;
}

int
jobs_end(jobs_child *child, int signal_number)
{
    int status = 0;
    if (signal_number != 0) {
        ck_assert_int_eq(kill(child->pid, signal_number), 0);
    }
    ck_assert_int_eq(waitpid(child->pid, &status, 0), child->pid);
    g_clear_pointer(&child->id, g_free);
    return status;
}

void
jobs_state_is(const char *id, const char *state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) job = bp_jobs_get(jobs, id, &error);
    ASSERT_FINE(job != NULL, error);
    ck_assert_str_eq(bp_json_text(job, "state", ""), state);
}
