/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking at objects and reading them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sdk/lib/errors.h"
#include "sdk/lib/storage.h"
#include "store.h"

#include "sdk/lib/ban.h"

struct bp_reader {
    struct bp_storage *storage;
    int fd;
    uint64_t offset, end;
    char key[BP_KEY_MAX + 1];
};

bp_status
stat_object(struct bp_storage *storage, const struct bp_op *op, const char *key,
            struct bp_object_meta *out, struct bp_error *error)
{
    struct stat st;
    bp_status status = begin(storage, op, key, error);
    if (status != BP_OK) {
        return status;
    }
    if (fstatat(storage->root_fd, key, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        return fail_key(storage, errno, "look at", key, error);
    }
    if (!S_ISREG(st.st_mode)) {
        return fail_key(storage, EISDIR, "look at", key, error);
    }
    fill_meta(out, &st);
    return BP_OK;
}

/* The checks that need the opened file; the caller closes it when they fail. */
static bp_status
check_opened(const struct bp_storage *storage, const struct bp_read_args *args, int fd,
             struct bp_object_meta *meta, struct bp_error *error)
{
    struct stat st;
    if (fstat(fd, &st) != 0) {
        return fail_key(storage, errno, "look at", args->key, error);
    }
    if (!S_ISREG(st.st_mode)) {
        return fail_key(storage, EISDIR, "read", args->key, error);
    }
    fill_meta(meta, &st);
    if (args->if_match != NULL && strcmp(args->if_match, meta->etag) != 0) {
        return bp_fail(error, BP_ERR_EXISTS, "object %s is another version by now", args->key);
    }
    if (args->offset > meta->size) {
        return bp_fail(error, BP_ERR_RANGE, "object %s has %llu bytes, none at %llu", args->key,
                       (unsigned long long)meta->size, (unsigned long long)args->offset);
    }
    return BP_OK;
}

bp_status
read_open(struct bp_storage *storage, const struct bp_op *op, const struct bp_read_args *args,
          struct bp_object_meta *meta, struct bp_reader **out, struct bp_error *error)
{
    bp_status status = bp_check_flags(args->flags, 0, error);
    if (status == BP_OK) {
        status = begin(storage, op, args->key, error);
    }
    if (status != BP_OK) {
        return status;
    }
    /* NONBLOCK: a pipe that somebody put there would wait for its other end. */
    int fd = openat(storage->root_fd, args->key, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        return fail_key(storage, errno, "read", args->key, error);
    }
    status = check_opened(storage, args, fd, meta, error);
    struct bp_reader *reader = status == BP_OK ? calloc(1, sizeof(*reader)) : NULL;
    if (status == BP_OK && reader == NULL) {
        status = bp_fail(error, BP_ERR_NOMEM, "no memory to read %s", args->key);
    }
    if (reader == NULL) {
        (void)close(fd); /* opened for reading */
        return status;
    }
    uint64_t left = meta->size - args->offset;
    reader->storage = storage;
    reader->fd = fd;
    reader->offset = args->offset;
    reader->end = args->offset + (args->length < left ? args->length : left);
    (void)snprintf(reader->key, sizeof(reader->key), "%s", args->key);
    *out = reader;
    return BP_OK;
}

bp_status
read_some(struct bp_reader *reader, const struct bp_op *op, void *buffer, size_t cap, size_t *n,
          struct bp_error *error)
{
    uint64_t want = reader->end - reader->offset;
    bp_status status = bp_check_op(reader->storage->host, op, error);
    *n = 0;
    if (status != BP_OK || want == 0) {
        return status;
    }
    if (cap == 0) {
        return bp_fail(error, BP_ERR_INVALID, "object %s: an empty buffer", reader->key);
    }
    want = want < cap ? want : cap;
    want = want < CHUNK ? want : CHUNK; /* so that a cancel is seen between two of them */
    ssize_t got = pread(reader->fd, buffer, (size_t)want, (off_t)reader->offset);
    if (got < 0) {
        return errno == EINTR ? bp_fail(error, BP_ERR_RETRYABLE, "%s: interrupted", reader->key)
                              : fail_key(reader->storage, errno, "read", reader->key, error);
    }
    if (got == 0) { /* *n == 0 would say that this is the end, and it is not */
        return bp_fail(error, BP_ERR_RETRYABLE, "object %s got shorter", reader->key);
    }
    reader->offset += (uint64_t)got;
    *n = (size_t)got;
    return BP_OK;
}

void
read_close(struct bp_reader *reader)
{
    (void)close(reader->fd); /* opened for reading */
    free(reader);
}
