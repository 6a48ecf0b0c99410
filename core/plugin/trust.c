/* SPDX-License-Identifier: Apache-2.0
 *
 * See trust.h.  A check by path is enough: once the file and all that leads to it belong to root or
 * us and nobody else can write to it, nobody else can exchange it between check and load.  So the
 * path is walked here, link by link, as the kernel does.
 */
#include "core/plugin/trust.h"

#include <bakplane/error.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"

#include "sdk/lib/ban.h"

#define LINKS_MAX 40 /* the kernel's own limit */

bool
bp_trust_check_mode(const char *path, guint32 mode, guint32 owner, guint32 us, GError **error)
{
    if (owner != 0 && owner != us) {
        bp_set_error(error, BP_ERR_DENIED,
                     "%s is not trusted: it belongs to user %u, neither to root nor to us", path,
                     owner);
        bp_error_add_hint(error, "chown root %s, if you know what is in it", path);
        return false;
    }
    if (S_ISLNK(mode)) {
        return true; /* its mode means nothing: who may change it, its directory says */
    }
    /* In a sticky directory of root's nobody can rename or remove what belongs to others. */
    bool sticky = S_ISDIR(mode) && (mode & S_ISVTX) != 0 && owner == 0;
    if ((mode & (S_IWGRP | S_IWOTH)) != 0 && !sticky) {
        bp_set_error(error, BP_ERR_DENIED, "%s is not trusted: others may write to it (mode %04o)",
                     path, mode & 07777);
        bp_error_add_hint(error, "chmod go-w %s", path);
        return false;
    }
    return true;
}

/* A system call that failed on the way, with what to look at. */
static void
fail_path(GError **error, int errnum, const char *verb, const char *path)
{
    bp_set_error_errno(error, errnum, "cannot %s %s", verb, path);
    if (errnum == ENOENT || errnum == ENOTDIR) {
        bp_error_add_hint(error, "install the plugin again, or take away the link to it");
    } else if (errnum == ELOOP) {
        bp_error_add_hint(error, "the links lead in a circle: take one of them away");
    } else {
        bp_error_add_hint(error, "namei -l %s shows each step, with its owner and mode", path);
    }
}

/* A path on its way from left to right: what was looked at and is trusted, and what is left. */
typedef struct {
    GString *done; /* without links; "" is the root */
    GString *rest;
    guint links;
} walk;

/* Puts a link's target in front of the rest. */
static bool
follow(walk *way, const char *link, GError **error)
{
    g_autofree char *target = g_file_read_link(link, NULL);
    if (target == NULL || ++way->links > LINKS_MAX) {
        fail_path(error, target == NULL ? EINVAL : ELOOP, "resolve", link);
        return false;
    }
    g_string_prepend_c(way->rest, '/');
    g_string_prepend(way->rest, target);
    if (g_path_is_absolute(target)) {
        g_string_truncate(way->done, 0);
    }
    return true;
}

static bool
step_into(walk *way, const char *name, GError **error)
{
    struct stat info;
    g_autofree char *path = g_strconcat(way->done->str, "/", name, NULL);
    if (lstat(path, &info) != 0) {
        fail_path(error, errno, "resolve", path);
        return false;
    }
    if (!bp_trust_check_mode(path, info.st_mode, info.st_uid, geteuid(), error)) {
        return false;
    }
    if (S_ISLNK(info.st_mode)) {
        return follow(way, path, error);
    }
    bool last = strspn(way->rest->str, "/") == way->rest->len;
    if (last && !S_ISREG(info.st_mode)) {
        bp_set_error(error, BP_ERR_DENIED, "%s is not trusted: it is no regular file", path);
        bp_error_add_hint(error, "take it away: a plugin is a file");
        return false;
    }
    g_string_assign(way->done, path);
    return true;
}

static bool
step(walk *way, GError **error)
{
    g_string_erase(way->rest, 0, (gssize)strspn(way->rest->str, "/"));
    gsize n = strcspn(way->rest->str, "/");
    g_autofree char *name = g_strndup(way->rest->str, n);
    g_string_erase(way->rest, 0, (gssize)n);
    if (strcmp(name, "..") == 0) {
        const char *slash = strrchr(way->done->str, '/');
        g_string_truncate(way->done, slash != NULL ? (gsize)(slash - way->done->str) : 0);
        return true;
    }
    return *name == '\0' || strcmp(name, ".") == 0 || step_into(way, name, error);
}

/* The path without links, when every step of it is trusted. */
static char *
resolve(const char *path, GError **error)
{
    struct stat root;
    if (lstat("/", &root) != 0) {
        fail_path(error, errno, "look at", "/");
        return NULL;
    }
    walk way = {.done = g_string_new(NULL), .rest = g_string_new(path)};
    bool fine = bp_trust_check_mode("/", root.st_mode, root.st_uid, geteuid(), error);
    while (fine && way.rest->len > 0) {
        fine = step(&way, error);
    }
    g_string_free(way.rest, TRUE);
    return g_string_free(way.done, !fine);
}

static char *
sum_file(const char *path, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        fail_path(error, errno, "read", path);
        return NULL;
    }
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autofree guchar *buffer = g_malloc(64 * 1024);
    ssize_t n = 0;
    while ((n = read(fd, buffer, 64 * 1024)) > 0 || (n < 0 && errno == EINTR)) {
        g_checksum_update(sum, buffer, MAX(n, 0));
    }
    int failed = n < 0 ? errno : 0;
    close(fd);
    if (failed != 0) {
        fail_path(error, failed, "read", path);
        return NULL;
    }
    return g_strdup(g_checksum_get_string(sum));
}

static bool
sum_is_allowed(const char *sum, const char *const *allowed)
{
    for (; *allowed != NULL; allowed++) {
        if (g_ascii_strcasecmp(sum, *allowed) == 0) {
            return true;
        }
    }
    return false;
}

char *
bp_trust_check(const char *path, const char *const *allowed, char **sha256, GError **error)
{
    if (!g_path_is_absolute(path)) {
        bp_set_error(error, BP_ERR_INVALID, "%s is not trusted: it is no absolute path", path);
        bp_error_add_hint(error, "write the directory in plugins.dirs from / on");
        return NULL;
    }
    g_autofree char *resolved = resolve(path, error);
    if (resolved == NULL) {
        return NULL;
    }
    g_autofree char *sum = sum_file(resolved, error);
    if (sum == NULL) {
        return NULL;
    }
    if (allowed != NULL && *allowed != NULL && !sum_is_allowed(sum, allowed)) {
        bp_set_error(error, BP_ERR_DENIED,
                     "%s is not trusted: its sha256 %s is none of those in plugins.sha256",
                     resolved, sum);
        bp_error_add_hint(error, "add that sum, if the file is what you installed");
        return NULL;
    }
    *sha256 = g_steal_pointer(&sum);
    return g_steal_pointer(&resolved);
}
