/* SPDX-License-Identifier: Apache-2.0
 *
 * Digests: SHA-256 and HMAC by OpenSSL, MD5 by GLib, CRC32C by the SDK.  Any thread.
 */
#ifndef BAKPLANE_STORAGE_S3_CRYPTO_H
#define BAKPLANE_STORAGE_S3_CRYPTO_H

#include <bakplane/storage.h>
#include <stddef.h>
#include <stdint.h>

#define BP_S3_SHA256 32
#define BP_S3_SHA256_HEX 65 /**< with its NUL */

void bp_s3_sha256(const void *bytes, size_t n, uint8_t out[BP_S3_SHA256]);
void bp_s3_sha256_hex(const void *bytes, size_t n, char out[BP_S3_SHA256_HEX]);
void bp_s3_hmac(const void *key, size_t key_size, const void *bytes, size_t n,
                uint8_t out[BP_S3_SHA256]);
void bp_s3_hex(const uint8_t *bytes, size_t n, char *out);

/** Base64 of the MD5, as Content-MD5 wants it (newly allocated). */
char *bp_s3_md5_base64(const void *bytes, size_t n);

struct bp_s3_digest;

/** Of kind SHA256 or CRC32C; NULL for any other. */
struct bp_s3_digest *bp_s3_digest_new(uint32_t kind);
void bp_s3_digest_add(struct bp_s3_digest *digest, const void *bytes, size_t n);
/** Once, at the end; `by` is BY_PLUGIN. */
void bp_s3_digest_end(struct bp_s3_digest *digest, struct bp_checksum *out);
void bp_s3_digest_free(struct bp_s3_digest *digest);
/** All at once, of what lies in memory. */
void bp_s3_sum(uint32_t kind, const void *bytes, size_t n, struct bp_checksum *out);

/** "x-amz-checksum-crc32c: …" or "x-amz-checksum-sha256: …" (newly allocated). */
char *bp_s3_checksum_header(const struct bp_checksum *sum);
/** Takes the base64 text of an answer; false when it is no checksum of that kind. */
int bp_s3_checksum_parse(const char *text, uint32_t kind, struct bp_checksum *out);

#endif
