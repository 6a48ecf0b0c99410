/* SPDX-License-Identifier: Apache-2.0
 *
 * See show.h: the program itself, its plugins and settings.
 */
#include "core/base/json.h"
#include "core/cli/show.h"
#include "core/cli/table.h"
#include "core/cli/termtext.h"

#include "sdk/lib/ban.h"

static void
append_keys(GString *out, const char *heading, const json_t *keys, bool color)
{
    static const bp_table_column columns[] = {
        {"KEY", false}, {"DEFAULT", false}, {"MEANING", false}, {NULL, false}};
    if (json_array_size(keys) == 0) {
        return;
    }
    g_autoptr(bp_table) table = bp_table_new(columns);
    for (gsize i = 0; i < json_array_size(keys); i++) {
        const json_t *key = json_array_get(keys, i);
        bool required = json_is_true(json_object_get(key, "required"));
        const char *const cells[] = {bp_json_text(key, "name", "?"),
                                     required ? "(required)" : bp_json_text(key, "default", NULL),
                                     bp_json_text(key, "help", "")};
        bp_table_add(table, cells);
    }
    g_autofree char *text = bp_table_render(table, color);
    g_string_append_printf(out, "\n%s:\n%s", heading, text);
}

static char *
show_detail(const json_t *plugins, bool color)
{
    GString *out = g_string_new(NULL);
    for (gsize i = 0; i < json_array_size(plugins); i++) {
        const json_t *plugin = json_array_get(plugins, i);
        g_autofree char *facts = g_strdup_printf(
            "%s plugin %s %s (ABI %s, %s)\n%s\n%s\nsha256 %s\n", bp_json_text(plugin, "kind", "?"),
            bp_json_text(plugin, "name", "?"), bp_json_text(plugin, "version", "?"),
            bp_json_text(plugin, "abi", "?"), bp_json_text(plugin, "license", "?"),
            bp_json_text(plugin, "summary", ""), bp_json_text(plugin, "path", "?"),
            bp_json_text(plugin, "sha256", "?"));
        g_autofree char *safe = bp_term_safe(facts, true);
        g_string_append(out, safe);
        const char *refused = bp_json_text(plugin, "refused", NULL);
        if (refused != NULL) {
            g_autofree char *why = bp_term_safe(refused, true);
            g_string_append_printf(out, "refused: %s\n", why);
        }
        append_keys(out, "settings", json_object_get(plugin, "settings"), color);
        append_keys(out, "options of create", json_object_get(plugin, "create_options"), color);
        append_keys(out, "options of restore", json_object_get(plugin, "restore_options"), color);
    }
    return g_string_free(out, FALSE);
}

static char *
show_created(const json_t *result)
{
    const char *folder = bp_json_text(result, "folder", "?");
    g_autofree char *text =
        g_strdup_printf("wrote %" G_GSIZE_FORMAT " files to %s; try: make -C %s"
                        " check\n",
                        json_array_size(json_object_get(result, "files")), folder, folder);
    return bp_term_safe(text, true);
}

static void
append_refused(GString *out, const json_t *plugins)
{
    for (gsize i = 0; i < json_array_size(plugins); i++) {
        const json_t *plugin = json_array_get(plugins, i);
        const char *refused = bp_json_text(plugin, "refused", NULL);
        if (refused != NULL) {
            g_autofree char *text = g_strdup_printf("\n%s is refused: %s\n",
                                                    bp_json_text(plugin, "path", "?"), refused);
            g_autofree char *safe = bp_term_safe(text, true);
            g_string_append(out, safe);
        }
    }
}

char *
bp_show_plugins(const json_t *result, bool color)
{
    static const bp_table_column columns[] = {
        {"KIND", false},  {"NAME", false}, {"VERSION", false}, {"ABI", false},
        {"STATE", false}, {"PATH", false}, {"SHA256", false},  {NULL, false}};
    const json_t *plugins = json_object_get(result, "plugins");
    if (json_object_get(result, "folder") != NULL) {
        return show_created(result);
    }
    if (json_is_true(json_object_get(result, "detail"))) {
        return show_detail(plugins, color);
    }
    g_autoptr(bp_table) table = bp_table_new(columns);
    for (gsize i = 0; i < json_array_size(plugins); i++) {
        const json_t *plugin = json_array_get(plugins, i);
        bool refused = bp_json_text(plugin, "refused", NULL) != NULL;
        const char *const cells[] = {
            bp_json_text(plugin, "kind", "?"),     bp_json_text(plugin, "name", "?"),
            bp_json_text(plugin, "version", NULL), bp_json_text(plugin, "abi", NULL),
            refused ? "refused" : "fine",          bp_json_text(plugin, "path", "?"),
            bp_json_text(plugin, "sha256", NULL)};
        bp_table_add(table, cells);
        bp_table_style_last(table, refused ? BP_TERM_RED : BP_TERM_PLAIN);
    }
    if (bp_table_rows(table) == 0) {
        return g_strdup("no plugins\n");
    }
    g_autofree char *rows = bp_table_render(table, color);
    GString *out = g_string_new(rows);
    append_refused(out, plugins);
    return g_string_free(out, FALSE);
}

char *
bp_show_config(const json_t *result, bool color)
{
    const char *text = bp_json_text(result, "text", NULL);
    if (text != NULL) {
        return bp_term_safe(text, true);
    }
    if (json_object_get(result, "settings") == NULL) {
        g_autofree char *file = bp_term_safe(bp_json_text(result, "file", "?"), false);
        return g_strdup_printf("wrote %s\n", file);
    }
    static const bp_table_column columns[] = {
        {"SETTING", false}, {"VALUE", false}, {"ORIGIN", false}, {NULL, false}};
    g_autoptr(bp_table) table = bp_table_new(columns);
    const json_t *settings = json_object_get(result, "settings");
    for (gsize i = 0; i < json_array_size(settings); i++) {
        const json_t *one = json_array_get(settings, i);
        const char *const cells[] = {bp_json_text(one, "key", "?"), bp_json_text(one, "value", ""),
                                     bp_json_text(one, "origin", "")};
        bp_table_add(table, cells);
    }
    return bp_table_render(table, color);
}

char *
bp_show_version(const json_t *result, bool color)
{
    (void)color;
    return g_strdup_printf("bakplane %s (%s), plugin ABI %s\n",
                           bp_json_text(result, "version", "?"),
                           bp_json_text(result, "revision", "?"), bp_json_text(result, "abi", "?"));
}
