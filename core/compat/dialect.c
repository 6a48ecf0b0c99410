/* SPDX-License-Identifier: Apache-2.0
 *
 * See dialect.h and translate.h.
 */
#include "core/compat/dialect.h"

#include <string.h>

#include "core/base/error.h"
#include "core/compat/stores.h"
#include "core/compat/translate.h"

#include "sdk/lib/ban.h"

#define VERSION_SET "configVersion="

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
is_native(const char *const *top_keys, gsize n)
{
    static const char *const ours[] = {"source", "storages", NULL};
    for (gsize i = 0; i < n; i++) {
        if (is_one_of(top_keys[i], ours)) {
            return true;
        }
    }
    return false;
}

static bool
recognise(const char *const *top_keys, gsize n)
{
    static const char *const theirs[] = {"milvus", "minio", "cloud", "http", "configVersion", NULL};
    bool found = false;
    for (gsize i = 0; i < n; i++) {
        found = found || is_one_of(top_keys[i], theirs);
    }
    return found && !is_native(top_keys, n);
}

static bool
assume(const char *const *top_keys, gsize n)
{
    return !is_native(top_keys, n);
}

void
bp_translation_put(const bp_translation *t, const char *path, const bp_said_value *value)
{
    if (bp_said_is_text(value)) {
        bp_node_put(t->out, path, value->text, value->origin);
    }
}

void
bp_translation_put_said(const bp_translation *t, const char *path, const char *name)
{
    g_auto(bp_said_value) value = {0};
    bp_said_get(t->said, name, &value);
    bp_translation_put(t, path, &value);
}

void
bp_translation_put_path(const bp_translation *t, const char *path, const char *name)
{
    g_auto(bp_said_value) value = {0};
    bp_said_get(t->said, name, &value);
    if (bp_said_is_text(&value) && !g_path_is_absolute(value.text)) {
        g_autofree char *relative = g_steal_pointer(&value.text);
        value.text = g_canonicalize_filename(relative, NULL);
    }
    bp_translation_put(t, path, &value);
}

void
bp_translation_put_source(const bp_translation *t, const char *host, const char *port)
{
    g_autofree char *origin = g_strdup_printf("file %s (milvus-backup)", t->in->path);
    bp_node_put(t->out, "source.plugin", "milvus", origin);
    bp_node_put(t->out, "source.storage", BP_COMPAT_MILVUS_STORE, origin);
    bp_node_put(t->out, "backup.storage", BP_COMPAT_BACKUP_STORE, origin);
    g_auto(bp_said_value) name = {0};
    g_auto(bp_said_value) number = {0};
    bp_said_get(t->said, host, &name);
    bp_said_get(t->said, port, &number);
    const char *address = bp_said_is_text(&name) ? name.text : "localhost";
    g_autofree char *joined = bp_compat_join_address(address, number.text);
    bp_node_put(t->out, "source.address", joined, name.given ? name.origin : number.origin);
    bp_translation_put_said(t, "source.user", "milvus.user");
    bp_translation_put_said(t, "source.password", "milvus.password");
}

void
bp_translation_put_tls(const bp_translation *t, bp_said_value *mode, const char *prefix)
{
    if (!bp_said_is_text(mode) || strcmp(mode->text, "0") == 0) {
        return; /* without TLS the rest has no effect in that tool, either */
    }
    g_autofree char *ca = g_strconcat(prefix, "caCertPath", NULL);
    g_autofree char *name = g_strconcat(prefix, "serverName", NULL);
    g_autofree char *cert = g_strconcat(prefix, "mtlsCertPath", NULL);
    g_autofree char *key = g_strconcat(prefix, "mtlsKeyPath", NULL);
    bp_translation_put(t, "source.tls_mode", mode);
    bp_translation_put_path(t, "source.ca_file", ca);
    bp_translation_put_said(t, "source.server_name", name);
    if (strcmp(mode->text, "2") == 0) {
        bp_translation_put_path(t, "source.cert_file", cert);
        bp_translation_put_path(t, "source.key_file", key);
    }
}

void
bp_translation_put_log(const bp_translation *t)
{
    static const char *const loudest[] = {"panic", "fatal", "dpanic", NULL};
    static const char *const talkative[] = {"debug", "info", "trace", NULL};
    g_auto(bp_said_value) level = {0};
    bool console = false;
    bp_said_get(t->said, "log.level", &level);
    bp_said_get_bool(t->said, "log.console", &console);
    if (!bp_said_is_text(&level) || (!console && is_one_of(level.text, talkative))) {
        return; /* that tool would write it to its file alone */
    }
    g_autofree char *old = g_steal_pointer(&level.text);
    level.text = is_one_of(old, loudest) ? g_strdup("error") : g_ascii_strdown(old, -1);
    bp_translation_put(t, "log.level", &level);
}

const bp_node *
bp_translation_version(const bp_node *root)
{
    for (guint i = 0; i < root->children->len; i++) {
        const bp_node *child = g_ptr_array_index(root->children, i);
        if (g_ascii_strcasecmp(child->name, "configVersion") == 0 && child->text != NULL) {
            return child;
        }
    }
    return NULL;
}

/* A file is in one dialect as a whole, which it says itself. */
static bool
check_sets(const bp_config_foreign *in, bool is_second, GError **error)
{
    for (guint i = 0; i < in->sets->len; i++) {
        const char *set = g_ptr_array_index(in->sets, i);
        if (g_ascii_strncasecmp(set, VERSION_SET, strlen(VERSION_SET)) != 0) {
            continue;
        }
        const char *version = set + strlen(VERSION_SET);
        if (g_ascii_strcasecmp(version, is_second ? "v2" : "v1") != 0) {
            bp_set_error(error, BP_ERR_INVALID, "--set %s: %s is in the dialect %s", set, in->path,
                         is_second ? "v2" : "v1");
            bp_error_add_hint(error, "configVersion counts in a file alone; no file is v2");
            return false;
        }
    }
    return true;
}

static bool
translate(const bp_config_foreign *in, bp_node *out, GError **error)
{
    const bp_node *version = bp_translation_version(in->root);
    bool is_second = version != NULL ? g_ascii_strcasecmp(version->text, "v2") == 0 : in->no_file;
    if (version != NULL && !is_second && g_ascii_strcasecmp(version->text, "v1") != 0) {
        bp_set_error(error, BP_ERR_INVALID,
                     "file %s:%u (configVersion): there is no version \"%s\"", in->path,
                     version->line, version->text);
        bp_error_add_hint(error, "there are v1 and v2");
        return false;
    }
    if (!check_sets(in, is_second, error)) {
        return false;
    }
    g_autoptr(bp_said) said = bp_said_new(in, is_second ? &bp_v2_table : &bp_v1_table);
    bp_translation t = {.said = said, .in = in, .out = out};
    if (is_second) {
        bp_v2_translate(&t);
    } else {
        bp_v1_translate(&t);
    }
    return bp_said_check(said, error);
}

const bp_config_dialect bp_compat_config = {
    .name = "milvus-backup",
    .recognise = recognise,
    .translate = translate,
};

const bp_config_dialect bp_compat_config_assumed = {
    .name = "milvus-backup",
    .recognise = assume,
    .translate = translate,
};
