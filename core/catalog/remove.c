/* SPDX-License-Identifier: Apache-2.0
 *
 * See catalog.h: deleting a backup, in an order that never leaves something behind that anybody
 * takes for a whole backup: state, documents, data, our record.  Each phase may be repeated.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/catalog/catalog.h"
#include "core/catalog/catalog_internal.h"
#include "core/catalog/journal.h"
#include "core/catalog/lease.h"
#include "core/catalog/uploads.h"

#include "sdk/lib/ban.h"

#define BP_LOG_MODULE "catalog"

typedef struct {
    const bp_catalog *catalog;
    const char *name;
    bool force;
    const bp_backup_entry *listed; /* what is to go and nothing else of that name, or NULL */
    bp_manifest *manifest;         /* NULL = none */
    bool begun;                    /* something lies below bakplane/ */
    bool foreign;                  /* no manifest, but the document that ends a backup */
    gint64 ended_ns;               /* … and when that was written, as the storage says */
    bool gone;                     /* nothing lies there */
    guint64 removed;
    bp_remove_progress progress;
    void *ctx;
} removal;

/* A manifest that nobody can read still gets the state "deleting": it is replaced by an empty one.
 */
static bool
load_manifest(removal *r, GError **error)
{
    GError *failed = NULL;
    r->manifest = bp_catalog_manifest(r->catalog, r->name, &failed);
    if (r->manifest != NULL || bp_error_is(failed, BP_ERR_NOT_FOUND)) {
        g_clear_error(&failed);
        return true;
    }
    bool newer = bp_error_is(failed, BP_ERR_UNSUPPORTED);
    if (bp_error_is(failed, BP_ERR_CORRUPT) || (newer && r->force)) {
        g_clear_error(&failed);
        r->manifest = bp_manifest_new(r->name);
        r->manifest->state = BP_BACKUP_FAILED;
        return true;
    }
    g_propagate_error(error, failed);
    return false;
}

static bool
has_commit_document(removal *r, bool *out, GError **error)
{
    *out = false;
    if (r->catalog->commit_document == NULL) {
        return true;
    }
    g_autofree char *key = bp_catalog_key(r->name, r->catalog->commit_document);
    struct bp_object_meta meta = {.struct_size = sizeof meta};
    GError *failed = NULL;
    *out = bp_catalog__stat(r->catalog, key, &meta, &failed);
    r->ended_ns = meta.mtime_ns;
    if (*out || bp_error_is(failed, BP_ERR_NOT_FOUND)) {
        g_clear_error(&failed);
        return true;
    }
    g_propagate_error(error, failed);
    return false;
}

/* What is there; NOT_FOUND when nothing is. */
static bool
look(removal *r, GError **error)
{
    g_autofree char *all = bp_catalog_key(r->name, "");
    g_autofree char *ours = bp_catalog_key(r->name, BP_OURS);
    bool any = false;
    if (!bp_catalog__check_child(r->catalog, r->name, error) || !load_manifest(r, error) ||
        !bp_catalog__has_any(r->catalog, all, &any, error)) {
        return false;
    }
    if (!any && r->manifest == NULL) { /* which can be read even if it is not listed yet */
        r->gone = true;
        bp_catalog__set_not_found(r->catalog, r->name, error);
        return false;
    }
    if (!bp_catalog__has_any(r->catalog, ours, &r->begun, error)) {
        return false;
    }
    r->begun = r->begun || r->manifest != NULL;
    if (r->manifest == NULL && !has_commit_document(r, &r->foreign, error)) {
        return false;
    }
    if (r->catalog->shared && !r->begun && !r->foreign) { /* --force is not meant for this */
        bp_set_error(error, BP_ERR_INVALID,
                     "\"%s\" is no backup: there the source keeps its own data", r->name);
        return false;
    }
    return true;
}

static bool
refuse_another(const removal *r, GError **error)
{
    bp_set_error(error, BP_ERR_EXISTS,
                 "backup %s was made anew by another run meanwhile, so it stays\nhint: delete it "
                 "again if the new one is to go as well",
                 r->name);
    return false;
}

/* What a list called by that name. */
static bool
is_listed(const removal *r)
{
    const bp_backup_entry *entry = r->listed;
    if (r->manifest != NULL || !r->foreign) {
        return r->manifest != NULL && g_strcmp0(r->manifest->run_id, entry->run_id) == 0;
    }
    return entry->foreign && r->ended_ns == entry->finished_ns;
}

/*
 * Nobody else writes there from now on, but looking, and waiting for the lease, took its time: what
 * another run has finished meanwhile is not what was to go.
 */
static bool
look_again(removal *r, GError **error)
{
    g_autoptr(bp_manifest) seen = g_steal_pointer(&r->manifest);
    if (!load_manifest(r, error)) {
        return false;
    }
    const bp_manifest *now = r->manifest;
    if (r->listed != NULL) { /* without a manifest somebody else has all but deleted it */
        return now == NULL || is_listed(r) || refuse_another(r, error);
    }
    bool is_whole = now != NULL && now->state == BP_BACKUP_SUCCESS;
    bool was_it = seen != NULL && seen->state == BP_BACKUP_SUCCESS && now != NULL &&
                  g_strcmp0(seen->run_id, now->run_id) == 0;
    return !is_whole || was_it || refuse_another(r, error);
}

static bool
purge(removal *r, const char *step, const char *rest, bool (*keep)(void *ctx, const char *key),
      GError **error)
{
    g_autofree char *prefix = bp_catalog_key(r->name, rest);
    bp_purge params = {.catalog = r->catalog,
                       .step = step,
                       .prefix = prefix,
                       .keep = keep,
                       .ctx = r,
                       .progress = r->progress,
                       .progress_ctx = r->ctx,
                       .removed = &r->removed};
    return bp_catalog__purge(&params, error);
}

static bool
keep_ours(void *ctx, const char *key)
{
    const removal *r = ctx;
    return g_str_has_prefix(key + strlen(r->name) + 1, BP_OURS);
}

/* The manifest goes last, and the lease goes with its holder. */
static bool
keep_manifest_and_lease(void *ctx, const char *key)
{
    const removal *r = ctx;
    const char *rest = key + strlen(r->name) + 1;
    return strcmp(rest, BP_CATALOG_MANIFEST) == 0 || strcmp(rest, BP_CATALOG_LEASE) == 0;
}

/*
 * On a full storage nothing can be written, but deleting must go on: it makes room.  Without the
 * mark the documents, which go first, tell that this is no whole backup any more.
 */
static bool
mark(removal *r, GError **error)
{
    if (r->manifest == NULL) {
        return true;
    }
    r->manifest->state = BP_BACKUP_DELETING;
    GError *failed = NULL;
    if (bp_catalog_save(r->catalog, r->manifest, &failed)) {
        return true;
    }
    if (bp_error_is(failed, BP_ERR_NO_SPACE)) {
        BP_WARN("storage is full: deleting without a mark", "backup", r->name);
        g_clear_error(&failed);
        return true;
    }
    g_propagate_error(error, failed);
    return false;
}

static bool
remove_document(removal *r, const char *rest, GError **error)
{
    g_autofree char *key = bp_catalog_key(r->name, rest);
    return bp_catalog__pass("catalog.remove_document", ".before", error) &&
           bp_catalog__remove(r->catalog, key, error) &&
           bp_catalog__pass("catalog.remove_document", ".after", error);
}

/*
 * First the one that ends a backup, then all others: those of the manifest, and whatever lies in
 * the folder of the one that ends it.  The barrier keeps this order over a power loss.
 */
static bool
remove_documents(removal *r, GError **error)
{
    const char *commit = r->catalog->commit_document;
    if (commit != NULL && !remove_document(r, commit, error)) {
        return false;
    }
    for (guint i = r->manifest != NULL ? r->manifest->documents->len : 0; i > 0; i--) {
        const bp_manifest_file *file = g_ptr_array_index(r->manifest->documents, i - 1);
        if (!remove_document(r, file->key, error)) {
            return false;
        }
    }
    const char *slash = commit != NULL ? strrchr(commit, '/') : NULL;
    if (slash != NULL) {
        g_autofree char *folder = g_strndup(commit, (gsize)(slash - commit) + 1);
        if (!purge(r, "catalog.remove_documents", folder, NULL, error)) {
            return false;
        }
    }
    return bp_catalog__sync(r->catalog, error);
}

/*
 * Uploads that were never finished cost money on some storages; but they are in nobody's way.
 * Those on record first, then what the storage knows beside them.
 */
static bool
end_uploads(removal *r, GError **error)
{
    if (!bp_uploads_abort(r->catalog, r->name, error)) {
        return false;
    }
    g_autofree char *prefix = bp_catalog_key(r->name, "");
    GError *failed = NULL;
    if (bp_store_uploads_abort(r->catalog->store, r->catalog->call, prefix, G_MAXINT64, &failed) ||
        bp_error_is(failed, BP_ERR_UNSUPPORTED)) {
        g_clear_error(&failed);
        return true;
    }
    if (bp_error_is(failed, BP_ERR_CANCELLED)) {
        g_propagate_error(error, failed);
        return false;
    }
    BP_WARN("unfinished uploads may remain", "prefix", prefix, "error", failed->message);
    g_clear_error(&failed);
    return true;
}

/* The journal goes before the data: it must not prove what is not there any more. */
static bool
remove_content(removal *r, GError **error)
{
    return remove_documents(r, error) && bp_journal_remove(r->catalog, r->name, error) &&
           end_uploads(r, error) && purge(r, "catalog.remove_data", "", keep_ours, error) &&
           bp_catalog__sync(r->catalog, error) &&
           purge(r, "catalog.remove_record", BP_OURS, keep_manifest_and_lease, error);
}

static bool
remove_manifest(removal *r, GError **error)
{
    g_autofree char *key = bp_catalog_key(r->name, BP_CATALOG_MANIFEST);
    return bp_catalog__pass("catalog.remove_manifest", ".before", error) &&
           bp_catalog__remove(r->catalog, key, error) &&
           bp_catalog__pass("catalog.remove_manifest", ".after", error);
}

static bool
remove_all(removal *r, GError **error)
{
    return mark(r, error) && remove_content(r, error) && remove_manifest(r, error);
}

/* Full storage, so there is no lease to be had: is there nobody whom it would keep out? */
static bool
is_unheld(removal *r, const char *key, GError *lease_failed, GError **error)
{
    bp_lease_state state = BP_LEASE_UNKNOWN;
    if (bp_error_is(lease_failed, BP_ERR_NO_SPACE) &&
        bp_lease_look(r->catalog, key, &state, NULL, NULL) &&
        (state == BP_LEASE_NONE || state == BP_LEASE_DEAD)) {
        BP_WARN("storage is full: deleting without a lease", "backup", r->name);
        g_error_free(lease_failed);
        return true;
    }
    g_propagate_error(error, lease_failed);
    return false;
}

/* @lease: NULL on a full storage. */
static bool
remove_held(removal *r, const bp_lease *lease, const char *key, GError **error)
{
    if (!look_again(r, error) || !mark(r, error) || !remove_content(r, error)) {
        return false;
    }
    if (lease == NULL) { /* a dead one has nobody else to take it away */
        return bp_catalog__remove(r->catalog, key, error) && remove_manifest(r, error);
    }
    return bp_lease_check(lease, error) && remove_manifest(r, error);
}

/* Stopped by `lost`: what another run writes there after it took the lease must not go as well. */
static bool
remove_until_lost(removal *r, const bp_lease *lease, const char *key, const bp_cancel *lost,
                  GError **error)
{
    const bp_catalog *outer = r->catalog;
    bp_call call = *outer->call;
    bp_catalog catalog = *outer;
    call.cancel = lost;
    catalog.call = &call;
    r->catalog = &catalog;
    GError *failed = NULL;
    bool ok = remove_held(r, lease, key, &failed);
    r->catalog = outer;
    if (!ok) {
        (void)(lease != NULL && bp_lease_blame(lease, outer->call->cancel, &failed));
        g_propagate_error(error, failed);
    }
    return ok;
}

/* What we began may have a writer: then only under the lease. */
static bool
remove_under_lease(removal *r, GError **error)
{
    g_autofree char *key = bp_catalog_key(r->name, BP_CATALOG_LEASE);
    g_autofree char *run_id = bp_text_uuid();
    g_autoptr(bp_cancel) lost = bp_cancel_new_child(r->catalog->call->cancel);
    gint64 renew_ns = r->catalog->renew_ns;
    bp_lease_params params = {.catalog = r->catalog,
                              .key = key,
                              .run_id = run_id,
                              .purpose = "delete",
                              .advisory = true,
                              .wait_stale = true,
                              .renew_ns = renew_ns != 0 ? renew_ns : BP_LEASE_RENEW_NS,
                              .on_loss = lost};
    GError *failed = NULL;
    g_autoptr(bp_lease) lease = bp_lease_take(&params, &failed);
    if (lease == NULL && !is_unheld(r, key, failed, error)) {
        return false;
    }
    return remove_until_lost(r, lease, key, lost, error);
}

static bool
remove_backup(removal *r, GError **error)
{
    bool ok = look(r, error);
    if (ok && !r->begun && !r->foreign && !r->force) {
        bp_set_error(error, BP_ERR_INVALID,
                     "\"%s\" has neither a manifest nor the document that ends a backup", r->name);
        bp_error_add_hint(error, "if it is the remains of a backup, delete it with --force");
        ok = false;
    }
    if (ok && r->begun) {
        ok = remove_under_lease(r, error);
    } else if (ok) {
        ok = r->listed == NULL || is_listed(r) ? remove_all(r, error) : refuse_another(r, error);
    }
    bp_manifest_free(r->manifest);
    return ok;
}

bool
bp_catalog_remove(const bp_catalog *catalog, const char *name, bool force,
                  bp_remove_progress progress, void *ctx, GError **error)
{
    removal r = {
        .catalog = catalog, .name = name, .force = force, .progress = progress, .ctx = ctx};
    return remove_backup(&r, error);
}

bool
bp_catalog_remove_listed(const bp_catalog *catalog, const bp_backup_entry *entry, bool *gone,
                         GError **error)
{
    removal r = {.catalog = catalog, .name = entry->name, .listed = entry};
    bool ok = remove_backup(&r, error);
    *gone = r.gone;
    return ok;
}

bool
bp_catalog_clear(const bp_catalog *catalog, const char *name, bp_remove_progress progress,
                 void *ctx, GError **error)
{
    removal r = {.catalog = catalog, .name = name, .progress = progress, .ctx = ctx};
    GError *failed = NULL;
    bool ok = look(&r, &failed);
    if (bp_error_is(failed, BP_ERR_NOT_FOUND)) {
        g_clear_error(&failed);
        return true;
    }
    if (ok && r.manifest != NULL && r.manifest->state == BP_BACKUP_SUCCESS) {
        ok = mark(&r, &failed);
    }
    ok = ok && remove_content(&r, &failed);
    bp_manifest_free(r.manifest);
    if (!ok) {
        g_propagate_error(error, failed);
    }
    return ok;
}

bool
bp_catalog_remove_record(const bp_catalog *catalog, const char *name, GError **error)
{
    removal r = {.catalog = catalog, .name = name};
    return bp_journal_remove(catalog, name, error) &&
           purge(&r, "catalog.remove_record", BP_OURS, keep_manifest_and_lease, error) &&
           remove_manifest(&r, error);
}
