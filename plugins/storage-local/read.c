/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading objects.
 */
#include "plugins/storage-local/read.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "plugins/storage-local/root.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/storage.h"

#include "sdk/lib/ban.h"

#define READ_AHEAD_FROM (1 << 20) /* smaller files are one read anyway */
#define MAX_READ ((size_t)8 << 20)

struct bp_reader {
    struct bp_storage *storage;
    int fd;
    uint64_t offset, end;
    struct stat opened;
    char key[];
};

static bp_status
check_type(struct bp_storage *storage, const char *key, const struct stat *st,
           struct bp_error *error)
{
    if (S_ISREG(st->st_mode)) {
        return BP_OK;
    }
    if (S_ISDIR(st->st_mode)) {
        return bp_fail(error, BP_ERR_NOT_FOUND, "object %s/%s: it is a directory, not an object",
                       storage->set.root, key);
    }
    if (S_ISLNK(st->st_mode)) {
        return bp_local_fail(storage, ELOOP, "read", key, error);
    }
    return bp_fail(error, BP_ERR_DENIED, "object %s/%s: it is not a regular file",
                   storage->set.root, key);
}

/* The first checks of every operation that reads one key. */
static bp_status
begin(struct bp_storage *storage, const struct bp_op *op, const char *key, struct bp_error *error)
{
    int root;
    bp_status status = bp_local_check_op(storage, op, error);
    if (status == BP_OK) {
        status = bp_local_check_key(key, error);
    }
    return status == BP_OK ? bp_local_root(storage, BP_LOCAL_FAIL, &root, error) : status;
}

bp_status
bp_local_stat(struct bp_storage *storage, const struct bp_op *op, const char *key,
              struct bp_object_meta *out, struct bp_error *error)
{
    struct stat st = {0};
    bp_status status = begin(storage, op, key, error);
    if (status != BP_OK) {
        return status;
    }
    int dir = bp_local_open_parent(storage, key);
    int errnum = dir < 0 ? -dir : 0;
    if (dir >= 0) {
        if (fstatat(dir, bp_local_base(key), &st, AT_SYMLINK_NOFOLLOW) != 0) {
            errnum = errno;
        }
        (void)close(dir); /* O_PATH */
    }
    if (errnum != 0) {
        return bp_local_fail(storage, errnum, "look at", key, error);
    }
    status = check_type(storage, key, &st, error);
    if (status == BP_OK) {
        bp_local_meta_fill(out, &st);
    }
    return status;
}

bp_status
bp_local_open_object(struct bp_storage *storage, const char *key, const char *if_match, int *fd,
                     struct stat *st, struct bp_error *error)
{
    /* NONBLOCK: opening a pipe would wait for its other end. */
    *fd = bp_local_open(storage, key, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (*fd < 0) {
        return bp_local_fail(storage, *fd == -ENXIO ? ENOENT : -*fd, "read", key, error);
    }
    bp_status status = BP_OK;
    if (fstat(*fd, st) != 0) {
        status = bp_local_fail(storage, errno, "look at", key, error);
    }
    if (status == BP_OK) {
        status = check_type(storage, key, st, error);
    }
    if (status == BP_OK) {
        status = bp_local_match(key, if_match, st, error);
    }
    if (status != BP_OK) {
        (void)close(*fd); /* opened for reading */
        *fd = -1;
    }
    return status;
}

bp_status
bp_local_read_open(struct bp_storage *storage, const struct bp_op *op,
                   const struct bp_read_args *args, struct bp_object_meta *meta,
                   struct bp_reader **out, struct bp_error *error)
{
    int fd = -1;
    struct stat st = {0};
    bp_status status = bp_check_flags(args->flags, 0, error);
    if (status == BP_OK) {
        status = begin(storage, op, args->key, error);
    }
    if (status == BP_OK) {
        status = bp_local_open_object(storage, args->key, args->if_match, &fd, &st, error);
    }
    if (status != BP_OK) {
        return status;
    }
    uint64_t size = (uint64_t)st.st_size;
    if (args->offset > size) {
        (void)close(fd); /* opened for reading */
        return bp_fail(error, BP_ERR_RANGE,
                       "object %s: offset %" G_GUINT64_FORMAT
                       " is beyond its end at %" G_GUINT64_FORMAT,
                       args->key, args->offset, size);
    }
    size_t key_size = strlen(args->key) + 1;
    struct bp_reader *reader = g_malloc(sizeof(*reader) + key_size);
    reader->storage = storage;
    reader->fd = fd;
    reader->offset = args->offset;
    reader->end = args->length > size - args->offset ? size : args->offset + args->length;
    reader->opened = st;
    memcpy(reader->key, args->key, key_size);
    if (reader->end - reader->offset > READ_AHEAD_FROM) {
        (void)posix_fadvise(fd, (off_t)reader->offset, 0, POSIX_FADV_SEQUENTIAL); /* a hint */
    }
    bp_local_meta_fill(meta, &st);
    *out = reader;
    return BP_OK;
}

/* All bytes came: were they all of one version? */
static bp_status
check_unchanged(struct bp_reader *reader, struct bp_error *error)
{
    struct stat now;
    char before[64], after[64];
    if (fstat(reader->fd, &now) != 0) {
        return bp_local_fail(reader->storage, errno, "look at", reader->key, error);
    }
    bp_local_etag(&reader->opened, before);
    bp_local_etag(&now, after);
    if (strcmp(before, after) != 0) {
        return bp_fail(error, BP_ERR_RETRYABLE, "object %s changed while it was read", reader->key);
    }
    return BP_OK;
}

bp_status
bp_local_read(struct bp_reader *reader, const struct bp_op *op, void *buffer, size_t cap, size_t *n,
              struct bp_error *error)
{
    *n = 0;
    bp_status status = bp_local_check_op(reader->storage, op, error);
    if (status != BP_OK) {
        return status;
    }
    uint64_t left = reader->end - reader->offset;
    if (left == 0) {
        return check_unchanged(reader, error);
    }
    if (cap == 0) {
        return bp_fail(error, BP_ERR_INVALID, "object %s: read into an empty buffer", reader->key);
    }
    size_t want = MIN(MIN(left, (uint64_t)cap), MAX_READ);
    ssize_t got;
    do {
        got = pread(reader->fd, buffer, want, (off_t)reader->offset);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return bp_local_fail(reader->storage, errno, "read", reader->key, error);
    }
    if (got == 0) {
        return bp_fail(error, BP_ERR_RETRYABLE,
                       "object %s got shorter while it was read: it ends at %" G_GUINT64_FORMAT
                       " of %" G_GUINT64_FORMAT " bytes",
                       reader->key, reader->offset, reader->end);
    }
    reader->offset += (uint64_t)got;
    *n = (size_t)got;
    return BP_OK;
}

void
bp_local_read_close(struct bp_reader *reader)
{
    (void)close(reader->fd); /* opened for reading */
    g_free(reader);
}
