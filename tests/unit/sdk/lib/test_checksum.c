/* SPDX-License-Identifier: Apache-2.0
 *
 * sdk/lib/checksum: hex, names, comparison.
 */
#include "sdk/lib/checksum.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    uint32_t kind;
    const char *name, *hex;
} samples[] = {
    {BP_CHECKSUM_XXH3_128, "xxh3-128", "00112233445566778899aabbccddeeff"},
    {BP_CHECKSUM_SHA256, "sha256",
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {BP_CHECKSUM_CRC32C, "crc32c", "deadbeef"},
    {BP_CHECKSUM_MD5, "md5", "d41d8cd98f00b204e9800998ecf8427e"},
};

START_TEST(test_hex__round_trip)
{
    struct bp_checksum sum;
    char hex[BP_CHECKSUM_HEX_MAX];
    ck_assert_int_eq(
        bp_checksum_from_hex(&sum, samples[_i].kind, BP_CHECKSUM_BY_STORE, samples[_i].hex), 0);
    ck_assert_uint_eq(sum.kind, samples[_i].kind);
    ck_assert_uint_eq(sum.by, BP_CHECKSUM_BY_STORE);
    bp_checksum_to_hex(&sum, hex);
    ck_assert_str_eq(hex, samples[_i].hex);
    ck_assert_uint_eq(bp_checksum_length(sum.kind) * 2, strlen(hex));
}
END_TEST

START_TEST(test_kind__name_and_back)
{
    uint32_t kind = 99;
    ck_assert_str_eq(bp_checksum_kind_name(samples[_i].kind), samples[_i].name);
    ck_assert_int_eq(bp_checksum_kind_parse(samples[_i].name, &kind), 0);
    ck_assert_uint_eq(kind, samples[_i].kind);
}
END_TEST

START_TEST(test_hex__malformed_is_refused)
{
    struct bp_checksum sum;
    ck_assert_int_eq(bp_checksum_from_hex(&sum, BP_CHECKSUM_CRC32C, 1, "deadbee"), -1);
    ck_assert_int_eq(bp_checksum_from_hex(&sum, BP_CHECKSUM_CRC32C, 1, "deadbeef0"), -1);
    ck_assert_int_eq(bp_checksum_from_hex(&sum, BP_CHECKSUM_CRC32C, 1, "deadbeeg"), -1);
    ck_assert_int_eq(bp_checksum_from_hex(&sum, BP_CHECKSUM_NONE, 1, ""), -1);
    ck_assert_int_eq(bp_checksum_from_hex(&sum, 99, 1, ""), -1);
    ck_assert_uint_eq(sum.kind, BP_CHECKSUM_NONE);
    ck_assert_int_eq(bp_checksum_from_hex(&sum, BP_CHECKSUM_CRC32C, 1, "DEADBEEF"), 0);
}
END_TEST

START_TEST(test_equal__only_known_and_same)
{
    struct bp_checksum a, b, none = {0};
    bp_checksum_from_hex(&a, BP_CHECKSUM_CRC32C, BP_CHECKSUM_BY_HOST, "deadbeef");
    bp_checksum_from_hex(&b, BP_CHECKSUM_CRC32C, BP_CHECKSUM_BY_STORE, "deadbeef");
    ck_assert(bp_checksum_equal(&a, &b));
    b.value[3] ^= 1;
    ck_assert(!bp_checksum_equal(&a, &b));
    b.value[3] ^= 1;
    b.value[4] = 1; /* beyond the kind's length */
    ck_assert(bp_checksum_equal(&a, &b));
    b.kind = BP_CHECKSUM_MD5;
    ck_assert(!bp_checksum_equal(&a, &b));
    ck_assert(!bp_checksum_equal(&none, &none));
}
END_TEST

START_TEST(test_kind__unknown)
{
    uint32_t kind = 99;
    struct bp_checksum none = {0};
    char hex[BP_CHECKSUM_HEX_MAX] = "x";
    ck_assert_ptr_null(bp_checksum_kind_name(99));
    ck_assert_uint_eq(bp_checksum_length(99), 0);
    ck_assert_int_eq(bp_checksum_kind_parse("sha1", &kind), -1);
    ck_assert_uint_eq(kind, 99);
    ck_assert_str_eq(bp_checksum_kind_name(BP_CHECKSUM_NONE), "none");
    bp_checksum_to_hex(&none, hex);
    ck_assert_str_eq(hex, "");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("sdk/lib/checksum");
    TCase *tcase = tcase_create("checksum");
    int n = sizeof(samples) / sizeof(samples[0]);
    tcase_add_loop_test(tcase, test_hex__round_trip, 0, n);
    tcase_add_loop_test(tcase, test_kind__name_and_back, 0, n);
    tcase_add_test(tcase, test_hex__malformed_is_refused);
    tcase_add_test(tcase, test_equal__only_known_and_same);
    tcase_add_test(tcase, test_kind__unknown);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
