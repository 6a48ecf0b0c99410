/* SPDX-License-Identifier: Apache-2.0
 *
 * See trust.h.  A check by path is enough: once file and parents belong to root or us and nobody
 * else can write to them, nobody else can exchange them between check and load.
 */
#include "core/plugin/trust.h"

#include <bakplane/error.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"

#include "sdk/lib/ban.h"

bool
bp_trust_check_mode(const char *path, guint32 mode, guint32 owner, guint32 us, GError **error)
{
    if (owner != 0 && owner != us) {
        bp_set_error(error, BP_ERR_DENIED,
                     "%s is not trusted: it belongs to user %u, neither to root nor to us", path,
                     owner);
        return false;
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

static bool
check_path(const char *path, bool is_file, GError **error)
{
    struct stat info;
    if (lstat(path, &info) != 0) {
        bp_set_error_errno(error, errno, "cannot look at %s", path);
        return false;
    }
    if (is_file && !S_ISREG(info.st_mode)) {
        bp_set_error(error, BP_ERR_DENIED, "%s is not trusted: it is no regular file", path);
        return false;
    }
    return bp_trust_check_mode(path, info.st_mode, info.st_uid, geteuid(), error);
}

static bool
check_parents(const char *path, GError **error)
{
    g_autofree char *parent = g_path_get_dirname(path);
    while (check_path(parent, false, error)) {
        if (strcmp(parent, "/") == 0) {
            return true;
        }
        char *above = g_path_get_dirname(parent);
        g_free(parent);
        parent = above;
    }
    return false;
}

static char *
sum_file(const char *path, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        bp_set_error_errno(error, errno, "cannot read %s", path);
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
        bp_set_error_errno(error, failed, "cannot read %s", path);
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
    char *real = realpath(path, NULL);
    if (real == NULL) {
        bp_set_error_errno(error, errno, "cannot resolve %s", path);
        return NULL;
    }
    g_autofree char *resolved = g_strdup(real);
    free(real);
    if (!check_path(resolved, true, error) || !check_parents(resolved, error)) {
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
        return NULL;
    }
    *sha256 = g_steal_pointer(&sum);
    return g_steal_pointer(&resolved);
}
