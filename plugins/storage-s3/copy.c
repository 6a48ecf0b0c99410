/* SPDX-License-Identifier: Apache-2.0
 *
 * Copies within the store.
 */
#include "plugins/storage-s3/copy.h"

#include <string.h>

#include "plugins/storage-s3/info.h"
#include "plugins/storage-s3/read.h"
#include "sdk/http/text.h"
#include "sdk/lib/checksum.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/result.h"

#include "sdk/lib/ban.h"

#define KNOWN_FLAGS \
    (BP_COPY_WANT_CHECKSUM | BP_COPY_NEED_CHECKSUM | BP_COPY_IF_NONE_MATCH | BP_COPY_MAY_LINK)

bp_status
bp_s3_request_copy_source(struct bp_s3_request *request, struct bp_storage *dst,
                          struct bp_storage *src, const char *src_key, const char *if_match,
                          struct bp_error *error)
{
    char ours[BP_S3_SCOPE], theirs[BP_S3_SCOPE], *full;
    bp_s3_copy_scope(dst, ours);
    bp_s3_copy_scope(src, theirs);
    if (strcmp(ours, theirs) != 0) {
        return bp_fail(error, BP_ERR_UNSUPPORTED, "%s cannot copy from %s by itself", ours, theirs);
    }
    bp_status status = bp_s3_full_key(src, src_key, &full, error);
    if (status != BP_OK) {
        return status;
    }
    GString *path = g_string_new("/");
    bp_s3_encode(path, src->set.bucket, false);
    g_string_append_c(path, '/');
    bp_s3_encode(path, full, true);
    bp_s3_request_header(request, "x-amz-copy-source: %s", path->str);
    if (if_match != NULL) {
        bp_s3_request_header(request, "x-amz-copy-source-if-match: \"%s\"", if_match);
    }
    g_string_free(path, TRUE);
    g_free(full);
    return BP_OK;
}

/*
 * An ETag of one part stands for the bytes as long as it is the MD5 of them, or anything else that
 * the store carries over with them: then the copy is as long as its source.  For any other, ask.
 */
static bp_status
prove_size(struct bp_storage *storage, const struct bp_op *op, const struct bp_copy_args *args,
           const char *etag, struct bp_object_meta *out, struct bp_error *error)
{
    bool carried = args->size != BP_UNKNOWN && args->src_if_match != NULL && etag[0] != '\0' &&
                   strcmp(etag, args->src_if_match) == 0 && strchr(etag, '-') == NULL;
    if (carried) {
        out->size = args->size;
        g_strlcpy(out->etag, etag, sizeof(out->etag));
        return BP_OK;
    }
    struct bp_object_meta found = {.struct_size = sizeof(found)};
    bp_status status = bp_s3_stat(storage, op, args->dst_key, &found, error);
    if (status == BP_OK) {
        found.mtime_ns = found.mtime_ns != 0 ? found.mtime_ns : out->mtime_ns;
        found.checksum = found.checksum.kind != BP_CHECKSUM_NONE ? found.checksum : out->checksum;
        bp_result_copy(out, &found);
    }
    return status;
}

/*
 * An ETag is the MD5 of an object that was made in one piece and is not encrypted with foreign
 * keys: Amazon and MinIO say so, of others nobody knows.
 */
static void
take_md5(struct bp_storage *storage, bp_http_exchange *http, const char *etag,
         struct bp_checksum *out)
{
    const char *sse = bp_http_header(http, "x-amz-server-side-encryption");
    bool plain = sse == NULL ||
                 (strcmp(sse, "AES256") == 0 && strcmp(storage->set.provider->name, "aws") == 0);
    if (plain && storage->set.provider->md5_etag) {
        (void)bp_checksum_from_hex(out, BP_CHECKSUM_MD5, BP_CHECKSUM_BY_STORE, etag);
    }
}

/* Computed by the store while it copied. */
void
bp_s3_take_checksum(const bp_xml_node *root, struct bp_checksum *out)
{
    const char *type = bp_xml_text(root, "ChecksumType");
    const char *etag = bp_xml_text(root, "ETag");
    bool of_parts =
        type != NULL ? strcmp(type, "FULL_OBJECT") != 0 : etag != NULL && strchr(etag, '-') != NULL;
    if (of_parts) {
        return;
    }
    if (!bp_s3_checksum_parse(bp_xml_text(root, "ChecksumSHA256"), BP_CHECKSUM_SHA256, out)) {
        (void)bp_s3_checksum_parse(bp_xml_text(root, "ChecksumCRC32C"), BP_CHECKSUM_CRC32C, out);
    }
}

/* Such answers begin long before their end is known.  One that ends without saying what was made is
 * no success: what a stat finds then may be an older object. */
bp_status
bp_s3_take_etag(const bp_xml *xml, const char *key, char etag[BP_HTTP_ETAG], struct bp_error *error)
{
    const char *text = xml == NULL ? NULL : bp_xml_text(bp_xml_root(xml), "ETag");
    bp_http_etag(text, etag);
    if (text == NULL || *text == '\0') {
        (void)bp_fail(error, BP_ERR_RETRYABLE,
                      "object %s: the store began to answer and does not say that it is done", key);
        error->flags |= BP_ERROR_OUTCOME_UNKNOWN;
        return error->cls;
    }
    return BP_OK;
}

static bp_status
take_result(struct bp_s3_exchange *exchange, const struct bp_op *op,
            const struct bp_copy_args *args, const bp_xml *xml, struct bp_object_meta *out,
            struct bp_error *error)
{
    char etag[BP_HTTP_ETAG];
    struct bp_storage *storage = exchange->storage;
    bp_meta_clear(out);
    bp_status status = bp_s3_take_etag(xml, args->dst_key, etag, error);
    if (status != BP_OK) {
        return status;
    }
    const bp_xml_node *root = bp_xml_root(xml);
    out->mtime_ns = bp_s3_time(bp_xml_text(root, "LastModified"));
    take_md5(storage, exchange->http, etag, &out->checksum);
    bp_s3_take_checksum(root, &out->checksum);
    return prove_size(storage, op, args, etag, out, error);
}

static void
add_wish_for_checksum(struct bp_s3_request *request, const struct bp_storage *storage,
                      uint32_t flags)
{
    uint32_t kind = storage->set.checksum;
    if ((flags & BP_COPY_WANT_CHECKSUM) != 0 && kind != BP_CHECKSUM_NONE &&
        storage->set.provider->copy_checksum) {
        bp_s3_request_header(request, "x-amz-checksum-algorithm: %s",
                             kind == BP_CHECKSUM_SHA256 ? "SHA256" : "CRC32C");
    }
}

static bp_status
send(struct bp_storage *storage, const struct bp_op *op, const struct bp_copy_args *args,
     const struct bp_s3_request *request, struct bp_object_meta *out, struct bp_error *error)
{
    bp_xml *xml = NULL;
    struct bp_s3_exchange exchange;
    bp_status status = bp_s3_send(storage, op, request, &exchange, error);
    if (status != BP_OK) {
        return status;
    }
    status = bp_s3_read_xml(&exchange, op, request, &xml, error);
    if (status == BP_OK) {
        status = take_result(&exchange, op, args, xml, out, error);
    }
    bp_xml_free(xml);
    bp_s3_end(&exchange);
    return status;
}

bp_status
bp_s3_copy(struct bp_storage *storage, const struct bp_op *op, const struct bp_copy_args *args,
           struct bp_object_meta *out, struct bp_error *error)
{
    char *full = NULL;
    struct bp_s3_request request;
    bp_status status = bp_check_flags(args->flags, KNOWN_FLAGS, error);
    if (status == BP_OK && (args->flags & (BP_COPY_NEED_CHECKSUM | BP_COPY_IF_NONE_MATCH)) != 0) {
        status = bp_fail(error, BP_ERR_UNSUPPORTED,
                         "object %s: a copy within the store is neither exclusive nor seen by us",
                         args->dst_key);
    }
    if (status == BP_OK) {
        status = bp_s3_full_key(storage, args->dst_key, &full, error);
    }
    if (status != BP_OK) {
        return status;
    }
    bp_s3_request_init(&request, "PUT", "copy to", full);
    bp_s3_request_header(&request, "x-amz-metadata-directive: REPLACE");
    bp_s3_request_new_object(&request, storage);
    add_wish_for_checksum(&request, storage, args->flags);
    request.slow = true;
    status = bp_s3_request_copy_source(&request, storage, args->src, args->src_key,
                                       args->src_if_match, error);
    if (status == BP_OK) {
        status = send(storage, op, args, &request, out, error);
    }
    bp_s3_request_clear(&request);
    return status;
}
