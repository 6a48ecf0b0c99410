/* SPDX-License-Identifier: Apache-2.0
 *
 * See catalog.h: the manifest of one backup and the items it names.  Finding backups is in
 * catalog_list.c.
 */
#include "core/catalog/catalog.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/catalog/catalog_internal.h"
#include "core/catalog/items_internal.h"
#include "core/catalog/sumtext.h"
#include "sdk/lib/checksum.h"
#include "sdk/lib/key.h"

#include "sdk/lib/ban.h"

char *
bp_catalog_key(const char *name, const char *rest)
{
    return g_strconcat(name, "/", rest, NULL);
}

bool
bp_catalog__check_child(const bp_catalog *catalog, const char *name, GError **error)
{
    if (strchr(name, '/') != NULL || bp_key_check(name, NULL) != 0) {
        g_autofree char *valid = g_utf8_make_valid(name, -1);
        bp_set_error(error, BP_ERR_INVALID, "\"%s\" is no name of a backup", valid);
        return false;
    }
    if (g_strcmp0(name, catalog->taken) == 0) {
        bp_set_error(error, BP_ERR_INVALID,
                     "\"%s\" is no name of a backup: there the source keeps its own data", name);
        return false;
    }
    return true;
}

bp_manifest *
bp_catalog_manifest(const bp_catalog *catalog, const char *name, GError **error)
{
    if (!bp_catalog__check_child(catalog, name, error)) {
        return NULL;
    }
    g_autofree char *key = bp_catalog_key(name, BP_CATALOG_MANIFEST);
    g_autoptr(GBytes) text = bp_catalog__get(catalog, key, BP_MANIFEST_MAX, error);
    if (text == NULL) {
        return NULL;
    }
    gsize n = 0;
    const char *bytes = g_bytes_get_data(text, &n);
    bp_manifest *manifest = bp_manifest_parse(bytes, n, key, error);
    if (manifest != NULL) {
        /* A backup is what its directory is called: somebody may have copied or renamed it. */
        g_free(manifest->name);
        manifest->name = g_strdup(name);
    }
    return manifest;
}

GBytes *
bp_catalog_document(const bp_catalog *catalog, const char *name, const char *key, gsize max,
                    GError **error)
{
    const char *why = NULL;
    if (!bp_catalog__check_child(catalog, name, error)) {
        return NULL;
    }
    if (bp_key_check(key, &why) != 0) {
        bp_set_error(error, BP_ERR_INVALID, "document \"%s\": %s", key, why);
        return NULL;
    }
    g_autofree char *full = bp_catalog_key(name, key);
    return bp_catalog__get(catalog, full, max, error);
}

bool
bp_catalog_save(const bp_catalog *catalog, const bp_manifest *manifest, GError **error)
{
    g_autofree char *key = bp_catalog_key(manifest->name, BP_CATALOG_MANIFEST);
    g_autoptr(json_t) json = bp_manifest_to_json(manifest);
    g_autofree char *text = bp_json_pretty(json);
    return bp_catalog__put(catalog, "catalog.manifest", key, text, strlen(text), error);
}

/** Items on their way to the caller. */
typedef struct {
    const char *what;
    GHashTable *units; /* ids */
    bp_item_record_fn fn;
    void *ctx;
    bool stopped;
} items_pass;

static bool
pass_item(void *ctx, const bp_item_record *record, GError **error)
{
    items_pass *items = ctx;
    if (!g_hash_table_contains(items->units, record->unit_id)) {
        bp_set_error(error, BP_ERR_CORRUPT, "%s: item \"%s\" belongs to no unit of the backup",
                     items->what, record->key);
        return false;
    }
    if (!items->fn(items->ctx, record, error)) {
        items->stopped = true;
        return false;
    }
    return true;
}

/* Read whole and compared before anything in it is believed. */
static GBytes *
get_verified(const bp_catalog *catalog, const char *key, const bp_manifest_file *file,
             GError **error)
{
    if (file->size > BP_ITEMS_MAX) {
        bp_set_error(error, BP_ERR_CORRUPT, "%s: the manifest gives it %" G_GUINT64_FORMAT " bytes",
                     key, file->size);
        return NULL;
    }
    GError *failed = NULL;
    g_autoptr(GBytes) text = bp_catalog__get(catalog, key, BP_ITEMS_MAX, &failed);
    if (text == NULL) {
        if (bp_error_is(failed, BP_ERR_NOT_FOUND)) {
            g_prefix_error(&failed, "the manifest's items are incomplete: ");
        }
        g_propagate_error(error, failed);
        return NULL;
    }
    struct bp_checksum sum;
    bp_sumtext_hash(g_bytes_get_data(text, NULL), g_bytes_get_size(text), &sum);
    if (g_bytes_get_size(text) != file->size || !bp_checksum_equal(&sum, &file->checksum)) {
        bp_set_error(error, BP_ERR_CORRUPT, "%s differs from what the manifest says of it", key);
        return NULL;
    }
    return g_steal_pointer(&text);
}

static bool
pass_file(const bp_catalog *catalog, const char *name, const bp_manifest_file *file,
          items_pass *items, GError **error)
{
    g_autofree char *key = bp_catalog_key(name, file->key);
    g_autoptr(GBytes) text = get_verified(catalog, key, file, error);
    if (text == NULL) {
        return false;
    }
    items->what = key;
    g_auto(bp_item_lines) lines;
    bp_item_lines_init(&lines, key, pass_item, items);
    gsize n = 0;
    const char *bytes = g_bytes_get_data(text, &n);
    if (!bp_item_lines_feed(&lines, bytes, n, error) || !bp_item_lines_end(&lines, error)) {
        return false;
    }
    if (!lines.stopped && lines.records != file->items) {
        bp_set_error(error, BP_ERR_CORRUPT,
                     "%s has %" G_GUINT64_FORMAT " items, the manifest says %" G_GUINT64_FORMAT,
                     key, lines.records, file->items);
        return false;
    }
    return true;
}

bool
bp_catalog_items(const bp_catalog *catalog, const bp_manifest *manifest, bp_item_record_fn fn,
                 void *ctx, GError **error)
{
    g_autoptr(GHashTable) units = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < manifest->units->len; i++) {
        const bp_manifest_unit *unit = g_ptr_array_index(manifest->units, i);
        g_hash_table_add(units, unit->id);
    }
    items_pass items = {.units = units, .fn = fn, .ctx = ctx};
    for (guint i = 0; i < manifest->item_files->len && !items.stopped; i++) {
        const bp_manifest_file *file = g_ptr_array_index(manifest->item_files, i);
        if (!bp_cancel_check(catalog->call->cancel, error) ||
            !pass_file(catalog, manifest->name, file, &items, error)) {
            return false;
        }
    }
    return true;
}
