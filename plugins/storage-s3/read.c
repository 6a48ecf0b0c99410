/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading objects.
 */
#include "plugins/storage-s3/read.h"

#include <string.h>

#include "plugins/storage-s3/request.h"
#include "plugins/storage-s3/sums.h"
#include "sdk/http/range.h"
#include "sdk/http/text.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/parse.h"
#include "sdk/lib/result.h"

#include "sdk/lib/ban.h"

struct bp_reader {
    struct bp_s3_exchange exchange; /* none for an empty range */
    struct bp_http_body body;
};

void
bp_s3_meta_fill(struct bp_object_meta *out, bp_http_exchange *http, uint64_t size)
{
    const char *class_name = bp_http_header(http, "x-amz-storage-class");
    const char *kind = bp_http_header(http, "x-amz-checksum-type");
    bp_meta_clear(out);
    out->size = size;
    out->mtime_ns = bp_s3_time(bp_http_header(http, "Last-Modified"));
    bp_http_etag(bp_http_header(http, "ETag"), out->etag);
    g_strlcpy(out->storage_class, class_name == NULL ? "" : class_name, sizeof(out->storage_class));
    /* One that is made of the parts' checksums is none of the object's bytes.  Servers that are
     * older than the kinds have no others for objects that were made of parts. */
    if (kind != NULL ? strcmp(kind, "FULL_OBJECT") == 0 : strchr(out->etag, '-') == NULL) {
        if (!bp_s3_checksum_parse(bp_http_header(http, "x-amz-checksum-sha256"), BP_CHECKSUM_SHA256,
                                  &out->checksum)) {
            (void)bp_s3_checksum_parse(bp_http_header(http, "x-amz-checksum-crc32c"),
                                       BP_CHECKSUM_CRC32C, &out->checksum);
        }
    }
}

static bp_status
content_length(bp_http_exchange *http, const char *key, uint64_t *out, struct bp_error *error)
{
    const char *text = bp_http_header(http, "Content-Length");
    if (text == NULL || bp_parse_u64(text, out) != 0) {
        return bp_fail(error, BP_ERR_RETRYABLE, "object %s: the store does not tell its size", key);
    }
    return BP_OK;
}

/* HEAD has no body that could tell why: the same as a GET of one byte has. */
static bp_status
explain(struct bp_storage *storage, const struct bp_op *op, const struct bp_s3_request *head,
        struct bp_error *error)
{
    struct bp_s3_request get;
    struct bp_s3_exchange exchange;
    struct bp_error why = {.struct_size = sizeof(why)};
    bp_status before = error->cls;
    bool vague =
        error->code[0] == '\0' && (error->remote_status == 400 || error->remote_status == 403);
    if (!vague) {
        return before;
    }
    bp_s3_request_init(&get, "GET", head->verb, g_strdup(head->key));
    bp_s3_request_header(&get, "Range: bytes=0-0");
    bp_status status = bp_s3_send(storage, op, &get, &exchange, &why);
    if (status == BP_OK) {
        bp_s3_end(&exchange);
    } else if (why.code[0] != '\0' && status != BP_ERR_RANGE) {
        bp_result_copy(error, &why);
        before = status;
    }
    bp_s3_request_clear(&get);
    return before;
}

bp_status
bp_s3_stat_version(struct bp_storage *storage, const struct bp_op *op, const char *key,
                   const char *if_match, struct bp_object_meta *out, struct bp_error *error)
{
    char *full;
    uint64_t size = 0;
    struct bp_s3_request request;
    struct bp_s3_exchange exchange;
    bp_status status = bp_s3_full_key(storage, key, &full, error);
    if (status != BP_OK) {
        return status;
    }
    bp_s3_request_init(&request, "HEAD", "look at", full);
    if (bp_s3_sums_kind(storage, true) != BP_CHECKSUM_NONE || storage->set.provider->checksums) {
        bp_s3_request_header(&request, "x-amz-checksum-mode: ENABLED");
    }
    status = bp_s3_send(storage, op, &request, &exchange, error);
    if (status == BP_OK) {
        status = content_length(exchange.http, key, &size, error);
        if (status == BP_OK) {
            bp_s3_meta_fill(out, exchange.http, size);
        }
        bp_s3_end(&exchange);
    } else {
        status = explain(storage, op, &request, error);
    }
    bp_s3_request_clear(&request);
    if (status == BP_OK && if_match != NULL && strcmp(if_match, out->etag) != 0) {
        status = bp_fail(error, BP_ERR_EXISTS, "object %s: its version is %s, not %s", key,
                         out->etag, if_match);
    }
    return status;
}

bp_status
bp_s3_stat(struct bp_storage *storage, const struct bp_op *op, const char *key,
           struct bp_object_meta *out, struct bp_error *error)
{
    return bp_s3_stat_version(storage, op, key, NULL, out, error);
}

/* An empty range, or what the store takes for one beyond the end: the size decides. */
static bp_status
open_empty(struct bp_storage *storage, const struct bp_op *op, const struct bp_read_args *args,
           struct bp_object_meta *meta, struct bp_reader **out, struct bp_error *error)
{
    bp_status status = bp_s3_stat_version(storage, op, args->key, args->if_match, meta, error);
    if (status != BP_OK) {
        return status;
    }
    status = bp_check_empty_read(args, meta->size, error);
    if (status == BP_OK) {
        *out = g_new0(struct bp_reader, 1);
    }
    return status;
}

/* What the answer is going to bring must be what was asked for. */
static bp_status
take_head(struct bp_reader *reader, const struct bp_read_args *args, struct bp_object_meta *meta,
          struct bp_error *error)
{
    uint64_t size = 0;
    bp_http_exchange *http = reader->exchange.http;
    bp_status status = bp_http_body_open(&reader->body, http, args, &size, error);
    if (status != BP_OK) {
        return status;
    }
    bp_s3_meta_fill(meta, http, size);
    if (args->if_match != NULL && strcmp(args->if_match, meta->etag) != 0) {
        return bp_fail(error, BP_ERR_EXISTS, "object %s: its version is %s, not %s", args->key,
                       meta->etag, args->if_match);
    }
    return BP_OK;
}

bp_status
bp_s3_read_open(struct bp_storage *storage, const struct bp_op *op, const struct bp_read_args *args,
                struct bp_object_meta *meta, struct bp_reader **out, struct bp_error *error)
{
    char *full = NULL, range[BP_HTTP_RANGE];
    struct bp_s3_request request;
    struct bp_s3_exchange exchange;
    bp_status status = bp_check_flags(args->flags, 0, error);
    if (status == BP_OK) {
        status = bp_s3_full_key(storage, args->key, &full, error);
    }
    if (status != BP_OK) {
        return status;
    }
    bp_s3_request_init(&request, "GET", "read", full);
    if (args->length == 0) {
        bp_s3_request_clear(&request);
        return open_empty(storage, op, args, meta, out, error);
    }
    bp_http_range(args, range);
    if (range[0] != '\0') {
        bp_s3_request_header(&request, "Range: %s", range);
    }
    if (args->if_match != NULL) {
        bp_s3_request_header(&request, "If-Match: \"%s\"", args->if_match);
    }
    status = bp_s3_send(storage, op, &request, &exchange, error);
    bp_s3_request_clear(&request);
    if (status == BP_ERR_RANGE) {
        return open_empty(storage, op, args, meta, out, error);
    }
    if (status != BP_OK) {
        return status;
    }
    struct bp_reader *reader = g_new0(struct bp_reader, 1);
    reader->exchange = exchange;
    status = take_head(reader, args, meta, error);
    if (status != BP_OK) {
        bp_s3_read_close(reader);
        return status;
    }
    *out = reader;
    return BP_OK;
}

bp_status
bp_s3_read(struct bp_reader *reader, const struct bp_op *op, void *buffer, size_t cap, size_t *n,
           struct bp_error *error)
{
    return bp_http_body_read(&reader->body, op, buffer, cap, n, error);
}

void
bp_s3_read_close(struct bp_reader *reader)
{
    bp_s3_end(&reader->exchange);
    g_free(reader);
}
