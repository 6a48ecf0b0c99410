/* SPDX-License-Identifier: Apache-2.0
 *
 * milvus-backup's first dialect, translated: server, jobs, log, and the section `minio`, which is
 * two stores.  Whatever is not said about the backup's store is as with Milvus' own, the root path
 * too: then backups lie below the root path of Milvus.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/compat/translate.h"

#include "sdk/lib/ban.h"

#define PARALLELISM "backup.parallelism."
#define TEXT BP_SAID_TEXT
#define NUMBER BP_SAID_NUMBER
#define BOOL BP_SAID_BOOL

/* name, kind, idle, secret, environment, default */
static const bp_said_key keys[] = {
    {"configVersion", TEXT, false, false, NULL, NULL},
    {"log.level", TEXT, false, false, NULL, NULL},
    {"log.format", TEXT, true, false, NULL, NULL},
    {"log.console", BOOL, false, false, NULL, "false"},
    {"log.file.rootPath", TEXT, true, false, NULL, NULL},
    {"log.file.filename", TEXT, true, false, NULL, NULL},
    {"log.file.maxSize", NUMBER, true, false, NULL, NULL},
    {"log.file.maxBackups", NUMBER, true, false, NULL, NULL},
    {"log.file.maxAge", NUMBER, true, false, NULL, NULL},
    {"log.file.maxDays", NUMBER, true, false, NULL, NULL},
    {"http.enabled", BOOL, true, false, NULL, NULL},
    {"http.debug_mode", BOOL, true, false, NULL, NULL},
    {"http.debugMode", BOOL, true, false, NULL, NULL},
    {"http.simpleResponse", BOOL, false, false, NULL, NULL},
    {"http.swaggerBasePath", TEXT, true, false, NULL, NULL},
    {"cloud.address", TEXT, true, false, NULL, NULL},
    {"cloud.apikey", TEXT, true, true, NULL, NULL},
    {"milvus.address", TEXT, false, false, "MILVUS_ADDRESS", "localhost"},
    {"milvus.port", NUMBER, false, false, "MILVUS_PORT", "19530"},
    {"milvus.authorizationEnabled", BOOL, true, false, "MILVUS_AUTHORIZATION_ENABLED", NULL},
    {"milvus.user", TEXT, false, false, "MILVUS_USER", NULL},
    {"milvus.password", TEXT, false, true, "MILVUS_PASSWORD", NULL},
    {"milvus.tlsMode", NUMBER, false, false, "MILVUS_TLS_MODE", "0"},
    {"milvus.caCertPath", TEXT, false, false, "MILVUS_CA_CERT_PATH", NULL},
    {"milvus.serverName", TEXT, false, false, "MILVUS_SERVER_NAME", NULL},
    {"milvus.mtlsCertPath", TEXT, false, false, "MILVUS_MTLS_CERT_PATH", NULL},
    {"milvus.mtlsKeyPath", TEXT, false, false, "MILVUS_MTLS_KEY_PATH", NULL},
    {"milvus.rpcChannelName", TEXT, true, false, "MILVUS_RPC_CHANNEL_NAME", NULL},
    {"milvus.etcd.endpoints", TEXT, true, false, NULL, NULL},
    {"milvus.etcd.rootPath", TEXT, true, false, NULL, NULL},
    {"minio.storageType", TEXT, false, false, NULL, NULL},
    {"minio.cloudProvider", TEXT, false, false, NULL, NULL},
    {"storage.storageType", TEXT, false, false, NULL, NULL},
    {"minio.address", TEXT, false, false, "MINIO_ADDRESS", "localhost"},
    {"minio.port", NUMBER, false, false, "MINIO_PORT", "9000"},
    {"minio.region", TEXT, false, false, "MINIO_REGION", NULL},
    {"minio.accessKeyID", TEXT, false, false, "MINIO_ACCESS_KEY", "minioadmin"},
    {"minio.secretAccessKey", TEXT, false, true, "MINIO_SECRET_KEY", "minioadmin"},
    {"minio.token", TEXT, false, true, "MINIO_TOKEN", NULL},
    {"minio.gcpCredentialJSON", TEXT, true, false, "GCP_KEY_JSON", NULL},
    {"minio.useSSL", BOOL, false, false, "MINIO_USE_SSL", "false"},
    {"minio.bucketName", TEXT, false, false, "MINIO_BUCKET_NAME", "a-bucket"},
    {"minio.rootPath", TEXT, false, false, "MINIO_ROOT_PATH", "files"},
    {"minio.useIAM", BOOL, false, false, "MINIO_USE_IAM", "false"},
    {"minio.iamEndpoint", TEXT, false, false, "MINIO_IAM_ENDPOINT", NULL},
    {"minio.backupStorageType", TEXT, false, false, NULL, NULL},
    {"minio.backupAddress", TEXT, false, false, "MINIO_BACKUP_ADDRESS", NULL},
    {"minio.backupPort", NUMBER, false, false, "MINIO_BACKUP_PORT", NULL},
    {"minio.backupRegion", TEXT, false, false, "MINIO_BACKUP_REGION", NULL},
    {"minio.backupAccessKeyID", TEXT, false, false, "MINIO_BACKUP_ACCESS_KEY", NULL},
    {"minio.backupSecretAccessKey", TEXT, false, true, "MINIO_BACKUP_SECRET_KEY", NULL},
    {"minio.backupToken", TEXT, false, true, "MINIO_BACKUP_TOKEN", NULL},
    {"minio.backupGcpCredentialJSON", TEXT, true, false, "BACKUP_GCP_KEY_JSON", NULL},
    {"minio.backupUseSSL", BOOL, false, false, "MINIO_BACKUP_USE_SSL", NULL},
    {"minio.backupBucketName", TEXT, false, false, "MINIO_BACKUP_BUCKET_NAME", NULL},
    {"minio.backupRootPath", TEXT, false, false, "MINIO_BACKUP_ROOT_PATH", NULL},
    {"minio.backupUseIAM", BOOL, false, false, "MINIO_BACKUP_USE_IAM", NULL},
    {"minio.backupIamEndpoint", TEXT, false, false, "MINIO_BACKUP_IAM_ENDPOINT", NULL},
    {"minio.crossStorage", BOOL, true, false, NULL, NULL},
    {"minio.multipartCopyThresholdMiB", NUMBER, true, false, NULL, NULL},
    {"backup.maxSegmentGroupSize", TEXT, true, false, "BACKUP_MAX_SEGMENT_GROUP_SIZE", NULL},
    {PARALLELISM "copydata", NUMBER, false, false, "BACKUP_PARALLELISM_COPYDATA", NULL},
    {PARALLELISM "backupCollection", NUMBER, false, false, "BACKUP_PARALLELISM_BACKUP_COLLECTION",
     NULL},
    {PARALLELISM "restoreCollection", NUMBER, false, false, "BACKUP_PARALLELISM_RESTORE_COLLECTION",
     NULL},
    {PARALLELISM "backupSegment", NUMBER, true, false, NULL, NULL},
    {PARALLELISM "importJob", NUMBER, true, false, NULL, NULL},
    {"backup.keepTempFiles", BOOL, true, false, "BACKUP_KEEP_TEMP_FILES", NULL},
    {"backup.gcPause.enable", BOOL, false, false, "BACKUP_GC_PAUSE_ENABLE", NULL},
    {"backup.gcPause.seconds", NUMBER, false, false, "BACKUP_GC_PAUSE_SECONDS", NULL},
    {"backup.gcPause.address", TEXT, false, false, "BACKUP_GC_PAUSE_ADDRESS", NULL},
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

bool
bp_v1_read_store(const bp_translation *t, bool is_backup, bp_compat_store *s)
{
    g_auto(bp_said_value) provider = {0};
    get_provider(t, is_backup, &provider);
    *s = (bp_compat_store){
        .name = is_backup ? BP_COMPAT_BACKUP_STORE : BP_COMPAT_MILVUS_STORE,
        .provider = bp_compat_provider_find(t->said, &provider),
        .provider_origin = g_strdup(provider.origin),
        .auth = get_switch(t, is_backup, "useIAM") ? BP_AUTH_IAM : BP_AUTH_KEYS,
        .use_tls = get_switch(t, is_backup, "useSSL"),
    };
    bool azure = s->provider != NULL && s->provider->family == BP_FAMILY_AZURE;
    const struct {
        const char *name;
        bp_said_value *value;
    } members[] = {
        {"address", &s->address},
        {"port", &s->port},
        {"region", &s->region},
        {"bucketName", &s->bucket},
        {"rootPath", &s->root},
        {"accessKeyID", azure ? &s->account : &s->access_key},
        {"secretAccessKey", azure ? &s->account_key : &s->secret_key},
        {"token", &s->session_token},
        {"iamEndpoint", &s->iam_endpoint},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(members); i++) {
        g_autofree char *key = get_of_store(t, is_backup, members[i].name, members[i].value);
    }
    return s->provider != NULL;
}

static void
put_store(const bp_translation *t, bool is_backup)
{
    g_auto(bp_compat_store) s = {0};
    if (bp_v1_read_store(t, is_backup, &s)) {
        bp_compat_store_put(t->said, &s, t->out);
    }
}

static void
put_server(const bp_translation *t)
{
    g_auto(bp_said_value) simple = {0};
    bool on = false;
    bp_said_get(t->said, "http.simpleResponse", &simple);
    bp_said_get_bool(t->said, "http.simpleResponse", &on);
    if (bp_said_is_text(&simple)) {
        bp_node_put(t->out, "server.simple_answers", on ? "true" : "false", simple.origin);
    }
}

void
bp_v1_translate(const bp_translation *t)
{
    bp_translation_put_source(t, "milvus.address", "milvus.port");
    put_tls(t);
    put_gc_pause(t);
    put_jobs(t);
    put_server(t);
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
