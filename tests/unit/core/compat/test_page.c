/* SPDX-License-Identifier: Apache-2.0
 *
 * docs/compat.md against the program: each row of its tables is tried here, and everything that is
 * known to core/compat has a row.  A row without an example below fails.
 */
#include "core/base/json.h"
#include "core/compat/dialect.h"
#include "core/compat/front.h"
#include "core/compat/front_line.h"
#include "core/compat/translate.h"
#include "tests/unit/core/config/fixture.h"

/* "option", "done" and so on of each row of a table; found by what its heading row begins with. */
typedef struct {
    char **cells; /* without the bars, trimmed, without `quotes` */
} row;

static void
row_free(gpointer data)
{
    row *r = data;
    g_strfreev(r->cells);
    g_free(r);
}

static row *
parse_row(const char *line)
{
    row *r = g_new0(row, 1);
    r->cells = g_strsplit(line + 1, "|", -1);
    for (char **cell = r->cells; *cell != NULL; cell++) {
        g_strstrip(*cell);
        gsize n = strlen(*cell);
        if (n > 1 && (*cell)[0] == '`' && strchr(*cell + 1, '`') == *cell + n - 1) {
            (*cell)[n - 1] = '\0';
            memmove(*cell, *cell + 1, n - 1);
        }
    }
    return r;
}

/* Rows of the table below a heading. */
static GPtrArray *
table(const char *heading)
{
    g_autofree char *page = NULL;
    g_autofree char *path =
        g_build_filename(g_getenv("BAKPLANE_SOURCE_DIR"), "docs/compat.md", NULL);
    ck_assert(g_file_get_contents(path, &page, NULL, NULL));
    const char *start = strstr(page, heading);
    ck_assert_msg(start != NULL, "no %s", heading);
    start = strstr(start, "| --- |");
    ck_assert_ptr_nonnull(start);
    g_auto(GStrv) lines = g_strsplit(strchr(start, '\n') + 1, "\n", -1);
    GPtrArray *rows = g_ptr_array_new_with_free_func(row_free);
    for (char **line = lines; (*line)[0] == '|'; line++) {
        g_ptr_array_add(rows, parse_row(*line));
    }
    ck_assert_uint_gt(rows->len, 0);
    return rows;
}

static bp_front_call call;

static bool
translate(const char *line, GError **error)
{
    static const char *const nothing[] = {NULL};
    g_autofree char *full = g_strconcat("milvus-backup --config= ", line, NULL);
    g_auto(GStrv) words = g_strsplit(full, " ", -1);
    bp_front_in in = {.argv = (const char *const *)words, .environ = nothing, .terminal = true};
    bp_front_call_clear(&call);
    return bp_compat_front.translate(&in, &call, error);
}

/* Everything that comes out, as one text; of `get` what it prints of a backup, too. */
static char *
outcome(const char *line)
{
    static const char document[] = "{\"collection_backups\":[{\"partition_backups\":[]}]}";
    GError *error = NULL;
    bool fine = translate(line, &error);
    ck_assert_msg(fine, "%s: %s", line, error != NULL ? error->message : "");
    if (call.text != NULL) {
        return g_strdup(call.text);
    }
    g_autofree char *words = g_strjoinv(" ", call.words);
    g_autoptr(json_t) backup = json_pack("{s:s}", "text", document);
    bp_front_result result = {.call = &call, .json = backup, .done = true};
    bool prints = strcmp(call.command, "get") == 0;
    g_autofree char *printed = prints ? bp_compat_front.show(&result) : NULL;
    return g_strconcat(words, "\n", printed, NULL);
}

/* An example for each option that is done: what has to come out of it, and not of another line. */
static const struct {
    const char *command, *line, *part, *without;
} examples[] = {
    {"every --config", "list --config=", "--config=", NULL},
    {"every --set", "list --set a=1", "--set=a=1", NULL},
    {"every --help", "--help", "Usage: ", NULL},
    {"every --version", "--version", "under the name of", NULL},
    {"create --name", "create --name x", "--name=x", NULL},
    {"create --colls", "create --colls x", "--colls=x", NULL},
    {"create --databases", "create --databases x", "--databases=x", NULL},
    {"create --database_collections", "create --database_collections {}",
     "--database-collections={}", NULL},
    {"create --filter", "create --filter db.", "--filter=db.", NULL},
    {"create --force", "create --force", "--strategy=skip_flush", NULL},
    {"create --meta_only", "create --meta_only", "--meta-only", NULL},
    {"create --strategy", "create --strategy serial_flush", "--strategy=serial_flush", NULL},
    {"create --format", "create --format binlog", "create --config=", NULL},
    {"restore --name", "restore --name x", "--name=x", NULL},
    {"restore --collections", "restore -n b --collections x", "--collections=x", NULL},
    {"restore --databases", "restore -n b --databases x", "--databases=x", NULL},
    {"restore --database_collections", "restore -n b --database_collections {}",
     "--database-collections={}", NULL},
    {"restore --filter", "restore -n b --filter x", "--filter=x", NULL},
    {"restore --suffix", "restore -n b --suffix _x", "--suffix=_x", NULL},
    {"restore --rename", "restore -n b --rename a:b", "--rename=a:b", NULL},
    {"restore --meta_only", "restore -n b --meta_only", "--meta-only", NULL},
    {"restore --restore_index", "restore -n b --restore_index", " --index", NULL},
    {"restore --rebuild_index", "restore -n b --rebuild_index", " --index", NULL},
    {"restore --use_auto_index", "restore -n b --use_auto_index --restore_index",
     "--use-auto-index", NULL},
    {"restore --drop_exist_collection", "restore -n b --drop_exist_collection",
     "--drop-exist-collection", NULL},
    {"restore --drop_exist_index", "restore -n b --drop_exist_index", "--drop-exist-index", NULL},
    {"restore --skip_create_collection", "restore -n b --skip_create_collection",
     "--skip-create-collection", NULL},
    {"list --collection", "list --collection x", "--collection=*.x", NULL},
    {"get --name", "get --name x", "--name=x", NULL},
    {"get --detail", "get -n x --detail", "partition_backups", "get -n x"},
    {"delete --name", "delete --name x", "--name=x", NULL},
    {"server --port", "server --port 81", "--port=81", NULL},
    {"server --insecure", "server --insecure", "--insecure", NULL},
    {"config --output", "config migrate --output x", "--output=x", NULL},
    {"config --force", "config migrate --force", "--force", NULL},
    {"config --strict", "config migrate --strict", "--strict", NULL},
};

static void
try_option(const char *command, const char *option, const char *fate)
{
    g_autofree char *what = g_strdup_printf("%s %s", command, option);
    const char *needed = strcmp(command, "restore") == 0 ? "restore -n b" : command;
    g_autofree char *line = g_strdup_printf("%s %s", needed, option);
    if (strcmp(fate, "refused") == 0) {
        GError *error = NULL;
        ck_assert_msg(!translate(line, &error), "%s is not refused", what);
        assert_error(error, BP_ERR_UNSUPPORTED, option);
        return;
    }
    if (strcmp(fate, "no-op") == 0) {
        g_autofree char *without = outcome(needed);
        g_autofree char *with = outcome(line);
        ck_assert_str_eq(with, without);
        return;
    }
    ck_assert_msg(strcmp(fate, "done") == 0, "%s: what is \"%s\"?", what, fate);
    for (gsize i = 0; i < G_N_ELEMENTS(examples); i++) {
        if (strcmp(examples[i].command, what) == 0) {
            g_autofree char *text = outcome(examples[i].line);
            ck_assert_msg(strstr(text, examples[i].part) != NULL, "%s: %s", what, text);
            const char *other = examples[i].without;
            g_autofree char *without = other != NULL ? outcome(other) : g_strdup("");
            ck_assert_msg(strstr(without, examples[i].part) == NULL, "%s: %s", what, without);
            return;
        }
    }
    ck_abort_msg("%s is not tried", what);
}

static bool
has_row(const GPtrArray *rows, const char *first, const char *second)
{
    for (guint i = 0; i < rows->len; i++) {
        const row *r = g_ptr_array_index(rows, i);
        g_autofree char *dashed = g_strconcat("--", second, NULL);
        if (strcmp(r->cells[0], first) == 0 &&
            (second == NULL || strcmp(r->cells[1], dashed) == 0)) {
            return true;
        }
    }
    return false;
}

START_TEST(test_page__options)
{
    g_autoptr(GPtrArray) rows = table("## Options");
    guint known = (guint)bp_front_n_globals;
    for (gsize i = 0; i < bp_front_n_commands; i++) {
        const bp_front_command *command = &bp_front_commands[i];
        for (gsize j = 0; j < command->n_options; j++) {
            ck_assert_msg(has_row(rows, command->name, command->options[j].name),
                          "no row for %s --%s", command->name, command->options[j].name);
            known++;
        }
    }
    ck_assert_uint_eq(rows->len, known);
    for (guint i = 0; i < rows->len; i++) {
        const row *r = g_ptr_array_index(rows, i);
        try_option(r->cells[0], r->cells[1], r->cells[2]);
    }
}
END_TEST

START_TEST(test_page__commands)
{
    g_autoptr(GPtrArray) rows = table("## Commands");
    ck_assert_uint_eq(rows->len, bp_front_n_commands + 1); /* with a word of one: */
    ck_assert(has_row(rows, "restore secondary", NULL));
    for (gsize i = 0; i < bp_front_n_commands; i++) {
        ck_assert_msg(has_row(rows, bp_front_commands[i].name, NULL), "no row for %s",
                      bp_front_commands[i].name);
    }
    for (guint i = 0; i < rows->len; i++) {
        const row *r = g_ptr_array_index(rows, i);
        g_autofree char *line = g_strdup_printf("%s%s%s", r->cells[0],
                                                strcmp(r->cells[0], "config") == 0 ? " show" : "",
                                                strchr("rgd", r->cells[0][0]) ? " -n b" : "");
        GError *error = NULL;
        bool refused = strcmp(r->cells[1], "refused") == 0;
        ck_assert_msg(translate(line, &error) != refused, "%s", line);
        if (refused) {
            ck_assert_msg(strstr(error->message, r->cells[2]) != NULL, "%s", error->message);
            assert_error(error, BP_ERR_UNSUPPORTED, r->cells[0]);
        }
    }
}
END_TEST

/* Keys that are done: a value, what else has to be said (in YAML), and what has to come out.  One
 * that becomes several keys has an example for each. */
typedef struct {
    const char *key, *value, *besides, *path, *expected;
} key_example;

#define STORE_S "storages.milvus."
#define STORE_B "storages.backup."

static const key_example examples_v1[] = {
    {"configVersion", "v1", "", "source.address", "localhost:19530"},
    {"log.level", "error", "", "log.level", "error"},
    {"log.console", "true", "log: {level: debug}", "log.level", "debug"},
    {"http.simpleResponse", "true", "milvus: {port: 1}", "server.simple_answers", "true"},
    {"milvus.address", "h", "", "source.address", "h:19530"},
    {"milvus.port", "7", "", "source.address", "localhost:7"},
    {"milvus.user", "u", "", "source.user", "u"},
    {"milvus.password", "p", "", "source.password", "p"},
    {"milvus.tlsMode", "1", "", "source.tls_mode", "1"},
    {"milvus.caCertPath", "/c", "milvus: {tlsMode: 1}", "source.ca_file", "/c"},
    {"milvus.serverName", "n", "milvus: {tlsMode: 1}", "source.server_name", "n"},
    {"milvus.mtlsCertPath", "/c", "milvus: {tlsMode: 2, mtlsKeyPath: /k}", "source.cert_file",
     "/c"},
    {"milvus.mtlsKeyPath", "/k", "milvus: {tlsMode: 2, mtlsCertPath: /c}", "source.key_file", "/k"},
    {"minio.storageType", "aws", "", STORE_S "provider", "aws"},
    {"minio.storageType", "azure", "", STORE_S "plugin", "azure"},
    {"minio.cloudProvider", "tc", "", STORE_S "provider", "tencent"},
    {"storage.storageType", "ali", "milvus: {port: 1}", STORE_S "provider", "aliyun"},
    {"minio.address", "h", "", STORE_S "endpoint", "http://h:9000"},
    {"minio.port", "7", "", STORE_S "endpoint", "http://localhost:7"},
    {"minio.region", "r", "", STORE_S "region", "r"},
    {"minio.accessKeyID", "a", "", STORE_S "access_key", "a"},
    {"minio.secretAccessKey", "s", "", STORE_S "secret_key", "s"},
    {"minio.token", "t", "", STORE_S "session_token", "t"},
    {"minio.useSSL", "true", "", STORE_S "endpoint", "https://localhost:9000"},
    {"minio.bucketName", "b", "", STORE_S "bucket", "b"},
    {"minio.rootPath", "/r/", "", STORE_S "prefix", "r"},
    {"minio.useIAM", "true", "", STORE_S "credentials", "iam"},
    {"minio.iamEndpoint", "http://i", "minio: {useIAM: true}", STORE_S "iam_endpoint", "http://i"},
    {"minio.backupStorageType", "azure", "", STORE_B "plugin", "azure"},
    {"minio.backupAddress", "h", "", STORE_B "endpoint", "http://h:9000"},
    {"minio.backupPort", "7", "", STORE_B "endpoint", "http://localhost:7"},
    {"minio.backupRegion", "r", "", STORE_B "region", "r"},
    {"minio.backupAccessKeyID", "a", "", STORE_B "access_key", "a"},
    {"minio.backupSecretAccessKey", "s", "", STORE_B "secret_key", "s"},
    {"minio.backupToken", "t", "", STORE_B "session_token", "t"},
    {"minio.backupUseSSL", "true", "", STORE_B "endpoint", "https://localhost:9000"},
    {"minio.backupBucketName", "b", "", STORE_B "bucket", "b"},
    {"minio.backupRootPath", "r", "", STORE_B "prefix", "r"},
    {"minio.backupUseIAM", "true", "", STORE_B "credentials", "iam"},
    {"minio.backupIamEndpoint", "http://i", "minio: {useIAM: true}", STORE_B "iam_endpoint",
     "http://i"},
    {"backup.parallelism.copydata", "3", "milvus: {port: 1}", "backup.concurrency.copies", "3"},
    {"backup.parallelism.copydata", "3", "milvus: {port: 1}", "restore.concurrency.copies", "3"},
    {"backup.parallelism.backupCollection", "3", "milvus: {port: 1}", "backup.concurrency.units",
     "3"},
    {"backup.parallelism.restoreCollection", "3", "milvus: {port: 1}", "restore.concurrency.units",
     "3"},
    {"backup.gcPause.enable", "true", "milvus: {port: 1}", "backup.gc_pause", "auto"},
    {"backup.gcPause.seconds", "60", "milvus: {port: 1}", "backup.gc_pause_for", "60s"},
    {"backup.gcPause.address", "http://m", "milvus: {port: 1}", "source.management", "http://m"},
};

static const key_example examples_v2[] = {
    {"configVersion", "v2", "", "source.management", "http://localhost:9091"},
    {"log.level", "error", "", "log.level", "error"},
    {"log.console", "false", "log: {level: debug}", "log.level", NULL},
    {"milvus.user", "u", "", "source.user", "u"},
    {"milvus.password", "p", "", "source.password", "p"},
    {"milvus.grpc.address", "h", "", "source.address", "h:19530"},
    {"milvus.grpc.port", "7", "", "source.address", "localhost:7"},
    {"milvus.grpc.tlsMode", "server", "", "source.tls_mode", "1"},
    {"milvus.grpc.caCertPath", "/c", "milvus: {grpc: {tlsMode: server}}", "source.ca_file", "/c"},
    {"milvus.grpc.serverName", "n", "milvus: {grpc: {tlsMode: server}}", "source.server_name", "n"},
    {"milvus.grpc.mtlsCertPath", "/c", "milvus: {grpc: {tlsMode: mutual, mtlsKeyPath: /k}}",
     "source.cert_file", "/c"},
    {"milvus.grpc.mtlsKeyPath", "/k", "milvus: {grpc: {tlsMode: mutual, mtlsCertPath: /c}}",
     "source.key_file", "/k"},
    {"milvus.rest.endpoint", "http://localhost:19530", "", "source.address", "localhost:19530"},
    {"milvus.management.endpoint", "http://m", "", "source.management", "http://m"},
    {"S.storage.provider", "aws", "", "P.provider", "aws"},
    {"S.storage.address", "h", "", "P.endpoint", "http://h:9000"},
    {"S.storage.port", "7", "", "P.endpoint", "http://localhost:7"},
    {"S.storage.region", "r", "", "P.region", "r"},
    {"S.storage.useSSL", "true", "", "P.endpoint", "https://localhost:9000"},
    {"S.storage.accountName", "a", "S: {storage: {provider: azure, auth: {accountKey: k}}}",
     "P.account", "a"},
    {"S.storage.bucketName", "b", "", "P.bucket", "b"},
    {"S.storage.rootPath", "r", "", "P.prefix", "r"},
    {"S.storage.localPath", "/l",
     "S: {storage: {provider: local, rootPath: /x}}, backup: {storage: {rootPath: /y}}",
     "P.server_root", "/l"},
    {"S.storage.auth.type", "iam", "", "P.credentials", "iam"},
    {"S.storage.auth.accessKeyID", "a", "", "P.access_key", "a"},
    {"S.storage.auth.secretAccessKey", "s", "", "P.secret_key", "s"},
    {"S.storage.auth.sessionToken", "t", "", "P.session_token", "t"},
    {"S.storage.auth.accountKey", "k", "S: {storage: {provider: azure, accountName: a}}",
     "P.account_key", "k"},
    {"S.storage.auth.endpoint", "http://i", "S: {storage: {auth: {type: iam}}}", "P.iam_endpoint",
     "http://i"},
    {"backup.concurrency.collections", "3", "", "backup.concurrency.units", "3"},
    {"backup.pauseGC", "false", "", "backup.gc_pause", "off"},
    {"restore.concurrency.collections", "3", "", "restore.concurrency.units", "3"},
    {"transfer.concurrency", "3", "", "backup.concurrency.copies", "3"},
    {"transfer.concurrency", "3", "", "restore.concurrency.copies", "3"},
};

typedef struct {
    const char *version; /* line of the file */
    const bp_said_table *table;
    const key_example *examples;
    gsize n;
} dialect;

/* A file that says "a.b: v" and nothing else; what stands besides goes by --set. */
static char *
file_with(const dialect *d, const char *key, const char *value)
{
    GString *out = g_string_new(strcmp(key, "configVersion") != 0 ? d->version : NULL);
    bool is_list = strcmp(key, "milvus.etcd.endpoints") == 0 && *d->version != '\0';
    g_auto(GStrv) parts = g_strsplit(key, ".", -1);
    guint n = g_strv_length(parts);
    for (guint i = 0; i + 1 < n; i++) {
        g_string_append_printf(out, "%s: {", parts[i]);
    }
    g_string_append_printf(out, "%s: %s'%s'%s", parts[n - 1], is_list ? "[" : "", value,
                           is_list ? "]" : "");
    for (guint i = 0; i + 1 < n; i++) {
        g_string_append_c(out, '}');
    }
    g_string_append_c(out, '\n');
    return g_string_free(out, FALSE);
}

/* "milvus: {grpc: {a: b, c: d}}" as --set lines: the maps of the examples are that simple. */
static void
append_sets(GPtrArray *sets, const char *besides)
{
    g_autoptr(GString) prefix = g_string_new(NULL);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    const char *p = besides;
    while (*p != '\0') {
        gsize n = strcspn(p, ":,}");
        g_autofree char *word = g_strndup(p, n);
        g_strstrip(word);
        p += n;
        if (*p == ':' && p[2] == '{') {
            g_ptr_array_add(names, g_strdup(word));
            p += 3;
        } else if (*p == ':') {
            gsize length = strcspn(p + 2, ",}");
            g_string_truncate(prefix, 0);
            for (guint i = 0; i < names->len; i++) {
                g_string_append_printf(prefix, "%s.", (char *)g_ptr_array_index(names, i));
            }
            g_ptr_array_add(sets,
                            g_strdup_printf("%s%s=%.*s", prefix->str, word, (int)length, p + 2));
            p += 2 + length;
        } else if (*p == '}') {
            g_ptr_array_remove_index(names, names->len - 1);
            p++;
        } else {
            p++;
        }
    }
}

/* What is read from a file with one key, or from its variable, and what else the example says. */
static bp_config_tree *
load(const dialect *d, const char *key, const char *variable, const key_example *example,
     GError **error)
{
    const char *value = example != NULL ? example->value : "1";
    const char *besides = example != NULL ? example->besides : "";
    g_autofree char *assignment =
        variable != NULL ? g_strdup_printf("%s=%s", variable, value) : NULL;
    const char *const env[] = {assignment, NULL};
    g_autoptr(GPtrArray) sets = g_ptr_array_new_with_free_func(g_free);
    append_sets(sets, besides);
    g_ptr_array_add(sets, NULL);
    g_autofree char *text = variable == NULL ? file_with(d, key, value) : g_strdup(d->version);
    g_autofree char *path = fixture_file("backup.yaml", text);
    bp_config_params params = {.path = path,
                               .environ = env,
                               .sets = (const char *const *)sets->pdata,
                               .dialects = &bp_compat_config_assumed,
                               .n_dialects = 1};
    return bp_config_load(&params, error);
}

/* The next example of a key; "S" in it stands for the store's section, "P" for its storage. */
static bool
find_example(const dialect *d, const char *key, gsize *next, key_example *out)
{
    static char *texts[3];
    const char *section = g_str_has_prefix(key, "milvus.storage.")   ? "milvus"
                          : g_str_has_prefix(key, "backup.storage.") ? "backup"
                                                                     : NULL;
    g_autofree char *general =
        section != NULL ? g_strconcat("S", key + strlen(section), NULL) : g_strdup(key);
    while (*next < d->n) {
        const key_example *example = &d->examples[(*next)++];
        if (strcmp(example->key, general) != 0 && strcmp(example->key, key) != 0) {
            continue;
        }
        *out = *example;
        if (section != NULL && d->table == &bp_v2_table) {
            g_free(texts[0]);
            g_free(texts[1]);
            texts[0] = example->besides[0] == 'S' ? g_strconcat(section, example->besides + 1, NULL)
                                                  : g_strdup(example->besides);
            texts[1] = g_strdup_printf("storages.%s%s", section, example->path + 1);
            out->besides = texts[0];
            out->path = texts[1];
        }
        return true;
    }
    return false;
}

static bool
is_warned(const bp_config_tree *tree, const char *part)
{
    const GPtrArray *warnings = bp_config_warnings(tree);
    for (guint i = 0; i < warnings->len; i++) {
        const char *text = g_ptr_array_index(warnings, i);
        if (strstr(text, part) != NULL && strstr(text, "effect") != NULL) {
            return true;
        }
    }
    return false;
}

/* Values for keys without effect that are looked at all the same. */
static const char *
idle_value(const bp_said_key *key)
{
    static const char *const special[][2] = {{"transfer.mode", "direct"}};
    for (gsize i = 0; i < G_N_ELEMENTS(special); i++) {
        if (strcmp(special[i][0], key->name) == 0) {
            return special[i][1];
        }
    }
    return "1";
}

static void
try_done(const dialect *d, const bp_said_key *key, const char *variable)
{
    key_example example = {0};
    gsize next = 0;
    guint tried = 0;
    while (find_example(d, key->name, &next, &example)) {
        GError *error = NULL;
        g_autoptr(bp_config_tree) tree = load(d, key->name, variable, &example, &error);
        ck_assert_msg(tree != NULL, "%s: %s", key->name, error != NULL ? error->message : "");
        const char *got = bp_config_peek(tree, example.path);
        ck_assert_msg(g_strcmp0(got, example.expected) == 0, "%s: %s is %s", key->name,
                      example.path, got);
        tried++;
    }
    ck_assert_msg(tried > 0, "%s is not tried", key->name);
}

static void
try_key(const dialect *d, const bp_said_key *key, const char *variable, const char *fate)
{
    if (strcmp(fate, "done") == 0) {
        try_done(d, key, variable);
        return;
    }
    GError *error = NULL;
    key_example example = {.value = idle_value(key), .besides = ""};
    bool needs_host = g_str_has_suffix(key->name, ".milvusPort");
    if (needs_host) {
        example.besides = key->name[0] == 'm' ? "milvus: {storage: {milvusAddress: h}}"
                                              : "backup: {storage: {milvusAddress: h}}";
    }
    g_autoptr(bp_config_tree) tree = load(d, key->name, variable, &example, &error);
    if (strcmp(fate, "refused") == 0) {
        ck_assert_msg(tree == NULL, "%s is not refused", key->name);
        assert_error(error, BP_ERR_INVALID, "does not use it");
        return;
    }
    ck_assert_msg(tree != NULL, "%s: %s", key->name, error != NULL ? error->message : "");
    const char *named = variable != NULL ? variable : needs_host ? "milvusAddress" : key->name;
    ck_assert_msg(strcmp(fate, "no-op") == 0, "%s: what is \"%s\"?", key->name, fate);
    ck_assert_msg(is_warned(tree, named), "%s is not named", key->name);
}

static void
try_dialect(const dialect *d, const char *heading)
{
    g_autoptr(GPtrArray) rows = table(heading);
    ck_assert_uint_eq(rows->len, d->table->n);
    for (guint i = 0; i < rows->len; i++) {
        const row *r = g_ptr_array_index(rows, i);
        const bp_said_key *key = &d->table->keys[i];
        ck_assert_str_eq(r->cells[0], key->name);
        ck_assert_str_eq(r->cells[1], key->environment != NULL ? key->environment : "");
        try_key(d, key, NULL, r->cells[2]);
        if (key->environment != NULL) {
            try_key(d, key, key->environment, r->cells[2]);
        }
    }
}

START_TEST(test_page__first_dialect)
{
    dialect d = {.version = "",
                 .table = &bp_v1_table,
                 .examples = examples_v1,
                 .n = G_N_ELEMENTS(examples_v1)};
    try_dialect(&d, "### First dialect");
}
END_TEST

START_TEST(test_page__second_dialect)
{
    dialect d = {.version = "configVersion: v2\n",
                 .table = &bp_v2_table,
                 .examples = examples_v2,
                 .n = G_N_ELEMENTS(examples_v2)};
    try_dialect(&d, "### Second dialect");
}
END_TEST

int
main(void)
{
    TCase *cases = fixture_cases("page");
    tcase_add_test(cases, test_page__options);
    tcase_add_test(cases, test_page__commands);
    tcase_add_test(cases, test_page__first_dialect);
    tcase_add_test(cases, test_page__second_dialect);
    return fixture_run("page", cases);
}
