/* SPDX-License-Identifier: Apache-2.0
 *
 * Walks a tree into an index.  Kept are the path of where it is and an open directory for each
 * level of it; no symbolic link is followed.
 */
#define _GNU_SOURCE /* O_TMPFILE */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "directory.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/hostlog.h"
#include "sdk/lib/storage.h"

#include "sdk/lib/ban.h"

/* Each level is an open descriptor, and other trees are walked at the same time. */
#define DEPTH_MAX 200

struct walk {
    const struct bp_host *host;
    const struct bp_op *op;
    const char *root; /* for messages */
    FILE *out;
    struct spool *spool;
    char path[PATH_CAP]; /* below the root, "" = the root */
    size_t len;
    unsigned depth;
    char encoded[3 * PATH_CAP], target[3 * PATH_CAP];
    struct bp_error *error;
};

static bp_status walk_directory(struct walk *walk, int take_fd);

__attribute__((format(printf, 2, 3))) static bp_status
put(struct walk *walk, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vfprintf(walk->out, format, args);
    va_end(args);
    if (n < 0) {
        return bp_fail_errno(walk->error, errno, "index of %s", walk->root);
    }
    walk->spool->size += (uint64_t)n;
    return BP_OK;
}

static bp_status
fail_here(struct walk *walk, int problem)
{
    return bp_fail_errno(walk->error, problem, "%s/%s", walk->root, walk->path);
}

/* Cannot fail: each byte has room for three. */
static const char *
encoded_path(struct walk *walk)
{
    (void)name_encode(walk->len > 0 ? walk->path : ".", walk->encoded, sizeof(walk->encoded));
    return walk->encoded;
}

static bp_status
put_file(struct walk *walk, const struct stat *st)
{
    char tag[TAG_CAP];
    entry_tag(st, tag);
    walk->spool->files++;
    walk->spool->bytes += (uint64_t)st->st_size;
    return put(walk, "f %o %" PRId64 ".%09ld %" PRIu64 " %s %s\n", st->st_mode & 07777,
               (int64_t)st->st_mtim.tv_sec, st->st_mtim.tv_nsec, (uint64_t)st->st_size, tag,
               encoded_path(walk));
}

static bp_status
put_link(struct walk *walk, int dir, const char *name, const struct stat *st)
{
    char target[PATH_CAP];
    ssize_t n = readlinkat(dir, name, target, sizeof(target) - 1);
    if (n < 0) {
        return errno == ENOENT || errno == EINVAL ? BP_OK : fail_here(walk, errno);
    }
    target[n] = '\0';
    (void)name_encode(target, walk->target, sizeof(walk->target)); /* it has room for all of it */
    walk->spool->entries++;
    return put(walk, "l %" PRId64 ".%09ld %s %s\n", (int64_t)st->st_mtim.tv_sec,
               st->st_mtim.tv_nsec, walk->target, encoded_path(walk));
}

static bp_status
go_down(struct walk *walk, int dir, const char *name)
{
    if (walk->depth >= DEPTH_MAX) {
        return bp_fail(walk->error, BP_ERR_INVALID, "%s/%s lies below more than %d directories",
                       walk->root, walk->path, DEPTH_MAX);
    }
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        /* Gone, or something else by now: then it is not in the tree as a directory. */
        bool gone = errno == ENOENT || errno == ENOTDIR || errno == ELOOP;
        return gone ? BP_OK : fail_here(walk, errno);
    }
    walk->depth++;
    bp_status status = walk_directory(walk, fd);
    walk->depth--;
    return status;
}

static bp_status
take_entry(struct walk *walk, int dir, const char *name)
{
    struct stat st;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno == ENOENT ? BP_OK : fail_here(walk, errno); /* it went while we looked */
    }
    if (S_ISDIR(st.st_mode)) {
        return go_down(walk, dir, name);
    }
    if (S_ISLNK(st.st_mode)) {
        return put_link(walk, dir, name, &st);
    }
    if (S_ISREG(st.st_mode)) {
        walk->spool->entries++;
        return put_file(walk, &st);
    }
    bp_hostlog(walk->host, walk->op, BP_LOG_WARN,
               "%s/%s is left out: it is no file, directory or link", walk->root, walk->path);
    return BP_OK;
}

/* With the entry's name behind the path while it is looked at. */
static bp_status
enter(struct walk *walk, int dir, const char *name)
{
    size_t before = walk->len;
    size_t n = strlen(name);
    bp_status status = bp_check_op(walk->host, walk->op, walk->error);
    if (status != BP_OK) {
        return status;
    }
    if (before + n + 2 > PATH_CAP) {
        return bp_fail(walk->error, BP_ERR_INVALID, "%s/%s/%s: a path below the tree has %d bytes",
                       walk->root, walk->path, name, PATH_CAP - 1);
    }
    if (before > 0) {
        walk->path[walk->len++] = '/';
    }
    memcpy(walk->path + walk->len, name, n + 1);
    walk->len += n;
    status = take_entry(walk, dir, name);
    walk->len = before;
    walk->path[before] = '\0';
    return status;
}

static bool
is_ours_or_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, TEMPORARY) == 0;
}

static bp_status
walk_entries(struct walk *walk, DIR *dir)
{
    while (true) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (entry == NULL) {
            return errno == 0 ? BP_OK : fail_here(walk, errno);
        }
        bp_status status =
            is_ours_or_dots(entry->d_name) ? BP_OK : enter(walk, dirfd(dir), entry->d_name);
        if (status != BP_OK) {
            return status;
        }
    }
}

static bp_status
walk_directory(struct walk *walk, int take_fd)
{
    struct stat st;
    DIR *dir = fdopendir(take_fd);
    if (dir == NULL) {
        int problem = errno;
        (void)close(take_fd); /* opened for reading */
        return fail_here(walk, problem);
    }
    walk->spool->entries++;
    bp_status status = put(walk, "d %s\n", encoded_path(walk));
    if (status == BP_OK) {
        status = walk_entries(walk, dir);
    }
    if (status == BP_OK && fstat(dirfd(dir), &st) != 0) {
        status = fail_here(walk, errno);
    }
    if (status == BP_OK) {
        status = put(walk, "u %o %" PRId64 ".%09ld %s\n", st.st_mode & 07777,
                     (int64_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, encoded_path(walk));
    }
    (void)closedir(dir); /* opened for reading */
    return status;
}

/* A file that nobody sees and that goes with us. */
static int
make_scratch(const char *dir)
{
    char path[PATH_CAP];
    int fd = open(dir, O_RDWR | O_TMPFILE | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) {
        return fd < 0 ? -errno : fd;
    }
    int n = snprintf(path, sizeof(path), "%s/bakplane-directory-XXXXXX", dir);
    if (n < 0 || (size_t)n >= sizeof(path)) {
        return -ENAMETOOLONG;
    }
    fd = mkstemp(path);
    if (fd < 0) {
        return -errno;
    }
    (void)unlink(path); /* if it stays, an empty name stays behind */
    return fd;
}

static bp_status
write_index(struct walk *walk)
{
    int root = open(walk->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) {
        return bp_fail_errno(walk->error, errno, "tree %s", walk->root);
    }
    bp_status status = put(walk, "%s\n", INDEX_HEAD);
    if (status != BP_OK) {
        (void)close(root); /* opened for reading */
        return status;
    }
    status = walk_directory(walk, root);
    if (status == BP_OK) {
        status = put(walk, "e %" PRIu64 "\n", walk->spool->entries);
    }
    if (status == BP_OK && fflush(walk->out) != 0) {
        status = bp_fail_errno(walk->error, errno, "index of %s", walk->root);
    }
    return status;
}

bp_status
walk_tree(const struct bp_source *source, const struct bp_op *op, const struct tree *tree,
          struct spool *out, struct bp_error *error)
{
    *out = (struct spool){.fd = make_scratch(source->scratch)};
    if (out->fd < 0) {
        int problem = -out->fd;
        out->fd = -1;
        return bp_fail_errno(error, problem, "scratch file in %s", source->scratch);
    }
    struct walk *walk = calloc(1, sizeof(*walk));
    int copy = fcntl(out->fd, F_DUPFD_CLOEXEC, 0); /* the stream closes its own */
    FILE *stream = copy >= 0 ? fdopen(copy, "w") : NULL;
    bp_status status = BP_OK;
    if (walk == NULL || stream == NULL) {
        status = bp_fail(error, BP_ERR_NOMEM, "index of %s: no memory or descriptor", tree->path);
    } else {
        *walk = (struct walk){.host = source->host,
                              .op = op,
                              .root = tree->path,
                              .out = stream,
                              .spool = out,
                              .error = error};
        status = write_index(walk);
    }
    if (stream != NULL) {
        (void)fclose(stream); /* flushed above, which is what can fail */
    } else if (copy >= 0) {
        (void)close(copy);
    }
    free(walk);
    if (status != BP_OK) {
        spool_clear(out);
    }
    return status;
}

void
spool_clear(struct spool *spool)
{
    if (spool->fd >= 0) {
        (void)close(spool->fd); /* a scratch file */
    }
    spool->fd = -1;
}

bp_status
spool_fill(void *ctx, uint64_t offset, void *buffer, size_t cap, size_t *n, struct bp_error *error)
{
    const struct spool *spool = ctx;
    *n = 0;
    while (*n < cap) {
        ssize_t got =
            pread(spool->fd, (char *)buffer + *n, cap - *n, (off_t)(offset + (uint64_t)*n));
        if (got < 0 && errno != EINTR) {
            return bp_fail_errno(error, errno, "index on the scratch disk");
        }
        if (got == 0) {
            break;
        }
        *n += got > 0 ? (size_t)got : 0;
    }
    return BP_OK;
}
