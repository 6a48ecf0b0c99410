/* SPDX-License-Identifier: Apache-2.0
 *
 * bakplane verify: compares a backup's objects with its record; --deep reads them, and seals
 * those that carry no checksum yet by recording the one they have now.
 */
#include <string.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/catalog/lease.h"
#include "core/catalog/sumtext.h"
#include "core/verb/verify.h"

#include "sdk/lib/ban.h"

/* Records of one items file; a reader takes a file whole, so it stays well below its limit. */
#define RECORDS_PER_FILE 20000

/* The items files of a sealed backup: written beside the old ones, which go last.  Their names are
 * this run's: one that lost its lease neither writes over another's nor removes them. */
typedef struct {
    const bp_view *view;
    const char *run_id;
    GString *text;
    guint in_text;
    GPtrArray *files; /* bp_manifest_file* */
    bool any_sealed;
} resealing;

/* A small call on one of these files, as bp_retry wants it. */
typedef struct {
    const bp_catalog *catalog;
    const bp_call *call;
    const bp_store_put_params *put; /* or NULL: */
    const char *removed;            /* key */
} file_call;

static bool
try_file_call(void *ctx, GError **error)
{
    const file_call *c = ctx;
    return c->put != NULL ? bp_store_put(c->catalog->store, c->call, c->put, error)
                          : bp_store_remove(c->catalog->store, c->call, c->removed, NULL, error);
}

static bool
call_with_retry(const bp_view *view, file_call *c, GError **error)
{
    c->catalog = view->catalog;
    bp_retry_params retry = bp_workspace_retry_for(view->verb->workspace, c->call);
    return bp_retry(&retry, try_file_call, c, error);
}

static bool
write_items_file(resealing *r, GError **error)
{
    if (r->in_text == 0) {
        return true;
    }
    g_autofree char *rest =
        g_strdup_printf("bakplane/items-%s-%u.jsonl", r->run_id, r->files->len + 1);
    g_autofree char *key = bp_catalog_key(r->view->manifest->name, rest);
    bp_store_put_params params = {
        .key = key, .bytes = r->text->str, .n = r->text->len, .flags = BP_WRITE_DURABLE};
    file_call put = {.call = r->view->catalog->call, .put = &params};
    if (!call_with_retry(r->view, &put, error)) {
        return false;
    }
    struct bp_checksum sum;
    bp_sumtext_hash(r->text->str, r->text->len, &sum);
    bp_manifest_file *file = bp_manifest_file_new(rest, r->text->len, &sum);
    file->items = r->in_text;
    g_ptr_array_add(r->files, file);
    g_string_truncate(r->text, 0);
    r->in_text = 0;
    return true;
}

static bool
keep_record(void *ctx, const bp_item_record *record, GError **error)
{
    resealing *r = ctx;
    bp_item_record_append(r->text, record);
    r->in_text++;
    return r->in_text < RECORDS_PER_FILE || write_items_file(r, error);
}

static bool
seal_record(void *ctx, const bp_item_record *record, GError **error)
{
    ((resealing *)ctx)->any_sealed = true;
    return keep_record(ctx, record, error);
}

/* What no manifest names is in nobody's way: that some of it stays is no failure. */
static void
remove_files(const bp_view *view, const GPtrArray *files, const bp_call *call)
{
    for (guint i = 0; i < files->len; i++) {
        const bp_manifest_file *file = g_ptr_array_index(files, i);
        g_autofree char *key = bp_catalog_key(view->manifest->name, file->key);
        g_autoptr(GError) failed = NULL;
        file_call removal = {.call = call, .removed = key};
        if (!call_with_retry(view, &removal, &failed)) {
            bp_monitor_note(view->verb->monitor, BP_NOTE_WARN, "items", failed->message);
            return;
        }
    }
}

/* Replaces the manifest by one that names the new files, then removes the others, if they are not
 * somebody else's by now. */
static bool
commit_reseal(bp_view *view, resealing *r, const bp_lease *lease, GError **error)
{
    const bp_call *call = view->catalog->call;
    if (!r->any_sealed) {
        remove_files(view, r->files, call);
        return true;
    }
    if (!bp_lease_check(lease, error)) {
        return false;
    }
    GPtrArray *old = view->manifest->item_files;
    view->manifest->item_files = g_steal_pointer(&r->files);
    bool saved = bp_catalog_save(view->catalog, view->manifest, error);
    if (saved && bp_lease_check(lease, NULL)) {
        remove_files(view, old, call);
    }
    g_ptr_array_unref(old);
    return saved;
}

static void
describe(const bp_verb *verb, const bp_verify_sums *sums, json_t *take_problems)
{
    json_t *result = verb->result;
    bp_json_set_u64(result, "items", sums->items);
    bp_json_set_u64(result, "bytes", sums->bytes);
    bp_json_set_u64(result, "by_size", sums->by_size);
    bp_json_set_u64(result, "compared", sums->compared);
    bp_json_set_u64(result, "sealed", sums->sealed);
    bp_json_set_u64(result, "missing", sums->missing);
    bp_json_set_u64(result, "truncated", sums->truncated);
    bp_json_set_u64(result, "altered", sums->altered);
    bp_json_set_u64(result, "unexpected", sums->unexpected);
    json_object_set_new(result, "problems", take_problems);
}

static guint64
count_bad(const bp_verify_sums *sums)
{
    return sums->missing + sums->truncated + sums->altered + sums->unexpected;
}

static bool
verify_plain(const bp_verb *verb, const bp_view *view, bool deep, bp_verify_sums *sums,
             GError **error)
{
    bp_verify_params params = {
        .view = view, .call = bp_workspace_call(verb->workspace), .deep = deep, .unexpected = true};
    g_autoptr(json_t) problems = json_array();
    bool fine = bp_verify_view(&params, sums, problems, error);
    if (view->foreign) {
        sums->by_size += sums->sealed; /* read, but there is no record of ours to seal it in */
        sums->sealed = 0;
    }
    describe(verb, sums, json_incref(problems));
    return fine;
}

/* Reads all, and writes the record anew if that sealed something.  @view: under the lease. */
static bool
seal(bp_view *view, const bp_lease *lease, const char *run_id, bp_verify_sums *sums, GError **error)
{
    const bp_verb *verb = view->verb;
    resealing r = {.view = view,
                   .run_id = run_id,
                   .text = g_string_new(NULL),
                   .files = g_ptr_array_new_with_free_func((GDestroyNotify)bp_manifest_file_free)};
    bp_verify_params params = {.view = view,
                               .call = view->catalog->call,
                               .deep = true,
                               .unexpected = true,
                               .sealed = seal_record,
                               .kept = keep_record,
                               .ctx = &r};
    g_autoptr(json_t) problems = json_array();
    bool fine = bp_verify_view(&params, sums, problems, error) && write_items_file(&r, error) &&
                commit_reseal(view, &r, lease, error);
    if (!fine && r.files != NULL) {
        bp_call undo = bp_call_undo(view->catalog->call);
        remove_files(view, r.files, &undo);
    }
    g_string_free(r.text, TRUE);
    g_clear_pointer(&r.files, g_ptr_array_unref);
    describe(verb, sums, json_incref(problems));
    return fine;
}

/* What is done under the lease. */
typedef struct {
    const bp_lease *lease;
    const bp_cancel *lost;
    const char *run_id;
    bp_verify_sums *sums; /* NULL: only what killed runs left is removed */
} leased;

/* Files that no manifest names are in nobody's way: that they stay is no failure. */
static void
drop_strays(const bp_view *view)
{
    g_autoptr(GError) failed = NULL;
    if (!bp_catalog_drop_stray_items(view->catalog, view->manifest, &failed)) {
        bp_monitor_note(view->verb->monitor, BP_NOTE_WARN, "items", failed->message);
    }
}

/* Every call of it ends when the lease is lost: from then on the backup is another's to write. */
static bool
work_under(const leased *work, bp_view *view, GError **error)
{
    const bp_verb *verb = view->verb;
    g_autofree char *name = g_strdup(view->manifest->name);
    bp_view_clear(view); /* it may have been replaced before we had the lease */
    if (!bp_view_open(verb, name, view, error)) {
        return false;
    }
    bp_catalog under;
    bp_call call = *bp_workspace_call(verb->workspace);
    const bp_catalog *outer = view->catalog;
    call.cancel = work->lost;
    view->catalog = bp_workspace_under(&under, outer, &call);
    if (!view->foreign) {
        drop_strays(view);
    }
    bool fine = work->sums == NULL || seal(view, work->lease, work->run_id, work->sums, error);
    view->catalog = outer;
    return fine;
}

/* @sums: NULL = only clean up. */
static bool
verify_and_seal(const bp_verb *verb, bp_view *view, bp_verify_sums *sums, GError **error)
{
    const bp_cancel *user = bp_workspace_call(verb->workspace)->cancel;
    g_autofree char *run_id = bp_text_uuid();
    g_autofree char *lease_key = bp_catalog_key(view->manifest->name, BP_CATALOG_LEASE);
    g_autoptr(bp_cancel) lost = bp_cancel_new_child(user);
    gint64 renew_ns = view->catalog->renew_ns;
    bp_lease_params lease_params = {.catalog = view->catalog,
                                    .key = lease_key,
                                    .run_id = run_id,
                                    .purpose = "verify",
                                    .advisory = true, /* as whoever wrote it had to say */
                                    .renew_ns = renew_ns != 0 ? renew_ns : BP_LEASE_RENEW_NS,
                                    .on_loss = lost};
    g_autoptr(bp_lease) lease = bp_lease_take(&lease_params, error);
    if (lease == NULL) {
        return false;
    }
    GError *failed = NULL;
    leased work = {.lease = lease, .lost = lost, .run_id = run_id, .sums = sums};
    bool fine = work_under(&work, view, &failed);
    if (!fine) {
        (void)bp_lease_blame(lease, user, &failed);
        g_propagate_error(error, failed);
    }
    return fine;
}

/*
 * A seal that was killed after its manifest leaves the old files, and nothing to seal.  They are
 * removed when nobody is at it, and when we may; else they stay, and nothing is wrong with that.
 */
static void
clean_up(const bp_verb *verb, const bp_view *seen)
{
    bool any = false;
    bp_lease_state state = BP_LEASE_NONE;
    g_autofree char *holder = NULL;
    g_autoptr(GError) failed = NULL;
    g_autofree char *lease_key = bp_catalog_key(seen->manifest->name, BP_CATALOG_LEASE);
    if (!bp_catalog_has_stray_items(seen->catalog, seen->manifest, &any, &failed) ||
        (any && !bp_lease_look(seen->catalog, lease_key, &state, &holder, &failed))) {
        bp_monitor_note(verb->monitor, BP_NOTE_INFO, "items", failed->message);
        return;
    }
    if (!any || (state != BP_LEASE_NONE && state != BP_LEASE_DEAD)) {
        return;
    }
    g_auto(bp_view) own = {0};
    if (!bp_view_open(verb, seen->manifest->name, &own, &failed) ||
        !verify_and_seal(verb, &own, NULL, &failed)) {
        bp_monitor_note(verb->monitor, BP_NOTE_INFO, "items", failed->message);
    }
}

typedef struct {
    bool any;
} unsealed_search;

static bool
find_unsealed(void *ctx, const bp_item_record *record, GError **error)
{
    unsealed_search *search = ctx;
    (void)error;
    search->any = record->checksum.kind == BP_CHECKSUM_NONE;
    return !search->any;
}

/* What is missing may be so because another run deletes it just now: that is no damage. */
static bool
is_still_there(const bp_view *view, GError **error)
{
    const char *became = bp_view_became(view);
    if (became != NULL) {
        g_clear_error(error);
        bp_set_error(error, BP_ERR_STALE, "backup %s was %s while it was verified",
                     view->manifest->name, became);
    }
    return became == NULL;
}

/* Without a lease: nothing is written. */
static bool
verify_unheld(const bp_verb *verb, const bp_view *view, bool deep, bp_verify_sums *sums,
              GError **error)
{
    GError *failed = NULL;
    bool fine = verify_plain(verb, view, deep, sums, &failed);
    bool lacks = bp_error_is(failed, BP_ERR_NOT_FOUND) || bp_error_is(failed, BP_ERR_CORRUPT);
    if (count_bad(sums) > 0 || lacks) {
        fine = is_still_there(view, &failed) && fine;
    }
    if (failed != NULL) {
        g_propagate_error(error, failed);
    }
    return fine;
}

bp_verb_outcome
bp_verb_verify(const bp_verb *verb, const char *name, bool deep, GError **error)
{
    gint64 started = bp_clock_mono_ns();
    bp_json_set_text(verb->result, "job", "verify");
    bp_json_set_text(verb->result, "name", name);
    json_object_set_new(verb->result, "deep", json_boolean(deep));
    g_auto(bp_view) view = {0};
    if (!bp_view_open(verb, name, &view, error)) {
        return BP_VERB_FAILED;
    }
    unsealed_search search = {0};
    if (deep && !view.foreign && !bp_view_items(&view, find_unsealed, &search, error)) {
        return BP_VERB_FAILED;
    }
    bp_verify_sums sums = {0};
    if (deep && !view.foreign && !search.any) {
        clean_up(verb, &view);
    }
    bp_monitor_begin(verb->monitor, "verify", NULL, NULL);
    bool fine = search.any ? verify_and_seal(verb, &view, &sums, error)
                           : verify_unheld(verb, &view, deep, &sums, error);
    bp_monitor_end(verb->monitor);
    bp_json_set_u64(verb->result, "duration_ms",
                    (guint64)((bp_clock_mono_ns() - started) / BP_NS_PER_MS));
    if (!fine) {
        return BP_VERB_FAILED;
    }
    return count_bad(&sums) == 0 ? BP_VERB_OK : BP_VERB_DIFFERENT;
}
