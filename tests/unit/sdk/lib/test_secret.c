/* SPDX-License-Identifier: Apache-2.0
 *
 * sdk/lib/secret.  That freed memory is wiped cannot be read back without undefined behaviour;
 * what is tested is the wiping that free uses.
 */
#include "sdk/lib/secret.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

START_TEST(test_new__copies)
{
    char text[] = "hunter2";
    bp_secret *secret = bp_secret_new(text);
    bp_secret_wipe(text, sizeof(text));
    ck_assert_str_eq(bp_secret_get(secret), "hunter2");
    bp_secret_free(secret);
}
END_TEST

START_TEST(test_null__is_fine)
{
    ck_assert_ptr_null(bp_secret_new(NULL));
    ck_assert_str_eq(bp_secret_get(NULL), "");
    bp_secret_free(NULL);
}
END_TEST

START_TEST(test_wipe__zeroes_all)
{
    static const char zero[16];
    char text[16];
    memset(text, 'x', sizeof(text));
    bp_secret_wipe(text, sizeof(text));
    ck_assert_mem_eq(text, zero, sizeof(zero));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("sdk/lib/secret");
    TCase *tcase = tcase_create("secret");
    tcase_add_test(tcase, test_new__copies);
    tcase_add_test(tcase, test_null__is_fine);
    tcase_add_test(tcase, test_wipe__zeroes_all);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
