/* SPDX-License-Identifier: Apache-2.0
 *
 * core/compat/front_config: the configuration as milvus-backup shows it, whichever dialect the
 * file is in.
 */
#include "core/compat/front_config.h"

#include "core/base/json.h"
#include "core/compat/dialect.h"
#include "core/config/yaml.h"
#include "tests/unit/core/config/fixture.h"

static const char first[] = "milvus: {address: h, password: supersecret123, tlsMode: 1}\n"
                            "minio: {secretAccessKey: key4, useSSL: true, backupUseSSL: false}\n"
                            "backup: {gcPause: {enable: true}}\n";
static const char second[] = "configVersion: v2\n"
                             "milvus:\n"
                             "  etcd: {endpoints: ['a:1', 'b:2']}\n"
                             "  storage: {address: s3, auth: {sessionToken: tok-en}}\n";

/* @env: "NAME=value"; @set: KEY=VALUE; either may be NULL.  Returns: (transfer full) (nullable) */
static char *
show_as(const char *command, const char *file, const char *env, const char *set)
{
    const char *const environ[] = {env, NULL};
    const char *const sets[] = {set, NULL};
    g_autofree char *word = set != NULL ? g_strconcat("--set=", set, NULL) : NULL;
    char *words[] = {(char *)"bakplane", word, NULL};
    GError *error = NULL;
    g_autofree char *path = fixture_file("backup.yaml", file);
    bp_config_params params = {.path = path,
                               .sets = sets,
                               .environ = environ,
                               .dialects = &bp_compat_config,
                               .n_dialects = 1};
    g_autoptr(bp_config_tree) tree = bp_config_load(&params, &error);
    ck_assert_msg(tree != NULL, "%s", error != NULL ? error->message : "");
    g_autoptr(json_t) json = json_pack("{s:[]}", "settings");
    bp_front_call call = {.command = command, .words = words, .environ = environ};
    bp_front_result result = {.call = &call, .json = json, .config = tree, .done = true};
    return bp_compat_front.show(&result);
}

/* Its four cells. */
static void
row(const char *table, const char *parameter, const char *expected)
{
    g_auto(GStrv) lines = g_strsplit(table, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        g_auto(GStrv) cells = g_regex_split_simple(" +", *line, 0, 0);
        if (g_strcmp0(cells[0], parameter) == 0) {
            g_autofree char *got = g_strjoinv(" ", cells);
            ck_assert_str_eq(g_strchomp(got), expected);
            return;
        }
    }
    ck_abort_msg("no %s in\n%s", parameter, table);
}

START_TEST(test_bp_front_show_config__first_dialect)
{
    g_autofree char *text = show_as("config", first, "MILVUS_USER=root", "minio.port=77");
    ck_assert_ptr_nonnull(strstr(text, "\n---------    "));
    row(text, "PARAMETER", "PARAMETER VALUE SOURCE SOURCE_KEY");
    row(text, "Milvus.User", "Milvus.User root env milvus_user");
    row(text, "Milvus.Grpc.Address", "Milvus.Grpc.Address h config milvus.address");
    row(text, "Milvus.Grpc.Port", "Milvus.Grpc.Port 19530 default");
    row(text, "Milvus.Grpc.TLSMode", "Milvus.Grpc.TLSMode server config milvus.tlsmode");
    row(text, "Backup.Storage.Port", "Backup.Storage.Port 77 override minio.port");
    row(text, "Milvus.Storage.UseSSL", "Milvus.Storage.UseSSL true config minio.usessl");
    row(text, "Backup.Storage.UseSSL", "Backup.Storage.UseSSL false config minio.backupusessl");
    row(text, "Backup.PauseGC", "Backup.PauseGC true config backup.gcpause.enable");
}
END_TEST

START_TEST(test_bp_front_show_config__second_dialect)
{
    g_autofree char *text = show_as("config", second, "MILVUS_USER=", "milvus.grpc.caCertPath=/c");
    row(text, "Milvus.User", "Milvus.User env milvus_user");
    row(text, "Milvus.Grpc.CACertPath",
        "Milvus.Grpc.CACertPath /c override milvus.grpc.cacertpath");
    row(text, "Milvus.Etcd.Endpoints",
        "Milvus.Etcd.Endpoints a:1,b:2 config milvus.etcd.endpoints");
    row(text, "Backup.Storage.Address", "Backup.Storage.Address s3 config milvus.storage.address");
    row(text, "Backup.Storage.RootPath", "Backup.Storage.RootPath backup default");
}
END_TEST

START_TEST(test_bp_front_show_config__secrets_are_masked)
{
    static const char *const commands[] = {"config", "check backup_yaml"};
    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++) {
        g_autofree char *text = show_as(commands[i], first, NULL, NULL);
        ck_assert_ptr_nonnull(strstr(text, "su****23"));
        ck_assert_ptr_null(strstr(text, "secret123"));
        ck_assert_ptr_null(strstr(text, "key4"));
        g_autofree char *other = show_as(commands[i], second, "MILVUS_PASSWORD=a\xff\nbc", NULL);
        ck_assert_ptr_nonnull(strstr(other, "to****en"));
        ck_assert_ptr_nonnull(strstr(other, "a\xef\xbf\xbd****bc"));
        ck_assert(g_utf8_validate(other, -1, NULL));
    }
}
END_TEST

START_TEST(test_bp_front_show_yaml__is_a_file_again)
{
    GError *error = NULL;
    g_autofree char *text = show_as("check backup_yaml", first, "MILVUS_USER=a\nb", NULL);
    g_autofree char *rule = g_strnfill(80, '-');
    ck_assert(g_str_has_prefix(text, rule));
    ck_assert_int_eq(text[80], '\n');
    g_autoptr(bp_node) root = bp_yaml_parse(text + 81, strlen(text + 81), "yaml", &error);
    ck_assert_msg(root != NULL, "%s", error != NULL ? error->message : "");
    ck_assert_str_eq(bp_node_at(root, "milvus.port")->text, "19530");
    ck_assert_str_eq(bp_node_at(root, "milvus.user")->text, "a?b");
    ck_assert_str_eq(bp_node_at(root, "minio.rootPath")->text, "files");
    ck_assert_ptr_nonnull(strstr(text, "  port: 9000\n"));
}
END_TEST

/* Ours has other keys, which our own table shows; so has the text of `config migrate`. */
START_TEST(test_bp_front_show_config__not_of_a_native_file)
{
    static const char native[] = "source: {plugin: milvus}\n";
    ck_assert_ptr_null(show_as("config", native, NULL, NULL));
    ck_assert_ptr_null(show_as("check backup_yaml", native, NULL, NULL));
    g_autoptr(json_t) json = json_pack("{s:s}", "text", "configVersion: v2");
    bp_front_call call = {.command = "config"};
    bp_front_result result = {.call = &call, .json = json};
    ck_assert_ptr_null(bp_compat_front.show(&result));
}
END_TEST

int
main(void)
{
    TCase *cases = fixture_cases("front_config");
    tcase_add_test(cases, test_bp_front_show_config__first_dialect);
    tcase_add_test(cases, test_bp_front_show_config__second_dialect);
    tcase_add_test(cases, test_bp_front_show_config__secrets_are_masked);
    tcase_add_test(cases, test_bp_front_show_yaml__is_a_file_again);
    tcase_add_test(cases, test_bp_front_show_config__not_of_a_native_file);
    return fixture_run("front_config", cases);
}
