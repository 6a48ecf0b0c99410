/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading, writing and copying of the plugin that can be broken.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sdk/lib/crc32c.h"
#include "sdk/lib/errors.h"
#include "tests/plugins/broken/memory.h"

#include "sdk/lib/ban.h"

#define READ_FLAGS 0
#define WRITE_FLAGS (BP_WRITE_IF_NONE_MATCH | BP_WRITE_DURABLE)
#define COPY_FLAGS \
    (BP_COPY_WANT_CHECKSUM | BP_COPY_NEED_CHECKSUM | BP_COPY_IF_NONE_MATCH | BP_COPY_MAY_LINK)

static bp_status
check_range(const struct object *object, const struct bp_read_args *args, struct bp_error *error)
{
    bp_status status =
        IS_BROKEN(READ_ANY_VERSION) ? BP_OK : memory_match(object, args->if_match, error);
    if (status == BP_OK && args->offset > object->n) {
        status = bp_fail(error,
                         IS_BROKEN(BEYOND_IS_INVALID) ? BP_ERR_INVALID
                         : IS_BROKEN(BEYOND_IS_99)    ? 99
                                                      : BP_ERR_RANGE,
                         "object %s ends before the offset", args->key);
    }
    return status;
}

/*
 * Broken: the object of write.killed lies in the file BROKEN_PIN, for all processes, and there is
 * what was written of it so far.
 */
static bool
is_in_place(const char *key)
{
    return IS_BROKEN(WRITES_IN_PLACE) && strstr(key, "/write.killed/") != NULL;
}

static int
open_place(int flags)
{
    const char *path = getenv("BROKEN_PIN");
    int fd = path != NULL ? open(path, flags | O_CLOEXEC) : -1;
    if (fd < 0) {
        abort();
    }
    return fd;
}

static void
write_in_place(const struct bp_writer *writer)
{
    int fd = open_place(O_WRONLY | O_TRUNC);
    if (write(fd, writer->bytes, writer->n) != (ssize_t)writer->n || close(fd) != 0) {
        abort();
    }
}

/* The caller holds memory_lock. */
static void
take_from_place(struct bp_storage *self, const char *key, struct bp_error *error)
{
    int fd = open_place(O_RDONLY);
    off_t n = lseek(fd, 0, SEEK_END);
    unsigned char *bytes = n > 0 ? self->host->alloc(NULL, (size_t)n) : NULL;
    if (bytes == NULL || pread(fd, bytes, (size_t)n, 0) != n || close(fd) != 0 ||
        memory_store(self, key, bytes, (size_t)n, error) != BP_OK) {
        abort();
    }
}

/* A reader has a copy of what it reads, so that it sees one version to its end. */
static bp_status
open_reader(struct bp_storage *self, const struct object *object, const struct bp_read_args *args,
            struct bp_reader **out, struct bp_error *error)
{
    size_t left = object->n - (size_t)args->offset;
    size_t n = args->length < left ? (size_t)args->length : left;
    struct bp_reader *reader = calloc(1, sizeof *reader);
    unsigned char *bytes = self->host->alloc(NULL, n > 0 ? n : 1);
    if (bytes == NULL && IS_BROKEN(TRUSTS_ALLOC)) {
        abort();
    }
    if (reader == NULL || bytes == NULL) {
        free(reader);
        self->host->free(bytes);
        return bp_fail(error, BP_ERR_NOMEM, "no memory to read %s", args->key);
    }
    if (n > 0) {
        memcpy(bytes, object->bytes + args->offset, n);
    }
    reader->fd = IS_BROKEN(READER_STAYS_OPEN) ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1;
    reader->storage = self;
    reader->bytes = bytes;
    reader->end = IS_BROKEN(RANGE_OFF_BY_ONE) && args->offset > 0 && n > 1 ? n - 1 : n;
    *out = reader;
    return BP_OK;
}

bp_status
memory_read_open(struct bp_storage *self, const struct bp_op *op, const struct bp_read_args *args,
                 struct bp_object_meta *meta, struct bp_reader **out, struct bp_error *error)
{
    bp_status status = memory_begin(self, op, args->flags, READ_FLAGS, error);
    if (status != BP_OK) {
        return status;
    }
    (void)pthread_mutex_lock(&memory_lock);
    if (is_in_place(args->key)) {
        take_from_place(self, args->key, error);
    }
    const struct object *object = memory_find(self->space, args->key);
    status = object == NULL ? memory_missing(error, args->key) : check_range(object, args, error);
    if (status == BP_OK && object != NULL) {
        memory_meta(object, meta);
        status = open_reader(self, object, args, out, error);
    }
    if (status == BP_OK && IS_BROKEN(SIZE_OF_RANGE)) {
        meta->size = (*out)->end;
    }
    (void)pthread_mutex_unlock(&memory_lock);
    return status;
}

bp_status
memory_read(struct bp_reader *reader, const struct bp_op *op, void *buffer, size_t cap, size_t *n,
            struct bp_error *error)
{
    bp_status status = memory_check_op(reader->storage, op, error);
    if (status == BP_ERR_CANCELLED && IS_BROKEN(CANCEL_IS_ERROR) && reader->at == 100) {
        return bp_fail(error, BP_ERR_PERMANENT, "cancelled");
    }
    size_t left = reader->end - reader->at;
    size_t piece = left < cap ? left : cap;
    if (IS_BROKEN(ENDS_EARLY) && cap == 1 && reader->at == 500) {
        piece = 0;
    }
    if (status != BP_OK) {
        return status;
    }
    memcpy(buffer, reader->bytes + reader->at, piece);
    reader->at += piece;
    *n = IS_BROKEN(READS_TOO_MUCH) && cap == 1 && reader->at == 500 ? 2 : piece;
    return BP_OK;
}

void
memory_read_close(struct bp_reader *reader)
{
    if (reader->fd >= 0 && reader->at == reader->end) {
        (void)close(reader->fd);
    }
    reader->storage->host->free(reader->bytes);
    free(reader);
}

static bp_status
check_condition(const struct bp_storage *self, const struct bp_writer *writer,
                struct bp_error *error)
{
    const struct object *object = memory_find(self->space, writer->key);
    static unsigned losers;
    bool again = IS_BROKEN(RACERS_COME_AGAIN) && strstr(writer->key, "/write.exclusive_race/");
    if ((writer->flags & BP_WRITE_IF_NONE_MATCH) != 0 && object != NULL && again &&
        losers++ % 2 == 0) {
        return bp_fail(error, BP_ERR_RETRYABLE, "somebody else is creating %s", writer->key);
    }
    if ((writer->flags & BP_WRITE_IF_NONE_MATCH) != 0 && object != NULL) {
        return bp_fail(error, BP_ERR_EXISTS, "object %s is there already", writer->key);
    }
    return IS_BROKEN(IGNORES_IF_MATCH) ? BP_OK : memory_match_new(object, writer->if_match, error);
}

bp_status
memory_write_open(struct bp_storage *self, const struct bp_op *op, const struct bp_write_args *args,
                  struct bp_writer **out, struct bp_error *error)
{
    bp_status status = memory_begin(self, op, args->flags, WRITE_FLAGS, error);
    if (status == BP_OK && self->read_only) {
        status = bp_fail(error, BP_ERR_DENIED, "this storage is read-only");
    }
    if (status == BP_OK && IS_BROKEN(STAT_TELLS_SECRET) && strncmp(self->token, "kit", 3) == 0) {
        status = bp_fail(error, BP_ERR_AUTH, "the token is not known");
    }
    if (status == BP_OK && IS_BROKEN(HAS_A_LONG_ROOT) &&
        strlen(args->key) > BP_KEY_MAX - LONG_ROOT) {
        status = bp_fail(error, BP_ERR_INVALID, "object %s: its name is too long", args->key);
    }
    if (status == BP_OK && ((IS_BROKEN(SIZE_MUST_BE_KNOWN) && args->size == BP_UNKNOWN) ||
                            (IS_BROKEN(REFUSES_PLUS) && strchr(args->key, '+') != NULL))) {
        status = bp_fail(error, BP_ERR_INVALID, "object %s: not like that", args->key);
    }
    struct bp_writer *writer = status == BP_OK ? calloc(1, sizeof *writer) : NULL;
    if (status != BP_OK || writer == NULL) {
        return status != BP_OK ? status : bp_fail(error, BP_ERR_NOMEM, "no memory to write");
    }
    writer->storage = self;
    writer->flags = args->flags;
    writer->checksum = args->checksum;
    writer->announced = args->size;
    (void)snprintf(writer->key, sizeof writer->key, "%s", args->key);
    (void)snprintf(writer->if_match, sizeof writer->if_match, "%s",
                   args->if_match != NULL ? args->if_match : "");
    (void)pthread_mutex_lock(&memory_lock);
    status = check_condition(self, writer, error);
    if (status == BP_OK && IS_BROKEN(ABORT_LEAVES_UPLOAD) && args->size > 5000) {
        (void)memory_begin_upload(self, writer->key);
    }
    if (status == BP_OK && IS_BROKEN(VISIBLE_EARLY)) {
        status = memory_store(self, writer->key, NULL, 0, error);
    }
    (void)pthread_mutex_unlock(&memory_lock);
    if (status != BP_OK) {
        free(writer);
        return status;
    }
    *out = writer;
    return BP_OK;
}

bp_status
memory_write(struct bp_writer *writer, const struct bp_op *op, const void *bytes, size_t n,
             struct bp_error *error)
{
    const struct bp_host *host = writer->storage->host;
    bp_status status = memory_check_op(writer->storage, op, error);
    if (status != BP_OK) {
        return status;
    }
    if (writer->room - writer->n < n) {
        size_t room = writer->n + n + writer->room;
        unsigned char *grown = host->realloc(op, writer->bytes, room);
        if (grown == NULL) {
            return bp_fail(error, BP_ERR_NOMEM, "no memory for %zu bytes of %s", room, writer->key);
        }
        writer->bytes = grown;
        writer->room = room;
    }
    if (n > 0) {
        memcpy(writer->bytes + writer->n, bytes, n);
    }
    writer->n += n;
    if (is_in_place(writer->key)) {
        write_in_place(writer);
    }
    return BP_OK;
}

static bp_status
check_content(const struct bp_writer *writer, struct bp_error *error)
{
    struct bp_checksum sum = {0};
    if (writer->checksum.kind == BP_CHECKSUM_NONE || IS_BROKEN(TAKES_ANY_CHECKSUM)) {
        return BP_OK;
    }
    if (writer->checksum.kind != BP_CHECKSUM_CRC32C) {
        return IS_BROKEN(IGNORES_UNPROMISED)
                   ? BP_OK
                   : bp_fail(error, BP_ERR_UNSUPPORTED, "only CRC32C is known here");
    }
    bp_crc32c_put(bp_crc32c(0, writer->bytes, writer->n), BP_CHECKSUM_BY_PLUGIN, &sum);
    return memcmp(sum.value, writer->checksum.value, 4) == 0
               ? BP_OK
               : bp_fail(error, BP_ERR_CORRUPT, "object %s: another checksum", writer->key);
}

/* Ends the writer; its bytes are taken or freed. */
static bp_status
publish(struct bp_writer *writer, struct bp_object_meta *out, struct bp_error *error)
{
    struct bp_storage *self = writer->storage;
    bp_status status = check_content(writer, error);
    if (status == BP_OK && !IS_BROKEN(EXCLUSIVE_EARLY)) {
        status = check_condition(self, writer, error);
    }
    if (IS_BROKEN(LOSES_LAST_BYTE) && writer->n == 65536) {
        writer->n--;
    }
    if (status != BP_OK) {
        self->host->free(writer->bytes);
        return status;
    }
    if (IS_BROKEN(EXCLUSIVE_EARLY) && (writer->flags & BP_WRITE_IF_NONE_MATCH) != 0) {
        (void)pthread_mutex_unlock(&memory_lock);
        (void)usleep(30000);
        (void)pthread_mutex_lock(&memory_lock);
    }
    if (IS_BROKEN(REPLACE_TEARS) && memory_find(self->space, writer->key) != NULL) {
        memory_drop(self, writer->key);
        (void)pthread_mutex_unlock(&memory_lock);
        (void)usleep(20000);
        (void)pthread_mutex_lock(&memory_lock);
    }
    status = memory_store(self, writer->key, writer->bytes, writer->n, error);
    if (status == BP_OK) {
        struct object *object = memory_find(self->space, writer->key);
        memory_meta(object, out);
        object->hidden = IS_BROKEN(NO_BARRIER) && (writer->flags & BP_WRITE_DURABLE) == 0;
    }
    return status;
}

bp_status
memory_write_commit(struct bp_writer *writer, const struct bp_op *op, struct bp_object_meta *out,
                    struct bp_error *error)
{
    struct bp_storage *self = writer->storage;
    bp_status status = memory_check_op(self, op, error);
    (void)pthread_mutex_lock(&memory_lock);
    if (status != BP_OK) {
        self->host->free(writer->bytes);
    } else if (writer->number > 0) {
        status = memory_part_commit(writer, out, error);
    } else {
        status = publish(writer, out, error);
    }
    (void)pthread_mutex_unlock(&memory_lock);
    free(writer);
    return status;
}

void
memory_write_abort(struct bp_writer *writer, const struct bp_op *op)
{
    struct bp_storage *self = writer->storage;
    (void)op;
    if (IS_BROKEN(LINGERS_IN_ABORT) && writer->announced == (uint64_t)8 << 20) {
        (void)usleep(900000);
        (void)usleep(900000);
    }
    if (IS_BROKEN(ABORT_COMMITS) && writer->number == 0) {
        struct bp_error error;
        bp_error_init(&error);
        (void)pthread_mutex_lock(&memory_lock);
        (void)memory_store(self, writer->key, writer->bytes, writer->n, &error);
        (void)pthread_mutex_unlock(&memory_lock);
    } else {
        self->host->free(writer->bytes);
    }
    free(writer);
}

static bp_status
copy_locked(struct bp_storage *self, const struct bp_copy_args *args, struct bp_object_meta *out,
            struct bp_error *error)
{
    const struct object *from = memory_find(args->src->space, args->src_key);
    bool exclusive = (args->flags & BP_COPY_IF_NONE_MATCH) != 0 && !IS_BROKEN(COPY_TAKES_OVER);
    bool unseen = IS_BROKEN(COPIES_AT_HOME) && args->src->space != self->space;
    if (from == NULL || unseen) {
        return memory_missing(error, args->src_key);
    }
    if (exclusive && memory_find(self->space, args->dst_key) != NULL) {
        return bp_fail(error, BP_ERR_EXISTS, "object %s is there already", args->dst_key);
    }
    if (from->n > (size_t)2 << 20 && !IS_BROKEN(COPY_ANY_SIZE)) {
        return bp_fail(error, BP_ERR_UNSUPPORTED, "object %s is too large to copy", args->src_key);
    }
    bp_status status =
        IS_BROKEN(COPY_ANY_VERSION) ? BP_OK : memory_match(from, args->src_if_match, error);
    if (status != BP_OK) {
        return status;
    }
    size_t n = IS_BROKEN(COPY_CUTS) && from->n > 4096 ? 4096 : from->n;
    unsigned char *bytes = self->host->alloc(NULL, n > 0 ? n : 1);
    if (bytes == NULL) {
        return bp_fail(error, BP_ERR_NOMEM, "no memory to copy %s", args->src_key);
    }
    if (n > 0) {
        memcpy(bytes, from->bytes, n);
    }
    status = memory_store(self, args->dst_key, bytes, n, error);
    if (status == BP_OK) {
        const struct object *to = memory_find(self->space, args->dst_key);
        memory_meta(to, out);
        if ((args->flags & BP_COPY_NEED_CHECKSUM) != 0 && !IS_BROKEN(COPY_NO_CHECKSUM)) {
            bp_crc32c_put(bp_crc32c(0, to->bytes, to->n), BP_CHECKSUM_BY_PLUGIN, &out->checksum);
        }
    }
    return status;
}

bp_status
memory_copy(struct bp_storage *self, const struct bp_op *op, const struct bp_copy_args *args,
            struct bp_object_meta *out, struct bp_error *error)
{
    bp_status status = memory_begin(self, op, args->flags, COPY_FLAGS, error);
    if (status == BP_OK) {
        (void)pthread_mutex_lock(&memory_lock);
        status = copy_locked(self, args, out, error);
        (void)pthread_mutex_unlock(&memory_lock);
    }
    return status;
}
