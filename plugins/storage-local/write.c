/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing objects.
 */
#include "plugins/storage-local/write.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "plugins/storage-local/parts.h"
#include "plugins/storage-local/publish.h"
#include "plugins/storage-local/root.h"
#include "plugins/storage-local/tmp.h"
#include "sdk/lib/checksum.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/storage.h"

#include "sdk/lib/ban.h"

#define EARLY_WRITEBACK_BYTES ((size_t)256 << 10)

/* Early and without promise, to spare the writing; the commit decides. */
static bp_status
check_taken(struct bp_storage *storage, const char *key, struct bp_error *error)
{
    struct stat st;
    int dir = bp_local_open_parent(storage, key);
    if (dir < 0) {
        return BP_OK;
    }
    bool taken =
        fstatat(dir, bp_local_base(key), &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
    (void)close(dir); /* O_PATH */
    return taken ? bp_fail(error, BP_ERR_EXISTS, "object %s exists already", key) : BP_OK;
}

bp_status
bp_local_check_write(struct bp_storage *storage, const struct bp_op *op,
                     const struct bp_write_args *args, uint32_t known, struct bp_error *error)
{
    int root;
    uint32_t kind = args->checksum.kind;
    bp_status status = bp_check_flags(args->flags, known, error);
    if (status == BP_OK) {
        status = bp_local_check_op(storage, op, error);
    }
    if (status == BP_OK) {
        status = bp_local_check_key(args->key, error);
    }
    if (status == BP_OK && (args->flags & BP_WRITE_IF_NONE_MATCH) != 0 && args->if_match != NULL) {
        status = bp_fail(error, BP_ERR_INVALID,
                         "object %s: if_match and IF_NONE_MATCH exclude each other", args->key);
    }
    if (status == BP_OK && kind != BP_CHECKSUM_NONE) {
        struct bp_local_digest *digest = bp_local_digest_new(kind);
        if (digest == NULL) {
            status =
                bp_fail(error, BP_ERR_UNSUPPORTED,
                        "object %s: checksums of kind %u are not computed here", args->key, kind);
        }
        bp_local_digest_free(digest);
    }
    if (status == BP_OK) {
        status = bp_local_root(storage, BP_LOCAL_MAKE_ROOT, &root, error);
    }
    if (status == BP_OK && (args->flags & BP_WRITE_IF_NONE_MATCH) != 0) {
        status = check_taken(storage, args->key, error);
    }
    return status;
}

bp_status
bp_local_write_open(struct bp_storage *storage, const struct bp_op *op,
                    const struct bp_write_args *args, struct bp_writer **out,
                    struct bp_error *error)
{
    int fd;
    uint64_t number;
    bp_status status = bp_local_check_write(storage, op, args, BP_LOCAL_WRITE_FLAGS, error);
    if (status == BP_OK) {
        status = bp_local_tmp_create(storage, op, &fd, &number, error);
    }
    if (status != BP_OK) {
        return status;
    }
    struct bp_writer *writer = g_new0(struct bp_writer, 1);
    writer->storage = storage;
    writer->key = g_strdup(args->key);
    writer->fd = fd;
    writer->number = number;
    writer->size = args->size;
    writer->flags = args->flags;
    writer->if_match = g_strdup(args->if_match);
    writer->want = args->checksum;
    if (args->checksum.kind != BP_CHECKSUM_NONE) {
        writer->digest = bp_local_digest_new(args->checksum.kind);
    }
    *out = writer;
    return BP_OK;
}

static void
free_writer(struct bp_writer *writer)
{
    if (writer->upload != NULL) {
        bp_local_upload_unref(writer->upload);
    }
    bp_local_digest_free(writer->digest);
    g_free(writer->if_match);
    g_free(writer->key);
    g_free(writer);
}

void
bp_local_start_writeback(int fd, uint64_t offset, size_t n)
{
    if (n >= EARLY_WRITEBACK_BYTES) {
        /* What goes wrong on the disk is reported by the barrier. */
        (void)sync_file_range(fd, (off_t)offset, (off_t)n, SYNC_FILE_RANGE_WRITE);
    }
}

int
bp_local_pwrite(int fd, const void *bytes, size_t n, uint64_t offset)
{
    const char *next = bytes;
    const uint64_t first = offset;
    const size_t all = n;
    while (n > 0) {
        ssize_t done = pwrite(fd, next, n, (off_t)offset);
        if (done < 0 && errno != EINTR) {
            return -errno;
        }
        if (done > 0) {
            next += done;
            n -= (size_t)done;
            offset += (uint64_t)done;
        }
    }
    bp_local_start_writeback(fd, first, all);
    return 0;
}

bp_status
bp_local_write(struct bp_writer *writer, const struct bp_op *op, const void *bytes, size_t n,
               struct bp_error *error)
{
    const char *next = bytes;
    if (writer->size != BP_UNKNOWN && n > writer->size - writer->written) {
        return bp_fail(error, BP_ERR_INVALID,
                       "object %s: more than the announced %" G_GUINT64_FORMAT " bytes",
                       writer->key, writer->size);
    }
    while (n > 0) {
        bp_status status = bp_local_check_op(writer->storage, op, error);
        if (status != BP_OK) {
            return status;
        }
        size_t piece = MIN(n, BP_LOCAL_CHUNK);
        int written = bp_local_pwrite(writer->fd, next, piece, writer->base + writer->written);
        if (written < 0) {
            return bp_local_fail(writer->storage, -written, "write", writer->key, error);
        }
        if (writer->digest != NULL) {
            bp_local_digest_add(writer->digest, next, piece);
        }
        writer->written += piece;
        next += piece;
        n -= piece;
    }
    return BP_OK;
}

static bp_status
check_content(struct bp_writer *writer, struct bp_error *error)
{
    struct bp_checksum sum;
    const struct bp_written written = {
        .key = writer->key,
        .announced = writer->size,
        .written = writer->written,
        .want = &writer->want,
        .sum = writer->digest != NULL ? &sum : NULL,
    };
    if (writer->digest != NULL) {
        bp_local_digest_end(writer->digest, &sum);
        writer->want.by = BP_CHECKSUM_BY_PLUGIN;
    }
    return bp_check_written(&written, error);
}

bp_status
bp_local_write_commit(struct bp_writer *writer, const struct bp_op *op, struct bp_object_meta *out,
                      struct bp_error *error)
{
    struct bp_storage *storage = writer->storage;
    const struct bp_local_publish file = {
        .number = writer->number,
        .take_fd = writer->fd,
        .key = writer->key,
        .flags = writer->flags,
        .if_match = writer->if_match,
    };
    bp_status status = bp_local_check_op(storage, op, error);
    if (status == BP_OK) {
        status = check_content(writer, error);
    }
    if (writer->upload != NULL) {
        status = status == BP_OK ? bp_local_upload_add(writer, out, error) : status;
        free_writer(writer);
        return status;
    }
    if (status == BP_OK) {
        status = bp_local_publish(storage, op, &file, out, error);
    } else {
        bp_local_tmp_remove(storage, writer->number);
        (void)close(writer->fd); /* the file is gone */
    }
    if (status == BP_OK && writer->digest != NULL) {
        out->checksum = writer->want;
    }
    free_writer(writer);
    return status;
}

void
bp_local_write_abort(struct bp_writer *writer, const struct bp_op *op)
{
    (void)op; /* too short to be cancelled */
    if (writer->upload == NULL) {
        bp_local_tmp_remove(writer->storage, writer->number);
        (void)close(writer->fd); /* the file is gone */
    }
    free_writer(writer);
}
