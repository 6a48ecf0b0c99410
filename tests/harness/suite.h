/* SPDX-License-Identifier: Apache-2.0
 *
 * The main() of a Check program with one case, and what nearly every test of errors says.
 */
#ifndef BP_TESTS_HARNESS_SUITE_H
#define BP_TESTS_HARNESS_SUITE_H

#include <check.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/init.h"

/** Runs `tests` (ended by NULL), each between `setup` and `teardown` (may be NULL). */
static inline int
test_run_suite(const char *title, void (*setup)(void), void (*teardown)(void),
               const TTest *const *tests)
{
    bp_base_init();
    Suite *suite = suite_create(title);
    TCase *tcase = tcase_create(title);
    tcase_set_timeout(tcase, 60); /* a busy disk makes a test slow, not wrong */
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

#define RUN_SUITE(title, setup, teardown, ...) \
    test_run_suite(title, setup, teardown, (const TTest *[]){__VA_ARGS__, NULL})

/** The error is of this class, and its message contains this text; then it is cleared. */
#define ASSERT_ERROR(error, wanted_class, text)                                             \
    do {                                                                                    \
        ck_assert_msg((error) != NULL, "no error where \"%s\" was expected", text);         \
        ck_assert_msg(bp_error_class(error) == (wanted_class) &&                            \
                          strstr((error)->message, (text)) != NULL,                         \
                      "class %d, message \"%s\"", bp_error_class(error), (error)->message); \
        g_clear_error(&(error));                                                            \
    } while (0)

/** A call succeeded, else its message is shown. */
#define ASSERT_FINE(result, error) \
    ck_assert_msg((result), "failed: %s", (error) != NULL ? (error)->message : "without an error")

#endif
