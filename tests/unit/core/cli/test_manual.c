/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of core/cli/manual.c and completion.c: templates are filled in, and what means nothing is
 * refused.  That every option is there is checked on the finished pages, by tests/docs.
 */
#include "core/cli/manual.h"

#include "tests/harness/suite.h"

#include "sdk/lib/ban.h"

static bp_manual manual;

static void
setup(void)
{
    manual = (bp_manual){.modules = g_ptr_array_new(), .version = "1.2.3"};
}

static void
teardown(void)
{
    g_ptr_array_unref(manual.modules);
}

static char *
fill(const char *text)
{
    g_autoptr(GError) error = NULL;
    char *filled = bp_manual_fill(&manual, text, &error);
    ASSERT_FINE(filled != NULL, error);
    return filled;
}

START_TEST(test_bp_manual_fill__prose_stays)
{
    g_autofree char *text = fill(".SH NAME\nx \\- @ y\nversion @VERSION@");
    ck_assert_str_eq(text, ".SH NAME\nx \\- @ y\nversion 1.2.3");
}
END_TEST

START_TEST(test_bp_manual_fill__command_with_words)
{
    g_autofree char *text = fill("@COMMAND plugin\n");
    ck_assert_ptr_nonnull(strstr(text, ".TH BAKPLANE\\-PLUGIN 1 \"\" \"bakplane 1.2.3\""));
    ck_assert_ptr_nonnull(strstr(
        text, ".B bakplane plugin\n[\\fIoptions\\fR]\nlist | info NAME | new storage NAME\n"));
    ck_assert_ptr_nonnull(strstr(text, ".SH DESCRIPTION\nLooks at"));
}
END_TEST

START_TEST(test_bp_manual_fill__options_in_roff)
{
    g_autofree char *text = fill("@OPTIONS create\n");
    ck_assert_ptr_nonnull(strstr(text, ".TP\n\\fB\\-n\\fR, \\fB\\-\\-name\\fR \\fINAME\\fR\n"
                                       "Name of the backup"));
    ck_assert_ptr_nonnull(strstr(text, "\\fB\\-\\-concurrency\\-copies\\fR \\fIN\\fR\n"
                                       "Objects that are copied at once.\n1 to 1024; default 16."));
}
END_TEST

START_TEST(test_bp_manual_fill__options_of_copy_are_some_of_create)
{
    g_autofree char *text = fill("@OPTIONS copy\n");
    ck_assert_ptr_nonnull(strstr(text, "key of the section\n.B backup\n"));
    ck_assert_ptr_nonnull(strstr(text, "\\fB\\-\\-throttle\\fR"));
    ck_assert_ptr_null(strstr(text, "concurrency\\-units"));
}
END_TEST

START_TEST(test_bp_manual_fill__settings_under_their_own_names)
{
    g_autofree char *text = fill("@SETTINGS backup\n");
    ck_assert_ptr_nonnull(strstr(text, "\\fBconcurrency.units\\fR \\fIN\\fR\n"));
    ck_assert_ptr_nonnull(strstr(text, "Required.\n"));
}
END_TEST

START_TEST(test_bp_manual_fill__refuses_what_means_nothing)
{
    static const char *const lines[] = {"@NOTHING",          "@COMMAND nothing",        "@OPTIONS",
                                        "@SETTINGS nothing", "@PLUGIN absent settings", "@PLUGIN"};
    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autofree char *text = g_strdup_printf("one\n%s\n", lines[i]);
        g_autofree char *wanted = g_strdup_printf("line 2: nothing is known of %s", lines[i]);
        GError *error = NULL;
        ck_assert_ptr_null(bp_manual_fill(&manual, text, &error));
        ASSERT_ERROR(error, BP_ERR_INVALID, wanted);
    }
}
END_TEST

START_TEST(test_bp_manual_fill__bash_knows_choices_and_words)
{
    g_autofree char *text = fill("@BASH\n");
    ck_assert_ptr_nonnull(strstr(text, "    plugin)\n        words='list info new storage "));
    ck_assert_ptr_nonnull(strstr(text, "--prove) values='size stream read' ;;\n"));
    ck_assert_ptr_nonnull(strstr(text, "--config) values=FILE ;;\n"));
}
END_TEST

START_TEST(test_bp_manual_fill__quotes_for_each_shell)
{
    g_autofree char *zsh = fill("@ZSH\n");
    ck_assert_ptr_nonnull(strstr(zsh, "'--suffix[appended to every collection'\\''s name]:TEXT:'"));
    g_autofree char *fish = fill("@FISH\n");
    ck_assert_ptr_nonnull(strstr(fish, "-l suffix -x -d 'appended to every collection'\\''s"));
    g_autofree char *commands = fill("@ZSH-COMMANDS\n");
    ck_assert_ptr_nonnull(strstr(commands, "        'create:make a backup'\n"));
}
END_TEST

int
main(void)
{
    return RUN_SUITE("cli/manual", setup, teardown, test_bp_manual_fill__prose_stays,
                     test_bp_manual_fill__command_with_words, test_bp_manual_fill__options_in_roff,
                     test_bp_manual_fill__options_of_copy_are_some_of_create,
                     test_bp_manual_fill__settings_under_their_own_names,
                     test_bp_manual_fill__refuses_what_means_nothing,
                     test_bp_manual_fill__bash_knows_choices_and_words,
                     test_bp_manual_fill__quotes_for_each_shell);
}
