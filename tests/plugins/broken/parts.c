/* SPDX-License-Identifier: Apache-2.0
 *
 * Uploads in parts of the plugin that can be broken.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sdk/lib/errors.h"
#include "sdk/lib/parse.h"
#include "tests/plugins/broken/memory.h"

#include "sdk/lib/ban.h"

static struct upload *
find_upload(struct bp_storage *self, const char *key, const char *id)
{
    uint64_t number = 0;
    if (bp_parse_u64(id, &number) != 0 || number == 0) {
        return NULL;
    }
    for (size_t i = 0; i < UPLOADS_MAX; i++) {
        struct upload *upload = &self->space->uploads[i];
        if (upload->id == number && strcmp(upload->key, key) == 0) {
            return upload;
        }
    }
    return NULL;
}

static void
end_upload(struct bp_storage *self, struct upload *upload)
{
    for (size_t i = 0; i < PARTS_MAX; i++) {
        self->host->free(upload->parts[i].bytes);
    }
    memset(upload, 0, sizeof *upload);
}

static bp_status
no_upload(struct bp_error *error, const char *key)
{
    return bp_fail(error, BP_ERR_NOT_FOUND, "object %s: there is no such upload", key);
}

struct upload *
memory_begin_upload(struct bp_storage *self, const char *key)
{
    for (size_t i = 0; i < UPLOADS_MAX; i++) {
        struct upload *upload = &self->space->uploads[i];
        if (upload->id == 0) {
            (void)snprintf(upload->key, sizeof upload->key, "%s", key);
            upload->id = memory_next_version();
            upload->started_ns = (int64_t)time(NULL) * 1000000000;
            return upload;
        }
    }
    return NULL;
}

bp_status
memory_part_begin(struct bp_storage *self, const struct bp_op *op, const struct bp_write_args *args,
                  const struct bp_text_sink *id, struct bp_error *error)
{
    char text[32] = "";
    const uint32_t known = BP_WRITE_IF_NONE_MATCH | BP_WRITE_DURABLE | BP_WRITE_PARTS_COPIED;
    bp_status status = memory_begin(self, op, args->flags, known, error);
    if (status != BP_OK) {
        return status;
    }
    (void)pthread_mutex_lock(&memory_lock);
    const struct upload *upload = memory_begin_upload(self, args->key);
    (void)snprintf(text, sizeof text, "%" PRIu64, upload != NULL ? upload->id : 0);
    (void)pthread_mutex_unlock(&memory_lock);
    if (upload == NULL) {
        return bp_fail(error, BP_ERR_THROTTLED, "too many uploads at once");
    }
    return id->text(id->ctx, text) == 0 ? BP_OK : bp_fail(error, BP_ERR_CANCELLED, "stopped");
}

bp_status
memory_part_open(struct bp_storage *self, const struct bp_op *op, const struct bp_part_args *args,
                 struct bp_writer **out, struct bp_error *error)
{
    uint64_t id = 0;
    bp_status status = memory_begin(self, op, args->flags, 0, error);
    if (status == BP_OK && (args->number == 0 || args->number > PARTS_MAX)) {
        status = bp_fail(error, BP_ERR_INVALID, "part %u is none of %d", args->number, PARTS_MAX);
    }
    if (status != BP_OK) {
        return status;
    }
    (void)pthread_mutex_lock(&memory_lock);
    bool known = find_upload(self, args->key, args->upload) != NULL;
    (void)pthread_mutex_unlock(&memory_lock);
    if (!known || bp_parse_u64(args->upload, &id) != 0) {
        return no_upload(error, args->key);
    }
    struct bp_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL) {
        return bp_fail(error, BP_ERR_NOMEM, "no memory to write");
    }
    writer->storage = self;
    writer->upload = id;
    writer->number = args->number;
    (void)snprintf(writer->key, sizeof writer->key, "%s", args->key);
    *out = writer;
    return BP_OK;
}

static void
take_part(struct bp_storage *self, struct upload *upload, uint32_t number,
          unsigned char *take_bytes, size_t n)
{
    size_t i = number - 1;
    if (IS_BROKEN(FIRST_PART_STAYS) && upload->parts[i].version != 0) {
        self->host->free(take_bytes);
        return;
    }
    self->host->free(upload->parts[i].bytes);
    upload->parts[i].bytes = take_bytes;
    upload->parts[i].n = n;
    upload->parts[i].version = memory_next_version();
}

bp_status
memory_part_commit(struct bp_writer *writer, struct bp_object_meta *out, struct bp_error *error)
{
    char id[32];
    struct bp_storage *self = writer->storage;
    (void)snprintf(id, sizeof id, "%" PRIu64, writer->upload);
    struct upload *upload = find_upload(self, writer->key, id);
    if (upload == NULL) {
        self->host->free(writer->bytes);
        return no_upload(error, writer->key);
    }
    take_part(self, upload, writer->number, writer->bytes, writer->n);
    out->size = writer->n;
    memory_etag(upload->parts[writer->number - 1].version, out->etag, sizeof out->etag);
    return BP_OK;
}

static bp_status
copy_part(struct bp_storage *self, const struct bp_part_args *args, struct bp_object_meta *out,
          struct bp_error *error)
{
    struct upload *upload = find_upload(self, args->key, args->upload);
    const struct object *from = memory_find(args->src->space, args->src_key);
    if (upload == NULL) {
        return no_upload(error, args->key);
    }
    if (from == NULL) {
        return memory_missing(error, args->src_key);
    }
    if (args->offset + args->size > from->n || args->number == 0 || args->number > PARTS_MAX) {
        return bp_fail(error, BP_ERR_RANGE, "object %s ends before that", args->src_key);
    }
    bp_status status = memory_match(from, args->src_if_match, error);
    unsigned char *bytes = status == BP_OK ? self->host->alloc(NULL, args->size + 1) : NULL;
    if (bytes == NULL) {
        return status != BP_OK ? status : bp_fail(error, BP_ERR_NOMEM, "no memory for a part");
    }
    memcpy(bytes, from->bytes + args->offset, args->size);
    take_part(self, upload, args->number, bytes, args->size);
    out->size = args->size;
    memory_etag(upload->parts[args->number - 1].version, out->etag, sizeof out->etag);
    return BP_OK;
}

bp_status
memory_part_copy(struct bp_storage *self, const struct bp_op *op, const struct bp_part_args *args,
                 struct bp_object_meta *out, struct bp_error *error)
{
    bp_status status = memory_begin(self, op, args->flags, 0, error);
    if (status == BP_OK) {
        (void)pthread_mutex_lock(&memory_lock);
        status = copy_part(self, args, out, error);
        (void)pthread_mutex_unlock(&memory_lock);
    }
    return status;
}

/* Adds up the named parts; a name that does not fit is INVALID. */
static bp_status
add_up(const struct upload *upload, const struct bp_complete_args *args, size_t *total,
       struct bp_error *error)
{
    *total = 0;
    for (uint32_t i = 0; i < args->n_parts; i++) {
        const struct bp_part *part =
            (const void *)((const char *)args->parts + (size_t)i * args->part_stride);
        char etag[64] = "";
        bool known = part->number > 0 && part->number <= PARTS_MAX;
        if (known && upload->parts[part->number - 1].version != 0) {
            memory_etag(upload->parts[part->number - 1].version, etag, sizeof etag);
        }
        if (!IS_BROKEN(SKIPS_MISSING_PART) && strcmp(etag, part->etag) != 0) {
            return bp_fail(error, BP_ERR_INVALID, "part %u is not what was written", part->number);
        }
        *total += known ? upload->parts[part->number - 1].n : 0;
    }
    return BP_OK;
}

static bp_status
put_together(struct bp_storage *self, struct upload *upload, const struct bp_complete_args *args,
             struct bp_object_meta *out, struct bp_error *error)
{
    size_t total = 0, at = 0;
    bp_status status = add_up(upload, args, &total, error);
    unsigned char *bytes = status == BP_OK ? self->host->alloc(NULL, total + 1) : NULL;
    if (bytes == NULL) {
        return status != BP_OK ? status
                               : bp_fail(error, BP_ERR_NOMEM, "no memory for %s", args->key);
    }
    for (uint32_t i = 0; i < args->n_parts; i++) {
        uint32_t which = IS_BROKEN(PARTS_REVERSED) ? args->n_parts - 1 - i : i;
        const struct bp_part *part =
            (const void *)((const char *)args->parts + (size_t)which * args->part_stride);
        size_t n = upload->parts[part->number - 1].n;
        if (n > 0) {
            memcpy(bytes + at, upload->parts[part->number - 1].bytes, n);
        }
        at += n;
    }
    status = memory_store(self, args->key, bytes, total, error);
    if (status == BP_OK) {
        memory_meta(memory_find(self->space, args->key), out);
        if (!IS_BROKEN(COMPLETES_AGAIN)) {
            end_upload(self, upload);
        } else {
            upload->parts[1].n = 0; /* and then it is another object */
        }
    }
    return status;
}

bp_status
memory_part_complete(struct bp_storage *self, const struct bp_op *op,
                     const struct bp_complete_args *args, struct bp_object_meta *out,
                     struct bp_error *error)
{
    const uint32_t known = BP_WRITE_IF_NONE_MATCH | BP_WRITE_DURABLE;
    bp_status status = memory_begin(self, op, args->flags, known, error);
    if (status != BP_OK) {
        return status;
    }
    (void)pthread_mutex_lock(&memory_lock);
    struct upload *upload = find_upload(self, args->key, args->upload);
    if (upload == NULL) {
        status = no_upload(error, args->key);
    } else if ((args->flags & BP_WRITE_IF_NONE_MATCH) != 0 && !IS_BROKEN(PARTS_TAKE_OVER) &&
               memory_find(self->space, args->key) != NULL) {
        status = bp_fail(error, BP_ERR_EXISTS, "object %s is there already", args->key);
    } else {
        status = IS_BROKEN(PARTS_ANY_VERSION)
                     ? BP_OK
                     : memory_match_new(memory_find(self->space, args->key), args->if_match, error);
        status = status == BP_OK ? put_together(self, upload, args, out, error) : status;
    }
    (void)pthread_mutex_unlock(&memory_lock);
    return status;
}

bp_status
memory_part_abort(struct bp_storage *self, const struct bp_op *op, const char *key,
                  const char *upload, struct bp_error *error)
{
    bp_status status = memory_begin(self, op, 0, 0, error);
    if (status == BP_OK && !IS_BROKEN(PART_ABORT_LAZY)) {
        (void)pthread_mutex_lock(&memory_lock);
        struct upload *found = find_upload(self, key, upload);
        if (found != NULL) {
            end_upload(self, found);
        }
        (void)pthread_mutex_unlock(&memory_lock);
    }
    return status;
}

static void
each_upload(struct bp_storage *self, const char *prefix, int64_t before_ns, bool end,
            const struct bp_key_sink *sink)
{
    for (size_t i = 0; i < UPLOADS_MAX; i++) {
        struct upload *upload = &self->space->uploads[i];
        char id[32];
        if (upload->id == 0 || strncmp(upload->key, prefix, strlen(prefix)) != 0 ||
            (upload->started_ns >= before_ns && !(end && IS_BROKEN(ABORTS_ALL_UPLOADS)))) {
            continue;
        }
        (void)snprintf(id, sizeof id, "%" PRIu64, upload->id);
        (void)sink->key(sink->ctx, upload->key, id, upload->started_ns, NULL);
        if (end) {
            end_upload(self, upload);
        }
    }
}

bp_status
memory_uploads_list(struct bp_storage *self, const struct bp_op *op, const char *prefix,
                    const struct bp_key_sink *sink, struct bp_error *error)
{
    bp_status status = memory_begin(self, op, 0, 0, error);
    if (status == BP_OK) {
        (void)pthread_mutex_lock(&memory_lock);
        each_upload(self, prefix, INT64_MAX, false, sink);
        (void)pthread_mutex_unlock(&memory_lock);
    }
    return status;
}

bp_status
memory_uploads_abort(struct bp_storage *self, const struct bp_op *op, const char *prefix,
                     int64_t before_ns, const struct bp_key_sink *sink, struct bp_error *error)
{
    bp_status status = memory_begin(self, op, 0, 0, error);
    if (status == BP_OK) {
        (void)pthread_mutex_lock(&memory_lock);
        each_upload(self, prefix, before_ns, true, sink);
        (void)pthread_mutex_unlock(&memory_lock);
    }
    return status;
}
