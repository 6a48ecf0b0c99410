/* SPDX-License-Identifier: Apache-2.0
 *
 * core/daemon/options
 */
#include "core/daemon/options.h"

#include "tests/harness/suite.h"

static bp_daemon_options options;

/* Words are separated by blanks. */
static bool
parse(const char *line, GError **error)
{
    g_autofree char *full = g_strconcat("bakplane-server ", line, NULL);
    g_auto(GStrv) words = g_strsplit(g_strchomp(full), " ", -1);
    bp_daemon_options_clear(&options);
    return bp_daemon_options_parse((int)g_strv_length(words), words, &options, error);
}

static void
teardown(void)
{
    bp_daemon_options_clear(&options);
}

START_TEST(test_parse__nothing_is_fine)
{
    g_autoptr(GError) error = NULL;
    ASSERT_FINE(parse("", &error), error);
    ck_assert_ptr_null(options.config);
    ck_assert_ptr_null(options.sets);
    ck_assert_ptr_null(options.port);
    ck_assert(!options.insecure && !options.quiet && !options.version);
    ck_assert_int_eq(options.verbose, 0);
}
END_TEST

START_TEST(test_parse__everything)
{
    g_autoptr(GError) error = NULL;
    ASSERT_FINE(parse("--config=/c --set a=1 --set b=2 -p 81 --insecure --dialect d -v --verbose "
                      "--log-format json",
                      &error),
                error);
    ck_assert_str_eq(options.config, "/c");
    ck_assert_str_eq(options.sets[1], "b=2");
    ck_assert_ptr_null(options.sets[2]);
    ck_assert_str_eq(options.port, "81");
    ck_assert_str_eq(options.dialect, "d");
    ck_assert_str_eq(options.log_format, "json");
    ck_assert(options.insecure);
    ck_assert_int_eq(options.verbose, 2);
}
END_TEST

/* "" means no file, which is something else than none being named. */
START_TEST(test_parse__no_file)
{
    g_autoptr(GError) error = NULL;
    ASSERT_FINE(parse("--config=", &error), error);
    ck_assert_str_eq(options.config, "");
}
END_TEST

START_TEST(test_parse__refused)
{
    g_autoptr(GError) error = NULL;
    ck_assert(!parse("--token x", &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "--help shows what may be given");
    ck_assert(!parse("--port", &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "--port");
    ck_assert(!parse("start", &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "unexpected word 'start'");
}
END_TEST

int
main(void)
{
    return RUN_SUITE("daemon/options", NULL, teardown, test_parse__nothing_is_fine,
                     test_parse__everything, test_parse__no_file, test_parse__refused);
}
