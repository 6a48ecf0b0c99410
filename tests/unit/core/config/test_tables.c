/* SPDX-License-Identifier: Apache-2.0
 *
 * core/config/tables: the declarations themselves hold together.
 */
#include "core/config/values.h"

#include "fixture.h"

static const bp_key_table *const tables[] = {&bp_config_backup_keys,  &bp_config_restore_keys,
                                             &bp_config_plugins_keys, &bp_config_log_keys,
                                             &bp_config_server_keys,  &bp_config_top_keys};

START_TEST(test_tables__every_key_is_complete)
{
    const bp_key_table *table = tables[_i];
    ck_assert_uint_gt(table->n, 0);
    for (guint32 i = 0; i < table->n; i++) {
        const struct bp_config_key *key = bp_key_table_at(table, i);
        ck_assert_ptr_eq(bp_key_table_find(table, key->name), key);
        ck_assert_ptr_nonnull(key->help);
        ck_assert(g_ascii_islower(key->help[0]));
        ck_assert_int_ne(key->help[strlen(key->help) - 1], '.');
        ck_assert(key->type != BP_CONFIG_CHOICE || key->choices != NULL);
    }
}
END_TEST

START_TEST(test_tables__every_default_is_valid)
{
    const bp_key_table *table = tables[_i];
    for (guint32 i = 0; i < table->n; i++) {
        const struct bp_config_key *key = bp_key_table_at(table, i);
        GError *error = NULL;
        g_autofree char *normal =
            key->def != NULL ? bp_config__normalise(key, key->def, NULL, &error) : NULL;
        ck_assert_msg(error == NULL, "%s: %s", key->name, error != NULL ? error->message : "");
    }
}
END_TEST

START_TEST(test_tables__defaults_of_the_issue)
{
    g_autoptr(bp_config_tree) tree = fixture_loaded("");
    bp_config_section_params params = {
        .path = "restore", .tables = &bp_config_restore_keys, .n_tables = 1};
    g_autoptr(bp_settings) s = bp_config_section(tree, &params, NULL);
    ck_assert_uint_eq(bp_settings_u64(s, "concurrency.units"), 2);
    ck_assert_uint_eq(bp_settings_u64(s, "throttle"), 0);
    ck_assert_uint_eq(bp_settings_u64(s, "timeout"), 0);
    ck_assert_str_eq(bp_settings_get(s, "verify"), "size");
}
END_TEST

/* The flags of `copy` stand for keys of `backup`, without those of capturing. */
START_TEST(test_tables__keys_of_copy)
{
    const bp_key_table *copy = &bp_config_copy_keys;
    ck_assert_uint_eq(copy->n, bp_config_backup_keys.n - 3);
    ck_assert_ptr_null(bp_key_table_find(copy, "storage"));
    ck_assert_ptr_null(bp_key_table_find(copy, "concurrency.units"));
    ck_assert_ptr_null(bp_key_table_find(copy, "wait_for_turn"));
    ck_assert_ptr_eq(bp_key_table_find(copy, "throttle"),
                     bp_key_table_find(&bp_config_backup_keys, "throttle"));
    ck_assert_ptr_nonnull(bp_key_table_find(copy, "timeout"));
}
END_TEST

/* docs/reference/config.md names every key, and its default in the same line. */
START_TEST(test_tables__every_key_is_documented)
{
    const char *top = g_getenv("BAKPLANE_SOURCE_DIR");
    ck_assert_msg(top != NULL, "BAKPLANE_SOURCE_DIR is not set");
    g_autofree char *path = g_build_filename(top, "docs", "reference", "config.md", NULL);
    g_autofree char *text = NULL;
    ck_assert_msg(g_file_get_contents(path, &text, NULL, NULL), "%s", path);
    const bp_key_table *table = tables[_i];
    for (guint32 i = 0; i < table->n; i++) {
        const struct bp_config_key *key = bp_key_table_at(table, i);
        g_autofree char *row = key->def != NULL
                                   ? g_strdup_printf("| `%s` | `%s` |", key->name, key->def)
                                   : g_strdup_printf("`%s` |", key->name);
        bool is_heading = table == &bp_config_top_keys;
        g_autofree char *heading = g_strdup_printf("\n## %s\n", key->name);
        ck_assert_msg(strstr(text, is_heading ? heading : row) != NULL, "no line %s", row);
    }
}
END_TEST

START_TEST(test_tables__the_top_is_a_section_too)
{
    g_autoptr(bp_config_tree) tree = fixture_loaded("source: {plugin: m}\nstate_dir: state\n");
    bp_config_section_params params = {.path = "", .tables = &bp_config_top_keys, .n_tables = 1};
    GError *error = NULL;
    g_autoptr(bp_settings) s = bp_config_section(tree, &params, &error);
    ck_assert_ptr_null(error);
    g_autofree char *beside = fixture_path("state");
    ck_assert_str_eq(bp_settings_get(s, "state_dir"), beside);
}
END_TEST

int
main(void)
{
    TCase *cases = fixture_cases("tables");
    tcase_add_loop_test(cases, test_tables__every_key_is_complete, 0, G_N_ELEMENTS(tables));
    tcase_add_loop_test(cases, test_tables__every_default_is_valid, 0, G_N_ELEMENTS(tables));
    tcase_add_loop_test(cases, test_tables__every_key_is_documented, 0, G_N_ELEMENTS(tables));
    tcase_add_test(cases, test_tables__defaults_of_the_issue);
    tcase_add_test(cases, test_tables__keys_of_copy);
    tcase_add_test(cases, test_tables__the_top_is_a_section_too);
    return fixture_run("tables", cases);
}
