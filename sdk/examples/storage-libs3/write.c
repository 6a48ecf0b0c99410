/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing.  libs3 asks for bytes and cannot wait for them, so a PUT runs in a thread of its writer:
 * started with it, joined by commit and abort.  Bytes are taken from the host's own buffer while it
 * waits in `write`; nothing is copied, and nothing held but the last byte: with that the server has
 * the whole object and shows it, so it is sent by commit.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "appliance.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/storage.h"

#include "sdk/lib/ban.h"

struct bp_writer {
    struct outcome outcome; /* first: see there.  The thread's until it is over */
    struct bp_storage *storage;
    char key[BP_KEY_MAX + 1], full[BP_KEY_MAX + 1];
    uint64_t size, taken; /* what was announced, and what `write` took of it */
    char last;            /* byte of it */
    bool running;         /* the thread */
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    const char *bytes; /* the host's, during `write` */
    size_t left;
    bool stop, over;
};

/* The thread, inside libs3: what it may send now.  Waits for `write`. */
static int
give_bytes(int cap, char *buffer, void *ctx)
{
    struct bp_writer *writer = ctx;
    int n = -1;
    pthread_mutex_lock(&writer->lock);
    while (writer->left == 0 && !writer->stop) {
        pthread_cond_wait(&writer->changed, &writer->lock);
    }
    if (!writer->stop) {
        n = writer->left < (size_t)cap ? (int)writer->left : cap;
        memcpy(buffer, writer->bytes, (size_t)n);
        writer->bytes += n;
        writer->left -= (size_t)n;
        pthread_cond_broadcast(&writer->changed);
    }
    pthread_mutex_unlock(&writer->lock);
    return n;
}

static bool
is_stopped(void *ctx)
{
    struct bp_writer *writer = ctx;
    pthread_mutex_lock(&writer->lock);
    bool stop = writer->stop;
    pthread_mutex_unlock(&writer->lock);
    return stop;
}

static void *
put(void *ctx)
{
    static const S3PutObjectHandler handler = {{on_properties, on_complete}, give_bytes};
    struct bp_writer *writer = ctx;
    S3RequestContext *context = request_begin(&writer->outcome);
    if (context != NULL) {
        S3_put_object(&writer->storage->context, writer->full, writer->size, NULL, context,
                      &handler, writer);
        request_run(context, &writer->outcome, is_stopped, writer);
    }
    pthread_mutex_lock(&writer->lock);
    writer->over = true;
    pthread_cond_broadcast(&writer->changed);
    pthread_mutex_unlock(&writer->lock);
    return NULL;
}

/* With the lock: until something changed, or for a tenth of a second. */
static void
wait_for_change(struct bp_writer *writer)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += 100000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    (void)pthread_cond_timedwait(&writer->changed, &writer->lock, &until);
}

static void
init_sharing(struct bp_writer *writer)
{
    pthread_condattr_t attributes;
    pthread_mutex_init(&writer->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&writer->changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

/* With the first byte, or with the commit of nothing. */
static bp_status
begin_thread(struct bp_writer *writer, struct bp_error *error)
{
    int problem = writer->running ? 0 : pthread_create(&writer->thread, NULL, put, writer);
    writer->running = problem == 0;
    return problem == 0 ? BP_OK
                        : bp_fail_errno(error, problem, "writing %s: a thread", writer->key);
}

bp_status
storage_write_open(struct bp_storage *storage, const struct bp_op *op,
                   const struct bp_write_args *args, struct bp_writer **out, struct bp_error *error)
{
    (void)op;
    bp_status status =
        bp_check_flags(args->flags, BP_WRITE_DURABLE | BP_WRITE_IF_NONE_MATCH, error);
    if (status != BP_OK) {
        return status;
    }
    if ((args->flags & BP_WRITE_IF_NONE_MATCH) != 0 || args->if_match != NULL ||
        args->checksum.kind != BP_CHECKSUM_NONE) {
        return bp_fail(error, BP_ERR_UNSUPPORTED, "%s: libs3 can put no condition or checksum",
                       args->key);
    }
    if (args->size == BP_UNKNOWN || args->size > storage->max_object) {
        return bp_fail(error, BP_ERR_UNSUPPORTED,
                       "%s: the size must be known before, and at most %" PRIu64 " bytes",
                       args->key, storage->max_object);
    }
    struct bp_writer *writer = calloc(1, sizeof(*writer));
    if (writer == NULL) {
        return bp_fail(error, BP_ERR_NOMEM, "no memory to write %s", args->key);
    }
    writer->storage = storage;
    writer->size = args->size;
    (void)snprintf(writer->key, sizeof(writer->key), "%s", args->key);
    if (full_key(storage, args->key, writer->full, error) != 0) {
        free(writer);
        return error->cls;
    }
    init_sharing(writer);
    *out = writer;
    return BP_OK;
}

/* Until `done` or the end of the request; a cancel stops it. */
static bp_status
wait_until(struct bp_writer *writer, const struct bp_op *op, bool (*done)(const struct bp_writer *))
{
    bp_status over = BP_OK;
    pthread_mutex_lock(&writer->lock);
    while (over == BP_OK && !writer->over && !done(writer)) {
        wait_for_change(writer);
        pthread_mutex_unlock(&writer->lock);
        over = op_over(writer->storage, op);
        pthread_mutex_lock(&writer->lock);
    }
    if (over != BP_OK) {
        writer->stop = true;
        pthread_cond_broadcast(&writer->changed);
    }
    writer->left = 0; /* the buffer is the host's again */
    pthread_mutex_unlock(&writer->lock);
    return over;
}

static bool
all_taken(const struct bp_writer *writer)
{
    return writer->left == 0;
}

static bool
never(const struct bp_writer *writer)
{
    (void)writer;
    return false;
}

/* Offers bytes to the request, and waits until it took them all, or is over. */
static bp_status
offer(struct bp_writer *writer, const struct bp_op *op, const char *bytes, size_t n,
      struct bp_error *error)
{
    if (n == 0) {
        return BP_OK;
    }
    bp_status status = begin_thread(writer, error);
    if (status != BP_OK) {
        return status;
    }
    pthread_mutex_lock(&writer->lock);
    writer->bytes = bytes;
    writer->left = n;
    pthread_cond_broadcast(&writer->changed);
    pthread_mutex_unlock(&writer->lock);
    bp_status over = wait_until(writer, op, all_taken);
    return over == BP_OK ? BP_OK : bp_fail(error, over, "writing %s was stopped", writer->key);
}

bp_status
storage_write(struct bp_writer *writer, const struct bp_op *op, const void *bytes, size_t n,
              struct bp_error *error)
{
    if (n > writer->size - writer->taken) {
        return bp_fail(error, BP_ERR_INVALID, "%s: more bytes than the %" PRIu64 " announced",
                       writer->key, writer->size);
    }
    bool is_end = n > 0 && writer->taken + n == writer->size;
    if (is_end) {
        writer->last = ((const char *)bytes)[n - 1];
    }
    bp_status status = offer(writer, op, bytes, is_end ? n - 1 : n, error);
    if (status != BP_OK) {
        return status;
    }
    writer->taken += n;
    pthread_mutex_lock(&writer->lock);
    bool over = writer->over;
    pthread_mutex_unlock(&writer->lock);
    if (!over) {
        return BP_OK;
    }
    /* The server answered before it had everything, which is never good news. */
    status = request_status(writer->storage, op, &writer->outcome, "writing", writer->key, error);
    return status != BP_OK
               ? status
               : bp_fail(error, BP_ERR_RETRYABLE, "writing %s: the server ended it", writer->key);
}

static void
end_writer(struct bp_writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    writer->stop = true; /* no matter, when it is over */
    pthread_cond_broadcast(&writer->changed);
    pthread_mutex_unlock(&writer->lock);
    if (writer->running) {
        pthread_join(writer->thread, NULL);
    }
    pthread_cond_destroy(&writer->changed);
    pthread_mutex_destroy(&writer->lock);
    free(writer);
}

/* The last byte, and the answer. */
static bp_status
finish(struct bp_writer *writer, const struct bp_op *op, struct bp_error *error)
{
    const struct bp_written written = {
        .key = writer->key, .announced = writer->size, .written = writer->taken};
    bp_status status = bp_check_written(&written, error);
    if (status == BP_OK) {
        status = begin_thread(writer, error);
    }
    if (status == BP_OK) {
        status = offer(writer, op, &writer->last, writer->size > 0 ? 1 : 0, error);
    }
    if (status != BP_OK) {
        return status;
    }
    bp_status over = wait_until(writer, op, never);
    status = over != BP_OK ? bp_fail(error, over, "writing %s was stopped", writer->key)
                           : request_status(writer->storage, op, &writer->outcome, "writing",
                                            writer->key, error);
    if (status != BP_OK) { /* the answer may have been lost on its way */
        error->flags |= BP_ERROR_OUTCOME_UNKNOWN;
    }
    return status;
}

bp_status
storage_write_commit(struct bp_writer *writer, const struct bp_op *op, struct bp_object_meta *out,
                     struct bp_error *error)
{
    bp_status status = finish(writer, op, error);
    if (status == BP_OK) {
        /* libs3 reads the head of the first answer, which is "100 Continue": ask what is there. */
        status = storage_stat(writer->storage, op, writer->key, out, error);
    }
    end_writer(writer);
    return status;
}

void
storage_write_abort(struct bp_writer *writer, const struct bp_op *op)
{
    (void)op;
    end_writer(writer); /* a PUT that is cut off stores nothing */
}

bp_status
storage_remove(struct bp_storage *storage, const struct bp_op *op, const char *key,
               const char *if_match, struct bp_error *error)
{
    static const S3ResponseHandler handler = {on_properties, on_complete};
    struct outcome outcome;
    char full[BP_KEY_MAX + 1];
    if (if_match != NULL) {
        return bp_fail(error, BP_ERR_UNSUPPORTED, "%s: libs3 can put no condition", key);
    }
    if (full_key(storage, key, full, error) != 0) {
        return error->cls;
    }
    S3RequestContext *context = request_begin(&outcome);
    if (context != NULL) {
        S3_delete_object(&storage->context, full, context, &handler, &outcome);
        request_run_op(storage, op, context, &outcome);
    }
    if (outcome.status == S3StatusErrorNoSuchKey) {
        return BP_OK;
    }
    return request_status(storage, op, &outcome, "removing", key, error);
}
