/* SPDX-License-Identifier: Apache-2.0
 *
 * What a server's refusal means.  A plugin has a table of its server's codes, each with the class
 * that the core acts on and what people can do about it; where a code is not in it, the status of
 * HTTP decides (bp_http_class).  Pure functions, any thread.
 */
#ifndef BAKPLANE_HTTP_REFUSAL_H
#define BAKPLANE_HTTP_REFUSAL_H

#include <bakplane/abi.h>
#include <bakplane/error.h>
#include <stddef.h>

BP_BEGIN_DECLS

/** One row of a table of codes. */
struct bp_http_code {
    const char *code; /**< the server's word, such as "NoSuchKey" */
    bp_status cls;
    const char *advice; /**< what to change, as the end of a sentence, or NULL */
};

/** The row of a code, or NULL, also for code NULL.  Rows may stand in any order. */
const struct bp_http_code *bp_http_code_find(const struct bp_http_code *codes, size_t n,
                                             const char *code);

/** The error class that a status of HTTP stands for; BP_OK for 2xx. */
bp_status bp_http_class(int status);

/**
 * Bytes of the first sentence-like line of a server's message: up to the first line end, without
 * blanks and the full stop at its end, so that ours can go on.  0 for NULL.
 */
size_t bp_http_first_line(const char *message);

/** What the answer said beside its words; texts may be NULL. */
struct bp_http_facts {
    int status;              /**< of HTTP */
    const char *code;        /**< as in bp_http_code */
    const char *request_id;  /**< the server's name for the request */
    uint64_t retry_after_ms; /**< or 0 */
};

/** Puts them into an error that bp_fail has filled. */
void bp_http_put_facts(struct bp_error *error, const struct bp_http_facts *facts);

BP_END_DECLS

#endif
