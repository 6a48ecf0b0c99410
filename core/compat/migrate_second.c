/* SPDX-License-Identifier: Apache-2.0
 *
 * See bp_migrate_second in migrate.h: backup.yaml of 0.4 and 0.5 as 0.6 wants it.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/compat/migrate.h"
#include "core/compat/translate.h"
#include "core/config/yaml.h"

#include "sdk/lib/ban.h"

#define VARIABLE "environment "
#define INDENT 2

typedef struct {
    bp_translation t; /* of the first dialect; `out` is the second */
    GPtrArray *report;
    GPtrArray *left_out; /* char *, "key=value": credentials that stay in variables */
} migration;

/* Keys that only have another name; the second of two old names counts where the first is silent.
 */
static const struct {
    const char *to, *from, *or_from;
} pairs[] = {
    {"log.level", "log.level", NULL},
    {"log.console", "log.console", NULL},
    {"log.file.path", "log.file.filename", "log.file.rootPath"},
    {"log.file.maxSizeMiB", "log.file.maxSize", NULL},
    {"log.file.maxDays", "log.file.maxDays", "log.file.maxAge"},
    {"log.file.maxBackups", "log.file.maxBackups", NULL},
    {"server.debugMode", "http.debugMode", "http.debug_mode"},
    {"server.swaggerBasePath", "http.swaggerBasePath", NULL},
    {"milvus.user", "milvus.user", NULL},
    {"milvus.password", "milvus.password", NULL},
    {"milvus.grpc.address", "milvus.address", NULL},
    {"milvus.grpc.port", "milvus.port", NULL},
    {"milvus.grpc.caCertPath", "milvus.caCertPath", NULL},
    {"milvus.grpc.serverName", "milvus.serverName", NULL},
    {"milvus.grpc.mtlsCertPath", "milvus.mtlsCertPath", NULL},
    {"milvus.grpc.mtlsKeyPath", "milvus.mtlsKeyPath", NULL},
    {"milvus.management.endpoint", "backup.gcPause.address", NULL},
    {"milvus.replicate.rpcChannelName", "milvus.rpcChannelName", NULL},
    {"milvus.etcd.rootPath", "milvus.etcd.rootPath", NULL},
    {"backup.concurrency.collections", "backup.parallelism.backupCollection", NULL},
    {"backup.concurrency.segments", "backup.parallelism.backupSegment", NULL},
    {"restore.concurrency.collections", "backup.parallelism.restoreCollection", NULL},
    {"restore.concurrency.importJobs", "backup.parallelism.importJob", NULL},
    {"restore.keepTempFiles", "backup.keepTempFiles", NULL},
    {"transfer.concurrency", "backup.parallelism.copydata", NULL},
    {"transfer.multipartCopyThresholdMiB", "minio.multipartCopyThresholdMiB", NULL},
    {"zillizCloud.endpoint", "cloud.address", NULL},
    {"zillizCloud.apiKey", "cloud.apikey", NULL},
};

/* Keys whose values are said in other words, too. */
static const struct {
    const char *to, *from;
} others[] = {
    {"milvus.grpc.tlsMode", "milvus.tlsMode"},
    {"backup.pauseGC", "backup.gcPause.enable"},
    {"transfer.mode", "minio.crossStorage"},
    {"milvus.storage.provider", "storage.storageType"},
};

/* Of a store: below its section there, behind "minio." or "minio.backup" here. */
static const struct {
    const char *to, *from;
} of_stores[] = {
    {"provider", "storageType"},
    {"provider", "cloudProvider"},
    {"address", "address"},
    {"port", "port"},
    {"region", "region"},
    {"useSSL", "useSSL"},
    {"bucketName", "bucketName"},
    {"rootPath", "rootPath"},
    {"auth.accessKeyID", "accessKeyID"},
    {"auth.secretAccessKey", "secretAccessKey"},
    {"auth.sessionToken", "token"},
    {"auth.type", "useIAM"},
    {"auth.endpoint", "iamEndpoint"},
    {"auth.credentialsFile", "gcpCredentialJSON"},
};

char *
bp_v2_successor(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
        if (g_ascii_strcasecmp(pairs[i].from, name) == 0 ||
            (pairs[i].or_from != NULL && g_ascii_strcasecmp(pairs[i].or_from, name) == 0)) {
            return g_strdup(pairs[i].to);
        }
    }
    for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
        if (g_ascii_strcasecmp(others[i].from, name) == 0) {
            return g_strdup(others[i].to);
        }
    }
    for (gsize i = 0; i < G_N_ELEMENTS(of_stores); i++) {
        g_autofree char *primary = g_strconcat("minio.", of_stores[i].from, NULL);
        g_autofree char *backup = g_strconcat("minio.backup", of_stores[i].from, NULL);
        bool is_backup = g_ascii_strcasecmp(backup, name) == 0;
        if (is_backup || g_ascii_strcasecmp(primary, name) == 0) {
            return g_strdup_printf("%s.storage.%s", is_backup ? "backup" : "milvus",
                                   of_stores[i].to);
        }
    }
    return NULL;
}

static void
put(const migration *m, const char *path, const bp_said_value *value)
{
    bp_translation_put(&m->t, path, value);
}

static void
put_pairs(const migration *m)
{
    for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
        g_auto(bp_said_value) value = {0};
        bp_said_get(m->t.said, pairs[i].from, &value);
        if (!value.given && pairs[i].or_from != NULL) {
            bp_said_value_clear(&value);
            bp_said_get(m->t.said, pairs[i].or_from, &value);
        }
        put(m, pairs[i].to, &value);
    }
}

/* Where it was said in the first dialect; a value that nobody gave has no origin. */
static void
put_text(const migration *m, const char *path, const char *text, const char *from)
{
    g_auto(bp_said_value) said = {0};
    bp_said_get(m->t.said, from, &said);
    bp_node_put(m->t.out, path, text, said.given ? said.origin : NULL);
}

static void
put_tls(const migration *m)
{
    static const char *const modes[] = {"disabled", "server", "mutual"};
    static const char *const from = "milvus.tlsMode";
    g_auto(bp_said_value) mode = {0};
    bp_said_get(m->t.said, from, &mode);
    guint number = bp_said_is_text(&mode) ? (guint)(mode.text[0] - '0') : 0;
    bool has_pair = bp_node_at(m->t.out, "milvus.grpc.mtlsCertPath") != NULL &&
                    bp_node_at(m->t.out, "milvus.grpc.mtlsKeyPath") != NULL;
    if (number >= G_N_ELEMENTS(modes) || strlen(mode.text) != 1) {
        bp_said_problem(m->t.said, BP_ERR_INVALID, "%s: \"%s\" is no mode", mode.origin, mode.text);
        return;
    }
    put_text(m, "milvus.grpc.tlsMode", modes[number == 2 && !has_pair ? 1 : number], from);
}

/* What is not there is false in the first dialect, and true in the second. */
static void
put_switches(const migration *m)
{
    bool pause = false;
    bool streaming = false;
    bp_said_get_bool(m->t.said, "backup.gcPause.enable", &pause);
    bp_said_get_bool(m->t.said, "minio.crossStorage", &streaming);
    put_text(m, "backup.pauseGC", pause ? "true" : "false", "backup.gcPause.enable");
    put_text(m, "transfer.mode", streaming ? "streaming" : "auto", "minio.crossStorage");
}

static void
put_etcd(const migration *m)
{
    g_auto(bp_said_value) endpoints = {0};
    bp_said_get(m->t.said, "milvus.etcd.endpoints", &endpoints);
    put(m, "milvus.etcd.endpoints", &endpoints); /* written as a list */
}

/* As bp_v1_read_store looks for it. */
static const char *
of_store(const migration *m, bool is_backup, const char *primary, const char *backup)
{
    g_auto(bp_said_value) own = {0};
    bp_said_get(m->t.said, backup, &own);
    return is_backup && bp_said_is_text(&own) ? backup : primary;
}

static void
put_store(const migration *m, bool is_backup)
{
    g_auto(bp_compat_store) s = {0};
    if (!bp_v1_read_store(&m->t, is_backup, &s)) {
        return;
    }
    static const char *const types[3][3] = {
        [BP_FAMILY_LOCAL] = {NULL, NULL, NULL},
        [BP_FAMILY_S3] = {"static", "iam", "default"},
        [BP_FAMILY_AZURE] = {"sharedKey", "default", "default"},
    };
    bool keys = s.auth == BP_AUTH_KEYS;
    bool s3 = s.provider->family == BP_FAMILY_S3;
    bool remote = s.provider->family != BP_FAMILY_LOCAL;
    const struct {
        const char *name;
        const bp_said_value *value;
        bool wanted;
    } members[] = {
        {"address", &s.address, remote},
        {"port", &s.port, remote},
        {"region", &s.region, remote},
        {"bucketName", &s.bucket, remote},
        {"rootPath", &s.root, true},
        {"accountName", &s.account, remote && !s3},
        {"auth.accessKeyID", &s.access_key, s3 && keys},
        {"auth.secretAccessKey", &s.secret_key, s3 && keys},
        {"auth.sessionToken", &s.session_token, s3 && keys},
        {"auth.accountKey", &s.account_key, remote && !s3 && keys},
        {"auth.endpoint", &s.iam_endpoint, s3 && !keys},
    };
    const char *section = is_backup ? "backup.storage." : "milvus.storage.";
    g_autofree char *provider = g_strconcat(section, "provider", NULL);
    g_autofree char *tls = g_strconcat(section, "useSSL", NULL);
    g_autofree char *type = g_strconcat(section, "auth.type", NULL);
    bp_node_put(m->t.out, provider, s.provider->name, s.provider_origin);
    for (gsize i = 0; i < G_N_ELEMENTS(members); i++) {
        g_autofree char *path = g_strconcat(section, members[i].name, NULL);
        if (members[i].wanted) {
            put(m, path, members[i].value);
        }
    }
    if (remote) {
        put_text(m, tls, s.use_tls ? "true" : "false",
                 of_store(m, is_backup, "minio.useSSL", "minio.backupUseSSL"));
        put_text(m, type, types[s.provider->family][s.auth],
                 of_store(m, is_backup, "minio.useIAM", "minio.backupUseIAM"));
    }
}

/* Credentials of variables stay there: true when nothing is to be written. */
static bool
leave_out(const migration *m, GString *out, const char *path, const bp_node *node)
{
    const bp_said_key *key = bp_said_table_find(&bp_v2_table, path);
    const char *origin = node->origin != NULL ? node->origin : "";
    const char *variable = g_str_has_prefix(origin, VARIABLE) ? origin + strlen(VARIABLE) : NULL;
    if (variable == NULL) {
        return false;
    }
    if (key->environment == NULL) {
        g_ptr_array_add(m->report, g_strdup_printf("%s: the value of %s is written into the file",
                                                   path, variable));
        return false;
    }
    g_string_append_printf(out, "# %s: in the variable %s\n", node->name, key->environment);
    g_ptr_array_add(m->left_out, g_strdup_printf("%s=%s", path, node->text));
    if (strcmp(variable, key->environment) != 0) {
        g_ptr_array_add(m->report, g_strdup_printf("the variable %s is called %s now", variable,
                                                   key->environment));
    }
    return true;
}

static bool
append_list(GString *out, const char *path, const bp_node *node, GError **error)
{
    g_auto(GStrv) items = g_strsplit(node->text, ",", -1);
    bool fine = true;
    for (char **item = items; fine && *item != NULL; item++) {
        g_string_append(out, item == items ? "[" : ", ");
        fine = bp_migrate__quote(out, path, node, g_strstrip(*item), error);
    }
    g_string_append(out, "]\n");
    return fine;
}

static bool
append_value(GString *out, const char *path, const bp_node *node, GError **error)
{
    const bp_said_key *key = bp_said_table_find(&bp_v2_table, path);
    if (key->kind == BP_SAID_LIST) {
        return append_list(out, path, node, error);
    }
    if (key->kind == BP_SAID_NUMBER || key->kind == BP_SAID_BOOL) {
        g_string_append_printf(out, "%s\n", node->text); /* looked at when it was read */
        return true;
    }
    bool fine = bp_migrate__quote(out, path, node, node->text, error);
    g_string_append_c(out, '\n');
    return fine;
}

static bool
append_map(const migration *m, GString *out, const char *prefix, const bp_node *map, GError **error)
{
    int indent = 0;
    for (const char *dot = prefix; (dot = strchr(dot, '.')) != NULL; dot++) {
        indent += INDENT;
    }
    bool fine = true;
    for (guint i = 0; fine && i < map->children->len; i++) {
        const bp_node *child = g_ptr_array_index(map->children, i);
        g_autofree char *path = g_strconcat(prefix, child->name, NULL);
        g_string_append_printf(out, "%*s", indent, "");
        if (child->kind == BP_NODE_MAP) {
            g_autofree char *deeper = g_strconcat(path, ".", NULL);
            g_string_append_printf(out, "%s:\n", child->name);
            fine = append_map(m, out, deeper, child, error);
        } else if (!leave_out(m, out, path, child)) {
            g_string_append_printf(out, "%s: ", child->name);
            fine = append_value(out, path, child, error);
        }
    }
    return fine;
}

/* Sets *valid: as that tool will read it.  false: not even YAML came out. */
static bool
check_result(const migration *m, const char *text, bool *valid, GError **error)
{
    static const char *const nothing[] = {NULL};
    g_autoptr(bp_node) root = bp_yaml_parse(text, strlen(text), "the result", error);
    g_autoptr(bp_node) out = bp_node_new(BP_NODE_MAP);
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) wrong = NULL;
    bp_config_foreign foreign = {.root = root,
                                 .path = m->t.in->path,
                                 .environ = nothing,
                                 .sets = m->left_out,
                                 .warnings = warnings};
    if (root == NULL) {
        return false;
    }
    g_autoptr(bp_said) said = bp_said_new(&foreign, &bp_v2_table);
    bp_translation t = {.said = said, .in = &foreign, .out = out};
    bp_v2_translate(&t);
    *valid = bp_said_check(said, &wrong);
    if (!*valid) {
        g_ptr_array_add(m->report,
                        g_strdup_printf("the result has to be mended: %s", wrong->message));
    }
    return true;
}

void
bp_migrate__second_tree(const bp_translation *t)
{
    const migration m = {.t = *t};
    put_pairs(&m);
    put_tls(&m);
    put_etcd(&m);
    put_switches(&m);
    put_store(&m, false);
    put_store(&m, true);
}

char *
bp_migrate_second(const bp_node *root, const char *path, const char *const *environ,
                  GPtrArray *report, bool *valid, GError **error)
{
    const bp_node *version = bp_translation_version(root);
    if (version != NULL && g_ascii_strcasecmp(version->text, "v2") == 0) {
        bp_set_error(error, BP_ERR_INVALID, "%s is in the second dialect already", path);
        return NULL;
    }
    g_autoptr(GPtrArray) none = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) left_out = g_ptr_array_new_with_free_func(g_free);
    bp_config_foreign in = {
        .root = root, .path = path, .environ = environ, .sets = none, .warnings = warnings};
    g_autoptr(bp_said) said = bp_said_new(&in, &bp_v1_table);
    g_autoptr(bp_node) out = bp_node_new(BP_NODE_MAP);
    migration m = {
        .t = {.said = said, .in = &in, .out = out}, .report = report, .left_out = left_out};
    bp_migrate__second_tree(&m.t);
    if (!bp_said_check(said, error)) {
        return NULL;
    }
    GString *text = g_string_new("configVersion: v2\n");
    bool fine = append_map(&m, text, "", out, error) && check_result(&m, text->str, valid, error);
    return bp_migrate__end(text, fine);
}
