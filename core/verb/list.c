/* SPDX-License-Identifier: Apache-2.0
 *
 * bakplane list and get: what is on the backup storage.  Needs no running source.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/verb/entry_json.h"
#include "core/verb/view.h"

#include "sdk/lib/ban.h"

#define DOCUMENT_MAX (256 << 20)

/* What a backup has to hold to be listed. */
typedef struct {
    bp_selection *selection;
    const char *name; /* below whatever parent; then there is no selection */
} wanted_unit;

static bool
manifest_holds(const bp_manifest *manifest, const wanted_unit *wanted)
{
    for (guint i = 0; i < manifest->units->len; i++) {
        const bp_manifest_unit *unit = g_ptr_array_index(manifest->units, i);
        const char *parent = bp_manifest_parent_name(manifest, unit->parent);
        bool fits =
            wanted->name != NULL
                ? strcmp(unit->name, wanted->name) == 0
                : parent != NULL && bp_selection_wants_child(wanted->selection, parent, unit->name);
        if (unit->has_items && fits) {
            return true;
        }
    }
    return false;
}

/* Whether a backup holds a unit.  What cannot be read is left out, and said; false = cancelled. */
static bool
backup_holds(const bp_verb *verb, const bp_backup_entry *entry, const wanted_unit *wanted,
             bool *holds, GError **error)
{
    g_auto(bp_view) view = {0};
    g_autoptr(GError) problem = NULL;
    *holds = false;
    if (!entry->foreign && (entry->state != BP_BACKUP_SUCCESS || entry->incomplete)) {
        return bp_cancel_check(bp_workspace_call(verb->workspace)->cancel, error);
    }
    if (bp_view_open(verb, entry->name, &view, &problem)) {
        *holds = manifest_holds(view.manifest, wanted);
    } else if (bp_error_is(problem, BP_ERR_CANCELLED)) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    } else {
        bp_monitor_note(verb->monitor, BP_NOTE_WARN, "list", problem->message);
    }
    return true;
}

bp_verb_outcome
bp_verb_list(const bp_verb *verb, const char *child, GError **error)
{
    const bp_catalog *catalog = NULL;
    bp_json_set_text(verb->result, "job", "list");
    if (!bp_workspace_catalog(verb->workspace, &catalog, error)) {
        return BP_VERB_FAILED;
    }
    g_autoptr(bp_selection) selection = NULL;
    bool any = child != NULL && g_str_has_prefix(child, "*.");
    if (child != NULL && !any) {
        bp_source_inst *source = bp_workspace_source(verb->workspace, error);
        bp_select_text text = {.children = child};
        selection = source != NULL
                        ? bp_select_parse(&text, bp_source_facts(source)->default_parent, error)
                        : NULL;
        if (selection == NULL) {
            return BP_VERB_FAILED;
        }
    }
    wanted_unit wanted = {.selection = selection, .name = any ? child + 2 : NULL};
    g_autoptr(GPtrArray) entries = bp_catalog_list(catalog, error);
    if (entries == NULL) {
        return BP_VERB_FAILED;
    }
    json_t *list = json_array();
    json_object_set_new(verb->result, "backups", list);
    for (guint i = 0; i < entries->len; i++) {
        const bp_backup_entry *entry = g_ptr_array_index(entries, i);
        bool shown = true;
        if (child != NULL && !backup_holds(verb, entry, &wanted, &shown, error)) {
            return BP_VERB_FAILED;
        }
        if (shown) {
            json_array_append_new(list, bp_entry_json(entry));
        }
    }
    return BP_VERB_OK;
}

static void
add_documents(json_t *result, const bp_manifest *manifest)
{
    json_t *list = json_array();
    for (guint i = 0; i < manifest->documents->len; i++) {
        const bp_manifest_file *file = g_ptr_array_index(manifest->documents, i);
        json_array_append_new(list, json_string(file->key));
    }
    json_object_set_new(result, "documents", list);
}

bp_verb_outcome
bp_verb_get(const bp_verb *verb, const char *name, bool detail, GError **error)
{
    const bp_catalog *catalog = NULL;
    bp_json_set_text(verb->result, "job", "get");
    if (!bp_workspace_catalog(verb->workspace, &catalog, error)) {
        return BP_VERB_FAILED;
    }
    g_autoptr(bp_backup_entry) entry = bp_catalog_find(catalog, name, error);
    if (entry == NULL) {
        return BP_VERB_FAILED;
    }
    g_autoptr(json_t) facts = bp_entry_json(entry);
    json_object_update(verb->result, facts);
    g_autoptr(bp_manifest) manifest = NULL;
    g_autoptr(GError) unread = NULL;
    g_auto(bp_view) view = {0};
    const bp_manifest *shown = NULL;
    if (entry->foreign) {
        if (!bp_view_open(verb, name, &view, error)) {
            return BP_VERB_FAILED;
        }
        shown = view.manifest;
        bp_json_set_u64(verb->result, "items", shown->items);
        bp_json_set_u64(verb->result, "bytes", shown->bytes);
        bp_json_set_text(verb->result, "server_version", shown->server_version);
    } else {
        manifest = bp_catalog_manifest(catalog, name, &unread);
        shown = manifest;
        if (manifest == NULL && entry->problem == NULL) { /* else that says why there is none */
            g_propagate_error(error, g_steal_pointer(&unread));
            return BP_VERB_FAILED;
        }
    }
    if (shown != NULL) {
        bp_json_set_text(verb->result, "source_address", shown->source_address);
    }
    if (shown != NULL && shown->error != NULL) {
        bp_json_set_text(verb->result, "error", shown->error);
    }
    if (shown != NULL && detail) {
        json_object_set_new(verb->result, "units", bp_manifest_units_json(shown));
        add_documents(verb->result, shown);
    }
    return BP_VERB_OK;
}

bp_verb_outcome
bp_verb_document(const bp_verb *verb, const char *name, const char *key, GError **error)
{
    const bp_catalog *catalog = NULL;
    bp_json_set_text(verb->result, "job", "get");
    if (!bp_workspace_catalog(verb->workspace, &catalog, error)) {
        return BP_VERB_FAILED;
    }
    g_autoptr(bp_backup_entry) entry = bp_catalog_find(catalog, name, error);
    g_autoptr(GBytes) bytes =
        entry != NULL ? bp_catalog_document(catalog, name, key, DOCUMENT_MAX, error) : NULL;
    if (bytes == NULL) {
        return BP_VERB_FAILED;
    }
    bp_json_set_text(verb->result, "name", name);
    bp_json_set_text(verb->result, "document", key);
    bp_json_set_text(verb->result, "text", g_bytes_get_data(bytes, NULL));
    return BP_VERB_OK;
}
