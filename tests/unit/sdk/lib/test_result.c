/* SPDX-License-Identifier: Apache-2.0
 *
 * sdk/lib/result: no byte beyond what both sides know, and bp_fail keeps to it.
 */
#include "sdk/lib/result.h"

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/lib/errors.h"

struct older {
    uint32_t struct_size;
    uint32_t a;
    unsigned char behind[8];
};

START_TEST(test_clear__caller_knows_less)
{
    struct older result = {.struct_size = 8, .a = 7};
    memset(result.behind, 0xA5, sizeof(result.behind));
    bp_result_clear(&result, 16);
    ck_assert_uint_eq(result.struct_size, 8);
    ck_assert_uint_eq(result.a, 0);
    ck_assert_uint_eq(result.behind[0], 0xA5);
}
END_TEST

START_TEST(test_clear__caller_knows_more)
{
    struct older result = {.struct_size = 16, .a = 7};
    memset(result.behind, 0xA5, sizeof(result.behind));
    bp_result_clear(&result, 8);
    ck_assert_uint_eq(result.struct_size, 16);
    ck_assert_uint_eq(result.a, 0);
    ck_assert_uint_eq(result.behind[0], 0xA5);
}
END_TEST

START_TEST(test_clear__without_a_size)
{
    struct older result = {.struct_size = 0, .a = 7};
    bp_result_clear(&result, 16);
    ck_assert_uint_eq(result.a, 7);
}
END_TEST

START_TEST(test_copy__no_more_than_both_know)
{
    struct older to = {.struct_size = 8}, from = {.struct_size = 16, .a = 7};
    memset(to.behind, 0xA5, sizeof(to.behind));
    bp_result_copy(&to, &from);
    ck_assert_uint_eq(to.struct_size, 8);
    ck_assert_uint_eq(to.a, 7);
    ck_assert_uint_eq(to.behind[0], 0xA5);
    to.struct_size = 16;
    from.struct_size = 8;
    bp_result_copy(&to, &from);
    ck_assert_uint_eq(to.struct_size, 16);
    ck_assert_uint_eq(to.behind[0], 0xA5);
}
END_TEST

/* As an older host would have it: shorter than ours. */
START_TEST(test_fail__stays_within_the_size)
{
    struct {
        struct bp_error error;
        unsigned char behind[16];
    } it;
    memset(&it, 0xA5, sizeof(it));
    it.error.struct_size = (uint32_t)sizeof(it.error);
    ck_assert_int_eq(bp_fail(&it.error, BP_ERR_DENIED, "no"), BP_ERR_DENIED);
    ck_assert_str_eq(it.error.message, "no");
    ck_assert_str_eq(it.error.request_id, "");
    ck_assert_uint_eq(it.error.flags, 0);
    ck_assert_uint_eq(it.behind[0], 0xA5);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("sdk/lib/result");
    TCase *tcase = tcase_create("result");
    tcase_add_test(tcase, test_clear__caller_knows_less);
    tcase_add_test(tcase, test_clear__caller_knows_more);
    tcase_add_test(tcase, test_clear__without_a_size);
    tcase_add_test(tcase, test_copy__no_more_than_both_know);
    tcase_add_test(tcase, test_fail__stays_within_the_size);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
