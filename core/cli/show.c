/* SPDX-License-Identifier: Apache-2.0
 *
 * See show.h.
 */
#include "core/cli/show.h"

#include <bakplane/abi.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/cli/table.h"
#include "core/cli/termtext.h"

#include "sdk/lib/ban.h"

static char *
size_of(const json_t *object, const char *key)
{
    return bp_text_size(bp_json_u64(object, key, BP_UNKNOWN));
}

static char *
count_of(const json_t *object, const char *key)
{
    guint64 n = bp_json_u64(object, key, BP_UNKNOWN);
    return n == BP_UNKNOWN ? g_strdup("-") : g_strdup_printf("%" G_GUINT64_FORMAT, n);
}

static char *
duration_of(const json_t *result)
{
    return bp_text_duration((gint64)bp_json_u64(result, "duration_ms", 0) * BP_NS_PER_MS);
}

/* "293", or "293-300" where deletes leave room. */
static char *
range_of(const json_t *object)
{
    guint64 low = bp_json_u64(object, "low", BP_UNKNOWN);
    guint64 high = bp_json_u64(object, "high", BP_UNKNOWN);
    if (high == BP_UNKNOWN) {
        return g_strdup("-");
    }
    return low == high ? g_strdup_printf("%" G_GUINT64_FORMAT, high)
                       : g_strdup_printf("%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT, low, high);
}

static void
append_table(GString *out, const bp_table *table, bool color)
{
    g_autofree char *text = bp_table_render(table, color);
    g_string_append(out, text);
}

/* A line of its own; names in it come from elsewhere, so it is made safe as a whole. */
static void G_GNUC_PRINTF(2, 3) append_sentence(GString *out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *safe = bp_term_safe(text, false);
    g_string_append_printf(out, "%s\n", safe);
}

static void
append_warnings(GString *out, const json_t *result, bool color)
{
    const json_t *notes = json_object_get(result, "notes");
    for (gsize i = 0; i < json_array_size(notes); i++) {
        const json_t *note = json_array_get(notes, i);
        if (strcmp(bp_json_text(note, "level", ""), "warning") == 0) {
            g_autofree char *safe = bp_term_safe(bp_json_text(note, "text", ""), false);
            g_autofree char *line = g_strdup_printf("warning: %s", safe);
            g_autofree char *styled = bp_term_styled(line, BP_TERM_YELLOW, color);
            g_string_append_printf(out, "%s\n", styled);
        }
    }
}

/* What the source counts: rows, entries. */
static char *
counted(const json_t *units)
{
    const char *what = NULL;
    for (gsize i = 0; what == NULL && i < json_array_size(units); i++) {
        what = bp_json_text(json_array_get(units, i), "what", NULL);
    }
    return g_ascii_strup(what != NULL ? what : "rows", -1);
}

static void
append_units(GString *out, const json_t *units, bool color)
{
    g_autofree char *what = counted(units);
    g_autofree char *heading = bp_term_safe(what, false);
    const bp_table_column columns[] = {
        {"UNIT", false}, {"OBJECTS", true}, {"SIZE", true}, {heading, true}, {NULL, false}};
    g_autoptr(bp_table) table = bp_table_new(columns);
    for (gsize i = 0; i < json_array_size(units); i++) {
        const json_t *unit = json_array_get(units, i);
        if (json_object_get(unit, "items") == NULL) {
            continue;
        }
        const char *parent = bp_json_text(unit, "parent", NULL);
        g_autofree char *name = g_strconcat(parent != NULL ? parent : "", parent != NULL ? "." : "",
                                            bp_json_text(unit, "name", ""), NULL);
        g_autofree char *items = count_of(unit, "items");
        g_autofree char *bytes = size_of(unit, "bytes");
        g_autofree char *rows = range_of(unit);
        const char *const cells[] = {name, items, bytes, rows};
        bp_table_add(table, cells);
    }
    append_table(out, table, color);
}

char *
bp_show_create(const json_t *result, bool color)
{
    GString *out = g_string_new(NULL);
    append_units(out, json_object_get(result, "units"), color);
    append_warnings(out, result, color);
    g_autofree char *bytes = size_of(result, "bytes");
    g_autofree char *items = count_of(result, "items");
    if (json_is_true(json_object_get(result, "dry_run"))) {
        append_sentence(out, "would copy %s objects, %s (nothing was changed)", items, bytes);
    } else {
        g_autofree char *duration = duration_of(result);
        append_sentence(out, "backup %s: %s, %s objects, %s, %s", bp_json_text(result, "name", "?"),
                        bp_json_text(result, "state", "?"), items, bytes, duration);
    }
    return g_string_free(out, FALSE);
}

char *
bp_show_copy(const json_t *result, bool color)
{
    GString *out = g_string_new(NULL);
    append_units(out, json_object_get(result, "units"), color);
    append_warnings(out, result, color);
    g_autofree char *bytes = size_of(result, "bytes");
    g_autofree char *items = count_of(result, "items");
    const char *from = bp_json_text(result, "from", "?");
    const char *to = bp_json_text(result, "to", "?");
    if (json_is_true(json_object_get(result, "dry_run"))) {
        append_sentence(out, "would copy %s objects, %s from %s to %s (nothing was changed)", items,
                        bytes, from, to);
    } else {
        g_autofree char *duration = duration_of(result);
        append_sentence(out, "backup %s from %s to %s: %s, %s objects, %s, %s",
                        bp_json_text(result, "name", "?"), from, to,
                        bp_json_text(result, "state", "?"), items, bytes, duration);
    }
    return g_string_free(out, FALSE);
}

static bp_term_style
state_style(const char *state)
{
    if (strcmp(state, "complete") == 0 || strcmp(state, "success") == 0 ||
        strcmp(state, "ok") == 0) {
        return BP_TERM_GREEN;
    }
    return strcmp(state, "failed") == 0 ? BP_TERM_RED : BP_TERM_YELLOW;
}

char *
bp_show_restore(const json_t *result, bool color)
{
    static const bp_table_column columns[] = {
        {"FROM", false},  {"TO", false},     {"BACKUP", true}, {"RESTORED", true},
        {"STATE", false}, {"REASON", false}, {NULL, false}};
    bool dry = json_is_true(json_object_get(result, "dry_run"));
    GString *out = g_string_new(NULL);
    g_autoptr(bp_table) table = bp_table_new(columns);
    const json_t *targets = json_object_get(result, "targets");
    for (gsize i = 0; i < json_array_size(targets); i++) {
        const json_t *target = json_array_get(targets, i);
        g_autofree char *range = range_of(target);
        g_autofree char *found = count_of(target, "found");
        const char *state = dry ? "would restore" : bp_json_text(target, "state", "?");
        const char *const cells[] = {
            bp_json_text(target, "from", "?"),
            bp_json_text(target, "to", "?"),
            range,
            found,
            state,
            bp_json_text(target, "error", bp_json_text(target, "note", ""))};
        bp_table_add(table, cells);
        bp_table_style_last(table, dry ? BP_TERM_PLAIN : state_style(state));
    }
    append_table(out, table, color);
    append_warnings(out, result, color);
    if (!dry) {
        g_autofree char *duration = duration_of(result);
        append_sentence(out, "restore of %s: %s, %s", bp_json_text(result, "name", "?"),
                        bp_json_text(result, "outcome", "?"), duration);
    }
    return g_string_free(out, FALSE);
}

static char *
age_of(const json_t *entry)
{
    gint64 when = bp_clock_parse(bp_json_text(entry, "finished", NULL));
    when = when != 0 ? when : bp_clock_parse(bp_json_text(entry, "started", NULL));
    return when != 0 ? bp_text_duration(bp_clock_wall_ns() - when) : g_strdup("-");
}

static char *
entries_table(const json_t *entries, bool color)
{
    static const bp_table_column columns[] = {
        {"NAME", false}, {"STATUS", false},  {"AGE", true},      {"OBJECTS", true},
        {"SIZE", true},  {"VERSION", false}, {"PROBLEM", false}, {NULL, false}};
    g_autoptr(bp_table) table = bp_table_new(columns);
    for (gsize i = 0; i < json_array_size(entries); i++) {
        const json_t *entry = json_array_get(entries, i);
        g_autofree char *age = age_of(entry);
        g_autofree char *items = count_of(entry, "items");
        g_autofree char *bytes = size_of(entry, "bytes");
        const char *status = bp_json_text(entry, "status", "?");
        const char *const cells[] = {bp_json_text(entry, "name", "?"),
                                     status,
                                     age,
                                     items,
                                     bytes,
                                     bp_json_text(entry, "server_version", NULL),
                                     bp_json_text(entry, "problem", "")};
        bp_table_add(table, cells);
        bp_table_style_last(table, state_style(status));
    }
    return bp_table_render(table, color);
}

char *
bp_show_list(const json_t *result, bool color)
{
    const json_t *entries = json_object_get(result, "backups");
    return json_array_size(entries) > 0 ? entries_table(entries, color) : g_strdup("no backups\n");
}

char *
bp_show_prune(const json_t *result, bool color)
{
    const json_t *entries = json_object_get(result, "backups");
    bool dry = json_is_true(json_object_get(result, "dry_run"));
    if (json_array_size(entries) == 0) {
        return g_strdup("nothing to delete\n");
    }
    g_autofree char *table = entries_table(entries, color);
    return g_strdup_printf("%s%s %" G_GSIZE_FORMAT " backups\n", table,
                           dry ? "would delete" : "deleted", json_array_size(entries));
}

static void
append_fact(GString *out, const char *label, const char *value)
{
    if (value != NULL && *value != '\0') {
        g_autofree char *safe = bp_term_safe(value, false);
        g_string_append_printf(out, "%-10s %s\n", label, safe);
    }
}

char *
bp_show_get(const json_t *result, bool color)
{
    const char *document = bp_json_text(result, "text", NULL);
    if (document != NULL) {
        g_autofree char *safe = bp_term_safe(document, true);
        return g_strconcat(safe, "\n", NULL);
    }
    GString *out = g_string_new(NULL);
    g_autofree char *items = count_of(result, "items");
    g_autofree char *bytes = size_of(result, "bytes");
    append_fact(out, "name", bp_json_text(result, "name", NULL));
    append_fact(out, "status", bp_json_text(result, "status", NULL));
    append_fact(out, "problem", bp_json_text(result, "problem", NULL));
    append_fact(out, "error", bp_json_text(result, "error", NULL));
    append_fact(out, "started", bp_json_text(result, "started", NULL));
    append_fact(out, "finished", bp_json_text(result, "finished", NULL));
    append_fact(out, "objects", items);
    append_fact(out, "size", bytes);
    append_fact(out, "source", bp_json_text(result, "source", NULL));
    append_fact(out, "version", bp_json_text(result, "server_version", NULL));
    append_fact(out, "writer", bp_json_text(result, "writer", NULL));
    if (json_object_get(result, "units") != NULL) {
        g_string_append_c(out, '\n');
        append_units(out, json_object_get(result, "units"), color);
    }
    return g_string_free(out, FALSE);
}

char *
bp_show_verify(const json_t *result, bool color)
{
    static const bp_table_column columns[] = {
        {"PROBLEM", false}, {"EXPECTED", true}, {"FOUND", true}, {"OBJECT", false}, {NULL, false}};
    GString *out = g_string_new(NULL);
    g_autoptr(bp_table) table = bp_table_new(columns);
    const json_t *problems = json_object_get(result, "problems");
    for (gsize i = 0; i < json_array_size(problems); i++) {
        const json_t *problem = json_array_get(problems, i);
        g_autofree char *expected = count_of(problem, "expected_bytes");
        g_autofree char *found = count_of(problem, "found_bytes");
        const char *const cells[] = {bp_json_text(problem, "problem", "?"), expected, found,
                                     bp_json_text(problem, "key", "?")};
        bp_table_add(table, cells);
        bp_table_style_last(table, BP_TERM_RED);
    }
    append_table(out, table, color);
    static const char *const counts[] = {"items",   "by_size",   "compared", "sealed",
                                         "missing", "truncated", "altered",  "unexpected"};
    static const char *const words[] = {"objects", "compared by size", "compared by checksum",
                                        "sealed",  "missing",          "truncated",
                                        "altered", "unexpected"};
    g_autoptr(GString) sums = g_string_new(NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(counts); i++) {
        guint64 n = bp_json_u64(result, counts[i], 0);
        if (n > 0 || i == 0) {
            g_string_append_printf(sums, "%s%" G_GUINT64_FORMAT " %s", i > 0 ? ", " : "", n,
                                   words[i]);
        }
    }
    append_sentence(out, "backup %s: %s", bp_json_text(result, "name", "?"), sums->str);
    return g_string_free(out, FALSE);
}

char *
bp_show_check(const json_t *result, bool color)
{
    static const bp_table_column columns[] = {
        {"CHECK", false}, {"STATUS", false}, {"DETAIL", false}, {NULL, false}};
    g_autoptr(bp_table) table = bp_table_new(columns);
    const json_t *checks = json_object_get(result, "checks");
    for (gsize i = 0; i < json_array_size(checks); i++) {
        const json_t *check = json_array_get(checks, i);
        const char *status = bp_json_text(check, "status", "?");
        const char *const cells[] = {bp_json_text(check, "check", "?"), status,
                                     bp_json_text(check, "text", "")};
        bp_table_add(table, cells);
        bp_table_style_last(table, state_style(status));
    }
    return bp_table_render(table, color);
}

char *
bp_show_done(const json_t *result, bool color)
{
    (void)color;
    GString *out = g_string_new(NULL);
    append_sentence(out, "%s %s: done", bp_json_text(result, "job", "job"),
                    bp_json_text(result, "name", ""));
    return g_string_free(out, FALSE);
}
