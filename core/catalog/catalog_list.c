/* SPDX-License-Identifier: Apache-2.0
 *
 * See catalog.h: what backups there are, and what is to be thought of each.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/catalog/catalog.h"
#include "core/catalog/catalog_internal.h"
#include "core/catalog/lease.h"
#include "core/catalog/name.h"

#include "sdk/lib/ban.h"

void
bp_backup_entry_free(bp_backup_entry *entry)
{
    if (entry == NULL) {
        return;
    }
    g_free(entry->name);
    g_free(entry->problem);
    g_free(entry->server_version);
    g_free(entry->label);
    g_free(entry->source_plugin);
    g_free(entry->writer);
    g_free(entry->run_id);
    g_free(entry);
}

static bp_backup_entry *
entry_new(const char *name)
{
    bp_backup_entry *entry = g_new0(bp_backup_entry, 1);
    entry->name = g_strdup(name);
    entry->state = BP_BACKUP_FAILED;
    entry->items = entry->bytes = BP_UNKNOWN;
    return entry;
}

/* "<first line>" of an error: a list has one line for each. */
static char *
first_line(const char *text)
{
    const char *end = strchr(text, '\n');
    return g_strndup(text, end != NULL ? (gsize)(end - text) : strlen(text));
}

/* One look at the lease: is the one who set this state still at it? */
static bool
look_for_writer(const bp_catalog *catalog, bp_backup_entry *entry, bp_lease_state *state,
                char **holder, GError **error)
{
    g_autofree char *key = bp_catalog_key(entry->name, BP_CATALOG_LEASE);
    return bp_lease_look(catalog, key, state, holder, error);
}

/* Success needs every document; each is looked at. */
static bool
check_documents(const bp_catalog *catalog, const bp_manifest *manifest, bp_backup_entry *entry,
                GError **error)
{
    for (guint i = 0; i < manifest->documents->len; i++) {
        const bp_manifest_file *document = g_ptr_array_index(manifest->documents, i);
        g_autofree char *key = bp_catalog_key(entry->name, document->key);
        struct bp_object_meta meta = {.struct_size = sizeof meta};
        g_autoptr(GError) failed = NULL;
        if (bp_catalog__stat(catalog, key, &meta, &failed)) {
            if (meta.size == document->size) {
                continue;
            }
            entry->problem = g_strdup_printf("document %s has %" G_GUINT64_FORMAT
                                             " bytes instead of %" G_GUINT64_FORMAT,
                                             document->key, meta.size, document->size);
        } else if (bp_error_is(failed, BP_ERR_NOT_FOUND)) {
            entry->problem = g_strdup_printf("document %s is missing", document->key);
        } else {
            g_propagate_error(error, g_steal_pointer(&failed));
            return false;
        }
        entry->incomplete = true;
        return true;
    }
    return true;
}

static bool
judge_unfinished(const bp_catalog *catalog, bp_backup_entry *entry, GError **error)
{
    const char *what = entry->state == BP_BACKUP_RUNNING ? "being written" : "being deleted";
    bp_lease_state state = BP_LEASE_NONE;
    g_autofree char *holder = NULL;
    if (!look_for_writer(catalog, entry, &state, &holder, error)) {
        return false;
    }
    entry->stale = state == BP_LEASE_NONE || state == BP_LEASE_DEAD;
    if (entry->stale) {
        entry->problem = g_strdup_printf("was %s, but nobody does so any more", what);
    } else {
        entry->problem = g_strdup_printf("is %s by %s", what, holder);
    }
    return true;
}

/* Success is on record before the document that ends a backup: perhaps its writer is just there. */
static bool
judge_incomplete(const bp_catalog *catalog, bp_backup_entry *entry, GError **error)
{
    bp_lease_state state = BP_LEASE_NONE;
    g_autofree char *holder = NULL;
    if (!look_for_writer(catalog, entry, &state, &holder, error)) {
        return false;
    }
    if (state != BP_LEASE_NONE && state != BP_LEASE_DEAD) {
        g_autofree char *problem = g_steal_pointer(&entry->problem);
        entry->problem =
            g_strdup_printf("is at its end: %s, and %s is at work there", problem, holder);
        entry->state = BP_BACKUP_RUNNING;
        entry->incomplete = false;
    }
    return true;
}

static bool
fill_ours(const bp_catalog *catalog, const bp_manifest *manifest, bp_backup_entry *entry,
          GError **error)
{
    entry->state = manifest->state;
    entry->copying = manifest->copying;
    entry->started_ns = manifest->started_ns;
    entry->finished_ns = manifest->finished_ns;
    entry->items = manifest->items;
    entry->bytes = manifest->bytes;
    entry->server_version = g_strdup(manifest->server_version);
    entry->label = g_strdup(manifest->label);
    entry->source_plugin = g_strdup(manifest->source_plugin);
    entry->writer = g_strdup(manifest->writer);
    entry->run_id = g_strdup(manifest->run_id);
    switch (manifest->state) {
    case BP_BACKUP_SUCCESS:
        return check_documents(catalog, manifest, entry, error) &&
               (!entry->incomplete || judge_incomplete(catalog, entry, error));
    case BP_BACKUP_FAILED:
        entry->problem = first_line(manifest->error != NULL ? manifest->error : "failed");
        return true;
    case BP_BACKUP_RUNNING:
    case BP_BACKUP_DELETING:
        break;
    }
    return judge_unfinished(catalog, entry, error);
}

/* Nothing but a lease: a run that has just begun, or one that came no further. */
static bool
judge_remains(const bp_catalog *catalog, bp_backup_entry *entry, GError **error)
{
    bp_lease_state state = BP_LEASE_NONE;
    g_autofree char *holder = NULL;
    if (!look_for_writer(catalog, entry, &state, &holder, error)) {
        return false;
    }
    if (state == BP_LEASE_LIVE) {
        entry->state = BP_BACKUP_RUNNING;
        entry->problem = g_strdup_printf("is being started by %s", holder);
        return true;
    }
    entry->incomplete = true;
    entry->problem = g_strdup("has no manifest: remains of a run that ended early");
    return true;
}

/*
 * No manifest.  Its commit document makes it a backup of another tool; else it is remains.
 * @is_backup becomes false for a directory that is nothing of this kind.
 */
static bool
inspect_unrecorded(const bp_catalog *catalog, bp_backup_entry *entry, bool *is_backup,
                   GError **error)
{
    *is_backup = true;
    struct bp_object_meta meta = {.struct_size = sizeof meta};
    g_autoptr(GError) failed = NULL;
    if (catalog->commit_document != NULL) {
        g_autofree char *commit = bp_catalog_key(entry->name, catalog->commit_document);
        if (bp_catalog__stat(catalog, commit, &meta, &failed)) {
            entry->foreign = true;
            entry->state = BP_BACKUP_SUCCESS;
            entry->finished_ns = meta.mtime_ns;
            return true;
        }
        if (!bp_error_is(failed, BP_ERR_NOT_FOUND)) {
            g_propagate_error(error, g_steal_pointer(&failed));
            return false;
        }
    }
    g_autofree char *ours = bp_catalog_key(entry->name, BP_OURS);
    bool begun = false;
    if (!bp_catalog__has_any(catalog, ours, &begun, error)) {
        return false;
    }
    if (begun) {
        entry->begun = true;
        return judge_remains(catalog, entry, error);
    }
    *is_backup = !catalog->shared && bp_backup_name_check(entry->name, NULL);
    entry->incomplete = true;
    entry->problem = g_strdup("has neither a manifest nor the document that ends a backup");
    return true;
}

/* @is_backup false: nothing that a list shows. */
static bp_backup_entry *
inspect_once(const bp_catalog *catalog, const char *name, bool *is_backup, GError **error)
{
    *is_backup = true;
    g_autoptr(bp_backup_entry) entry = entry_new(name);
    g_autoptr(GError) failed = NULL;
    g_autoptr(bp_manifest) manifest = bp_catalog_manifest(catalog, name, &failed);
    bool ok = true;
    entry->begun = !bp_error_is(failed, BP_ERR_NOT_FOUND);
    if (manifest != NULL) {
        ok = fill_ours(catalog, manifest, entry, error);
    } else if (bp_error_is(failed, BP_ERR_NOT_FOUND)) {
        ok = inspect_unrecorded(catalog, entry, is_backup, error);
    } else if (bp_error_is(failed, BP_ERR_CORRUPT) || bp_error_is(failed, BP_ERR_UNSUPPORTED)) {
        entry->incomplete = bp_error_is(failed, BP_ERR_CORRUPT);
        entry->problem = first_line(failed->message);
    } else {
        g_propagate_error(error, g_steal_pointer(&failed));
        ok = false;
    }
    return ok ? g_steal_pointer(&entry) : NULL;
}

/*
 * A run that ended between our looks at what it wrote and at its lease looks like one that was
 * killed.  Once the lease was seen to be free, what it wrote is looked at again.
 */
static bp_backup_entry *
inspect(const bp_catalog *catalog, const char *name, bool *is_backup, GError **error)
{
    bp_backup_entry *entry = inspect_once(catalog, name, is_backup, error);
    if (entry != NULL && entry->begun && (entry->stale || entry->incomplete)) {
        bp_backup_entry_free(entry);
        entry = inspect_once(catalog, name, is_backup, error);
    }
    return entry;
}

static void
free_entry(gpointer entry)
{
    bp_backup_entry_free(entry);
}

/* Names of the children, sorted, without their slash. */
static GPtrArray *
children(const bp_catalog *catalog, GError **error)
{
    GPtrArray *names = bp_catalog__names(catalog, "", '/', error);
    for (guint i = 0; names != NULL && i < names->len; i++) {
        char *name = g_ptr_array_index(names, i);
        name[strlen(name) - 1] = '\0';
    }
    return names;
}

static gint
compare_entries(gconstpointer a, gconstpointer b)
{
    const bp_backup_entry *const *left = a;
    const bp_backup_entry *const *right = b;
    return strcmp((*left)->name, (*right)->name);
}

GPtrArray *
bp_catalog_list(const bp_catalog *catalog, GError **error)
{
    g_autoptr(GPtrArray) names = children(catalog, error);
    if (names == NULL) {
        return NULL;
    }
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func(free_entry);
    for (guint i = 0; i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);
        bool is_backup = true;
        if (g_strcmp0(name, catalog->taken) == 0) {
            continue;
        }
        g_autoptr(GError) failed = NULL;
        g_autoptr(bp_backup_entry) entry = inspect(catalog, name, &is_backup, &failed);
        if (bp_error_is(failed, BP_ERR_CANCELLED)) {
            g_propagate_error(error, g_steal_pointer(&failed));
            return NULL;
        }
        if (entry == NULL) {
            entry = entry_new(name);
            entry->incomplete = true;
            entry->problem = first_line(failed->message);
        }
        if (is_backup) {
            g_ptr_array_add(entries, g_steal_pointer(&entry));
        }
    }
    g_ptr_array_sort(entries, compare_entries); /* without its slash "b_0" may change places */
    return g_steal_pointer(&entries);
}

void
bp_catalog__set_not_found(const bp_catalog *catalog, const char *name, GError **error)
{
    bp_set_error(error, BP_ERR_NOT_FOUND, "there is no backup \"%s\" on storage %s", name,
                 bp_store_name(catalog->store));
    g_autoptr(GPtrArray) names = children(catalog, NULL); /* only for a hint */
    if (names == NULL) {
        return;
    }
    const char *near = bp_text_nearest(name, (const char *const *)names->pdata, (gsize)names->len);
    if (near != NULL) {
        bp_error_add_hint(error, "did you mean \"%s\"?", near);
    }
}

bp_backup_entry *
bp_catalog_find(const bp_catalog *catalog, const char *name, GError **error)
{
    if (!bp_catalog__check_child(catalog, name, error)) {
        return NULL;
    }
    bool is_backup = true;
    g_autoptr(bp_backup_entry) entry = inspect(catalog, name, &is_backup, error);
    if (entry == NULL) {
        return NULL;
    }
    if (entry->incomplete) {
        /* The slash matters: b_0 must not be found because of b_057. */
        g_autofree char *prefix = bp_catalog_key(name, "");
        bool any = false;
        if (!bp_catalog__has_any(catalog, prefix, &any, error)) {
            return NULL;
        }
        if (!any) {
            bp_catalog__set_not_found(catalog, name, error);
            return NULL;
        }
    }
    return g_steal_pointer(&entry);
}
