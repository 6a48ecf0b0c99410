/* SPDX-License-Identifier: Apache-2.0
 *
 * See files.h.
 */
#include "core/jobs/files.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/json.h"
#include "sdk/lib/parse.h"

#include "sdk/lib/ban.h"

/* Field of /proc/PID/stat that says when it started, counted from the one after its name. */
#define START_FIELD 19
#define PROC_BYTES 4096

#define LOCK_LOOK_NS (50 * BP_NS_PER_MS)

/* File systems that cannot sync a directory say so, and keep its names by other means. */
static bool
sync_dir(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int problem = fd >= 0 && fsync(fd) == 0 ? 0 : errno;
    if (fd >= 0) {
        close(fd);
        if (problem == EINVAL || problem == ENOTSUP) {
            problem = 0;
        }
    }
    errno = problem;
    return problem == 0;
}

bool
bp_jobs__make_child(const char *dir, const char *name, GError **error)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    if (mkdir(path, 0700) == 0) {
        if (sync_dir(dir)) {
            return true;
        }
        int problem = errno;
        (void)rmdir(path); /* the error is the one before */
        errno = problem;
    }
    /* EXISTS would say that another job is in the way. */
    bp_set_error(error, BP_ERR_PERMANENT, "job directory %s: %s", path, g_strerror(errno));
    return false;
}

/* Each that is new is on disk when this returns: else a job that was let in could vanish with them.
 * false with errno. */
static bool
make_with_parents(const char *path)
{
    if (access(path, F_OK) == 0) {
        return true;
    }
    int problem = errno;
    g_autofree char *parent = g_path_get_dirname(path);
    errno = problem;
    if (problem != ENOENT || strcmp(parent, path) == 0 || !make_with_parents(parent)) {
        return false;
    }
    return (mkdir(path, 0700) == 0 || errno == EEXIST) && sync_dir(parent);
}

bool
bp_jobs__make_dir(const char *path, GError **error)
{
    struct stat found;
    bool is_there = make_with_parents(path) && stat(path, &found) == 0;
    if (!is_there || !S_ISDIR(found.st_mode)) {
        bp_set_error_errno(error, is_there ? ENOTDIR : errno, "job directory %s", path);
        return false;
    }
    if (found.st_uid != geteuid()) {
        bp_set_error(error, BP_ERR_DENIED, "job directory %s belongs to another user", path);
        return false;
    }
    if ((found.st_mode & 077) != 0 && chmod(path, 0700) != 0) {
        bp_set_error_errno(error, errno, "job directory %s", path);
        return false;
    }
    return true;
}

static bool
write_all(int fd, const char *text, bool durable)
{
    gsize n = strlen(text);
    for (gsize done = 0; done < n;) {
        ssize_t written = write(fd, text + done, n - done);
        if (written < 0 && errno != EINTR) {
            return false;
        }
        done += written > 0 ? (gsize)written : 0;
    }
    return !durable || fsync(fd) == 0;
}

bool
bp_jobs__write(const char *dir, const char *name, const char *text, bool durable, GError **error)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    g_autofree char *part = g_strconcat(path, ".part", NULL);
    int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool fine = fd >= 0 && write_all(fd, text, durable);
    int problem = fine ? 0 : errno;
    if (fd >= 0 && close(fd) != 0 && fine) {
        fine = false;
        problem = errno;
    }
    if (fine && (rename(part, path) != 0 || (durable && !sync_dir(dir)))) {
        fine = false;
        problem = errno;
    }
    if (!fine) {
        (void)unlink(part); /* the error is the one before */
        bp_set_error_errno(error, problem, "job file %s", path);
    }
    return fine;
}

char *
bp_jobs__read(const char *dir, const char *name, GError **error)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    char *text = NULL;
    g_autoptr(GError) problem = NULL;
    if (g_file_get_contents(path, &text, NULL, &problem)) {
        return text;
    }
    if (!g_error_matches(problem, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
        bool denied = g_error_matches(problem, G_FILE_ERROR, G_FILE_ERROR_ACCES);
        bp_set_error(error, denied ? BP_ERR_DENIED : BP_ERR_PERMANENT, "job file %s",
                     problem->message);
    }
    return NULL;
}

static int
open_lock(const char *dir, const char *name, int flags)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    return open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
}

/* Looks again and again: a signal does not end F_OFD_SETLKW, and neither does a limit. */
static bool
lock_within(int fd, const char *path, const bp_lock_wait *wait, GError **error)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    gint64 until_ns = bp_clock_mono_ns() + wait->limit_ns;
    while (fcntl(fd, F_OFD_SETLK, &whole) != 0) {
        if (errno != EAGAIN && errno != EACCES && errno != EINTR) {
            bp_set_error_errno(error, errno, "lock file %s", path);
            return false;
        }
        if (bp_clock_mono_ns() >= until_ns) {
            bp_set_error(error, BP_ERR_RETRYABLE, "lock file %s is held by another process", path);
            bp_error_add_hint(error, "fuser %s shows which one: it may be stopped", path);
            return false;
        }
        if (!bp_cancel_sleep_ns(wait->cancel, LOCK_LOOK_NS)) {
            bp_set_error(error, BP_ERR_CANCELLED, "cancelled while it waited for lock file %s",
                         path);
            return false;
        }
    }
    return true;
}

int
bp_jobs__lock(const char *dir, const char *name, const bp_lock_wait *wait, GError **error)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    int fd = open_lock(dir, name, O_RDWR | O_CREAT);
    if (fd < 0) {
        bp_set_error_errno(error, errno, "lock file %s", path);
        return -1;
    }
    if (!lock_within(fd, path, wait, error)) {
        close(fd);
        return -1;
    }
    return fd;
}

int
bp_jobs__try_lock(const char *dir, const char *name, GError **error)
{
    int fd = open_lock(dir, name, O_RDWR);
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fd >= 0 && fcntl(fd, F_OFD_SETLK, &whole) == 0) {
        return fd;
    }
    if (fd >= 0 && (errno == EAGAIN || errno == EACCES)) {
        bp_set_error(error, BP_ERR_EXISTS, "lock file %s/%s is locked", dir, name);
    } else {
        bp_set_error_errno(error, errno, "lock file %s/%s", dir, name);
    }
    if (fd >= 0) {
        close(fd);
    }
    return -1;
}

bp_lock_state
bp_jobs__lock_state(const char *dir, const char *name)
{
    int fd = open_lock(dir, name, O_RDONLY);
    if (fd < 0) {
        /* Too many files open, or not ours: whoever has it may well be alive. */
        return errno == ENOENT || errno == ENOTDIR ? BP_LOCK_GONE : BP_LOCK_HELD;
    }
    struct flock wanted = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    bool held = fcntl(fd, F_OFD_GETLK, &wanted) == 0 && wanted.l_type != F_UNLCK;
    close(fd);
    return held ? BP_LOCK_HELD : BP_LOCK_FREE;
}

/* A small file of /proc.  NULL with errno; ESRCH, too, is a process that is gone.  Returns:
 * (transfer full) (nullable) */
static char *
read_proc(const char *path)
{
    char text[PROC_BYTES];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    int problem = errno;
    if (fd >= 0) {
        close(fd);
    }
    errno = problem;
    return n >= 0 ? g_strndup(text, (gsize)n) : NULL;
}

/* When a process started, in ticks since the machine did: with its number that is one process.
 * false with errno when that cannot be read. */
static bool
start_of(guint64 pid, guint64 *out)
{
    g_autofree char *path = g_strdup_printf("/proc/%" G_GUINT64_FORMAT "/stat", pid);
    g_autofree char *text = read_proc(path);
    if (text == NULL) {
        return false;
    }
    const char *rest = strrchr(text, ')');
    g_auto(GStrv) fields = g_strsplit(rest != NULL ? rest + 1 : "", " ", START_FIELD + 3);
    uint64_t start = 0;
    if (g_strv_length(fields) <= START_FIELD + 1 ||
        bp_parse_u64(fields[START_FIELD + 1], &start) != 0) {
        errno = EIO;
        return false;
    }
    *out = start;
    return true;
}

/* "" where the machine does not say; NULL with errno when it cannot be read now. */
static char *
boot_id(void)
{
    char *text = read_proc("/proc/sys/kernel/random/boot_id");
    if (text == NULL && errno == ENOENT) {
        return g_strdup("");
    }
    return text != NULL ? g_strchomp(text) : NULL;
}

json_t *
bp_jobs__self(void)
{
    json_t *self = json_object();
    g_autofree char *boot = boot_id();
    guint64 pid = (guint64)getpid();
    guint64 start = 0;
    (void)start_of(pid, &start); /* without it nobody can tell that it is this one */
    bp_json_set_u64(self, "pid", pid);
    bp_json_set_u64(self, "start", start);
    bp_json_set_text(self, "boot", boot != NULL ? boot : "");
    bp_json_set_text(self, "host", g_get_host_name());
    return self;
}

/* A number that a thread has now gives EINVAL, or ENOENT since Linux 6.9. */
static bool
says_gone(int problem)
{
    return problem == ESRCH || problem == EINVAL || problem == ENOENT;
}

/* Of the process that has this number now.  -1 with errno */
static int
open_process(guint64 pid, guint64 *start)
{
    if (pid == 0 || pid > G_MAXINT) {
        errno = ESRCH;
        return -1;
    }
    int fd = pidfd_open((pid_t)pid, 0);
    /* Looked at after it is held: what has the number now has it until the descriptor is closed. */
    if (fd >= 0 && !start_of(pid, start)) {
        int problem = errno;
        close(fd);
        errno = problem;
        return -1;
    }
    return fd;
}

int
bp_jobs__process(const json_t *worker, GError **error)
{
    guint64 pid = bp_json_u64(worker, "pid", 0);
    g_autofree char *boot = boot_id();
    if (boot == NULL) {
        bp_set_error_errno(error, errno, "which boot of the machine this is");
        return -1;
    }
    if (strcmp(bp_json_text(worker, "boot", ""), boot) != 0) {
        bp_set_error(error, BP_ERR_UNSUPPORTED, "it runs on another machine, %s",
                     bp_json_text(worker, "host", "?"));
        return -1;
    }
    guint64 start = 0;
    int fd = open_process(pid, &start);
    if (fd < 0 && !says_gone(errno)) {
        bp_set_error_errno(error, errno, "process %" G_GUINT64_FORMAT, pid);
        return -1;
    }
    if (fd >= 0 && start == bp_json_u64(worker, "start", G_MAXUINT64)) {
        return fd;
    }
    if (fd >= 0) {
        close(fd);
    }
    bp_set_error(error, BP_ERR_NOT_FOUND, "its process is gone");
    return -1;
}
