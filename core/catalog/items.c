/* SPDX-License-Identifier: Apache-2.0
 *
 * See items.h.  Writing goes by hand, because it happens a million times and knows its few
 * members; reading goes through the JSON parser, because files come from outside.
 */
#include "core/catalog/items.h"

#include <jansson.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/catalog/items_internal.h"
#include "core/catalog/manifest.h"
#include "core/catalog/sumtext.h"
#include "sdk/lib/key.h"

#include "sdk/lib/ban.h"

#define READ_BYTES 65536

static void
append_escaped(GString *out, const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        if (c == '"' || c == '\\') {
            g_string_append_c(out, '\\');
            g_string_append_c(out, *p);
        } else if (c < 0x20) {
            g_string_append_printf(out, "\\u%04x", c);
        } else {
            g_string_append_c(out, *p);
        }
    }
}

static void
append_text(GString *out, const char *name, const char *value)
{
    g_string_append_printf(out, ",\"%s\":\"", name);
    if (bp_utf8_check(value) == 0) {
        append_escaped(out, value);
    } else {
        g_autofree char *valid = g_utf8_make_valid(value, -1);
        append_escaped(out, valid);
    }
    g_string_append_c(out, '"');
}

void
bp_item_record_append(GString *out, const bp_item_record *record)
{
    g_string_append_printf(out, "{\"s\":%" G_GUINT64_FORMAT, record->size);
    append_text(out, "k", record->key);
    append_text(out, "u", record->unit_id);
    g_autofree char *sum = bp_sumtext_dup(&record->checksum);
    if (sum != NULL) {
        append_text(out, "c", sum);
    }
    if (record->etag != NULL && *record->etag != '\0') {
        append_text(out, "e", record->etag);
    }
    if (record->generation != 0) {
        g_string_append_printf(out, ",\"g\":%u", record->generation);
    }
    g_string_append(out, "}\n");
}

void
bp_item_head_append(GString *out, const char *run_id, guint seq)
{
    g_string_append_printf(out, "{\"version\":%d", BP_MANIFEST_VERSION);
    append_text(out, "run", run_id);
    g_string_append_printf(out, ",\"seq\":%u}\n", seq);
}

void
bp_item_lines_init(bp_item_lines *lines, const char *what, bp_item_record_fn fn, void *ctx)
{
    *lines = (bp_item_lines){.what = what, .fn = fn, .ctx = ctx, .rest = g_string_new(NULL)};
}

void
bp_item_lines_clear(bp_item_lines *lines)
{
    if (lines->rest != NULL) {
        g_string_free(lines->rest, TRUE);
        lines->rest = NULL;
    }
}

static bool
check_head(const bp_item_lines *lines, const json_t *line, GError **error)
{
    guint64 version = bp_json_u64(line, "version", 0);
    if (version == 0) {
        bp_set_error(error, BP_ERR_CORRUPT, "%s line 1: \"version\" is no number", lines->what);
        return false;
    }
    if (version > BP_MANIFEST_VERSION) {
        bp_set_error(error, BP_ERR_UNSUPPORTED,
                     "%s has version %" G_GUINT64_FORMAT ", this bakplane reads up to %d",
                     lines->what, version, BP_MANIFEST_VERSION);
        bp_error_add_hint(error, "use the bakplane that wrote it, or a newer one");
        return false;
    }
    return true;
}

static const char *
fill_record(const json_t *line, bp_item_record *record)
{
    *record = (bp_item_record){
        .key = bp_json_text(line, "k", ""),
        .unit_id = bp_json_text(line, "u", ""),
        .size = bp_json_u64(line, "s", BP_UNKNOWN),
        .etag = bp_json_text(line, "e", NULL),
    };
    const char *why = NULL;
    if (bp_key_check(record->key, &why) != 0) {
        return why;
    }
    if (g_str_has_prefix(record->key, "bakplane/")) {
        return "lies below bakplane/";
    }
    if (record->size == BP_UNKNOWN) {
        return "has no size";
    }
    if (*record->unit_id == '\0') {
        return "has no unit";
    }
    guint64 generation = bp_json_u64(line, "g", 0);
    if (generation > G_MAXUINT32) {
        return "has an impossible generation";
    }
    record->generation = (guint32)generation;
    bool is_sum = json_object_get(line, "c") == NULL || bp_json_text(line, "c", NULL) != NULL;
    if (!is_sum || !bp_sumtext_parse(bp_json_text(line, "c", NULL), &record->checksum)) {
        return "has a malformed checksum";
    }
    return NULL;
}

static bool
take_line(bp_item_lines *lines, const char *text, gsize n, GError **error)
{
    lines->line++;
    json_error_t at;
    g_autoptr(json_t) line = json_loadb(text, n, JSON_REJECT_DUPLICATES, &at);
    if (!json_is_object(line)) {
        bp_set_error(error, BP_ERR_CORRUPT,
                     "%s line %" G_GUINT64_FORMAT " is not a JSON object%s%s", lines->what,
                     lines->line, line == NULL ? ": " : "", line == NULL ? at.text : "");
        return false;
    }
    if (lines->line == 1 && json_object_get(line, "version") != NULL) {
        return check_head(lines, line, error);
    }
    bp_item_record record;
    const char *problem = fill_record(line, &record);
    if (problem != NULL) {
        bp_set_error(error, BP_ERR_CORRUPT, "%s line %" G_GUINT64_FORMAT ": item \"%s\" %s",
                     lines->what, lines->line, record.key, problem);
        return false;
    }
    lines->records++;
    GError *failed = NULL;
    if (!lines->fn(lines->ctx, &record, &failed)) {
        lines->stopped = true;
        if (failed != NULL) {
            g_propagate_error(error, failed);
            return false;
        }
    }
    return true;
}

static bool
too_long(const bp_item_lines *lines, GError **error)
{
    bp_set_error(error, BP_ERR_CORRUPT, "%s line %" G_GUINT64_FORMAT " is longer than %d bytes",
                 lines->what, lines->line + 1, BP_ITEM_LINE_MAX);
    return false;
}

bool
bp_item_lines_feed(bp_item_lines *lines, const char *bytes, gsize n, GError **error)
{
    while (n > 0 && !lines->stopped) {
        const char *newline = memchr(bytes, '\n', n);
        gsize piece = newline != NULL ? (gsize)(newline - bytes) : n;
        if (lines->rest->len + piece > BP_ITEM_LINE_MAX) {
            return too_long(lines, error);
        }
        if (newline == NULL) {
            g_string_append_len(lines->rest, bytes, (gssize)piece);
            return true;
        }
        bool ok = false;
        if (lines->rest->len == 0) {
            ok = take_line(lines, bytes, piece, error);
        } else {
            g_string_append_len(lines->rest, bytes, (gssize)piece);
            ok = take_line(lines, lines->rest->str, lines->rest->len, error);
            g_string_truncate(lines->rest, 0);
        }
        if (!ok) {
            return false;
        }
        bytes += piece + 1;
        n -= piece + 1;
    }
    return true;
}

bool
bp_item_lines_end(bp_item_lines *lines, GError **error)
{
    if (lines->rest->len > 0 && !lines->stopped) {
        bp_set_error(error, BP_ERR_CORRUPT, "%s is cut off in line %" G_GUINT64_FORMAT, lines->what,
                     lines->line + 1);
        return false;
    }
    return true;
}

bool
bp_item_records_read(bp_store *store, const bp_call *call, const char *key, bp_item_record_fn fn,
                     void *ctx, GError **error)
{
    struct bp_object_meta meta = {.struct_size = sizeof meta};
    bp_store_read_params params = {.key = key};
    bp_store_reader *reader = bp_store_read_open(store, call, &params, &meta, error);
    if (reader == NULL) {
        return false;
    }
    g_auto(bp_item_lines) lines;
    bp_item_lines_init(&lines, key, fn, ctx);
    g_autofree char *buffer = g_malloc(READ_BYTES);
    gsize n = 0;
    bool ok = false;
    do {
        ok = bp_store_read(reader, call, buffer, READ_BYTES, &n, error) &&
             bp_item_lines_feed(&lines, buffer, n, error);
    } while (ok && n > 0 && !lines.stopped);
    bp_store_read_close(reader);
    return ok && bp_item_lines_end(&lines, error);
}
