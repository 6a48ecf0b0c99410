/* SPDX-License-Identifier: Apache-2.0
 *
 * One request to the store: addressed, signed, sent, and its refusal understood.
 *
 * A request that the store answers with "that bucket is in another region" is sent once more, to
 * there, when its body can be; else the region is remembered and the class is RETRYABLE.
 *
 * A request and its exchange belong to one thread at a time.
 */
#ifndef BAKPLANE_STORAGE_S3_REQUEST_H
#define BAKPLANE_STORAGE_S3_REQUEST_H

#include "plugins/storage-s3/credentials.h"
#include "plugins/storage-s3/errors.h"
#include "plugins/storage-s3/s3.h"

/** Bodies of answers that are XML are no longer than this. */
#define BP_S3_MAX_XML ((size_t)16 << 20)

struct bp_s3_request {
    const char *method;
    const char *verb;    /**< for messages: "read", "list" … */
    char *key;           /**< in the bucket, or NULL for the bucket itself; owned */
    GPtrArray *query;    /**< name, value, name, value …; value may be NULL */
    GPtrArray *headers;  /**< "Name: value"; x-amz- becomes what the provider calls it */
    const void *body;    /**< whole, or NULL */
    uint64_t body_size;  /**< of `body`, or of what will be sent */
    const char *payload; /**< NULL = hash of `body`; else one of the words of sign.h */
    bool slow;           /**< the store works on it for a while: setting copy_timeout */
    bool once;           /**< must not reach the store twice */
    bool sums;           /**< says something of checksums, which not every store knows */
    bool replaces;       /**< writes over one version: where there is none, EXISTS */
};

/** @full_key: as bp_s3_full_key gives it, owned from here on, or NULL. */
void bp_s3_request_init(struct bp_s3_request *request, const char *method, const char *verb,
                        char *take_full_key);
void bp_s3_request_clear(struct bp_s3_request *request);
void bp_s3_request_query(struct bp_s3_request *request, const char *name, const char *value);
void bp_s3_request_header(struct bp_s3_request *request, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** A request under way. */
struct bp_s3_exchange {
    struct bp_storage *storage;
    bp_http_exchange *http;
    struct bp_s3_keys *keys;
    struct bp_s3_seed *seed; /**< of a body signed in chunks, else NULL */
    char region[64];         /**< that it was sent to and signed for */
};

/** For a body that is sent bit by bit: then bp_http_send, bp_s3_finish, bp_s3_end. */
bp_status bp_s3_begin(struct bp_storage *storage, const struct bp_op *op,
                      const struct bp_s3_request *request, struct bp_s3_exchange *out,
                      struct bp_error *error);
/** Waits for the answer.  BP_OK means 2xx, or 404 or another status that the caller reads itself.
 */
bp_status bp_s3_finish(struct bp_s3_exchange *exchange, const struct bp_op *op,
                       const struct bp_s3_request *request, struct bp_error *error);
/** Due after bp_s3_begin or bp_s3_send that succeeded, at any point. */
void bp_s3_end(struct bp_s3_exchange *exchange);

/** begin and finish.  On failure nothing is left to end. */
bp_status bp_s3_send(struct bp_storage *storage, const struct bp_op *op,
                     const struct bp_s3_request *request, struct bp_s3_exchange *out,
                     struct bp_error *error);

/** The same, and the answer's body as XML; NULL for an empty one. */
bp_status bp_s3_send_for_xml(struct bp_storage *storage, const struct bp_op *op,
                             const struct bp_s3_request *request, bp_xml **out,
                             struct bp_error *error);
/** The body of an answer that is XML.  An <Error> in a success is one. */
bp_status bp_s3_read_xml(struct bp_s3_exchange *exchange, const struct bp_op *op,
                         const struct bp_s3_request *request, bp_xml **out, struct bp_error *error);
/** The same for an answer that nothing is read from; the connection can be kept then. */
bp_status bp_s3_send_simple(struct bp_storage *storage, const struct bp_op *op,
                            const struct bp_s3_request *request, struct bp_error *error);

/** "read s3://bucket/key at https://host", into out[cap]. */
void bp_s3_describe(struct bp_storage *storage, const struct bp_s3_request *request, char *out,
                    size_t cap);

/** Host and path of the bucket or of a key, as they go into the request (newly allocated). */
void bp_s3_address(struct bp_storage *storage, const char *key, char **authority, char **path);

/** Headers of new objects: encryption, class. */
void bp_s3_request_new_object(struct bp_s3_request *request, struct bp_storage *storage);
/** Condition of a write.  UNSUPPORTED where the provider has no such thing. */
bp_status bp_s3_request_condition(struct bp_s3_request *request, struct bp_storage *storage,
                                  uint32_t write_flags, const char *if_match,
                                  struct bp_error *error);

#endif
