/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking at objects and reading them.  libs3 hands out bytes as they come and cannot wait for
 * somebody to want them, so each read is a request of its own for just those bytes.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/storage.h"

#include "sdk/lib/ban.h"

struct bp_reader {
    struct bp_storage *storage;
    char key[BP_KEY_MAX + 1];
    char etag[132]; /* quoted, as libs3 wants it; "" = the server tells none */
    uint64_t offset, end;
};

bp_status
storage_stat(struct bp_storage *storage, const struct bp_op *op, const char *key,
             struct bp_object_meta *out, struct bp_error *error)
{
    static const S3ResponseHandler handler = {on_properties, on_complete};
    struct outcome outcome;
    char full[BP_KEY_MAX + 1];
    if (full_key(storage, key, full, error) != 0) {
        return error->cls;
    }
    S3RequestContext *context = request_begin(&outcome);
    if (context != NULL) {
        S3_head_object(&storage->context, full, context, &handler, &outcome);
        request_run_op(storage, op, context, &outcome);
    }
    bp_status status = request_status(storage, op, &outcome, "head of", key, error);
    if (status == BP_OK) {
        out->size = outcome.meta.size;
        out->mtime_ns = outcome.meta.mtime_ns;
        memcpy(out->etag, outcome.meta.etag, sizeof(out->etag));
    }
    return status;
}

struct listing {
    struct outcome outcome; /* first: see there */
    const struct bp_storage *storage;
    const struct bp_list_sink *sink;
    bool stopped, truncated;
    char last[BP_KEY_MAX + 1]; /* with the prefix, as the server knows it */
    char next[BP_KEY_MAX + 1];
};

static void
note_last(struct listing *self, const char *key)
{
    if (strcmp(key, self->last) > 0) {
        (void)snprintf(self->last, sizeof(self->last), "%s", key);
    }
}

static S3Status
on_entries(int truncated, const char *next, int n, const S3ListBucketContent *contents,
           int n_prefixes, const char **prefixes, void *ctx)
{
    struct listing *self = ctx;
    size_t skip = strlen(self->storage->prefix);
    for (int i = 0; i < n && !self->stopped; i++) {
        struct bp_object_meta meta = {.struct_size = sizeof(meta), .size = contents[i].size};
        meta.mtime_ns = contents[i].lastModified > 0 ? contents[i].lastModified * 1000000000 : 0;
        take_etag(contents[i].eTag, &meta);
        self->stopped = self->sink->entry(self->sink->ctx, contents[i].key + skip, &meta) != 0;
        note_last(self, contents[i].key);
    }
    for (int i = 0; i < n_prefixes && !self->stopped; i++) {
        self->stopped = self->sink->prefix(self->sink->ctx, prefixes[i] + skip) != 0;
        note_last(self, prefixes[i]);
    }
    self->truncated = truncated != 0;
    if (next != NULL) {
        (void)snprintf(self->next, sizeof(self->next), "%s", next);
    }
    return self->stopped ? S3StatusAbortedByCallback : S3StatusOK;
}

static bp_status
list_page(struct listing *self, const struct bp_op *op, const struct bp_list_args *args,
          const char *prefix, const char *marker, struct bp_error *error)
{
    static const S3ListBucketHandler handler = {{on_properties, on_complete}, on_entries};
    S3RequestContext *context = request_begin(&self->outcome);
    if (context != NULL) {
        int most = args->max < PAGE_MAX ? (int)args->max : PAGE_MAX;
        S3_list_bucket(&self->storage->context, prefix[0] != '\0' ? prefix : NULL, marker,
                       args->delimiter != 0 ? "/" : NULL, most, context, &handler, self);
        request_run_op(self->storage, op, context, &self->outcome);
    }
    if (self->stopped) {
        return bp_fail(error, BP_ERR_CANCELLED, "the listing was stopped");
    }
    return request_status(self->storage, op, &self->outcome, "listing", args->prefix, error);
}

bp_status
storage_list(struct bp_storage *storage, const struct bp_op *op, const struct bp_list_args *args,
             const struct bp_list_sink *sink, struct bp_error *error)
{
    struct listing self = {.storage = storage, .sink = sink};
    char prefix[2 * BP_KEY_MAX + 2], marker[2 * BP_KEY_MAX + 2];
    const char *from = args->token != NULL ? args->token : args->start_after;
    bp_status status = bp_check_list(args, error);
    if (status != BP_OK) {
        return status;
    }
    (void)snprintf(prefix, sizeof(prefix), "%s%s", storage->prefix, args->prefix);
    (void)snprintf(marker, sizeof(marker), "%s%s", storage->prefix, from != NULL ? from : "");
    status = list_page(&self, op, args, prefix, from != NULL ? marker : NULL, error);
    if (status != BP_OK || !self.truncated) {
        return status;
    }
    const char *next = self.next[0] != '\0' ? self.next : self.last;
    size_t skip = strlen(storage->prefix);
    if (strncmp(next, storage->prefix, skip) != 0 || next[skip] == '\0') {
        return bp_fail(error, BP_ERR_PERMANENT,
                       "listing %s: the server says that there is more and not where",
                       args->prefix);
    }
    return sink->next(sink->ctx, next + skip) == 0
               ? BP_OK
               : bp_fail(error, BP_ERR_CANCELLED, "the listing was stopped");
}

bp_status
storage_read_open(struct bp_storage *storage, const struct bp_op *op,
                  const struct bp_read_args *args, struct bp_object_meta *meta,
                  struct bp_reader **out, struct bp_error *error)
{
    bp_status status = bp_check_flags(args->flags, 0, error);
    if (status == BP_OK) {
        status = storage_stat(storage, op, args->key, meta, error);
    }
    if (status != BP_OK) {
        return status;
    }
    if (args->if_match != NULL && strcmp(args->if_match, meta->etag) != 0) {
        return bp_fail(error, BP_ERR_EXISTS, "object %s is another version now", args->key);
    }
    if (args->offset > meta->size) {
        return bp_fail(error, BP_ERR_RANGE, "object %s ends before byte %" PRIu64, args->key,
                       args->offset);
    }
    struct bp_reader *reader = calloc(1, sizeof(*reader));
    if (reader == NULL) {
        return bp_fail(error, BP_ERR_NOMEM, "no memory to read %s", args->key);
    }
    uint64_t left = meta->size - args->offset;
    reader->storage = storage;
    reader->offset = args->offset;
    reader->end = args->offset + (args->length < left ? args->length : left);
    (void)snprintf(reader->key, sizeof(reader->key), "%s", args->key);
    if (meta->etag[0] != '\0') {
        (void)snprintf(reader->etag, sizeof(reader->etag), "\"%s\"", meta->etag);
    }
    *out = reader;
    return BP_OK;
}

struct piece {
    struct outcome outcome; /* first: see there */
    char *buffer;
    size_t cap, n;
};

static S3Status
on_bytes(int n, const char *bytes, void *ctx)
{
    struct piece *piece = ctx;
    if (n < 0 || (size_t)n > piece->cap - piece->n) {
        return S3StatusErrorUnexpectedContent; /* more than was asked for */
    }
    memcpy(piece->buffer + piece->n, bytes, (size_t)n);
    piece->n += (size_t)n;
    return S3StatusOK;
}

bp_status
storage_read(struct bp_reader *reader, const struct bp_op *op, void *buffer, size_t cap, size_t *n,
             struct bp_error *error)
{
    static const S3GetObjectHandler handler = {{on_properties, on_complete}, on_bytes};
    uint64_t left = reader->end - reader->offset;
    struct piece piece = {.buffer = buffer, .cap = left < cap ? (size_t)left : cap};
    const S3GetConditions same = {.ifModifiedSince = -1,
                                  .ifNotModifiedSince = -1,
                                  .ifMatchETag = reader->etag[0] != '\0' ? reader->etag : NULL};
    char full[BP_KEY_MAX + 1];
    *n = 0;
    if (piece.cap == 0) {
        return BP_OK; /* the end */
    }
    if (full_key(reader->storage, reader->key, full, error) != 0) {
        return error->cls;
    }
    S3RequestContext *context = request_begin(&piece.outcome);
    if (context != NULL) {
        S3_get_object(&reader->storage->context, full, &same, reader->offset, piece.cap, context,
                      &handler, &piece);
        request_run_op(reader->storage, op, context, &piece.outcome);
    }
    bp_status status =
        request_status(reader->storage, op, &piece.outcome, "reading", reader->key, error);
    if (status == BP_OK && piece.n < piece.cap) {
        status = bp_fail(error, BP_ERR_RETRYABLE, "reading %s: %zu of %zu bytes came", reader->key,
                         piece.n, piece.cap);
    }
    if (status == BP_OK) {
        *n = piece.n;
        reader->offset += piece.n;
    }
    return status;
}

void
storage_read_close(struct bp_reader *reader)
{
    free(reader);
}
