/* SPDX-License-Identifier: Apache-2.0
 *
 * sdk/lib/parse: values, units, overflow.
 */
#include "sdk/lib/parse.h"

#include <check.h>
#include <stdlib.h>

#define N(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
    const char *text;
    uint64_t value;
} sizes[] = {
    {"0", 0},
    {"4096", 4096},
    {"7B", 7},
    {"500k", 512000},
    {"500kB", 500000},
    {"64MiB", 67108864},
    {"64mib", 67108864},
    {"1M", 1048576},
    {"3MB", 3000000},
    {"1G", 1073741824},
    {"2GiB", 2147483648},
    {"2GB", 2000000000},
    {"1T", UINT64_C(1099511627776)},
    {"1TB", UINT64_C(1000000000000)},
    {"16777215TiB", UINT64_C(16777215) << 40},
    {"18446744073709551615", UINT64_MAX},
};

static const char *const bad_sizes[] = {
    "",
    "M",
    "-1",
    "+1",
    "1.5G",
    " 1",
    "1 ",
    "1 M",
    "1Mi",
    "1X",
    "0x10",
    "18446744073709551616",
    "16777216TiB",
    "99999999999999999999999",
};

static const struct {
    const char *text;
    uint64_t value;
} durations[] = {
    {"0", 0},       {"250", 250},    {"250ms", 250},    {"30s", 30000},
    {"5m", 300000}, {"2h", 7200000}, {"7d", 604800000}, {"7D", 604800000},
};

static const char *const bad_durations[] = {"",     "s",    "-1s", "1w",
                                            "1.5s", "1s30", "ms",  "213503982335d"};

START_TEST(test_size__good)
{
    uint64_t value = 1;
    ck_assert_int_eq(bp_parse_size(sizes[_i].text, &value), 0);
    ck_assert_uint_eq(value, sizes[_i].value);
}
END_TEST

START_TEST(test_size__bad_leaves_out_alone)
{
    uint64_t value = 77;
    ck_assert_int_eq(bp_parse_size(bad_sizes[_i], &value), -1);
    ck_assert_uint_eq(value, 77);
}
END_TEST

START_TEST(test_duration__good)
{
    uint64_t value = 1;
    ck_assert_int_eq(bp_parse_duration_ms(durations[_i].text, &value), 0);
    ck_assert_uint_eq(value, durations[_i].value);
}
END_TEST

START_TEST(test_duration__bad_leaves_out_alone)
{
    uint64_t value = 77;
    ck_assert_int_eq(bp_parse_duration_ms(bad_durations[_i], &value), -1);
    ck_assert_uint_eq(value, 77);
}
END_TEST

START_TEST(test_i64__limits_and_signs)
{
    int64_t value = 5;
    ck_assert_int_eq(bp_parse_i64("-9223372036854775808", &value), 0);
    ck_assert(value == INT64_MIN);
    ck_assert_int_eq(bp_parse_i64("9223372036854775807", &value), 0);
    ck_assert(value == INT64_MAX);
    ck_assert_int_eq(bp_parse_i64("+12", &value), 0);
    ck_assert_int_eq(value, 12);
    ck_assert_int_eq(bp_parse_i64("-0", &value), 0);
    ck_assert_int_eq(value, 0);
    static const char *const bad[] = {
        "", "-", "+", "--1", "1-", "0x1", "-9223372036854775809", "9223372036854775808"};
    for (size_t i = 0; i < N(bad); i++) {
        ck_assert_msg(bp_parse_i64(bad[i], &value) == -1, "\"%s\"", bad[i]);
        ck_assert_int_eq(value, 0);
    }
}
END_TEST

START_TEST(test_u64__no_sign_no_rest)
{
    uint64_t value = 5;
    ck_assert_int_eq(bp_parse_u64("00010", &value), 0);
    ck_assert_uint_eq(value, 10);
    static const char *const bad[] = {"", "-1", "+1", "1k", " 1", "18446744073709551616"};
    for (size_t i = 0; i < N(bad); i++) {
        ck_assert_msg(bp_parse_u64(bad[i], &value) == -1, "\"%s\"", bad[i]);
        ck_assert_uint_eq(value, 10);
    }
}
END_TEST

START_TEST(test_bool__words)
{
    static const char *const yes[] = {"true", "TRUE", "yes", "On", "1"};
    static const char *const no[] = {"false", "False", "no", "off", "0"};
    static const char *const bad[] = {"", "2", "tru", "truee", "y", "n"};
    bool value;
    for (size_t i = 0; i < N(yes); i++) {
        value = false;
        ck_assert_int_eq(bp_parse_bool(yes[i], &value), 0);
        ck_assert(value);
        ck_assert_int_eq(bp_parse_bool(no[i], &value), 0);
        ck_assert(!value);
    }
    for (size_t i = 0; i < N(bad); i++) {
        ck_assert_msg(bp_parse_bool(bad[i], &value) == -1, "\"%s\"", bad[i]);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("sdk/lib/parse");
    TCase *tcase = tcase_create("parse");
    tcase_add_loop_test(tcase, test_size__good, 0, N(sizes));
    tcase_add_loop_test(tcase, test_size__bad_leaves_out_alone, 0, N(bad_sizes));
    tcase_add_loop_test(tcase, test_duration__good, 0, N(durations));
    tcase_add_loop_test(tcase, test_duration__bad_leaves_out_alone, 0, N(bad_durations));
    tcase_add_test(tcase, test_i64__limits_and_signs);
    tcase_add_test(tcase, test_u64__no_sign_no_rest);
    tcase_add_test(tcase, test_bool__words);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
