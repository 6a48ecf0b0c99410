/* SPDX-License-Identifier: Apache-2.0
 *
 * What can be checked without any plugin: the sections, the core's own keys, and that storages
 * which are referred to exist.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/config/tree.h"

#include "sdk/lib/ban.h"

static const char *const sections[] = {"source",  "storages", "backup", "restore",
                                       "plugins", "log",      "server", NULL};

bool
bp_config__is_section(const char *name)
{
    return g_strv_contains(sections, name);
}

static bool
unknown_section(const bp_config_tree *tree, const bp_node *node, GError **error)
{
    g_autoptr(GPtrArray) known = g_ptr_array_new();
    for (const char *const *name = sections; *name != NULL; name++) {
        g_ptr_array_add(known, (char *)*name);
    }
    for (guint32 i = 0; i < bp_config_top_keys.n; i++) {
        g_ptr_array_add(known, (char *)bp_key_table_at(&bp_config_top_keys, i)->name);
    }
    g_autofree char *where = bp_config__where(tree, node);
    bp_set_error(error, BP_ERR_INVALID, "%s: unknown key \"%s\"", where, node->name);
    const char *nearest =
        bp_text_nearest(node->name, (const char *const *)known->pdata, known->len);
    if (nearest != NULL) {
        bp_error_add_hint(error, "did you mean \"%s\"?", nearest);
    } else {
        bp_error_add_hint(error, "sections are source, storages, backup, restore, plugins, log, "
                                 "server");
    }
    return false;
}

static bool
check_sections(const bp_config_tree *tree, GError **error)
{
    for (guint i = 0; i < BP_N_LAYERS; i++) {
        const GPtrArray *children = tree->layers[i]->children;
        for (guint j = 0; j < children->len; j++) {
            const bp_node *node = g_ptr_array_index(children, j);
            bool is_section = bp_config__is_section(node->name);
            if (!is_section && bp_key_table_find(&bp_config_top_keys, node->name) == NULL) {
                return unknown_section(tree, node, error);
            }
            if (is_section && !bp_node_is_null(node) && node->kind != BP_NODE_MAP) {
                g_autofree char *where = bp_config__where(tree, node);
                bp_set_error(error, BP_ERR_INVALID, "%s: %s: expected keys with values", where,
                             node->name);
                return false;
            }
        }
    }
    return true;
}

static bool
is_storage_name(const char *name)
{
    if (!g_ascii_islower(*name) || strstr(name, "__") != NULL) {
        return false;
    }
    for (const char *p = name; *p != '\0'; p++) {
        if (!g_ascii_islower(*p) && !g_ascii_isdigit(*p) && strchr("_-", *p) == NULL) {
            return false;
        }
    }
    return true;
}

static bool
check_storage_node(const bp_config_tree *tree, const bp_node *node, GError **error)
{
    g_autofree char *where = bp_config__where(tree, node);
    if (!is_storage_name(node->name)) {
        bp_set_error(error, BP_ERR_INVALID, "%s: \"%s\" cannot be the name of a storage", where,
                     node->name);
        bp_error_add_hint(error, "small letters, digits, '-' and single '_', a letter first");
        return false;
    }
    if (!bp_node_is_null(node) && node->kind != BP_NODE_MAP) {
        bp_set_error(error, BP_ERR_INVALID, "%s: storages.%s: expected keys with values", where,
                     node->name);
        return false;
    }
    return true;
}

static bool
check_storage_nodes(const bp_config_tree *tree, GError **error)
{
    for (guint i = 0; i < BP_N_LAYERS; i++) {
        const bp_node *storages = bp_node_child(tree->layers[i], "storages");
        for (guint j = 0; !bp_node_is_null(storages) && j < storages->children->len; j++) {
            if (!check_storage_node(tree, g_ptr_array_index(storages->children, j), error)) {
                return false;
            }
        }
    }
    return true;
}

/* The variables of the environment cannot tell "a-b" from "a_b". */
static bool
check_twins(const bp_config_tree *tree, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (char **name = tree->storages; *name != NULL; name++) {
        char *folded = g_strdelimit(g_strdup(*name), "-", '_');
        const char *twin = g_hash_table_lookup(seen, folded);
        g_hash_table_insert(seen, folded, *name);
        if (twin != NULL) {
            bp_set_error(error, BP_ERR_INVALID,
                         "storages %s and %s: names may not differ in '-' and '_' alone", twin,
                         *name);
            return false;
        }
    }
    return true;
}

static bool
check_storages(const bp_config_tree *tree, GError **error)
{
    if (!check_storage_nodes(tree, error) || !check_twins(tree, error)) {
        return false;
    }
    for (char **name = tree->storages; *name != NULL; name++) {
        g_autofree char *path = g_strdup_printf("storages.%s.plugin", *name);
        if (bp_config_peek(tree, path) == NULL) {
            bp_set_error(error, BP_ERR_INVALID, "%s is missing", path);
            bp_error_add_hint(error, "write storages: {%s: {plugin: local, …}}", *name);
            return false;
        }
    }
    return true;
}

bool
bp_config__check_storage(const bp_config_tree *tree, const char *name, GError **error)
{
    if (g_strv_contains((const char *const *)tree->storages, name)) {
        return true;
    }
    bp_set_error(error, BP_ERR_INVALID, "no storage \"%s\" is configured", name);
    g_autofree char *known = g_strjoinv(", ", tree->storages);
    if (*known != '\0') {
        bp_error_add_hint(error, "configured are: %s", known);
    } else {
        bp_error_add_hint(error, "write storages: {%s: {plugin: local, …}}", name);
    }
    return false;
}

static bool
check_reference(const bp_config_tree *tree, const char *path, GError **error)
{
    const char *name = bp_config_peek(tree, path);
    if (name == NULL || bp_config__check_storage(tree, name, error)) {
        return true;
    }
    for (guint i = 0; i < BP_N_LAYERS; i++) {
        const bp_node *node = bp_node_at(tree->layers[i], path);
        if (!bp_node_is_null(node)) {
            g_autofree char *where = bp_config__where(tree, node);
            g_prefix_error(error, "%s: %s: ", where, path);
            return false;
        }
    }
    return false;
}

static bool
check_own_keys(const bp_config_tree *tree, GError **error)
{
    static const struct {
        const char *path;
        const bp_key_table *table;
        bool open; /* a plugin has keys there, too */
        bool (*check)(const bp_config_tree *tree, const bp_settings *settings, GError **error);
    } own[] = {
        {"", &bp_config_top_keys, false, NULL},
        {"log", &bp_config_log_keys, false, NULL},
        {"plugins", &bp_config_plugins_keys, false, NULL},
        {"server", &bp_config_server_keys, false, bp_config__check_server},
        {"backup", &bp_config_backup_keys, true, NULL},
        {"restore", &bp_config_restore_keys, true, NULL},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(own); i++) {
        bp_config_section_params params = {
            .path = own[i].path, .tables = own[i].table, .n_tables = 1};
        if (own[i].open) {
            if (!bp_config__check_known_keys(tree, &params, error)) {
                return false;
            }
            continue;
        }
        g_autoptr(bp_settings) settings = bp_config_section(tree, &params, error);
        if (settings == NULL || (own[i].check != NULL && !own[i].check(tree, settings, error))) {
            return false;
        }
    }
    return true;
}

bool
bp_config__check(const bp_config_tree *tree, GError **error)
{
    if (!check_sections(tree, error) || !check_storages(tree, error) ||
        !check_own_keys(tree, error)) {
        return false;
    }
    for (guint i = 0; i < BP_N_LAYERS; i++) {
        const bp_node *source = bp_node_child(tree->layers[i], "source");
        if (!bp_node_is_null(source) && bp_config_peek(tree, "source.plugin") == NULL) {
            g_autofree char *where = bp_config__where(tree, source);
            bp_set_error(error, BP_ERR_INVALID, "%s: source.plugin is missing", where);
            return false;
        }
    }
    return check_reference(tree, "source.storage", error);
}
