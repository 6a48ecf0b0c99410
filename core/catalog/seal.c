/* SPDX-License-Identifier: Apache-2.0
 *
 * See journal.h: from the journal of a run to the items files of its manifest.  Reads chunk by
 * chunk and writes file by file; only the hashes of keys stay in memory.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/catalog/catalog_internal.h"
#include "core/catalog/items_internal.h"
#include "core/catalog/journal.h"
#include "core/catalog/keyset.h"
#include "core/catalog/sumtext.h"

#include "sdk/lib/ban.h"

typedef struct {
    const bp_seal_params *params;
    GHashTable *units; /* id -> bp_manifest_unit* */
    bp_keyset *keys;   /* of the items that stay */
    GString *text;     /* of the items file that grows */
    guint64 in_text;
} seal;

static bool
write_file(seal *s, GError **error)
{
    if (s->in_text == 0) {
        return true;
    }
    const bp_seal_params *p = s->params;
    g_autofree char *rest =
        g_strdup_printf(BP_ITEMS_STEM "%u.jsonl", p->manifest->item_files->len + 1);
    g_autofree char *key = bp_catalog_key(p->manifest->name, rest);
    if (!bp_catalog__put(p->catalog, "catalog.items", key, s->text->str, s->text->len, error)) {
        return false;
    }
    struct bp_checksum sum;
    bp_sumtext_hash(s->text->str, s->text->len, &sum);
    bp_manifest_file *file = bp_manifest_file_new(rest, s->text->len, &sum);
    file->items = s->in_text;
    g_ptr_array_add(p->manifest->item_files, file);
    g_string_truncate(s->text, 0);
    s->in_text = 0;
    return true;
}

static bool
count(seal *s, const bp_item_record *record, GError **error)
{
    bp_manifest *manifest = s->params->manifest;
    bp_manifest_unit *unit = g_hash_table_lookup(s->units, record->unit_id);
    if (unit == NULL) {
        bp_set_error(error, BP_ERR_CORRUPT, "item %s belongs to unit \"%s\", which was not planned",
                     record->key, record->unit_id);
        return false;
    }
    if (!bp_keyset_add(s->keys, record->key)) {
        bp_set_error(error, BP_ERR_CORRUPT,
                     "item %s is there twice, the second time in unit \"%s\"", record->key,
                     record->unit_id);
        return false;
    }
    if (!g_uint64_checked_add(&manifest->bytes, manifest->bytes, record->size)) {
        bp_set_error(error, BP_ERR_CORRUPT, "sizes up to item %s are more than can be",
                     record->key);
        return false;
    }
    unit->bytes += record->size; /* a part of the sum that did not overflow */
    unit->items++;
    manifest->items++;
    return true;
}

static bool
take_item(void *ctx, const bp_item_record *record, GError **error)
{
    seal *s = ctx;
    guint32 final = 0;
    if (!s->params->generation(s->params->ctx, record->unit_id, &final) ||
        record->generation != final) {
        return true; /* the source no longer names it */
    }
    if (!count(s, record, error)) {
        return false;
    }
    bp_item_record filed = *record;
    filed.generation = 0;
    bp_item_record_append(s->text, &filed);
    s->in_text++;
    return (s->in_text < BP_ITEMS_PER_FILE && s->text->len < BP_ITEMS_FILE_BYTES) ||
           write_file(s, error);
}

static bool
take_chunk(seal *s, const char *key, GError **error)
{
    g_autoptr(GBytes) text = bp_catalog__get(s->params->catalog, key, BP_ITEMS_MAX, error);
    if (text == NULL) {
        return false;
    }
    g_auto(bp_item_lines) lines;
    bp_item_lines_init(&lines, key, take_item, s);
    gsize n = 0;
    const char *bytes = g_bytes_get_data(text, &n);
    return bp_item_lines_feed(&lines, bytes, n, error) && bp_item_lines_end(&lines, error);
}

/* By number, not by listing: what was written last may be listed late, but it can be read. */
static bool
take_journal(seal *s, GError **error)
{
    const bp_seal_params *p = s->params;
    for (guint i = 1; i <= p->chunks; i++) {
        g_autofree char *key =
            g_strdup_printf("%s/" BP_JOURNAL_DIR "%s-%06u.jsonl", p->manifest->name, p->run_id, i);
        GError *failed = NULL;
        if (take_chunk(s, key, &failed)) {
            continue;
        }
        if (bp_error_is(failed, BP_ERR_NOT_FOUND)) {
            g_clear_error(&failed);
            bp_set_error(error, BP_ERR_CORRUPT, "%s is missing from the journal", key);
        } else {
            g_propagate_error(error, failed);
        }
        return false;
    }
    return write_file(s, error);
}

static bool
keep_object(void *ctx, const char *key)
{
    const seal *s = ctx;
    const char *rest = key + strlen(s->params->manifest->name) + 1;
    return g_str_has_prefix(rest, BP_OURS) || bp_keyset_has(s->keys, rest);
}

/* What an earlier attempt left: its documents first, so that nobody takes it for a backup. */
static bool
sweep(seal *s, GError **error)
{
    const bp_catalog *catalog = s->params->catalog;
    const char *name = s->params->manifest->name;
    if (catalog->commit_document != NULL) {
        g_autofree char *commit = bp_catalog_key(name, catalog->commit_document);
        if (!bp_catalog__remove(catalog, commit, error)) {
            return false;
        }
    }
    g_autofree char *prefix = bp_catalog_key(name, "");
    guint64 removed = 0;
    bp_purge purge = {.catalog = catalog,
                      .step = "catalog.sweep",
                      .prefix = prefix,
                      .keep = keep_object,
                      .ctx = s,
                      .removed = &removed};
    return bp_catalog__purge(&purge, error);
}

static void
reset_totals(bp_manifest *manifest)
{
    manifest->items = manifest->bytes = 0;
    g_ptr_array_set_size(manifest->item_files, 0);
    for (guint i = 0; i < manifest->units->len; i++) {
        bp_manifest_unit *unit = g_ptr_array_index(manifest->units, i);
        unit->items = unit->bytes = 0;
    }
}

bool
bp_journal_seal(const bp_seal_params *params, GError **error)
{
    g_autoptr(GHashTable) units = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(bp_keyset) keys = bp_keyset_new();
    g_autoptr(GString) text = g_string_new(NULL);
    seal s = {.params = params, .units = units, .keys = keys, .text = text};
    reset_totals(params->manifest);
    for (guint i = 0; i < params->manifest->units->len; i++) {
        bp_manifest_unit *unit = g_ptr_array_index(params->manifest->units, i);
        g_hash_table_insert(units, unit->id, unit);
    }
    return take_journal(&s, error) &&
           bp_catalog_drop_stray_items(params->catalog, params->manifest, error) &&
           (!params->sweep || sweep(&s, error));
}
