/* SPDX-License-Identifier: Apache-2.0
 *
 * core/compat/config_v2 and config_v2_stores: backup.yaml of 0.6; and how --set, the environment
 * and no file at all are read in both dialects.
 */
#include "core/compat/dialect.h"
#include "core/compat/translate.h"

#include "tests/unit/core/config/fixture.h"

static const char minio_file[] = "configVersion: v2\n"
                                 "log: {level: info, file: {path: logs/backup.log}}\n"
                                 "milvus:\n"
                                 "  user: root\n"
                                 "  grpc: {address: milvus, port: 19531}\n"
                                 "  storage:\n"
                                 "    address: minio\n"
                                 "    rootPath: file\n"
                                 "    auth: {accessKeyID: AK, secretAccessKey: SK}\n"
                                 "backup:\n"
                                 "  storage: {bucketName: backups}\n"
                                 "  concurrency: {collections: 3}\n"
                                 "restore: {concurrency: {collections: 5}}\n"
                                 "transfer: {concurrency: 7}\n";

static bp_config_tree *
load_with(const char *path, const char *const *sets, const char *const *env, GError **error)
{
    static const char *const nothing[] = {NULL};
    bp_config_params params = {.path = path,
                               .sets = sets,
                               .environ = env != NULL ? env : nothing,
                               .dialects = &bp_compat_config_assumed,
                               .n_dialects = 1};
    return bp_config_load(&params, error);
}

static bp_config_tree *
loaded(const char *text, const char *const *sets, const char *const *env)
{
    GError *error = NULL;
    g_autofree char *path = *text != '\0' ? fixture_file("backup.yaml", text) : g_strdup("");
    bp_config_tree *tree = load_with(path, sets, env, &error);
    ck_assert_msg(error == NULL, "%s", error != NULL ? error->message : "");
    return tree;
}

static void
assert_value(const bp_config_tree *tree, const char *path, const char *expected)
{
    const char *got = bp_config_peek(tree, path);
    ck_assert_msg(g_strcmp0(got, expected) == 0, "%s is %s", path, got != NULL ? got : "not set");
}

static bool
warned(const bp_config_tree *tree, const char *part)
{
    const GPtrArray *warnings = bp_config_warnings(tree);
    bool found = false;
    for (guint i = 0; i < warnings->len; i++) {
        found = found || strstr(g_ptr_array_index(warnings, i), part) != NULL;
    }
    return found;
}

START_TEST(test_translate__minio)
{
    g_autoptr(bp_config_tree) tree = loaded(minio_file, NULL, NULL);
    assert_value(tree, "source.plugin", "milvus");
    assert_value(tree, "source.address", "milvus:19531");
    assert_value(tree, "source.user", "root");
    assert_value(tree, "source.management", "http://localhost:9091");
    assert_value(tree, "backup.gc_pause", "auto");
    assert_value(tree, "storages.milvus.plugin", "s3");
    assert_value(tree, "storages.milvus.endpoint", "http://minio:9000");
    assert_value(tree, "storages.milvus.bucket", "a-bucket");
    assert_value(tree, "storages.milvus.prefix", "file");
    assert_value(tree, "storages.backup.endpoint", "http://minio:9000");
    assert_value(tree, "storages.backup.bucket", "backups");
    assert_value(tree, "storages.backup.prefix", "backup");
    assert_value(tree, "storages.backup.access_key", "AK");
    assert_value(tree, "storages.backup.secret_key", "SK");
    assert_value(tree, "storages.backup.create_bucket", "true");
    assert_value(tree, "backup.concurrency.units", "3");
    assert_value(tree, "restore.concurrency.units", "5");
    assert_value(tree, "backup.concurrency.copies", "7");
    assert_value(tree, "log.level", "info");
    ck_assert(warned(tree, "keys without effect here: log.file.path (line 2)"));
}
END_TEST

START_TEST(test_translate__local_and_azure)
{
    g_autoptr(bp_config_tree) tree =
        loaded("configVersion: V2\n"
               "milvus:\n"
               "  storage: {provider: local, rootPath: /mnt/milvus, localPath: /var/lib/milvus}\n"
               "backup:\n"
               "  storage: {provider: azure, address: core.windows.net, accountName: acc, "
               "bucketName: box, useSSL: true, auth: {type: sharedKey, accountKey: K}}\n",
               NULL, NULL);
    assert_value(tree, "storages.milvus.root", "/mnt/milvus");
    assert_value(tree, "storages.milvus.server_root", "/var/lib/milvus");
    assert_value(tree, "storages.backup.plugin", "azure");
    assert_value(tree, "storages.backup.account", "acc");
    assert_value(tree, "storages.backup.account_key", "K");
    assert_value(tree, "storages.backup.container", "box");
    assert_value(tree, "storages.backup.create_container", "true");
}
END_TEST

START_TEST(test_translate__identities)
{
    g_autoptr(bp_config_tree) tree =
        loaded("configVersion: v2\n"
               "milvus: {storage: {provider: aws, auth: {type: IAM, endpoint: 'http://i'}}}\n"
               "backup: {storage: {auth: {type: default}}}\n",
               NULL, NULL);
    assert_value(tree, "storages.milvus.credentials", "iam");
    assert_value(tree, "storages.milvus.iam_endpoint", "http://i");
    assert_value(tree, "storages.milvus.access_key", NULL);
    assert_value(tree, "storages.backup.credentials", NULL);
    assert_value(tree, "storages.backup.access_key", NULL);
}
END_TEST

START_TEST(test_translate__tls)
{
    g_autoptr(bp_config_tree) tree =
        loaded("configVersion: v2\n"
               "milvus: {grpc: {tlsMode: Mutual, caCertPath: /ca, mtlsCertPath: /c, mtlsKeyPath: "
               "/k, serverName: n}}\n",
               NULL, NULL);
    assert_value(tree, "source.tls_mode", "2");
    assert_value(tree, "source.ca_file", "/ca");
    assert_value(tree, "source.cert_file", "/c");
    assert_value(tree, "source.key_file", "/k");
    assert_value(tree, "source.server_name", "n");
}
END_TEST

START_TEST(test_translate__set_beats_the_environment)
{
    const char *const env[] = {"MILVUS_USER=env", "MILVUS_PASSWORD=", "MILVUS_ADDRESS=other",
                               "BACKUP_STORAGE_AUTH_ACCESS_KEY_ID=BK", NULL};
    const char *const sets[] = {"MILVUS_USER=by-variable", "MILVUS.grpc.PORT=1",
                                "backup.concurrency.units=2", "milvus.password=pw", NULL};
    g_autoptr(bp_config_tree) tree = loaded(minio_file, sets, env);
    assert_value(tree, "source.user", "by-variable");
    assert_value(tree, "source.address", "milvus:1"); /* the variable is of the other dialect */
    assert_value(tree, "source.password", "pw");
    assert_value(tree, "storages.backup.access_key", "BK");
    assert_value(tree, "backup.concurrency.units", "2"); /* a key of ours is stronger */
    ck_assert(warned(tree, "--set milvus.password: every user of this machine can read it"));
}
END_TEST

START_TEST(test_translate__keys_of_the_first_dialect_have_successors)
{
    g_autoptr(bp_config_tree) tree =
        loaded("configVersion: v2\n"
               "milvus: {address: h, rpcChannelName: c}\n"
               "minio: {bucketName: b, backupToken: t, crossStorage: true}\n"
               "backup: {parallelism: {copydata: 3}}\n"
               "xyzzy: 1\n",
               NULL, NULL);
    static const char *const parts[] = {
        "backup.yaml:2: key \"milvus.address\" is of the first dialect and ignored; here ",
        "here it is \"milvus.grpc.address\"",
        "\"milvus.replicate.rpcChannelName\"",
        "\"milvus.storage.bucketName\"",
        "\"backup.storage.auth.sessionToken\"",
        "here it is \"transfer.mode\"",
        "here it is \"transfer.concurrency\"",
        "backup.yaml:5: unknown key \"xyzzy\" is ignored",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
        ck_assert_msg(warned(tree, parts[i]), "no warning with %s", parts[i]);
    }
    assert_value(tree, "source.address", "localhost:19530");
}
END_TEST

START_TEST(test_bp_v2_successor__is_a_key_of_the_second_dialect)
{
    guint found = 0;
    for (gsize i = 0; i < bp_v1_table.n; i++) {
        g_autofree char *successor = bp_v2_successor(bp_v1_table.keys[i].name);
        if (successor != NULL) {
            found++;
            ck_assert_msg(bp_said_table_find(&bp_v2_table, successor) != NULL, "%s: no key %s",
                          bp_v1_table.keys[i].name, successor);
        }
    }
    ck_assert_uint_gt(found, 50);
}
END_TEST

START_TEST(test_translate__no_file_is_the_second_dialect)
{
    const char *const env[] = {"MILVUS_ADDRESS=no", "MILVUS_USER=u", NULL};
    const char *const sets[] = {"milvus.grpc.address=h", NULL};
    g_autoptr(bp_config_tree) tree = loaded("", sets, env);
    assert_value(tree, "source.address", "h:19530");
    assert_value(tree, "source.user", "u");
    ck_assert_ptr_null(bp_config_path(tree));
}
END_TEST

START_TEST(test_translate__sets_of_the_first_dialect)
{
    const char *const sets[] = {"MILVUS_ADDRESS=by-variable", "minio.bucketname=by-key",
                                "BACKUP_KEEP_TEMP_FILES=true", NULL};
    g_autoptr(bp_config_tree) tree = loaded("backup: {keepTempFiles: false}\n", sets, NULL);
    assert_value(tree, "source.address", "by-variable:19530");
    assert_value(tree, "storages.milvus.bucket", "by-key");
    ck_assert(warned(tree, "backup.keepTempFiles (line 1), --set BACKUP_KEEP_TEMP_FILES"));
}
END_TEST

/* A file is read as one dialect: what its version is, only it can say. */
START_TEST(test_translate__set_of_another_version)
{
    static const struct {
        const char *text, *set, *message; /* NULL = accepted */
    } tries[] = {
        {"milvus: {address: h}\n", "configversion=V2", "backup.yaml is in the dialect v1\nhint: "},
        {"configVersion: v2\n", "configVersion=v1", "is in the dialect v2"},
        {"configVersion: v2\n", "configVersion=", "is in the dialect v2"},
        {"", "configVersion=v1", "no file is v2"},
        {"milvus: {address: h}\n", "configVersion=v1", NULL},
        {"configVersion: v2\n", "configVersion=v2", NULL},
        {"", "configVersion=v2", NULL},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(tries); i++) {
        const char *const sets[] = {tries[i].set, NULL};
        GError *error = NULL;
        g_autofree char *path =
            *tries[i].text != '\0' ? fixture_file("backup.yaml", tries[i].text) : g_strdup("");
        g_autoptr(bp_config_tree) tree = load_with(path, sets, NULL, &error);
        if (tries[i].message != NULL) {
            assert_error(error, BP_ERR_INVALID, tries[i].message);
        }
        ck_assert_msg((tree != NULL) == (tries[i].message == NULL), "%s with %s", tries[i].text,
                      tries[i].set);
    }
}
END_TEST

static const struct {
    const char *text, *message;
} refused[] = {
    {"milvus: {grpc: {port: 70000}}", "(milvus.grpc.port): 70000 is no port"},
    {"milvus: {grpc: {tlsMode: 1}}", "hint: in v2 it is written server"},
    {"milvus: {grpc: {tlsMode: on}}", "hint: there are disabled, server, mutual"},
    {"milvus: {grpc: {tlsMode: mutual}}", "mutual needs mtlsCertPath and mtlsKeyPath"},
    {"milvus: {rest: {endpoint: 'host:1'}}", "\"host:1\" is no http(s):// address"},
    {"milvus: {rest: {endpoint: 'http://host:1'}}", "REST at another address than localhost:19530"},
    {"milvus: {management: {endpoint: x}}", "\"x\" is no http(s):// address"},
    {"milvus: {storage: {provider: gcpnative}}", "does not speak Google's JSON API"},
    {"milvus: {storage: {accountName: a}}", "(milvus.storage.accountName): is for azure"},
    {"milvus: {storage: {provider: azure, auth: {accountKey: k}}}",
     "milvus.storage.accountName is missing: azure needs it"},
    {"milvus: {storage: {provider: azure, accountName: a}}",
     "milvus.storage.auth.accountKey is missing: auth type sharedKey needs it"},
    {"milvus: {storage: {localPath: /x}}", "is for the provider local"},
    {"milvus: {storage: {milvusAddress: 'http://h'}}", "is the name of a host alone"},
    {"milvus: {storage: {milvusPort: 9}}", "needs milvusAddress"},
    {"milvus: {storage: {auth: {type: sharedKey}}}", "minio has no auth type \"sharedKey\""},
    {"milvus: {storage: {auth: {type: iam, accessKeyID: a}}}", "auth type iam does not use it"},
    {"milvus: {storage: {auth: {credentialsFile: /f}}}", "auth type static does not use it"},
    {"milvus: {storage: {auth: {secretAccessKey: ''}}}",
     "milvus.storage.auth.secretAccessKey is missing"},
    {"backup: {concurrency: {collections: 0}}", "must be more than 0"},
    {"transfer: {mode: slow}", "hint: there are auto, direct, streaming"},
    {"milvus: {etcd: {endpoints: a}}", "milvus.etcd.endpoints: expected a list"},
};

START_TEST(test_translate__refuses)
{
    GError *error = NULL;
    g_autofree char *text = g_strdup_printf("configVersion: v2\n%s\n", refused[_i].text);
    g_autofree char *path = fixture_file("backup.yaml", text);
    ck_assert_ptr_null(load_with(path, NULL, NULL, &error));
    ck_assert_ptr_nonnull(error);
    ck_assert_msg(strstr(error->message, refused[_i].message) != NULL, "%s", error->message);
    g_error_free(error);
}
END_TEST

START_TEST(test_translate__all_problems_at_once)
{
    GError *error = NULL;
    const char *const sets[] = {"backup.pauseGC=maybe", NULL};
    g_autofree char *path = fixture_file("backup.yaml", "configVersion: v2\n"
                                                        "milvus: {grpc: {port: 0, tlsMode: 7}}\n"
                                                        "backup: {storage: {provider: s4}}\n");
    ck_assert_ptr_null(load_with(path, sets, NULL, &error));
    static const char *const parts[] = {"4 problems:", "\"maybe\" is neither true nor false",
                                        "0 is no port", "there is no mode \"7\"",
                                        "unknown storage type \"s4\""};
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
        ck_assert_msg(strstr(error->message, parts[i]) != NULL, "%s", error->message);
    }
    assert_error(error, BP_ERR_INVALID, "backup.yaml");
}
END_TEST

int
main(void)
{
    TCase *cases = fixture_cases("config_v2");
    tcase_add_test(cases, test_translate__minio);
    tcase_add_test(cases, test_translate__local_and_azure);
    tcase_add_test(cases, test_translate__identities);
    tcase_add_test(cases, test_translate__tls);
    tcase_add_test(cases, test_translate__set_beats_the_environment);
    tcase_add_test(cases, test_translate__keys_of_the_first_dialect_have_successors);
    tcase_add_test(cases, test_bp_v2_successor__is_a_key_of_the_second_dialect);
    tcase_add_test(cases, test_translate__no_file_is_the_second_dialect);
    tcase_add_test(cases, test_translate__sets_of_the_first_dialect);
    tcase_add_test(cases, test_translate__set_of_another_version);
    tcase_add_loop_test(cases, test_translate__refuses, 0, G_N_ELEMENTS(refused));
    tcase_add_test(cases, test_translate__all_problems_at_once);
    return fixture_run("config_v2", cases);
}
