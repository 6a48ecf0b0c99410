/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTP for plugins: a client keeps connections to servers; an exchange is one request and its
 * answer, both streamed, over one of them.
 *
 *     bp_http_begin -> [bp_http_send …] -> bp_http_head -> [bp_http_receive …] -> bp_http_end
 *
 * Sending a stream, and reading what came back:
 *
 *     const struct bp_http_request put = {.method = "PUT", .url = url, .body_size = size};
 *     status = bp_http_begin(client, op, &put, &x, error);
 *     while (status == BP_OK && !bp_http_answered(x) && (n = read_some(buffer)) > 0) {
 *         status = bp_http_send(x, op, buffer, n, error);
 *     }
 *     status = status == BP_OK ? bp_http_head(x, op, &code, error) : status;
 *     status = status == BP_OK ? bp_http_receive_all(x, op, max, &text, &length, error) : status;
 *     bp_http_end(x);
 *
 * An exchange is sent once: no redirect, no proxy, login or certificate from the environment, no
 * retry.  The one exception: when a connection that had been kept turns out to be dead before
 * anything of the answer came, and the body can be given once more (bytes in memory, or a stream of
 * which nothing was taken yet), the request is sent once more over a new connection, silently.  A
 * request that must not reach the server twice says `fresh`.
 *
 * Every call ends within a second of a cancel, at the operation's deadline and at the timeouts.
 * After a failure each further call repeats it; bp_http_end is due in any case.
 *
 * Of the host only `cancelled` and `cancel_fd` are used.
 *
 * Threads: any number use one client; one exchange belongs to one thread at a time.
 * Memory: a kept connection costs a few KiB and what TLS needs, an exchange about 128 KiB for the
 * direction that it moves bytes in.
 *
 * Errors of begin, send, head and receive.  Messages name method, host and path, never a query or
 * a login, which may carry signatures:
 *
 *     RETRYABLE   not connected, name not found, connection reset, answer cut short
 *     TIMEOUT     connect, idle or total timeout, deadline of the operation
 *     CANCELLED
 *     PERMANENT   certificate not trusted, no common TLS version, no HTTP spoken there
 *     DENIED …    what a proxy answers, by its status; its login is not the server's, so not AUTH
 *     INVALID     URL, header or method malformed, own certificate unusable, body not as announced
 *     NOMEM
 *
 * OUTCOME_UNKNOWN is set when the request had been handed to the connection whole.  Once an answer
 * came, remote_status and request_id are filled in.
 */
#ifndef BAKPLANE_HTTP_CLIENT_H
#define BAKPLANE_HTTP_CLIENT_H

#include <bakplane/error.h>
#include <bakplane/host.h>
#include <bakplane/op.h>

BP_BEGIN_DECLS

typedef struct bp_http_client bp_http_client;
typedef struct bp_http_exchange bp_http_exchange;

/** All zero is fine.  Texts are copied. */
struct bp_http_config {
    const char *ca_file;   /**< PEM, instead of the system's authorities; NULL = system's */
    const char *cert_file; /**< PEM of the client's certificate, or NULL */
    const char *key_file;  /**< PEM of its key; NULL = in cert_file */
    const char *key_password;
    const char *proxy; /**< http, https or socks5 URL; NULL = none, whatever the environment says */
    const char *user_agent;      /**< or NULL */
    uint32_t min_tls;            /**< 12 or 13 for TLS 1.2 or 1.3; 0 = 12 */
    uint32_t connect_timeout_ms; /**< name, TCP, proxy and TLS together; 0 = 5 s */
    uint32_t idle_timeout_ms;    /**< no byte moved while a call waited; 0 = 60 s */
    uint32_t total_timeout_ms;   /**< of one exchange; 0 = only the operation's deadline */
    uint32_t max_idle;           /**< connections kept without use; 0 = 32 */
};

/** bp_http_init must have run.  Errors: INVALID (names the file or the member), NOMEM. */
bp_status bp_http_client_new(const struct bp_host *host, const struct bp_http_config *config,
                             bp_http_client **out, struct bp_error *error);
/** Closes all connections.  No exchange may be open.  NULL is fine. */
void bp_http_client_free(bp_http_client *client);

struct bp_http_request {
    const char *method;         /**< NULL = "GET" */
    const char *url;            /**< http or https, escaped; sent as it is */
    const char *const *headers; /**< "Name: value" up to NULL, or NULL */
    /** The whole body; it must live until the exchange ends.  NULL = none, or streamed. */
    const void *body;
    /** Of `body`.  Without `body`: what bp_http_send is going to send, BP_UNKNOWN = chunked. */
    uint64_t body_size;
    uint32_t idle_timeout_ms;  /**< instead of the client's; 0 = the client's */
    uint32_t total_timeout_ms; /**< instead of the client's; 0 = the client's */
    int fresh;                 /**< over a new connection: never sent twice */
};

/**
 * Connects and sends the request's head, and `body` as far as it goes without waiting.  Only body
 * and the operation's host_private have to outlive the call.  On failure *out is NULL.
 */
bp_status bp_http_begin(bp_http_client *client, const struct bp_op *op,
                        const struct bp_http_request *request, bp_http_exchange **out,
                        struct bp_error *error);

/**
 * The next bytes of a streamed body; all are taken when it returns.  BP_OK also when the server
 * refused the request before its end, which bp_http_answered tells: the rest is not sent then.
 */
bp_status bp_http_send(bp_http_exchange *x, const struct bp_op *op, const void *bytes, size_t n,
                       struct bp_error *error);

/** Non-zero once the server has answered and takes no more of the body. */
int bp_http_answered(const bp_http_exchange *x);

/** Ends a streamed body and waits for the head of the answer; *status is 200, 404 … */
bp_status bp_http_head(bp_http_exchange *x, const struct bp_op *op, int *status,
                       struct bp_error *error);

/** Value of a header of the answer, the last one of that name, or NULL.  Any case.  Borrowed. */
const char *bp_http_header(const bp_http_exchange *x, const char *name);

/**
 * The n-th header (from 0) whose name starts with `prefix` in any case, e.g. "x-ms-meta-"; "" =
 * all. Returns 0 beyond the last.  Borrowed; names as the server wrote them.
 */
int bp_http_header_at(const bp_http_exchange *x, const char *prefix, size_t n, const char **name,
                      const char **value);

/** What the server asked for with Retry-After (seconds, or a date, as RFC 9110 10.2.3 has it) or
 *  with Azure's header in milliseconds; 0 = nothing. */
uint64_t bp_http_retry_after_ms(const bp_http_exchange *x);

/** The server's name for this request (x-amz-request-id, x-ms-request-id, x-request-id), or "". */
const char *bp_http_request_id(const bp_http_exchange *x);

/** Puts status, request id and Retry-After of the answer into an error that bp_fail has filled. */
void bp_http_note(const bp_http_exchange *x, struct bp_error *error);

/**
 * Fills the buffer with the body of the answer; *n < cap is its end, or what came before a failure
 * that the next call reports.  *n == 0 is the end and only the end (cap must not be 0).
 */
bp_status bp_http_receive(bp_http_exchange *x, const struct bp_op *op, void *buffer, size_t cap,
                          size_t *n, struct bp_error *error);

/**
 * All of the body, with a NUL behind it that does not count; for free(), also when empty.  Longer
 * than `max`: PERMANENT.  On failure *out is NULL.
 */
bp_status bp_http_receive_all(bp_http_exchange *x, const struct bp_op *op, size_t max, char **out,
                              size_t *size, struct bp_error *error);

/** Frees, at any point.  The connection is kept when the answer was complete.  NULL is fine. */
void bp_http_end(bp_http_exchange *x);

BP_END_DECLS

#endif
