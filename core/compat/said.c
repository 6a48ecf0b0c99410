/* SPDX-License-Identifier: Apache-2.0
 *
 * See said.h.
 */
#include "core/compat/said.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/text.h"
#include "sdk/lib/parse.h"
#include "sdk/lib/secret.h"

#include "sdk/lib/ban.h"

struct bp_said {
    const bp_config_foreign *in;
    const bp_said_table *table;
    GHashTable *nodes;   /* bp_said_key * -> bp_node *, borrowed */
    GHashTable *sets;    /* bp_said_key * -> char *: what follows '=' */
    GString *idle;       /* keys without effect */
    GPtrArray *problems; /* char * */
    int cls;             /* of the first problem */
};

/* Any of them may be a secret. */
static void
free_text(gpointer data)
{
    bp_secret_wipe(data, strlen(data));
    g_free(data);
}

/* By the key's name, or by its variable in the variable's own spelling. */
static const bp_said_key *
find_key(const bp_said_table *table, const char *name, bool by_variable)
{
    for (gsize i = 0; i < table->n; i++) {
        const bp_said_key *key = &table->keys[i];
        if (g_ascii_strcasecmp(key->name, name) == 0 ||
            (by_variable && g_strcmp0(key->environment, name) == 0)) {
            return key;
        }
    }
    return NULL;
}

void
bp_said_problem(bp_said *said, int cls, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = g_strdup_vprintf(format, args);
    va_end(args);
    if (g_ptr_array_find_with_equal_func(said->problems, text, g_str_equal, NULL)) {
        g_free(text); /* both stores may stumble over one key */
        return;
    }
    if (said->problems->len == 0) {
        said->cls = cls;
    }
    g_ptr_array_add(said->problems, text);
}

void
bp_said_warn(const bp_said *said, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    if (!g_ptr_array_find_with_equal_func(said->in->warnings, text, g_str_equal, NULL)) {
        g_ptr_array_add(said->in->warnings, g_steal_pointer(&text));
    }
}

static void
warn_unknown(const bp_said *said, const char *name, const bp_node *node)
{
    g_autofree char *successor =
        said->table->successor != NULL ? said->table->successor(name) : NULL;
    if (successor != NULL) {
        bp_said_warn(said,
                     "%s:%u: key \"%s\" is of the first dialect and ignored; here it is \"%s\"",
                     said->in->path, node->line, name, successor);
        return;
    }
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (gsize i = 0; i < said->table->n; i++) {
        g_ptr_array_add(names, (gpointer)said->table->keys[i].name);
    }
    const char *nearest = bp_text_nearest(name, (const char *const *)names->pdata, names->len);
    bp_said_warn(said, "%s:%u: unknown key \"%s\" is ignored%s%s%s", said->in->path, node->line,
                 name, nearest != NULL ? "; did you mean \"" : "", nearest != NULL ? nearest : "",
                 nearest != NULL ? "\"?" : "");
}

static void G_GNUC_PRINTF(2, 3) add_idle(bp_said *said, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_string_append(said->idle, said->idle->len > 0 ? ", " : "");
    g_string_append_vprintf(said->idle, format, args);
    va_end(args);
}

static bool
is_right(const bp_said_key *key, const char *text)
{
    uint64_t number = 0;
    bool on = false;
    switch (key->kind) {
    case BP_SAID_NUMBER:
        return bp_parse_u64(text, &number) == 0;
    case BP_SAID_BOOL:
        return bp_parse_bool(text, &on) == 0;
    default:
        return true;
    }
}

/* Empty text means "not set" in these files. */
static void
check_text(bp_said *said, const bp_said_key *key, const char *text, const char *origin)
{
    if (*text != '\0' && !is_right(key, text)) {
        bp_said_problem(said, BP_ERR_INVALID, "%s: \"%s\" is %s", origin, text,
                        key->kind == BP_SAID_BOOL ? "neither true nor false" : "no number");
    }
}

static char *
file_origin(const bp_said *said, const bp_said_key *key, const bp_node *node)
{
    return g_strdup_printf("file %s:%u (%s)", said->in->path, node->line, key->name);
}

static void
take_value(bp_said *said, const char *name, const bp_node *node)
{
    const bp_said_key *key = find_key(said->table, name, false);
    if (key == NULL) {
        warn_unknown(said, name, node);
    } else if (node->kind != (key->kind == BP_SAID_LIST ? BP_NODE_LIST : BP_NODE_TEXT)) {
        bp_said_problem(said, BP_ERR_INVALID, "%s:%u: %s: expected %s", said->in->path, node->line,
                        name, key->kind == BP_SAID_LIST ? "a list" : "one value");
    } else if (g_hash_table_contains(said->nodes, key)) {
        bp_said_problem(said, BP_ERR_INVALID, "%s:%u: key \"%s\" was given already", said->in->path,
                        node->line, name);
    } else {
        g_hash_table_insert(said->nodes, (gpointer)key, (gpointer)node);
        if (key->idle) {
            add_idle(said, "%s (line %u)", name, node->line);
        }
        if (node->text != NULL) {
            g_autofree char *origin = file_origin(said, key, node);
            check_text(said, key, node->text, origin);
        }
    }
}

/* Maps are walked into; what is below a key that wants a value is a problem of take_value. */
static void
take_map(bp_said *said, const char *prefix, const bp_node *map)
{
    for (guint i = 0; i < map->children->len; i++) {
        const bp_node *child = g_ptr_array_index(map->children, i);
        g_autofree char *name = g_strconcat(prefix, child->name, NULL);
        if (child->kind == BP_NODE_MAP && find_key(said->table, name, false) == NULL) {
            g_autofree char *deeper = g_strconcat(name, ".", NULL);
            take_map(said, deeper, child);
        } else if (!bp_node_is_null(child)) {
            take_value(said, name, child);
        }
    }
}

/* What names no key of ours stays for the native layer. */
static void
take_sets(bp_said *said)
{
    GPtrArray *sets = said->in->sets;
    for (guint i = 0; i < sets->len;) {
        const char *set = g_ptr_array_index(sets, i);
        gsize n = strcspn(set, "=");
        g_autofree char *name = g_strndup(set, n);
        const bp_said_key *key = set[n] == '=' ? find_key(said->table, name, true) : NULL;
        if (key == NULL) {
            i++;
            continue;
        }
        g_autofree char *origin = g_strdup_printf("--set %s", name);
        check_text(said, key, set + n + 1, origin);
        if (key->idle) {
            add_idle(said, "%s", origin);
        }
        if (key->secret) {
            bp_said_warn(said, "%s: every user of this machine can read it", origin);
        }
        g_hash_table_replace(said->sets, (gpointer)key, g_strdup(set + n + 1));
        g_ptr_array_remove_index(sets, i);
    }
}

/* The variable's text if it counts, else NULL. */
static const char *
from_environment(const bp_said *said, const bp_said_key *key)
{
    if (key->environment == NULL) {
        return NULL;
    }
    const char *text = g_environ_getenv((char **)said->in->environ, key->environment);
    if (text == NULL || (*text == '\0' && !said->table->empty_counts)) {
        return NULL;
    }
    if (g_str_has_suffix(key->environment, "_PORT") && strstr(text, "://") != NULL) {
        bp_said_warn(said,
                     "environment %s=%s is ignored: it is a service's URL, as Kubernetes sets it, "
                     "and no port",
                     key->environment, text);
        return NULL;
    }
    return text;
}

static void
look_at_environment(bp_said *said)
{
    for (gsize i = 0; i < said->table->n; i++) {
        const bp_said_key *key = &said->table->keys[i];
        const char *text = from_environment(said, key);
        if (text == NULL || g_hash_table_contains(said->sets, key)) {
            continue;
        }
        g_autofree char *origin = g_strdup_printf("environment %s", key->environment);
        check_text(said, key, text, origin);
        if (key->idle) {
            add_idle(said, "%s", origin);
        }
    }
}

bp_said *
bp_said_new(const bp_config_foreign *in, const bp_said_table *table)
{
    bp_said *said = g_new0(bp_said, 1);
    said->in = in;
    said->table = table;
    said->nodes = g_hash_table_new(NULL, NULL);
    said->sets = g_hash_table_new_full(NULL, NULL, NULL, free_text);
    said->idle = g_string_new(NULL);
    said->problems = g_ptr_array_new_with_free_func(g_free);
    take_map(said, "", in->root);
    take_sets(said);
    look_at_environment(said);
    if (said->idle->len > 0) {
        bp_said_warn(said, "%s: keys without effect here: %s", in->path, said->idle->str);
    }
    return said;
}

void
bp_said_free(bp_said *said)
{
    if (said != NULL) {
        g_hash_table_unref(said->nodes);
        g_hash_table_unref(said->sets);
        g_string_free(said->idle, TRUE);
        g_ptr_array_unref(said->problems);
        g_free(said);
    }
}

const bp_said_key *
bp_said_table_find(const bp_said_table *table, const char *name)
{
    return find_key(table, name, false);
}

/* "a,b" of a list. */
static char *
text_of(const bp_node *node)
{
    if (node->kind != BP_NODE_LIST) {
        return g_strdup(node->text);
    }
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < node->children->len; i++) {
        const bp_node *item = g_ptr_array_index(node->children, i);
        g_string_append_printf(out, "%s%s", i > 0 ? "," : "", item->text != NULL ? item->text : "");
    }
    return g_string_free(out, FALSE);
}

void
bp_said_get(const bp_said *said, const char *name, bp_said_value *out)
{
    const bp_said_key *key = find_key(said->table, name, false);
    g_assert(key != NULL);
    const bp_node *node = g_hash_table_lookup(said->nodes, key);
    const char *set = g_hash_table_lookup(said->sets, key);
    const char *variable = set == NULL ? from_environment(said, key) : NULL;
    *out = (bp_said_value){.given = true};
    if (set != NULL) {
        out->text = g_strdup(set);
        out->origin = g_strdup_printf("--set %s", key->name);
    } else if (variable != NULL) {
        out->text = g_strdup(variable);
        out->origin = g_strdup_printf("environment %s", key->environment);
    } else if (node != NULL) {
        out->text = text_of(node);
        out->origin = file_origin(said, key, node);
    } else {
        out->given = false;
        out->text = g_strdup(key->def);
        out->origin = g_strdup_printf("default of %s", key->name);
    }
}

bool
bp_said_is_text(const bp_said_value *value)
{
    return value->text != NULL && *value->text != '\0';
}

/* What is no boolean was found when everything was read. */
void
bp_said_get_bool(bp_said *said, const char *name, bool *on)
{
    g_auto(bp_said_value) value = {0};
    bp_said_get(said, name, &value);
    if (bp_said_is_text(&value)) {
        (void)bp_parse_bool(value.text, on);
    }
}

bool
bp_said_check(const bp_said *said, GError **error)
{
    if (said->problems->len == 0) {
        return true;
    }
    if (said->problems->len == 1) {
        bp_set_error(error, said->cls, "%s", (char *)g_ptr_array_index(said->problems, 0));
        return false;
    }
    g_autoptr(GString) all = g_string_new(NULL);
    for (guint i = 0; i < said->problems->len; i++) {
        g_string_append_printf(all, "\n- %s", (char *)g_ptr_array_index(said->problems, i));
    }
    bp_set_error(error, said->cls, "%s: %u problems:%s", said->in->path, said->problems->len,
                 all->str);
    return false;
}

void
bp_said_value_clear(bp_said_value *value)
{
    if (value->text != NULL) {
        bp_secret_wipe(value->text, strlen(value->text));
    }
    g_clear_pointer(&value->text, g_free);
    g_clear_pointer(&value->origin, g_free);
    value->given = false;
}
