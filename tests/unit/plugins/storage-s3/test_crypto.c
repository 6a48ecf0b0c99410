/* SPDX-License-Identifier: Apache-2.0
 *
 * storage-s3: digests.
 */
#include "plugins/storage-s3/crypto.h"

#include "sdk/lib/checksum.h"
#include "tests/unit/plugins/storage-s3/s3_test.h"

START_TEST(test_digest__as_text)
{
    static const struct {
        uint32_t kind;
        const char *hex, *header;
    } cases[] = {
        {BP_CHECKSUM_CRC32C, "e3069283", "x-amz-checksum-crc32c: 4waSgw=="},
        {BP_CHECKSUM_SHA256, "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
         "x-amz-checksum-sha256: FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        char hex[BP_CHECKSUM_HEX_MAX];
        struct bp_checksum sum, parsed;
        struct bp_s3_digest *digest = bp_s3_digest_new(cases[i].kind);
        bp_s3_digest_add(digest, "1234", 4);
        bp_s3_digest_add(digest, "56789", 5);
        bp_s3_digest_end(digest, &sum);
        bp_s3_digest_free(digest);
        bp_checksum_to_hex(&sum, hex);
        ck_assert_str_eq(hex, cases[i].hex);
        g_autofree char *header = bp_s3_checksum_header(&sum);
        ck_assert_str_eq(header, cases[i].header);
        ck_assert(bp_s3_checksum_parse(strchr(header, ' ') + 1, cases[i].kind, &parsed));
        ck_assert(bp_checksum_equal(&sum, &parsed));
        ck_assert_uint_eq(parsed.by, BP_CHECKSUM_BY_STORE);
    }
    ck_assert_ptr_null(bp_s3_digest_new(BP_CHECKSUM_XXH3_128));
}
END_TEST

START_TEST(test_checksum_parse__refuses)
{
    struct bp_checksum sum;
    ck_assert(!bp_s3_checksum_parse(NULL, BP_CHECKSUM_CRC32C, &sum));
    ck_assert(!bp_s3_checksum_parse("", BP_CHECKSUM_CRC32C, &sum));
    ck_assert(!bp_s3_checksum_parse("4waSg3==x", BP_CHECKSUM_SHA256, &sum));
    ck_assert(bp_s3_checksum_parse("yZRlqg==", BP_CHECKSUM_CRC32C, &sum));
    ck_assert(!bp_s3_checksum_parse("yZRlqg==-2", BP_CHECKSUM_CRC32C, &sum));
    ck_assert(!bp_s3_checksum_parse("yZRlqg==-12", BP_CHECKSUM_CRC32C, &sum));
}
END_TEST

START_TEST(test_md5__base64)
{
    g_autofree char *md5 = bp_s3_md5_base64("123456789", 9);
    ck_assert_str_eq(md5, "JfnnlDI7RTiF9RgfG2JNCw==");
}
END_TEST

ST_MAIN("storage-s3 crypto", test_digest__as_text, test_checksum_parse__refuses, test_md5__base64)
