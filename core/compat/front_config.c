/* SPDX-License-Identifier: Apache-2.0
 *
 * See front_config.h.  Secrets are masked in both, as 0.6 does: two characters at each end stay of
 * one that has more than four.
 */
#include "core/compat/front_config.h"

#include <string.h>

#include "core/compat/migrate.h"
#include "core/compat/translate.h"

#include "sdk/lib/ban.h"

#define RULE_WIDTH 80
#define MASK "****"
#define SHOWN_ENDS 2
#define N_COLUMNS 4
#define GAP 2 /* blanks between columns */
#define INDENT 2
#define SET "--set="

/* What the file, the environment and --set say. */
typedef struct {
    bp_config_foreign in;
    GPtrArray *sets, *warnings;
    bp_said *said;
    const bp_said_table *table; /* of the file's dialect */
} reading;

static void
reading_clear(reading *r)
{
    g_clear_pointer(&r->said, bp_said_free);
    g_clear_pointer(&r->sets, g_ptr_array_unref);
    g_clear_pointer(&r->warnings, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(reading, reading_clear)

/* The same that was translated, once more: warnings and problems were told then. */
static bool
read_again(const bp_front_result *result, reading *r)
{
    const bp_node *root = result->config != NULL ? bp_config_foreign_root(result->config) : NULL;
    if (root == NULL) {
        return false;
    }
    const char *path = bp_config_path(result->config);
    const bp_node *version = bp_translation_version(root);
    bool is_second = version != NULL ? g_ascii_strcasecmp(version->text, "v2") == 0 : path == NULL;
    r->sets = g_ptr_array_new_with_free_func(g_free);
    r->warnings = g_ptr_array_new_with_free_func(g_free);
    for (char **word = result->call->words; word != NULL && *word != NULL; word++) {
        if (g_str_has_prefix(*word, SET)) {
            g_ptr_array_add(r->sets, g_strdup(*word + strlen(SET)));
        }
    }
    r->in = (bp_config_foreign){.root = root,
                                .path = path != NULL ? path : "(no file)",
                                .no_file = path == NULL,
                                .environ = result->call->environ,
                                .sets = r->sets,
                                .warnings = r->warnings};
    r->table = is_second ? &bp_v2_table : &bp_v1_table;
    r->said = bp_said_new(&r->in, r->table);
    return true;
}

/* For people: one line, whatever was said. */
static char *
shown(const bp_said_key *key, const char *text)
{
    g_autofree char *masked = NULL;
    gsize n = text != NULL ? strlen(text) : 0;
    if (key->secret && n > 2 * SHOWN_ENDS) {
        masked = g_strdup_printf("%.*s" MASK "%s", SHOWN_ENDS, text, text + n - SHOWN_ENDS);
    } else if (key->secret && n > 0) {
        masked = g_strdup(MASK);
    }
    char *out = g_utf8_make_valid(masked != NULL ? masked : text != NULL ? text : "", -1);
    for (char *p = out; *p != '\0'; p++) {
        *p = (unsigned char)*p < ' ' || *p == '\x7f' ? '?' : *p;
    }
    return out;
}

/* "milvus.grpc.caCertPath" -> "Milvus.Grpc.CACertPath". */
static char *
parameter_of(const char *name)
{
    static const char *const initials[] = {"mtls", "tls", "ca", "rpc", "api"};
    GString *out = g_string_new(NULL);
    g_auto(GStrv) parts = g_strsplit(name, ".", -1);
    for (char **part = parts; *part != NULL; part++) {
        gsize n = 1;
        for (gsize i = 0; i < G_N_ELEMENTS(initials); i++) {
            gsize length = strlen(initials[i]);
            bool is_word =
                strncmp(*part, initials[i], length) == 0 && g_ascii_isupper((*part)[length]);
            n = is_word ? length : n;
        }
        g_autofree char *start = g_ascii_strup(*part, (gssize)n);
        g_string_append_printf(out, "%s%s%s", out->len > 0 ? "." : "", start, *part + n);
    }
    return g_string_free(out, FALSE);
}

/* From an origin as bp_said_get words it. */
static void
put_source(const char *origin, const char **source, char **key)
{
    static const struct {
        const char *start, *source;
    } kinds[] = {{"--set ", "override"}, {"environment ", "env"}, {"file ", "config"}};
    *source = "default";
    for (gsize i = 0; origin != NULL && i < G_N_ELEMENTS(kinds); i++) {
        if (g_str_has_prefix(origin, kinds[i].start)) {
            const char *last = strrchr(origin, '(');
            bool in_file = i == 2 && last != NULL;
            const char *name = in_file ? last + 1 : origin + strlen(kinds[i].start);
            *source = kinds[i].source;
            *key = g_ascii_strdown(name, (gssize)(strlen(name) - (in_file ? 1 : 0)));
            return;
        }
    }
    *key = g_strdup("");
}

static void
add_row(GPtrArray *rows, const bp_said_key *key, const char *text, const char *origin)
{
    char **row = g_new0(char *, N_COLUMNS + 1);
    const char *source = NULL;
    row[0] = parameter_of(key->name);
    row[1] = shown(key, text);
    put_source(origin, &source, &row[3]);
    row[2] = g_strdup(source);
    g_ptr_array_add(rows, row);
}

/* What backup.storage does not say is as in milvus.storage, but for where it is. */
static void
get_second(const reading *r, const bp_said_key *key, bp_said_value *out)
{
    static const char *const own[] = {"rootPath", "localPath", "milvusAddress", "milvusPort", NULL};
    static const char section[] = "backup.storage.";
    bp_said_get(r->said, key->name, out);
    const char *rest = key->name + strlen(section);
    if (out->text == NULL && g_str_has_prefix(key->name, section) && !g_strv_contains(own, rest)) {
        g_autofree char *primary = g_strconcat("milvus.storage.", rest, NULL);
        bp_said_value_clear(out);
        bp_said_get(r->said, primary, out);
    }
}

static GPtrArray *
rows_of(const reading *r)
{
    GPtrArray *rows = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
    g_autoptr(bp_node) tree = bp_node_new(BP_NODE_MAP);
    const bp_translation t = {.said = r->said, .in = &r->in, .out = tree};
    bool is_second = r->table == &bp_v2_table;
    if (!is_second) {
        bp_migrate__second_tree(&t);
    }
    for (gsize i = 1; i < bp_v2_table.n; i++) { /* without configVersion */
        const bp_said_key *key = &bp_v2_table.keys[i];
        const bp_node *node = bp_node_at(tree, key->name);
        g_auto(bp_said_value) value = {0};
        if (is_second) {
            get_second(r, key, &value);
            add_row(rows, key, value.text, value.given ? value.origin : NULL);
        } else {
            bool of_store = strstr(key->name, ".storage.") != NULL;
            add_row(rows, key,
                    node != NULL ? node->text
                    : of_store   ? NULL
                                 : key->def,
                    node != NULL ? node->origin : NULL);
        }
    }
    return rows;
}

static char *
render(const GPtrArray *rows)
{
    glong widths[N_COLUMNS] = {0};
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < rows->len; i++) {
        char **row = g_ptr_array_index(rows, i);
        for (guint c = 0; c < N_COLUMNS; c++) {
            widths[c] = MAX(widths[c], g_utf8_strlen(row[c], -1));
        }
    }
    for (guint i = 0; i < rows->len; i++) {
        char **row = g_ptr_array_index(rows, i);
        for (guint c = 0; c < N_COLUMNS; c++) {
            bool last = c + 1 == N_COLUMNS;
            glong blanks = widths[c] - g_utf8_strlen(row[c], -1) + GAP;
            g_string_append_printf(out, "%s%*s", row[c], last ? 0 : (int)blanks, "");
        }
        g_string_append_c(out, '\n');
    }
    return g_string_free(out, FALSE);
}

char *
bp_front_show_config(const bp_front_result *result)
{
    g_auto(reading) r = {0};
    if (json_object_get(result->json, "settings") == NULL || !read_again(result, &r)) {
        return NULL;
    }
    static const char *const heading[] = {"PARAMETER", "VALUE", "SOURCE", "SOURCE_KEY", NULL};
    static const char *const rule[] = {"---------", "-----", "------", "----------", NULL};
    g_autoptr(GPtrArray) rows = rows_of(&r);
    g_ptr_array_insert(rows, 0, g_strdupv((char **)heading));
    g_ptr_array_insert(rows, 1, g_strdupv((char **)rule));
    return render(rows);
}

static void
append_yaml(GString *out, const bp_said_table *table, const char *prefix, const bp_node *map)
{
    int indent = 0;
    for (const char *dot = prefix; (dot = strchr(dot, '.')) != NULL; dot++) {
        indent += INDENT;
    }
    for (guint i = 0; i < map->children->len; i++) {
        const bp_node *child = g_ptr_array_index(map->children, i);
        g_autofree char *path = g_strconcat(prefix, child->name, NULL);
        g_string_append_printf(out, "%*s%s:", indent, "", child->name);
        if (child->kind == BP_NODE_MAP) {
            g_autofree char *deeper = g_strconcat(path, ".", NULL);
            g_string_append_c(out, '\n');
            append_yaml(out, table, deeper, child);
            continue;
        }
        const bp_said_key *key = bp_said_table_find(table, path);
        g_string_append_c(out, ' ');
        if (key->kind == BP_SAID_NUMBER || key->kind == BP_SAID_BOOL) {
            g_string_append(out, child->text);
        } else {
            (void)bp_migrate__quote(out, path, child, child->text, NULL); /* shown() is UTF-8 */
        }
        g_string_append_c(out, '\n');
    }
}

char *
bp_front_show_yaml(const bp_front_result *result)
{
    g_auto(reading) r = {0};
    if (!read_again(result, &r)) {
        return NULL;
    }
    g_autoptr(bp_node) tree = bp_node_new(BP_NODE_MAP);
    for (gsize i = 0; i < r.table->n; i++) {
        const bp_said_key *key = &r.table->keys[i];
        g_auto(bp_said_value) value = {0};
        bp_said_get(r.said, key->name, &value);
        g_autofree char *text = shown(key, value.text);
        if (*text != '\0') {
            bp_node_put(tree, key->name, text, NULL);
        }
    }
    GString *out = g_string_new(NULL);
    g_autofree char *rule = g_strnfill(RULE_WIDTH, '-');
    g_string_append_printf(out, "%s\n", rule);
    append_yaml(out, r.table, "", tree);
    return g_string_free(out, FALSE);
}
