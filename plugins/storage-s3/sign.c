/* SPDX-License-Identifier: Apache-2.0
 *
 * Signature Version 4.
 */
#include "plugins/storage-s3/sign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sdk/lib/secret.h"

#include "sdk/lib/ban.h"

#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

const struct bp_s3_dialect bp_s3_dialect_aws = {
    .algorithm = "AWS4-HMAC-SHA256",
    .key_prefix = "AWS4",
    .terminator = "aws4_request",
    .service = "s3",
    .headers = "x-amz-",
};

/* docs.cloud.google.com/storage/docs/authentication/signatures */
const struct bp_s3_dialect bp_s3_dialect_goog = {
    .algorithm = "GOOG4-HMAC-SHA256",
    .key_prefix = "GOOG4",
    .terminator = "goog4_request",
    .service = "storage",
    .headers = "x-goog-",
};

const struct bp_s3_dialect bp_s3_dialect_sts = {
    .algorithm = "AWS4-HMAC-SHA256",
    .key_prefix = "AWS4",
    .terminator = "aws4_request",
    .service = "sts",
    .headers = "x-amz-",
};

void
bp_s3_stamp(int64_t seconds, char stamp[BP_S3_STAMP])
{
    struct tm parts = {0};
    time_t when = (time_t)seconds;
    if (gmtime_r(&when, &parts) == NULL ||
        strftime(stamp, BP_S3_STAMP, "%Y%m%dT%H%M%SZ", &parts) == 0) {
        (void)snprintf(stamp, BP_S3_STAMP, "19700101T000000Z"); /* refused as too old */
    }
}

void
bp_s3_encode(GString *out, const char *text, bool keep_slash)
{
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        if (g_ascii_isalnum(*c) || strchr("-._~", *c) != NULL || (keep_slash && *c == '/')) {
            g_string_append_c(out, (char)*c);
        } else {
            g_string_append_printf(out, "%%%02X", *c);
        }
    }
}

/* By name alone: ':' would sort behind the '-' of longer names. */
static int
compare_headers(const void *a, const void *b)
{
    const char *one = *(const char *const *)a, *other = *(const char *const *)b;
    size_t n = strcspn(one, ":"), m = strcspn(other, ":");
    int order = memcmp(one, other, MIN(n, m));
    return order != 0 ? order : (n > m) - (n < m);
}

/* By name, then by value: in the encoded form '=' would sort between the characters of names. */
static int
compare_pairs(const void *a, const void *b)
{
    const char *const *one = a, *const *other = b;
    int order = strcmp(one[0], other[0]);
    return order != 0 ? order : strcmp(one[1], other[1]);
}

char *
bp_s3_query(const GPtrArray *pairs)
{
    size_t n = pairs == NULL ? 0 : pairs->len / 2;
    g_autoptr(GPtrArray) encoded = g_ptr_array_new_with_free_func(g_free);
    for (size_t i = 0; i < 2 * n; i++) {
        const char *text = g_ptr_array_index(pairs, i);
        GString *part = g_string_new(NULL);
        bp_s3_encode(part, text == NULL ? "" : text, false);
        g_ptr_array_add(encoded, g_string_free(part, FALSE));
    }
    if (n > 0) {
        qsort(encoded->pdata, n, 2 * sizeof(void *), compare_pairs);
    }
    GString *query = g_string_new(NULL);
    for (size_t i = 0; i < n; i++) {
        g_string_append_printf(query, "%s%s=%s", i == 0 ? "" : "&",
                               (const char *)g_ptr_array_index(encoded, 2 * i),
                               (const char *)g_ptr_array_index(encoded, 2 * i + 1));
    }
    return g_string_free(query, FALSE);
}

/* "name:value\n": small letters, blanks at the ends cut off, runs of them made one. */
static char *
canonical_header(const char *line)
{
    const char *colon = strchr(line, ':');
    GString *out = g_string_new(NULL);
    for (const char *c = line; c < colon; c++) {
        g_string_append_c(out, g_ascii_tolower(*c));
    }
    g_string_append_c(out, ':');
    bool blank = false, any = false;
    for (const char *c = colon + 1; *c != '\0'; c++) {
        if (*c == ' ' || *c == '\t') {
            blank = any;
            continue;
        }
        if (blank) {
            g_string_append_c(out, ' ');
        }
        blank = false;
        any = true;
        g_string_append_c(out, *c);
    }
    g_string_append_c(out, '\n');
    return g_string_free(out, FALSE);
}

/* Canonical header lines into `text`, their names with ';' between into `names`. */
static void
canonical_headers(const struct bp_s3_signing *signing, const GPtrArray *headers, GString *text,
                  GString *names)
{
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(lines, g_strdup_printf("host:%s\n", signing->host));
    for (guint i = 0; i < headers->len; i++) {
        g_ptr_array_add(lines, canonical_header(g_ptr_array_index(headers, i)));
    }
    qsort(lines->pdata, lines->len, sizeof(void *), compare_headers);
    for (guint i = 0; i < lines->len; i++) {
        const char *line = g_ptr_array_index(lines, i);
        g_string_append(text, line);
        g_string_append_printf(names, "%s%.*s", i == 0 ? "" : ";", (int)strcspn(line, ":"), line);
    }
}

static void
derive_key(const struct bp_s3_signing *signing, uint8_t key[BP_S3_SHA256])
{
    const struct bp_s3_dialect *dialect = signing->dialect;
    g_autofree char *start = g_strconcat(dialect->key_prefix, signing->secret_key, NULL);
    bp_s3_hmac(start, strlen(start), signing->stamp, 8, key);
    bp_secret_wipe(start, strlen(start));
    bp_s3_hmac(key, BP_S3_SHA256, signing->region, strlen(signing->region), key);
    bp_s3_hmac(key, BP_S3_SHA256, dialect->service, strlen(dialect->service), key);
    bp_s3_hmac(key, BP_S3_SHA256, dialect->terminator, strlen(dialect->terminator), key);
}

static void
hmac_hex(const uint8_t key[BP_S3_SHA256], const char *text, char out[BP_S3_SHA256_HEX])
{
    uint8_t raw[BP_S3_SHA256];
    bp_s3_hmac(key, BP_S3_SHA256, text, strlen(text), raw);
    bp_s3_hex(raw, sizeof(raw), out);
}

void
bp_s3_sign(const struct bp_s3_signing *signing, GPtrArray *headers, struct bp_s3_seed *seed)
{
    const struct bp_s3_dialect *dialect = signing->dialect;
    struct bp_s3_seed own;
    char hash[BP_S3_SHA256_HEX];
    g_autoptr(GString) names = g_string_new(NULL);
    g_autoptr(GString) request = g_string_new(NULL);
    seed = seed != NULL ? seed : &own;

    g_ptr_array_add(headers, g_strdup_printf("%sdate: %s", dialect->headers, signing->stamp));
    g_ptr_array_add(headers,
                    g_strdup_printf("%scontent-sha256: %s", dialect->headers, signing->payload));
    g_string_append_printf(request, "%s\n%s\n%s\n", signing->method, signing->path, signing->query);
    canonical_headers(signing, headers, request, names);
    g_string_append_printf(request, "\n%s\n%s", names->str, signing->payload);
    bp_s3_sha256_hex(request->str, request->len, hash);

    (void)snprintf(seed->scope, sizeof(seed->scope), "%s\n%.8s/%s/%s/%s", signing->stamp,
                   signing->stamp, signing->region, dialect->service, dialect->terminator);
    derive_key(signing, seed->key);
    g_autofree char *to_sign = g_strdup_printf("%s\n%s\n%s", dialect->algorithm, seed->scope, hash);
    hmac_hex(seed->key, to_sign, seed->previous);
    g_ptr_array_add(headers,
                    g_strdup_printf("Authorization: %s Credential=%s/%s, "
                                    "SignedHeaders=%s, Signature=%s",
                                    dialect->algorithm, signing->access_key,
                                    seed->scope + BP_S3_STAMP, names->str, seed->previous));
    bp_secret_wipe(&own, sizeof(own));
}

void
bp_s3_sign_chunk(struct bp_s3_seed *seed, const void *bytes, size_t n)
{
    char hash[BP_S3_SHA256_HEX];
    bp_s3_sha256_hex(bytes, n, hash);
    g_autofree char *to_sign =
        g_strdup_printf("AWS4-HMAC-SHA256-PAYLOAD\n%s\n%s\n" EMPTY_SHA256 "\n%s", seed->scope,
                        seed->previous, hash);
    hmac_hex(seed->key, to_sign, seed->previous);
}

void
bp_s3_sign_trailer(struct bp_s3_seed *seed, const char *line)
{
    char hash[BP_S3_SHA256_HEX];
    bp_s3_sha256_hex(line, strlen(line), hash);
    g_autofree char *to_sign =
        g_strdup_printf("AWS4-HMAC-SHA256-TRAILER\n%s\n%s\n%s", seed->scope, seed->previous, hash);
    hmac_hex(seed->key, to_sign, seed->previous);
}
