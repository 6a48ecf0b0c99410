/* SPDX-License-Identifier: Apache-2.0
 *
 * What a batch of requests looks like: multipart/mixed, one HTTP message in each part, as in "Blob
 * Batch" of the REST reference.  Pure functions, any thread.
 */
#ifndef BAKPLANE_STORAGE_AZURE_BATCH_H
#define BAKPLANE_STORAGE_AZURE_BATCH_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/** The answer to one request of a batch. */
struct bp_azure_part_answer {
    int64_t number;         /**< as the request's Content-ID said; -1 = none: it is about all */
    int status;             /**< of HTTP */
    char *code, *message;   /**< of a refusal, or NULL */
    char *request_id;       /**< or NULL */
    uint64_t retry_after_s; /**< or 0 */
};
void bp_azure_part_answer_clear(struct bp_azure_part_answer *answer);

/** Begins part `number`, which a printed request has to follow. */
void bp_azure_batch_part(GString *body, const char *boundary, unsigned number);
/** Ends the body. */
void bp_azure_batch_end(GString *body, const char *boundary);

/** The boundary that the answer's Content-Type names, or NULL. (g_free) */
char *bp_azure_batch_boundary(const char *content_type);

/** Reads the next answer; *at starts as the body (with a NUL behind it) and moves on.  false at the
 *  end, also for what cannot be understood. */
bool bp_azure_batch_next(const char **at, const char *boundary, struct bp_azure_part_answer *out);

#endif
