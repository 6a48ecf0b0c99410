/* SPDX-License-Identifier: Apache-2.0
 *
 * sdk/testkit/options: kinds, and which checks --only names.
 */
#include "sdk/testkit/options.h"

#include <check.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 8

/* getopt wants words that it may turn around; they live as long as what points to them. */
static bool
parse(struct bp_kit_options *options, const char *const *words)
{
    static char texts[WORDS_MAX][64];
    char *argv[WORDS_MAX + 1] = {NULL};
    int argc = 0, exit_code = -1;
    for (; words[argc] != NULL && argc < WORDS_MAX; argc++) {
        ck_assert_uint_lt(strlen(words[argc]), sizeof texts[argc]);
        memcpy(texts[argc], words[argc], strlen(words[argc]) + 1);
        argv[argc] = texts[argc];
    }
    optind = 0; /* anew */
    return bp_kit_options_parse(options, argc, argv, &exit_code);
}

START_TEST(test_parse__kind_of_the_file)
{
    struct bp_kit_options options;
    const char *const source[] = {"kit", "/x/bakplane-source-y.so", "--config", "f", NULL};
    const char *const storage[] = {"kit", "other.so", "--config", "f", NULL};
    ck_assert(parse(&options, source));
    ck_assert_int_eq(options.kind, BP_KIT_SOURCE);
    ck_assert(parse(&options, storage));
    ck_assert_int_eq(options.kind, BP_KIT_STORAGE);
}
END_TEST

START_TEST(test_parse__kind_wins_over_the_file)
{
    struct bp_kit_options options;
    const char *const argv[] = {"kit", "bakplane-source-y.so", "--config", "f", "--kind", "storage",
                                NULL};
    ck_assert(parse(&options, argv));
    ck_assert_int_eq(options.kind, BP_KIT_STORAGE);
}
END_TEST

START_TEST(test_parse__timeout)
{
    struct bp_kit_options options;
    const char *const argv[] = {"kit", "--list", "--timeout", "2m", NULL};
    ck_assert(parse(&options, argv));
    ck_assert_uint_eq(options.timeout_s, 120);
}
END_TEST

START_TEST(test_want__names_and_patterns)
{
    struct bp_kit_options options = {.only = "list.pages,write.*"};
    ck_assert(bp_kit_options_want(&options, "list.pages"));
    ck_assert(bp_kit_options_want(&options, "write.sizes"));
    ck_assert(!bp_kit_options_want(&options, "list.prefix"));
    ck_assert(!bp_kit_options_want(&options, "list.pages2"));
}
END_TEST

START_TEST(test_want__all_without_only)
{
    struct bp_kit_options options = {.only = NULL};
    ck_assert(bp_kit_options_want(&options, "list.prefix"));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("testkit options");
    TCase *tcase = tcase_create("all");
    tcase_add_test(tcase, test_parse__kind_of_the_file);
    tcase_add_test(tcase, test_parse__kind_wins_over_the_file);
    tcase_add_test(tcase, test_parse__timeout);
    tcase_add_test(tcase, test_want__names_and_patterns);
    tcase_add_test(tcase, test_want__all_without_only);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
