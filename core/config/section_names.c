/* SPDX-License-Identifier: Apache-2.0
 *
 * Names that nobody declared: a key that is misspelt must not be a setting that is not there.
 */
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/config/section.h"

#include "sdk/lib/ban.h"

/* Some key lies below `name`: "concurrency" of "concurrency.units". */
static bool
is_group(const bp_section *s, const char *name)
{
    g_autofree char *prefix = g_strconcat(name, ".", NULL);
    for (gsize i = 0; i < s->params->n_tables; i++) {
        for (guint32 j = 0; j < s->params->tables[i].n; j++) {
            if (g_str_has_prefix(bp_key_table_at(&s->params->tables[i], j)->name, prefix)) {
                return true;
            }
        }
    }
    return false;
}

static GPtrArray *
known_names(const bp_section *s)
{
    GPtrArray *names = g_ptr_array_new();
    for (gsize i = 0; i < s->params->n_tables; i++) {
        for (guint32 j = 0; j < s->params->tables[i].n; j++) {
            g_ptr_array_add(names, (char *)bp_key_table_at(&s->params->tables[i], j)->name);
        }
    }
    for (const char *const *name = s->params->ignore; name != NULL && *name != NULL; name++) {
        g_ptr_array_add(names, (char *)*name);
    }
    return names;
}

static bool
unknown_key(const bp_section *s, const bp_node *node, const char *name, GError **error)
{
    g_autoptr(GPtrArray) names = known_names(s);
    const char *const *candidates = (const char *const *)names->pdata;
    g_autofree char *place = bp_config__where(s->tree, node);
    bp_set_error(error, BP_ERR_INVALID, "%s: unknown key \"%s\" in %s", place, name,
                 *s->params->path != '\0' ? s->params->path : "the file");
    const char *nearest = bp_text_nearest(name, candidates, names->len);
    if (nearest != NULL) {
        bp_error_add_hint(error, "did you mean \"%s\"?", nearest);
    } else if (names->len > 0) {
        g_ptr_array_add(names, NULL);
        g_autofree char *all = g_strjoinv(", ", (char **)names->pdata);
        bp_error_add_hint(error, "known are: %s", all);
    }
    return false;
}

static bool
check_map(const bp_section *s, const bp_node *map, const char *prefix, GError **error)
{
    for (guint i = 0; map != NULL && i < map->children->len; i++) {
        const bp_node *child = g_ptr_array_index(map->children, i);
        g_autofree char *name = g_strconcat(prefix, child->name, NULL);
        const char *const *ignore = s->params->ignore;
        if (*s->params->path == '\0' && *prefix == '\0' && bp_config__is_section(name)) {
            continue;
        }
        if (bp_section__find_key(s, name) != NULL ||
            (ignore != NULL && g_strv_contains(ignore, name))) {
            continue;
        }
        if (!is_group(s, name)) {
            if (s->lenient) {
                continue;
            }
            return unknown_key(s, child, name, error);
        }
        if (bp_node_is_null(child)) {
            continue;
        }
        if (child->kind != BP_NODE_MAP) {
            g_autofree char *place = bp_config__where(s->tree, child);
            g_autofree char *full = bp_section__full_name(s, name);
            bp_set_error(error, BP_ERR_INVALID, "%s: %s: expected keys with values", place, full);
            return false;
        }
        g_autofree char *deeper = g_strconcat(name, ".", NULL);
        if (!check_map(s, child, deeper, error)) {
            return false;
        }
    }
    return true;
}

bool
bp_section__check_names(const bp_section *s, GError **error)
{
    for (guint i = 0; i < BP_SECTION_LAYERS; i++) {
        if (!check_map(s, s->layers[i], "", error)) {
            return false;
        }
    }
    return true;
}
