/* SPDX-License-Identifier: Apache-2.0
 *
 * Copying between two places of this machine.
 */
#include "plugins/storage-local/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "plugins/storage-local/digest.h"
#include "plugins/storage-local/link.h"
#include "plugins/storage-local/publish.h"
#include "plugins/storage-local/read.h"
#include "plugins/storage-local/root.h"
#include "plugins/storage-local/tmp.h"
#include "plugins/storage-local/write.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/storage.h"

#include "sdk/lib/ban.h"

#define KNOWN_FLAGS \
    (BP_COPY_WANT_CHECKSUM | BP_COPY_NEED_CHECKSUM | BP_COPY_IF_NONE_MATCH | BP_COPY_MAY_LINK)
#define KERNEL_PIECE ((size_t)8 << 20) /* per copy_file_range, so that a cancel is seen */
#define SHOW_PROGRESS_FROM ((uint64_t)8 << 20)

struct copy {
    struct bp_storage *src, *dst;
    const struct bp_copy_args *args;
    int src_fd;
    struct stat src_st;
    struct bp_local_publish file;
    struct bp_checksum sum;
};

static void
show_progress(struct bp_storage *storage, const struct bp_op *op, uint64_t done, uint64_t size)
{
    if (size >= SHOW_PROGRESS_FROM) {
        storage->host->progress(op, done, size);
    }
}

static bp_status
fail_short(const struct bp_local_range *range, uint64_t done, struct bp_error *error)
{
    return bp_fail(error, BP_ERR_RETRYABLE,
                   "object %s got shorter while it was copied: it ends after %" G_GUINT64_FORMAT
                   " of %" G_GUINT64_FORMAT " bytes",
                   range->src_key, done, range->size);
}

/* UNSUPPORTED when the two file systems cannot do it among themselves. */
static bp_status
copy_in_kernel(struct bp_storage *storage, const struct bp_op *op,
               const struct bp_local_range *range, struct bp_error *error)
{
    uint64_t done = 0;
    while (done < range->size) {
        bp_status status = bp_local_check_op(storage, op, error);
        if (status != BP_OK) {
            return status;
        }
        off_t from = (off_t)(range->src_offset + done);
        off_t to = (off_t)(range->dst_offset + done);
        size_t piece = MIN(range->size - done, KERNEL_PIECE);
        ssize_t n = copy_file_range(range->src_fd, &from, range->dst_fd, &to, piece, 0);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            bool cannot = errno == EXDEV || errno == EINVAL || errno == ENOSYS ||
                          errno == EOPNOTSUPP || errno == EPERM;
            if (cannot && done == 0) {
                return BP_ERR_UNSUPPORTED;
            }
            return bp_local_fail(storage, errno, "write", range->dst_key, error);
        }
        if (n == 0) {
            /* Some old kernels also answer 0 for what they cannot copy: the loop finds out. */
            return done == 0 ? BP_ERR_UNSUPPORTED : fail_short(range, done, error);
        }
        bp_local_start_writeback(range->dst_fd, range->dst_offset + done, (size_t)n);
        done += (uint64_t)n;
        show_progress(storage, op, done, range->size);
    }
    return BP_OK;
}

static ssize_t
read_some(int fd, void *buffer, size_t n, uint64_t offset)
{
    ssize_t got;
    do {
        got = pread(fd, buffer, n, (off_t)offset);
    } while (got < 0 && errno == EINTR);
    return got;
}

static bp_status
copy_by_loop(struct bp_storage *storage, const struct bp_op *op, const struct bp_local_range *range,
             void *buffer, struct bp_local_digest *digest, struct bp_error *error)
{
    for (uint64_t done = 0; done < range->size;) {
        bp_status status = bp_local_check_op(storage, op, error);
        if (status != BP_OK) {
            return status;
        }
        size_t piece = MIN(range->size - done, BP_LOCAL_CHUNK);
        ssize_t got = read_some(range->src_fd, buffer, piece, range->src_offset + done);
        if (got < 0) {
            return bp_fail_errno(error, errno, "cannot read %s", range->src_key);
        }
        if (got == 0) {
            return fail_short(range, done, error);
        }
        if (digest != NULL) {
            bp_local_digest_add(digest, buffer, (size_t)got);
        }
        int written = bp_local_pwrite(range->dst_fd, buffer, (size_t)got, range->dst_offset + done);
        if (written < 0) {
            return bp_local_fail(storage, -written, "write", range->dst_key, error);
        }
        done += (uint64_t)got;
        show_progress(storage, op, done, range->size);
    }
    return BP_OK;
}

bp_status
bp_local_copy_range(struct bp_storage *storage, const struct bp_op *op,
                    const struct bp_local_range *range, struct bp_checksum *sum,
                    struct bp_error *error)
{
    memset(sum, 0, sizeof(*sum));
    if (!range->want_checksum) {
        bp_status status = copy_in_kernel(storage, op, range, error);
        if (status != BP_ERR_UNSUPPORTED) {
            return status;
        }
    }
    size_t cap = MAX(MIN(range->size, BP_LOCAL_CHUNK), 1);
    void *buffer = storage->host->alloc(op, cap);
    if (buffer == NULL) {
        return bp_fail(error, BP_ERR_NOMEM, "object %s: no memory for a buffer of %zu bytes",
                       range->dst_key, cap);
    }
    struct bp_local_digest *digest =
        range->want_checksum ? bp_local_digest_new(BP_CHECKSUM_XXH3_128) : NULL;
    bp_status status = copy_by_loop(storage, op, range, buffer, digest, error);
    if (status == BP_OK && digest != NULL) {
        bp_local_digest_end(digest, sum);
    }
    bp_local_digest_free(digest);
    storage->host->free(buffer);
    return status;
}

/* Shares the blocks; later writes to either file part them. */
static bool
try_clone(struct copy *copy, int fd)
{
    uint64_t device = (uint64_t)copy->src_st.st_dev + 1;
    if (atomic_load(&copy->dst->no_clone) == device) {
        return false;
    }
    if (ioctl(fd, FICLONE, copy->src_fd) == 0) {
        return true;
    }
    if (errno == EOPNOTSUPP || errno == ENOTTY || errno == EXDEV || errno == ENOSYS) {
        atomic_store(&copy->dst->no_clone, device);
    }
    return false;
}

static bp_status
check_source_unchanged(struct copy *copy, struct bp_error *error)
{
    struct stat now;
    char before[64], after[64];
    if (fstat(copy->src_fd, &now) != 0) {
        return bp_fail_errno(error, errno, "cannot look at %s", copy->args->src_key);
    }
    bp_local_etag(&copy->src_st, before);
    bp_local_etag(&now, after);
    if (strcmp(before, after) == 0) {
        return BP_OK;
    }
    bp_status cls = copy->args->src_if_match != NULL ? BP_ERR_EXISTS : BP_ERR_RETRYABLE;
    return bp_fail(error, cls, "object %s changed while it was copied", copy->args->src_key);
}

static bp_status
copy_bytes(struct copy *copy, const struct bp_op *op, struct bp_error *error)
{
    uint32_t flags = copy->args->flags;
    bool need = (flags & BP_COPY_NEED_CHECKSUM) != 0;
    bp_status status =
        bp_local_tmp_create(copy->dst, op, &copy->file.take_fd, &copy->file.number, error);
    if (status != BP_OK) {
        return status;
    }
    if (need || !try_clone(copy, copy->file.take_fd)) {
        const struct bp_local_range range = {
            .src_key = copy->args->src_key,
            .dst_key = copy->args->dst_key,
            .src_fd = copy->src_fd,
            .dst_fd = copy->file.take_fd,
            .size = (uint64_t)copy->src_st.st_size,
            .want_checksum = (flags & (BP_COPY_WANT_CHECKSUM | BP_COPY_NEED_CHECKSUM)) != 0,
        };
        status = bp_local_copy_range(copy->dst, op, &range, &copy->sum, error);
    }
    if (status == BP_OK) {
        status = check_source_unchanged(copy, error);
    }
    if (status != BP_OK) {
        bp_local_tmp_remove(copy->dst, copy->file.number);
        (void)close(copy->file.take_fd); /* the file is gone */
    }
    return status;
}

static bp_status
check_args(struct copy *copy, const struct bp_op *op, struct bp_error *error)
{
    int root;
    bp_status status = bp_check_flags(copy->args->flags, KNOWN_FLAGS, error);
    if (status == BP_OK) {
        status = bp_local_check_op(copy->dst, op, error);
    }
    if (status == BP_OK) {
        status = bp_local_check_key(copy->args->src_key, error);
    }
    if (status == BP_OK) {
        status = bp_local_check_key(copy->args->dst_key, error);
    }
    return status == BP_OK ? bp_local_root(copy->src, BP_LOCAL_FAIL, &root, error) : status;
}

static bp_status
open_source(struct copy *copy, struct bp_error *error)
{
    const struct bp_copy_args *args = copy->args;
    bp_status status = bp_local_open_object(copy->src, args->src_key, args->src_if_match,
                                            &copy->src_fd, &copy->src_st, error);
    if (status == BP_OK && args->size != BP_UNKNOWN &&
        args->size != (uint64_t)copy->src_st.st_size) {
        status = bp_fail(error, BP_ERR_EXISTS,
                         "object %s: it has %" G_GUINT64_FORMAT " bytes, not %" G_GUINT64_FORMAT,
                         args->src_key, (uint64_t)copy->src_st.st_size, args->size);
    }
    return status;
}

bp_status
bp_local_copy(struct bp_storage *storage, const struct bp_op *op, const struct bp_copy_args *args,
              struct bp_object_meta *out, struct bp_error *error)
{
    struct copy copy = {.src = args->src, .dst = storage, .args = args, .src_fd = -1};
    copy.file.key = args->dst_key;
    if ((args->flags & BP_COPY_IF_NONE_MATCH) != 0) {
        copy.file.flags = BP_WRITE_IF_NONE_MATCH;
    }
    bp_status status = check_args(&copy, op, error);
    if (status == BP_OK) {
        status = bp_local_copy_by_link(storage, op, args, out, error);
        if (status != BP_ERR_UNSUPPORTED) {
            return status;
        }
        status = open_source(&copy, error);
    }
    if (status == BP_OK) {
        status = copy_bytes(&copy, op, error);
    }
    if (status == BP_OK) {
        status = bp_local_publish(storage, op, &copy.file, out, error);
    }
    if (status == BP_OK) {
        out->checksum = copy.sum;
    }
    if (copy.src_fd >= 0) {
        (void)close(copy.src_fd); /* opened for reading */
    }
    return status;
}
