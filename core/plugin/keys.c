/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks the key tables of a plugin at load, so that parser, command line and manual can rely on
 * them: names, types, limits, choices, and that each default is a value of its own key.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/plugin/module.h"
#include "sdk/lib/key.h"
#include "sdk/lib/parse.h"

#include "sdk/lib/ban.h"

#define KEYS_MAX 256
#define KEY_NAME_MAX 63
#define KNOWN_FLAGS (BP_CONFIG_REQUIRED | BP_CONFIG_SECRET | BP_CONFIG_LIST)
/* Bytes of a key in minor 0: what every plugin of major 1 has. */
#define KEY_MIN (offsetof(struct bp_config_key, help) + sizeof(const char *))

static bool
name_is_fine(const char *name)
{
    if (name == NULL || !g_ascii_islower(name[0]) || strlen(name) > KEY_NAME_MAX) {
        return false;
    }
    for (const char *c = name; *c != '\0'; c++) {
        if (!g_ascii_islower(*c) && !g_ascii_isdigit(*c) && *c != '_') {
            return false;
        }
    }
    return true;
}

static bool
is_choice(const char *choices, const char *value)
{
    g_auto(GStrv) words = g_strsplit(choices, "|", -1);
    return *value != '\0' && g_strv_contains((const char *const *)words, value);
}

static bool
within(const struct bp_config_key *key, gint64 value)
{
    return (key->min == 0 && key->max == 0) || (value >= key->min && value <= key->max);
}

static bool
default_is_fine(const struct bp_config_key *key)
{
    int64_t number = 0;
    uint64_t amount = 0;
    bool flag = false;
    switch (key->type) {
    case BP_CONFIG_INT:
        return bp_parse_i64(key->def, &number) == 0 && within(key, number);
    case BP_CONFIG_BOOL:
        return bp_parse_bool(key->def, &flag) == 0;
    case BP_CONFIG_SIZE:
        return bp_parse_size(key->def, &amount) == 0 && amount <= G_MAXINT64 &&
               within(key, (gint64)amount);
    case BP_CONFIG_DURATION:
        return bp_parse_duration_ms(key->def, &amount) == 0 && amount <= G_MAXINT64 &&
               within(key, (gint64)amount);
    case BP_CONFIG_CHOICE:
        return is_choice(key->choices, key->def);
    default:
        return bp_utf8_check(key->def) == 0;
    }
}

/* Not a bug: the plugin was made for a newer host. */
static bool
is_newer(const struct bp_config_key *key)
{
    return key->type > BP_CONFIG_PATH || (key->flags & ~KNOWN_FLAGS) != 0;
}

/* The broken rule as text that completes "key X …", or NULL. */
static const char *
key_problem(const struct bp_config_key *key)
{
    if (key->type > BP_CONFIG_PATH) {
        return "has a type that this host does not know";
    }
    if ((key->flags & ~KNOWN_FLAGS) != 0) {
        return "has flags that this host does not know";
    }
    if (key->min > key->max) {
        return "has a minimum above its maximum";
    }
    if (key->type == BP_CONFIG_CHOICE && (key->choices == NULL || *key->choices == '\0')) {
        return "has no choices";
    }
    if (key->def != NULL && (key->flags & BP_CONFIG_REQUIRED) != 0) {
        return "is required and has a default";
    }
    if (key->def != NULL && !default_is_fine(key)) {
        return "has a default that is no value of its own";
    }
    if (key->help == NULL || *key->help == '\0' || bp_utf8_check(key->help) != 0) {
        return "has no help";
    }
    return NULL;
}

static bool
names_collide(const struct bp_config_key *a, const struct bp_config_key *b)
{
    return g_strcmp0(a->name, b->name) == 0 || g_strcmp0(a->alias, b->name) == 0 ||
           g_strcmp0(a->name, b->alias) == 0 || (a->alias && g_strcmp0(a->alias, b->alias) == 0);
}

static bool
check_key(const struct bp_config_key *keys, guint32 i, const char *what, GError **error)
{
    if (!name_is_fine(keys[i].name)) {
        bp_set_error(error, BP_ERR_PERMANENT, "plugin bug: %s: key number %u has no valid name",
                     what, i);
        bp_error_add_hint(error, BP_MODULE_BUG_HINT);
        return false;
    }
    const char *problem = key_problem(&keys[i]);
    for (guint32 j = 0; j < i && problem == NULL; j++) {
        problem = names_collide(&keys[i], &keys[j]) ? "is declared twice" : NULL;
    }
    if (problem != NULL) {
        bool newer = is_newer(&keys[i]);
        bp_set_error(error, newer ? BP_ERR_UNSUPPORTED : BP_ERR_PERMANENT, "%s%s: key %s %s",
                     newer ? "" : "plugin bug: ", what, keys[i].name, problem);
        bp_error_add_hint(error, newer ? "update bakplane" : BP_MODULE_BUG_HINT);
        return false;
    }
    return true;
}

bool
bp_module__copy_keys(const struct bp_config_key *from, guint32 stride, guint32 n, const char *what,
                     struct bp_config_key **out, GError **error)
{
    *out = NULL;
    if (n == 0) {
        return true;
    }
    if (from == NULL || n > KEYS_MAX || stride < KEY_MIN ||
        stride % G_ALIGNOF(struct bp_config_key) != 0) {
        bp_set_error(error, BP_ERR_PERMANENT,
                     "plugin bug: %s: table of %u keys with a stride of %u bytes", what, n, stride);
        bp_error_add_hint(error, BP_MODULE_BUG_HINT);
        return false;
    }
    g_autofree struct bp_config_key *keys = g_new0(struct bp_config_key, n);
    for (guint32 i = 0; i < n; i++) {
        memcpy(&keys[i], (const char *)from + (gsize)i * stride, MIN(stride, sizeof keys[i]));
        if (!check_key(keys, i, what, error)) {
            return false;
        }
    }
    *out = g_steal_pointer(&keys);
    return true;
}
