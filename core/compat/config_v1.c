/* SPDX-License-Identifier: Apache-2.0
 *
 * milvus-backup's first dialect, translated: server, jobs, log, and the section `minio`, which is
 * two stores.  Whatever is not said about the backup's store is as with Milvus' own, the root path
 * too: then backups lie below the root path of Milvus.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/compat/stores.h"
#include "core/compat/translate.h"

#include "sdk/lib/ban.h"

#define PARALLELISM "backup.parallelism."
#define TEXT BP_SAID_TEXT
#define NUMBER BP_SAID_NUMBER
#define BOOL BP_SAID_BOOL

/* name, kind, environment, default, idle, secret */
static const bp_said_key keys[] = {
    {"configVersion", TEXT, NULL, NULL, false, false},
    {"log.level", TEXT, NULL, NULL, false, false},
    {"log.format", TEXT, NULL, NULL, true, false},
    {"log.console", BOOL, NULL, "false", false, false},
    {"log.file.rootPath", TEXT, NULL, NULL, true, false},
    {"log.file.filename", TEXT, NULL, NULL, true, false},
    {"log.file.maxSize", NUMBER, NULL, NULL, true, false},
    {"log.file.maxBackups", NUMBER, NULL, NULL, true, false},
    {"log.file.maxAge", NUMBER, NULL, NULL, true, false},
    {"log.file.maxDays", NUMBER, NULL, NULL, true, false},
    {"http.enabled", BOOL, NULL, NULL, true, false},
    {"http.debug_mode", BOOL, NULL, NULL, true, false},
    {"http.debugMode", BOOL, NULL, NULL, true, false},
    {"http.simpleResponse", BOOL, NULL, NULL, true, false},
    {"http.swaggerBasePath", TEXT, NULL, NULL, true, false},
    {"cloud.address", TEXT, NULL, NULL, true, false},
    {"cloud.apikey", TEXT, NULL, NULL, true, true},
    {"milvus.address", TEXT, "MILVUS_ADDRESS", "localhost", false, false},
    {"milvus.port", NUMBER, "MILVUS_PORT", "19530", false, false},
    {"milvus.authorizationEnabled", BOOL, "MILVUS_AUTHORIZATION_ENABLED", NULL, true, false},
    {"milvus.user", TEXT, "MILVUS_USER", NULL, false, false},
    {"milvus.password", TEXT, "MILVUS_PASSWORD", NULL, false, true},
    {"milvus.tlsMode", NUMBER, "MILVUS_TLS_MODE", "0", false, false},
    {"milvus.caCertPath", TEXT, "MILVUS_CA_CERT_PATH", NULL, false, false},
    {"milvus.serverName", TEXT, "MILVUS_SERVER_NAME", NULL, false, false},
    {"milvus.mtlsCertPath", TEXT, "MILVUS_MTLS_CERT_PATH", NULL, false, false},
    {"milvus.mtlsKeyPath", TEXT, "MILVUS_MTLS_KEY_PATH", NULL, false, false},
    {"milvus.rpcChannelName", TEXT, "MILVUS_RPC_CHANNEL_NAME", NULL, true, false},
    {"milvus.etcd.endpoints", TEXT, NULL, NULL, true, false},
    {"milvus.etcd.rootPath", TEXT, NULL, NULL, true, false},
    {"minio.storageType", TEXT, NULL, NULL, false, false},
    {"minio.cloudProvider", TEXT, NULL, NULL, false, false},
    {"storage.storageType", TEXT, NULL, NULL, false, false},
    {"minio.address", TEXT, "MINIO_ADDRESS", "localhost", false, false},
    {"minio.port", NUMBER, "MINIO_PORT", "9000", false, false},
    {"minio.region", TEXT, "MINIO_REGION", NULL, false, false},
    {"minio.accessKeyID", TEXT, "MINIO_ACCESS_KEY", "minioadmin", false, false},
    {"minio.secretAccessKey", TEXT, "MINIO_SECRET_KEY", "minioadmin", false, true},
    {"minio.token", TEXT, "MINIO_TOKEN", NULL, false, true},
    {"minio.gcpCredentialJSON", TEXT, "GCP_KEY_JSON", NULL, true, false},
    {"minio.useSSL", BOOL, "MINIO_USE_SSL", "false", false, false},
    {"minio.bucketName", TEXT, "MINIO_BUCKET_NAME", "a-bucket", false, false},
    {"minio.rootPath", TEXT, "MINIO_ROOT_PATH", "files", false, false},
    {"minio.useIAM", BOOL, "MINIO_USE_IAM", "false", false, false},
    {"minio.iamEndpoint", TEXT, "MINIO_IAM_ENDPOINT", NULL, false, false},
    {"minio.backupStorageType", TEXT, NULL, NULL, false, false},
    {"minio.backupAddress", TEXT, "MINIO_BACKUP_ADDRESS", NULL, false, false},
    {"minio.backupPort", NUMBER, "MINIO_BACKUP_PORT", NULL, false, false},
    {"minio.backupRegion", TEXT, "MINIO_BACKUP_REGION", NULL, false, false},
    {"minio.backupAccessKeyID", TEXT, "MINIO_BACKUP_ACCESS_KEY", NULL, false, false},
    {"minio.backupSecretAccessKey", TEXT, "MINIO_BACKUP_SECRET_KEY", NULL, false, true},
    {"minio.backupToken", TEXT, "MINIO_BACKUP_TOKEN", NULL, false, true},
    {"minio.backupGcpCredentialJSON", TEXT, "BACKUP_GCP_KEY_JSON", NULL, true, false},
    {"minio.backupUseSSL", BOOL, "MINIO_BACKUP_USE_SSL", NULL, false, false},
    {"minio.backupBucketName", TEXT, "MINIO_BACKUP_BUCKET_NAME", NULL, false, false},
    {"minio.backupRootPath", TEXT, "MINIO_BACKUP_ROOT_PATH", NULL, false, false},
    {"minio.backupUseIAM", BOOL, "MINIO_BACKUP_USE_IAM", NULL, false, false},
    {"minio.backupIamEndpoint", TEXT, "MINIO_BACKUP_IAM_ENDPOINT", NULL, false, false},
    {"minio.crossStorage", BOOL, NULL, NULL, true, false},
    {"minio.multipartCopyThresholdMiB", NUMBER, NULL, NULL, true, false},
    {"backup.maxSegmentGroupSize", TEXT, "BACKUP_MAX_SEGMENT_GROUP_SIZE", NULL, true, false},
    {PARALLELISM "copydata", NUMBER, "BACKUP_PARALLELISM_COPYDATA", NULL, false, false},
    {PARALLELISM "backupCollection", NUMBER, "BACKUP_PARALLELISM_BACKUP_COLLECTION", NULL, false,
     false},
    {PARALLELISM "restoreCollection", NUMBER, "BACKUP_PARALLELISM_RESTORE_COLLECTION", NULL, false,
     false},
    {PARALLELISM "backupSegment", NUMBER, NULL, NULL, true, false},
    {PARALLELISM "importJob", NUMBER, NULL, NULL, true, false},
    {"backup.keepTempFiles", BOOL, "BACKUP_KEEP_TEMP_FILES", NULL, true, false},
    {"backup.gcPause.enable", BOOL, "BACKUP_GC_PAUSE_ENABLE", NULL, false, false},
    {"backup.gcPause.seconds", NUMBER, "BACKUP_GC_PAUSE_SECONDS", NULL, false, false},
    {"backup.gcPause.address", TEXT, "BACKUP_GC_PAUSE_ADDRESS", NULL, false, false},
};
const bp_said_table bp_v1_table = {.keys = keys, .n = G_N_ELEMENTS(keys)};

static void
put_tls(const bp_translation *t)
{
    g_auto(bp_said_value) mode = {0};
    g_auto(bp_said_value) cert = {0};
    g_auto(bp_said_value) key = {0};
    bp_said_get(t->said, "milvus.tlsMode", &mode);
    bp_said_get(t->said, "milvus.mtlsCertPath", &cert);
    bp_said_get(t->said, "milvus.mtlsKeyPath", &key);
    bool has_pair = bp_said_is_text(&cert) && bp_said_is_text(&key);
    if (g_strcmp0(mode.text, "2") == 0 && !has_pair) {
        bp_said_warn(t->said,
                     "%s: tlsMode 2 without mtlsCertPath and mtlsKeyPath acts as 1, as in "
                     "milvus-backup",
                     mode.origin);
        mode.text[0] = '1';
    }
    bp_translation_put_tls(t, &mode, "milvus.");
}

static void
put_gc_pause(const bp_translation *t)
{
    g_auto(bp_said_value) enable = {0};
    g_auto(bp_said_value) seconds = {0};
    g_auto(bp_said_value) address = {0};
    bp_said_get(t->said, "backup.gcPause.enable", &enable);
    bp_said_get(t->said, "backup.gcPause.seconds", &seconds);
    bp_said_get(t->said, "backup.gcPause.address", &address);
    bool on = false;
    bp_said_get_bool(t->said, "backup.gcPause.enable", &on);
    if (on && address.text == NULL) {
        address.text = g_strdup("http://localhost:9091");
    }
    bp_translation_put(t, "source.management", &address);
    if (bp_said_is_text(&enable)) {
        bp_node_put(t->out, "backup.gc_pause", on ? "auto" : "off", enable.origin);
    }
    if (bp_said_is_text(&seconds)) {
        g_autofree char *duration = g_strconcat(seconds.text, "s", NULL);
        bp_node_put(t->out, "backup.gc_pause_for", duration, seconds.origin);
    }
}

static void
put_jobs(const bp_translation *t)
{
    bp_translation_put_said(t, "backup.concurrency.copies", PARALLELISM "copydata");
    bp_translation_put_said(t, "restore.concurrency.copies", PARALLELISM "copydata");
    bp_translation_put_said(t, "backup.concurrency.units", PARALLELISM "backupCollection");
    bp_translation_put_said(t, "restore.concurrency.units", PARALLELISM "restoreCollection");
}

/* "minio.rootPath", or "minio.backupRootPath" if that says something.  Returns: the key's name */
static char *
get_of_store(const bp_translation *t, bool is_backup, const char *name, bp_said_value *out)
{
    if (is_backup) {
        char *key = g_strdup_printf("minio.backup%c%s", g_ascii_toupper(*name), name + 1);
        bp_said_get(t->said, key, out);
        if (bp_said_is_text(out)) {
            return key;
        }
        bp_said_value_clear(out);
        g_free(key);
    }
    char *primary = g_strconcat("minio.", name, NULL);
    bp_said_get(t->said, primary, out);
    return primary;
}

static bool
get_switch(const bp_translation *t, bool is_backup, const char *name)
{
    g_auto(bp_said_value) value = {0};
    g_autofree char *key = get_of_store(t, is_backup, name, &value);
    bool on = false;
    bp_said_get_bool(t->said, key, &on);
    return on;
}

/* storageType has two more names. */
static void
get_provider(const bp_translation *t, bool is_backup, bp_said_value *out)
{
    static const char *const names[] = {"minio.backupStorageType", "minio.storageType",
                                        "storage.storageType", "minio.cloudProvider"};
    for (gsize i = is_backup ? 0 : 1; i < G_N_ELEMENTS(names); i++) {
        bp_said_get(t->said, names[i], out);
        if (bp_said_is_text(out)) {
            return;
        }
        bp_said_value_clear(out);
    }
    *out = (bp_said_value){.text = g_strdup("minio"),
                           .origin = g_strdup("default of minio.storageType")};
}

static void
put_store(const bp_translation *t, bool is_backup)
{
    g_auto(bp_said_value) provider = {0};
    get_provider(t, is_backup, &provider);
    g_auto(bp_compat_store) s = {
        .name = is_backup ? BP_COMPAT_BACKUP_STORE : BP_COMPAT_MILVUS_STORE,
        .provider = bp_compat_provider_find(t->said, &provider),
        .provider_origin = g_strdup(provider.origin),
        .auth = get_switch(t, is_backup, "useIAM") ? BP_AUTH_IAM : BP_AUTH_KEYS,
        .use_tls = get_switch(t, is_backup, "useSSL"),
    };
    if (s.provider == NULL) {
        return;
    }
    bool azure = s.provider->family == BP_FAMILY_AZURE;
    const struct {
        const char *name;
        bp_said_value *value;
    } members[] = {
        {"address", &s.address},
        {"port", &s.port},
        {"region", &s.region},
        {"bucketName", &s.bucket},
        {"rootPath", &s.root},
        {"accessKeyID", azure ? &s.account : &s.access_key},
        {"secretAccessKey", azure ? &s.account_key : &s.secret_key},
        {"token", &s.session_token},
        {"iamEndpoint", &s.iam_endpoint},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(members); i++) {
        g_autofree char *key = get_of_store(t, is_backup, members[i].name, members[i].value);
    }
    bp_compat_store_put(t->said, &s, t->out);
}

void
bp_v1_translate(const bp_translation *t)
{
    bp_translation_put_source(t, "milvus.address", "milvus.port");
    put_tls(t);
    put_gc_pause(t);
    put_jobs(t);
    bp_translation_put_log(t);
    g_auto(bp_said_value) root = {0};
    bp_said_get(t->said, "minio.backupRootPath", &root);
    if (!bp_said_is_text(&root)) {
        bp_said_warn(t->said,
                     "%s: minio.backupRootPath is not set: backups lie below the root path of "
                     "Milvus",
                     t->in->path);
    }
    put_store(t, false);
    put_store(t, true);
}
