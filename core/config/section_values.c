/* SPDX-License-Identifier: Apache-2.0
 *
 * The value of one key: from the strongest layer that says something, checked and normalised.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/config/secret.h"
#include "core/config/section.h"
#include "core/config/values.h"
#include "sdk/lib/secret.h"

#include "sdk/lib/ban.h"

static bool
refuse_secret(const bp_section *s, const char *name, const bp_node *node, GError **error)
{
    g_autofree char *place = bp_config__where(s->tree, node);
    g_autofree char *full = bp_section__full_name(s, name);
    g_autofree char *variable = bp_config__env_name(full);
    bp_set_error(error, BP_ERR_INVALID,
                 "%s: %s is a secret and not accepted on the command line, where every user of the "
                 "machine can read it",
                 place, full);
    bp_error_add_hint(error, "use %s, or {file: PATH} in the config file", variable);
    return false;
}

/* What one layer says about a key, by its name or alias. */
static bool
node_in_layer(const bp_section *s, const struct bp_config_key *key, const bp_node *layer,
              const bp_node **out, GError **error)
{
    const bp_node *node = bp_node_at(layer, key->name);
    const bp_node *other = key->alias != NULL ? bp_node_at(layer, key->alias) : NULL;
    if (!bp_node_is_null(node) && !bp_node_is_null(other)) {
        g_autofree char *place = bp_config__where(s->tree, other);
        bp_set_error(error, BP_ERR_INVALID, "%s: %s and %s mean the same; give one of them", place,
                     key->alias, key->name);
        return false;
    }
    *out = !bp_node_is_null(node) ? node : other;
    return true;
}

/* The strongest layer that says something; *out NULL = none does. */
static bool
find_node(const bp_section *s, const struct bp_config_key *key, const bp_node **out, GError **error)
{
    *out = NULL;
    for (guint i = 0; i < BP_SECTION_LAYERS; i++) {
        const bp_node *node = NULL;
        if (!node_in_layer(s, key, s->layers[i], &node, error)) {
            return false;
        }
        if (node == NULL || bp_node_is_null(node)) {
            continue;
        }
        bool on_command_line = i == BP_SECTION_FLAGS || i == BP_SECTION_SET;
        if (on_command_line && (key->flags & BP_CONFIG_SECRET) != 0 && node->kind == BP_NODE_TEXT) {
            return refuse_secret(s, key->name, node, error);
        }
        *out = *out != NULL ? *out : node;
    }
    return true;
}

static bool
add_text(const struct bp_config_key *key, const char *text, const char *base_dir, bp_value *value,
         GError **error)
{
    char *normal = bp_config__normalise(key, text, base_dir, error);
    if (normal == NULL) {
        return false;
    }
    g_ptr_array_add(value->texts, normal);
    return true;
}

/* "a, b" -> a and b. */
static bool
add_words(const struct bp_config_key *key, const char *text, const char *base_dir, bp_value *value,
          GError **error)
{
    g_auto(GStrv) words = g_strsplit(text, ",", -1);
    for (char **word = words; *word != NULL; word++) {
        g_strstrip(*word);
        if (**word != '\0' && !add_text(key, *word, base_dir, value, error)) {
            return false;
        }
    }
    return true;
}

static bool
add_elements(const struct bp_config_key *key, const bp_node *list, const char *base_dir,
             bp_value *value, GError **error)
{
    for (guint i = 0; i < list->children->len; i++) {
        const bp_node *element = g_ptr_array_index(list->children, i);
        if (element->kind != BP_NODE_TEXT || element->text == NULL) {
            bp_set_error(error, BP_ERR_INVALID, "element %u is no plain value", i + 1);
            return false;
        }
        if (!add_text(key, element->text, base_dir, value, error)) {
            return false;
        }
    }
    return true;
}

static bool
add_node(const bp_section *s, const struct bp_config_key *key, const bp_node *node, bp_value *value,
         GError **error)
{
    bool in_file = node->origin == NULL;
    bool is_list = (key->flags & BP_CONFIG_LIST) != 0;
    const char *base_dir = in_file ? s->tree->base_dir : NULL;
    if (node->kind == BP_NODE_MAP) {
        bp_set_error(error, BP_ERR_INVALID, "expected a value, found keys");
        return false;
    }
    if (node->kind == BP_NODE_LIST) {
        if (!is_list) {
            bp_set_error(error, BP_ERR_INVALID, "expected one value, found a list");
            return false;
        }
        return add_elements(key, node, base_dir, value, error);
    }
    return is_list && !in_file ? add_words(key, node->text, base_dir, value, error)
                               : add_text(key, node->text, base_dir, value, error);
}

static char *
shown_text(const struct bp_config_key *key, const bp_node *node, const bp_value *value)
{
    if ((key->flags & BP_CONFIG_SECRET) != 0) {
        return g_strdup(BP_SECRET_MASK);
    }
    if (key->type == BP_CONFIG_PATH || node == NULL || node->kind == BP_NODE_LIST) {
        g_autoptr(GPtrArray) texts = g_ptr_array_copy(value->texts, NULL, NULL);
        g_ptr_array_set_free_func(texts, NULL);
        g_ptr_array_add(texts, NULL);
        return g_strjoinv(", ", (char **)texts->pdata);
    }
    return g_strdup(node->text);
}

static bool
resolve_secret(const bp_section *s, const struct bp_config_key *key, const bp_node *node,
               bp_value *value, GError **error)
{
    if (!s->params->secrets) {
        return bp_config__secret_check(node, error);
    }
    g_autofree char *full = bp_section__full_name(s, key->name);
    char *text = bp_config__secret(s->tree, node, full, error);
    if (text != NULL) {
        g_ptr_array_add(value->texts, text);
    }
    return text != NULL;
}

static bool
is_storage_reference(const bp_section *s, const struct bp_config_key *key)
{
    return strcmp(key->name, "storage") == 0 &&
           (strcmp(s->params->path, "backup") == 0 || strcmp(s->params->path, "source") == 0);
}

static bool
check_value(const bp_section *s, const struct bp_config_key *key, const bp_value *value,
            GError **error)
{
    const char *text = value->texts->len > 0 ? g_ptr_array_index(value->texts, 0) : NULL;
    bool is_list = (key->flags & BP_CONFIG_LIST) != 0;
    bool is_empty = text != NULL ? *text == '\0' : is_list;
    if ((key->flags & BP_CONFIG_REQUIRED) != 0 && is_empty) {
        bp_set_error(error, BP_ERR_INVALID, "must not be empty");
        return false;
    }
    return text == NULL || !is_storage_reference(s, key) ||
           bp_config__check_storage(s->tree, text, error);
}

static bool
read_given(const bp_section *s, const struct bp_config_key *key, const bp_node *node,
           bp_value *value, GError **error)
{
    bool is_secret = (key->flags & BP_CONFIG_SECRET) != 0;
    bool ok = is_secret ? resolve_secret(s, key, node, value, error)
                        : add_node(s, key, node, value, error);
    if (!ok || !check_value(s, key, value, error)) {
        g_autofree char *place = bp_config__where(s->tree, node);
        g_autofree char *full = bp_section__full_name(s, key->name);
        g_prefix_error(error, "%s: %s: ", place, full);
        return false;
    }
    return true;
}

static bool
missing(const bp_section *s, const struct bp_config_key *key, GError **error)
{
    if ((key->flags & BP_CONFIG_REQUIRED) == 0 || s->lenient) {
        return true;
    }
    g_autofree char *full = bp_section__full_name(s, key->name);
    g_autofree char *variable = bp_config__env_name(full);
    bp_set_error(error, BP_ERR_INVALID, "%s is missing", full);
    if (s->tree->path != NULL) {
        bp_error_add_hint(error, "set it in %s or as %s", s->tree->path, variable);
    } else {
        bp_error_add_hint(error, "no config file was found: name one with --config, or set %s",
                          variable);
    }
    return false;
}

bool
bp_section__read_key(const bp_section *s, const struct bp_config_key *key, bp_settings *out,
                     GError **error)
{
    const bp_node *node = NULL;
    if (!find_node(s, key, &node, error)) {
        return false;
    }
    if (node == NULL && key->def == NULL) {
        return missing(s, key, error);
    }
    g_autoptr(bp_value) value = bp_value__new();
    if (node != NULL) {
        if (!read_given(s, key, node, value, error)) {
            return false;
        }
        value->given = true;
        value->shown = shown_text(key, node, value);
        value->origin = bp_node_origin(node, s->tree->path);
    } else {
        bool ok = (key->flags & BP_CONFIG_LIST) != 0 ? add_words(key, key->def, NULL, value, error)
                                                     : add_text(key, key->def, NULL, value, error);
        if (!ok) {
            g_prefix_error(error, "default of %s: ", key->name);
            return false;
        }
        value->shown = g_strdup(key->def);
        value->origin = g_strdup("default");
    }
    bp_settings__put(out, key->name, g_steal_pointer(&value));
    return true;
}
