/* SPDX-License-Identifier: Apache-2.0
 *
 * core/config/section, section_names, section_values and settings: one section against its table.
 */
#include "demo_keys.h"
#include "fixture.h"

static bp_settings *
section_of(const char *text, const char *const *overrides)
{
    GError *error = NULL;
    g_autoptr(bp_config_tree) tree = fixture_loaded(text);
    bp_settings *settings = demo_section(tree, overrides, &error);
    ck_assert_msg(error == NULL, "%s", error != NULL ? error->message : "");
    return settings;
}

START_TEST(test_bp_config_section__every_type_normalised)
{
    g_autoptr(bp_settings) s = section_of("source:\n"
                                          "  plugin: m\n"
                                          "  address: h\n"
                                          "  port: 00042\n"
                                          "  tls: {mode: on, ca_file: ca.pem}\n"
                                          "  wait: 2m\n"
                                          "  limit: 64KiB\n"
                                          "  fast: yes\n"
                                          "  names: [a, 'b, c']\n",
                                          NULL);
    ck_assert_str_eq(bp_settings_get(s, "address"), "h");
    ck_assert_uint_eq(bp_settings_u64(s, "port"), 42);
    ck_assert_str_eq(bp_settings_get(s, "tls.mode"), "on");
    g_autofree char *ca = fixture_path("ca.pem");
    ck_assert_str_eq(bp_settings_get(s, "tls.ca_file"), ca);
    ck_assert_uint_eq(bp_settings_u64(s, "wait"), 120000);
    ck_assert_uint_eq(bp_settings_u64(s, "limit"), 65536);
    ck_assert(bp_settings_bool(s, "fast"));
    ck_assert_uint_eq(bp_settings_count(s, "names"), 2);
    ck_assert_str_eq(bp_settings_at(s, "names", 0), "a");
    ck_assert_str_eq(bp_settings_at(s, "names", 1), "b, c");
    ck_assert_ptr_null(bp_settings_at(s, "names", 2));
}
END_TEST

START_TEST(test_bp_config_section__defaults)
{
    g_autoptr(bp_settings) s = section_of("source: {plugin: m, address: h, port: ~}\n", NULL);
    ck_assert_uint_eq(bp_settings_u64(s, "port"), 19530);
    ck_assert_uint_eq(bp_settings_u64(s, "limit"), 1048576);
    ck_assert_uint_eq(bp_settings_u64(s, "wait"), 30000);
    ck_assert(!bp_settings_bool(s, "fast"));
    ck_assert_ptr_null(bp_settings_get(s, "password"));
    ck_assert_uint_eq(bp_settings_count(s, "names"), 0);
    ck_assert_ptr_null(bp_settings_get(s, "no_such_key"));
    ck_assert(bp_settings_is_given(s, "address"));
    ck_assert(!bp_settings_is_given(s, "port"));
    ck_assert(!bp_settings_is_given(s, "password"));
}
END_TEST

START_TEST(test_bp_config_section__an_empty_text_is_a_value)
{
    g_autoptr(bp_settings) s = section_of("source: {plugin: m, address: h, user: ''}\n", NULL);
    ck_assert_str_eq(bp_settings_get(s, "user"), "");
    ck_assert(bp_settings_is_given(s, "user"));
}
END_TEST

START_TEST(test_bp_config_section__the_alias_counts)
{
    g_autoptr(bp_settings) s = section_of("source: {plugin: m, endpoint: old}\n", NULL);
    ck_assert_str_eq(bp_settings_get(s, "address"), "old");
}
END_TEST

START_TEST(test_bp_config_section__flags_win_and_lists_add_up)
{
    const char *const flags[] = {"address=flag", "names=a, b", "names=c", "port=1", "port=2", NULL};
    g_autoptr(bp_settings) s = section_of("source: {plugin: m, address: h, names: [x]}\n", flags);
    ck_assert_str_eq(bp_settings_get(s, "address"), "flag");
    ck_assert_uint_eq(bp_settings_count(s, "names"), 3);
    ck_assert_str_eq(bp_settings_at(s, "names", 1), "b");
    ck_assert_str_eq(bp_settings_at(s, "names", 2), "c");
    ck_assert_uint_eq(bp_settings_u64(s, "port"), 2);
}
END_TEST

static const struct {
    const char *text, *message;
} refused[] = {
    {"source: {plugin: m}\n", "source.address is missing\nhint: set it in "},
    {"source: {plugin: m}\n", "/b.yaml or as BAKPLANE__SOURCE__ADDRESS"},
    {"source: {plugin: m, address: ''}\n", "/b.yaml:1: source.address: must not be empty"},
    {"source:\n  plugin: m\n  adress: h\n",
     "/b.yaml:3: unknown key \"adress\" in source\nhint: did you mean \"address\"?"},
    {"source: {plugin: m, address: h, tls: {mod: on}}\n",
     "unknown key \"tls.mod\" in source\nhint: did you mean \"tls.mode\"?"},
    {"source: {plugin: m, address: h, quux: 1}\n",
     "unknown key \"quux\" in source\nhint: known are: address, user"},
    {"source: {plugin: m, address: h, tls: on}\n", "source.tls: expected keys with values"},
    {"source: {plugin: m, address: [h]}\n", "source.address: expected one value, found a list"},
    {"source: {plugin: m, address: {file: x}}\n", "source.address: expected a value, found keys"},
    {"source: {plugin: m, address: a,\n  endpoint: b}\n",
     "/b.yaml:2: endpoint and address mean the same; give one of them"},
    {"source: {plugin: m, address: h, port: 70000}\n", "source.port: 70000 is out of range"},
    {"source: {plugin: m, address: h, fast: 2}\n", "source.fast: \"2\" is neither"},
    {"source: {plugin: m, address: h, names: [a, ~]}\n", "source.names: element 2 is no plain"},
};

START_TEST(test_bp_config_section__refuses)
{
    GError *error = NULL;
    g_autoptr(bp_config_tree) tree = fixture_loaded(refused[_i].text);
    ck_assert_ptr_null(demo_section(tree, NULL, &error));
    assert_error(error, BP_ERR_INVALID, refused[_i].message);
}
END_TEST

START_TEST(test_bp_config_section__a_bad_flag_is_named_as_people_typed_it)
{
    const char *const flags[] = {"port=x", NULL};
    const char *const server[] = {"address=", NULL};
    GError *error = NULL;
    g_autoptr(bp_config_tree) tree = fixture_loaded("source: {plugin: m, address: h}\n");
    ck_assert_ptr_null(demo_section(tree, flags, &error));
    assert_error(error, BP_ERR_INVALID, "flag --port: source.port: \"x\" is no whole number");
    error = NULL;
    ck_assert_ptr_null(demo_section(tree, server, &error));
    assert_error(error, BP_ERR_INVALID, "flag --server: source.address: must not be empty");
}
END_TEST

START_TEST(test_bp_config_section__missing_without_a_file)
{
    const char *const env[] = {"BAKPLANE_CONFIG=", "HOME=/nonexistent",
                               "BAKPLANE__SOURCE__PLUGIN=m", NULL};
    bp_config_params params = {.environ = env};
    GError *error = NULL;
    g_autoptr(bp_config_tree) tree = bp_config_load(&params, &error);
    ck_assert_ptr_null(error);
    ck_assert_ptr_null(demo_section(tree, NULL, &error));
    assert_error(error, BP_ERR_INVALID, "no config file was found: name one with --config");
}
END_TEST

START_TEST(test_bp_config_section__storage_must_be_configured)
{
    const char *const flags[] = {"storage=nowhere", NULL};
    GError *error = NULL;
    g_autoptr(bp_config_tree) tree =
        fixture_loaded("source: {plugin: m, address: h}\nstorages: {a: {plugin: l}}\n");
    ck_assert_ptr_null(demo_section(tree, flags, &error));
    assert_error(error, BP_ERR_INVALID,
                 "flag --storage: source.storage: no storage \"nowhere\" is configured\nhint: "
                 "configured are: a");
}
END_TEST

START_TEST(test_bp_config_section__several_tables_are_one)
{
    static const struct bp_config_key extra[] = {{.name = "flush", .type = BP_CONFIG_STRING}};
    const bp_key_table tables[] = {bp_config_backup_keys,
                                   {.keys = extra, .stride = sizeof extra[0], .n = 1}};
    bp_config_section_params params = {.path = "backup", .tables = tables, .n_tables = 2};
    GError *error = NULL;
    g_autoptr(bp_config_tree) tree = fixture_loaded(
        "storages: {b: {plugin: l}}\nbackup: {storage: b, flush: serial, throttle: 2M}\n");
    g_autoptr(bp_settings) s = bp_config_section(tree, &params, &error);
    ck_assert_ptr_null(error);
    ck_assert_str_eq(bp_settings_get(s, "flush"), "serial");
    ck_assert_uint_eq(bp_settings_u64(s, "throttle"), 2097152);
    ck_assert_uint_eq(bp_settings_u64(s, "concurrency.units"), 4);

    params.n_tables = 1;
    ck_assert_ptr_null(bp_config_section(tree, &params, &error));
    assert_error(error, BP_ERR_INVALID, "unknown key \"flush\" in backup");
}
END_TEST

static const bp_config_row *
row_of(const GPtrArray *rows, const char *key)
{
    for (guint i = 0; i < rows->len; i++) {
        const bp_config_row *row = g_ptr_array_index(rows, i);
        if (strcmp(row->key, key) == 0) {
            return row;
        }
    }
    ck_abort_msg("no row %s", key);
    return NULL;
}

START_TEST(test_bp_config_rows__value_and_origin_with_secrets_masked)
{
    const char *const env[] = {"BAKPLANE__SOURCE__USER=ann", NULL};
    const char *const sets[] = {"source.port=7", NULL};
    const char *const flags[] = {"limit=2MiB", NULL};
    g_autoptr(bp_config_tree) tree = fixture_load(
        "source:\n  plugin: m\n  address: h\n  password: hunter2\n  tls: {ca_file: x.pem}\n", sets,
        env, NULL);
    bp_config_section_params params = {.path = "source",
                                       .tables = &demo_table,
                                       .n_tables = 1,
                                       .overrides = flags,
                                       .ignore = demo_ignore,
                                       .secrets = true};
    g_autoptr(GPtrArray) rows = bp_config_rows(tree, &params, NULL);
    ck_assert_uint_eq(rows->len, demo_table.n);
    ck_assert_str_eq(((bp_config_row *)g_ptr_array_index(rows, 0))->key, "source.address");
    g_autofree char *in_file = g_strdup_printf("file %s/b.yaml:3", fixture_dir);
    ck_assert_str_eq(row_of(rows, "source.address")->origin, in_file);
    ck_assert(row_of(rows, "source.address")->given);
    ck_assert_str_eq(row_of(rows, "source.password")->value, "***");
    ck_assert_str_eq(row_of(rows, "source.user")->origin, "environment BAKPLANE__SOURCE__USER");
    ck_assert_str_eq(row_of(rows, "source.port")->origin, "--set");
    ck_assert_str_eq(row_of(rows, "source.limit")->origin, "flag --limit");
    ck_assert_str_eq(row_of(rows, "source.limit")->value, "2MiB");
    ck_assert_str_eq(row_of(rows, "source.wait")->value, "30s");
    ck_assert_str_eq(row_of(rows, "source.wait")->origin, "default");
    ck_assert(!row_of(rows, "source.wait")->given);
    ck_assert_str_eq(row_of(rows, "source.names")->value, "");
    ck_assert_str_eq(row_of(rows, "source.names")->origin, "not set");
    g_autofree char *ca = fixture_path("x.pem");
    ck_assert_str_eq(row_of(rows, "source.tls.ca_file")->value, ca);
}
END_TEST

START_TEST(test_bp_config_rows__reads_no_secret)
{
    bp_config_section_params params = {.path = "source",
                                       .tables = &demo_table,
                                       .n_tables = 1,
                                       .ignore = demo_ignore,
                                       .secrets = true};
    g_autoptr(bp_config_tree) tree =
        fixture_loaded("source: {plugin: m, address: h, password: {file: /nonexistent/pw}}\n");
    g_autoptr(GPtrArray) rows = bp_config_rows(tree, &params, NULL);
    ck_assert_ptr_nonnull(rows);
    ck_assert_str_eq(row_of(rows, "source.password")->value, "***");
}
END_TEST

/* An older plugin's table has smaller entries; a newer one's are larger. */
START_TEST(test_bp_key_table_at__steps_by_the_stride)
{
    struct wide {
        struct bp_config_key key;
        int newer;
    } keys[] = {{.key = {.name = "a"}}, {.key = {.name = "b", .alias = "old_b"}}};
    bp_key_table table = {.keys = &keys[0].key, .stride = sizeof keys[0], .n = 2};
    ck_assert_str_eq(bp_key_table_at(&table, 1)->name, "b");
    ck_assert_str_eq(bp_key_table_find(&table, "old_b")->name, "b");
    ck_assert_ptr_null(bp_key_table_find(&table, "c"));
}
END_TEST

int
main(void)
{
    TCase *cases = fixture_cases("section");
    tcase_add_test(cases, test_bp_config_section__every_type_normalised);
    tcase_add_test(cases, test_bp_config_section__defaults);
    tcase_add_test(cases, test_bp_config_section__an_empty_text_is_a_value);
    tcase_add_test(cases, test_bp_config_section__the_alias_counts);
    tcase_add_test(cases, test_bp_config_section__flags_win_and_lists_add_up);
    tcase_add_loop_test(cases, test_bp_config_section__refuses, 0, G_N_ELEMENTS(refused));
    tcase_add_test(cases, test_bp_config_section__a_bad_flag_is_named_as_people_typed_it);
    tcase_add_test(cases, test_bp_config_section__missing_without_a_file);
    tcase_add_test(cases, test_bp_config_section__storage_must_be_configured);
    tcase_add_test(cases, test_bp_config_section__several_tables_are_one);
    tcase_add_test(cases, test_bp_config_rows__value_and_origin_with_secrets_masked);
    tcase_add_test(cases, test_bp_config_rows__reads_no_secret);
    tcase_add_test(cases, test_bp_key_table_at__steps_by_the_stride);
    return fixture_run("section", cases);
}
