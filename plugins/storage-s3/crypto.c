/* SPDX-License-Identifier: Apache-2.0
 *
 * Digests.  OpenSSL fails here only without memory, which GLib does not survive, either.
 */
#include "plugins/storage-s3/crypto.h"

#include <glib.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "sdk/lib/checksum.h"
#include "sdk/lib/crc32c.h"

#include "sdk/lib/ban.h"

#define MD5_BYTES 16

struct bp_s3_digest {
    uint32_t kind;
    uint32_t crc;
    EVP_MD_CTX *sha;
};

static void
need(int fine)
{
    if (!fine) {
        g_error("a digest of OpenSSL failed");
    }
}

void
bp_s3_sha256(const void *bytes, size_t n, uint8_t out[BP_S3_SHA256])
{
    need(EVP_Digest(bytes, n, out, NULL, EVP_sha256(), NULL) == 1);
}

void
bp_s3_hex(const uint8_t *bytes, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * n] = '\0';
}

void
bp_s3_sha256_hex(const void *bytes, size_t n, char out[BP_S3_SHA256_HEX])
{
    uint8_t raw[BP_S3_SHA256];
    bp_s3_sha256(bytes, n, raw);
    bp_s3_hex(raw, sizeof(raw), out);
}

void
bp_s3_hmac(const void *key, size_t key_size, const void *bytes, size_t n, uint8_t out[BP_S3_SHA256])
{
    need(HMAC(EVP_sha256(), key, (int)key_size, bytes, n, out, NULL) != NULL);
}

char *
bp_s3_md5_base64(const void *bytes, size_t n)
{
    uint8_t raw[MD5_BYTES];
    /* By GLib: OpenSSL refuses MD5 on machines in FIPS mode, and here it is no secret's guard. */
    gsize size = sizeof(raw);
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_MD5);
    g_checksum_update(sum, bytes, (gssize)n);
    g_checksum_get_digest(sum, raw, &size);
    return g_base64_encode(raw, size);
}

struct bp_s3_digest *
bp_s3_digest_new(uint32_t kind)
{
    if (kind != BP_CHECKSUM_SHA256 && kind != BP_CHECKSUM_CRC32C) {
        return NULL;
    }
    struct bp_s3_digest *digest = g_new0(struct bp_s3_digest, 1);
    digest->kind = kind;
    if (kind == BP_CHECKSUM_SHA256) {
        digest->sha = EVP_MD_CTX_new();
        need(digest->sha != NULL && EVP_DigestInit_ex(digest->sha, EVP_sha256(), NULL) == 1);
    }
    return digest;
}

void
bp_s3_digest_add(struct bp_s3_digest *digest, const void *bytes, size_t n)
{
    if (digest->sha != NULL) {
        need(EVP_DigestUpdate(digest->sha, bytes, n) == 1);
    } else {
        digest->crc = bp_crc32c(digest->crc, bytes, n);
    }
}

void
bp_s3_digest_end(struct bp_s3_digest *digest, struct bp_checksum *out)
{
    if (digest->sha == NULL) {
        bp_crc32c_put(digest->crc, BP_CHECKSUM_BY_PLUGIN, out);
        return;
    }
    memset(out, 0, sizeof(*out));
    out->kind = digest->kind;
    out->by = BP_CHECKSUM_BY_PLUGIN;
    need(EVP_DigestFinal_ex(digest->sha, out->value, NULL) == 1);
}

void
bp_s3_digest_free(struct bp_s3_digest *digest)
{
    if (digest != NULL) {
        EVP_MD_CTX_free(digest->sha);
        g_free(digest);
    }
}

void
bp_s3_sum(uint32_t kind, const void *bytes, size_t n, struct bp_checksum *out)
{
    struct bp_s3_digest *digest = bp_s3_digest_new(kind);
    bp_s3_digest_add(digest, bytes, n);
    bp_s3_digest_end(digest, out);
    bp_s3_digest_free(digest);
}

char *
bp_s3_checksum_header(const struct bp_checksum *sum)
{
    g_autofree char *text = g_base64_encode(sum->value, bp_checksum_length(sum->kind));
    return g_strdup_printf("x-amz-checksum-%s: %s", bp_checksum_kind_name(sum->kind), text);
}

int
bp_s3_checksum_parse(const char *text, uint32_t kind, struct bp_checksum *out)
{
    gsize n = 0;
    if (text == NULL || *text == '\0') {
        return 0;
    }
    g_autofree guchar *raw = g_base64_decode(text, &n);
    if (raw == NULL || n != bp_checksum_length(kind)) {
        return 0;
    }
    /* One that is made of those of the parts has "-N" behind it, which decoding passes over. */
    g_autofree char *again = g_base64_encode(raw, n);
    if (strcmp(again, text) != 0) {
        return 0;
    }
    memset(out, 0, sizeof(*out));
    out->kind = kind;
    out->by = BP_CHECKSUM_BY_STORE;
    memcpy(out->value, raw, n);
    return 1;
}
