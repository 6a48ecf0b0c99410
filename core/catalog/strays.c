/* SPDX-License-Identifier: Apache-2.0
 *
 * Items files that no manifest names: what a seal leaves behind that was killed, before its
 * manifest or after it.
 */
#include <string.h>

#include "core/catalog/catalog_internal.h"

#include "sdk/lib/ban.h"

static bool
is_named(void *ctx, const char *key)
{
    const bp_manifest *manifest = ctx;
    const char *rest = key + strlen(manifest->name) + 1;
    for (guint i = 0; i < manifest->item_files->len; i++) {
        const bp_manifest_file *file = g_ptr_array_index(manifest->item_files, i);
        if (strcmp(rest, file->key) == 0) {
            return true;
        }
    }
    return false;
}

bool
bp_catalog_has_stray_items(const bp_catalog *catalog, const bp_manifest *manifest, bool *any,
                           GError **error)
{
    g_autofree char *stem = bp_catalog_key(manifest->name, BP_ITEMS_STEM);
    g_autoptr(GPtrArray) keys = bp_catalog__names(catalog, stem, '\0', error);
    *any = false;
    for (guint i = 0; keys != NULL && i < keys->len; i++) {
        *any = *any || !is_named((void *)manifest, g_ptr_array_index(keys, i));
    }
    return keys != NULL;
}

bool
bp_catalog_drop_stray_items(const bp_catalog *catalog, const bp_manifest *manifest, GError **error)
{
    g_autofree char *stem = bp_catalog_key(manifest->name, BP_ITEMS_STEM);
    guint64 removed = 0;
    bp_purge purge = {.catalog = catalog,
                      .step = "catalog.old_items",
                      .prefix = stem,
                      .keep = is_named,
                      .ctx = (void *)manifest,
                      .removed = &removed};
    return bp_catalog__purge(&purge, error);
}
