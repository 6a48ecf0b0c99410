/* SPDX-License-Identifier: Apache-2.0
 *
 * The body of main() of a Check program with one case.  Nothing of the core: for tests of sdk/ and
 * of plugins.
 */
#ifndef BP_TESTS_HARNESS_RUN_H
#define BP_TESTS_HARNESS_RUN_H

#include <check.h>
#include <stdlib.h>

/** Runs `tests` (ended by NULL), each between `setup` and `teardown` (may be NULL). */
static inline int
bp_test_run(const char *title, void (*setup)(void), void (*teardown)(void),
            const TTest *const *tests)
{
    Suite *suite = suite_create(title);
    TCase *tcase = tcase_create(title);
    tcase_set_timeout(tcase, 60); /* a busy machine makes a test slow, not wrong */
    tcase_add_checked_fixture(tcase, setup, teardown);
    for (; *tests != NULL; tests++) {
        tcase_add_test(tcase, *tests);
    }
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/** The whole main(). */
#define BP_TEST_MAIN(title, setup, teardown, ...)                                         \
    int main(void)                                                                        \
    {                                                                                     \
        return bp_test_run(title, setup, teardown, (const TTest *[]){__VA_ARGS__, NULL}); \
    }

#endif
