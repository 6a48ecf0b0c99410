/* SPDX-License-Identifier: Apache-2.0
 *
 * core/compat/migrate: what is written says the same in our own dialect.
 */
#include "core/compat/migrate.h"

#include "core/compat/dialect.h"
#include "core/config/yaml.h"
#include "tests/unit/core/config/fixture.h"

static const char theirs[] = "milvus: {address: h, user: 'ro\"ot', password: 'p\\w: #1'}\n"
                             "minio:\n"
                             "  bucketName: b\n"
                             "  backupRootPath: /x\n"
                             "backup: {parallelism: {copydata: 9}}\n";

static bp_config_tree *
load_theirs(const char *const *sets, const char *const *env)
{
    GError *error = NULL;
    g_autofree char *path = fixture_file("backup.yaml", theirs);
    bp_config_params params = {
        .path = path, .sets = sets, .environ = env, .dialects = &bp_compat_config, .n_dialects = 1};
    bp_config_tree *tree = bp_config_load(&params, &error);
    ck_assert_msg(tree != NULL, "%s", error != NULL ? error->message : "");
    return tree;
}

/* Every text of one tree stands in the other, too. */
static void
assert_same(const bp_node *node, const char *prefix, const bp_config_tree *other)
{
    for (guint i = 0; i < node->children->len; i++) {
        const bp_node *child = g_ptr_array_index(node->children, i);
        g_autofree char *path = g_strconcat(prefix, child->name, NULL);
        if (child->kind == BP_NODE_MAP) {
            g_autofree char *deeper = g_strconcat(path, ".", NULL);
            assert_same(child, deeper, other);
        } else {
            const char *got = bp_config_peek(other, path);
            ck_assert_msg(g_strcmp0(got, child->text) == 0, "%s: %s", path, got);
        }
    }
}

START_TEST(test_bp_migrate_text__is_read_alike)
{
    static const char *const nothing[] = {NULL};
    g_autoptr(bp_config_tree) tree = load_theirs(NULL, nothing);
    g_autoptr(GPtrArray) report = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *text =
        bp_migrate_text(bp_config_file_layer(tree), "backup.yaml", report, NULL);
    ck_assert_uint_eq(report->len, 0);
    g_autoptr(bp_config_tree) ours = fixture_loaded(text);
    ck_assert_ptr_null(bp_config_foreign_dialect(ours));
    ck_assert_ptr_eq(bp_config_foreign_dialect(tree), &bp_compat_config);
    assert_same(bp_config_file_layer(tree), "", ours);
    assert_same(bp_config_file_layer(ours), "", tree);
}
END_TEST

START_TEST(test_bp_migrate_text__secrets_of_variables_stay_there)
{
    const char *const env[] = {"MILVUS_PASSWORD=hush", "MILVUS_ADDRESS=elsewhere", NULL};
    const char *const sets[] = {"MINIO_BUCKET_NAME=c", NULL};
    g_autoptr(bp_config_tree) tree = load_theirs(sets, env);
    g_autoptr(GPtrArray) report = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *text =
        bp_migrate_text(bp_config_file_layer(tree), "backup.yaml", report, NULL);
    ck_assert_ptr_nonnull(strstr(text, "password: {env: MILVUS_PASSWORD}\n"));
    ck_assert_ptr_null(strstr(text, "hush"));
    ck_assert_ptr_nonnull(strstr(text, "address: \"elsewhere:19530\"\n"));
    ck_assert_uint_eq(report->len, 3);
    ck_assert_str_eq(g_ptr_array_index(report, 0),
                     "source.address: the value of MILVUS_ADDRESS is written into the file");
}
END_TEST

static char *
second(const char *text, const char *const *env, GPtrArray *report, bool *valid, GError **error)
{
    g_autoptr(bp_node) root = bp_yaml_parse(text, strlen(text), "backup.yaml", error);
    ck_assert_ptr_nonnull(root);
    return bp_migrate_second(root, "backup.yaml", env, report, valid, error);
}

static bp_config_tree *
load_text(const char *text)
{
    static const char *const nothing[] = {NULL};
    GError *error = NULL;
    g_autofree char *path = fixture_file("some.yaml", text);
    bp_config_params params = {
        .path = path, .environ = nothing, .dialects = &bp_compat_config, .n_dialects = 1};
    bp_config_tree *tree = bp_config_load(&params, &error);
    ck_assert_msg(tree != NULL, "%s", error != NULL ? error->message : "");
    return tree;
}

START_TEST(test_bp_migrate_second__means_the_same)
{
    static const char *const nothing[] = {NULL};
    static const char *const files[] = {
        theirs,
        "milvus: {port: 7, tlsMode: 2, mtlsCertPath: /c, mtlsKeyPath: /k}\n"
        "minio: {storageType: ali, useIAM: true, useSSL: true, backupStorageType: azure, "
        "backupAccessKeyID: acc, backupSecretAccessKey: k, backupUseIAM: false}\n"
        "backup: {gcPause: {enable: true, address: 'http://m'}}\n"
        "log: {level: debug, console: true}\n",
        "milvus: {port: 7}\nminio: {storageType: local, rootPath: /m, backupRootPath: /b}\n",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        GError *error = NULL;
        bool valid = false;
        g_autoptr(GPtrArray) report = g_ptr_array_new_with_free_func(g_free);
        g_autofree char *text = second(files[i], nothing, report, &valid, &error);
        ck_assert_msg(text != NULL && valid, "%s", error != NULL ? error->message : text);
        ck_assert_uint_eq(report->len, 0);
        g_autoptr(bp_config_tree) before = load_text(files[i]);
        g_autoptr(bp_config_tree) after = load_text(text);
        assert_same(bp_config_file_layer(before), "", after);
    }
}
END_TEST

START_TEST(test_bp_migrate_second__keeps_what_only_that_tool_uses)
{
    const char *const env[] = {"MINIO_ACCESS_KEY=AK", "MINIO_BUCKET_NAME=c", "MILVUS_PASSWORD=hush",
                               NULL};
    GError *error = NULL;
    bool valid = false;
    g_autoptr(GPtrArray) report = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *text = second("milvus: {etcd: {endpoints: 'a:1, b:2'}, rpcChannelName: ch}\n"
                                   "log: {file: {rootPath: l.log}}\n"
                                   "minio: {crossStorage: true}\n",
                                   env, report, &valid, &error);
    ck_assert(valid);
    static const char *const parts[] = {
        "endpoints: [\"a:1\", \"b:2\"]\n",
        "rpcChannelName: \"ch\"\n",
        "path: \"l.log\"\n",
        "mode: \"streaming\"\n",
        "port: 19530\n",
        "pauseGC: false\n",
        "# password: in the variable MILVUS_PASSWORD\n",
        "# accessKeyID: in the variable MILVUS_STORAGE_AUTH_ACCESS_KEY_ID\n",
        "bucketName: \"c\"\n"};
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
        ck_assert_msg(strstr(text, parts[i]) != NULL, "no %s in\n%s", parts[i], text);
    }
    ck_assert_ptr_null(strstr(text, "hush"));
    ck_assert(g_ptr_array_find_with_equal_func(
        report, "the variable MINIO_ACCESS_KEY is called MILVUS_STORAGE_AUTH_ACCESS_KEY_ID now",
        g_str_equal, NULL));
}
END_TEST

START_TEST(test_bp_migrate_second__says_what_is_wrong)
{
    static const char *const nothing[] = {NULL};
    GError *error = NULL;
    bool valid = true;
    g_autoptr(GPtrArray) report = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *text = second("milvus: {port: 70000}\n", nothing, report, &valid, &error);
    ck_assert(text != NULL && !valid);
    ck_assert_ptr_nonnull(strstr(g_ptr_array_index(report, 0), "70000 is no port"));
    ck_assert_ptr_null(second("configVersion: V2\n", nothing, report, &valid, &error));
    assert_error(error, BP_ERR_INVALID, "is in the second dialect already");
    error = NULL;
    ck_assert_ptr_null(second("milvus: {port: x, tlsMode: 9}\n", nothing, report, &valid, &error));
    assert_error(error, BP_ERR_INVALID, "2 problems");
}
END_TEST

/* Each is a character that YAML cannot hold as it is, or ends a line there. */
static const char odd[] =
    "a\x01\t\n\x1b\x7f\"\\ \xc2\x85\xc2\x9f\xe2\x80\xa8\xef\xbb\xbf\xef\xbf\xbf"
    "\xf0\x9f\x98\x80 #: z";

START_TEST(test_bp_migrate_text__every_character)
{
    g_autofree char *user = g_strconcat("MILVUS_USER=", odd, NULL);
    const char *const env[] = {user, NULL};
    g_autoptr(bp_config_tree) tree = load_theirs(NULL, env);
    g_autoptr(GPtrArray) report = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *text = bp_migrate_text(bp_config_file_layer(tree), "a\nb\xff", report, NULL);
    ck_assert(g_str_has_prefix(text, "# Made from a\\x0ab\xef\xbf\xbd by"));
    g_autoptr(bp_config_tree) ours = fixture_loaded(text);
    ck_assert_str_eq(bp_config_peek(ours, "source.user"), odd);
}
END_TEST

START_TEST(test_bp_migrate_text__no_utf8)
{
    const char *const env[] = {"MILVUS_USER=hu\xffsh", NULL};
    GError *error = NULL;
    g_autoptr(bp_config_tree) tree = load_theirs(NULL, env);
    g_autoptr(GPtrArray) report = g_ptr_array_new_with_free_func(g_free);
    ck_assert_ptr_null(bp_migrate_text(bp_config_file_layer(tree), "f", report, &error));
    assert_error(error, BP_ERR_INVALID,
                 "source.user (environment MILVUS_USER): the value is no UTF-8");
}
END_TEST

START_TEST(test_bp_migrate_second__every_character)
{
    g_autofree char *bucket = g_strconcat("MINIO_BUCKET_NAME=", odd, NULL);
    const char *const env[] = {bucket, NULL};
    GError *error = NULL;
    bool valid = false;
    g_autoptr(GPtrArray) report = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *text = second("milvus: {user: \"\\e\\x80\"}\n", env, report, &valid, &error);
    ck_assert_msg(text != NULL && valid, "%s", error != NULL ? error->message : text);
    g_autoptr(bp_config_tree) after = load_text(text);
    ck_assert_str_eq(bp_config_peek(after, "storages.milvus.bucket"), odd);
    ck_assert_str_eq(bp_config_peek(after, "source.user"), "\x1b\xc2\x80");
}
END_TEST

START_TEST(test_bp_migrate_second__no_utf8)
{
    static const struct {
        const char *variable, *says;
    } cases[] = {
        {"MINIO_BUCKET_NAME=hu\xffsh",
         "milvus.storage.bucketName (environment MINIO_BUCKET_NAME): the value is no UTF-8"},
        {"MILVUS_RPC_CHANNEL_NAME=hu\xc2",
         "milvus.replicate.rpcChannelName (environment MILVUS_RPC_CHANNEL_NAME): the value"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *const env[] = {cases[i].variable, NULL};
        GError *error = NULL;
        bool valid = true;
        g_autoptr(GPtrArray) report = g_ptr_array_new_with_free_func(g_free);
        ck_assert_ptr_null(second("milvus: {port: 7}\n", env, report, &valid, &error));
        ck_assert_ptr_null(strstr(error->message, "hu"));
        assert_error(error, BP_ERR_INVALID, cases[i].says);
    }
}
END_TEST

/* A credential stays in its variable, so that no file has to hold it. */
START_TEST(test_bp_migrate_second__what_stays_in_variables_may_be_anything)
{
    const char *const env[] = {"MILVUS_PASSWORD=hu\xffsh", NULL};
    GError *error = NULL;
    bool valid = false;
    g_autoptr(GPtrArray) report = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *text = second("milvus: {port: 7}\n", env, report, &valid, &error);
    ck_assert_msg(text != NULL && valid, "%s", error != NULL ? error->message : text);
}
END_TEST

int
main(void)
{
    TCase *cases = fixture_cases("migrate");
    tcase_add_test(cases, test_bp_migrate_text__is_read_alike);
    tcase_add_test(cases, test_bp_migrate_text__secrets_of_variables_stay_there);
    tcase_add_test(cases, test_bp_migrate_second__means_the_same);
    tcase_add_test(cases, test_bp_migrate_second__keeps_what_only_that_tool_uses);
    tcase_add_test(cases, test_bp_migrate_second__says_what_is_wrong);
    tcase_add_test(cases, test_bp_migrate_text__every_character);
    tcase_add_test(cases, test_bp_migrate_text__no_utf8);
    tcase_add_test(cases, test_bp_migrate_second__every_character);
    tcase_add_test(cases, test_bp_migrate_second__no_utf8);
    tcase_add_test(cases, test_bp_migrate_second__what_stays_in_variables_may_be_anything);
    return fixture_run("migrate", cases);
}
