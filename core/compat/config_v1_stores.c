/* SPDX-License-Identifier: Apache-2.0
 *
 * Stores of the first dialect.  Whatever is not said about the backup's store is as with Milvus'
 * own, the root path too: then backups lie below the root path of Milvus.
 */
#include "core/compat/config_v1_stores.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/text.h"
#include "sdk/lib/parse.h"

#include "sdk/lib/ban.h"

typedef struct {
    const bp_v1_said *said;
    const bp_config_foreign *in;
    bp_node *out;
    const char *name; /* of the storage */
    bool is_backup;
} store;

static const struct {
    const char *alias, *provider, *plugin;
} providers[] = {
    {"local", "local", "local"},  {"minio", "minio", "s3"},    {"s3", "s3", "s3"},
    {"aws", "aws", "s3"},         {"gcp", "gcp", "s3"},        {"aliyun", "aliyun", "s3"},
    {"ali", "aliyun", "s3"},      {"alibaba", "aliyun", "s3"}, {"alicloud", "aliyun", "s3"},
    {"tencent", "tencent", "s3"}, {"tc", "tencent", "s3"},     {"hwc", "hwc", "s3"},
    {"azure", "azure", "azure"},
};

char *
bp_v1_join_address(const char *host, const char *port)
{
    bool bare_v6 = strchr(host, ':') != strrchr(host, ':') && host[0] != '[';
    const char *after = strchr(host, ']') != NULL ? strchr(host, ']') : host;
    if (port == NULL || *port == '\0' || (!bare_v6 && strchr(after, ':') != NULL)) {
        return g_strdup(host); /* has its port already */
    }
    return g_strdup_printf(bare_v6 ? "[%s]:%s" : "%s:%s", host, port);
}

static bool
is_said(const bp_v1_value *value)
{
    return value->text != NULL && *value->text != '\0';
}

/* "rootPath" of this store: minio.rootPath, or minio.backupRootPath if that says something. */
static void
get(const store *s, const char *name, bp_v1_value *out)
{
    g_autofree char *primary = g_strconcat("minio.", name, NULL);
    if (s->is_backup) {
        g_autofree char *key =
            g_strdup_printf("minio.backup%c%s", g_ascii_toupper(*name), name + 1);
        bp_v1_get(s->said, key, out);
        if (is_said(out)) {
            return;
        }
        bp_v1_value_clear(out);
    }
    bp_v1_get(s->said, primary, out);
}

static void
put_text(const store *s, const char *key, const char *text, const char *origin)
{
    if (text != NULL && *text != '\0') {
        g_autofree char *path = g_strdup_printf("storages.%s.%s", s->name, key);
        bp_node_put(s->out, path, text, origin);
    }
}

static void
put(const store *s, const char *key, const char *name)
{
    g_auto(bp_v1_value) value = {0};
    get(s, name, &value);
    put_text(s, key, value.text, value.origin);
}

static bool
get_bool(const store *s, const char *name, bool *yes, GError **error)
{
    g_auto(bp_v1_value) value = {0};
    get(s, name, &value);
    if (bp_parse_bool(value.text, yes) != 0) {
        bp_set_error(error, BP_ERR_INVALID, "%s: \"%s\" is neither true nor false", value.origin,
                     value.text);
        return false;
    }
    return true;
}

/* storageType has two more names. */
static void
get_provider(const store *s, bp_v1_value *out)
{
    static const char *const names[] = {"minio.backupStorageType", "minio.storageType",
                                        "storage.storageType", "minio.cloudProvider"};
    for (gsize i = s->is_backup ? 0 : 1; i < G_N_ELEMENTS(names); i++) {
        bp_v1_get(s->said, names[i], out);
        if (is_said(out)) {
            return;
        }
        bp_v1_value_clear(out);
    }
    *out = (bp_v1_value){.text = g_strdup("minio"),
                         .origin = g_strdup("default of minio.storageType")};
}

static bool
unknown_provider(const bp_v1_value *said, GError **error)
{
    const char *names[G_N_ELEMENTS(providers)];
    for (gsize i = 0; i < G_N_ELEMENTS(providers); i++) {
        names[i] = providers[i].alias;
    }
    if (g_ascii_strcasecmp(said->text, "gcpnative") == 0) {
        bp_set_error(error, BP_ERR_UNSUPPORTED, "%s: bakplane does not speak Google's JSON API",
                     said->origin);
        bp_error_add_hint(error, "use storageType gcp with interoperability (HMAC) keys");
        return false;
    }
    bp_set_error(error, BP_ERR_INVALID, "%s: unknown storage type \"%s\"", said->origin,
                 said->text);
    const char *nearest = bp_text_nearest(said->text, names, G_N_ELEMENTS(names));
    if (nearest != NULL) {
        bp_error_add_hint(error, "did you mean \"%s\"?", nearest);
    } else {
        bp_error_add_hint(error, "known are local, minio, s3, aws, gcp, azure, aliyun, tencent, "
                                 "hwc");
    }
    return false;
}

/* The root path as a path of this machine, absolute: cutting off its '/' loses all data. */
static bool
translate_local(const store *s, GError **error)
{
    g_auto(bp_v1_value) root = {0};
    get(s, "rootPath", &root);
    if (!root.given || !is_said(&root)) {
        bp_set_error(error, BP_ERR_INVALID, "%s: storage type local needs minio.rootPath",
                     s->in->path);
        bp_error_add_hint(error, "set it to the directory that Milvus keeps its data in");
        return false;
    }
    g_autofree char *absolute = g_canonicalize_filename(root.text, NULL);
    if (!g_path_is_absolute(root.text)) {
        g_ptr_array_add(s->in->warnings,
                        g_strdup_printf("%s: the path \"%s\" is relative and taken as %s",
                                        root.origin, root.text, absolute));
    }
    put_text(s, "root", absolute, root.origin);
    put_text(s, "server_root", absolute, root.origin);
    return true;
}

/* In a bucket the root path is a prefix: without '/' at its ends. */
static void
put_prefix(const store *s)
{
    g_auto(bp_v1_value) root = {0};
    get(s, "rootPath", &root);
    const char *start = root.text + strspn(root.text, "/");
    gsize n = strlen(start);
    while (n > 0 && start[n - 1] == '/') {
        n--;
    }
    g_autofree char *prefix = g_strndup(start, n);
    put_text(s, "prefix", prefix, root.origin);
}

static bool
translate_s3(const store *s, const char *provider, const char *origin, GError **error)
{
    g_auto(bp_v1_value) host = {0};
    g_auto(bp_v1_value) port = {0};
    bool use_ssl = false;
    bool use_iam = false;
    if (!get_bool(s, "useSSL", &use_ssl, error) || !get_bool(s, "useIAM", &use_iam, error)) {
        return false;
    }
    get(s, "address", &host);
    get(s, "port", &port);
    g_autofree char *address = bp_v1_join_address(host.text, port.text);
    g_autofree char *endpoint = g_strdup_printf("%s://%s", use_ssl ? "https" : "http", address);
    put_text(s, "provider", provider, origin);
    put_text(s, "endpoint", endpoint, host.origin);
    put(s, "region", "region");
    put(s, "bucket", "bucketName");
    put_prefix(s);
    if (use_iam) {
        put_text(s, "credentials", "iam", origin);
        put(s, "iam_endpoint", "iamEndpoint");
    } else {
        put(s, "access_key", "accessKeyID");
        put(s, "secret_key", "secretAccessKey");
        put(s, "session_token", "token");
    }
    return true;
}

static bool
translate_azure(const store *s, GError **error)
{
    bool use_iam = false;
    if (!get_bool(s, "useIAM", &use_iam, error)) {
        return false;
    }
    put(s, "endpoint_suffix", "address");
    put(s, "account", "accessKeyID");
    put(s, "container", "bucketName");
    put_prefix(s);
    if (!use_iam) { /* else the plugin takes what this machine has */
        put(s, "account_key", "secretAccessKey");
    }
    return true;
}

static bool
translate_store(const store *s, GError **error)
{
    g_auto(bp_v1_value) said = {0};
    get_provider(s, &said);
    for (gsize i = 0; i < G_N_ELEMENTS(providers); i++) {
        if (g_ascii_strcasecmp(providers[i].alias, said.text) != 0) {
            continue;
        }
        put_text(s, "plugin", providers[i].plugin, said.origin);
        if (strcmp(providers[i].plugin, "local") == 0) {
            return translate_local(s, error);
        }
        bool is_azure = strcmp(providers[i].plugin, "azure") == 0;
        bool ok = is_azure ? translate_azure(s, error)
                           : translate_s3(s, providers[i].provider, said.origin, error);
        if (ok && s->is_backup) {
            /* That tool makes the bucket of the backups when it is missing. */
            put_text(s, is_azure ? "create_container" : "create_bucket", "true",
                     "as milvus-backup does");
        }
        return ok;
    }
    return unknown_provider(&said, error);
}

bool
bp_v1_translate_stores(const bp_v1_said *said, const bp_config_foreign *in, bp_node *out,
                       GError **error)
{
    store milvus = {.said = said, .in = in, .out = out, .name = BP_V1_MILVUS_STORE};
    store backup = {
        .said = said, .in = in, .out = out, .name = BP_V1_BACKUP_STORE, .is_backup = true};
    g_auto(bp_v1_value) root = {0};
    bp_v1_get(said, "minio.backupRootPath", &root);
    if (!is_said(&root)) {
        g_ptr_array_add(in->warnings,
                        g_strdup_printf("%s: minio.backupRootPath is not set: backups lie below "
                                        "the root path of Milvus",
                                        in->path));
    }
    return translate_store(&milvus, error) && translate_store(&backup, error);
}
