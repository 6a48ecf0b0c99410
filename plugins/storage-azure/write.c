/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing objects.
 */
#include "plugins/storage-azure/write.h"

#include <inttypes.h>
#include <string.h>

#include "plugins/storage-azure/parts.h"
#include "plugins/storage-azure/read.h"
#include "plugins/storage-azure/request.h"
#include "plugins/storage-azure/text.h"
#include "plugins/storage-azure/uploads.h"
#include "sdk/lib/checksum.h"
#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

/* Up to here an object that comes in one piece waits in memory for its commit: its MD5 can go ahead
 * of it, and a kept connection that has died meanwhile costs nothing. */
#define MAX_SMALL ((size_t)256 << 10)

bp_status
bp_azure_check_write(struct bp_storage *storage, const struct bp_op *op,
                     const struct bp_write_args *args, uint32_t known, struct bp_error *error)
{
    uint32_t kind = args->checksum.kind;
    bp_status status = bp_azure_check_flags(args->flags, known, error);
    if (status == BP_OK) {
        status = bp_azure_check_op(storage, op, error);
    }
    if (status == BP_OK) {
        status = bp_azure_check_new_key(storage, args->key, error);
    }
    if (status == BP_OK && (args->flags & BP_WRITE_IF_NONE_MATCH) != 0 && args->if_match != NULL) {
        status = bp_fail(error, BP_ERR_INVALID,
                         "object %s: if_match and IF_NONE_MATCH exclude each other", args->key);
    }
    if (status == BP_OK && kind != BP_CHECKSUM_NONE && kind != BP_CHECKSUM_MD5 &&
        kind != BP_CHECKSUM_SHA256) {
        status = bp_fail(error, BP_ERR_UNSUPPORTED,
                         "object %s: checksums of kind %u are not computed here", args->key, kind);
    }
    return status;
}

bp_status
bp_azure_write_open(struct bp_storage *storage, const struct bp_op *op,
                    const struct bp_write_args *args, struct bp_writer **out,
                    struct bp_error *error)
{
    bp_status status = bp_azure_check_write(storage, op, args, BP_AZURE_WRITE_FLAGS, error);
    if (status != BP_OK) {
        return status;
    }
    struct bp_writer *writer = g_new0(struct bp_writer, 1);
    writer->storage = storage;
    writer->key = g_strdup(args->key);
    writer->manner =
        args->size <= storage->set.put_size || args->size == 0 ? BP_AZURE_STREAM : BP_AZURE_BLOCKS;
    writer->size = args->size;
    writer->flags = args->flags;
    writer->if_match = g_strdup(args->if_match);
    writer->want = args->checksum;
    if (args->checksum.kind != BP_CHECKSUM_NONE) {
        writer->sum = g_checksum_new(args->checksum.kind == BP_CHECKSUM_SHA256 ? G_CHECKSUM_SHA256
                                                                               : G_CHECKSUM_MD5);
    }
    if (writer->manner == BP_AZURE_STREAM && storage->set.check_md5) {
        writer->md5 = g_checksum_new(G_CHECKSUM_MD5);
    }
    if (writer->manner == BP_AZURE_BLOCKS) {
        bp_azure_blocks_init(&writer->blocks, storage, writer->key, args->size, 0);
        bp_azure_upload_id(writer->blocks.upload);
    }
    *out = writer;
    return BP_OK;
}

static void
free_writer(struct bp_writer *writer)
{
    bp_azure_end(writer->x);
    if (writer->manner != BP_AZURE_STREAM) {
        bp_azure_blocks_clear(&writer->blocks);
    }
    g_clear_pointer(&writer->sum, g_checksum_free);
    g_clear_pointer(&writer->md5, g_checksum_free);
    g_free(writer->small);
    g_free(writer->if_match);
    g_free(writer->key);
    g_free(writer);
}

static char *
base64_of(GChecksum *sum)
{
    guint8 digest[16];
    gsize size = sizeof(digest);
    GChecksum *copy = g_checksum_copy(sum); /* asking ends a sum */
    g_checksum_get_digest(copy, digest, &size);
    g_checksum_free(copy);
    return bp_azure_base64(digest, size);
}

/* What is known of the object's MD5 before its last byte is sent: base64, or NULL. */
static char *
md5_ahead(struct bp_writer *writer)
{
    if (writer->want.kind == BP_CHECKSUM_MD5) {
        return bp_azure_base64(writer->want.value, 16);
    }
    return writer->md5 != NULL && writer->written == writer->size ? base64_of(writer->md5) : NULL;
}

/* Put Blob, with the bytes or with those to come. */
static bp_status
begin_put(struct bp_writer *writer, const struct bp_op *op, const void *bytes,
          struct bp_error *error)
{
    struct bp_azure_request request;
    g_autofree char *md5 = md5_ahead(writer);
    bp_azure_request_init(&request, BP_AZURE_BLOB, "PUT", writer->key, "write it");
    bp_azure_add_header(&request, "x-ms-blob-type", "BlockBlob");
    bp_azure_add_header(&request, "Content-Type", "application/octet-stream");
    bp_azure_add_object_headers(&request, writer->storage);
    if (md5 != NULL) {
        bp_azure_add_header(&request, "Content-MD5", "%s", md5);
    }
    bp_azure_add_conditions(&request, writer->if_match,
                            (writer->flags & BP_WRITE_IF_NONE_MATCH) != 0);
    request.body = bytes;
    request.body_size = writer->size;
    bp_status status = bp_azure_begin(writer->storage, op, &request, &writer->x, error);
    bp_azure_request_clear(&request);
    return status;
}

/* The object appears when its last byte has come, which therefore waits for the commit. */
static bp_status
stream(struct bp_writer *writer, const struct bp_op *op, const uint8_t *bytes, size_t n,
       struct bp_error *error)
{
    if (n == writer->size && n <= MAX_SMALL) {
        writer->small = g_memdup2(bytes, n);
        writer->written = n;
        return BP_OK;
    }
    if (writer->x == NULL) {
        bp_status status = begin_put(writer, op, NULL, error);
        if (status != BP_OK) {
            return status;
        }
    }
    size_t now = n;
    if (writer->written + n == writer->size) {
        now--;
        writer->last = bytes[now];
    }
    bp_status status = now == 0 ? BP_OK : bp_azure_send(writer->x, op, bytes, now, error);
    if (status == BP_OK) {
        writer->written += n;
    }
    error->flags &= ~BP_ERROR_OUTCOME_UNKNOWN; /* the last byte is still here */
    return status;
}

bp_status
bp_azure_write(struct bp_writer *writer, const struct bp_op *op, const void *bytes, size_t n,
               struct bp_error *error)
{
    bp_status status = bp_azure_check_op(writer->storage, op, error);
    if (status != BP_OK || n == 0) {
        return status;
    }
    if (writer->size != BP_UNKNOWN && n > writer->size - writer->written) {
        return bp_fail(error, BP_ERR_INVALID,
                       "object %s: more than the announced %" PRIu64 " bytes", writer->key,
                       writer->size);
    }
    if (writer->sum != NULL) {
        g_checksum_update(writer->sum, bytes, (gssize)n);
    }
    if (writer->md5 != NULL) {
        g_checksum_update(writer->md5, bytes, (gssize)n);
    }
    if (writer->manner == BP_AZURE_STREAM) {
        return stream(writer, op, bytes, n, error);
    }
    status = bp_azure_blocks_add(&writer->blocks, op, bytes, n, error);
    if (status == BP_OK) {
        writer->written += n;
    }
    return status;
}

static bp_status
check_content(struct bp_writer *writer, struct bp_error *error)
{
    if (writer->size != BP_UNKNOWN && writer->written != writer->size) {
        return bp_fail(error, BP_ERR_INVALID,
                       "object %s: %" PRIu64 " bytes were announced, %" PRIu64 " written",
                       writer->key, writer->size, writer->written);
    }
    if (writer->sum != NULL) {
        struct bp_checksum sum = {.kind = writer->want.kind};
        gsize size = sizeof(sum.value);
        g_checksum_get_digest(writer->sum, sum.value, &size);
        if (!bp_checksum_equal(&sum, &writer->want)) {
            return bp_fail(error, BP_ERR_CORRUPT,
                           "object %s: what was written does not have the announced %s checksum",
                           writer->key, bp_checksum_kind_name(sum.kind));
        }
        writer->want.by = BP_CHECKSUM_BY_PLUGIN;
    }
    return BP_OK;
}

/* The service tells the MD5 of what it got, also where none was sent ahead. */
static bp_status
compare_md5(struct bp_writer *writer, const struct bp_op *op, const struct bp_object_meta *meta,
            struct bp_error *error)
{
    guint8 ours[16];
    gsize size = sizeof(ours);
    if (writer->md5 == NULL || meta->checksum.kind != BP_CHECKSUM_MD5) {
        return BP_OK;
    }
    g_checksum_get_digest(writer->md5, ours, &size);
    if (memcmp(ours, meta->checksum.value, size) == 0) {
        return BP_OK;
    }
    struct bp_error undo = {.struct_size = sizeof(undo)};
    bool gone = bp_azure_remove(writer->storage, op, writer->key, meta->etag, &undo) == BP_OK;
    return bp_fail(error, BP_ERR_CORRUPT,
                   "object %s: the bytes changed on their way: the service has another MD5%s",
                   writer->key, gone ? "" : ", and the object could not be removed");
}

static bp_status
commit_stream(struct bp_writer *writer, const struct bp_op *op, struct bp_object_meta *out,
              struct bp_error *error)
{
    bp_status status = BP_OK;
    if (writer->x == NULL) {
        status = begin_put(writer, op, writer->small, error);
    } else {
        status = bp_azure_send(writer->x, op, &writer->last, 1, error);
    }
    if (status == BP_OK) {
        status = bp_azure_head(writer->x, op, error);
    }
    if (status != BP_OK) {
        return status;
    }
    bp_azure_take_meta(writer->x, out);
    out->size = writer->written; /* the length of the answer is another */
    char drop[64];
    size_t n;
    struct bp_error ignored = {.struct_size = sizeof(ignored)};
    /* There is no body; asking for it keeps the connection. */
    (void)bp_http_receive(bp_azure_http(writer->x), op, drop, sizeof(drop), &n, &ignored);
    return compare_md5(writer, op, out, error);
}

/* What fitted into one buffer is put at once: an object of its own. */
static bp_status
commit_as_one(struct bp_writer *writer, const struct bp_op *op, struct bp_object_meta *out,
              struct bp_error *error)
{
    writer->size = writer->written;
    if (writer->storage->set.check_md5) {
        writer->md5 = g_checksum_new(G_CHECKSUM_MD5);
        g_checksum_update(writer->md5, writer->blocks.buffer.at, (gssize)writer->blocks.used);
    }
    bp_status status =
        begin_put(writer, op, writer->written == 0 ? NULL : writer->blocks.buffer.at, error);
    if (status == BP_OK) {
        status = bp_azure_head(writer->x, op, error);
    }
    if (status == BP_OK) {
        bp_azure_take_meta(writer->x, out);
        out->size = writer->written;
        status = compare_md5(writer, op, out, error);
    }
    return status;
}

static bp_status
commit_list(struct bp_writer *writer, const struct bp_op *op, struct bp_object_meta *out,
            struct bp_error *error)
{
    struct bp_azure_blocks *blocks = &writer->blocks;
    bp_status status = bp_azure_blocks_flush(blocks, op, error);
    if (status != BP_OK) {
        return status;
    }
    g_autoptr(GString) list = g_string_new(NULL);
    bp_azure_block_list_add(list, blocks->upload, 0, 0, blocks->count);
    g_autofree char *md5 =
        writer->want.kind == BP_CHECKSUM_MD5 ? bp_azure_base64(writer->want.value, 16) : NULL;
    const struct bp_azure_commit commit = {
        .key = writer->key,
        .blocks = list,
        .if_match = writer->if_match,
        .exclusive = (writer->flags & BP_WRITE_IF_NONE_MATCH) != 0,
        .md5 = md5,
        .size = writer->written,
    };
    return bp_azure_commit_blocks(writer->storage, op, &commit, out, error);
}

bp_status
bp_azure_write_commit(struct bp_writer *writer, const struct bp_op *op, struct bp_object_meta *out,
                      struct bp_error *error)
{
    bp_status status = bp_azure_check_op(writer->storage, op, error);
    if (status == BP_OK) {
        status = check_content(writer, error);
    }
    if (status == BP_OK) {
        status = writer->manner == BP_AZURE_STREAM ? commit_stream(writer, op, out, error)
                 : writer->manner == BP_AZURE_PART ? bp_azure_commit_part(writer, op, out, error)
                 : writer->blocks.count == 0       ? commit_as_one(writer, op, out, error)
                                                   : commit_list(writer, op, out, error);
    }
    if (status == BP_OK && writer->sum != NULL && writer->manner != BP_AZURE_PART) {
        out->checksum = writer->want;
    }
    free_writer(writer);
    return status;
}

void
bp_azure_write_abort(struct bp_writer *writer, const struct bp_op *op)
{
    if (writer->manner == BP_AZURE_BLOCKS && writer->blocks.count > 0) {
        struct bp_error ignored = {.struct_size = sizeof(ignored)};
        /* What stays is gone in a week. */
        (void)bp_azure_discard_blocks(writer->storage, op, writer->key, writer->blocks.upload,
                                      &ignored);
    }
    free_writer(writer);
}

/* A condition on an object that is not there is not met, says the service; we say it is removed. */
static bool
is_missing(struct bp_storage *storage, const struct bp_op *op, const char *key)
{
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    struct bp_error why = {.struct_size = sizeof(why)};
    bp_status status = bp_azure_stat_version(storage, op, key, NULL, &meta, &why);
    return bp_azure_is_gone(status, why.code);
}

bp_status
bp_azure_remove(struct bp_storage *storage, const struct bp_op *op, const char *key,
                const char *if_match, struct bp_error *error)
{
    struct bp_azure_request request;
    bp_status status = bp_azure_check_key(storage, key, error);
    if (status != BP_OK) {
        return status;
    }
    bp_azure_request_init(&request, BP_AZURE_BLOB, "DELETE", key, "remove it");
    bp_azure_add_conditions(&request, if_match, false);
    status = bp_azure_call(storage, op, &request, NULL, error);
    bp_azure_request_clear(&request);
    bool gone = bp_azure_is_gone(status, error->code) ||
                (status == BP_ERR_EXISTS && if_match != NULL && is_missing(storage, op, key));
    return gone ? BP_OK : status;
}

bool
bp_azure_is_gone(bp_status status, const char *code)
{
    /* Without a container every name is missing, but then something is wrong. */
    return status == BP_ERR_NOT_FOUND && g_strcmp0(code, "ContainerNotFound") != 0;
}
