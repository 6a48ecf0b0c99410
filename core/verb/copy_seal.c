/* SPDX-License-Identifier: Apache-2.0
 *
 * The end of copy: turns proven items into a backup, in the order in which a crash at any point
 * leaves something that nobody takes for one.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/base/fault.h"
#include "core/base/json.h"
#include "core/verb/copy_run.h"
#include "core/verb/verify.h"

#include "sdk/lib/ban.h"

/* A finished backup has but one. */
static bool
only_generation(void *ctx, const char *unit_id, guint32 *generation)
{
    (void)ctx;
    (void)unit_id;
    *generation = 0;
    return true;
}

/* What was named, what is recorded as proven, and what the original says have to be as many. */
static bool
check_totals(const bp_copying *c, GError **error)
{
    const bp_manifest *copy = c->manifest;
    const bp_manifest *original = c->view.manifest;
    if (copy->items != c->named) {
        bp_set_error(error, BP_ERR_CORRUPT,
                     "%" G_GUINT64_FORMAT " objects were copied, %" G_GUINT64_FORMAT
                     " are recorded as proven",
                     c->named, copy->items);
        return false;
    }
    if (!c->view.foreign && (copy->items != original->items || copy->bytes != original->bytes)) {
        bp_set_error(error, BP_ERR_CORRUPT,
                     "backup %s has %" G_GUINT64_FORMAT " objects, %" G_GUINT64_FORMAT
                     " bytes; copied are %" G_GUINT64_FORMAT ", %" G_GUINT64_FORMAT " bytes",
                     original->name, original->items, original->bytes, copy->items, copy->bytes);
        return false;
    }
    return true;
}

/** The target as its listing shows it. */
typedef struct {
    bp_copying *c;
    const bp_proven *expected;
    const char *prefix;
    guint64 found;
    GError *error; /* about an object that is not what was copied */
} listing;

static bool
compare_object(void *ctx, const char *full_key, const struct bp_object_meta *meta)
{
    listing *l = ctx;
    struct bp_checksum unused;
    const char *key = full_key + strlen(l->prefix);
    if (meta == NULL || g_str_has_prefix(key, "bakplane/") ||
        bp_manifest_has_document(l->c->manifest, key)) {
        return true;
    }
    if (!bp_proven_find(l->expected, key, meta->size, NULL, &unused)) {
        bp_set_error(&l->error, BP_ERR_CORRUPT,
                     "object %s on storage '%s' (%" G_GUINT64_FORMAT
                     " bytes) is not what was copied",
                     full_key, bp_store_name(l->c->to->store), meta->size);
        return false;
    }
    l->found++;
    return true;
}

static bool
try_listing(void *ctx, GError **error)
{
    listing *l = ctx;
    bp_store_list_params list = {.prefix = l->prefix};
    l->found = 0;
    bool listed = bp_store_list(l->c->to->store, &l->c->call, &list, compare_object, l, error);
    if (l->error != NULL) {
        g_clear_error(error);
        g_propagate_error(error, g_steal_pointer(&l->error));
        return false;
    }
    return listed;
}

static bool
compare_by_listing(bp_copying *c, GError **error)
{
    g_autoptr(bp_proven) expected = bp_proven_from_manifest(c->to, c->manifest, error);
    if (expected == NULL) {
        return false;
    }
    g_autofree char *prefix = bp_catalog_key(c->params->name, "");
    listing l = {.c = c, .expected = expected, .prefix = prefix};
    bp_retry_params retry = bp_workspace_retry_for(c->verb->workspace, &c->call);
    if (!bp_retry(&retry, try_listing, &l, error)) {
        return false;
    }
    if (l.found != c->manifest->items) {
        bp_set_error(error, BP_ERR_CORRUPT,
                     "storage '%s' shows %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                     " objects that were copied to it",
                     bp_store_name(c->to->store), l.found, c->manifest->items);
        return false;
    }
    return true;
}

/* Where a listing may lag behind, each object is asked for. */
static bool
compare_one_by_one(bp_copying *c, GError **error)
{
    bp_view copy = {.verb = c->verb, .catalog = c->to, .manifest = c->manifest};
    bp_verify_params params = {.view = &copy, .call = &c->call};
    bp_verify_sums sums = {0};
    g_autoptr(json_t) problems = json_array();
    if (!bp_verify_view(&params, &sums, problems, error)) {
        return false;
    }
    guint64 bad = sums.missing + sums.truncated;
    if (bad > 0) {
        bp_set_error(error, BP_ERR_CORRUPT,
                     "%" G_GUINT64_FORMAT " objects on storage '%s' are not what was copied", bad,
                     bp_store_name(c->to->store));
    }
    return bad == 0;
}

static bool
compare_sizes(bp_copying *c, GError **error)
{
    return bp_store_can(c->to->store, BP_STORE_STRONG_LIST) ? compare_by_listing(c, error)
                                                            : compare_one_by_one(c, error);
}

/* The original's last words.  A foreign backup never had any of ours. */
static bool
save_success(bp_copying *c, GError **error)
{
    if (c->view.foreign) {
        return true;
    }
    c->manifest->state = BP_BACKUP_SUCCESS;
    c->manifest->copying = false;
    c->manifest->finished_ns = c->view.manifest->finished_ns;
    return bp_catalog_save(c->to, c->manifest, error);
}

static bool
tidy_up(bp_copying *c, GError **error)
{
    g_autoptr(GError) leftover = NULL;
    if (c->view.foreign) {
        return bp_catalog_remove_record(c->to, c->params->name, error);
    }
    if (!bp_journal_remove(c->to, c->params->name, &leftover)) {
        bp_monitor_note(c->verb->monitor, BP_NOTE_WARN, "journal", leftover->message);
    }
    return true;
}

bool
bp_copying_seal(bp_copying *c, GError **error)
{
    bp_seal_params seal = {.catalog = c->to,
                           .manifest = c->manifest,
                           .run_id = c->run_id,
                           .chunks = bp_journal_chunks(c->writing.journal),
                           .generation = only_generation,
                           .sweep = c->writing.proven != NULL};
    bp_monitor_begin(c->verb->monitor, "seal", NULL, NULL);
    bool fine = bp_journal_seal(&seal, error) && check_totals(c, error) &&
                bp_fault_point("copy.sealed", error) && bp_copying_documents(c, false, error) &&
                compare_sizes(c, error) && bp_fault_point("copy.compared", error) &&
                save_success(c, error) && bp_fault_point("copy.manifest", error) &&
                bp_copying_documents(c, true, error) && bp_fault_point("copy.committed", error) &&
                bp_documents_verify(c->to, c->manifest, error) && tidy_up(c, error);
    bp_monitor_end(c->verb->monitor);
    return fine;
}
