/* SPDX-License-Identifier: Apache-2.0
 *
 * sdk/lib/hostlog and settings: both only talk to the host table.
 */
#include "sdk/lib/hostlog.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/lib/settings.h"

static char last_line[2048];
static unsigned lines;

static void
take_line(const struct bp_op *op, int32_t level, const char *message)
{
    (void)op;
    (void)level;
    lines++;
    snprintf(last_line, sizeof(last_line), "%s", message);
    errno = EBADF;
}

static int32_t
only_info(const struct bp_op *op, int32_t level)
{
    (void)op;
    return level <= BP_LOG_INFO;
}

static const char *
get_setting(const struct bp_config *config, const char *key)
{
    static const char *const values[][2] = {{"text", "abc"},  {"size", "67108864"}, {"limit", "-3"},
                                            {"link", "true"}, {"odd", "64 MiB"},    {NULL, NULL}};
    (void)config;
    for (size_t i = 0; values[i][0] != NULL; i++) {
        if (strcmp(values[i][0], key) == 0) {
            return values[i][1];
        }
    }
    return NULL;
}

static const struct bp_host host = {
    .struct_size = sizeof(host),
    .log = take_line,
    .log_enabled = only_info,
    .config_get = get_setting,
};

START_TEST(test_hostlog__formats_and_keeps_errno)
{
    lines = 0;
    errno = ENOENT;
    bp_hostlog(&host, NULL, BP_LOG_WARN, "object %s: %d", "k", 3);
    ck_assert_int_eq(errno, ENOENT);
    ck_assert_uint_eq(lines, 1);
    ck_assert_str_eq(last_line, "object k: 3");
}
END_TEST

START_TEST(test_hostlog__silent_when_nobody_listens)
{
    lines = 0;
    bp_hostlog(&host, NULL, BP_LOG_DEBUG, "object %s", "k");
    ck_assert_uint_eq(lines, 0);
}
END_TEST

START_TEST(test_hostlog__cuts_long_lines)
{
    char longer[1500];
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    bp_hostlog(&host, NULL, BP_LOG_INFO, "%s", longer);
    ck_assert_uint_eq(strlen(last_line), 1023);
}
END_TEST

START_TEST(test_settings__typed)
{
    ck_assert_str_eq(bp_setting_text(&host, NULL, "text"), "abc");
    ck_assert_ptr_null(bp_setting_text(&host, NULL, "none"));
    ck_assert_uint_eq(bp_setting_u64(&host, NULL, "size", 1), 67108864);
    ck_assert_int_eq(bp_setting_i64(&host, NULL, "limit", 1), -3);
    ck_assert(bp_setting_bool(&host, NULL, "link", false));
}
END_TEST

START_TEST(test_settings__fallback)
{
    ck_assert_uint_eq(bp_setting_u64(&host, NULL, "none", 9), 9);
    ck_assert_uint_eq(bp_setting_u64(&host, NULL, "odd", 9), 9);
    ck_assert_int_eq(bp_setting_i64(&host, NULL, "none", -9), -9);
    ck_assert(bp_setting_bool(&host, NULL, "none", true));
    ck_assert(!bp_setting_bool(&host, NULL, "none", false));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("sdk/lib/hostlog");
    TCase *tcase = tcase_create("hostlog and settings");
    tcase_add_test(tcase, test_hostlog__formats_and_keeps_errno);
    tcase_add_test(tcase, test_hostlog__silent_when_nobody_listens);
    tcase_add_test(tcase, test_hostlog__cuts_long_lines);
    tcase_add_test(tcase, test_settings__typed);
    tcase_add_test(tcase, test_settings__fallback);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
