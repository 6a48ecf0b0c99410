/* SPDX-License-Identifier: Apache-2.0
 *
 * Signature Version 4 in headers, and of the chunks of a streamed body.  Written after "Signature
 * Calculations for the Authorization Header" of Amazon's S3 API reference; Google's variant
 * (GOOG4-HMAC-SHA256) has the same steps under other names.
 *
 * Pure functions, any thread.
 */
#ifndef BAKPLANE_STORAGE_S3_SIGN_H
#define BAKPLANE_STORAGE_S3_SIGN_H

#include <glib.h>
#include <stdbool.h>

#include "plugins/storage-s3/crypto.h"

/** Hashes of a payload that is not hashed as a whole. */
#define BP_S3_UNSIGNED "UNSIGNED-PAYLOAD"
#define BP_S3_CHUNKED "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
#define BP_S3_CHUNKED_TRAILER "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
#define BP_S3_UNSIGNED_TRAILER "STREAMING-UNSIGNED-PAYLOAD-TRAILER"

/** The words of one variant. */
struct bp_s3_dialect {
    const char *algorithm;  /**< AWS4-HMAC-SHA256 */
    const char *key_prefix; /**< AWS4 */
    const char *terminator; /**< aws4_request */
    const char *service;    /**< s3 */
    const char *headers;    /**< x-amz- */
};
extern const struct bp_s3_dialect bp_s3_dialect_aws, bp_s3_dialect_goog, bp_s3_dialect_sts;

/** A time as the signature wants it. */
#define BP_S3_STAMP 17 /**< 20130524T000000Z and a NUL */
void bp_s3_stamp(int64_t seconds, char stamp[BP_S3_STAMP]);

struct bp_s3_signing {
    const struct bp_s3_dialect *dialect;
    const char *method, *host;
    const char *path;  /**< as it goes over the wire, already encoded */
    const char *query; /**< from bp_s3_query, "" for none */
    const char *region;
    const char *access_key, *secret_key;
    const char *payload; /**< SHA-256 of the body in hex, or one of the words above */
    char stamp[BP_S3_STAMP];
};

/** What the chunks of a body are signed with.  Wiped by the caller. */
struct bp_s3_seed {
    uint8_t key[BP_S3_SHA256];
    char scope[160]; /**< "20130524T000000Z\n20130524/us-east-1/s3/aws4_request" */
    char previous[BP_S3_SHA256_HEX];
};

/**
 * Adds date, payload hash and Authorization to `headers` ("Name: value", owned by the array, which
 * frees); all that were in it before are signed, and the host.  `seed` may be NULL.
 */
void bp_s3_sign(const struct bp_s3_signing *signing, GPtrArray *headers, struct bp_s3_seed *seed);

/** Signature of one chunk (the last one has no bytes), into seed->previous. */
void bp_s3_sign_chunk(struct bp_s3_seed *seed, const void *bytes, size_t n);
/** Signature of the trailing header line "name:value\n", into seed->previous. */
void bp_s3_sign_trailer(struct bp_s3_seed *seed, const char *line);

/** Appends text with everything but unreserved characters as %XX; '/' stays where wanted. */
void bp_s3_encode(GString *out, const char *text, bool keep_slash);

/** The canonical query of pairs of name and value (NULL = ""), which is also sent. */
char *bp_s3_query(const GPtrArray *pairs);

#endif
