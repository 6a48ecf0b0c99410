/* SPDX-License-Identifier: Apache-2.0
 *
 * See view.h.
 */
#include "core/verb/view.h"

#include "core/base/error.h"

#include "sdk/lib/ban.h"

static void
add_way_out(const bp_view *view, const bp_backup_entry *entry, GError **error)
{
    bp_store *store = view->catalog->store;
    g_autofree char *where = bp_workspace_words_for(view->verb->workspace, store);
    g_autofree char *resume =
        entry->copying ? g_strdup_printf("copy -n %s --to %s --resume, from where it came",
                                         entry->name, bp_store_name(store))
                       : g_strdup_printf("create -n %s --resume%s", entry->name, where);
    if (entry->state == BP_BACKUP_DELETING) {
        bp_error_add_hint(error, "finish that with: bakplane delete -n %s%s", entry->name, where);
    } else if (entry->state == BP_BACKUP_RUNNING && !entry->stale) {
        bp_error_add_hint(error,
                          "wait until it is finished, or if whoever wrote it is gone, go on with: "
                          "bakplane %s",
                          resume);
    } else {
        bp_error_add_hint(error, "finish it with: bakplane %s, or delete it", resume);
    }
}

static bool
check_usable(const bp_view *view, const bp_backup_entry *entry, GError **error)
{
    if (entry->foreign || (entry->state == BP_BACKUP_SUCCESS && !entry->incomplete)) {
        return true;
    }
    const char *what = entry->incomplete && entry->state == BP_BACKUP_SUCCESS
                           ? "incomplete"
                           : bp_backup_state_name(entry->state);
    bp_set_error(error, BP_ERR_PERMANENT, "backup %s cannot be used, it is %s%s%s", entry->name,
                 what, entry->problem != NULL ? ": " : "",
                 entry->problem != NULL ? entry->problem : "");
    add_way_out(view, entry, error);
    return false;
}

static bool
adopt_unit(void *ctx, const struct bp_unit *unit)
{
    bp_view *view = ctx;
    bp_manifest_unit *record = bp_manifest_unit_new();
    record->id = g_strdup(unit->id);
    record->parent = g_strdup(unit->parent);
    record->kind = g_strdup(unit->kind);
    record->name = g_strdup(unit->name);
    record->has_items = g_str_equal(unit->kind, bp_source_facts(view->source)->item_kind);
    g_ptr_array_add(view->manifest->units, record);
    return true;
}

static bool
adopt_count(void *ctx, const char *unit_id, const struct bp_item *item)
{
    bp_view *view = ctx;
    bp_manifest_unit *unit = bp_manifest_find_unit(view->manifest, unit_id);
    guint64 size = item->size != BP_UNKNOWN ? item->size : 0;
    if (unit != NULL) {
        unit->items++;
        unit->bytes += size;
    }
    view->manifest->items++;
    view->manifest->bytes += size;
    return true;
}

static bool
adopt_proof(void *ctx, const char *unit_id, const struct bp_proof *proof)
{
    bp_view *view = ctx;
    bp_manifest_unit *unit = bp_manifest_find_unit(view->manifest, unit_id);
    if (unit != NULL) {
        unit->has_proof = true;
        unit->unprovable = (proof->flags & BP_PROOF_UNPROVABLE) != 0;
        unit->low = proof->low;
        unit->high = proof->high;
        unit->found = proof->found;
        g_free(unit->note);
        unit->note = g_strdup(proof->note);
    }
    return true;
}

static bool
adopt(bp_view *view, const char *name, GError **error)
{
    if (!bp_source_can_adopt(view->source)) {
        bp_set_error(error, BP_ERR_UNSUPPORTED,
                     "backup %s was written by another tool, which plugin '%s' cannot read", name,
                     bp_source_kind(view->source));
        return false;
    }
    view->foreign = true;
    view->manifest = bp_manifest_new(name);
    view->manifest->state = BP_BACKUP_SUCCESS;
    const struct bp_source_info *facts = bp_source_facts(view->source);
    view->manifest->source_plugin = g_strdup(bp_source_kind(view->source));
    view->manifest->proof_what = g_strdup(facts->proof_what);
    bp_adopt_fns fns = {.unit = adopt_unit, .item = adopt_count, .proof = adopt_proof, .ctx = view};
    struct bp_adopt_info info = {.struct_size = sizeof info};
    if (!bp_source_adopt(view->source, bp_workspace_call(view->verb->workspace), BP_BACKUP_REF,
                         &fns, &info, error)) {
        g_prefix_error(error, "backup %s: ", name);
        return false;
    }
    g_free(view->manifest->writer);
    view->manifest->writer = g_strdup(info.writer);
    view->manifest->server_version = g_strdup(info.server_version);
    view->manifest->finished_ns = info.created_ns;
    return true;
}

bool
bp_view_open(const bp_verb *verb, const char *name, bp_view *view, GError **error)
{
    const bp_catalog *catalog = NULL;
    *view = (bp_view){.verb = verb};
    return bp_workspace_catalog(verb->workspace, &catalog, error) &&
           bp_view_open_on(verb, catalog, name, view, error);
}

bool
bp_view_open_on(const bp_verb *verb, const bp_catalog *catalog, const char *name, bp_view *view,
                GError **error)
{
    *view = (bp_view){.verb = verb, .catalog = catalog};
    view->source = bp_workspace_source(verb->workspace, error);
    if (view->source == NULL) {
        return false;
    }
    g_autoptr(bp_backup_entry) entry = bp_catalog_find(view->catalog, name, error);
    if (entry == NULL || !check_usable(view, entry, error)) {
        return false;
    }
    g_autofree char *prefix = bp_catalog_key(name, "");
    bp_refs_add(bp_workspace_refs(verb->workspace), BP_BACKUP_REF, view->catalog->store, prefix,
                BP_VIEW_READ_ONLY);
    if (entry->foreign) {
        return adopt(view, name, error);
    }
    view->manifest = bp_catalog_manifest(view->catalog, name, error);
    return view->manifest != NULL && bp_documents_verify(view->catalog, view->manifest, error);
}

void
bp_view_clear(bp_view *view)
{
    bp_manifest_free(view->manifest);
    view->manifest = NULL;
}

typedef struct {
    bp_item_record_fn fn;
    void *ctx;
    GError *error;
} adopt_each;

static bool
ignore_unit(void *ctx, const struct bp_unit *unit)
{
    (void)ctx;
    (void)unit;
    return true;
}

static bool
ignore_proof(void *ctx, const char *unit_id, const struct bp_proof *proof)
{
    (void)ctx;
    (void)unit_id;
    (void)proof;
    return true;
}

static bool
forward_item(void *ctx, const char *unit_id, const struct bp_item *item)
{
    adopt_each *each = ctx;
    bp_item_record record = {
        .key = item->key, .unit_id = unit_id, .size = item->size, .checksum = item->checksum};
    return each->fn(each->ctx, &record, &each->error);
}

bool
bp_view_items(const bp_view *view, bp_item_record_fn fn, void *ctx, GError **error)
{
    if (!view->foreign) {
        return bp_catalog_items(view->catalog, view->manifest, fn, ctx, error);
    }
    adopt_each each = {.fn = fn, .ctx = ctx};
    bp_adopt_fns fns = {
        .unit = ignore_unit, .item = forward_item, .proof = ignore_proof, .ctx = &each};
    struct bp_adopt_info info = {.struct_size = sizeof info};
    bool fine = bp_source_adopt(view->source, bp_workspace_call(view->verb->workspace),
                                BP_BACKUP_REF, &fns, &info, error);
    if (each.error != NULL) {
        g_clear_error(error);
        g_propagate_error(error, each.error);
        return false;
    }
    return fine;
}

const char *
bp_view_became(const bp_view *view)
{
    const char *name = view->manifest->name;
    g_autoptr(GError) failed = NULL;
    g_autoptr(bp_backup_entry) entry = bp_catalog_find(view->catalog, name, &failed);
    if (entry == NULL) {
        return bp_error_is(failed, BP_ERR_NOT_FOUND) ? "deleted" : NULL;
    }
    if (entry->state == BP_BACKUP_DELETING || (view->foreign && !entry->foreign)) {
        return "deleted";
    }
    if (view->foreign) {
        return NULL;
    }
    g_autoptr(bp_manifest) now = bp_catalog_manifest(view->catalog, name, &failed);
    if (now == NULL) {
        return bp_error_is(failed, BP_ERR_NOT_FOUND) ? "deleted" : NULL;
    }
    return g_strcmp0(now->run_id, view->manifest->run_id) != 0 ? "replaced" : NULL;
}

char *
bp_view_unit_name(const bp_view *view, const bp_manifest_unit *unit)
{
    const bp_manifest_unit *parent =
        unit->parent != NULL ? bp_manifest_find_unit(view->manifest, unit->parent) : NULL;
    return parent != NULL ? g_strdup_printf("%s.%s", parent->name, unit->name)
                          : g_strdup(unit->name);
}
