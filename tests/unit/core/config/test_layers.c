/* SPDX-License-Identifier: Apache-2.0
 *
 * core/config/layers: --set and the environment as trees.
 */
#include "core/config/tree.h"

#include "fixture.h"

START_TEST(test_bp_config__layer_from_sets__pairs)
{
    const char *const sets[] = {"source.address=h:1", "a.b=x=y", "source.user=", NULL};
    g_autoptr(bp_node) layer = bp_config__layer_from_sets(sets, NULL);
    ck_assert_str_eq(bp_node_at(layer, "source.address")->text, "h:1");
    ck_assert_str_eq(bp_node_at(layer, "a.b")->text, "x=y");
    ck_assert_str_eq(bp_node_at(layer, "source.user")->text, "");
}
END_TEST

static const char *const bad_sets[] = {"source.address", "=x", ".a=x", "a.=x", "a..b=x", "a b=x"};

START_TEST(test_bp_config__layer_from_sets__bad)
{
    const char *const sets[] = {bad_sets[_i], NULL};
    GError *error = NULL;
    ck_assert_ptr_null(bp_config__layer_from_sets(sets, &error));
    assert_error(error, BP_ERR_INVALID, "expected KEY=VALUE\nhint: a key looks like");
}
END_TEST

START_TEST(test_bp_config__layer_from_sets__does_not_repeat_the_value)
{
    const char *const sets[] = {"a b=hunter2", NULL};
    GError *error = NULL;
    ck_assert_ptr_null(bp_config__layer_from_sets(sets, &error));
    ck_assert_ptr_null(strstr(error->message, "hunter2"));
    assert_error(error, BP_ERR_INVALID, "--set a b: ");
}
END_TEST

START_TEST(test_bp_config__layer_from_environ__names_are_folded)
{
    const char *const env[] = {"BAKPLANE__SOURCE__TLS_MODE=server",
                               "BAKPLANE__STATE_DIR=/s",
                               "BAKPLANE_CONFIG=/x",
                               "PATH=/bin",
                               "BAKPLANE__SOURCE__USER=",
                               NULL};
    g_autoptr(bp_node) layer = bp_config__layer_from_environ(env, NULL);
    const bp_node *mode = bp_node_at(layer, "source.tls_mode");
    ck_assert_str_eq(mode->text, "server");
    ck_assert_str_eq(mode->origin, "environment BAKPLANE__SOURCE__TLS_MODE");
    ck_assert_str_eq(bp_node_at(layer, "state_dir")->text, "/s");
    ck_assert_ptr_null(bp_node_at(layer, "source.user"));
    ck_assert_uint_eq(layer->children->len, 2);
}
END_TEST

static const char *const bad_env[] = {"BAKPLANE__=x", "BAKPLANE__A__=x", "BAKPLANE__A.B=x",
                                      "BAKPLANE____A=x"};

START_TEST(test_bp_config__layer_from_environ__bad)
{
    const char *const env[] = {bad_env[_i], NULL};
    GError *error = NULL;
    ck_assert_ptr_null(bp_config__layer_from_environ(env, &error));
    assert_error(error, BP_ERR_INVALID, ": no key can have this name\nhint: ");
}
END_TEST

START_TEST(test_bp_config__layer_from_environ__bytes_that_are_no_text)
{
    const char *const env[] = {"BAKPLANE__SOURCE__USER=\xff", NULL};
    GError *error = NULL;
    ck_assert_ptr_null(bp_config__layer_from_environ(env, &error));
    assert_error(error, BP_ERR_INVALID, "environment BAKPLANE__SOURCE__USER: not UTF-8 text");
}
END_TEST

START_TEST(test_bp_config__name_storages__gives_back_the_dashes)
{
    const char *const env[] = {"BAKPLANE__STORAGES__MILVUS_DATA__ROOT=/r",
                               "BAKPLANE__STORAGES__OTHER__ROOT=/o", NULL};
    char *names[] = {(char *)"milvus-data", NULL};
    g_autoptr(bp_node) layer = bp_config__layer_from_environ(env, NULL);
    bp_config__name_storages(layer, names);
    ck_assert_str_eq(bp_node_at(layer, "storages.milvus-data.root")->text, "/r");
    ck_assert_str_eq(bp_node_at(layer, "storages.other.root")->text, "/o");
}
END_TEST

START_TEST(test_bp_config__env_name__is_the_way_back)
{
    g_autofree char *nested = bp_config__env_name("backup.concurrency.units");
    g_autofree char *dashed = bp_config__env_name("storages.milvus-data.root");
    ck_assert_str_eq(nested, "BAKPLANE__BACKUP__CONCURRENCY__UNITS");
    ck_assert_str_eq(dashed, "BAKPLANE__STORAGES__MILVUS_DATA__ROOT");
}
END_TEST

START_TEST(test_bp_config__getenv__matches_whole_names)
{
    const char *const env[] = {"AB=1", "A=2", "C=", NULL};
    ck_assert_str_eq(bp_config__getenv(env, "A"), "2");
    ck_assert_str_eq(bp_config__getenv(env, "C"), "");
    ck_assert_ptr_null(bp_config__getenv(env, "B"));
}
END_TEST

int
main(void)
{
    TCase *cases = fixture_cases("layers");
    tcase_add_test(cases, test_bp_config__layer_from_sets__pairs);
    tcase_add_loop_test(cases, test_bp_config__layer_from_sets__bad, 0, G_N_ELEMENTS(bad_sets));
    tcase_add_test(cases, test_bp_config__layer_from_sets__does_not_repeat_the_value);
    tcase_add_test(cases, test_bp_config__layer_from_environ__names_are_folded);
    tcase_add_loop_test(cases, test_bp_config__layer_from_environ__bad, 0, G_N_ELEMENTS(bad_env));
    tcase_add_test(cases, test_bp_config__layer_from_environ__bytes_that_are_no_text);
    tcase_add_test(cases, test_bp_config__name_storages__gives_back_the_dashes);
    tcase_add_test(cases, test_bp_config__env_name__is_the_way_back);
    tcase_add_test(cases, test_bp_config__getenv__matches_whole_names);
    return fixture_run("layers", cases);
}
