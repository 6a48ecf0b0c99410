/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of core/cli/option.c: what people read about a key or an entry.
 */
#include "core/cli/option.h"

#include "tests/harness/suite.h"

#include "sdk/lib/ban.h"

static bp_option *
flag_of(const struct bp_config_key *key, const char *name)
{
    const char *const names[] = {name, NULL};
    return bp_option_of_key(key, g_strdupv((char **)names), BP_OPTION_SECTION);
}

START_TEST(test_bp_option_of_entry__letter_name_and_value)
{
    char *value = NULL;
    const GOptionEntry entry = {"name", 'n', 0, G_OPTION_ARG_STRING, &value, "what", "NAME"};
    bp_option *option = bp_option_of_entry(&entry, BP_OPTION_COMMAND);
    ck_assert_str_eq(option->names[0], "-n");
    ck_assert_str_eq(option->names[1], "--name");
    ck_assert_ptr_null(option->names[2]);
    ck_assert_str_eq(option->value, "NAME");
    ck_assert_str_eq(option->help, "what");
    ck_assert(!option->file);
    bp_option_free(option);
}
END_TEST

START_TEST(test_bp_option_of_entry__a_flag_takes_no_value)
{
    gboolean value = FALSE;
    const GOptionEntry entry = {"deep", 0, 0, G_OPTION_ARG_NONE, &value, "what", NULL};
    bp_option *option = bp_option_of_entry(&entry, BP_OPTION_COMMAND);
    ck_assert_str_eq(option->names[0], "--deep");
    ck_assert_ptr_null(option->value);
    bp_option_free(option);
}
END_TEST

START_TEST(test_bp_option_of_key__bounds_in_the_largest_exact_unit)
{
    static const struct {
        struct bp_config_key key;
        const char *value, *details;
    } rows[] = {
        {{.type = BP_CONFIG_INT, .def = "4", .min = 1, .max = 256}, "N", "1 to 256; default 4"},
        {{.type = BP_CONFIG_SIZE, .def = "1MiB", .min = 65536, .max = 8388608},
         "SIZE",
         "64KiB to 8MiB; default 1MiB"},
        {{.type = BP_CONFIG_SIZE, .min = 65537, .max = G_MAXINT64}, "SIZE", "from 65537"},
        {{.type = BP_CONFIG_DURATION, .def = "30s", .min = 100, .max = 3600000},
         "TIME",
         "100ms to 1h; default 30s"},
        {{.type = BP_CONFIG_SIZE, .def = "64MiB", .choices = "never"},
         "SIZE",
         "or never; default 64MiB"},
        {{.type = BP_CONFIG_DURATION, .def = "none", .choices = "none"}, "TIME", "default none"},
        {{.type = BP_CONFIG_CHOICE, .def = "a", .choices = "a|b"}, "a|b", "default a"},
        {{.type = BP_CONFIG_STRING, .def = ""}, "TEXT", NULL},
        {{.type = BP_CONFIG_PATH, .flags = BP_CONFIG_LIST}, "PATH", "a list"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct bp_config_key key = rows[i].key;
        key.help = "what";
        bp_option *option = flag_of(&key, "--key");
        ck_assert_str_eq(option->value, rows[i].value);
        ck_assert_pstr_eq(option->details, rows[i].details);
        ck_assert_int_eq(option->file, key.type == BP_CONFIG_PATH);
        bp_option_free(option);
    }
}
END_TEST

START_TEST(test_bp_option_of_key__only_a_default_of_yes_is_worth_a_word)
{
    struct bp_config_key key = {
        .name = "load", .type = BP_CONFIG_BOOL, .def = "true", .help = "what"};
    bp_option *option = flag_of(&key, "--load");
    ck_assert_ptr_null(option->value);
    ck_assert_str_eq(option->details, "default yes");
    bp_option_free(option);
    key.def = "false";
    option = flag_of(&key, "--load");
    ck_assert_ptr_null(option->details);
    bp_option_free(option);
}
END_TEST

START_TEST(test_bp_option_of_setting__with_alias_and_what_a_file_must_know)
{
    const struct bp_config_key index = {.name = "index",
                                        .alias = "rebuild_index",
                                        .type = BP_CONFIG_BOOL,
                                        .def = "false",
                                        .help = "what"};
    bp_option *option = bp_option_of_setting(&index);
    ck_assert_str_eq(option->names[0], "index");
    ck_assert_str_eq(option->names[1], "rebuild_index");
    ck_assert_str_eq(option->value, "yes|no");
    ck_assert_str_eq(option->details, "default no");
    bp_option_free(option);

    const struct bp_config_key password = {.name = "password",
                                           .type = BP_CONFIG_STRING,
                                           .flags = BP_CONFIG_SECRET | BP_CONFIG_REQUIRED,
                                           .help = "what"};
    option = bp_option_of_setting(&password);
    ck_assert_str_eq(option->details, "required; secret");
    bp_option_free(option);
}
END_TEST

int
main(void)
{
    return RUN_SUITE("cli/option", NULL, NULL, test_bp_option_of_entry__letter_name_and_value,
                     test_bp_option_of_entry__a_flag_takes_no_value,
                     test_bp_option_of_key__bounds_in_the_largest_exact_unit,
                     test_bp_option_of_key__only_a_default_of_yes_is_worth_a_word,
                     test_bp_option_of_setting__with_alias_and_what_a_file_must_know);
}
