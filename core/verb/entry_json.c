/* SPDX-License-Identifier: Apache-2.0
 *
 * See entry_json.h.
 */
#include "core/verb/entry_json.h"

#include "core/base/clock.h"
#include "core/base/json.h"

#include "sdk/lib/ban.h"

const char *
bp_entry_status(const bp_backup_entry *entry)
{
    if (entry->foreign) {
        return entry->problem != NULL ? "foreign (unusable)" : "foreign";
    }
    if (entry->state == BP_BACKUP_RUNNING) {
        return entry->stale ? "running (stale)" : "running";
    }
    if (entry->incomplete) {
        return "incomplete";
    }
    return bp_backup_state_name(entry->state);
}

static void
set_time(json_t *object, const char *key, gint64 wall_ns)
{
    if (wall_ns != 0) {
        g_autofree char *text = bp_clock_text(wall_ns);
        bp_json_set_text(object, key, text);
    }
}

json_t *
bp_entry_json(const bp_backup_entry *entry)
{
    json_t *object = json_object();
    bp_json_set_text(object, "name", entry->name);
    bp_json_set_text(object, "status", bp_entry_status(entry));
    json_object_set_new(object, "foreign", json_boolean(entry->foreign));
    json_object_set_new(object, "incomplete", json_boolean(entry->incomplete));
    json_object_set_new(object, "stale", json_boolean(entry->stale));
    bp_json_set_text(object, "problem", entry->problem);
    set_time(object, "started", entry->started_ns);
    set_time(object, "finished", entry->finished_ns);
    bp_json_set_u64(object, "items", entry->items);
    bp_json_set_u64(object, "bytes", entry->bytes);
    bp_json_set_text(object, "server_version", entry->server_version);
    bp_json_set_text(object, "source", entry->source_plugin);
    bp_json_set_text(object, "writer", entry->writer);
    bp_json_set_text(object, "label", entry->label);
    return object;
}

json_t *
bp_manifest_unit_json(const bp_manifest *manifest, const bp_manifest_unit *unit)
{
    const bp_manifest_unit *parent =
        unit->parent != NULL ? bp_manifest_find_unit(manifest, unit->parent) : NULL;
    json_t *one = json_object();
    bp_json_set_text(one, "kind", unit->kind);
    bp_json_set_text(one, "parent", parent != NULL ? parent->name : NULL);
    bp_json_set_text(one, "name", unit->name);
    if (unit->has_items) {
        bp_json_set_u64(one, "items", unit->items);
        bp_json_set_u64(one, "bytes", unit->bytes);
    }
    if (unit->has_proof) {
        bp_json_set_u64(one, "low", unit->low);
        bp_json_set_u64(one, "high", unit->high);
        bp_json_set_text(one, "what", manifest->proof_what);
        bp_json_set_text(one, "note", unit->note);
    }
    return one;
}

json_t *
bp_manifest_units_json(const bp_manifest *manifest)
{
    json_t *list = json_array();
    for (guint i = 0; i < manifest->units->len; i++) {
        const bp_manifest_unit *unit = g_ptr_array_index(manifest->units, i);
        json_array_append_new(list, bp_manifest_unit_json(manifest, unit));
    }
    return list;
}

json_t *
bp_manifest_item_units_json(const bp_manifest *manifest)
{
    json_t *list = json_array();
    for (guint i = 0; i < manifest->units->len; i++) {
        const bp_manifest_unit *unit = g_ptr_array_index(manifest->units, i);
        if (unit->has_items) {
            json_array_append_new(list, bp_manifest_unit_json(manifest, unit));
        }
    }
    return list;
}
