/* SPDX-License-Identifier: Apache-2.0
 *
 * Items and documents of a copy: named to the engine with the size and the checksum that the
 * original's record gives them.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/catalog/keyset.h"
#include "core/verb/copy_run.h"
#include "core/verb/verify.h"

#include "sdk/lib/checksum.h"

#include "sdk/lib/ban.h"

#define DOCUMENT_TAG G_MAXUINT32 /* others are indexes of the manifest's units */

/* On the engine's thread.  Documents are in the manifest, not in the journal. */
static bool
journal_proven(void *ctx, const bp_copied *items, gsize n, GError **error)
{
    bp_copying *c = ctx;
    gsize prefix = strlen(c->params->name) + 1;
    for (gsize i = 0; i < n; i++) {
        const bp_copied *item = &items[i];
        if (item->tag == DOCUMENT_TAG) {
            continue;
        }
        const bp_manifest_unit *unit = g_ptr_array_index(c->manifest->units, item->tag);
        bool known = item->expected.kind != BP_CHECKSUM_NONE;
        bp_item_record record = {.key = item->dst_key + prefix,
                                 .unit_id = unit->id,
                                 .size = item->size,
                                 .checksum = known ? item->expected : item->checksum,
                                 .etag = item->label};
        bp_journal_add(c->writing.journal, &record);
    }
    return bp_journal_write(c->writing.journal, error);
}

static bool
journal_upload(void *ctx, const char *key, const char *upload, bool finished, GError **error)
{
    bp_copying *c = ctx;
    return bp_writing_upload(&c->writing, key, upload, finished, error);
}

bp_copy *
bp_copying_engine(bp_copying *c)
{
    /* No links, whatever the storage is set to: a copy that shares its bytes with the original is
     * lost together with it. */
    bp_copy_params params = bp_writing_copy_params(&c->writing);
    params.proven = journal_proven;
    params.upload = journal_upload;
    params.ctx = c;
    return bp_copy_new(&params);
}

/** Items being named. */
typedef struct {
    bp_copying *c;
    bp_copy_group *group;
    GHashTable *units; /* id -> index in the manifest */
    bp_keyset *named;  /* of a foreign backup: what its documents name */
    gsize prefix;      /* of listed keys */
    GError *error;     /* why a listing was stopped */
} naming;

/* An earlier run's proof counts unless it contradicts the record. */
static bool
is_proven(const bp_copying *c, const bp_item_record *record, struct bp_checksum *known)
{
    const bp_proven *proven = c->writing.proven;
    return proven != NULL &&
           bp_proven_find(proven, record->key, record->size, record->etag, known) &&
           (known->kind != record->checksum.kind || known->kind == BP_CHECKSUM_NONE ||
            bp_checksum_equal(known, &record->checksum));
}

static bool
submit(naming *work, const bp_item_record *record, guint32 tag, GError **error)
{
    bp_copying *c = work->c;
    g_autofree char *key = bp_catalog_key(c->params->name, record->key);
    bp_copy_item item = {.src = c->view.catalog->store,
                         .src_key = key,
                         .dst_key = key,
                         .size = record->size,
                         .checksum = record->checksum,
                         .tag = tag,
                         .label = record->etag};
    struct bp_checksum known;
    if (tag != DOCUMENT_TAG && is_proven(c, record, &known)) {
        item.already = true;
        item.seen = bp_writing_sees(&c->writing, record->key, record->size);
        item.checksum = known;
    }
    c->named += tag != DOCUMENT_TAG;
    return bp_copy_submit(c->copy, work->group, &item, error);
}

static bool
take_ours(void *ctx, const bp_item_record *record, GError **error)
{
    naming *work = ctx;
    gpointer index = g_hash_table_lookup(work->units, record->unit_id);
    return submit(work, record, GPOINTER_TO_UINT(index), error);
}

static bool
name_ours(naming *work, GError **error)
{
    g_autoptr(GHashTable) units = g_hash_table_new(g_str_hash, g_str_equal);
    const GPtrArray *all = work->c->manifest->units;
    for (guint i = 0; i < all->len; i++) {
        const bp_manifest_unit *unit = g_ptr_array_index(all, i);
        g_hash_table_insert(units, unit->id, GUINT_TO_POINTER(i));
    }
    work->units = units;
    return bp_view_items(&work->c->view, take_ours, work, error);
}

static bool
take_foreign(void *ctx, const bp_item_record *record, GError **error)
{
    naming *work = ctx;
    if (bp_manifest_has_document(work->c->manifest, record->key) ||
        !bp_keyset_add(work->named, record->key)) {
        return true;
    }
    return submit(work, record, 0, error);
}

/* Perhaps our own: then the copy would be copied into itself without end. */
static bool
is_lease_inside(const char *key)
{
    return g_str_has_suffix(key, "/" BP_CATALOG_LEASE);
}

static void
set_into_itself(const bp_copying *c, const char *lease, GError **error)
{
    bp_set_error(error, BP_ERR_INVALID,
                 "another backup is being written inside of %s: %s\nhint: name a storage that does "
                 "not lie in the backup",
                 c->params->name, lease);
}

/* What the documents do not name belongs to the other tool as well. */
static bool
take_listed(void *ctx, const char *full_key, const struct bp_object_meta *meta)
{
    naming *work = ctx;
    const char *key = full_key + work->prefix;
    if (meta == NULL || g_str_has_prefix(key, "bakplane/") ||
        bp_manifest_has_document(work->c->manifest, key) || !bp_keyset_add(work->named, key)) {
        return true;
    }
    if (is_lease_inside(key)) {
        set_into_itself(work->c, key, &work->error);
        return false;
    }
    bp_item_record record = {.key = key, .size = meta->size};
    return submit(work, &record, 0, &work->error);
}

/* Another attempt passes over what the one before has named. */
static bool
try_name_listed(void *ctx, GError **error)
{
    naming *work = ctx;
    bp_copying *c = work->c;
    g_autofree char *prefix = bp_catalog_key(c->params->name, "");
    bp_store_list_params list = {.prefix = prefix};
    work->prefix = strlen(prefix);
    bool listed = bp_store_list(c->view.catalog->store, &c->call, &list, take_listed, work, error);
    if (work->error != NULL) {
        g_clear_error(error);
        return true; /* our own reason: not worth another listing */
    }
    return listed;
}

static bool
name_foreign(naming *work, GError **error)
{
    bp_copying *c = work->c;
    g_autoptr(bp_keyset) named = bp_keyset_new();
    bp_retry_params retry = bp_workspace_retry_for(c->verb->workspace, &c->call);
    work->named = named;
    bool fine = bp_view_items(&c->view, take_foreign, work, error) &&
                bp_retry(&retry, try_name_listed, work, error);
    if (work->error != NULL) { /* our own reason is the first one */
        g_clear_error(error);
        g_propagate_error(error, g_steal_pointer(&work->error));
        return false;
    }
    return fine;
}

/* Everything that was named is copied; what was gone by then is missed. */
static bool
wait_for_all(naming *work, bool named, GError **error)
{
    guint64 stale = 0;
    bool copied = bp_copy_group_wait(work->c->copy, work->group, &stale, named ? error : NULL);
    if (!named || !copied) {
        return false;
    }
    if (stale > 0) {
        bp_set_error(error, BP_ERR_STALE,
                     "%" G_GUINT64_FORMAT " objects of backup %s are missing on storage '%s'",
                     stale, work->c->params->name, bp_store_name(work->c->view.catalog->store));
        return false;
    }
    return bp_copy_flush(work->c->copy, error);
}

bool
bp_copying_items(bp_copying *c, GError **error)
{
    naming work = {.c = c};
    work.group = bp_copy_group_new(c->copy);
    bool named = c->view.foreign ? name_foreign(&work, error) : name_ours(&work, error);
    bool fine = wait_for_all(&work, named, error);
    bp_copy_group_free(work.group);
    return fine;
}

bool
bp_copying_documents(bp_copying *c, bool last, GError **error)
{
    naming work = {.c = c};
    work.group = bp_copy_group_new(c->copy);
    guint n = c->manifest->documents->len;
    bool named = true;
    for (guint i = last ? n - 1 : 0; i < (last ? n : n - 1) && named; i++) {
        const bp_manifest_file *file = g_ptr_array_index(c->manifest->documents, i);
        bp_item_record record = {.key = file->key, .size = file->size, .checksum = file->checksum};
        named = submit(&work, &record, DOCUMENT_TAG, error);
    }
    bool fine = wait_for_all(&work, named, error);
    bp_copy_group_free(work.group);
    return fine;
}

/* The first object that is missing, as the record of the original names it. */
static void
name_missing(bp_copying *c, GError **error)
{
    bp_verify_params params = {.view = &c->view, .call = &c->call};
    bp_verify_sums sums = {0};
    g_autoptr(json_t) problems = json_array();
    if (!bp_verify_view(&params, &sums, problems, NULL) || json_array_size(problems) == 0) {
        return;
    }
    const json_t *first = json_array_get(problems, 0);
    g_clear_error(error);
    bp_set_error(error, BP_ERR_CORRUPT,
                 "backup %s on storage '%s' is damaged: %s is %s (%" G_GUINT64_FORMAT
                 " objects are missing or have another size)",
                 c->params->name, bp_store_name(c->view.catalog->store),
                 bp_json_text(first, "key", "?"), bp_json_text(first, "problem", "?"),
                 sums.missing + sums.truncated);
}

/** A search for another backup's lease. */
typedef struct {
    gsize prefix; /* of listed keys: the lease of the backup itself is not inside of it */
    char *lease;  /* (owned); NULL = none seen */
} search;

static bool
look_for_lease(void *ctx, const char *full_key, const struct bp_object_meta *meta)
{
    search *looking = ctx;
    const char *key = full_key + looking->prefix;
    if (meta == NULL || !is_lease_inside(key)) {
        return true;
    }
    looking->lease = g_strdup(key);
    return false;
}

/* A copy into itself can fail at its own temporary objects before its naming meets the lease. */
static bool
explain_into_itself(bp_copying *c, GError **error)
{
    g_autofree char *prefix = bp_catalog_key(c->params->name, "");
    search looking = {.prefix = strlen(prefix)};
    bp_store_list_params list = {.prefix = prefix};
    bp_store_list(c->view.catalog->store, &c->call, &list, look_for_lease, &looking, NULL);
    if (looking.lease == NULL) {
        return false;
    }
    g_clear_error(error);
    set_into_itself(c, looking.lease, error);
    g_free(looking.lease);
    return true;
}

void
bp_copying_explain(bp_copying *c, GError **error)
{
    bool lost = bp_error_is(*error, BP_ERR_STALE) || bp_error_is(*error, BP_ERR_NOT_FOUND);
    if (!lost && !bp_error_is(*error, BP_ERR_CORRUPT)) {
        return;
    }
    if (c->view.foreign && explain_into_itself(c, error)) {
        return;
    }
    bp_store *store = c->view.catalog->store;
    const char *what = bp_view_became(&c->view);
    if (what != NULL) {
        g_clear_error(error);
        bp_set_error(error, BP_ERR_STALE, "backup %s on storage '%s' was %s while it was copied",
                     c->params->name, bp_store_name(store), what);
        return;
    }
    if (lost) {
        name_missing(c, error);
    }
    g_autofree char *where = bp_workspace_words_for(c->verb->workspace, store);
    bp_error_add_hint(error, "bakplane verify -n %s --deep%s tells whether the original is whole",
                      c->params->name, where);
}
