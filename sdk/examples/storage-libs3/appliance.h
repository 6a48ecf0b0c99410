/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of storage-libs3: a bucket of a server that knows only signatures of version 2, by way of
 * libs3 2.0, which knows no newer ones.
 *
 * libs3 does one request after the other and calls back with what comes; a request runs here in a
 * context of its own, which is driven in small steps, so that a cancel is seen within a tenth of a
 * second.  It has no conditional PUT, no multipart upload, and must know a length before it sends:
 * `info` says so, and the host does without.
 */
#ifndef APPLIANCE_H
#define APPLIANCE_H

#include <bakplane/plugin.h>
#include <libs3.h>
#include <stdbool.h>

#define PAGE_MAX 1000

struct bp_storage {
    const struct bp_host *host;
    char *address, *bucket, *access_key, *secret_key;
    char prefix[BP_KEY_MAX + 1]; /* "" or ends in '/' */
    bool https;
    uint64_t max_object;
    S3BucketContext context; /* points to the texts above */
};

/** How a request went.  The first member of what each kind of request hands to libs3. */
struct outcome {
    S3Status status;
    bool complete;
    char message[200];
    struct bp_object_meta meta; /* as far as the answer's head tells it */
};

/* request.c */

/** When a request has to stop: asked every tenth of a second. */
typedef bool (*stop_fn)(void *ctx);

/** Callbacks that fill a `struct outcome`. */
S3Status on_properties(const S3ResponseProperties *properties, void *ctx);
void on_complete(S3Status status, const S3ErrorDetails *details, void *ctx);

/** A context for one request, or NULL. */
S3RequestContext *request_begin(struct outcome *outcome);
/** Drives it until it is complete or stopped, and frees it. */
void request_run(S3RequestContext *context, struct outcome *outcome, stop_fn stop, void *ctx);
/** The same for an operation of the host's: until cancel or deadline. */
void request_run_op(const struct bp_storage *storage, const struct bp_op *op,
                    S3RequestContext *context, struct outcome *outcome);
/** Non-zero once the operation has to end: CANCELLED or TIMEOUT. */
bp_status op_over(const struct bp_storage *storage, const struct bp_op *op);
/** BP_OK, or the class and text of what went wrong with `what` of `key`. */
bp_status request_status(const struct bp_storage *storage, const struct bp_op *op,
                         const struct outcome *outcome, const char *what, const char *key,
                         struct bp_error *error);

/** Prefix and key; -1 when that is longer than a key may be. */
int full_key(const struct bp_storage *storage, const char *key, char *out, struct bp_error *error);
/** Without its quotes, into a meta. */
void take_etag(const char *etag, struct bp_object_meta *out);

/* read.c */

bp_status storage_stat(struct bp_storage *storage, const struct bp_op *op, const char *key,
                       struct bp_object_meta *out, struct bp_error *error);
bp_status storage_list(struct bp_storage *storage, const struct bp_op *op,
                       const struct bp_list_args *args, const struct bp_list_sink *sink,
                       struct bp_error *error);
bp_status storage_read_open(struct bp_storage *storage, const struct bp_op *op,
                            const struct bp_read_args *args, struct bp_object_meta *meta,
                            struct bp_reader **out, struct bp_error *error);
bp_status storage_read(struct bp_reader *reader, const struct bp_op *op, void *buffer, size_t cap,
                       size_t *n, struct bp_error *error);
void storage_read_close(struct bp_reader *reader);

/* write.c */

bp_status storage_write_open(struct bp_storage *storage, const struct bp_op *op,
                             const struct bp_write_args *args, struct bp_writer **out,
                             struct bp_error *error);
bp_status storage_write(struct bp_writer *writer, const struct bp_op *op, const void *bytes,
                        size_t n, struct bp_error *error);
bp_status storage_write_commit(struct bp_writer *writer, const struct bp_op *op,
                               struct bp_object_meta *out, struct bp_error *error);
void storage_write_abort(struct bp_writer *writer, const struct bp_op *op);
bp_status storage_remove(struct bp_storage *storage, const struct bp_op *op, const char *key,
                         const char *if_match, struct bp_error *error);

#endif
