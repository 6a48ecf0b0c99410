/* SPDX-License-Identifier: Apache-2.0
 *
 * core/config/check: what is refused before any plugin is loaded, and how it reads.
 */
#include "fixture.h"

static const struct {
    const char *text, *message;
} refused[] = {
    {"sources: {}\n", "/b.yaml:1: unknown key \"sources\"\nhint: did you mean \"source\"?"},
    {"\nxyzzy: 1\n", "/b.yaml:2: unknown key \"xyzzy\"\nhint: sections are source, storages"},
    {"source: milvus\n", "/b.yaml:1: source: expected keys with values"},
    {"source: {address: x}\n", "/b.yaml:1: source.plugin is missing"},
    {"storages: [a]\n", "/b.yaml:1: storages: expected keys with values"},
    {"storages: {a: local}\n", "/b.yaml:1: storages.a: expected keys with values"},
    {"storages: {a: {root: /x}}\n", "storages.a.plugin is missing\nhint: write storages: {a: "},
    {"storages: {Up: {plugin: local}}\n", "/b.yaml:1: \"Up\" cannot be the name of a storage"},
    {"storages: {a__b: {plugin: local}}\n", "\"a__b\" cannot be the name of a storage"},
    {"storages: {1a: {plugin: local}}\n", "\"1a\" cannot be the name of a storage"},
    {"storages:\n  a-b: {plugin: l}\n  a_b: {plugin: l}\n",
     "storages a-b and a_b: names may not differ in '-' and '_' alone"},
    {"source: {plugin: m,\n  storage: dta}\nstorages: {data: {plugin: local}}\n",
     "/b.yaml:2: source.storage: no storage \"dta\" is configured\nhint: configured are: data"},
    {"backup: {storage: x}\n",
     "/b.yaml:1: backup.storage: no storage \"x\" is configured\nhint: write storages: {x: "},
    {"backup:\n  concurrency:\n    units: many\n",
     "/b.yaml:3: backup.concurrency.units: \"many\" is no whole number"},
    {"backup: {concurrency: 4}\n", "/b.yaml:1: backup.concurrency: expected keys with values"},
    {"backup: {concurrency: {units: 0}}\n", "backup.concurrency.units: 0 is out of range"},
    {"backup: {throttle: fast}\n", "backup.throttle: \"fast\" is no size"},
    {"restore: {concurrency: {copies: [1]}}\n",
     "restore.concurrency.copies: expected one value, found a list"},
    {"log: {level: loud}\n", "/b.yaml:1: log.level: \"loud\" is none of: error, warn, info"},
    {"log: {levle: info}\n",
     "/b.yaml:1: unknown key \"levle\" in log\nhint: did you mean \"level\"?"},
    {"plugins: {dirs: {a: b}}\n", "plugins.dirs: expected a value, found keys"},
    {"plugins: {dirs: [[a]]}\n", "plugins.dirs: element 1 is no plain value"},
    {"server: {listen: localhost:80}\n",
     "/b.yaml:1: server.listen: 'localhost:80' is no address with a port\nhint: write it as"},
    {"server:\n  grpc_listen: 127.0.0.1:65536\n",
     "/b.yaml:2: server.grpc_listen: '65536' is no port, 0 to 65535"},
    {"server: {tls_cert: /c}\n", "/b.yaml:1: server.tls_cert: it needs server.tls_key beside it"},
    {"server: {tls_key: /k}\n", "/b.yaml:1: server.tls_key: it needs server.tls_cert beside it"},
    {"server: {tls_client_ca: /a}\n",
     "/b.yaml:1: server.tls_client_ca: without TLS nobody shows a certificate"},
    {"server: {port: 1}\n", "/b.yaml:1: unknown key \"port\" in server"},
    {"state_dir: ''\n", "/b.yaml:1: state_dir: \"\" is no path"},
};

START_TEST(test_bp_config_load__refuses)
{
    GError *error = NULL;
    ck_assert_ptr_null(fixture_load(refused[_i].text, NULL, NULL, &error));
    assert_error(error, BP_ERR_INVALID, refused[_i].message);
}
END_TEST

START_TEST(test_bp_config_load__sections_may_be_empty)
{
    g_autoptr(bp_config_tree) tree =
        fixture_loaded("source:\nstorages:\nbackup: {}\nrestore:\nlog:\nstate_dir:\n");
    ck_assert_ptr_nonnull(tree);
}
END_TEST

START_TEST(test_bp_config_load__keys_of_plugins_are_not_judged_here)
{
    g_autoptr(bp_config_tree) tree =
        fixture_loaded("source: {plugin: m, whatever: 1}\nbackup: {flush: none}\n"
                       "storages: {a: {plugin: l, x: [1]}}\n");
    ck_assert_ptr_nonnull(tree);
}
END_TEST

START_TEST(test_bp_config_load__an_unknown_variable_is_refused)
{
    const char *const env[] = {"BAKPLANE__LOG__LEVLE=info", NULL};
    GError *error = NULL;
    ck_assert_ptr_null(fixture_load("", NULL, env, &error));
    assert_error(error, BP_ERR_INVALID,
                 "environment BAKPLANE__LOG__LEVLE: unknown key \"levle\" in log\nhint: did you "
                 "mean \"level\"?");
}
END_TEST

START_TEST(test_bp_config_load__an_unknown_set_is_refused)
{
    const char *const sets[] = {"lgo.level=info", NULL};
    GError *error = NULL;
    ck_assert_ptr_null(fixture_load("", sets, NULL, &error));
    assert_error(error, BP_ERR_INVALID, "--set: unknown key \"lgo\"\nhint: did you mean \"log\"?");
}
END_TEST

int
main(void)
{
    TCase *cases = fixture_cases("check");
    tcase_add_loop_test(cases, test_bp_config_load__refuses, 0, G_N_ELEMENTS(refused));
    tcase_add_test(cases, test_bp_config_load__sections_may_be_empty);
    tcase_add_test(cases, test_bp_config_load__keys_of_plugins_are_not_judged_here);
    tcase_add_test(cases, test_bp_config_load__an_unknown_variable_is_refused);
    tcase_add_test(cases, test_bp_config_load__an_unknown_set_is_refused);
    return fixture_run("check", cases);
}
