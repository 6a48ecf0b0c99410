/* SPDX-License-Identifier: Apache-2.0
 *
 * Uploads in parts.
 */
#include "plugins/storage-s3/parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "plugins/storage-s3/copy.h"
#include "plugins/storage-s3/read.h"
#include "plugins/storage-s3/sums.h"
#include "plugins/storage-s3/write.h"
#include "sdk/http/text.h"
#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

#define KNOWN_FLAGS (BP_WRITE_IF_NONE_MATCH | BP_WRITE_DURABLE)

/* Stores compute the checksum of a part that they copy, or refuse it because it has none. */
static uint32_t
kind_of_parts(struct bp_storage *storage, uint32_t flags)
{
    bool copied = (flags & BP_WRITE_PARTS_COPIED) != 0;
    bool anonymous = storage->set.login.source == BP_S3_ANONYMOUS;
    return anonymous || (copied && !storage->set.provider->copy_checksum)
               ? BP_CHECKSUM_NONE
               : bp_s3_sums_kind(storage, true);
}

/* A CRC32C can be joined from those of the parts: then the object has one of its own. */
static void
announce_sums(struct bp_s3_request *request, uint32_t kind)
{
    if (kind != BP_CHECKSUM_NONE) {
        request->sums = true;
        bp_s3_request_header(request, "x-amz-checksum-algorithm: %s",
                             kind == BP_CHECKSUM_CRC32C ? "CRC32C" : "SHA256");
    }
    if (kind == BP_CHECKSUM_CRC32C) {
        bp_s3_request_header(request, "x-amz-checksum-type: FULL_OBJECT");
    }
}

bp_status
bp_s3_part_begin(struct bp_storage *storage, const struct bp_op *op,
                 const struct bp_write_args *args, const struct bp_text_sink *id,
                 struct bp_error *error)
{
    char *full = NULL;
    bp_xml *xml = NULL;
    struct bp_s3_request request;
    bp_status status = bp_check_flags(args->flags, KNOWN_FLAGS | BP_WRITE_PARTS_COPIED, error);
    if (status == BP_OK) {
        status = bp_s3_full_key(storage, args->key, &full, error);
    }
    if (status != BP_OK) {
        return status;
    }
    uint32_t kind = kind_of_parts(storage, args->flags);
    bp_s3_request_init(&request, "POST", "begin the upload of", full);
    bp_s3_request_query(&request, "uploads", NULL);
    bp_s3_request_new_object(&request, storage);
    announce_sums(&request, kind);
    request.once = true; /* twice, it would leave an upload that nobody knows of */
    status = bp_s3_send_for_xml(storage, op, &request, &xml, error);
    const char *text = xml == NULL ? NULL : bp_xml_text(bp_xml_root(xml), "UploadId");
    if (status == BP_OK && (text == NULL || *text == '\0')) {
        status = bp_fail(error, BP_ERR_PERMANENT, "object %s: the store gave the upload no id",
                         args->key);
    }
    g_autofree char *name = status == BP_OK ? bp_s3_upload_name(text, kind) : NULL;
    if (status == BP_OK && id->text(id->ctx, name) != 0) {
        status = bp_fail(error, BP_ERR_CANCELLED, "stopped by the receiver of the upload's id");
    }
    bp_xml_free(xml);
    bp_s3_request_clear(&request);
    return status;
}

static bp_status
part_request(struct bp_storage *storage, const struct bp_part_args *args, const char *verb,
             struct bp_s3_request *out, struct bp_error *error)
{
    uint32_t kind;
    char *full = NULL, number[16];
    bp_status status = bp_check_flags(args->flags, 0, error);
    if (status == BP_OK) {
        status = bp_s3_full_key(storage, args->key, &full, error);
    }
    if (status != BP_OK) {
        return status;
    }
    (void)snprintf(number, sizeof(number), "%" PRIu32, args->number);
    bp_s3_request_init(out, "PUT", verb, full);
    bp_s3_request_query(out, "partNumber", number);
    bp_s3_request_query(out, "uploadId", bp_s3_upload_id(args->upload, &kind));
    return BP_OK;
}

bp_status
bp_s3_part_open(struct bp_storage *storage, const struct bp_op *op, const struct bp_part_args *args,
                struct bp_writer **out, struct bp_error *error)
{
    struct bp_s3_request request;
    bp_status status = part_request(storage, args, "write a part of", &request, error);
    return status == BP_OK ? bp_s3_part_writer_new(storage, op, args, &request, out, error)
                           : status;
}

bp_status
bp_s3_part_put(struct bp_storage *storage, const struct bp_op *op, const struct bp_part_args *args,
               const void *bytes, struct bp_object_meta *out, struct bp_error *error)
{
    uint32_t kind;
    struct bp_checksum sum = {0};
    struct bp_s3_request request;
    struct bp_s3_exchange exchange;
    bp_status status = part_request(storage, args, "write a part of", &request, error);
    if (status != BP_OK) {
        return status;
    }
    (void)bp_s3_upload_id(args->upload, &kind);
    if (kind != BP_CHECKSUM_NONE && kind == bp_s3_sums_kind(storage, true)) {
        bp_s3_sum(kind, bytes, (size_t)args->size, &sum);
        bp_s3_sums_header(&request, &sum);
    }
    request.body = bytes;
    request.body_size = args->size;
    request.payload = storage->set.endpoint.tls && storage->set.payload == BP_S3_PAYLOAD_AUTO
                          ? BP_S3_UNSIGNED
                          : NULL;
    status = bp_s3_send(storage, op, &request, &exchange, error);
    if (status == BP_OK) {
        status = bp_s3_sums_check(storage, &request, &exchange, &sum, error);
        bp_s3_meta_fill(out, exchange.http, args->size);
        bp_s3_part_note(out->etag, &sum);
        bp_s3_end(&exchange);
    }
    bp_s3_request_clear(&request);
    return status;
}

/* What the store tells without being asked is not repeated to it. */
static void
note_copied_sum(const char *upload, const bp_xml_node *root, struct bp_object_meta *out)
{
    uint32_t kind;
    struct bp_checksum sum = {0};
    bp_s3_take_checksum(root, &sum);
    (void)bp_s3_upload_id(upload, &kind);
    if (sum.kind == kind) {
        bp_s3_part_note(out->etag, &sum);
    }
}

bp_status
bp_s3_part_copy(struct bp_storage *storage, const struct bp_op *op, const struct bp_part_args *args,
                struct bp_object_meta *out, struct bp_error *error)
{
    bp_xml *xml = NULL;
    struct bp_s3_request request;
    bp_status status = part_request(storage, args, "copy a part of", &request, error);
    if (status != BP_OK) {
        return status;
    }
    status = bp_s3_request_copy_source(&request, storage, args->src, args->src_key,
                                       args->src_if_match, error);
    if (status == BP_OK) {
        bp_s3_request_header(&request, "x-amz-copy-source-range: bytes=%" PRIu64 "-%" PRIu64,
                             args->offset, args->offset + args->size - 1);
        request.slow = true;
        status = bp_s3_send_for_xml(storage, op, &request, &xml, error);
    }
    if (status == BP_OK) {
        const char *etag = xml == NULL ? NULL : bp_xml_text(bp_xml_root(xml), "ETag");
        bp_meta_clear(out);
        out->size = args->size; /* a range beyond the source's end would have been refused */
        bp_http_etag(etag, out->etag);
        if (out->etag[0] == '\0') {
            status = bp_fail(error, BP_ERR_RETRYABLE,
                             "object %s: the store gave part %" PRIu32 " no ETag", args->key,
                             args->number);
        } else {
            note_copied_sum(args->upload, bp_xml_root(xml), out);
        }
    }
    bp_xml_free(xml);
    bp_s3_request_clear(&request);
    return status;
}

static GString *
list_of_parts(const struct bp_complete_args *args)
{
    GString *text = g_string_new("<CompleteMultipartUpload>");
    const char *at = (const char *)args->parts;
    for (uint32_t i = 0; i < args->n_parts; i++, at += args->part_stride) {
        const struct bp_part *part = (const void *)at;
        bp_s3_part_element(text, part->number, part->etag);
    }
    return g_string_append(text, "</CompleteMultipartUpload>");
}

static bp_status
send_complete(struct bp_storage *storage, const struct bp_op *op,
              const struct bp_complete_args *args, struct bp_s3_request *request, char *etag,
              struct bp_error *error)
{
    bp_xml *xml = NULL;
    GString *body = list_of_parts(args);
    request->body = body->str;
    request->body_size = body->len;
    request->slow = true;
    request->once = true; /* the second time there would be no such upload */
    bp_s3_request_header(request, "Content-Type: application/xml");
    bp_status status = bp_s3_send_for_xml(storage, op, request, &xml, error);
    if (status == BP_OK) {
        status = bp_s3_take_etag(xml, args->key, etag, error);
    }
    bp_xml_free(xml);
    g_string_free(body, TRUE);
    return status;
}

bp_status
bp_s3_part_complete(struct bp_storage *storage, const struct bp_op *op,
                    const struct bp_complete_args *args, struct bp_object_meta *out,
                    struct bp_error *error)
{
    uint32_t kind;
    char *full = NULL, etag[BP_HTTP_ETAG];
    struct bp_s3_request request;
    bp_status status = bp_check_flags(args->flags, KNOWN_FLAGS, error);
    if (status == BP_OK) {
        status = bp_s3_full_key(storage, args->key, &full, error);
    }
    if (status != BP_OK) {
        return status;
    }
    bp_s3_request_init(&request, "POST", "put together", full);
    bp_s3_request_query(&request, "uploadId", bp_s3_upload_id(args->upload, &kind));
    status = bp_s3_request_condition(&request, storage, args->flags, args->if_match, error);
    if (status == BP_OK) {
        status = send_complete(storage, op, args, &request, etag, error);
    }
    bp_s3_request_clear(&request);
    if (status == BP_OK) {
        /* The answer does not tell how long the object is. */
        status =
            bp_s3_stat_version(storage, op, args->key, etag[0] != '\0' ? etag : NULL, out, error);
        if (status == BP_ERR_EXISTS) {
            status = bp_fail(error, BP_ERR_RETRYABLE, "object %s: it was replaced at once by %s",
                             args->key, out->etag);
        }
        if (status != BP_OK) {
            error->flags |= BP_ERROR_OUTCOME_UNKNOWN;
        }
    }
    return status;
}

bp_status
bp_s3_part_abort(struct bp_storage *storage, const struct bp_op *op, const char *key,
                 const char *upload, struct bp_error *error)
{
    char *full;
    uint32_t kind;
    struct bp_s3_request request;
    bp_status status = bp_s3_full_key(storage, key, &full, error);
    if (status != BP_OK) {
        return status;
    }
    bp_s3_request_init(&request, "DELETE", "abort the upload of", full);
    bp_s3_request_query(&request, "uploadId", bp_s3_upload_id(upload, &kind));
    status = bp_s3_send_simple(storage, op, &request, error);
    bp_s3_request_clear(&request);
    if (status == BP_ERR_NOT_FOUND && strcmp(error->code, "NoSuchBucket") != 0) {
        status = BP_OK; /* ended already */
    }
    return status;
}
