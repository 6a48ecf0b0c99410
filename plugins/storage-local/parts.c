/* SPDX-License-Identifier: Apache-2.0
 *
 * Uploads in parts.  Listing and ending uploads, also those of dead runs, is in uploads.c.
 */
#include "plugins/storage-local/parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "plugins/storage-local/copy.h"
#include "plugins/storage-local/publish.h"
#include "plugins/storage-local/read.h"
#include "plugins/storage-local/root.h"
#include "plugins/storage-local/tmp.h"
#include "plugins/storage-local/upload.h"
#include "plugins/storage-local/write.h"
#include "sdk/lib/checksum.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/storage.h"

#include "sdk/lib/ban.h"

static bp_status
fail_unknown(const char *key, const char *upload, struct bp_error *error)
{
    return bp_fail(error, BP_ERR_NOT_FOUND, "object %s: there is no upload %s", key, upload);
}

bp_status
bp_local_part_begin(struct bp_storage *storage, const struct bp_op *op,
                    const struct bp_write_args *args, const struct bp_text_sink *id,
                    struct bp_error *error)
{
    int fd;
    uint64_t number;
    char text[BP_LOCAL_UPLOAD_ID];
    bp_status status = bp_local_check_write(storage, op, args,
                                            BP_LOCAL_WRITE_FLAGS | BP_WRITE_PARTS_COPIED, error);
    if (status == BP_OK) {
        status = bp_local_tmp_create(storage, op, &fd, &number, error);
    }
    if (status != BP_OK) {
        return status;
    }
    struct bp_local_upload *upload = bp_local_upload_new(args, fd, number);
    status = bp_local_upload_describe(storage, upload, error);
    if (status == BP_OK) {
        bp_local_upload_id(storage, number, text);
        if (id->text(id->ctx, text) != 0) {
            status =
                bp_fail(error, BP_ERR_CANCELLED, "object %s: the upload was not wanted", args->key);
        }
    }
    if (status != BP_OK) {
        bp_local_upload_discard(storage, upload);
        return status;
    }
    bp_local_upload_register(storage, upload);
    return BP_OK;
}

static bp_status
find(struct bp_storage *storage, const struct bp_op *op, const char *key, const char *id,
     struct bp_local_upload **upload, struct bp_error *error)
{
    bp_status status = bp_local_check_op(storage, op, error);
    if (status == BP_OK) {
        status = bp_local_check_key(key, error);
    }
    if (status != BP_OK) {
        return status;
    }
    *upload = bp_local_upload_ref(storage, key, id);
    return *upload == NULL ? fail_unknown(key, id, error) : BP_OK;
}

static bp_status
check_part(const struct bp_part_args *args, struct bp_error *error)
{
    uint64_t end;
    bp_status status = bp_check_flags(args->flags, 0, error);
    if (status == BP_OK &&
        (args->number == 0 || args->size == BP_UNKNOWN ||
         __builtin_add_overflow(args->offset, args->size, &end) || end > (uint64_t)INT64_MAX)) {
        status = bp_fail(error, BP_ERR_INVALID, "object %s: part %u has no valid place", args->key,
                         args->number);
    }
    return status;
}

bp_status
bp_local_part_open(struct bp_storage *storage, const struct bp_op *op,
                   const struct bp_part_args *args, struct bp_writer **out, struct bp_error *error)
{
    struct bp_local_upload *upload;
    bp_status status = check_part(args, error);
    if (status == BP_OK) {
        status = find(storage, op, args->key, args->upload, &upload, error);
    }
    if (status != BP_OK) {
        return status;
    }
    struct bp_writer *writer = g_new0(struct bp_writer, 1);
    writer->storage = storage;
    writer->key = g_strdup(args->key);
    writer->fd = upload->fd;
    writer->base = args->offset;
    writer->size = args->size;
    writer->upload = upload;
    writer->part = args->number;
    *out = writer;
    return BP_OK;
}

static void
describe_part(uint32_t number, uint64_t generation, uint64_t size, struct bp_object_meta *out)
{
    bp_meta_clear(out);
    out->size = size;
    bp_local_part_etag(number, generation, out->etag);
}

bp_status
bp_local_upload_add(struct bp_writer *writer, struct bp_object_meta *out, struct bp_error *error)
{
    const struct bp_local_part part = {writer->base, writer->written, 0};
    uint64_t generation = bp_local_upload_put(writer->storage, writer->upload, writer->part, &part);
    if (generation == 0) {
        return bp_fail(error, BP_ERR_NOT_FOUND, "object %s: its upload has ended", writer->key);
    }
    describe_part(writer->part, generation, writer->written, out);
    return BP_OK;
}

static bp_status
copy_part(struct bp_storage *storage, const struct bp_op *op, const struct bp_part_args *args,
          struct bp_local_upload *upload, struct bp_checksum *sum, struct bp_error *error)
{
    int fd, root;
    struct stat st, now;
    bp_status status = bp_local_root(args->src, BP_LOCAL_FAIL, &root, error);
    if (status == BP_OK) {
        status =
            bp_local_open_object(args->src, args->src_key, args->src_if_match, &fd, &st, error);
    }
    if (status != BP_OK) {
        return status;
    }
    const struct bp_local_range range = {
        .src_key = args->src_key,
        .dst_key = args->key,
        .src_fd = fd,
        .dst_fd = upload->fd,
        .src_offset = args->offset,
        .dst_offset = args->offset,
        .size = args->size,
    };
    if (args->offset + args->size > (uint64_t)st.st_size) {
        status = bp_fail(error, BP_ERR_RANGE, "object %s ends before part %u does", args->src_key,
                         args->number);
    } else {
        status = bp_local_copy_range(storage, op, &range, sum, error);
    }
    if (status == BP_OK && args->src_if_match != NULL && fstat(fd, &now) == 0) {
        status = bp_local_match(args->src_key, args->src_if_match, &now, error);
    }
    (void)close(fd); /* opened for reading */
    return status;
}

bp_status
bp_local_part_copy(struct bp_storage *storage, const struct bp_op *op,
                   const struct bp_part_args *args, struct bp_object_meta *out,
                   struct bp_error *error)
{
    struct bp_local_upload *upload;
    struct bp_checksum sum;
    bp_status status = check_part(args, error);
    if (status == BP_OK) {
        status = bp_local_check_key(args->src_key, error);
    }
    if (status == BP_OK) {
        status = find(storage, op, args->key, args->upload, &upload, error);
    }
    if (status != BP_OK) {
        return status;
    }
    status = copy_part(storage, op, args, upload, &sum, error);
    if (status == BP_OK) {
        const struct bp_local_part part = {args->offset, args->size, 0};
        uint64_t generation = bp_local_upload_put(storage, upload, args->number, &part);
        describe_part(args->number, generation, args->size, out);
        if (generation == 0) {
            status = fail_unknown(args->key, args->upload, error);
        }
    }
    bp_local_upload_unref(upload);
    return status;
}

/* The named parts must be the ones that were written, and lie one behind the other. */
static bp_status
check_parts(struct bp_storage *storage, struct bp_local_upload *upload,
            const struct bp_complete_args *args, struct bp_error *error)
{
    uint64_t end = 0;
    for (uint32_t i = 0; i < args->n_parts; i++) {
        const struct bp_part *named =
            (const void *)((const char *)args->parts + (size_t)i * args->part_stride);
        char etag[64] = "";
        struct bp_local_part part = {0};
        if (bp_local_upload_get(storage, upload, named->number, &part)) {
            bp_local_part_etag(named->number, part.generation, etag);
        }
        if (named->etag == NULL || strcmp(etag, named->etag) != 0) {
            return bp_fail(error, BP_ERR_INVALID, "object %s: part %u was not written so",
                           args->key, named->number);
        }
        if (part.offset != end) {
            return bp_fail(error, BP_ERR_INVALID,
                           "object %s: part %u begins at %" G_GUINT64_FORMAT
                           ", the ones before it end at %" G_GUINT64_FORMAT,
                           args->key, named->number, part.offset, end);
        }
        end += part.size;
    }
    if (args->size != BP_UNKNOWN && end != args->size) {
        return bp_fail(error, BP_ERR_INVALID,
                       "object %s: its parts have %" G_GUINT64_FORMAT
                       " bytes of %" G_GUINT64_FORMAT,
                       args->key, end, args->size);
    }
    /* A part that was written and then left out may reach beyond. */
    if (ftruncate(upload->fd, (off_t)end) != 0) {
        return bp_local_fail(storage, errno, "write", args->key, error);
    }
    return BP_OK;
}

/* Parts came in any order, so the content is read once more; it is still in memory, mostly. */
static bp_status
check_sum(struct bp_storage *storage, const struct bp_op *op, struct bp_local_upload *upload,
          struct bp_error *error)
{
    uint64_t offset = 0;
    struct bp_checksum sum;
    if (upload->want.kind == BP_CHECKSUM_NONE) {
        return BP_OK;
    }
    g_autofree char *buffer = g_malloc(BP_LOCAL_CHUNK);
    struct bp_local_digest *digest = bp_local_digest_new(upload->want.kind);
    bp_status status = BP_OK;
    for (;;) {
        status = bp_local_check_op(storage, op, error);
        ssize_t got =
            status == BP_OK ? pread(upload->fd, buffer, BP_LOCAL_CHUNK, (off_t)offset) : 0;
        if (got < 0) {
            status = bp_local_fail(storage, errno, "read again", upload->key, error);
        }
        if (got <= 0) {
            break;
        }
        bp_local_digest_add(digest, buffer, (size_t)got);
        offset += (uint64_t)got;
    }
    bp_local_digest_end(digest, &sum);
    bp_local_digest_free(digest);
    if (status == BP_OK && !bp_checksum_equal(&sum, &upload->want)) {
        status = bp_fail(error, BP_ERR_CORRUPT,
                         "object %s: its parts do not have the announced %s checksum", upload->key,
                         bp_checksum_kind_name(sum.kind));
    }
    return status;
}

bp_status
bp_local_part_complete(struct bp_storage *storage, const struct bp_op *op,
                       const struct bp_complete_args *args, struct bp_object_meta *out,
                       struct bp_error *error)
{
    struct bp_local_upload *upload;
    bp_status status =
        bp_check_flags(args->flags, BP_WRITE_IF_NONE_MATCH | BP_WRITE_DURABLE, error);
    if (status == BP_OK) {
        status = find(storage, op, args->key, args->upload, &upload, error);
    }
    if (status != BP_OK) {
        return status;
    }
    status = check_parts(storage, upload, args, error);
    if (status == BP_OK) {
        status = check_sum(storage, op, upload, error);
    }
    /* Whoever unregisters it first ends it. */
    if (status == BP_OK && !bp_local_upload_unregister(storage, upload)) {
        status = fail_unknown(args->key, args->upload, error);
    }
    if (status == BP_OK) {
        const struct bp_local_publish file = {
            .number = upload->number,
            .take_fd = fcntl(upload->fd, F_DUPFD_CLOEXEC, 0),
            .key = upload->key,
            .flags = args->flags,
            .if_match = args->if_match,
        };
        status = bp_local_publish(storage, op, &file, out, error);
        bp_local_upload_forget(storage, upload);
    }
    bp_local_upload_unref(upload);
    return status;
}
