/* SPDX-License-Identifier: Apache-2.0
 *
 * core/config/load: which file is read, and what the tree knows of it.
 */
#include <unistd.h>

#include "fixture.h"

static const char small[] = "source: {plugin: milvus, storage: data}\n"
                            "storages:\n"
                            "  data: {plugin: local, root: /d}\n"
                            "  backups: {plugin: local, root: /b}\n"
                            "backup: {storage: backups}\n";

START_TEST(test_bp_config_load__what_the_issue_shows)
{
    g_autoptr(bp_config_tree) tree = fixture_loaded(
        "source:\n"
        "  plugin: milvus\n"
        "  address: localhost:19530\n"
        "  user: root\n"
        "  password: {file: /etc/bakplane/milvus.pw}\n"
        "  storage: milvus-data\n"
        "storages:\n"
        "  milvus-data: {plugin: local, root: /var/lib/milvus/data, server_root: /x}\n"
        "  backups:     {plugin: local, root: /srv/backup/milvus}\n"
        "backup: {storage: backups, concurrency: {units: 4, copies: 16}, throttle: unlimited}\n"
        "restore: {concurrency: {units: 2}}\n");
    const char *const *storages = bp_config_storages(tree);
    ck_assert_str_eq(storages[0], "backups");
    ck_assert_str_eq(storages[1], "milvus-data");
    ck_assert_ptr_null(storages[2]);
    ck_assert_str_eq(bp_config_peek(tree, "source.plugin"), "milvus");
    ck_assert_str_eq(bp_config_peek(tree, "storages.backups.plugin"), "local");
    ck_assert_ptr_null(bp_config_peek(tree, "source.nothing"));
    ck_assert_ptr_null(bp_config_peek(tree, "source.password"));
    ck_assert_uint_eq(bp_config_warnings(tree)->len, 0);
}
END_TEST

START_TEST(test_bp_config_load__a_named_file_must_exist)
{
    g_autofree char *path = fixture_path("none.yaml");
    bp_config_params params = {.path = path};
    GError *error = NULL;
    ck_assert_ptr_null(bp_config_load(&params, &error));
    assert_error(error, BP_ERR_NOT_FOUND, "/none.yaml: No such file");
}
END_TEST

START_TEST(test_bp_config_load__without_any_file)
{
    g_autofree char *here = g_get_current_dir();
    ck_assert_int_eq(chdir(fixture_dir), 0);
    const char *const env[] = {"HOME=/nonexistent", NULL};
    GError *error = NULL;
    bp_config_params params = {.environ = env};
    g_autoptr(bp_config_tree) tree = bp_config_load(&params, &error);
    ck_assert_int_eq(chdir(here), 0);
    ck_assert_ptr_null(error);
    ck_assert_ptr_null(bp_config_path(tree));
    ck_assert_ptr_null(bp_config_storages(tree)[0]);
}
END_TEST

START_TEST(test_bp_config_load__finds_the_file_of_the_working_directory)
{
    g_autofree char *path = fixture_file("bakplane.yaml", small);
    g_autofree char *here = g_get_current_dir();
    ck_assert_int_eq(chdir(fixture_dir), 0);
    const char *const env[] = {NULL};
    bp_config_params params = {.environ = env};
    g_autoptr(bp_config_tree) tree = bp_config_load(&params, NULL);
    ck_assert_int_eq(chdir(here), 0);
    ck_assert_ptr_nonnull(tree);
    ck_assert_str_eq(bp_config_path(tree), path);
}
END_TEST

START_TEST(test_bp_config_load__a_found_file_must_be_trustworthy)
{
    g_autofree char *path = fixture_file("bakplane.yaml", small);
    ck_assert_int_eq(chmod(path, 0666), 0);
    g_autofree char *here = g_get_current_dir();
    ck_assert_int_eq(chdir(fixture_dir), 0);
    const char *const env[] = {NULL};
    bp_config_params params = {.environ = env};
    GError *error = NULL;
    ck_assert_ptr_null(bp_config_load(&params, &error));
    ck_assert_int_eq(chdir(here), 0);
    assert_error(error, BP_ERR_DENIED, "./bakplane.yaml: can be written by everybody");
    params.path = path;
    g_autoptr(bp_config_tree) tree = bp_config_load(&params, NULL);
    ck_assert_ptr_nonnull(tree);
}
END_TEST

START_TEST(test_bp_config_load__the_file_of_the_environment)
{
    g_autofree char *path = fixture_file("mine.yaml", small);
    g_autofree char *entry = g_strconcat("BAKPLANE_CONFIG=", path, NULL);
    const char *const env[] = {entry, NULL};
    bp_config_params params = {.environ = env};
    g_autoptr(bp_config_tree) tree = bp_config_load(&params, NULL);
    ck_assert_ptr_nonnull(tree);
    ck_assert_str_eq(bp_config_path(tree), path);

    const char *const missing[] = {"BAKPLANE_CONFIG=/nonexistent/x.yaml", NULL};
    params.environ = missing;
    GError *error = NULL;
    ck_assert_ptr_null(bp_config_load(&params, &error));
    assert_error(error, BP_ERR_NOT_FOUND, "/nonexistent/x.yaml");
}
END_TEST

START_TEST(test_bp_config_places__order)
{
    const char *const env[] = {"HOME=/home/u", "XDG_CONFIG_HOME=relative", NULL};
    g_auto(GStrv) places = bp_config_places(env);
    g_autofree char *all = g_strjoinv(" ", places);
    ck_assert_str_eq(all, "./bakplane.yaml /home/u/.config/bakplane/bakplane.yaml "
                          "/etc/bakplane/bakplane.yaml");
    const char *const user[] = {"HOME=/home/u", "XDG_CONFIG_HOME=/c", NULL};
    g_auto(GStrv) other = bp_config_places(user);
    ck_assert_str_eq(other[1], "/c/bakplane/bakplane.yaml");
}
END_TEST

START_TEST(test_bp_config_load__storages_come_from_all_layers)
{
    const char *const sets[] = {"storages.third.plugin=local", NULL};
    const char *const env[] = {"BAKPLANE__STORAGES__FOURTH__PLUGIN=local", NULL};
    g_autoptr(bp_config_tree) tree = fixture_load(small, sets, env, NULL);
    g_autofree char *all = g_strjoinv(" ", (char **)bp_config_storages(tree));
    ck_assert_str_eq(all, "backups data fourth third");
}
END_TEST

static bool
speaks_foreign(const char *const *top_keys, gsize n)
{
    return n == 1 && strcmp(top_keys[0], "foreign") == 0;
}

static bool
translate_foreign(const bp_config_foreign *in, bp_node *out, GError **error)
{
    const bp_node *node = bp_node_child(in->root, "foreign");
    if (strcmp(node->text, "bad") == 0) {
        bp_set_error(error, BP_ERR_UNSUPPORTED, "cannot be translated");
        return false;
    }
    g_autofree char *origin = bp_node_origin(node, in->path);
    bp_node_put(out, "storages.x.plugin", node->text, origin);
    g_ptr_array_add(in->warnings, g_strdup("careful"));
    return true;
}

START_TEST(test_bp_config_load__a_foreign_dialect)
{
    const bp_config_dialect dialect = {.recognise = speaks_foreign, .translate = translate_foreign};
    g_autofree char *path = fixture_file("f.yaml", "foreign: local\n");
    bp_config_params params = {.path = path, .dialects = &dialect, .n_dialects = 1};
    g_autoptr(bp_config_tree) tree = bp_config_load(&params, NULL);
    ck_assert_ptr_nonnull(tree);
    ck_assert_str_eq(bp_config_storages(tree)[0], "x");
    ck_assert_str_eq(g_ptr_array_index(bp_config_warnings(tree), 0), "careful");

    g_autofree char *bad = fixture_file("f.yaml", "foreign: bad\n");
    GError *error = NULL;
    ck_assert_ptr_null(bp_config_load(&params, &error));
    assert_error(error, BP_ERR_UNSUPPORTED, "cannot be translated");
}
END_TEST

int
main(void)
{
    TCase *cases = fixture_cases("load");
    tcase_add_test(cases, test_bp_config_load__what_the_issue_shows);
    tcase_add_test(cases, test_bp_config_load__a_named_file_must_exist);
    tcase_add_test(cases, test_bp_config_load__without_any_file);
    tcase_add_test(cases, test_bp_config_load__finds_the_file_of_the_working_directory);
    tcase_add_test(cases, test_bp_config_load__a_found_file_must_be_trustworthy);
    tcase_add_test(cases, test_bp_config_load__the_file_of_the_environment);
    tcase_add_test(cases, test_bp_config_places__order);
    tcase_add_test(cases, test_bp_config_load__storages_come_from_all_layers);
    tcase_add_test(cases, test_bp_config_load__a_foreign_dialect);
    return fixture_run("load", cases);
}
