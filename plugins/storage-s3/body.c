/* SPDX-License-Identifier: Apache-2.0
 *
 * Streamed bodies.
 */
#include "plugins/storage-s3/body.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sdk/lib/checksum.h"
#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

#define SIGNATURE ";chunk-signature="
#define TRAILER_SIGNATURE "x-amz-trailer-signature:"
#define HEX_SHA256 ((size_t)BP_S3_SHA256_HEX - 1)
#define CRLF 2

static size_t
base64_length(uint32_t kind)
{
    return (bp_checksum_length(kind) + 2) / 3 * 4;
}

/* "10000;chunk-signature=…\r\n", the bytes, "\r\n" */
static uint64_t
chunk_length(uint64_t n, bool is_signed)
{
    char digits[24];
    int head = snprintf(digits, sizeof(digits), "%" PRIx64, n);
    return (uint64_t)head + (is_signed ? strlen(SIGNATURE) + HEX_SHA256 : 0) + CRLF + n + CRLF;
}

uint64_t
bp_s3_body_length(uint64_t size, bool is_signed, uint32_t trailer_kind)
{
    uint64_t whole = size / BP_S3_CHUNK, rest = size % BP_S3_CHUNK;
    uint64_t length = whole * chunk_length(BP_S3_CHUNK, is_signed);
    length += rest > 0 ? chunk_length(rest, is_signed) : 0;
    length += chunk_length(0, is_signed); /* its second line end closes the body, or the trailer */
    if (trailer_kind != BP_CHECKSUM_NONE) {
        length += strlen("x-amz-checksum-") + strlen(bp_checksum_kind_name(trailer_kind)) + 1 +
                  base64_length(trailer_kind) + CRLF;
        length += is_signed ? strlen(TRAILER_SIGNATURE) + HEX_SHA256 + CRLF : 0;
    }
    return length;
}

bp_status
bp_s3_body_open(struct bp_s3_body *body, struct bp_storage *storage, const struct bp_op *op,
                struct bp_s3_request *request, uint32_t trailer_kind, struct bp_error *error)
{
    uint64_t size = request->body_size;
    bool plain_word = strcmp(request->payload, BP_S3_UNSIGNED) == 0;
    *body = (struct bp_s3_body){
        .exchange = {.storage = storage},
        .size = size,
        .is_signed = !plain_word,
        .chunks = !plain_word || trailer_kind != BP_CHECKSUM_NONE,
    };
    if (trailer_kind != BP_CHECKSUM_NONE) {
        body->trailer = bp_s3_digest_new(trailer_kind);
        request->sums = true;
        request->payload = plain_word ? BP_S3_UNSIGNED_TRAILER : BP_S3_CHUNKED_TRAILER;
        bp_s3_request_header(request, "x-amz-trailer: x-amz-checksum-%s",
                             bp_checksum_kind_name(trailer_kind));
    }
    if (body->chunks) {
        request->body_size = bp_s3_body_length(size, body->is_signed, trailer_kind);
        bp_s3_request_header(request, "Content-Encoding: aws-chunked");
        bp_s3_request_header(request, "x-amz-decoded-content-length: %" PRIu64, size);
    }
    return bp_s3_begin(storage, op, request, &body->exchange, error);
}

void
bp_s3_body_close(struct bp_s3_body *body)
{
    struct bp_storage *storage = body->exchange.storage;
    bp_s3_end(&body->exchange);
    bp_s3_digest_free(body->trailer);
    if (body->kept != NULL) {
        storage->host->free(body->kept);
    }
    *body = (struct bp_s3_body){0};
}

/* The store answers before the end only to refuse. */
static bp_status
send(struct bp_s3_body *body, const struct bp_op *op, const struct bp_s3_request *request,
     const void *bytes, size_t n, struct bp_error *error)
{
    bp_http_exchange *http = body->exchange.http;
    bp_status status = bp_http_send(http, op, bytes, n, error);
    if (status != BP_OK || !bp_http_answered(http)) {
        return status;
    }
    status = bp_s3_finish(&body->exchange, op, request, error);
    return status != BP_OK
               ? status
               : bp_fail(error, BP_ERR_RETRYABLE,
                         "object %s: the store answered before it had all of it", request->key);
}

static bp_status
send_chunk(struct bp_s3_body *body, const struct bp_op *op, const struct bp_s3_request *request,
           const void *bytes, size_t n, struct bp_error *error)
{
    char head[sizeof(SIGNATURE) + BP_S3_SHA256_HEX + 24];
    struct bp_s3_seed *seed = body->exchange.seed;
    if (body->is_signed && seed != NULL) {
        bp_s3_sign_chunk(seed, bytes, n);
        (void)snprintf(head, sizeof(head), "%zx" SIGNATURE "%s\r\n", n, seed->previous);
    } else {
        (void)snprintf(head, sizeof(head), "%zx\r\n", n);
    }
    bp_status status = send(body, op, request, head, strlen(head), error);
    if (status == BP_OK && n > 0) {
        status = send(body, op, request, bytes, n, error);
    }
    if (status == BP_OK && n > 0) {
        status = send(body, op, request, "\r\n", CRLF, error);
    }
    return status;
}

static bp_status
add_plain(struct bp_s3_body *body, const struct bp_op *op, const struct bp_s3_request *request,
          const uint8_t *next, size_t n, struct bp_error *error)
{
    uint64_t open = body->size - 1 - body->taken; /* bytes before the last one */
    size_t now = (size_t)MIN((uint64_t)n, open);
    if (now < n) {
        body->last = next[now];
    }
    body->taken += n;
    return now == 0 ? BP_OK : send(body, op, request, next, now, error);
}

static bp_status
keep(struct bp_s3_body *body, const struct bp_op *op, const uint8_t *next, size_t n,
     struct bp_error *error)
{
    const struct bp_host *host = body->exchange.storage->host;
    if (body->kept == NULL) {
        body->kept = host->alloc(op, (size_t)MIN(body->size, BP_S3_CHUNK));
    }
    if (body->kept == NULL) {
        return bp_fail(error, BP_ERR_NOMEM, "no memory for a chunk of a body");
    }
    memcpy(body->kept + body->n_kept, next, n);
    body->n_kept += n;
    return BP_OK;
}

static bp_status
add_chunks(struct bp_s3_body *body, const struct bp_op *op, const struct bp_s3_request *request,
           const uint8_t *next, size_t n, struct bp_error *error)
{
    bp_status status = BP_OK;
    while (status == BP_OK && n > 0) {
        size_t piece = MIN(n, BP_S3_CHUNK - body->n_kept);
        bool direct = piece == BP_S3_CHUNK && body->taken + piece < body->size;
        body->taken += piece;
        if (direct) {
            status = send_chunk(body, op, request, next, piece, error);
        } else {
            status = keep(body, op, next, piece, error);
        }
        if (status == BP_OK && body->n_kept == BP_S3_CHUNK && body->taken < body->size) {
            status = send_chunk(body, op, request, body->kept, body->n_kept, error);
            body->n_kept = 0;
        }
        next += piece;
        n -= piece;
    }
    return status;
}

bp_status
bp_s3_body_add(struct bp_s3_body *body, const struct bp_op *op, const struct bp_s3_request *request,
               const void *bytes, size_t n, struct bp_error *error)
{
    if (n == 0) {
        return BP_OK;
    }
    if (body->trailer != NULL) {
        bp_s3_digest_add(body->trailer, bytes, n);
    }
    return body->chunks ? add_chunks(body, op, request, bytes, n, error)
                        : add_plain(body, op, request, bytes, n, error);
}

/* What is signed is the line with '\n'; what is sent ends in "\r\n". */
static bp_status
send_trailer(struct bp_s3_body *body, const struct bp_op *op, const struct bp_s3_request *request,
             struct bp_error *error)
{
    struct bp_checksum *sum = &body->sum;
    struct bp_s3_seed *seed = body->exchange.seed;
    bp_s3_digest_end(body->trailer, sum);
    g_autofree char *value = g_base64_encode(sum->value, bp_checksum_length(sum->kind));
    g_autofree char *line =
        g_strdup_printf("x-amz-checksum-%s:%s\n", bp_checksum_kind_name(sum->kind), value);
    GString *text = g_string_new_len(line, (gssize)strlen(line) - 1);
    g_string_append(text, "\r\n");
    if (body->is_signed && seed != NULL) {
        bp_s3_sign_trailer(seed, line);
        g_string_append_printf(text, TRAILER_SIGNATURE "%s\r\n", seed->previous);
    }
    bp_status status = send(body, op, request, text->str, text->len, error);
    g_string_free(text, TRUE);
    return status;
}

bp_status
bp_s3_body_end(struct bp_s3_body *body, const struct bp_op *op, const struct bp_s3_request *request,
               struct bp_error *error)
{
    if (!body->chunks) {
        return body->size == 0 ? BP_OK : send(body, op, request, &body->last, 1, error);
    }
    bp_status status = BP_OK;
    if (body->n_kept > 0) {
        status = send_chunk(body, op, request, body->kept, body->n_kept, error);
    }
    if (status == BP_OK) {
        status = send_chunk(body, op, request, "", 0, error);
    }
    if (status == BP_OK && body->trailer != NULL) {
        status = send_trailer(body, op, request, error);
    }
    return status == BP_OK ? send(body, op, request, "\r\n", CRLF, error) : status;
}
