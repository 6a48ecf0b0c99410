/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a part of an object, or all of it, over HTTP: the header that asks for it, the check that
 * the answer brings just that, and its body: what stands behind a storage plugin's bp_reader.
 *
 *     bp_http_range(args, text);       -> "Range: bytes=5-9", unless it is ""
 *     bp_http_begin …, bp_http_head …  -> 200 or 206
 *     bp_http_body_open(&body, x, args, &size, error)
 *     bp_http_body_read …              -> *n == 0 is the end
 *     bp_http_end(body.x)
 *
 * A range of no bytes cannot be asked for: see bp_check_empty_read, also for status 416.
 *
 * Threads: as exchanges.
 */
#ifndef BAKPLANE_HTTP_RANGE_H
#define BAKPLANE_HTTP_RANGE_H

#include <bakplane/storage.h>

#include "sdk/http/client.h"

BP_BEGIN_DECLS

#define BP_HTTP_RANGE 64

/** "bytes=5-9" or "bytes=5-" into out[BP_HTTP_RANGE]; "" where all is asked for.  @args: length
 *  is not 0. */
void bp_http_range(const struct bp_read_args *args, char out[BP_HTTP_RANGE]);

/** The body of an answer, of which we know how long it is going to be. */
struct bp_http_body {
    bp_http_exchange *x;      /**< the caller's; NULL where nothing is to be read */
    uint64_t left;            /**< bytes still to come */
    char key[BP_KEY_MAX + 1]; /**< for messages */
};

/**
 * Takes the head of a 2xx as the beginning of what was asked for; *size becomes the whole object's.
 * The answer may end before the range does, where the object does.
 *
 * Errors: PERMANENT when it brings other bytes; RETRYABLE when it does not tell how many.
 */
bp_status bp_http_body_open(struct bp_http_body *body, bp_http_exchange *x,
                            const struct bp_read_args *args, uint64_t *size,
                            struct bp_error *error);

/** As bp_storage_ops.read.  RETRYABLE when the body ends early. */
bp_status bp_http_body_read(struct bp_http_body *body, const struct bp_op *op, void *buffer,
                            size_t cap, size_t *n, struct bp_error *error);

BP_END_DECLS

#endif
