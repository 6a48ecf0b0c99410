/* SPDX-License-Identifier: Apache-2.0
 *
 * See done.h.
 */
#include "core/verb/done.h"

#include <string.h>

#include "core/base/json.h"
#include "core/verb/entry_json.h"

#include "sdk/lib/ban.h"

#define COMMIT_MAX (256 << 20)

static void
describe(const bp_verb *verb, const bp_manifest *manifest)
{
    bp_json_set_text(verb->result, "state", bp_backup_state_name(BP_BACKUP_SUCCESS));
    bp_json_set_u64(verb->result, "items", manifest->items);
    bp_json_set_u64(verb->result, "bytes", manifest->bytes);
    bp_json_set_text(verb->result, "server_version", manifest->server_version);
    bp_json_set_text(verb->result, "source_address", manifest->source_address);
    bp_json_set_text(verb->result, "label", manifest->label);
    json_object_set_new(verb->result, "units", bp_manifest_item_units_json(manifest));
}

static bool
find_catalog(const bp_verb *verb, const char *storage, const bp_catalog **out)
{
    return storage != NULL ? bp_workspace_catalog_on(verb->workspace, storage, out, NULL)
                           : bp_workspace_catalog(verb->workspace, out, NULL);
}

/* Ours, and finished.  Returns: (transfer full) (nullable) its manifest */
static bp_manifest *
finished(const bp_catalog *catalog, const char *name)
{
    g_autoptr(bp_backup_entry) entry = bp_catalog_find(catalog, name, NULL);
    if (entry == NULL || entry->foreign || entry->incomplete || entry->state != BP_BACKUP_SUCCESS) {
        return NULL;
    }
    return bp_catalog_manifest(catalog, name, NULL);
}

bool
bp_verb_was_created(const bp_verb *verb, const char *storage, const char *name, gint64 since_ns)
{
    const bp_catalog *catalog = NULL;
    g_autoptr(bp_manifest) manifest =
        find_catalog(verb, storage, &catalog) ? finished(catalog, name) : NULL;
    if (manifest == NULL || manifest->copying || manifest->started_ns < since_ns) {
        return false;
    }
    describe(verb, manifest);
    return true;
}

/* Of a backup of another tool the document that ends it is written last, and once. */
static bool
is_same_foreign(const bp_catalog *from, const bp_catalog *to, const char *name)
{
    g_autoptr(bp_backup_entry) entry = bp_catalog_find(to, name, NULL);
    if (entry == NULL || !entry->foreign || entry->incomplete) {
        return false;
    }
    g_autoptr(GBytes) original =
        bp_catalog_document(from, name, from->commit_document, COMMIT_MAX, NULL);
    g_autoptr(GBytes) copy = bp_catalog_document(to, name, to->commit_document, COMMIT_MAX, NULL);
    return original != NULL && copy != NULL && g_bytes_equal(original, copy);
}

bool
bp_verb_was_copied(const bp_verb *verb, const char *from, const char *to, const char *name)
{
    const bp_catalog *source = NULL;
    const bp_catalog *target = NULL;
    if (!find_catalog(verb, from, &source) || !find_catalog(verb, to, &target)) {
        return false;
    }
    g_autoptr(bp_manifest) original = finished(source, name);
    g_autoptr(bp_manifest) copy = finished(target, name);
    bool is_ours = original != NULL && copy != NULL && original->run_id != NULL &&
                   g_strcmp0(original->run_id, copy->run_id) == 0;
    if (is_ours) {
        describe(verb, copy);
    }
    bool is_foreign = original == NULL && copy == NULL && is_same_foreign(source, target, name);
    if (is_ours || is_foreign) {
        bp_json_set_text(verb->result, "from", bp_store_name(source->store));
        json_object_set_new(verb->result, "foreign", json_boolean(is_foreign));
    }
    return is_ours || is_foreign;
}
