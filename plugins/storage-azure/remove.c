/* SPDX-License-Identifier: Apache-2.0
 *
 * Removing many objects: Blob Batch.
 */
#include "plugins/storage-azure/remove.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plugins/storage-azure/batch.h"
#include "plugins/storage-azure/blocks.h"
#include "plugins/storage-azure/errors.h"
#include "plugins/storage-azure/request.h"
#include "plugins/storage-azure/write.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/hostlog.h"
#include "sdk/lib/result.h"

#include "sdk/lib/ban.h"

#define MAX_BATCH 256 /* of the service */
#define MAX_FLIGHT 16
#define MAX_ANSWER ((size_t)4 << 20)

/* The first `n` of these keys, and what became of each. */
struct batch {
    struct bp_storage *storage;
    const struct bp_op *op;
    const char *const *keys;
    size_t n;
    const struct bp_key_sink *sink;
    bool told[MAX_BATCH];
    size_t n_told;
    bool unknown; /* the service does not know what a batch is */
};

static bp_status
tell(struct batch *batch, size_t number, const struct bp_error *failed, struct bp_error *error)
{
    batch->told[number] = true;
    batch->n_told++;
    if (batch->sink->key(batch->sink->ctx, batch->keys[number], NULL, 0, failed) != 0) {
        return bp_fail(error, BP_ERR_CANCELLED, "stopped by the receiver of the results");
    }
    return BP_OK;
}

/* Removals of one key each, under way at the same time. */
struct flight {
    size_t n;
    size_t numbers[MAX_FLIGHT];
    struct bp_azure_exchange *x[MAX_FLIGHT]; /* NULL where it failed to begin */
    struct bp_error errors[MAX_FLIGHT];
};

/* Begins as many as fit, from key `from` on; behind the last one that it looked at. */
static size_t
take_off(const struct batch *batch, struct flight *flight, size_t from)
{
    flight->n = 0;
    for (; from < batch->n && flight->n < MAX_FLIGHT; from++) {
        struct bp_azure_request request;
        if (batch->told[from]) {
            continue;
        }
        struct bp_error *error = &flight->errors[flight->n];
        struct bp_azure_exchange **x = &flight->x[flight->n];
        *error = (struct bp_error){.struct_size = sizeof(*error)};
        *x = NULL;
        if (bp_azure_check_key(batch->storage, batch->keys[from], error) == BP_OK) {
            bp_azure_request_init(&request, BP_AZURE_BLOB, "DELETE", batch->keys[from],
                                  "remove it");
            (void)bp_azure_begin(batch->storage, batch->op, &request, x, error);
            bp_azure_request_clear(&request);
        }
        flight->numbers[flight->n++] = from;
    }
    return from;
}

/* Waits for all of them, also after a failure.  What concerns all keys ends it. */
static bp_status
land(struct batch *batch, struct flight *flight, struct bp_error *error)
{
    bp_status status = BP_OK;
    for (size_t i = 0; i < flight->n; i++) {
        struct bp_error *one = &flight->errors[i];
        bp_status cls = (bp_status)one->cls;
        if (status == BP_OK && flight->x[i] != NULL) {
            cls = bp_azure_finish(flight->x[i], batch->op, one);
        }
        bp_azure_end(flight->x[i]);
        if (status != BP_OK) {
            continue;
        }
        if (cls == BP_ERR_CANCELLED || cls == BP_ERR_TIMEOUT || cls == BP_ERR_AUTH) {
            bp_result_copy(error, one);
            status = cls;
            continue;
        }
        bool gone = bp_azure_is_gone(cls, one->code);
        status = tell(batch, flight->numbers[i], cls == BP_OK || gone ? NULL : one, error);
    }
    return status;
}

/* Each by a request of its own, what nothing was told of yet. */
static bp_status
remove_each(struct batch *batch, struct bp_error *error)
{
    struct flight flight;
    bp_status status = BP_OK;
    for (size_t next = 0; status == BP_OK && next < batch->n;) {
        next = take_off(batch, &flight, next);
        status = land(batch, &flight, error);
    }
    return status;
}

static bp_status
print_all(struct batch *batch, const char *boundary, GString *body, struct bp_error *error)
{
    bp_status status = BP_OK;
    for (size_t i = 0; status == BP_OK && i < batch->n; i++) {
        struct bp_azure_request request;
        status = bp_azure_check_key(batch->storage, batch->keys[i], error);
        if (status == BP_OK) {
            bp_azure_request_init(&request, BP_AZURE_BLOB, "DELETE", batch->keys[i], "remove it");
            request.inner = true;
            bp_azure_batch_part(body, boundary, (unsigned)i);
            status = bp_azure_print(batch->storage, batch->op, &request, body, error);
            bp_azure_request_clear(&request);
        }
    }
    bp_azure_batch_end(body, boundary);
    return status;
}

/* What a batch was refused for need not hold for the request alone: its login may be of a kind that
 * batches do not take.  So nothing is told of the key, and it is tried once more. */
static bool
is_about_batch(bp_status cls)
{
    return cls == BP_ERR_AUTH || cls == BP_ERR_DENIED || cls == BP_ERR_INVALID ||
           cls == BP_ERR_UNSUPPORTED;
}

/* Of those, what the service will say to any login at any time. */
static bool
says_unknown(bp_status cls)
{
    return cls == BP_ERR_INVALID || cls == BP_ERR_UNSUPPORTED;
}

static bp_status
take_answer(struct batch *batch, const struct bp_azure_part_answer *answer, struct bp_error *error)
{
    size_t number = (size_t)answer->number;
    if (answer->number < 0) { /* about all of them */
        batch->unknown |= says_unknown(bp_azure_class(answer->status, answer->code));
        return BP_OK;
    }
    if (number >= batch->n || batch->told[number]) {
        return BP_OK; /* nothing that we asked for */
    }
    bp_status cls = bp_azure_class(answer->status, answer->code);
    if (bp_azure_is_gone(cls, answer->code) || (answer->status >= 200 && answer->status < 300)) {
        return tell(batch, number, NULL, error);
    }
    if (is_about_batch(cls) || answer->status == 0) {
        return BP_OK;
    }
    struct bp_error one = {.struct_size = sizeof(one)};
    g_autofree char *subject = g_strdup_printf("object %s", batch->keys[number]);
    const struct bp_azure_refusal refusal = {
        .status = answer->status,
        .code = answer->code,
        .message = answer->message,
        .request_id = answer->request_id,
        .retry_after_ms = answer->retry_after_s * 1000,
    };
    (void)bp_azure_refuse(&one, &refusal, subject, "remove it", time(NULL));
    return tell(batch, number, &one, error);
}

static bp_status
take_answers(struct batch *batch, const char *content_type, const char *body,
             struct bp_error *error)
{
    bp_status status = BP_OK;
    struct bp_azure_part_answer answer;
    g_autofree char *boundary = bp_azure_batch_boundary(content_type);
    batch->unknown = boundary == NULL; /* a success, but not of a batch */
    while (status == BP_OK && boundary != NULL && bp_azure_batch_next(&body, boundary, &answer)) {
        status = take_answer(batch, &answer, error);
        bp_azure_part_answer_clear(&answer);
    }
    return status;
}

/* BP_OK also when nothing was told of some keys. */
static bp_status
send_batch(struct batch *batch, const char *boundary, const GString *body, struct bp_error *error)
{
    char *answer = NULL;
    size_t size = 0;
    struct bp_azure_exchange *x = NULL;
    struct bp_azure_request request;
    bp_azure_request_init(&request, BP_AZURE_CONTAINER, "POST", NULL, "remove objects in it");
    bp_azure_add_query(&request, "restype", "container");
    bp_azure_add_query(&request, "comp", "batch");
    bp_azure_add_header(&request, "Content-Type", "multipart/mixed; boundary=%s", boundary);
    request.slow = true;
    request.body = body->str;
    request.body_size = body->len;
    bp_status status = bp_azure_begin(batch->storage, batch->op, &request, &x, error);
    if (status == BP_OK) {
        status = bp_azure_head(x, batch->op, error);
    }
    if (status == BP_OK) {
        status =
            bp_http_receive_all(bp_azure_http(x), batch->op, MAX_ANSWER, &answer, &size, error);
    }
    if (status == BP_OK) {
        status = take_answers(batch, bp_azure_header(x, "Content-Type"), answer, error);
    }
    free(answer);
    bp_azure_end(x);
    bp_azure_request_clear(&request);
    return status;
}

static bp_status
remove_together(struct batch *batch, struct bp_error *error)
{
    char id[BP_AZURE_UPLOAD_ID], boundary[BP_AZURE_UPLOAD_ID + 8];
    GString *body = g_string_new(NULL);
    bp_azure_upload_id(id);
    (void)snprintf(boundary, sizeof(boundary), "batch_%s", id);
    bp_status status = print_all(batch, boundary, body, error);
    if (status == BP_OK) {
        status = send_batch(batch, boundary, body, error);
    }
    bp_secret_wipe(body->str, body->allocated_len);
    g_string_free(body, TRUE);
    return status;
}

/* From now on each key has a request of its own. */
static void
give_up(struct batch *batch, const char *why)
{
    bp_hostlog(batch->storage->host, batch->op, BP_LOG_INFO,
               "container %s: objects are removed by a request each: %s",
               batch->storage->set.container, why);
    atomic_store(&batch->storage->no_batch, 1);
}

static bp_status
remove_some(struct batch *batch, struct bp_error *error)
{
    struct bp_error failed = {.struct_size = sizeof(failed)};
    if (batch->n == 1 || atomic_load(&batch->storage->no_batch) != 0) {
        return remove_each(batch, error);
    }
    bp_status status = remove_together(batch, &failed);
    if (status != BP_OK && !is_about_batch(status)) {
        bp_result_copy(error, &failed);
        return status;
    }
    if (status != BP_OK) {
        batch->unknown = says_unknown(status);
    }
    if (batch->unknown && batch->n_told == 0) {
        give_up(batch, status == BP_OK ? "a batch was taken, nothing in it" : failed.message);
    }
    return remove_each(batch, error);
}

bp_status
bp_azure_remove_many(struct bp_storage *storage, const struct bp_op *op, const char *const *keys,
                     size_t n, const struct bp_key_sink *sink, struct bp_error *error)
{
    bp_status status = bp_azure_check_op(storage, op, error);
    for (size_t done = 0; status == BP_OK && done < n;) {
        struct batch batch = {.storage = storage,
                              .op = op,
                              .keys = keys + done,
                              .n = MIN(n - done, MAX_BATCH),
                              .sink = sink};
        status = remove_some(&batch, error);
        done += batch.n;
    }
    return status;
}
