/* SPDX-License-Identifier: Apache-2.0
 *
 * Uploads in parts.  A part is one block, or several where it is larger than our buffers.
 */
#include "plugins/storage-azure/parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "plugins/storage-azure/read.h"
#include "plugins/storage-azure/request.h"
#include "plugins/storage-azure/source.h"
#include "plugins/storage-azure/text.h"
#include "plugins/storage-azure/uploads.h"
#include "plugins/storage-azure/write.h"
#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

#define BLOCKS_OF_UPLOAD 40000 /* and one more for the rest of each part */
#define BLOCKS_OF_PART 5       /* where the object's size is not known */
#define COPY_BLOCK (UINT64_C(256) << 20)

/* What the core keeps of a part: its etag. */
struct part {
    uint32_t attempt, count;
    uint64_t size;
    bool copied;
};

static void
print_part(const struct part *part, char *etag, size_t cap)
{
    (void)snprintf(etag, cap, "%06" PRIx32 "-%" PRIx32 "-%" PRIx64 "-%c", part->attempt,
                   part->count, part->size, part->copied ? 'c' : 'w');
}

static bool
parse_part(const char *etag, struct part *out)
{
    guint64 attempt, count, size;
    g_auto(GStrv) parts = g_strsplit(etag, "-", 5);
    if (g_strv_length(parts) != 4 ||
        !g_ascii_string_to_unsigned(parts[0], 16, 0, 0xFFFFFF, &attempt, NULL) ||
        !g_ascii_string_to_unsigned(parts[1], 16, 1, BP_AZURE_MAX_BLOCKS, &count, NULL) ||
        !g_ascii_string_to_unsigned(parts[2], 16, 1, BP_AZURE_MAX_PART, &size, NULL) ||
        (strcmp(parts[3], "c") != 0 && strcmp(parts[3], "w") != 0)) {
        return false;
    }
    *out = (struct part){(uint32_t)attempt, (uint32_t)count, size, parts[3][0] == 'c'};
    return true;
}

/* "ID-LEAST": the upload, and the least size of blocks with which there are enough of them. */
static bool
parse_upload(const char *text, char upload[BP_AZURE_UPLOAD_ID], uint64_t *least)
{
    size_t len = BP_AZURE_UPLOAD_ID - 1;
    *least = 0;
    if (strlen(text) < len || strlen(text) > len + 17 || (text[len] != '\0' && text[len] != '-')) {
        return false;
    }
    memcpy(upload, text, len);
    upload[len] = '\0';
    if (text[len] == '-') {
        *least = g_ascii_strtoull(text + len + 1, NULL, 16);
    }
    return bp_azure_upload_started(upload) >= 0;
}

bp_status
bp_azure_part_begin(struct bp_storage *storage, const struct bp_op *op,
                    const struct bp_write_args *args, const struct bp_text_sink *id,
                    struct bp_error *error)
{
    char upload[BP_AZURE_UPLOAD_ID], text[64];
    bp_status status = bp_azure_check_write(storage, op, args,
                                            BP_AZURE_WRITE_FLAGS | BP_WRITE_PARTS_COPIED, error);
    if (status == BP_OK && args->checksum.kind != BP_CHECKSUM_NONE) {
        status = bp_fail(error, BP_ERR_UNSUPPORTED,
                         "object %s: the checksum of an upload in parts is not computed here",
                         args->key);
    }
    if (status != BP_OK) {
        return status;
    }
    uint64_t least = args->size == BP_UNKNOWN ? 0 : args->size / BLOCKS_OF_UPLOAD + 1;
    bp_azure_upload_id(upload);
    (void)snprintf(text, sizeof(text), "%s-%" PRIx64, upload, least);
    return id->text(id->ctx, text) == 0
               ? BP_OK
               : bp_fail(error, BP_ERR_CANCELLED, "object %s: the upload was not wanted",
                         args->key);
}

static bp_status
fail_unknown(const char *key, const char *upload, struct bp_error *error)
{
    return bp_fail(error, BP_ERR_NOT_FOUND, "object %s: there is no upload %s", key, upload);
}

static bp_status
check_part(struct bp_storage *storage, const struct bp_op *op, const struct bp_part_args *args,
           char upload[BP_AZURE_UPLOAD_ID], uint64_t *least, struct bp_error *error)
{
    *least = 0;
    bp_status status = bp_azure_check_flags(args->flags, 0, error);
    if (status == BP_OK) {
        status = bp_azure_check_op(storage, op, error);
    }
    if (status == BP_OK) {
        status = bp_azure_check_new_key(storage, args->key, error);
    }
    if (status == BP_OK && (args->number == 0 || args->number > BP_AZURE_MAX_PARTS ||
                            args->size == 0 || args->size > BP_AZURE_MAX_PART)) {
        status = bp_fail(error, BP_ERR_INVALID, "object %s: part %u has no valid number or size",
                         args->key, args->number);
    }
    if (status == BP_OK && !parse_upload(args->upload, upload, least)) {
        status = fail_unknown(args->key, args->upload, error);
    }
    if (status == BP_OK && *least == 0) {
        *least = (args->size - 1) / BLOCKS_OF_PART + 1;
    }
    return status;
}

bp_status
bp_azure_part_open(struct bp_storage *storage, const struct bp_op *op,
                   const struct bp_part_args *args, struct bp_writer **out, struct bp_error *error)
{
    uint64_t least;
    char upload[BP_AZURE_UPLOAD_ID];
    bp_status status = check_part(storage, op, args, upload, &least, error);
    if (status != BP_OK) {
        return status;
    }
    struct bp_writer *writer = g_new0(struct bp_writer, 1);
    writer->storage = storage;
    writer->key = g_strdup(args->key);
    writer->manner = BP_AZURE_PART;
    writer->size = args->size;
    bp_azure_blocks_init(&writer->blocks, storage, writer->key, args->size, least);
    memcpy(writer->blocks.upload, upload, sizeof(upload));
    writer->blocks.part = args->number;
    writer->blocks.attempt = bp_azure_attempt();
    *out = writer;
    return BP_OK;
}

static void
describe_part(const struct part *part, struct bp_object_meta *out)
{
    bp_azure_meta_clear(out);
    out->size = part->size;
    print_part(part, out->etag, sizeof(out->etag));
}

bp_status
bp_azure_commit_part(struct bp_writer *writer, const struct bp_op *op, struct bp_object_meta *out,
                     struct bp_error *error)
{
    bp_status status = bp_azure_blocks_flush(&writer->blocks, op, error);
    if (status == BP_OK) {
        const struct part part = {writer->blocks.attempt, writer->blocks.count, writer->written,
                                  false};
        describe_part(&part, out);
    }
    return status;
}

/* What one request copies of a part. */
struct piece {
    struct bp_azure_block_id id;
    uint64_t offset, size; /* in the source, bytes */
};

/* Put Block From URL. */
static bp_status
copy_block(struct bp_storage *storage, const struct bp_op *op, const struct bp_part_args *args,
           const struct piece *piece, struct bp_error *error)
{
    char raw[BP_AZURE_BLOCK_ID];
    struct bp_azure_source source;
    struct bp_azure_request request;
    bp_azure_block_id(&piece->id, raw);
    g_autofree char *id = bp_azure_base64(raw, strlen(raw));
    bp_status status = bp_azure_source_open(&source, storage, args->src, op, args->src_key, error);
    if (status != BP_OK) {
        return status;
    }
    bp_azure_request_init(&request, BP_AZURE_BLOB, "PUT", args->key, "copy a block to it");
    bp_azure_add_query(&request, "comp", "block");
    bp_azure_add_query(&request, "blockid", id);
    bp_azure_source_add(&source, &request);
    request.slow = true;
    bp_azure_add_header(&request, "x-ms-source-range", "bytes=%" PRIu64 "-%" PRIu64, piece->offset,
                        piece->offset + piece->size - 1);
    if (args->src_if_match != NULL) {
        bp_azure_add_header(&request, "x-ms-source-if-match", "\"%s\"", args->src_if_match);
    }
    status = bp_azure_call(storage, op, &request, NULL, error);
    bp_azure_request_clear(&request);
    status = bp_azure_source_judge(&source, status, error);
    bp_azure_source_close(&source);
    error->flags &= ~BP_ERROR_OUTCOME_UNKNOWN; /* nothing can be seen of it */
    return status;
}

bp_status
bp_azure_part_copy(struct bp_storage *storage, const struct bp_op *op,
                   const struct bp_part_args *args, struct bp_object_meta *out,
                   struct bp_error *error)
{
    uint64_t least;
    char upload[BP_AZURE_UPLOAD_ID];
    bp_status status = check_part(storage, op, args, upload, &least, error);
    if (status == BP_OK) {
        status = bp_azure_check_key(args->src, args->src_key, error);
    }
    if (status != BP_OK) {
        return status;
    }
    struct part part = {bp_azure_attempt(), 0, 0, true};
    least = MIN(MAX(least, COPY_BLOCK), BP_AZURE_MAX_BLOCK);
    while (status == BP_OK && part.size < args->size) {
        const struct piece piece = {.id = {upload, args->number, part.attempt, part.count},
                                    .offset = args->offset + part.size,
                                    .size = MIN(args->size - part.size, least)};
        status = copy_block(storage, op, args, &piece, error);
        part.size += piece.size;
        part.count++;
        storage->host->progress(op, part.size, args->size);
    }
    if (status == BP_OK) {
        describe_part(&part, out);
    }
    return status;
}

static const struct bp_part *
part_at(const struct bp_complete_args *args, uint32_t i)
{
    return (const struct bp_part *)((const char *)args->parts + (size_t)i * args->part_stride);
}

/* The blocks of all parts in order, and what they add up to. */
static bp_status
make_list(const struct bp_complete_args *args, const char *upload, GString *list,
          struct part *total, struct bp_error *error)
{
    uint32_t before = 0;
    for (uint32_t i = 0; i < args->n_parts; i++) {
        struct part part;
        const struct bp_part *given = part_at(args, i);
        if (given->number <= before || !parse_part(given->etag, &part)) {
            return bp_fail(error, BP_ERR_INVALID,
                           "object %s: part %u is out of order, or its etag is not one of ours",
                           args->key, given->number);
        }
        before = given->number;
        total->count += part.count;
        total->size += part.size;
        total->copied = total->copied || part.copied;
        if (total->count > BP_AZURE_MAX_BLOCKS) {
            return bp_fail(error, BP_ERR_INVALID,
                           "object %s: it has more than %d blocks; make block_size larger",
                           args->key, BP_AZURE_MAX_BLOCKS);
        }
        bp_azure_block_list_add(list, upload, given->number, part.attempt, part.count);
    }
    if (args->size != BP_UNKNOWN && total->size != args->size) {
        return bp_fail(error, BP_ERR_INVALID,
                       "object %s: its parts have %" PRIu64 " bytes together, not %" PRIu64,
                       args->key, total->size, args->size);
    }
    return BP_OK;
}

bp_status
bp_azure_part_complete(struct bp_storage *storage, const struct bp_op *op,
                       const struct bp_complete_args *args, struct bp_object_meta *out,
                       struct bp_error *error)
{
    uint64_t least;
    struct part total = {0};
    char upload[BP_AZURE_UPLOAD_ID];
    g_autoptr(GString) list = g_string_new(NULL);
    bp_status status =
        bp_azure_check_flags(args->flags, BP_WRITE_IF_NONE_MATCH | BP_WRITE_DURABLE, error);
    if (status == BP_OK) {
        status = bp_azure_check_new_key(storage, args->key, error);
    }
    if (status == BP_OK && !parse_upload(args->upload, upload, &least)) {
        status = fail_unknown(args->key, args->upload, error);
    }
    if (status == BP_OK) {
        status = make_list(args, upload, list, &total, error);
    }
    if (status != BP_OK) {
        return status;
    }
    const struct bp_azure_commit commit = {
        .key = args->key,
        .blocks = list,
        .if_match = args->if_match,
        .exclusive = (args->flags & BP_WRITE_IF_NONE_MATCH) != 0,
        .size = total.size,
    };
    status = bp_azure_commit_blocks(storage, op, &commit, out, error);
    if (status == BP_OK && total.copied) {
        /* What went from server to server was not counted by us. */
        status = bp_azure_stat_version(storage, op, args->key, NULL, out, error);
        error->flags |= status != BP_OK ? BP_ERROR_OUTCOME_UNKNOWN : 0;
    }
    return status;
}
