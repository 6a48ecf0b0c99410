/* SPDX-License-Identifier: Apache-2.0
 *
 * Copying: Copy Blob From URL, which is atomic and answers when it is done, up to 256 MiB; above,
 * Copy Blob, which goes on in the background and is polled.
 */
#include "plugins/storage-azure/copy.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plugins/storage-azure/read.h"
#include "plugins/storage-azure/request.h"
#include "plugins/storage-azure/source.h"
#include "plugins/storage-azure/text.h"
#include "plugins/storage-azure/write.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/hostlog.h"
#include "sdk/lib/parse.h"

#include "sdk/lib/ban.h"

#define KNOWN_FLAGS \
    (BP_COPY_WANT_CHECKSUM | BP_COPY_NEED_CHECKSUM | BP_COPY_IF_NONE_MATCH | BP_COPY_MAY_LINK)
#define FIRST_PAUSE_NS (UINT64_C(100) * 1000000)
#define LONGEST_PAUSE_NS (UINT64_C(2000) * 1000000)
#define UNDO_NS (INT64_C(800) * 1000000) /* a cancelled call ends within a second */

static bp_status
check_args(struct bp_storage *storage, const struct bp_op *op, const struct bp_copy_args *args,
           struct bp_error *error)
{
    bp_status status = bp_azure_check_flags(args->flags, KNOWN_FLAGS, error);
    if (status == BP_OK) {
        status = bp_azure_check_op(storage, op, error);
    }
    if (status == BP_OK) {
        status = bp_azure_check_key(args->src, args->src_key, error);
    }
    if (status == BP_OK) {
        status = bp_azure_check_new_key(storage, args->dst_key, error);
    }
    if (status == BP_OK && (args->flags & BP_COPY_NEED_CHECKSUM) != 0) {
        status =
            bp_fail(error, BP_ERR_UNSUPPORTED,
                    "object %s: no bytes of a copy pass here to make a checksum of", args->dst_key);
    }
    return status;
}

/* Starts or makes the copy; *x holds the answer. */
static bp_status
request_copy(struct bp_storage *storage, const struct bp_op *op, const struct bp_copy_args *args,
             bool sync, struct bp_azure_exchange **x, struct bp_error *error)
{
    struct bp_azure_source source;
    struct bp_azure_request request;
    bp_status status = bp_azure_source_open(&source, storage, args->src, op, args->src_key, error);
    if (status != BP_OK) {
        return status;
    }
    if (!sync && source.bearer != NULL) {
        bp_azure_source_close(&source);
        return bp_fail(error, BP_ERR_UNSUPPORTED,
                       "object %s: a copy in the background takes no token for its source",
                       args->dst_key);
    }
    bp_azure_request_init(&request, BP_AZURE_BLOB, "PUT", args->dst_key, "copy to it");
    bp_azure_source_add(&source, &request);
    /* A copy that was started twice is refused as pending, and nobody knows the id of the first. */
    request.once = !sync;
    request.slow = true;
    if (sync) {
        bp_azure_add_header(&request, "x-ms-requires-sync", "true");
    }
    if (args->src_if_match != NULL) {
        bp_azure_add_header(&request, "x-ms-source-if-match", "\"%s\"", args->src_if_match);
    }
    if (storage->set.tier != NULL) {
        bp_azure_add_header(&request, "x-ms-access-tier", "%s", storage->set.tier);
    }
    bp_azure_add_conditions(&request, NULL, (args->flags & BP_COPY_IF_NONE_MATCH) != 0);
    status = bp_azure_call(storage, op, &request, x, error);
    bp_azure_request_clear(&request);
    status = bp_azure_source_judge(&source, status, error);
    bp_azure_source_close(&source);
    return status;
}

/* The caller's operation may be cancelled: cleaning up has a short time of its own. */
static void
abort_copy(struct bp_storage *storage, const char *key, const char *id)
{
    struct timespec now;
    struct bp_azure_request request;
    struct bp_error failed = {.struct_size = sizeof(failed)};
    clock_gettime(CLOCK_MONOTONIC, &now);
    const struct bp_op undo = {
        .struct_size = sizeof(undo),
        .deadline_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec + UNDO_NS,
    };
    bp_azure_request_init(&request, BP_AZURE_BLOB, "PUT", key, "end the copy to it");
    bp_azure_add_query(&request, "comp", "copy");
    bp_azure_add_query(&request, "copyid", id);
    bp_azure_add_header(&request, "x-ms-copy-action", "abort");
    request.once = true; /* the second time there would be no such copy */
    bp_status status = bp_azure_call(storage, &undo, &request, NULL, &failed);
    bp_azure_request_clear(&request);
    /* An aborted copy leaves an empty object behind. */
    if (status == BP_OK) {
        status = bp_azure_remove(storage, &undo, key, NULL, &failed);
    }
    if (status != BP_OK) {
        bp_hostlog(storage->host, &undo, BP_LOG_WARN, "a copy could not be ended: %s",
                   failed.message);
    }
}

/* "123/456" */
static void
show_progress(struct bp_storage *storage, const struct bp_op *op, const char *text)
{
    uint64_t done, total;
    const char *slash = text == NULL ? NULL : strchr(text, '/');
    if (slash != NULL) {
        g_autofree char *first = g_strndup(text, (size_t)(slash - text));
        if (bp_parse_u64(first, &done) == 0 && bp_parse_u64(slash + 1, &total) == 0) {
            storage->host->progress(op, done, total);
        }
    }
}

/* The description begins with the status that the source's server answered: "403 Forbidden …". */
static bp_status
fail_copy(const char *key, const char *state, const char *description, struct bp_error *error)
{
    int status = description == NULL ? 0 : (int)g_ascii_strtoull(description, NULL, 10);
    bp_status cls = status == 404                   ? BP_ERR_NOT_FOUND
                    : status == 412                 ? BP_ERR_EXISTS
                    : status >= 400 && status < 500 ? BP_ERR_UNSUPPORTED
                                                    : BP_ERR_RETRYABLE;
    g_autofree char *reason = g_strdup(description == NULL ? "without a reason" : description);
    bp_azure_redact(reason);
    return bp_fail(error, cls, "object %s: the copy in the background is %s: %s", key, state,
                   reason);
}

/* One look.  *pending stays true while the service works. */
static bp_status
look(struct bp_storage *storage, const struct bp_op *op, const char *key, const char *id,
     bool *pending, struct bp_error *error)
{
    struct bp_azure_exchange *x = NULL;
    struct bp_azure_request request;
    bp_azure_request_init(&request, BP_AZURE_BLOB, "HEAD", key, "look after the copy to it");
    bp_status status = bp_azure_call(storage, op, &request, &x, error);
    bp_azure_request_clear(&request);
    if (status != BP_OK) {
        return status;
    }
    const char *state = bp_azure_header(x, "x-ms-copy-status");
    const char *current = bp_azure_header(x, "x-ms-copy-id");
    show_progress(storage, op, bp_azure_header(x, "x-ms-copy-progress"));
    *pending = g_strcmp0(state, "pending") == 0;
    if (g_strcmp0(current, id) != 0) {
        *pending = false;
        status = bp_fail(error, BP_ERR_RETRYABLE,
                         "object %s: another program wrote it while it was copied", key);
    } else if (!*pending && g_strcmp0(state, "success") != 0) {
        status = fail_copy(key, state == NULL ? "gone" : state,
                           bp_azure_header(x, "x-ms-copy-status-description"), error);
    }
    bp_azure_end(x);
    return status;
}

static bp_status
wait_for_copy(struct bp_storage *storage, const struct bp_op *op, const char *key, const char *id,
              struct bp_error *error)
{
    bool pending = true;
    bp_status status = BP_OK;
    uint64_t pause_ns = FIRST_PAUSE_NS;
    while (status == BP_OK && pending) {
        status = storage->host->sleep(op, pause_ns);
        if (status != BP_OK) {
            (void)bp_fail(error, status, "object %s: %s while the service was copying", key,
                          status == BP_ERR_CANCELLED ? "cancelled" : "the deadline passed");
            break;
        }
        status = look(storage, op, key, id, &pending, error);
        pause_ns = MIN(pause_ns * 2, LONGEST_PAUSE_NS);
    }
    if (status != BP_OK && pending) {
        abort_copy(storage, key, id);
    }
    return status;
}

static bp_status
copy_async(struct bp_storage *storage, const struct bp_op *op, const struct bp_copy_args *args,
           struct bp_error *error)
{
    struct bp_azure_exchange *x = NULL;
    bp_status status = request_copy(storage, op, args, false, &x, error);
    if (status != BP_OK) {
        return status;
    }
    g_autofree char *id = g_strdup(bp_azure_header(x, "x-ms-copy-id"));
    bool pending = g_strcmp0(bp_azure_header(x, "x-ms-copy-status"), "pending") == 0;
    bool done = g_strcmp0(bp_azure_header(x, "x-ms-copy-status"), "success") == 0;
    bp_azure_end(x);
    if (id == NULL || (!pending && !done)) {
        return bp_fail(error, BP_ERR_UNSUPPORTED,
                       "object %s: the server does not say what became of the copy", args->dst_key);
    }
    return pending ? wait_for_copy(storage, op, args->dst_key, id, error) : BP_OK;
}

static bp_status
copy_sync(struct bp_storage *storage, const struct bp_op *op, const struct bp_copy_args *args,
          struct bp_error *error)
{
    struct bp_azure_exchange *x = NULL;
    bp_status status = request_copy(storage, op, args, true, &x, error);
    const char *state = status == BP_OK ? bp_azure_header(x, "x-ms-copy-status") : NULL;
    if (status == BP_OK && g_strcmp0(state, "success") != 0) {
        status = fail_copy(args->dst_key, state == NULL ? "without a state" : state, NULL, error);
    }
    bp_azure_end(x);
    return status;
}

bp_status
bp_azure_copy(struct bp_storage *storage, const struct bp_op *op, const struct bp_copy_args *args,
              struct bp_object_meta *out, struct bp_error *error)
{
    bp_status status = check_args(storage, op, args, error);
    if (status == BP_OK) {
        status = args->size <= BP_AZURE_MAX_SYNC_COPY ? copy_sync(storage, op, args, error)
                                                      : copy_async(storage, op, args, error);
    }
    if (status != BP_OK) {
        return status;
    }
    /* The answer tells no size, and the size is the proof. */
    status = bp_azure_stat_version(storage, op, args->dst_key, NULL, out, error);
    error->flags |= status != BP_OK ? BP_ERROR_OUTCOME_UNKNOWN : 0;
    return status;
}
