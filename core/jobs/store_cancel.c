/* SPDX-License-Identifier: Apache-2.0
 *
 * Asking a job to stop.  The mark says that somebody asked; once its process got the signal, which
 * it must get only once, the mark says that too.  Who asks holds the mark's lock, so that another
 * one who asks meanwhile learns what came of it.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/jobs/store_internal.h"

#include "sdk/lib/ban.h"

#define TOLD "told\n"

/* Asking takes moments, unless who asks is stopped. */
#define MARK_NS BP_NS_PER_S

static bool
is_still(int fd, const char *mark)
{
    struct stat ours, there;
    return fstat(fd, &ours) == 0 && stat(mark, &there) == 0 && ours.st_ino == there.st_ino &&
           ours.st_dev == there.st_dev;
}

/* Puts the mark there, if it is not.  Returns: a descriptor, or -1 */
static int
lock_mark(const char *path, GError **error)
{
    const bp_lock_wait wait = {.limit_ns = MARK_NS};
    g_autofree char *mark = g_build_filename(path, BP_JOB_CANCEL, NULL);
    int fd = -1;
    do {
        if (fd >= 0) {
            close(fd); /* who had it could not signal, and took it away */
        }
        fd = bp_jobs__lock(path, BP_JOB_CANCEL, &wait, error);
    } while (fd >= 0 && !is_still(fd, mark));
    return fd;
}

/* The mark is there; whoever begins to run it after this looks at it. */
static bool
signal_worker(const bp_jobs *jobs, const char *id, int mark, GError **error)
{
    g_autoptr(GError) gone = NULL;
    g_autoptr(json_t) record = bp_jobs__record(jobs, id, error);
    const json_t *worker = json_object_get(record, "worker");
    if (record == NULL || worker == NULL) {
        return record != NULL; /* nobody runs it yet */
    }
    int process = bp_jobs__process(worker, &gone);
    if (process < 0) {
        bool looked_at = bp_error_is(gone, BP_ERR_NOT_FOUND) && bp_jobs__is_supervised(record);
        if (!looked_at) { /* by the server, before it would take it up again */
            g_propagate_error(error, g_steal_pointer(&gone));
        }
        return looked_at;
    }
    bool sent = pidfd_send_signal(process, SIGTERM, NULL, 0) == 0 || errno == ESRCH;
    if (!sent) {
        bp_set_error_errno(error, errno, "signal to process %" G_GUINT64_FORMAT,
                           bp_json_u64(worker, "pid", 0));
    } else {
        ssize_t ignored = write(mark, TOLD, strlen(TOLD)); /* full: who asks again signals again */
        (void)ignored;
    }
    close(process);
    return sent;
}

bool
bp_jobs_cancel(bp_jobs *jobs, const char *id, GError **error)
{
    g_autoptr(json_t) record = bp_jobs__current(jobs, id, error);
    if (record == NULL) {
        return false;
    }
    const char *state = bp_json_text(record, "state", "");
    bool goes_on = strcmp(state, "interrupted") == 0 && bp_jobs__is_supervised(record);
    if (bp_jobs_is_over(state) && !goes_on) {
        bp_set_error(error, BP_ERR_INVALID, "job %s has ended: %s", id, state);
        return false;
    }
    struct stat found;
    g_autofree char *path = bp_jobs__path(jobs, id);
    int mark = lock_mark(path, error);
    bool told = mark >= 0 && fstat(mark, &found) == 0 && found.st_size > 0;
    bool fine = mark >= 0 && (told || signal_worker(jobs, id, mark, error));
    if (mark >= 0 && !fine) {
        g_autofree char *name = g_build_filename(path, BP_JOB_CANCEL, NULL);
        (void)unlink(name); /* it would look as if it were ending */
    }
    if (mark >= 0) {
        close(mark);
    }
    if (!fine) {
        g_prefix_error(error, "job %s cannot be cancelled: ", id);
    }
    return fine;
}
