/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading objects.
 */
#include "plugins/storage-s3/read.h"

#include <inttypes.h>
#include <string.h>

#include "plugins/storage-s3/request.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/parse.h"

#include "sdk/lib/ban.h"

struct bp_reader {
    struct bp_s3_exchange exchange; /* none for an empty range */
    uint64_t left;
    char *key;
};

void
bp_s3_meta_fill(struct bp_object_meta *out, bp_http_exchange *http, uint64_t size)
{
    const char *class_name = bp_http_header(http, "x-amz-storage-class");
    const char *kind = bp_http_header(http, "x-amz-checksum-type");
    bp_meta_clear(out);
    out->size = size;
    out->mtime_ns = bp_s3_time(bp_http_header(http, "Last-Modified"));
    bp_s3_etag(bp_http_header(http, "ETag"), out->etag);
    g_strlcpy(out->storage_class, class_name == NULL ? "" : class_name, sizeof(out->storage_class));
    /* One that is made of the parts' checksums is none of the object's bytes. */
    if (kind == NULL || strcmp(kind, "FULL_OBJECT") == 0) {
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
        *error = why;
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
    if (storage->set.provider->checksums) {
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

static struct bp_reader *
new_reader(const struct bp_read_args *args, uint64_t left)
{
    struct bp_reader *reader = g_new0(struct bp_reader, 1);
    reader->key = g_strdup(args->key);
    reader->left = left;
    return reader;
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
        *out = new_reader(args, 0);
    }
    return status;
}

/* "bytes 5-9/10" */
static bool
parse_range(const char *text, uint64_t *first, uint64_t *last, uint64_t *size)
{
    if (text == NULL || !g_str_has_prefix(text, "bytes ")) {
        return false;
    }
    g_auto(GStrv) parts = g_strsplit_set(text + strlen("bytes "), "-/", 3);
    return g_strv_length(parts) == 3 && bp_parse_u64(parts[0], first) == 0 &&
           bp_parse_u64(parts[1], last) == 0 && bp_parse_u64(parts[2], size) == 0 &&
           *first <= *last && *last < *size;
}

/* What the answer is going to bring must be what was asked for. */
static bp_status
take_head(const struct bp_s3_exchange *exchange, const struct bp_read_args *args,
          struct bp_object_meta *meta, uint64_t *left, struct bp_error *error)
{
    uint64_t first = 0, last = 0, size = 0;
    const char *range = bp_http_header(exchange->http, "Content-Range");
    bool whole = args->offset == 0 && args->length == BP_UNKNOWN;
    if (whole) {
        bp_status status = content_length(exchange->http, args->key, &size, error);
        if (status != BP_OK) {
            return status;
        }
        *left = size;
    } else if (parse_range(range, &first, &last, &size) && first == args->offset &&
               last - first < args->length) {
        *left = last - first + 1;
    } else {
        return bp_fail(error, BP_ERR_PERMANENT,
                       "object %s: asked for bytes from %" PRIu64 " on, the store sends \"%s\"",
                       args->key, args->offset, range == NULL ? "all" : range);
    }
    bp_s3_meta_fill(meta, exchange->http, size);
    if (args->if_match != NULL && strcmp(args->if_match, meta->etag) != 0) {
        return bp_fail(error, BP_ERR_EXISTS, "object %s: its version is %s, not %s", args->key,
                       meta->etag, args->if_match);
    }
    return BP_OK;
}

static void
add_range(struct bp_s3_request *request, const struct bp_read_args *args)
{
    if (args->length != BP_UNKNOWN && args->length - 1 <= UINT64_MAX - args->offset) {
        bp_s3_request_header(request, "Range: bytes=%" PRIu64 "-%" PRIu64, args->offset,
                             args->offset + args->length - 1);
    } else if (args->offset > 0 || args->length != BP_UNKNOWN) {
        bp_s3_request_header(request, "Range: bytes=%" PRIu64 "-", args->offset);
    }
}

bp_status
bp_s3_read_open(struct bp_storage *storage, const struct bp_op *op, const struct bp_read_args *args,
                struct bp_object_meta *meta, struct bp_reader **out, struct bp_error *error)
{
    char *full = NULL;
    uint64_t left = 0;
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
    add_range(&request, args);
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
    status = take_head(&exchange, args, meta, &left, error);
    if (status != BP_OK) {
        bp_s3_end(&exchange);
        return status;
    }
    *out = new_reader(args, left);
    (*out)->exchange = exchange;
    return BP_OK;
}

bp_status
bp_s3_read(struct bp_reader *reader, const struct bp_op *op, void *buffer, size_t cap, size_t *n,
           struct bp_error *error)
{
    *n = 0;
    if (reader->left == 0) {
        return BP_OK;
    }
    if (cap == 0) {
        return bp_fail(error, BP_ERR_INVALID, "object %s: read into an empty buffer", reader->key);
    }
    size_t want = (size_t)MIN((uint64_t)cap, reader->left);
    bp_status status = bp_http_receive(reader->exchange.http, op, buffer, want, n, error);
    if (status != BP_OK) {
        return status;
    }
    if (*n == 0) {
        return bp_fail(error, BP_ERR_RETRYABLE,
                       "object %s: the answer ended %" PRIu64 " bytes too early", reader->key,
                       reader->left);
    }
    reader->left -= *n;
    return BP_OK;
}

void
bp_s3_read_close(struct bp_reader *reader)
{
    bp_s3_end(&reader->exchange);
    g_free(reader->key);
    g_free(reader);
}
