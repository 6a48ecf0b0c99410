/* SPDX-License-Identifier: Apache-2.0
 *
 * milvus-backup's second dialect (configVersion: v2), translated: keys, server, jobs.  Its stores
 * are in config_v2_stores.c.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/compat/config_v2_stores.h"
#include "core/compat/translate.h"
#include "sdk/lib/parse.h"

#include "sdk/lib/ban.h"

#define TEXT BP_SAID_TEXT
#define NUMBER BP_SAID_NUMBER
#define BOOL BP_SAID_BOOL
#define PORT_MAX 65535

/* S: "milvus" or "backup", P: the same for variables, ROOT: default of the root path. */
#define STORE(S, P, PROVIDER, ADDRESS, PORT, TLS, BUCKET, ROOT, KEY)                                \
    {S ".storage.provider", TEXT, false, false, NULL, PROVIDER},                                    \
        {S ".storage.address", TEXT, false, false, NULL, ADDRESS},                                  \
        {S ".storage.port", NUMBER, false, false, NULL, PORT},                                      \
        {S ".storage.region", TEXT, false, false, NULL, NULL},                                      \
        {S ".storage.useSSL", BOOL, false, false, NULL, TLS},                                       \
        {S ".storage.accountName", TEXT, false, false, P "_STORAGE_ACCOUNT_NAME", NULL},            \
        {S ".storage.bucketName", TEXT, false, false, NULL, BUCKET},                                \
        {S ".storage.rootPath", TEXT, false, false, NULL, ROOT},                                    \
        {S ".storage.localPath", TEXT, false, false, NULL, NULL},                                   \
        {S ".storage.milvusAddress", TEXT, false, false, NULL, NULL},                               \
        {S ".storage.milvusPort", NUMBER, false, false, NULL, NULL},                                \
        {S ".storage.auth.type", TEXT, false, false, NULL, NULL},                                   \
        {S ".storage.auth.accessKeyID", TEXT, false, false, P "_STORAGE_AUTH_ACCESS_KEY_ID", KEY},  \
        {S ".storage.auth.secretAccessKey",   TEXT, false, true,                                    \
         P "_STORAGE_AUTH_SECRET_ACCESS_KEY", KEY},                                                 \
        {S ".storage.auth.sessionToken", TEXT, false, true, P "_STORAGE_AUTH_SESSION_TOKEN", NULL}, \
        {S ".storage.auth.accountKey", TEXT, false, true, P "_STORAGE_AUTH_ACCOUNT_KEY", NULL},     \
        {S ".storage.auth.credentialsFile",  TEXT, false, false,                                    \
         P "_STORAGE_AUTH_CREDENTIALS_FILE", NULL},                                                 \
    {                                                                                               \
        S ".storage.auth.endpoint", TEXT, false, false, NULL, NULL                                  \
    }

/* name, kind, idle, secret, environment, default */
static const bp_said_key keys[] = {
    {"configVersion", TEXT, false, false, NULL, NULL},
    {"log.level", TEXT, false, false, NULL, NULL},
    {"log.console", BOOL, false, false, NULL, "true"},
    {"log.file.path", TEXT, true, false, NULL, NULL},
    {"log.file.maxSizeMiB", NUMBER, true, false, NULL, NULL},
    {"log.file.maxDays", NUMBER, true, false, NULL, NULL},
    {"log.file.maxBackups", NUMBER, true, false, NULL, NULL},
    {"server.debugMode", BOOL, true, false, NULL, NULL},
    {"server.swaggerBasePath", TEXT, true, false, NULL, NULL},
    {"milvus.user", TEXT, false, false, "MILVUS_USER", NULL},
    {"milvus.password", TEXT, false, true, "MILVUS_PASSWORD", NULL},
    {"milvus.grpc.address", TEXT, false, false, NULL, "localhost"},
    {"milvus.grpc.port", NUMBER, false, false, NULL, "19530"},
    {"milvus.grpc.tlsMode", TEXT, false, false, NULL, "disabled"},
    {"milvus.grpc.caCertPath", TEXT, false, false, NULL, NULL},
    {"milvus.grpc.serverName", TEXT, false, false, NULL, NULL},
    {"milvus.grpc.mtlsCertPath", TEXT, false, false, NULL, NULL},
    {"milvus.grpc.mtlsKeyPath", TEXT, false, false, NULL, NULL},
    {"milvus.rest.endpoint", TEXT, false, false, NULL, NULL},
    {"milvus.management.endpoint", TEXT, false, false, NULL, "http://localhost:9091"},
    {"milvus.replicate.rpcChannelName", TEXT, true, false, NULL, NULL},
    {"milvus.etcd.endpoints", BP_SAID_LIST, true, false, NULL, NULL},
    {"milvus.etcd.rootPath", TEXT, true, false, NULL, NULL},
    STORE("milvus", "MILVUS", "minio", "localhost", "9000", "false", "a-bucket", "files",
          "minioadmin"),
    STORE("backup", "BACKUP", NULL, NULL, NULL, NULL, NULL, "backup", NULL),
    {"backup.concurrency.collections", NUMBER, false, false, NULL, NULL},
    {"backup.concurrency.segments", NUMBER, true, false, NULL, NULL},
    {"backup.pauseGC", BOOL, false, false, NULL, "true"},
    {"restore.concurrency.collections", NUMBER, false, false, NULL, NULL},
    {"restore.concurrency.importJobs", NUMBER, true, false, NULL, NULL},
    {"restore.maxSegmentsPerImportJob", NUMBER, true, false, NULL, NULL},
    {"restore.keepTempFiles", BOOL, true, false, NULL, NULL},
    {"transfer.mode", TEXT, false, false, NULL, "auto"},
    {"transfer.concurrency", NUMBER, false, false, NULL, NULL},
    {"transfer.multipartCopyThresholdMiB", NUMBER, true, false, NULL, NULL},
    {"zillizCloud.endpoint", TEXT, true, false, NULL, NULL},
    {"zillizCloud.apiKey", TEXT, true, true, "ZILLIZ_CLOUD_API_KEY", NULL},
};
const bp_said_table bp_v2_table = {
    .keys = keys, .n = G_N_ELEMENTS(keys), .empty_counts = true, .successor = bp_v2_successor};

/* As that tool asks for it. */
static void
check_positive(const bp_translation *t, const char *name)
{
    g_auto(bp_said_value) value = {0};
    uint64_t number = 0;
    bp_said_get(t->said, name, &value);
    if (bp_said_is_text(&value) && bp_parse_u64(value.text, &number) == 0 && number == 0) {
        bp_said_problem(t->said, BP_ERR_INVALID, "%s: must be more than 0", value.origin);
    }
}

void
bp_v2_check_port(const bp_translation *t, const char *name)
{
    g_auto(bp_said_value) value = {0};
    uint64_t port = 0;
    bp_said_get(t->said, name, &value);
    if (bp_said_is_text(&value) && bp_parse_u64(value.text, &port) == 0 &&
        (port == 0 || port > PORT_MAX)) {
        bp_said_problem(t->said, BP_ERR_INVALID, "%s: %s is no port, 1 to 65535", value.origin,
                        value.text);
    }
}

static bool
is_endpoint(const char *text)
{
    return g_ascii_strncasecmp(text, "http://", 7) == 0 ||
           g_ascii_strncasecmp(text, "https://", 8) == 0;
}

static void
put_tls(const bp_translation *t)
{
    static const char *const modes[] = {"disabled", "server", "mutual"};
    g_auto(bp_said_value) mode = {0};
    bp_said_get(t->said, "milvus.grpc.tlsMode", &mode);
    uint64_t number = 0;
    guint found = G_N_ELEMENTS(modes);
    for (guint i = 0; mode.text != NULL && i < G_N_ELEMENTS(modes); i++) {
        found = g_ascii_strcasecmp(mode.text, modes[i]) == 0 ? i : found;
    }
    if (!bp_said_is_text(&mode)) {
        return;
    }
    if (found == G_N_ELEMENTS(modes)) {
        bool old = bp_parse_u64(mode.text, &number) == 0 && number < G_N_ELEMENTS(modes);
        bp_said_problem(t->said, BP_ERR_INVALID, "%s: there is no mode \"%s\"\nhint: %s%s",
                        mode.origin, mode.text,
                        old ? "in v2 it is written " : "there are disabled, server, ",
                        old ? modes[number] : "mutual");
        return;
    }
    g_auto(bp_said_value) cert = {0};
    g_auto(bp_said_value) key = {0};
    bp_said_get(t->said, "milvus.grpc.mtlsCertPath", &cert);
    bp_said_get(t->said, "milvus.grpc.mtlsKeyPath", &key);
    if (found == 2 && (!bp_said_is_text(&cert) || !bp_said_is_text(&key))) {
        bp_said_problem(t->said, BP_ERR_INVALID, "%s: mutual needs mtlsCertPath and mtlsKeyPath",
                        mode.origin);
        return;
    }
    g_free(mode.text);
    mode.text = g_strdup_printf("%u", found);
    bp_translation_put_tls(t, &mode, "milvus.grpc.");
}

/* REST is spoken to the address of the server, and cannot be sent elsewhere. */
static void
check_rest(const bp_translation *t)
{
    g_auto(bp_said_value) rest = {0};
    bp_said_get(t->said, "milvus.rest.endpoint", &rest);
    if (!bp_said_is_text(&rest)) {
        return;
    }
    const bp_node *address = bp_node_at(t->out, "source.address");
    const char *host = strstr(rest.text, "://");
    if (!is_endpoint(rest.text)) {
        bp_said_problem(t->said, BP_ERR_INVALID, "%s: \"%s\" is no http(s):// address", rest.origin,
                        rest.text);
    } else if (strcmp(host + 3, address->text) != 0) {
        bp_said_problem(t->said, BP_ERR_UNSUPPORTED,
                        "%s: REST at another address than %s is not possible\n"
                        "hint: leave it out, and name an address that serves both in milvus.grpc",
                        rest.origin, address->text);
    }
}

static void
put_gc_pause(const bp_translation *t)
{
    g_auto(bp_said_value) endpoint = {0};
    g_auto(bp_said_value) pause = {0};
    bp_said_get(t->said, "milvus.management.endpoint", &endpoint);
    bp_said_get(t->said, "backup.pauseGC", &pause);
    bool on = true;
    bp_said_get_bool(t->said, "backup.pauseGC", &on);
    if (bp_said_is_text(&endpoint) && !is_endpoint(endpoint.text)) {
        bp_said_problem(t->said, BP_ERR_INVALID, "%s: \"%s\" is no http(s):// address",
                        endpoint.origin, endpoint.text);
        return;
    }
    bp_translation_put(t, "source.management", &endpoint);
    bp_node_put(t->out, "backup.gc_pause", on ? "auto" : "off", pause.origin);
}

/* How bytes travel is decided for each pair of stores; the outcome is the same. */
static void
check_transfer(const bp_translation *t)
{
    static const char *const modes[] = {"auto", "direct", "streaming"};
    g_auto(bp_said_value) mode = {0};
    bp_said_get(t->said, "transfer.mode", &mode);
    for (gsize i = 0; bp_said_is_text(&mode) && i < G_N_ELEMENTS(modes); i++) {
        if (g_ascii_strcasecmp(mode.text, modes[i]) == 0) {
            if (i > 0) {
                bp_said_warn(t->said, "%s: has no effect: the shortest way is found by itself",
                             mode.origin);
            }
            return;
        }
    }
    if (bp_said_is_text(&mode)) {
        bp_said_problem(t->said, BP_ERR_INVALID,
                        "%s: there is no mode \"%s\"\nhint: there are auto, direct, streaming",
                        mode.origin, mode.text);
    }
}

void
bp_v2_translate(const bp_translation *t)
{
    static const char *const positive[] = {"backup.concurrency.collections",
                                           "restore.concurrency.collections",
                                           "transfer.concurrency"};
    bp_v2_check_port(t, "milvus.grpc.port");
    for (gsize i = 0; i < G_N_ELEMENTS(positive); i++) {
        check_positive(t, positive[i]);
    }
    bp_translation_put_source(t, "milvus.grpc.address", "milvus.grpc.port");
    put_tls(t);
    check_rest(t);
    put_gc_pause(t);
    check_transfer(t);
    bp_translation_put_said(t, "backup.concurrency.units", "backup.concurrency.collections");
    bp_translation_put_said(t, "restore.concurrency.units", "restore.concurrency.collections");
    bp_translation_put_said(t, "backup.concurrency.copies", "transfer.concurrency");
    bp_translation_put_said(t, "restore.concurrency.copies", "transfer.concurrency");
    bp_translation_put_log(t);
    bp_v2_put_store(t, false);
    bp_v2_put_store(t, true);
}
