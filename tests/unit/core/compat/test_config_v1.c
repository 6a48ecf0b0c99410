/* SPDX-License-Identifier: Apache-2.0
 *
 * core/compat/config_v1, said, stores and dialect: backup.yaml as people have it.
 */
#include "core/compat/dialect.h"

#include "tests/unit/core/config/fixture.h"

/* As the tool's sample file, shortened in its comments; on a local file system. */
static const char local_file[] = "log:\n"
                                 "  level: info\n"
                                 "  console: true\n"
                                 "  file:\n"
                                 "    rootPath: \"logs/backup.log\"\n"
                                 "http:\n"
                                 "  simpleResponse: true\n"
                                 "milvus:\n"
                                 "  address: localhost\n"
                                 "  port: 19530\n"
                                 "  user: \"root\"\n"
                                 "  password: \"Milvus\"\n"
                                 "  tlsMode: 0\n"
                                 "  caCertPath: \"\"\n"
                                 "minio:\n"
                                 "  storageType: \"local\"\n"
                                 "  bucketName: \"a-bucket\"\n"
                                 "  rootPath: \"/var/lib/milvus/data\"\n"
                                 "  backupRootPath: \"/srv/backup\"\n"
                                 "backup:\n"
                                 "  maxSegmentGroupSize: 2G\n"
                                 "  parallelism:\n"
                                 "    backupCollection: 4\n"
                                 "    copydata: 128\n"
                                 "    restoreCollection: 2\n"
                                 "  keepTempFiles: false\n"
                                 "  gcPause:\n"
                                 "    enable: true\n"
                                 "    seconds: 7200\n"
                                 "    address: http://localhost:9091\n";

static bp_config_tree *
load(const char *text, const char *const *env, GError **error)
{
    static const char *const nothing[] = {NULL};
    g_autofree char *path = fixture_file("backup.yaml", text);
    bp_config_params params = {.path = path,
                               .environ = env != NULL ? env : nothing,
                               .dialects = &bp_compat_config,
                               .n_dialects = 1};
    return bp_config_load(&params, error);
}

static bp_config_tree *
loaded(const char *text, const char *const *env)
{
    GError *error = NULL;
    bp_config_tree *tree = load(text, env, &error);
    ck_assert_msg(error == NULL, "%s", error != NULL ? error->message : "");
    return tree;
}

static void
assert_value(const bp_config_tree *tree, const char *path, const char *expected)
{
    const char *got = bp_config_peek(tree, path);
    ck_assert_msg(g_strcmp0(got, expected) == 0, "%s is %s", path, got != NULL ? got : "not set");
}

static void
assert_warned(const bp_config_tree *tree, const char *part, guint times)
{
    const GPtrArray *warnings = bp_config_warnings(tree);
    guint found = 0;
    for (guint i = 0; i < warnings->len; i++) {
        found += strstr(g_ptr_array_index(warnings, i), part) != NULL;
    }
    ck_assert_msg(found == times, "\"%s\" warned about %u times", part, found);
}

START_TEST(test_translate__a_local_milvus)
{
    g_autoptr(bp_config_tree) tree = loaded(local_file, NULL);
    assert_value(tree, "source.plugin", "milvus");
    assert_value(tree, "source.storage", "milvus");
    assert_value(tree, "source.address", "localhost:19530");
    assert_value(tree, "source.user", "root");
    assert_value(tree, "source.password", "Milvus");
    assert_value(tree, "source.tls_mode", NULL);
    assert_value(tree, "source.ca_file", NULL);
    assert_value(tree, "source.management", "http://localhost:9091");
    assert_value(tree, "storages.milvus.plugin", "local");
    assert_value(tree, "storages.milvus.root", "/var/lib/milvus/data");
    assert_value(tree, "storages.milvus.server_root", "/var/lib/milvus/data");
    assert_value(tree, "storages.backup.root", "/srv/backup");
    assert_value(tree, "storages.backup.server_root", "/srv/backup");
    assert_value(tree, "storages.backup.create_bucket", NULL);
    assert_value(tree, "backup.storage", "backup");
    assert_value(tree, "backup.concurrency.units", "4");
    assert_value(tree, "backup.concurrency.copies", "128");
    assert_value(tree, "restore.concurrency.copies", "128");
    assert_value(tree, "restore.concurrency.units", "2");
    assert_value(tree, "backup.gc_pause", "auto");
    assert_value(tree, "backup.gc_pause_for", "7200s");
    assert_value(tree, "server.simple_answers", "true");
    assert_value(tree, "log.level", "info");
}
END_TEST

START_TEST(test_translate__keys_without_effect_are_named_once)
{
    g_autoptr(bp_config_tree) tree = loaded(local_file, NULL);
    ck_assert_uint_eq(bp_config_warnings(tree)->len, 1);
    assert_warned(tree,
                  "/backup.yaml: keys without effect here: "
                  "log.file.rootPath (line 5), "
                  "backup.maxSegmentGroupSize (line 21), backup.keepTempFiles (line 26)",
                  1);
}
END_TEST

START_TEST(test_translate__values_keep_their_origin)
{
    const char *const env[] = {"MINIO_ROOT_PATH=/from/env", NULL};
    static const struct bp_config_key keys[] = {
        {.name = "root", .type = BP_CONFIG_PATH},
        {.name = "server_root", .type = BP_CONFIG_STRING},
    };
    static const char *const ignore[] = {"plugin", NULL};
    bp_key_table table = {.keys = keys, .stride = sizeof keys[0], .n = G_N_ELEMENTS(keys)};
    bp_config_section_params params = {
        .path = "storages.backup", .tables = &table, .n_tables = 1, .ignore = ignore};
    g_autoptr(bp_config_tree) tree = loaded(local_file, env);
    g_autoptr(GPtrArray) backup = bp_config_rows(tree, &params, NULL);
    const bp_config_row *row = g_ptr_array_index(backup, 0);
    g_autofree char *origin =
        g_strdup_printf("file %s/backup.yaml:19 (minio.backupRootPath)", fixture_dir);
    ck_assert_str_eq(row->origin, origin);
    params.path = "storages.milvus";
    g_autoptr(GPtrArray) milvus = bp_config_rows(tree, &params, NULL);
    row = g_ptr_array_index(milvus, 0);
    ck_assert_str_eq(row->value, "/from/env");
    ck_assert_str_eq(row->origin, "environment MINIO_ROOT_PATH");
}
END_TEST

START_TEST(test_translate__minio_with_all_defaults)
{
    g_autoptr(bp_config_tree) tree = loaded("milvus:\n  address: m\n", NULL);
    assert_value(tree, "source.address", "m:19530");
    assert_value(tree, "storages.milvus.plugin", "s3");
    assert_value(tree, "storages.milvus.provider", "minio");
    assert_value(tree, "storages.milvus.endpoint", "http://localhost:9000");
    assert_value(tree, "storages.milvus.bucket", "a-bucket");
    assert_value(tree, "storages.milvus.prefix", "files");
    assert_value(tree, "storages.milvus.access_key", "minioadmin");
    assert_value(tree, "storages.milvus.secret_key", "minioadmin");
    assert_value(tree, "storages.milvus.create_bucket", NULL);
    assert_value(tree, "storages.backup.bucket", "a-bucket");
    assert_value(tree, "storages.backup.prefix", "files");
    assert_value(tree, "storages.backup.create_bucket", "true");
    assert_value(tree, "backup.gc_pause", NULL);
    assert_warned(tree, "minio.backupRootPath is not set: backups lie below", 1);
}
END_TEST

START_TEST(test_translate__another_store_for_the_backups)
{
    g_autoptr(bp_config_tree) tree = loaded("minio:\n"
                                            "  storageType: aws\n"
                                            "  address: s3.eu-west-1.amazonaws.com\n"
                                            "  port: 443\n"
                                            "  useSSL: true\n"
                                            "  region: eu-west-1\n"
                                            "  accessKeyID: AK\n"
                                            "  secretAccessKey: SK\n"
                                            "  token: TK\n"
                                            "  bucketName: b\n"
                                            "  rootPath: /file/\n"
                                            "  backupStorageType: azure\n"
                                            "  backupAddress: core.windows.net\n"
                                            "  backupAccessKeyID: account\n"
                                            "  backupSecretAccessKey: key\n"
                                            "  backupBucketName: box\n"
                                            "  backupRootPath: backup\n",
                                            NULL);
    assert_value(tree, "storages.milvus.provider", "aws");
    assert_value(tree, "storages.milvus.endpoint", "https://s3.eu-west-1.amazonaws.com:443");
    assert_value(tree, "storages.milvus.region", "eu-west-1");
    assert_value(tree, "storages.milvus.session_token", "TK");
    assert_value(tree, "storages.milvus.prefix", "file");
    assert_value(tree, "storages.backup.plugin", "azure");
    assert_value(tree, "storages.backup.endpoint_suffix", "core.windows.net");
    assert_value(tree, "storages.backup.account", "account");
    assert_value(tree, "storages.backup.account_key", "key");
    assert_value(tree, "storages.backup.container", "box");
    assert_value(tree, "storages.backup.prefix", "backup");
    assert_value(tree, "storages.backup.create_container", "true");
    ck_assert_uint_eq(bp_config_warnings(tree)->len, 0);
}
END_TEST

START_TEST(test_translate__azure_by_identity)
{
    g_autoptr(bp_config_tree) tree = loaded("minio:\n"
                                            "  storageType: azure\n"
                                            "  address: core.windows.net\n"
                                            "  accessKeyID: account\n"
                                            "  useIAM: true\n"
                                            "  backupRootPath: b\n",
                                            NULL);
    assert_value(tree, "storages.milvus.account", "account");
    assert_value(tree, "storages.milvus.account_key", NULL);
    assert_value(tree, "storages.milvus.create_container", NULL);
}
END_TEST

START_TEST(test_translate__iam_has_no_keys)
{
    g_autoptr(bp_config_tree) tree = loaded("minio:\n"
                                            "  cloudProvider: alicloud\n"
                                            "  useIAM: true\n"
                                            "  iamEndpoint: http://iam\n"
                                            "  backupRootPath: b\n",
                                            NULL);
    assert_value(tree, "storages.milvus.provider", "aliyun");
    assert_value(tree, "storages.milvus.credentials", "iam");
    assert_value(tree, "storages.milvus.iam_endpoint", "http://iam");
    assert_value(tree, "storages.milvus.access_key", NULL);
    assert_value(tree, "storages.backup.credentials", "iam");
}
END_TEST

START_TEST(test_translate__environment_wins_unless_empty)
{
    const char *const env[] = {"MILVUS_ADDRESS=elsewhere",
                               "MILVUS_PORT=7",
                               "MILVUS_USER=",
                               "MILVUS_PASSWORD=pw",
                               "MINIO_BACKUP_ROOT_PATH=/e",
                               "BACKUP_PARALLELISM_COPYDATA=9",
                               "BAKPLANE__SOURCE__USER=native",
                               NULL};
    g_autoptr(bp_config_tree) tree = loaded(local_file, env);
    assert_value(tree, "source.address", "elsewhere:7");
    assert_value(tree, "source.password", "pw");
    assert_value(tree, "storages.backup.root", "/e");
    assert_value(tree, "backup.concurrency.copies", "9");
    assert_value(tree, "source.user", "native");
}
END_TEST

START_TEST(test_translate__a_port_of_kubernetes_does_not_count)
{
    const char *const env[] = {"MILVUS_PORT=tcp://10.0.0.1:19530", "MINIO_PORT=tcp://10.0.0.2:9000",
                               NULL};
    g_autoptr(bp_config_tree) tree = loaded("milvus: {port: 19531}\nminio: {port: 9001}\n", env);
    assert_value(tree, "source.address", "localhost:19531");
    assert_value(tree, "storages.milvus.endpoint", "http://localhost:9001");
    assert_warned(tree, "environment MILVUS_PORT=tcp://10.0.0.1:19530 is ignored", 1);
    assert_warned(tree, "environment MINIO_PORT=tcp://10.0.0.2:9000 is ignored", 1);
}
END_TEST

START_TEST(test_translate__names_do_not_regard_case)
{
    g_autoptr(bp_config_tree) tree =
        loaded("MILVUS: {Address: h}\nMinIO: {STORAGETYPE: LOCAL, rootpath: /d}\n", NULL);
    assert_value(tree, "source.address", "h:19530");
    assert_value(tree, "storages.milvus.root", "/d");
}
END_TEST

START_TEST(test_translate__unknown_keys_are_warnings)
{
    g_autoptr(bp_config_tree) tree =
        loaded("milvus:\n  adress: h\n  address: h\n  xyzzy: {a: {b: 1}}\n", NULL);
    assert_warned(tree,
                  "/backup.yaml:2: unknown key \"milvus.adress\" is ignored; did you mean "
                  "\"milvus.address\"?",
                  1);
    assert_warned(tree, "/backup.yaml:4: unknown key \"milvus.xyzzy.a.b\" is ignored", 1);
}
END_TEST

START_TEST(test_translate__tls)
{
    g_autoptr(bp_config_tree) mutual = loaded("milvus: {tlsMode: 2, caCertPath: /ca, serverName: "
                                              "n, mtlsCertPath: /c, mtlsKeyPath: /k}\n",
                                              NULL);
    assert_value(mutual, "source.tls_mode", "2");
    assert_value(mutual, "source.ca_file", "/ca");
    assert_value(mutual, "source.server_name", "n");
    assert_value(mutual, "source.cert_file", "/c");
    assert_value(mutual, "source.key_file", "/k");
    g_autoptr(bp_config_tree) one = loaded("milvus: {tlsMode: 2, caCertPath: ca.pem}\n", NULL);
    g_autofree char *here = g_get_current_dir();
    g_autofree char *ca = g_build_filename(here, "ca.pem", NULL);
    assert_value(one, "source.tls_mode", "1");
    assert_value(one, "source.ca_file", ca);
    assert_warned(one, "tlsMode 2 without mtlsCertPath and mtlsKeyPath acts as 1", 1);
}
END_TEST

START_TEST(test_translate__addresses)
{
    static const struct {
        const char *file, *address;
    } cases[] = {
        {"milvus: {address: '::1'}\n", "[::1]:19530"},
        {"milvus: {address: '[::1]'}\n", "[::1]:19530"},
        {"milvus: {address: 'h:7'}\n", "h:7"},
        {"milvus: {port: 8}\n", "localhost:8"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(bp_config_tree) tree = loaded(cases[i].file, NULL);
        assert_value(tree, "source.address", cases[i].address);
    }
}
END_TEST

START_TEST(test_translate__gc_pause)
{
    g_autoptr(bp_config_tree) off =
        loaded("milvus: {port: 1}\nbackup: {gcPause: {enable: false}}\n", NULL);
    assert_value(off, "backup.gc_pause", "off");
    assert_value(off, "source.management", NULL);
    g_autoptr(bp_config_tree) on =
        loaded("milvus: {port: 1}\nbackup: {gcPause: {enable: true}}\n", NULL);
    assert_value(on, "backup.gc_pause", "auto");
    assert_value(on, "source.management", "http://localhost:9091");
}
END_TEST

START_TEST(test_translate__relative_local_paths_are_said)
{
    g_autoptr(bp_config_tree) tree =
        loaded("minio: {storageType: local, rootPath: data, backupRootPath: /b}\n", NULL);
    g_autofree char *here = g_get_current_dir();
    g_autofree char *data = g_build_filename(here, "data", NULL);
    assert_value(tree, "storages.milvus.root", data);
    assert_warned(tree, "the path \"data\" is relative and taken as /", 1);
}
END_TEST

static const struct {
    const char *text;
    int cls;
    const char *message;
} refused[] = {
    {"configVersion: v3\n", BP_ERR_INVALID, "/backup.yaml:1 (configVersion): there is no version"},
    {"minio: {storageType: gcpnative}\n", BP_ERR_UNSUPPORTED,
     "bakplane does not speak Google's JSON API\nhint: use storageType gcp"},
    {"minio:\n  storageType: mino\n", BP_ERR_INVALID,
     "/backup.yaml:2 (minio.storageType): unknown storage type \"mino\"\nhint: did you mean "
     "\"minio\"?"},
    {"minio: {storageType: local}\n", BP_ERR_INVALID, "storage type local needs a rootPath"},
    {"minio: {useSSL: maybe}\n", BP_ERR_INVALID, "(minio.useSSL): \"maybe\" is neither true nor"},
    {"milvus: {port: many, tlsMode: x}\nminio: {useSSL: maybe, storageType: gcpnative}\n",
     BP_ERR_INVALID, "/backup.yaml: 4 problems:\n- "},
    {"milvus: {port: many}\nminio: {useSSL: maybe}\n", BP_ERR_INVALID,
     "(milvus.port): \"many\" is no number\n- "},
    {"milvus: {address: [a]}\n", BP_ERR_INVALID, "milvus.address: expected one value"},
    {"milvus: {address: a, Address: b}\n", BP_ERR_INVALID,
     "/backup.yaml:1: key \"milvus.Address\" was given already"},
    {"milvus: {port: 1}\nbackup: {parallelism: {copydata: many}}\n", BP_ERR_INVALID,
     "/backup.yaml:2 (backup.parallelism.copydata): \"many\" is no number"},
    {"milvus: {port: 1}\nbackup: {gcPause: {enable: si}}\n", BP_ERR_INVALID,
     "(backup.gcPause.enable): \"si\" is neither true nor false"},
};

START_TEST(test_translate__refuses)
{
    GError *error = NULL;
    ck_assert_ptr_null(load(refused[_i].text, NULL, &error));
    assert_error(error, refused[_i].cls, refused[_i].message);
}
END_TEST

START_TEST(test_recognise__native_files_are_left_alone)
{
    static const char *const native[] = {"source", "backup", "milvus"};
    static const char *const foreign[] = {"backup", "Minio"};
    static const char *const neither[] = {"backup", "log"};
    ck_assert(!bp_compat_config.recognise(native, G_N_ELEMENTS(native)));
    ck_assert(bp_compat_config.recognise(foreign, G_N_ELEMENTS(foreign)));
    ck_assert(!bp_compat_config.recognise(neither, G_N_ELEMENTS(neither)));
    ck_assert(!bp_compat_config.recognise(NULL, 0));
}
END_TEST

int
main(void)
{
    TCase *cases = fixture_cases("config_v1");
    tcase_add_test(cases, test_translate__a_local_milvus);
    tcase_add_test(cases, test_translate__keys_without_effect_are_named_once);
    tcase_add_test(cases, test_translate__values_keep_their_origin);
    tcase_add_test(cases, test_translate__minio_with_all_defaults);
    tcase_add_test(cases, test_translate__another_store_for_the_backups);
    tcase_add_test(cases, test_translate__azure_by_identity);
    tcase_add_test(cases, test_translate__iam_has_no_keys);
    tcase_add_test(cases, test_translate__environment_wins_unless_empty);
    tcase_add_test(cases, test_translate__a_port_of_kubernetes_does_not_count);
    tcase_add_test(cases, test_translate__names_do_not_regard_case);
    tcase_add_test(cases, test_translate__unknown_keys_are_warnings);
    tcase_add_test(cases, test_translate__tls);
    tcase_add_test(cases, test_translate__addresses);
    tcase_add_test(cases, test_translate__gc_pause);
    tcase_add_test(cases, test_translate__relative_local_paths_are_said);
    tcase_add_loop_test(cases, test_translate__refuses, 0, G_N_ELEMENTS(refused));
    tcase_add_test(cases, test_recognise__native_files_are_left_alone);
    return fixture_run("config_v1", cases);
}
