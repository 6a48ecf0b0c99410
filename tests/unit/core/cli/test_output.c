/* SPDX-License-Identifier: Apache-2.0
 *
 * core/cli/output: who gets colors and bars, and results that cannot be written.
 */
#include "core/cli/output.h"

#include <fcntl.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/log.h"

#include "out_fixture.h"

static const struct {
    bp_output_facts facts;
    bp_output_wishes wishes;
    bp_progress_style progress;
    bool color_stdout, color_stderr;
} decisions[] = {
    /* A person at a terminal. */
    {{true, true, "xterm", NULL}, {NULL, false}, BP_PROGRESS_BAR, true, true},
    {{true, true, "xterm", ""}, {"auto", false}, BP_PROGRESS_BAR, true, true},
    {{true, true, "xterm", "1"}, {NULL, false}, BP_PROGRESS_BAR, false, false},
    {{true, true, "xterm", NULL}, {NULL, true}, BP_PROGRESS_NONE, true, true},
    /* The result goes into a pipe. */
    {{false, true, "xterm", NULL}, {NULL, false}, BP_PROGRESS_BAR, false, true},
    /* cron, or a terminal that cannot do anything. */
    {{false, false, NULL, NULL}, {NULL, false}, BP_PROGRESS_LINES, false, false},
    {{true, true, "dumb", NULL}, {NULL, false}, BP_PROGRESS_LINES, false, false},
    {{true, true, NULL, NULL}, {"bar", false}, BP_PROGRESS_LINES, false, false},
    /* Asked for. */
    {{true, true, "xterm", NULL}, {"plain", false}, BP_PROGRESS_LINES, true, true},
    {{true, true, "xterm", NULL}, {"json", true}, BP_PROGRESS_JSON, true, true},
    {{false, false, "xterm", NULL}, {"none", false}, BP_PROGRESS_NONE, false, false},
};

START_TEST(test_bp_output_decide__table)
{
    bp_output out;
    ck_assert(bp_output_decide(&decisions[_i].facts, &decisions[_i].wishes, &out, NULL));
    ck_assert_int_eq(out.progress, decisions[_i].progress);
    ck_assert(out.color_stdout == decisions[_i].color_stdout);
    ck_assert(out.color_stderr == decisions[_i].color_stderr);
}
END_TEST

START_TEST(test_bp_output_decide__unknown_style)
{
    bp_output_facts facts = {0};
    bp_output_wishes wishes = {.progress = "fancy"};
    bp_output out;
    GError *error = NULL;
    ck_assert(!bp_output_decide(&facts, &wishes, &out, &error));
    ck_assert_int_eq(bp_error_class(error), BP_ERR_INVALID);
    ck_assert_str_eq(error->message, "--progress=fancy: there is no such style\nhint: styles are "
                                     "auto, bar, plain, json, none");
    g_error_free(error);
}
END_TEST

START_TEST(test_bp_output_write__a_full_disk_is_a_failure)
{
    FILE *full = fopen("/dev/full", "w");
    ck_assert_ptr_nonnull(full);
    GError *error = NULL;
    ck_assert(!bp_output_write(full, "result\n", &error));
    fclose(full);
    ck_assert_int_eq(bp_error_class(error), BP_ERR_NO_SPACE);
    ck_assert_ptr_nonnull(strstr(error->message, "the result could not be written: "));
    g_error_free(error);
}
END_TEST

START_TEST(test_bp_output_write__all_of_it)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    ck_assert(bp_output_write(stream, "result\n", NULL));
    fclose(stream);
    ck_assert_str_eq(text, "result\n");
    free(text);
}
END_TEST

START_TEST(test_bp_output_error_text__redacted_and_safe)
{
    GError *error = NULL;
    bp_log_add_secret("hunter2");
    bp_set_error(&error, BP_ERR_AUTH, "login with hunter2 \033[2J failed");
    bp_error_add_hint(&error, "check the password");
    g_autofree char *text = bp_output_error_text(error, false);
    g_autofree char *color = bp_output_error_text(error, true);
    g_error_free(error);
    ck_assert_str_eq(text, "error: login with *** ?[2J failed\nhint: check the password\n");
    ck_assert(g_str_has_prefix(color, "\033[31merror:\033[0m login"));
}
END_TEST

START_TEST(test_bp_output_warning_text__starts_with_its_kind)
{
    g_autofree char *text = bp_output_warning_text("careful", false);
    ck_assert_str_eq(text, "warning: careful\n");
}
END_TEST

START_TEST(test_bp_output_columns__without_a_terminal)
{
    FILE *file = fopen("/dev/null", "w");
    g_setenv("COLUMNS", "123", TRUE);
    ck_assert_uint_eq(bp_output_columns(file), 123);
    g_setenv("COLUMNS", "wide", TRUE);
    ck_assert_uint_eq(bp_output_columns(file), 80);
    g_setenv("COLUMNS", "999999999", TRUE);
    ck_assert_uint_eq(bp_output_columns(file), 1000);
    g_unsetenv("COLUMNS");
    ck_assert_uint_eq(bp_output_columns(file), 80);
    fclose(file);
}
END_TEST

int
main(void)
{
    TCase *cases = tcase_create("output");
    tcase_add_loop_test(cases, test_bp_output_decide__table, 0, G_N_ELEMENTS(decisions));
    tcase_add_test(cases, test_bp_output_decide__unknown_style);
    tcase_add_test(cases, test_bp_output_write__a_full_disk_is_a_failure);
    tcase_add_test(cases, test_bp_output_write__all_of_it);
    tcase_add_test(cases, test_bp_output_error_text__redacted_and_safe);
    tcase_add_test(cases, test_bp_output_warning_text__starts_with_its_kind);
    tcase_add_test(cases, test_bp_output_columns__without_a_terminal);
    return run_suite("output", cases);
}
