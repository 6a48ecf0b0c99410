/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing objects.
 */
#include "plugins/storage-s3/write.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/storage-s3/read.h"
#include "plugins/storage-s3/sums.h"
#include "sdk/lib/checksum.h"
#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

#define KNOWN_FLAGS (BP_WRITE_IF_NONE_MATCH | BP_WRITE_DURABLE)
#define MAX_ANSWER ((size_t)64 << 10)

/* Some stores make an object of a body that was cut short; of a part, nobody does. */
static bool
needs_whole(const struct bp_writer *writer)
{
    return !writer->storage->set.provider->whole_bodies && !writer->is_part;
}

/* The signature does not cover bodies. */
static bool
leaves_bodies(const struct bp_writer *writer)
{
    const struct bp_s3_config *set = &writer->storage->set;
    return set->payload == BP_S3_PAYLOAD_UNSIGNED || set->login.source == BP_S3_ANONYMOUS ||
           (set->payload == BP_S3_PAYLOAD_AUTO && set->endpoint.tls && !needs_whole(writer));
}

/* How a streamed body is vouched for; NULL = it has to be kept until it is known. */
static const char *
stream_payload(const struct bp_writer *writer)
{
    if (leaves_bodies(writer)) {
        return needs_whole(writer) ? NULL : BP_S3_UNSIGNED;
    }
    return writer->storage->set.provider->chunked ? BP_S3_CHUNKED : NULL;
}

/* One that is in memory anyway is hashed, unless it is large and TLS watches over it. */
static const char *
kept_payload(const struct bp_writer *writer)
{
    bool small = writer->n_kept <= BP_S3_SMALL;
    bool said = writer->storage->set.payload == BP_S3_PAYLOAD_UNSIGNED;
    return leaves_bodies(writer) && (!small || said) ? BP_S3_UNSIGNED : NULL;
}

static void
free_writer(struct bp_writer *writer)
{
    struct bp_storage *storage = writer->storage;
    bp_s3_body_close(&writer->body);
    bp_s3_request_clear(&writer->request);
    bp_s3_digest_free(writer->digest);
    if (writer->kept != NULL) {
        storage->host->free(writer->kept);
    }
    if (writer->counted > 0) {
        bp_s3_memory_give(storage, writer->counted);
    }
    g_clear_pointer(&writer->etags, g_ptr_array_unref);
    g_free(writer->upload);
    g_free(writer->if_match);
    g_free(writer->key);
    g_free(writer);
}

/*
 * Room for `n` bytes; what is more than small counts against the setting.  Whoever has room waits
 * for no more, since others could wait for him: the next part is as large as the one before then.
 */
static bp_status
make_room(struct bp_writer *writer, const struct bp_op *op, size_t n, struct bp_error *error)
{
    struct bp_storage *storage = writer->storage;
    if (n <= writer->room) {
        return BP_OK;
    }
    if (writer->counted > 0 && !bp_s3_memory_try(storage, n - writer->counted)) {
        return BP_OK;
    }
    if (writer->counted == 0 && n > BP_S3_SMALL) {
        bp_status status = bp_s3_memory_take(storage, op, n, error);
        if (status != BP_OK) {
            return status;
        }
    }
    writer->counted = n > BP_S3_SMALL ? n : 0;
    uint8_t *grown = storage->host->realloc(op, writer->kept, n);
    if (grown == NULL) {
        return bp_fail(error, BP_ERR_NOMEM, "object %s: no memory for %zu bytes", writer->key, n);
    }
    writer->kept = grown;
    writer->room = n;
    return BP_OK;
}

static bp_status
check_args(struct bp_writer *writer, const struct bp_write_args *args, struct bp_error *error)
{
    bp_status status = bp_check_flags(args->flags, KNOWN_FLAGS, error);
    if (status == BP_OK) {
        status = bp_s3_request_condition(&writer->request, writer->storage, args->flags,
                                         args->if_match, error);
    }
    if (status == BP_OK && args->checksum.kind != BP_CHECKSUM_NONE) {
        writer->digest = bp_s3_digest_new(args->checksum.kind);
        if (writer->digest == NULL) {
            status = bp_fail(error, BP_ERR_UNSUPPORTED,
                             "object %s: checksums of kind %u are not computed here", args->key,
                             args->checksum.kind);
        }
    }
    return status;
}

/* The checksum that is to be computed of the body.  An upload in parts says itself what it wants.
 */
static uint32_t
sum_kind(const struct bp_writer *writer, bool behind)
{
    if (behind && writer->storage->set.login.source == BP_S3_ANONYMOUS) {
        return BP_CHECKSUM_NONE;
    }
    uint32_t kind = bp_s3_sums_kind(writer->storage, behind || writer->is_part);
    return !writer->is_part || kind == writer->part_kind ? kind : BP_CHECKSUM_NONE;
}

/* What the caller knows of the content is told the store, which compares it, too. */
static void
add_checksum(struct bp_writer *writer, const struct bp_checksum *sum)
{
    if (bp_s3_sums_kind(writer->storage, false) != BP_CHECKSUM_NONE) {
        bp_s3_sums_header(&writer->request, sum);
    }
}

/* Chooses the mode, and begins the request where it can be begun. */
static bp_status
start(struct bp_writer *writer, const struct bp_op *op, struct bp_error *error)
{
    struct bp_storage *storage = writer->storage;
    const char *payload = stream_payload(writer);
    bool fits = writer->is_part || writer->size <= bp_s3_gather_room(storage, 0);
    if (writer->size == BP_UNKNOWN || (payload == NULL && !fits)) {
        writer->mode = BP_S3_GATHER;
        return BP_OK;
    }
    if (writer->size <= BP_S3_SMALL || payload == NULL) {
        writer->mode = BP_S3_KEEP;
        if (writer->size > storage->set.memory) {
            return bp_fail(error, BP_ERR_INVALID,
                           "object %s: %" PRIu64
                           " bytes have to be kept in memory; make parts smaller, memory larger, "
                           "or use payload: auto and https",
                           writer->key, writer->size);
        }
        return make_room(writer, op, (size_t)writer->size, error);
    }
    writer->mode = BP_S3_STREAM;
    writer->request.payload = payload;
    uint32_t trailer = BP_CHECKSUM_NONE;
    if (writer->want.kind != BP_CHECKSUM_NONE) {
        add_checksum(writer, &writer->want);
    } else {
        trailer = sum_kind(writer, true);
    }
    writer->request.body_size = writer->size;
    return bp_s3_body_open(&writer->body, storage, op, &writer->request, trailer, error);
}

static bp_status
finish_new(struct bp_writer *writer, const struct bp_op *op, bp_status status,
           struct bp_writer **out, struct bp_error *error)
{
    if (status == BP_OK) {
        status = start(writer, op, error);
    }
    if (status != BP_OK) {
        free_writer(writer);
        return status;
    }
    *out = writer;
    return BP_OK;
}

bp_status
bp_s3_writer_new(struct bp_storage *storage, const struct bp_op *op,
                 const struct bp_write_args *args, struct bp_writer **out, struct bp_error *error)
{
    char *full;
    bp_status status = bp_s3_full_key(storage, args->key, &full, error);
    if (status != BP_OK) {
        return status;
    }
    struct bp_writer *writer = g_new0(struct bp_writer, 1);
    writer->storage = storage;
    writer->body.exchange.storage = storage;
    writer->key = g_strdup(args->key);
    writer->size = args->size;
    writer->flags = args->flags;
    writer->if_match = g_strdup(args->if_match);
    writer->want = args->checksum;
    bp_s3_request_init(&writer->request, "PUT", "write", full);
    bp_s3_request_new_object(&writer->request, storage);
    return finish_new(writer, op, check_args(writer, args, error), out, error);
}

bp_status
bp_s3_part_writer_new(struct bp_storage *storage, const struct bp_op *op,
                      const struct bp_part_args *args, struct bp_s3_request *take_request,
                      struct bp_writer **out, struct bp_error *error)
{
    struct bp_writer *writer = g_new0(struct bp_writer, 1);
    writer->storage = storage;
    writer->body.exchange.storage = storage;
    writer->is_part = true;
    (void)bp_s3_upload_id(args->upload, &writer->part_kind);
    writer->key = g_strdup(args->key);
    writer->size = args->size;
    writer->request = *take_request;
    *take_request = (struct bp_s3_request){0};
    return finish_new(writer, op, BP_OK, out, error);
}

/* Early, to spare the writing; and for stores that ignore the condition it is nearly as good. */
static bp_status
check_taken(struct bp_storage *storage, const struct bp_op *op, const char *key,
            struct bp_error *error)
{
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    struct bp_error ignored = {.struct_size = sizeof(ignored)};
    bp_status status = bp_s3_stat(storage, op, key, &meta, &ignored);
    return status == BP_OK ? bp_fail(error, BP_ERR_EXISTS, "object %s exists already", key) : BP_OK;
}

bp_status
bp_s3_write_open(struct bp_storage *storage, const struct bp_op *op,
                 const struct bp_write_args *args, struct bp_writer **out, struct bp_error *error)
{
    bp_status status = bp_s3_check_op(storage, op, error);
    if (status == BP_OK && (args->flags & BP_WRITE_IF_NONE_MATCH) != 0 && args->if_match == NULL) {
        status = check_taken(storage, op, args->key, error);
    }
    return status == BP_OK ? bp_s3_writer_new(storage, op, args, out, error) : status;
}

/* Bytes that fit in before a part is full, for which room is made as it is needed. */
static bp_status
room_left(struct bp_writer *writer, const struct bp_op *op, size_t want, size_t *left,
          struct bp_error *error)
{
    size_t most = writer->mode == BP_S3_KEEP
                      ? writer->room
                      : (size_t)bp_s3_gather_room(writer->storage,
                                                  writer->etags == NULL ? 0 : writer->etags->len);
    size_t need = writer->n_kept + want;
    bp_status status =
        make_room(writer, op, need <= BP_S3_SMALL ? MIN(most, BP_S3_SMALL) : most, error);
    *left = MIN(most, writer->room) - writer->n_kept;
    return status;
}

static bp_status
keep(struct bp_writer *writer, const struct bp_op *op, const uint8_t *next, size_t n,
     struct bp_error *error)
{
    while (n > 0) {
        size_t left = 0;
        bp_status status = room_left(writer, op, n, &left, error);
        if (status == BP_OK && left == 0) {
            status = bp_s3_gather_flush(writer, op, error);
        }
        if (status != BP_OK) {
            return status;
        }
        size_t piece = MIN(n, left);
        if (piece > 0) {
            memcpy(writer->kept + writer->n_kept, next, piece);
            writer->n_kept += piece;
            next += piece;
            n -= piece;
        }
    }
    return BP_OK;
}

bp_status
bp_s3_write(struct bp_writer *writer, const struct bp_op *op, const void *bytes, size_t n,
            struct bp_error *error)
{
    if (writer->size != BP_UNKNOWN && n > writer->size - writer->written) {
        return bp_fail(error, BP_ERR_INVALID,
                       "object %s: more than the announced %" PRIu64 " bytes", writer->key,
                       writer->size);
    }
    bp_status status = bp_s3_check_op(writer->storage, op, error);
    if (status != BP_OK || n == 0) {
        return status;
    }
    if (writer->digest != NULL) {
        bp_s3_digest_add(writer->digest, bytes, n);
    }
    writer->written += n;
    return writer->mode == BP_S3_STREAM
               ? bp_s3_body_add(&writer->body, op, &writer->request, bytes, n, error)
               : keep(writer, op, bytes, n, error);
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
        bp_s3_digest_end(writer->digest, &sum);
        writer->want.by = BP_CHECKSUM_BY_PLUGIN;
    }
    return bp_check_written(&written, error);
}

/* The answer to a PUT: the version that is there now. */
static bp_status
take_answer(struct bp_writer *writer, const struct bp_op *op, struct bp_s3_exchange *exchange,
            struct bp_object_meta *out, struct bp_error *error)
{
    size_t n = 0;
    char *body = NULL;
    struct bp_error ignored = {.struct_size = sizeof(ignored)};
    bool wanted = writer->want.kind != BP_CHECKSUM_NONE;
    bp_status status = bp_s3_sums_check(writer->storage, &writer->request, exchange,
                                        wanted ? &writer->want : &writer->body.sum, error);
    if (status != BP_OK) {
        return status;
    }
    bp_s3_meta_fill(out, exchange->http, writer->written);
    if (writer->is_part) {
        bp_s3_part_note(out->etag, &writer->body.sum);
    }
    if (wanted) {
        out->checksum = writer->want;
    }
    /* Read to its end, the connection can be used again. */
    (void)bp_http_receive_all(exchange->http, op, MAX_ANSWER, &body, &n, &ignored);
    free(body);
    return BP_OK;
}

static bp_status
commit_kept(struct bp_writer *writer, const struct bp_op *op, struct bp_object_meta *out,
            struct bp_error *error)
{
    struct bp_s3_exchange exchange;
    struct bp_s3_request *request = &writer->request;
    uint32_t kind = sum_kind(writer, false);
    request->body = writer->n_kept > 0 ? writer->kept : NULL;
    request->body_size = writer->n_kept;
    request->payload = kept_payload(writer);
    if (writer->want.kind != BP_CHECKSUM_NONE) {
        add_checksum(writer, &writer->want);
    } else if (kind != BP_CHECKSUM_NONE) {
        bp_s3_sum(kind, writer->kept, writer->n_kept, &writer->body.sum);
        bp_s3_sums_header(request, &writer->body.sum);
    }
    bp_status status = bp_s3_send(writer->storage, op, request, &exchange, error);
    if (status == BP_OK) {
        status = take_answer(writer, op, &exchange, out, error);
        bp_s3_end(&exchange);
    }
    return status;
}

static bp_status
commit_stream(struct bp_writer *writer, const struct bp_op *op, struct bp_object_meta *out,
              struct bp_error *error)
{
    struct bp_s3_body *body = &writer->body;
    bp_status status = bp_s3_body_end(body, op, &writer->request, error);
    if (status == BP_OK) {
        status = bp_s3_finish(&body->exchange, op, &writer->request, error);
    }
    return status == BP_OK ? take_answer(writer, op, &body->exchange, out, error) : status;
}

bp_status
bp_s3_write_commit(struct bp_writer *writer, const struct bp_op *op, struct bp_object_meta *out,
                   struct bp_error *error)
{
    bp_status status = bp_s3_check_op(writer->storage, op, error);
    if (status == BP_OK) {
        status = check_content(writer, error);
    }
    if (status == BP_OK) {
        status = writer->upload != NULL         ? bp_s3_gather_commit(writer, op, out, error)
                 : writer->mode == BP_S3_STREAM ? commit_stream(writer, op, out, error)
                                                : commit_kept(writer, op, out, error);
    }
    if (status != BP_OK) {
        bp_s3_gather_fail(writer, op);
    }
    free_writer(writer);
    return status;
}

void
bp_s3_write_abort(struct bp_writer *writer, const struct bp_op *op)
{
    bp_s3_gather_abort(writer, op);
    free_writer(writer); /* closes the connection: the store drops what it got so far */
}
