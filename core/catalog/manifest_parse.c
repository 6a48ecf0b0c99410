/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a manifest.  It comes from a storage that others can write: every member is checked,
 * what is not known is passed over, and nothing is believed that contradicts itself.
 */
#include "core/catalog/manifest.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/catalog/sumtext.h"
#include "sdk/lib/key.h"

#include "sdk/lib/ban.h"

/** What is being read, and where the reader is, for messages. */
typedef struct {
    const char *what;
    const char *list; /* "units" …, or NULL at the top */
    size_t index;
    GError **error;
} place;

static bool
wrong(const place *at, const char *member, const char *problem)
{
    g_autofree char *where =
        at->list != NULL ? g_strdup_printf("%s[%zu].", at->list, at->index) : g_strdup("");
    bp_set_error(at->error, BP_ERR_CORRUPT, "%s: \"%s%s\" %s", at->what, where, member, problem);
    return false;
}

static bool
get_text(const place *at, const json_t *object, const char *member, bool required, char **out)
{
    const json_t *value = json_object_get(object, member);
    if (value == NULL) {
        return !required || wrong(at, member, "is missing");
    }
    if (!json_is_string(value) || (required && *json_string_value(value) == '\0')) {
        return wrong(at, member, "is not the text it should be");
    }
    *out = g_strdup(json_string_value(value));
    return true;
}

static bool
get_number(const place *at, const json_t *object, const char *member, guint64 *out)
{
    const json_t *value = json_object_get(object, member);
    if (value == NULL) {
        return true;
    }
    if (!json_is_integer(value) || json_integer_value(value) < 0) {
        return wrong(at, member, "is not a number from 0");
    }
    *out = (guint64)json_integer_value(value);
    return true;
}

static bool
get_flag(const place *at, const json_t *object, const char *member, bool *out)
{
    const json_t *value = json_object_get(object, member);
    if (value != NULL && !json_is_boolean(value)) {
        return wrong(at, member, "is neither true nor false");
    }
    *out = json_is_true(value);
    return true;
}

static bool
get_time(const place *at, const json_t *object, const char *member, gint64 *out)
{
    g_autofree char *text = NULL;
    if (!get_text(at, object, member, false, &text)) {
        return false;
    }
    *out = bp_clock_parse(text);
    return text == NULL || *out != 0 || wrong(at, member, "is no time");
}

static bool
get_array(const place *at, const json_t *object, const char *member, const json_t **out)
{
    *out = json_object_get(object, member);
    return *out == NULL || json_is_array(*out) || wrong(at, member, "is not a list");
}

static bool
get_state(const place *at, const json_t *root, bp_backup_state *out)
{
    const char *name = bp_json_text(root, "state", "");
    for (int i = BP_BACKUP_RUNNING; i <= BP_BACKUP_DELETING; i++) {
        if (strcmp(name, bp_backup_state_name((bp_backup_state)i)) == 0) {
            *out = (bp_backup_state)i;
            return true;
        }
    }
    return wrong(at, "state", "is none that there is");
}

/* Before all else: a newer manifest may look different in every other respect. */
static bool
check_version(const place *at, const json_t *root)
{
    guint64 version = bp_json_u64(root, "version", 0);
    if (version == 0) {
        return wrong(at, "version", "is missing or no number from 1");
    }
    if (version > BP_MANIFEST_VERSION) {
        bp_set_error(at->error, BP_ERR_UNSUPPORTED,
                     "%s has version %" G_GUINT64_FORMAT ", this bakplane reads up to %d", at->what,
                     version, BP_MANIFEST_VERSION);
        bp_error_add_hint(at->error, "use the bakplane that wrote it, or a newer one");
        return false;
    }
    return true;
}

static bool
parse_proof(const place *at, const json_t *object, bp_manifest_unit *unit)
{
    const json_t *proof = json_object_get(object, "proof");
    if (proof == NULL) {
        return true;
    }
    if (!json_is_object(proof)) {
        return wrong(at, "proof", "is not an object");
    }
    unit->has_proof = true;
    unit->low = unit->high = unit->found = BP_UNKNOWN; /* how BP_UNKNOWN is written */
    return get_number(at, proof, "low", &unit->low) && get_number(at, proof, "high", &unit->high) &&
           get_number(at, proof, "found", &unit->found) &&
           get_flag(at, proof, "unprovable", &unit->unprovable) &&
           get_text(at, proof, "note", false, &unit->note);
}

static bool
parse_unit(const place *at, const json_t *object, bp_manifest_unit *unit)
{
    return get_text(at, object, "id", true, &unit->id) &&
           get_text(at, object, "parent", false, &unit->parent) &&
           get_text(at, object, "kind", true, &unit->kind) &&
           get_text(at, object, "name", false, &unit->name) &&
           get_flag(at, object, "has_items", &unit->has_items) &&
           get_number(at, object, "items", &unit->items) &&
           get_number(at, object, "bytes", &unit->bytes) && parse_proof(at, object, unit);
}

static bool
parse_units(place at, const json_t *root, bp_manifest *manifest)
{
    const json_t *list = NULL;
    if (!get_array(&at, root, "units", &list)) {
        return false;
    }
    g_autoptr(GHashTable) ids = g_hash_table_new(g_str_hash, g_str_equal);
    at.list = "units";
    for (at.index = 0; at.index < json_array_size(list); at.index++) {
        bp_manifest_unit *unit = bp_manifest_unit_new();
        g_ptr_array_add(manifest->units, unit);
        if (!parse_unit(&at, json_array_get(list, at.index), unit)) {
            return false;
        }
        if (unit->name == NULL) {
            unit->name = g_strdup("");
        }
        if (unit->parent != NULL && !g_hash_table_contains(ids, unit->parent)) {
            return wrong(&at, "parent", "names no unit before it");
        }
        if (!g_hash_table_add(ids, unit->id)) {
            return wrong(&at, "id", "is there twice");
        }
    }
    return true;
}

static bool
parse_file(const place *at, const json_t *object, bool of_ours, bp_manifest_file *file)
{
    g_autofree char *sum = NULL;
    file->size = BP_UNKNOWN;
    if (!get_text(at, object, "key", true, &file->key) ||
        !get_number(at, object, "size", &file->size) ||
        !get_number(at, object, "items", &file->items) ||
        !get_text(at, object, "checksum", true, &sum)) {
        return false;
    }
    const char *why = NULL;
    if (bp_key_check(file->key, &why) != 0) {
        return wrong(at, "key", why);
    }
    if (g_str_has_prefix(file->key, "bakplane/") != of_ours) {
        return wrong(at, "key", of_ours ? "does not lie below bakplane/" : "lies below bakplane/");
    }
    if (file->size == BP_UNKNOWN) {
        return wrong(at, "size", "is missing");
    }
    return (bp_sumtext_parse(sum, &file->checksum) &&
            file->checksum.kind == BP_CHECKSUM_XXH3_128) ||
           wrong(at, "checksum", "is no XXH3-128");
}

static bool
parse_files(place at, const json_t *root, const char *member, GPtrArray *files)
{
    const json_t *list = NULL;
    if (!get_array(&at, root, member, &list)) {
        return false;
    }
    bool of_ours = strcmp(member, "item_files") == 0;
    g_autoptr(GHashTable) keys = g_hash_table_new(g_str_hash, g_str_equal);
    at.list = member;
    for (at.index = 0; at.index < json_array_size(list); at.index++) {
        bp_manifest_file *file = g_new0(bp_manifest_file, 1);
        g_ptr_array_add(files, file);
        if (!parse_file(&at, json_array_get(list, at.index), of_ours, file)) {
            return false;
        }
        if (!g_hash_table_add(keys, file->key)) {
            return wrong(&at, "key", "is there twice");
        }
    }
    return true;
}

static bool
parse_members(place at, const json_t *root, bp_manifest *manifest)
{
    const json_t *source = json_object_get(root, "source");
    if (source != NULL && !json_is_object(source)) {
        return wrong(&at, "source", "is not an object");
    }
    return get_text(&at, root, "name", true, &manifest->name) &&
           get_state(&at, root, &manifest->state) &&
           get_text(&at, root, "error", false, &manifest->error) &&
           get_text(&at, root, "run", false, &manifest->run_id) &&
           get_text(&at, root, "writer", false, &manifest->writer) &&
           get_time(&at, root, "started", &manifest->started_ns) &&
           get_time(&at, root, "finished", &manifest->finished_ns) &&
           get_text(&at, source, "plugin", false, &manifest->source_plugin) &&
           get_text(&at, source, "address", false, &manifest->source_address) &&
           get_text(&at, source, "server_version", false, &manifest->server_version) &&
           get_text(&at, root, "label", false, &manifest->label) &&
           get_text(&at, root, "proof_what", false, &manifest->proof_what) &&
           get_flag(&at, root, "without_items", &manifest->without_items) &&
           get_flag(&at, root, "copying", &manifest->copying) &&
           get_number(&at, root, "items", &manifest->items) &&
           get_number(&at, root, "bytes", &manifest->bytes) && parse_units(at, root, manifest) &&
           parse_files(at, root, "documents", manifest->documents) &&
           parse_files(at, root, "item_files", manifest->item_files);
}

/* Counts that were summed up when it was written must still add up. */
static bool
check_sums(const place *at, const bp_manifest *manifest)
{
    guint64 items = 0;
    guint64 bytes = 0;
    guint64 filed = 0;
    for (guint i = 0; i < manifest->units->len; i++) {
        const bp_manifest_unit *unit = g_ptr_array_index(manifest->units, i);
        if (!g_uint64_checked_add(&items, items, unit->items) ||
            !g_uint64_checked_add(&bytes, bytes, unit->bytes)) {
            return wrong(at, "units", "add up to more than there can be");
        }
    }
    for (guint i = 0; i < manifest->item_files->len; i++) {
        const bp_manifest_file *file = g_ptr_array_index(manifest->item_files, i);
        if (!g_uint64_checked_add(&filed, filed, file->items)) {
            return wrong(at, "item_files", "add up to more than there can be");
        }
    }
    if (items != manifest->items || filed != manifest->items) {
        return wrong(at, "items", "is not the sum of its parts");
    }
    return bytes == manifest->bytes || wrong(at, "bytes", "is not the sum of its parts");
}

bp_manifest *
bp_manifest_parse(const char *text, gsize n, const char *what, GError **error)
{
    g_autoptr(json_t) root = bp_json_parse(text, n, what, error);
    if (root == NULL) {
        return NULL;
    }
    place at = {.what = what, .error = error};
    g_autoptr(bp_manifest) manifest = bp_manifest_new(NULL);
    if (!check_version(&at, root) || !parse_members(at, root, manifest)) {
        return NULL;
    }
    manifest->version = (guint)bp_json_u64(root, "version", 0);
    if (manifest->state == BP_BACKUP_SUCCESS) {
        if (manifest->documents->len == 0) {
            (void)wrong(&at, "documents", "is empty although the state is success");
            return NULL;
        }
        if (!check_sums(&at, manifest)) {
            return NULL;
        }
    }
    return g_steal_pointer(&manifest);
}
