/* SPDX-License-Identifier: Apache-2.0
 *
 * flag > --set > environment > file > default, for every combination of layers that speak.
 */
#include "core/config/tree.h"

#include "demo_keys.h"
#include "fixture.h"

enum { IN_FILE = 1, IN_ENV = 2, IN_SET = 4, IN_FLAG = 8, COMBINATIONS = 16 };

/* The keys that are tried, with a valid text for each layer. */
static const struct {
    const char *key, *in_file, *in_env, *in_set, *in_flag, *def;
} keys[] = {
    {"user", "f", "e", "s", "g", "root"},
    {"port", "1", "2", "3", "4", "19530"},
    {"tls.mode", "on", "off", "on", "off", "off"},
    {"storage", "file-store", "env-store", "set-store", "flag-store", NULL},
};

static char *
file_text(guint i, guint layers)
{
    GString *text = g_string_new("source:\n  plugin: m\n  address: h\n");
    g_auto(GStrv) parts = g_strsplit(keys[i].key, ".", -1);
    if ((layers & IN_FILE) != 0) {
        g_string_append_printf(text, parts[1] != NULL ? "  %s: {%s: %s}\n" : "  %s%s: %s\n",
                               parts[0], parts[1] != NULL ? parts[1] : "", keys[i].in_file);
    }
    g_string_append(text, "storages:\n  file-store: {plugin: l}\n  env-store: {plugin: l}\n"
                          "  set-store: {plugin: l}\n  flag-store: {plugin: l}\n");
    return g_string_free(text, FALSE);
}

static const char *
expected(guint i, guint layers)
{
    if ((layers & IN_FLAG) != 0) {
        return keys[i].in_flag;
    }
    if ((layers & IN_SET) != 0) {
        return keys[i].in_set;
    }
    if ((layers & IN_ENV) != 0) {
        return keys[i].in_env;
    }
    return (layers & IN_FILE) != 0 ? keys[i].in_file : keys[i].def;
}

START_TEST(test_precedence__strongest_layer_wins)
{
    guint i = (guint)_i / COMBINATIONS;
    guint layers = (guint)_i % COMBINATIONS;
    g_autofree char *text = file_text(i, layers);
    g_autofree char *path = g_strdup_printf("source.%s", keys[i].key);
    g_autofree char *name = bp_config__env_name(path);
    g_autofree char *entry = g_strdup_printf("%s=%s", name, keys[i].in_env);
    g_autofree char *set = g_strdup_printf("%s=%s", path, keys[i].in_set);
    g_autofree char *flag = g_strdup_printf("%s=%s", keys[i].key, keys[i].in_flag);
    const char *const env[] = {(layers & IN_ENV) != 0 ? entry : NULL, NULL};
    const char *const sets[] = {(layers & IN_SET) != 0 ? set : NULL, NULL};
    const char *const flags[] = {(layers & IN_FLAG) != 0 ? flag : NULL, NULL};

    GError *error = NULL;
    g_autoptr(bp_config_tree) tree = fixture_load(text, sets, env, &error);
    ck_assert_msg(error == NULL, "%s", error != NULL ? error->message : "");
    g_autoptr(bp_settings) s = demo_section(tree, flags, &error);
    ck_assert_msg(error == NULL, "%s", error != NULL ? error->message : "");
    const char *got = bp_settings_get(s, keys[i].key);
    ck_assert_msg(g_strcmp0(got, expected(i, layers)) == 0, "layers %u: %s", layers, got);
    ck_assert(bp_settings_is_given(s, keys[i].key) == (layers != 0));
}
END_TEST

/* A storage with a dash is one storage, whichever layer speaks of it. */
START_TEST(test_precedence__names_with_dashes_meet_in_the_environment)
{
    const char *const env[] = {"BAKPLANE__STORAGES__MILVUS_DATA__ROOT=/env", NULL};
    g_autoptr(bp_config_tree) tree =
        fixture_load("storages: {milvus-data: {plugin: l, root: /file}}\n", NULL, env, NULL);
    ck_assert_ptr_nonnull(tree);
    ck_assert_str_eq(bp_config_peek(tree, "storages.milvus-data.root"), "/env");
    ck_assert_str_eq(bp_config_peek(tree, "storages.milvus-data.plugin"), "l");
    ck_assert_ptr_null(bp_config_storages(tree)[1]);
}
END_TEST

/* Paths start where they were written: in the file at its folder, elsewhere at ours. */
START_TEST(test_precedence__relative_paths_follow_their_layer)
{
    const char *const sets[] = {"source.tls.ca_file=x.pem", NULL};
    const char *text = "source: {plugin: m, address: h, tls: {ca_file: x.pem}}\n";
    g_autoptr(bp_config_tree) from_file = fixture_loaded(text);
    g_autoptr(bp_settings) file = demo_section(from_file, NULL, NULL);
    g_autoptr(bp_config_tree) from_set = fixture_load(text, sets, NULL, NULL);
    g_autoptr(bp_settings) set = demo_section(from_set, NULL, NULL);
    g_autofree char *beside = fixture_path("x.pem");
    g_autofree char *here = g_get_current_dir();
    g_autofree char *in_here = g_build_filename(here, "x.pem", NULL);
    ck_assert_str_eq(bp_settings_get(file, "tls.ca_file"), beside);
    ck_assert_str_eq(bp_settings_get(set, "tls.ca_file"), in_here);
}
END_TEST

int
main(void)
{
    TCase *cases = fixture_cases("precedence");
    tcase_add_loop_test(cases, test_precedence__strongest_layer_wins, 0,
                        (int)(G_N_ELEMENTS(keys) * COMBINATIONS));
    tcase_add_test(cases, test_precedence__names_with_dashes_meet_in_the_environment);
    tcase_add_test(cases, test_precedence__relative_paths_follow_their_layer);
    return fixture_run("precedence", cases);
}
