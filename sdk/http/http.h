/* SPDX-License-Identifier: Apache-2.0
 *
 * One HTTP request over libcurl, for plugins that talk to an HTTP server now and then.
 *
 * A request is sent once: no retry, no redirect, no proxy from the environment.  It ends within a
 * second of a cancel and at the nearer of its own timeout and the operation's deadline.  Any
 * thread, after bp_http_init.
 */
#ifndef BAKPLANE_HTTP_HTTP_H
#define BAKPLANE_HTTP_HTTP_H

#include <bakplane/error.h>
#include <bakplane/host.h>
#include <bakplane/op.h>

struct bp_http_request {
    const char *method;         /**< NULL = "GET" */
    const char *url;            /**< http or https */
    const char *const *headers; /**< "Name: value" lines up to NULL, or NULL */
    const void *body;           /**< NULL = none */
    size_t body_size;
    const char *ca_file; /**< PEM file of authorities instead of the system's, or NULL */
    uint32_t connect_timeout_ms, timeout_ms; /**< 0 = 5 s, 60 s */
    size_t max_answer;                       /**< longest body accepted; 0 = 1 MiB */
};

struct bp_http_answer {
    int status;              /**< of HTTP: 200, 404 … */
    uint64_t retry_after_ms; /**< what the server asked for, or 0 */
    char *body;              /**< with a NUL behind it; NULL when nothing came */
    size_t size;
};

/** Once, before threads, and once at the end; both may be called by several plugins. */
bp_status bp_http_init(struct bp_error *error);
void bp_http_fini(void);

/**
 * Success means that an answer came, whatever its status.  `out` is for bp_http_answer_clear, also
 * after a failure.
 *
 * Errors: RETRYABLE (cannot connect, broken connection; OUTCOME_UNKNOWN unless it never connected),
 * TIMEOUT, CANCELLED, INVALID (bad URL), PERMANENT (certificate not trusted, body too long), NOMEM.
 */
bp_status bp_http_perform(const struct bp_host *host, const struct bp_op *op,
                          const struct bp_http_request *request, struct bp_http_answer *out,
                          struct bp_error *error);
void bp_http_answer_clear(struct bp_http_answer *answer);

/** The error class that a status of HTTP stands for; BP_OK for 2xx. */
bp_status bp_http_class(int status);

#endif
