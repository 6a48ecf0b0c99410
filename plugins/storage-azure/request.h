/* SPDX-License-Identifier: Apache-2.0
 *
 * One request to the blob service: its address, its login, and what its refusal means.
 *
 * A request and an exchange belong to one thread at a time.
 */
#ifndef BAKPLANE_STORAGE_AZURE_REQUEST_H
#define BAKPLANE_STORAGE_AZURE_REQUEST_H

#include "plugins/storage-azure/azure.h"
#include "sdk/http/xml.h"

/** What the URL names. */
enum bp_azure_place { BP_AZURE_BLOB, BP_AZURE_CONTAINER, BP_AZURE_SERVICE };

/** Init, add headers and query, begin or call, clear. */
struct bp_azure_request {
    enum bp_azure_place place;
    const char *method;
    const char *key;  /**< BLOB only; borrowed */
    const char *what; /**< for messages: "cannot WHAT"; static */
    GArray *headers, *query;
    const void *body; /**< borrowed until the exchange ends, or NULL */
    uint64_t body_size;
    bool once;  /**< must not reach the service twice: over a connection of its own */
    bool slow;  /**< the service works on it for a while: setting copy_timeout */
    bool inner; /**< travels in a batch, whose version it shares */
};

void bp_azure_request_init(struct bp_azure_request *request, enum bp_azure_place place,
                           const char *method, const char *key, const char *what);
void bp_azure_request_clear(struct bp_azure_request *request);

void bp_azure_add_header(struct bp_azure_request *request, const char *name, const char *format,
                         ...) __attribute__((format(printf, 3, 4)));
void bp_azure_add_query(struct bp_azure_request *request, const char *name, const char *value);

/** If-Match with `etag` unless it is NULL; if `exclusive`, If-None-Match: *.  A write with one of
 *  them is sent once: the second time it would be refused for what the first time did. */
void bp_azure_add_conditions(struct bp_azure_request *request, const char *etag, bool exclusive);

/** Appends the request as a batch holds it.  It has a login in it.  AUTH when none could be had. */
bp_status bp_azure_print(struct bp_storage *storage, const struct bp_op *op,
                         const struct bp_azure_request *request, GString *out,
                         struct bp_error *error);

struct bp_azure_exchange;

/** Sends the head, and the body if there is one.  AUTH when no login could be had. */
bp_status bp_azure_begin(struct bp_storage *storage, const struct bp_op *op,
                         const struct bp_azure_request *request, struct bp_azure_exchange **out,
                         struct bp_error *error);
/** More of a streamed body.  The server's refusal in the middle of it is reported here. */
bp_status bp_azure_send(struct bp_azure_exchange *x, const struct bp_op *op, const void *bytes,
                        size_t n, struct bp_error *error);
/** Waits for the head of the answer; what is no 2xx is read and becomes an error. */
bp_status bp_azure_head(struct bp_azure_exchange *x, const struct bp_op *op,
                        struct bp_error *error);
/** head, and the body of the answer is read and dropped. */
bp_status bp_azure_finish(struct bp_azure_exchange *x, const struct bp_op *op,
                          struct bp_error *error);
/** head, and the body of the answer as XML (bp_xml_free), of at most `max` bytes.  RETRYABLE where
 * it cannot be understood. */
bp_status bp_azure_finish_xml(struct bp_azure_exchange *x, const struct bp_op *op, size_t max,
                              bp_xml **out, struct bp_error *error);
/** begin and finish.  On failure nothing is left to end. */
bp_status bp_azure_call(struct bp_storage *storage, const struct bp_op *op,
                        const struct bp_azure_request *request, struct bp_azure_exchange **out,
                        struct bp_error *error);
/** Value of a header of the answer, or NULL; lives as long as the exchange. */
const char *bp_azure_header(const struct bp_azure_exchange *x, const char *name);
/** The connection beneath, for the body of the answer. */
bp_http_exchange *bp_azure_http(struct bp_azure_exchange *x);
/** "object KEY", "container NAME" …, for messages. */
const char *bp_azure_subject(const struct bp_azure_exchange *x);
/** NULL is fine. */
void bp_azure_end(struct bp_azure_exchange *x);

/** Size, time, etag, tier and MD5 as the answer's headers tell them. */
void bp_azure_take_meta(const struct bp_azure_exchange *x, struct bp_object_meta *out);

/** URL of a blob without query. (g_free) */
char *bp_azure_blob_url(const struct bp_storage *storage, const char *key);

#endif
