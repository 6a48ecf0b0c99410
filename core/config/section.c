/* SPDX-License-Identifier: Apache-2.0
 *
 * One section: all that was said about it in all layers, held against its tables.
 */
#include "core/config/section.h"

#include <string.h>

#include "core/base/error.h"

#include "sdk/lib/ban.h"

static void
section_clear(bp_section *s)
{
    bp_node_free(s->flags);
    s->flags = NULL;
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(bp_section, section_clear)

const struct bp_config_key *
bp_section__find_key(const bp_section *s, const char *name)
{
    for (gsize i = 0; i < s->params->n_tables; i++) {
        const struct bp_config_key *key = bp_key_table_find(&s->params->tables[i], name);
        if (key != NULL) {
            return key;
        }
    }
    return NULL;
}

char *
bp_section__full_name(const bp_section *s, const char *name)
{
    return *s->params->path != '\0' ? g_strdup_printf("%s.%s", s->params->path, name)
                                    : g_strdup(name);
}

/* A LIST key that comes several times has several values. */
static void
add_flag(bp_section *s, const struct bp_config_key *key, const char *name, const char *value)
{
    const char *flag = key != NULL && key->flag != NULL ? key->flag : name;
    g_autofree char *origin = g_strdup_printf("flag --%s", flag);
    const bp_node *old = bp_node_at(s->flags, name);
    if (old != NULL && old->text != NULL && key != NULL && (key->flags & BP_CONFIG_LIST) != 0) {
        g_autofree char *joined = g_strdup_printf("%s,%s", old->text, value);
        bp_node_put(s->flags, name, joined, origin);
    } else {
        bp_node_put(s->flags, name, value, origin);
    }
}

static void
open_flags(bp_section *s)
{
    s->flags = bp_node_new(BP_NODE_MAP);
    const char *const *overrides = s->params->overrides;
    for (; overrides != NULL && *overrides != NULL; overrides++) {
        gsize n = strcspn(*overrides, "=");
        g_assert((*overrides)[n] == '='); /* made by our own command line */
        g_autofree char *name = g_strndup(*overrides, n);
        add_flag(s, bp_section__find_key(s, name), name, *overrides + n + 1);
    }
    s->layers[BP_SECTION_FLAGS] = s->flags;
}

static bool
section_open(bp_section *s, GError **error)
{
    open_flags(s);
    for (guint i = 0; i < BP_N_LAYERS; i++) {
        const bp_node *node = bp_node_at(s->tree->layers[i], s->params->path);
        if (bp_node_is_null(node)) {
            continue;
        }
        if (node->kind != BP_NODE_MAP) {
            g_autofree char *place = bp_config__where(s->tree, node);
            bp_set_error(error, BP_ERR_INVALID, "%s: %s: expected keys with values", place,
                         s->params->path);
            return false;
        }
        s->layers[1 + i] = node;
    }
    return true;
}

static bp_settings *
read_section(bp_section *s, GError **error)
{
    if (!section_open(s, error) || !bp_section__check_names(s, error)) {
        return NULL;
    }
    g_autoptr(bp_settings) settings = bp_settings__new();
    for (gsize i = 0; i < s->params->n_tables; i++) {
        for (guint32 j = 0; j < s->params->tables[i].n; j++) {
            if (!bp_section__read_key(s, bp_key_table_at(&s->params->tables[i], j), settings,
                                      error)) {
                return NULL;
            }
        }
    }
    return g_steal_pointer(&settings);
}

bp_settings *
bp_config_section(const bp_config_tree *tree, const bp_config_section_params *params,
                  GError **error)
{
    g_auto(bp_section) s = {.tree = tree, .params = params};
    return read_section(&s, error);
}

bool
bp_config__check_known_keys(const bp_config_tree *tree, const bp_config_section_params *params,
                            GError **error)
{
    g_auto(bp_section) s = {.tree = tree, .params = params, .lenient = true};
    g_autoptr(bp_settings) settings = read_section(&s, error);
    return settings != NULL;
}

void
bp_config_row_free(bp_config_row *row)
{
    if (row != NULL) {
        g_free(row->key);
        g_free(row->value);
        g_free(row->origin);
        g_free(row);
    }
}

static bp_config_row *
make_row(const bp_section *s, const struct bp_config_key *key, const bp_settings *settings)
{
    const bp_value *value = bp_settings__value(settings, key->name);
    bp_config_row *row = g_new0(bp_config_row, 1);
    row->key = bp_section__full_name(s, key->name);
    row->value = g_strdup(value != NULL ? value->shown : "");
    row->origin = g_strdup(value != NULL ? value->origin : "not set");
    row->given = value != NULL && value->given;
    return row;
}

GPtrArray *
bp_config_rows(const bp_config_tree *tree, const bp_config_section_params *params, GError **error)
{
    bp_config_section_params quiet = *params;
    quiet.secrets = false;
    g_auto(bp_section) s = {.tree = tree, .params = &quiet};
    g_autoptr(bp_settings) settings = read_section(&s, error);
    if (settings == NULL) {
        return NULL;
    }
    GPtrArray *rows = g_ptr_array_new_with_free_func((GDestroyNotify)bp_config_row_free);
    for (gsize i = 0; i < params->n_tables; i++) {
        for (guint32 j = 0; j < params->tables[i].n; j++) {
            const struct bp_config_key *key = bp_key_table_at(&params->tables[i], j);
            g_ptr_array_add(rows, make_row(&s, key, settings));
        }
    }
    return rows;
}
