/* SPDX-License-Identifier: Apache-2.0
 *
 * The layers above the file: --set and the environment.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/config/tree.h"

#include "sdk/lib/ban.h"

/* Each part between dots: letters, digits, '_' and '-'. */
static bool
is_path(const char *text, gsize n)
{
    bool part_is_empty = true;
    for (gsize i = 0; i < n; i++) {
        if (text[i] == '.' && part_is_empty) {
            return false;
        }
        part_is_empty = text[i] == '.';
        if (!part_is_empty && !g_ascii_isalnum(text[i]) && strchr("_-", text[i]) == NULL) {
            return false;
        }
    }
    return !part_is_empty;
}

bp_node *
bp_config__layer_from_sets(const char *const *sets, GError **error)
{
    g_autoptr(bp_node) layer = bp_node_new(BP_NODE_MAP);
    for (const char *const *set = sets; set != NULL && *set != NULL; set++) {
        gsize n = strcspn(*set, "=");
        if ((*set)[n] != '=' || !is_path(*set, n)) {
            /* What follows '=' may be a secret. */
            bp_set_error(error, BP_ERR_INVALID, "--set %.*s: expected KEY=VALUE", (int)n, *set);
            bp_error_add_hint(error, "a key looks like backup.concurrency.units");
            return NULL;
        }
        g_autofree char *path = g_strndup(*set, n);
        bp_node_put(layer, path, *set + n + 1, "--set");
    }
    return g_steal_pointer(&layer);
}

/* "SOURCE__TLS_MODE" -> "source.tls_mode". */
static char *
env_path(const char *name)
{
    g_auto(GStrv) parts = g_strsplit(name, "__", -1);
    g_autofree char *path = g_strjoinv(".", parts);
    return g_ascii_strdown(path, -1);
}

bp_node *
bp_config__layer_from_environ(const char *const *environ, GError **error)
{
    g_autoptr(bp_node) layer = bp_node_new(BP_NODE_MAP);
    for (const char *const *entry = environ; *entry != NULL; entry++) {
        const char *value = strchr(*entry, '=');
        if (!g_str_has_prefix(*entry, BP_CONFIG_ENV_PREFIX) || value == NULL || value[1] == '\0') {
            continue;
        }
        g_autofree char *name = g_strndup(*entry, (gsize)(value - *entry));
        g_autofree char *path = env_path(name + strlen(BP_CONFIG_ENV_PREFIX));
        g_autofree char *origin = g_strdup_printf("environment %s", name);
        if (!is_path(path, strlen(path)) || strchr(name, '.') != NULL) {
            bp_set_error(error, BP_ERR_INVALID, "%s: no key can have this name", origin);
            bp_error_add_hint(error, "the variable for source.address is %sSOURCE__ADDRESS",
                              BP_CONFIG_ENV_PREFIX);
            return NULL;
        }
        if (!g_utf8_validate(value + 1, -1, NULL)) {
            bp_set_error(error, BP_ERR_INVALID, "%s: not UTF-8 text", origin);
            return NULL;
        }
        bp_node_put(layer, path, value + 1, origin);
    }
    return g_steal_pointer(&layer);
}

void
bp_config__name_storages(bp_node *layer, char **names)
{
    const bp_node *storages = bp_node_child(layer, "storages");
    if (storages == NULL || storages->kind != BP_NODE_MAP) {
        return;
    }
    for (guint i = 0; i < storages->children->len; i++) {
        bp_node *storage = g_ptr_array_index(storages->children, i);
        for (char **name = names; *name != NULL; name++) {
            g_autofree char *folded = g_strdelimit(g_strdup(*name), "-", '_');
            if (strcmp(folded, storage->name) == 0) {
                g_free(storage->name);
                storage->name = g_strdup(*name);
                break;
            }
        }
    }
}

char *
bp_config__env_name(const char *path)
{
    g_autofree char *upper = g_ascii_strup(path, -1);
    g_strdelimit(upper, "-", '_');
    g_auto(GStrv) parts = g_strsplit(upper, ".", -1);
    g_autofree char *joined = g_strjoinv("__", parts);
    return g_strconcat(BP_CONFIG_ENV_PREFIX, joined, NULL);
}

const char *
bp_config__getenv(const char *const *environ, const char *name)
{
    gsize n = strlen(name);
    for (const char *const *entry = environ; *entry != NULL; entry++) {
        if (strncmp(*entry, name, n) == 0 && (*entry)[n] == '=') {
            return *entry + n + 1;
        }
    }
    return NULL;
}
