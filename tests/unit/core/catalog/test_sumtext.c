/* SPDX-License-Identifier: Apache-2.0
 *
 * core/catalog/sumtext: checksums as words, there and back.
 */
#include "core/catalog/sumtext.h"

#include "sdk/lib/checksum.h"
#include "tests/harness/suite.h"

START_TEST(test_hash__known_value)
{
    struct bp_checksum sum;
    bp_sumtext_hash("", 0, &sum);
    g_autofree char *text = bp_sumtext_dup(&sum);
    ck_assert_str_eq(text, "xxh3-128:host:99aa06d3014798d86001c324468d497f");
}
END_TEST

START_TEST(test_digest__equals_hash)
{
    struct bp_checksum whole, pieces;
    bp_sumtext_hash("bakplane", 8, &whole);
    XXH3_state_t *state = XXH3_createState();
    XXH3_128bits_reset(state);
    XXH3_128bits_update(state, "bak", 3);
    XXH3_128bits_update(state, "plane", 5);
    bp_sumtext_digest(state, &pieces);
    XXH3_freeState(state);
    ck_assert(bp_checksum_equal(&whole, &pieces));
}
END_TEST

START_TEST(test_parse__round_trip_of_every_kind)
{
    for (uint32_t kind = BP_CHECKSUM_XXH3_128; kind <= BP_CHECKSUM_MD5; kind++) {
        for (uint32_t by = BP_CHECKSUM_BY_HOST; by <= BP_CHECKSUM_BY_STORE; by++) {
            struct bp_checksum sum = {.kind = kind, .by = by};
            memset(sum.value, (int)(kind * 16 + by), bp_checksum_length(kind));
            g_autofree char *text = bp_sumtext_dup(&sum);
            struct bp_checksum back = {0};
            ck_assert(bp_sumtext_parse(text, &back));
            ck_assert_mem_eq(&sum, &back, sizeof sum);
        }
    }
}
END_TEST

START_TEST(test_parse__none)
{
    struct bp_checksum none = {.kind = 7};
    ck_assert_ptr_null(bp_sumtext_dup(&none));
    ck_assert(bp_sumtext_parse(NULL, &none));
    ck_assert_uint_eq(none.kind, BP_CHECKSUM_NONE);
    ck_assert_ptr_null(bp_sumtext_dup(&none));
}
END_TEST

START_TEST(test_parse__refuses)
{
    static const char *const bad[] = {
        "",
        "crc32c",
        "crc32c:host",
        "crc32c:host:",
        "crc32c:host:0102030",
        "crc32c:host:010203045",
        "crc32c:host:0102030g",
        "crc32c:host:01020304:x",
        "crc32c:nobody:01020304",
        "crc33:host:01020304",
        "none:host:",
        ":::",
    };
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        struct bp_checksum sum;
        ck_assert_msg(!bp_sumtext_parse(bad[i], &sum), "%s", bad[i]);
    }
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/catalog/sumtext", NULL, NULL, test_hash__known_value,
                     test_digest__equals_hash, test_parse__round_trip_of_every_kind,
                     test_parse__none, test_parse__refuses);
}
