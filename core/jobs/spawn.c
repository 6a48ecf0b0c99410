/* SPDX-License-Identifier: Apache-2.0
 *
 * Starting a worker.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/fault.h"
#include "core/base/json.h"
#include "core/jobs/supervisor_internal.h"
#include "core/jobs/work.h"

#include "sdk/lib/ban.h"

extern char **environ;

static char *
describe(const bp_spawn_params *params, const bp_ticket *ticket)
{
    g_autoptr(json_t) work = json_object();
    json_t *sets = json_array();
    for (const char *const *set = params->sets; set != NULL && *set != NULL; set++) {
        json_array_append_new(sets, json_string(*set));
    }
    bp_json_set_text(work, "state_dir", params->state_dir);
    bp_json_set_text(work, "id", bp_ticket_id(ticket));
    if (params->config != NULL) { /* "" is something else than none, and kept */
        json_object_set_new(work, "config", json_string(params->config));
    }
    bp_json_set_text(work, "dialect", params->dialect);
    json_object_set_new(work, "sets", sets);
    return bp_json_line(work);
}

/* A pipe holds more than that; its end is with the worker when this returns. */
static int
told(const char *text, GError **error)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        bp_set_error_errno(error, errno, "pipe to a worker");
        return -1;
    }
    int flags = fcntl(ends[1], F_GETFL);
    (void)fcntl(ends[1], F_SETFL, flags | O_NONBLOCK); /* whole or not at all */
    bool whole = write(ends[1], text, strlen(text)) == (ssize_t)strlen(text);
    close(ends[1]);
    if (!whole) {
        bp_set_error(error, BP_ERR_PERMANENT, "pipe to a worker: the settings are too long");
        close(ends[0]);
        return -1;
    }
    return ends[0];
}

static int
spawn(const char *program, int description, int lock, pid_t *pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, usual;
    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGINT);
    sigaddset(&usual, SIGTERM);
    sigaddset(&usual, SIGPIPE);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    /* The lock first: its place may be where the description is. */
    int moved = fcntl(description, F_DUPFD_CLOEXEC, BP_WORK_LOCK_FD + 1);
    posix_spawn_file_actions_adddup2(&files, lock, BP_WORK_LOCK_FD);
    posix_spawn_file_actions_adddup2(&files, moved, STDIN_FILENO);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    /* Whatever a library opened: a worker outlives the server, and would keep its sockets open. */
    posix_spawn_file_actions_addclosefrom_np(&files, BP_WORK_LOCK_FD + 1);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
    char *argv[] = {(char *)program, (char *)"job-worker", NULL};
    int problem = moved < 0 ? errno : posix_spawn(pid, program, &files, &attributes, argv, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    if (moved >= 0) {
        close(moved);
    }
    return problem;
}

pid_t
bp_supervisor__spawn(const bp_spawn_params *params, const bp_ticket *ticket, GError **error)
{
    if (!bp_fault_point("jobs.spawn", error)) {
        return -1;
    }
    g_autofree char *text = describe(params, ticket);
    int description = told(text, error);
    if (description < 0) {
        return -1;
    }
    pid_t pid = -1;
    int problem = spawn(params->program, description, bp_ticket_lock_fd(ticket), &pid);
    close(description);
    if (problem != 0) {
        bp_set_error_errno(error, problem, "worker %s", params->program);
        return -1;
    }
    return pid;
}
