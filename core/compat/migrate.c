/* SPDX-License-Identifier: Apache-2.0
 *
 * See migrate.h.
 */
#include "core/compat/migrate.h"

#include <string.h>

#include "core/base/error.h"
#include "sdk/lib/secret.h"

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

/* What a reader of YAML refuses, or takes for the end of a line, unless it is written as a number.
 */
static bool
is_escaped(gunichar c)
{
    return c < ' ' || (c >= 0x7f && c <= 0x9f) || c == 0x2028 || c == 0x2029 || c == 0xfeff ||
           c == 0xfffe || c == 0xffff;
}

static void
append_escaped(GString *out, const char *text)
{
    for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (c == '"' || c == '\\') {
            g_string_append_printf(out, "\\%c", (int)c);
        } else if (is_escaped(c)) {
            g_string_append_printf(out, c <= 0xff ? "\\x%02x" : "\\u%04x", c);
        } else {
            g_string_append_unichar(out, c);
        }
    }
}

bool
bp_migrate__quote(GString *out, const char *path, const bp_node *node, const char *text,
                  GError **error)
{
    if (!g_utf8_validate(text, -1, NULL)) {
        bp_set_error(error, BP_ERR_INVALID,
                     "%s (%s): the value is no UTF-8, and YAML holds no other", path,
                     node->origin != NULL ? node->origin : "not from the file");
        return false;
    }
    g_string_append_c(out, '"');
    append_escaped(out, text);
    g_string_append_c(out, '"');
    return true;
}

static bool
append_value(const writing *w, const char *path, const bp_node *node, GError **error)
{
    const char *origin = node->origin != NULL ? node->origin : "";
    const char *variable = g_str_has_prefix(origin, VARIABLE) ? origin + strlen(VARIABLE) : NULL;
    if (variable != NULL && is_secret(node->name)) {
        g_string_append_printf(w->out, "{env: %s}\n", variable);
        return true;
    }
    if (variable != NULL || g_str_has_prefix(origin, "--set")) {
        g_ptr_array_add(w->report, g_strdup_printf("%s: the value of %s is written into the file",
                                                   path, variable != NULL ? variable : origin));
    }
    bool fine = bp_migrate__quote(w->out, path, node, node->text, error);
    g_string_append_c(w->out, '\n');
    return fine;
}

static bool
append_map(const writing *w, const char *prefix, const bp_node *map, int indent, GError **error)
{
    bool fine = true;
    for (guint i = 0; fine && i < map->children->len; i++) {
        const bp_node *child = g_ptr_array_index(map->children, i);
        g_autofree char *path = g_strconcat(prefix, child->name, NULL);
        g_string_append_printf(w->out, "%*s%s:", indent, "", child->name);
        if (child->kind == BP_NODE_MAP) {
            g_autofree char *deeper = g_strconcat(path, ".", NULL);
            g_string_append_c(w->out, '\n');
            fine = append_map(w, deeper, child, indent + 2, error);
        } else {
            g_string_append_c(w->out, ' ');
            fine = append_value(w, path, child, error);
        }
    }
    return fine;
}

char *
bp_migrate__end(GString *take_text, bool fine)
{
    if (!fine) {
        bp_secret_wipe(take_text->str, take_text->len);
    }
    return g_string_free(take_text, !fine);
}

char *
bp_migrate_text(const bp_node *root, const char *from, GPtrArray *report, GError **error)
{
    writing w = {.out = g_string_new("# Made from "), .report = report};
    g_autofree char *name = g_utf8_make_valid(from, -1);
    append_escaped(w.out, name);
    g_string_append(w.out, " by bakplane config migrate.\n");
    bool fine = append_map(&w, "", root, 0, error);
    return bp_migrate__end(w.out, fine);
}
