/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of the first dialect's keys.
 */
#include "core/compat/config_v1_keys.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/text.h"
#include "sdk/lib/secret.h"

#include "sdk/lib/ban.h"

typedef struct {
    const char *name;
    const char *environment; /* or NULL */
    const char *def;         /* or NULL */
    bool idle;               /* known, but nothing here follows from it */
} v1_key;

#define PARALLELISM "backup.parallelism."

static const v1_key keys[] = {
    {"configVersion", NULL, NULL, false},
    {"log.level", NULL, NULL, false},
    {"log.format", NULL, NULL, true},
    {"log.console", NULL, NULL, true},
    {"log.file.rootPath", NULL, NULL, true},
    {"log.file.filename", NULL, NULL, true},
    {"log.file.maxSize", NULL, NULL, true},
    {"log.file.maxBackups", NULL, NULL, true},
    {"log.file.maxAge", NULL, NULL, true},
    {"log.file.maxDays", NULL, NULL, true},
    {"http.enabled", NULL, NULL, true},
    {"http.debug_mode", NULL, NULL, true},
    {"http.debugMode", NULL, NULL, true},
    {"http.simpleResponse", NULL, NULL, true},
    {"http.swaggerBasePath", NULL, NULL, true},
    {"cloud.address", NULL, NULL, true},
    {"cloud.apikey", NULL, NULL, true},
    {"milvus.address", "MILVUS_ADDRESS", "localhost", false},
    {"milvus.port", "MILVUS_PORT", "19530", false},
    {"milvus.authorizationEnabled", "MILVUS_AUTHORIZATION_ENABLED", NULL, true},
    {"milvus.user", "MILVUS_USER", NULL, false},
    {"milvus.password", "MILVUS_PASSWORD", NULL, false},
    {"milvus.tlsMode", "MILVUS_TLS_MODE", "0", false},
    {"milvus.caCertPath", "MILVUS_CA_CERT_PATH", NULL, false},
    {"milvus.serverName", "MILVUS_SERVER_NAME", NULL, false},
    {"milvus.mtlsCertPath", "MILVUS_MTLS_CERT_PATH", NULL, false},
    {"milvus.mtlsKeyPath", "MILVUS_MTLS_KEY_PATH", NULL, false},
    {"milvus.rpcChannelName", "MILVUS_RPC_CHANNEL_NAME", NULL, true},
    {"milvus.etcd.endpoints", NULL, NULL, true},
    {"milvus.etcd.rootPath", NULL, NULL, true},
    {"minio.storageType", NULL, NULL, false},
    {"minio.cloudProvider", NULL, NULL, false},
    {"storage.storageType", NULL, NULL, false},
    {"minio.address", "MINIO_ADDRESS", "localhost", false},
    {"minio.port", "MINIO_PORT", "9000", false},
    {"minio.region", "MINIO_REGION", NULL, false},
    {"minio.accessKeyID", "MINIO_ACCESS_KEY", "minioadmin", false},
    {"minio.secretAccessKey", "MINIO_SECRET_KEY", "minioadmin", false},
    {"minio.token", "MINIO_TOKEN", NULL, false},
    {"minio.gcpCredentialJSON", "GCP_KEY_JSON", NULL, true},
    {"minio.useSSL", "MINIO_USE_SSL", "false", false},
    {"minio.bucketName", "MINIO_BUCKET_NAME", "a-bucket", false},
    {"minio.rootPath", "MINIO_ROOT_PATH", "files", false},
    {"minio.useIAM", "MINIO_USE_IAM", "false", false},
    {"minio.iamEndpoint", "MINIO_IAM_ENDPOINT", NULL, false},
    {"minio.backupStorageType", NULL, NULL, false},
    {"minio.backupAddress", "MINIO_BACKUP_ADDRESS", NULL, false},
    {"minio.backupPort", "MINIO_BACKUP_PORT", NULL, false},
    {"minio.backupRegion", "MINIO_BACKUP_REGION", NULL, false},
    {"minio.backupAccessKeyID", "MINIO_BACKUP_ACCESS_KEY", NULL, false},
    {"minio.backupSecretAccessKey", "MINIO_BACKUP_SECRET_KEY", NULL, false},
    {"minio.backupToken", "MINIO_BACKUP_TOKEN", NULL, false},
    {"minio.backupGcpCredentialJSON", "BACKUP_GCP_KEY_JSON", NULL, true},
    {"minio.backupUseSSL", "MINIO_BACKUP_USE_SSL", NULL, false},
    {"minio.backupBucketName", "MINIO_BACKUP_BUCKET_NAME", NULL, false},
    {"minio.backupRootPath", "MINIO_BACKUP_ROOT_PATH", NULL, false},
    {"minio.backupUseIAM", "MINIO_BACKUP_USE_IAM", NULL, false},
    {"minio.backupIamEndpoint", "MINIO_BACKUP_IAM_ENDPOINT", NULL, false},
    {"minio.crossStorage", NULL, NULL, true},
    {"minio.multipartCopyThresholdMiB", NULL, NULL, true},
    {"backup.maxSegmentGroupSize", "BACKUP_MAX_SEGMENT_GROUP_SIZE", NULL, true},
    {PARALLELISM "copydata", "BACKUP_PARALLELISM_COPYDATA", NULL, false},
    {PARALLELISM "backupCollection", "BACKUP_PARALLELISM_BACKUP_COLLECTION", NULL, false},
    {PARALLELISM "restoreCollection", "BACKUP_PARALLELISM_RESTORE_COLLECTION", NULL, false},
    {PARALLELISM "backupSegment", NULL, NULL, true},
    {PARALLELISM "importJob", NULL, NULL, true},
    {"backup.keepTempFiles", "BACKUP_KEEP_TEMP_FILES", NULL, true},
    {"backup.gcPause.enable", "BACKUP_GC_PAUSE_ENABLE", NULL, false},
    {"backup.gcPause.seconds", "BACKUP_GC_PAUSE_SECONDS", NULL, false},
    {"backup.gcPause.address", "BACKUP_GC_PAUSE_ADDRESS", NULL, false},
};

struct bp_v1_said {
    const bp_config_foreign *in;
    GHashTable *nodes; /* name in small letters (char *) -> bp_node *, borrowed */
};

static const v1_key *
find_key(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (g_ascii_strcasecmp(keys[i].name, name) == 0) {
            return &keys[i];
        }
    }
    return NULL;
}

static void
warn_unknown(const bp_v1_said *said, const char *name, const bp_node *node)
{
    const char *names[G_N_ELEMENTS(keys)];
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        names[i] = keys[i].name;
    }
    const char *nearest = bp_text_nearest(name, names, G_N_ELEMENTS(names));
    char *text = nearest != NULL
                     ? g_strdup_printf("%s:%u: unknown key \"%s\" is ignored; did you mean \"%s\"?",
                                       said->in->path, node->line, name, nearest)
                     : g_strdup_printf("%s:%u: unknown key \"%s\" is ignored", said->in->path,
                                       node->line, name);
    g_ptr_array_add(said->in->warnings, text);
}

static bool
take_value(bp_v1_said *said, const char *name, const bp_node *node, GString *idle, GError **error)
{
    const v1_key *key = find_key(name);
    if (key == NULL) {
        warn_unknown(said, name, node);
        return true;
    }
    if (node->kind != BP_NODE_TEXT) {
        bp_set_error(error, BP_ERR_INVALID, "%s:%u: %s: expected one value", said->in->path,
                     node->line, name);
        return false;
    }
    if (key->idle) {
        g_string_append_printf(idle, "%s%s (line %u)", idle->len > 0 ? ", " : "", name, node->line);
        return true;
    }
    g_autofree char *folded = g_ascii_strdown(name, -1);
    if (g_hash_table_contains(said->nodes, folded)) {
        bp_set_error(error, BP_ERR_INVALID, "%s:%u: key \"%s\" was given already", said->in->path,
                     node->line, name);
        return false;
    }
    g_hash_table_insert(said->nodes, g_steal_pointer(&folded), (bp_node *)node);
    return true;
}

/* Maps are walked into; what is below a key that wants a value is an error of take_value. */
static bool
take_map(bp_v1_said *said, const char *prefix, const bp_node *map, GString *idle, GError **error)
{
    for (guint i = 0; i < map->children->len; i++) {
        const bp_node *child = g_ptr_array_index(map->children, i);
        g_autofree char *name = g_strconcat(prefix, child->name, NULL);
        bool ok = true;
        if (child->kind == BP_NODE_MAP && find_key(name) == NULL) {
            g_autofree char *deeper = g_strconcat(name, ".", NULL);
            ok = take_map(said, deeper, child, idle, error);
        } else if (!bp_node_is_null(child)) {
            ok = take_value(said, name, child, idle, error);
        }
        if (!ok) {
            return false;
        }
    }
    return true;
}

bp_v1_said *
bp_v1_said_new(const bp_config_foreign *in, GError **error)
{
    g_autoptr(bp_v1_said) said = g_new0(bp_v1_said, 1);
    said->in = in;
    said->nodes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GString) idle = g_string_new(NULL);
    if (!take_map(said, "", in->root, idle, error)) {
        return NULL;
    }
    if (idle->len > 0) {
        g_ptr_array_add(in->warnings,
                        g_strdup_printf("%s: keys without effect here: %s", in->path, idle->str));
    }
    return g_steal_pointer(&said);
}

void
bp_v1_said_free(bp_v1_said *said)
{
    if (said != NULL) {
        g_hash_table_unref(said->nodes);
        g_free(said);
    }
}

static void
warn_once(const bp_v1_said *said, char *take_text)
{
    g_autofree char *text = take_text;
    if (!g_ptr_array_find_with_equal_func(said->in->warnings, text, g_str_equal, NULL)) {
        g_ptr_array_add(said->in->warnings, g_steal_pointer(&text));
    }
}

/* The variable's text if it counts, else NULL. */
static const char *
from_environment(const bp_v1_said *said, const v1_key *key)
{
    if (key->environment == NULL) {
        return NULL;
    }
    const char *text = NULL;
    gsize n = strlen(key->environment);
    for (const char *const *entry = said->in->environ; *entry != NULL && text == NULL; entry++) {
        if (strncmp(*entry, key->environment, n) == 0 && (*entry)[n] == '=') {
            text = *entry + n + 1;
        }
    }
    if (text == NULL || *text == '\0') {
        return NULL;
    }
    if (g_str_has_suffix(key->environment, "_PORT") && strstr(text, "://") != NULL) {
        warn_once(said, g_strdup_printf("environment %s=%s is ignored: it is a service's URL, as "
                                        "Kubernetes sets it, and no port",
                                        key->environment, text));
        return NULL;
    }
    return text;
}

void
bp_v1_get(const bp_v1_said *said, const char *name, bp_v1_value *out)
{
    const v1_key *key = find_key(name);
    g_assert(key != NULL && !key->idle);
    g_autofree char *folded = g_ascii_strdown(name, -1);
    const bp_node *node = g_hash_table_lookup(said->nodes, folded);
    const char *variable = from_environment(said, key);
    *out = (bp_v1_value){.given = true};
    if (variable != NULL) {
        out->text = g_strdup(variable);
        out->origin = g_strdup_printf("environment %s", key->environment);
    } else if (node != NULL) {
        out->text = g_strdup(node->text);
        out->origin = g_strdup_printf("file %s:%u (%s)", said->in->path, node->line, key->name);
    } else {
        out->given = false;
        out->text = g_strdup(key->def);
        out->origin = g_strdup_printf("default of %s", key->name);
    }
}

void
bp_v1_value_clear(bp_v1_value *value)
{
    if (value->text != NULL) {
        bp_secret_wipe(value->text, strlen(value->text));
    }
    g_clear_pointer(&value->text, g_free);
    g_clear_pointer(&value->origin, g_free);
    value->given = false;
}
