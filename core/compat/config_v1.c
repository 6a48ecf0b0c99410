/* SPDX-License-Identifier: Apache-2.0
 *
 * milvus-backup's first dialect, translated: server, jobs and log.  The stores are translated in
 * config_v1_stores.c.
 */
#include "core/compat/config_v1.h"

#include <string.h>

#include "core/base/error.h"
#include "core/compat/config_v1_keys.h"
#include "core/compat/config_v1_stores.h"
#include "sdk/lib/parse.h"

#include "sdk/lib/ban.h"

typedef struct {
    const bp_v1_said *said;
    const bp_config_foreign *in;
    bp_node *out;
} translation;

static bool
is_one_of(const char *name, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (g_ascii_strcasecmp(name, *words) == 0) {
            return true;
        }
    }
    return false;
}

static bool
recognise(const char *const *top_keys, gsize n)
{
    static const char *const theirs[] = {"milvus", "minio", "cloud", "http", "configVersion", NULL};
    static const char *const ours[] = {"source", "storages", NULL};
    bool found = false;
    for (gsize i = 0; i < n; i++) {
        if (is_one_of(top_keys[i], ours)) {
            return false;
        }
        found = found || is_one_of(top_keys[i], theirs);
    }
    return found;
}

static bool
check_version(const translation *t, GError **error)
{
    g_auto(bp_v1_value) version = {0};
    bp_v1_get(t->said, "configVersion", &version);
    if (version.text == NULL || g_ascii_strcasecmp(version.text, "v1") == 0) {
        return true;
    }
    if (g_ascii_strcasecmp(version.text, "v2") == 0) {
        bp_set_error(error, BP_ERR_UNSUPPORTED,
                     "%s: milvus-backup's second configuration dialect (configVersion v2) cannot "
                     "be read yet; it comes with a later version of bakplane",
                     version.origin);
        bp_error_add_hint(error, "use a backup.yaml of the first dialect, or the native one");
        return false;
    }
    bp_set_error(error, BP_ERR_INVALID, "%s: there is no version \"%s\"", version.origin,
                 version.text);
    return false;
}

/* An empty text in these files means "not set". */
static void
put(const translation *t, const char *path, const bp_v1_value *value)
{
    if (value->text != NULL && *value->text != '\0') {
        bp_node_put(t->out, path, value->text, value->origin);
    }
}

static void
put_said(const translation *t, const char *path, const char *name)
{
    g_auto(bp_v1_value) value = {0};
    bp_v1_get(t->said, name, &value);
    put(t, path, &value);
}

/* That tool's paths start at the working directory. */
static void
put_path(const translation *t, const char *path, const char *name)
{
    g_auto(bp_v1_value) value = {0};
    bp_v1_get(t->said, name, &value);
    if (value.text != NULL && *value.text != '\0' && !g_path_is_absolute(value.text)) {
        g_autofree char *relative = g_steal_pointer(&value.text);
        value.text = g_canonicalize_filename(relative, NULL);
    }
    put(t, path, &value);
}

static void
translate_address(const translation *t)
{
    g_auto(bp_v1_value) host = {0};
    g_auto(bp_v1_value) port = {0};
    bp_v1_get(t->said, "milvus.address", &host);
    bp_v1_get(t->said, "milvus.port", &port);
    g_autofree char *address = bp_v1_join_address(host.text, port.text);
    bp_node_put(t->out, "source.address", address, host.given ? host.origin : port.origin);
}

static void
translate_tls(const translation *t)
{
    g_auto(bp_v1_value) mode = {0};
    g_auto(bp_v1_value) cert = {0};
    g_auto(bp_v1_value) key = {0};
    bp_v1_get(t->said, "milvus.tlsMode", &mode);
    bp_v1_get(t->said, "milvus.mtlsCertPath", &cert);
    bp_v1_get(t->said, "milvus.mtlsKeyPath", &key);
    bool has_pair =
        cert.text != NULL && *cert.text != '\0' && key.text != NULL && *key.text != '\0';
    if (strcmp(mode.text, "2") == 0 && !has_pair) {
        g_ptr_array_add(t->in->warnings,
                        g_strdup_printf("%s: tlsMode 2 without mtlsCertPath and mtlsKeyPath acts "
                                        "as 1, as in milvus-backup",
                                        mode.origin));
        mode.text[0] = '1';
    }
    if (!mode.given || strcmp(mode.text, "0") == 0) {
        return; /* without TLS the rest has no effect in that tool, either */
    }
    put(t, "source.tls_mode", &mode);
    put_path(t, "source.ca_file", "milvus.caCertPath");
    put_said(t, "source.server_name", "milvus.serverName");
    if (strcmp(mode.text, "2") == 0) {
        put_path(t, "source.cert_file", "milvus.mtlsCertPath");
        put_path(t, "source.key_file", "milvus.mtlsKeyPath");
    }
}

static void
translate_source(const translation *t)
{
    g_autofree char *origin = g_strdup_printf("file %s (milvus-backup v1)", t->in->path);
    bp_node_put(t->out, "source.plugin", "milvus", origin);
    bp_node_put(t->out, "source.storage", BP_V1_MILVUS_STORE, origin);
    bp_node_put(t->out, "backup.storage", BP_V1_BACKUP_STORE, origin);
    translate_address(t);
    translate_tls(t);
    put_said(t, "source.user", "milvus.user");
    put_said(t, "source.password", "milvus.password");
}

static bool
translate_gc_pause(const translation *t, GError **error)
{
    g_auto(bp_v1_value) enable = {0};
    g_auto(bp_v1_value) seconds = {0};
    g_auto(bp_v1_value) address = {0};
    bp_v1_get(t->said, "backup.gcPause.enable", &enable);
    bp_v1_get(t->said, "backup.gcPause.seconds", &seconds);
    bp_v1_get(t->said, "backup.gcPause.address", &address);
    bool on = false;
    if (enable.text != NULL && bp_parse_bool(enable.text, &on) != 0) {
        bp_set_error(error, BP_ERR_INVALID, "%s: \"%s\" is neither true nor false", enable.origin,
                     enable.text);
        return false;
    }
    if (on && address.text == NULL) {
        address.text = g_strdup("http://localhost:9091");
    }
    put(t, "source.management", &address);
    if (enable.text != NULL) {
        bp_node_put(t->out, "backup.gc_pause", on ? "auto" : "off", enable.origin);
    }
    if (seconds.text != NULL && *seconds.text != '\0') {
        g_autofree char *duration = g_strconcat(seconds.text, "s", NULL);
        bp_node_put(t->out, "backup.gc_pause_for", duration, seconds.origin);
    }
    return true;
}

static void
translate_jobs(const translation *t)
{
    put_said(t, "backup.concurrency.copies", "backup.parallelism.copydata");
    put_said(t, "restore.concurrency.copies", "backup.parallelism.copydata");
    put_said(t, "backup.concurrency.units", "backup.parallelism.backupCollection");
    put_said(t, "restore.concurrency.units", "backup.parallelism.restoreCollection");
}

static void
translate_log(const translation *t)
{
    static const char *const loudest[] = {"panic", "fatal", "dpanic", NULL};
    g_auto(bp_v1_value) level = {0};
    bp_v1_get(t->said, "log.level", &level);
    if (level.text != NULL) {
        g_autofree char *old = g_steal_pointer(&level.text);
        level.text = is_one_of(old, loudest) ? g_strdup("error") : g_ascii_strdown(old, -1);
        put(t, "log.level", &level);
    }
}

static bool
translate(const bp_config_foreign *in, bp_node *out, GError **error)
{
    g_autoptr(bp_v1_said) said = bp_v1_said_new(in, error);
    if (said == NULL) {
        return false;
    }
    translation t = {.said = said, .in = in, .out = out};
    if (!check_version(&t, error) || !translate_gc_pause(&t, error)) {
        return false;
    }
    translate_source(&t);
    translate_jobs(&t);
    translate_log(&t);
    return bp_v1_translate_stores(said, in, out, error);
}

const bp_config_dialect bp_compat_config_v1 = {
    .recognise = recognise,
    .translate = translate,
};
