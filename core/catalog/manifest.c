/* SPDX-License-Identifier: Apache-2.0
 *
 * See manifest.h: making, freeing and writing one.  Reading is in manifest_parse.c.
 */
#include "core/catalog/manifest.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/catalog/sumtext.h"

#include "sdk/lib/ban.h"

const char *
bp_backup_state_name(bp_backup_state state)
{
    static const char *const names[] = {
        [BP_BACKUP_RUNNING] = "running",
        [BP_BACKUP_SUCCESS] = "success",
        [BP_BACKUP_FAILED] = "failed",
        [BP_BACKUP_DELETING] = "deleting",
    };
    return names[state];
}

static void
free_unit(gpointer unit)
{
    bp_manifest_unit_free(unit);
}

static void
free_file(gpointer file)
{
    bp_manifest_file_free(file);
}

bp_manifest *
bp_manifest_new(const char *name)
{
    bp_manifest *manifest = g_new0(bp_manifest, 1);
    manifest->version = BP_MANIFEST_VERSION;
    manifest->name = g_strdup(name);
    manifest->units = g_ptr_array_new_with_free_func(free_unit);
    manifest->documents = g_ptr_array_new_with_free_func(free_file);
    manifest->item_files = g_ptr_array_new_with_free_func(free_file);
    return manifest;
}

void
bp_manifest_free(bp_manifest *manifest)
{
    if (manifest == NULL) {
        return;
    }
    g_free(manifest->name);
    g_free(manifest->run_id);
    g_free(manifest->writer);
    g_free(manifest->error);
    g_free(manifest->source_plugin);
    g_free(manifest->source_address);
    g_free(manifest->server_version);
    g_free(manifest->label);
    g_free(manifest->proof_what);
    g_ptr_array_unref(manifest->units);
    g_ptr_array_unref(manifest->documents);
    g_ptr_array_unref(manifest->item_files);
    g_free(manifest);
}

bp_manifest_unit *
bp_manifest_unit_new(void)
{
    return g_new0(bp_manifest_unit, 1);
}

void
bp_manifest_unit_free(bp_manifest_unit *unit)
{
    if (unit == NULL) {
        return;
    }
    g_free(unit->id);
    g_free(unit->parent);
    g_free(unit->kind);
    g_free(unit->name);
    g_free(unit->note);
    g_free(unit);
}

bp_manifest_file *
bp_manifest_file_new(const char *key, guint64 size, const struct bp_checksum *checksum)
{
    bp_manifest_file *file = g_new0(bp_manifest_file, 1);
    file->key = g_strdup(key);
    file->size = size;
    file->checksum = *checksum;
    return file;
}

void
bp_manifest_file_free(bp_manifest_file *file)
{
    if (file != NULL) {
        g_free(file->key);
        g_free(file);
    }
}

bp_manifest_unit *
bp_manifest_find_unit(const bp_manifest *manifest, const char *id)
{
    for (guint i = 0; i < manifest->units->len; i++) {
        bp_manifest_unit *unit = g_ptr_array_index(manifest->units, i);
        if (strcmp(unit->id, id) == 0) {
            return unit;
        }
    }
    return NULL;
}

const char *
bp_manifest_parent_name(const bp_manifest *manifest, const char *id)
{
    if (id == NULL) {
        return "";
    }
    const bp_manifest_unit *parent = bp_manifest_find_unit(manifest, id);
    return parent != NULL ? parent->name : NULL;
}

bool
bp_manifest_has_document(const bp_manifest *manifest, const char *key)
{
    for (guint i = 0; i < manifest->documents->len; i++) {
        const bp_manifest_file *file = g_ptr_array_index(manifest->documents, i);
        if (strcmp(file->key, key) == 0) {
            return true;
        }
    }
    return false;
}

static void
set_time(json_t *out, const char *key, gint64 wall_ns)
{
    if (wall_ns != 0) {
        g_autofree char *text = bp_clock_text(wall_ns);
        bp_json_set_text(out, key, text);
    }
}

static void
set_flag(json_t *out, const char *key, bool value)
{
    if (value) {
        json_object_set_new(out, key, json_true());
    }
}

static json_t *
unit_to_json(const bp_manifest_unit *unit)
{
    json_t *out = json_object();
    bp_json_set_text(out, "id", unit->id);
    bp_json_set_text(out, "parent", unit->parent);
    bp_json_set_text(out, "kind", unit->kind);
    bp_json_set_text(out, "name", unit->name);
    set_flag(out, "has_items", unit->has_items);
    bp_json_set_u64(out, "items", unit->items);
    bp_json_set_u64(out, "bytes", unit->bytes);
    if (unit->has_proof) {
        json_t *proof = json_object();
        bp_json_set_u64(proof, "low", unit->low);
        bp_json_set_u64(proof, "high", unit->high);
        bp_json_set_u64(proof, "found", unit->found);
        set_flag(proof, "unprovable", unit->unprovable);
        bp_json_set_text(proof, "note", unit->note);
        json_object_set_new(out, "proof", proof);
    }
    return out;
}

static json_t *
files_to_json(const GPtrArray *files, bool with_items)
{
    json_t *out = json_array();
    for (guint i = 0; i < files->len; i++) {
        const bp_manifest_file *file = g_ptr_array_index(files, i);
        json_t *one = json_object();
        bp_json_set_text(one, "key", file->key);
        bp_json_set_u64(one, "size", file->size);
        g_autofree char *sum = bp_sumtext_dup(&file->checksum);
        bp_json_set_text(one, "checksum", sum);
        if (with_items) {
            bp_json_set_u64(one, "items", file->items);
        }
        json_array_append_new(out, one);
    }
    return out;
}

json_t *
bp_manifest_to_json(const bp_manifest *manifest)
{
    json_t *out = json_object();
    bp_json_set_u64(out, "version", manifest->version);
    bp_json_set_text(out, "name", manifest->name);
    bp_json_set_text(out, "state", bp_backup_state_name(manifest->state));
    bp_json_set_text(out, "error", manifest->error);
    bp_json_set_text(out, "run", manifest->run_id);
    bp_json_set_text(out, "writer", manifest->writer);
    set_time(out, "started", manifest->started_ns);
    set_time(out, "finished", manifest->finished_ns);

    json_t *source = json_object();
    bp_json_set_text(source, "plugin", manifest->source_plugin);
    bp_json_set_text(source, "address", manifest->source_address);
    bp_json_set_text(source, "server_version", manifest->server_version);
    json_object_set_new(out, "source", source);
    bp_json_set_text(out, "label", manifest->label);
    bp_json_set_text(out, "proof_what", manifest->proof_what);
    set_flag(out, "without_items", manifest->without_items);
    set_flag(out, "copying", manifest->copying);

    bp_json_set_u64(out, "items", manifest->items);
    bp_json_set_u64(out, "bytes", manifest->bytes);
    json_t *units = json_array();
    for (guint i = 0; i < manifest->units->len; i++) {
        json_array_append_new(units, unit_to_json(g_ptr_array_index(manifest->units, i)));
    }
    json_object_set_new(out, "units", units);
    json_object_set_new(out, "documents", files_to_json(manifest->documents, false));
    json_object_set_new(out, "item_files", files_to_json(manifest->item_files, true));
    return out;
}
