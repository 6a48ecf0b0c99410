/* SPDX-License-Identifier: Apache-2.0
 *
 * See migrate.h.
 */
#include "core/compat/migrate.h"

#include <string.h>

#include "sdk/lib/ban.h"

#define VARIABLE "environment "

typedef struct {
    GString *out;
    GPtrArray *report;
} writing;

static bool
is_secret(const char *name)
{
    static const char *const secrets[] = {"password", "secret_key", "session_token", "account_key",
                                          NULL};
    return g_strv_contains(secrets, name);
}

char *
bp_migrate_quoted(const char *text)
{
    GString *out = g_string_new("\"");
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\') {
            g_string_append_printf(out, "\\%c", *p);
        } else if ((unsigned char)*p < ' ' || *p == '\x7f') {
            g_string_append_printf(out, "\\x%02x", (unsigned char)*p);
        } else {
            g_string_append_c(out, *p);
        }
    }
    g_string_append_c(out, '"');
    return g_string_free(out, FALSE);
}

static void
append_value(const writing *w, const char *path, const bp_node *node)
{
    const char *origin = node->origin != NULL ? node->origin : "";
    const char *variable = g_str_has_prefix(origin, VARIABLE) ? origin + strlen(VARIABLE) : NULL;
    if (variable != NULL && is_secret(node->name)) {
        g_string_append_printf(w->out, "{env: %s}\n", variable);
        return;
    }
    if (variable != NULL || g_str_has_prefix(origin, "--set")) {
        g_ptr_array_add(w->report, g_strdup_printf("%s: the value of %s is written into the file",
                                                   path, variable != NULL ? variable : origin));
    }
    g_autofree char *quoted = bp_migrate_quoted(node->text);
    g_string_append_printf(w->out, "%s\n", quoted);
}

static void
append_map(const writing *w, const char *prefix, const bp_node *map, int indent)
{
    for (guint i = 0; i < map->children->len; i++) {
        const bp_node *child = g_ptr_array_index(map->children, i);
        g_autofree char *path = g_strconcat(prefix, child->name, NULL);
        g_string_append_printf(w->out, "%*s%s:", indent, "", child->name);
        if (child->kind == BP_NODE_MAP) {
            g_autofree char *deeper = g_strconcat(path, ".", NULL);
            g_string_append_c(w->out, '\n');
            append_map(w, deeper, child, indent + 2);
        } else {
            g_string_append_c(w->out, ' ');
            append_value(w, path, child);
        }
    }
}

char *
bp_migrate_text(const bp_node *root, const char *from, GPtrArray *report)
{
    writing w = {.out = g_string_new(NULL), .report = report};
    g_string_append_printf(w.out, "# Made from %s by bakplane config migrate.\n", from);
    append_map(&w, "", root, 0);
    return g_string_free(w.out, FALSE);
}
