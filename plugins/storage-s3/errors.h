/* SPDX-License-Identifier: Apache-2.0
 *
 * What a store's refusal means: the table of S3's error codes and the class of each.  Sources: the
 * list of error codes in Amazon's S3 API reference, MinIO's cmd/api-errors.go, the error tables of
 * Alibaba's OSS, Tencent's COS and Google's XML API.
 */
#ifndef BAKPLANE_STORAGE_S3_ERRORS_H
#define BAKPLANE_STORAGE_S3_ERRORS_H

#include <bakplane/error.h>
#include <stdbool.h>

#include "sdk/http/refusal.h"
#include "sdk/http/xml.h"

/** The row of a code, or NULL. */
const struct bp_http_code *bp_s3_code_find(const char *code);
/** The n-th row, or NULL behind the last; for tests. */
const struct bp_http_code *bp_s3_code_at(size_t n);

/** What the store said. */
struct bp_s3_refusal {
    int status;           /**< of HTTP; 200 for an error in the body of a success */
    char code[64];        /**< or "" */
    char message[256];    /**< or "" */
    char region[64];      /**< where the bucket is, or "" */
    char endpoint[128];   /**< how it wants to be addressed, or "" */
    char request_id[96];  /**< or "" */
    char server_time[40]; /**< of a refusal for the clock, or "" */
    uint64_t retry_after_ms;
    bool body_changed; /**< the signature is wrong because the body was changed on its way */
};

/** Takes <Error> or what is in it; other documents leave *out as it is. */
void bp_s3_refusal_read(struct bp_s3_refusal *out, const bp_xml_node *root);

bp_status bp_s3_refusal_class(const struct bp_s3_refusal *refusal);

/** Fills *error: "cannot <what>: why (Code); advice", class, code, ids. */
bp_status bp_s3_refuse(struct bp_error *error, const struct bp_s3_refusal *refusal,
                       const char *what);

#endif
