/* SPDX-License-Identifier: Apache-2.0
 *
 * Running requests, and what their ends mean.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "appliance.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/key.h"

#include "sdk/lib/ban.h"

#define STEP_MS 100

void
take_etag(const char *etag, struct bp_object_meta *out)
{
    size_t n = etag != NULL ? strlen(etag) : 0;
    if (n >= 2 && etag[0] == '"' && etag[n - 1] == '"') {
        etag++;
        n -= 2;
    }
    n = n < sizeof(out->etag) - 1 ? n : 0; /* half of one could be another's */
    (void)snprintf(out->etag, sizeof(out->etag), "%.*s", (int)n, n > 0 ? etag : "");
}

S3Status
on_properties(const S3ResponseProperties *properties, void *ctx)
{
    struct outcome *outcome = ctx;
    outcome->meta.size = properties->contentLength;
    outcome->meta.mtime_ns =
        properties->lastModified > 0 ? properties->lastModified * 1000000000 : 0;
    take_etag(properties->eTag, &outcome->meta);
    return S3StatusOK;
}

void
on_complete(S3Status status, const S3ErrorDetails *details, void *ctx)
{
    struct outcome *outcome = ctx;
    outcome->status = status;
    outcome->complete = true;
    if (details != NULL && details->message != NULL) {
        (void)snprintf(outcome->message, sizeof(outcome->message), "%s", details->message);
    }
}

S3RequestContext *
request_begin(struct outcome *outcome)
{
    S3RequestContext *context = NULL;
    *outcome = (struct outcome){.meta = {.struct_size = sizeof(outcome->meta)}};
    outcome->status = S3_create_request_context(&context);
    return outcome->status == S3StatusOK ? context : NULL;
}

/* Until something can be done, or it is time to ask whether to stop.  A descriptor that does not
 * fit into an fd_set cannot be waited for: then it is a short sleep. */
static void
wait_a_little(S3RequestContext *context)
{
    fd_set reads, writes, excepts;
    int last = -1;
    int64_t ms = S3_get_request_context_timeout(context);
    FD_ZERO(&reads);
    FD_ZERO(&writes);
    FD_ZERO(&excepts);
    if (ms < 0 || ms > STEP_MS) {
        ms = STEP_MS;
    }
    if (S3_get_request_context_fdsets(context, &reads, &writes, &excepts, &last) != S3StatusOK ||
        last < 0) {
        (void)poll(NULL, 0, ms > 10 ? 10 : (int)ms);
        return;
    }
    struct timeval wait = {.tv_usec = (suseconds_t)(ms * 1000)};
    (void)select(last + 1, &reads, &writes, &excepts, &wait);
}

void
request_run(S3RequestContext *context, struct outcome *outcome, stop_fn stop, void *ctx)
{
    int left = 1;
    while (left > 0 && !stop(ctx)) {
        S3Status status = S3_runonce_request_context(context, &left);
        if (status != S3StatusOK) {
            outcome->status = status;
            break;
        }
        if (left > 0) {
            wait_a_little(context);
        }
    }
    S3_destroy_request_context(context); /* ends what is not complete as "interrupted" */
    if (!outcome->complete && outcome->status == S3StatusOK) {
        outcome->status = S3StatusInterrupted;
    }
}

bp_status
op_over(const struct bp_storage *storage, const struct bp_op *op)
{
    struct timespec now;
    if (storage->host->cancelled(op) != 0) {
        return BP_ERR_CANCELLED;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    return op->deadline_ns != 0 && ns >= op->deadline_ns ? BP_ERR_TIMEOUT : BP_OK;
}

struct waiting {
    const struct bp_storage *storage;
    const struct bp_op *op;
};

static bool
stop_for_op(void *ctx)
{
    const struct waiting *waiting = ctx;
    return op_over(waiting->storage, waiting->op) != BP_OK;
}

void
request_run_op(const struct bp_storage *storage, const struct bp_op *op, S3RequestContext *context,
               struct outcome *outcome)
{
    struct waiting waiting = {storage, op};
    request_run(context, outcome, stop_for_op, &waiting);
}

/*
 * Each by itself: S3_status_is_retryable leaves out SlowDown, and what the library does not know by
 * name, such as ServiceUnavailable, is "unknown".
 */
static bp_status
class_of(S3Status status)
{
    switch (status) {
    case S3StatusOK:
        return BP_OK;
    case S3StatusErrorSlowDown:
        return BP_ERR_THROTTLED;
    case S3StatusInternalError:
    case S3StatusFailedToInitializeRequest:
    case S3StatusNameLookupError:
    case S3StatusFailedToConnect:
    case S3StatusConnectionFailed:
    case S3StatusErrorIncompleteBody:
    case S3StatusErrorInternalError:
    case S3StatusErrorOperationAborted:
    case S3StatusErrorRequestTimeout:
    case S3StatusErrorUnknown:
    case S3StatusHttpErrorUnknown:
        return BP_ERR_RETRYABLE;
    case S3StatusErrorExpiredToken:
    case S3StatusErrorInvalidAccessKeyId:
    case S3StatusErrorInvalidSecurity:
    case S3StatusErrorInvalidToken:
    case S3StatusErrorRequestTimeTooSkewed:
    case S3StatusErrorSignatureDoesNotMatch:
    case S3StatusErrorTokenRefreshRequired:
        return BP_ERR_AUTH;
    case S3StatusErrorAccessDenied:
    case S3StatusErrorAccountProblem:
    case S3StatusErrorNotSignedUp:
    case S3StatusHttpErrorForbidden:
        return BP_ERR_DENIED;
    case S3StatusErrorNoSuchBucket:
    case S3StatusErrorNoSuchKey:
    case S3StatusHttpErrorNotFound:
        return BP_ERR_NOT_FOUND;
    case S3StatusErrorPreconditionFailed:
    case S3StatusHttpErrorConflict:
        return BP_ERR_EXISTS;
    case S3StatusErrorInvalidRange:
        return BP_ERR_RANGE;
    case S3StatusErrorNotImplemented:
    case S3StatusErrorMethodNotAllowed:
    case S3StatusErrorEntityTooLarge:
        return BP_ERR_UNSUPPORTED;
    case S3StatusKeyTooLong:
    case S3StatusUriTooLong:
    case S3StatusErrorKeyTooLong:
    case S3StatusErrorInvalidBucketName:
        return BP_ERR_INVALID;
    case S3StatusOutOfMemory:
        return BP_ERR_NOMEM;
    case S3StatusErrorBadDigest:
        return BP_ERR_CORRUPT;
    default:
        return BP_ERR_PERMANENT;
    }
}

bp_status
request_status(const struct bp_storage *storage, const struct bp_op *op,
               const struct outcome *outcome, const char *what, const char *key,
               struct bp_error *error)
{
    bp_status cls = class_of(outcome->status);
    if (outcome->status == S3StatusInterrupted || outcome->status == S3StatusAbortedByCallback) {
        bp_status over = op_over(storage, op);
        cls = over != BP_OK ? over : BP_ERR_RETRYABLE;
    }
    if (cls == BP_OK) {
        return BP_OK;
    }
    const char *name = S3_get_status_name(outcome->status);
    (void)bp_fail(error, cls, "%s %s in bucket %s at %s: %s%s%s", what, key, storage->bucket,
                  storage->address, name, outcome->message[0] != '\0' ? ": " : "",
                  outcome->message);
    (void)snprintf(error->code, sizeof(error->code), "%s", name);
    return cls;
}

int
full_key(const struct bp_storage *storage, const char *key, char *out, struct bp_error *error)
{
    /* libs3 makes '+' of a blank, which in a path is a '+': another object. */
    if (strchr(key, ' ') != NULL) {
        (void)bp_fail(error, BP_ERR_INVALID, "key %s: libs3 cannot name one with a blank", key);
        return -1;
    }
    if (bp_key_join(out, BP_KEY_MAX + 1, storage->prefix, key) != 0) {
        (void)bp_fail(error, BP_ERR_INVALID, "key %s: it is none, or too long below %s", key,
                      storage->prefix);
        return -1;
    }
    return 0;
}
