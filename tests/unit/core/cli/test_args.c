/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of core/cli/args.c and help.c: argv in all its spellings.
 */
#include "core/cli/args.h"

#include "core/cli/help.h"
#include "tests/harness/suite.h"

#include "sdk/lib/ban.h"

static const struct bp_config_key keys[] = {
    {.name = "load", .type = BP_CONFIG_BOOL, .def = "true", .help = "load it"},
    {.name = "index", .type = BP_CONFIG_BOOL, .alias = "rebuild_index", .help = "make it"},
    {.name = "max_jobs", .type = BP_CONFIG_INT, .help = "at most"},
    {.name = "password", .type = BP_CONFIG_STRING, .flags = BP_CONFIG_SECRET, .help = "hush"},
    {.name = "suffix", .type = BP_CONFIG_STRING, .help = "a key that the command's option hides"},
};
static const bp_key_table table = {.keys = keys, .stride = sizeof *keys, .n = G_N_ELEMENTS(keys)};

static char *suffix;
static gboolean deep;
static const GOptionEntry entries[] = {
    {"suffix", 's', 0, G_OPTION_ARG_STRING, &suffix, "appended", "TEXT"},
    {"deep", 0, 0, G_OPTION_ARG_NONE, &deep, "look closer", NULL},
    {0},
};
static const bp_command command = {
    .name = "restore", .description = "Does it.", .entries = entries, .source = BP_OPTIONS_RESTORE};
static bp_cli cli;

static void
setup(void)
{
    cli = (bp_cli){.command = &command};
    cli.overrides = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(cli.overrides, NULL);
    suffix = NULL;
    deep = FALSE;
}

static void
teardown(void)
{
    g_ptr_array_unref(cli.overrides);
    g_strfreev(cli.args);
    g_free(cli.globals.config);
    g_strfreev(cli.globals.sets);
    g_free(cli.globals.report);
    g_free(cli.globals.progress);
    g_free(cli.globals.log_format);
    g_free(suffix);
}

static bool
parse(const char *line, GError **error)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    return bp_args_parse(&cli, (int)g_strv_length(words), words, &table, 1, error);
}

static void
parse_fine(const char *line)
{
    GError *error = NULL;
    ASSERT_FINE(parse(line, &error), error);
}

static const char *
override(guint i)
{
    return g_ptr_array_index(cli.overrides, i);
}

START_TEST(test_bp_args_parse__globals_before_and_after)
{
    parse_fine("bakplane --config /c -v restore --set a=1 --json --set b=2 -q --verbose");
    ck_assert_str_eq(cli.globals.config, "/c");
    ck_assert_str_eq(cli.globals.sets[0], "a=1");
    ck_assert_str_eq(cli.globals.sets[1], "b=2");
    ck_assert_ptr_null(cli.globals.sets[2]);
    ck_assert(cli.globals.json && cli.globals.quiet);
    ck_assert_int_eq(cli.globals.verbose, 2);
    ck_assert_ptr_null(override(0));
}
END_TEST

START_TEST(test_bp_args_parse__key_flags_become_overrides)
{
    parse_fine("bakplane restore --no-load --rebuild_index --max-jobs 3 --max_jobs=4");
    ck_assert_str_eq(override(0), "load=false");
    ck_assert_str_eq(override(1), "index=true");
    ck_assert_str_eq(override(2), "max_jobs=3");
    ck_assert_str_eq(override(3), "max_jobs=4");
    ck_assert_ptr_null(override(4));
}
END_TEST

START_TEST(test_bp_args_parse__booleans_with_a_value)
{
    parse_fine("bakplane restore --load=false --rebuild-index=false --deep=true --json=false");
    ck_assert_str_eq(override(0), "load=false");
    ck_assert_str_eq(override(1), "index=false");
    ck_assert_ptr_null(override(2));
    ck_assert(deep && !cli.globals.json);
}
END_TEST

START_TEST(test_bp_args_parse__verbose_in_every_spelling)
{
    parse_fine("bakplane -v restore -vv -qv --verbose --verbose=true --verbose=false");
    ck_assert_int_eq(cli.globals.verbose, 6);
    ck_assert(cli.globals.quiet);
}
END_TEST

START_TEST(test_bp_args_parse__own_options_come_first)
{
    parse_fine("bakplane restore --suffix _x");
    ck_assert_str_eq(suffix, "_x");
    ck_assert_ptr_null(override(0));
}
END_TEST

START_TEST(test_bp_args_parse__refusals)
{
    static const struct {
        const char *line, *message;
    } rows[] = {
        {"bakplane restore --sufix x", "unknown option --sufix\nhint: did you mean --suffix?"},
        {"bakplane restore --password x", "unknown option --password"},
        {"bakplane restore --suffix", "missing argument for --suffix"},
        {"bakplane restore word", "unexpected word 'word'"},
        {"bakplane restore -qh", "-h has to stand by itself"},
        {"bakplane restore --help=true", "--help has to stand by itself"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        GError *error = NULL;
        ck_assert(!parse(rows[i].line, &error));
        ASSERT_ERROR(error, BP_ERR_INVALID, rows[i].message);
        g_clear_pointer(&cli.args, g_strfreev);
    }
}
END_TEST

START_TEST(test_bp_args_parse__a_known_option_needs_no_guess)
{
    g_autoptr(GError) error = NULL;
    ck_assert(!parse("bakplane restore --suffix", &error));
    ck_assert_ptr_null(strstr(error->message, "did you mean"));
    g_clear_pointer(&cli.args, g_strfreev);
}
END_TEST

START_TEST(test_bp_args_globals__found_among_anything)
{
    g_auto(GStrv) words =
        g_strsplit("bakplane restore --what --config=/c --set a=1 --set=b=2", " ", -1);
    bp_args_globals(&cli, (int)g_strv_length(words), words);
    ck_assert_str_eq(cli.globals.config, "/c");
    ck_assert_str_eq(cli.globals.sets[0], "a=1");
    ck_assert_str_eq(cli.globals.sets[1], "b=2");
}
END_TEST

START_TEST(test_bp_args_command__not_the_value_of_a_flag)
{
    g_auto(GStrv) words = g_strsplit("bakplane --config create list", " ", -1);
    const char *word = NULL;
    ck_assert_ptr_eq(bp_args_command((int)g_strv_length(words), words, &word), &bp_command_list);
    ck_assert_str_eq(word, "list");
    g_auto(GStrv) underscore = g_strsplit("bakplane --log_format json get", " ", -1);
    ck_assert_ptr_eq(bp_args_command((int)g_strv_length(underscore), underscore, &word),
                     &bp_command_get);
    g_auto(GStrv) unknown = g_strsplit("bakplane lits", " ", -1);
    ck_assert_ptr_null(bp_args_command((int)g_strv_length(unknown), unknown, &word));
    ck_assert_str_eq(word, "lits");
}
END_TEST

START_TEST(test_bp_help_command__groups_and_wrapped_lines)
{
    g_autofree char *text = bp_help_command(&command, &table, 1);
    ck_assert_ptr_nonnull(strstr(text, "Usage: bakplane restore [options]\n\nDoes it.\n\nOptions:\n"
                                       "  -s, --suffix TEXT         appended\n"
                                       "      --deep                look closer\n"));
    ck_assert_ptr_nonnull(strstr(text, "      --load, --no-load     load it (default yes)\n"));
    ck_assert_ptr_nonnull(strstr(text, "      --index, --no-index, --rebuild-index, "
                                       "--no-rebuild-index\n"
                                       "                            make it\n"));
    ck_assert_ptr_null(strstr(text, "password"));
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (gsize i = 0; lines[i] != NULL; i++) {
        ck_assert_uint_le(strlen(lines[i]), 80);
    }
}
END_TEST

START_TEST(test_bp_help_overview__names_every_command)
{
    g_autofree char *text = bp_help_overview();
    for (gsize i = 0; bp_commands[i] != NULL; i++) {
        ck_assert_ptr_nonnull(strstr(text, bp_commands[i]->summary));
    }
    ck_assert_ptr_nonnull(strstr(text, "      --config FILE         configuration file\n"));
}
END_TEST

int
main(void)
{
    return RUN_SUITE(
        "cli/args", setup, teardown, test_bp_args_parse__globals_before_and_after,
        test_bp_args_parse__key_flags_become_overrides, test_bp_args_parse__booleans_with_a_value,
        test_bp_args_parse__verbose_in_every_spelling, test_bp_args_parse__own_options_come_first,
        test_bp_args_parse__refusals, test_bp_args_parse__a_known_option_needs_no_guess,
        test_bp_args_globals__found_among_anything, test_bp_args_command__not_the_value_of_a_flag,
        test_bp_help_command__groups_and_wrapped_lines, test_bp_help_overview__names_every_command);
}
