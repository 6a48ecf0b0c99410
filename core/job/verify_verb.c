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
#include "core/job/verify.h"

#include "sdk/lib/ban.h"

/* Records of one items file; a reader takes a file whole, so it stays well below its limit. */
#define RECORDS_PER_FILE 20000

/* The items files of a sealed backup: written beside the old ones, which go last. */
typedef struct {
    const bp_view *view;
    GString *text;
    guint in_text, next_number;
    GPtrArray *files; /* bp_manifest_file* */
    bool any_sealed;
} resealing;

static bool
write_items_file(resealing *r, GError **error)
{
    if (r->in_text == 0) {
        return true;
    }
    const bp_catalog *catalog = r->view->catalog;
    g_autofree char *rest = g_strdup_printf("bakplane/items-%u.jsonl", r->next_number++);
    g_autofree char *key = bp_catalog_key(r->view->manifest->name, rest);
    bp_store_put_params params = {
        .key = key, .bytes = r->text->str, .n = r->text->len, .flags = BP_WRITE_DURABLE};
    if (!bp_store_put(catalog->store, catalog->call, &params, error)) {
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

/* Number after the highest that the manifest uses: its files stay valid until it is replaced. */
static guint
next_file_number(const bp_manifest *manifest)
{
    guint64 highest = 0;
    for (guint i = 0; i < manifest->item_files->len; i++) {
        const bp_manifest_file *file = g_ptr_array_index(manifest->item_files, i);
        const char *digits = strrchr(file->key, '-');
        if (digits != NULL) {
            highest = MAX(highest, g_ascii_strtoull(digits + 1, NULL, 10));
        }
    }
    return (guint)highest + 1;
}

static bool
remove_files(const bp_view *view, const GPtrArray *files, GError **error)
{
    for (guint i = 0; i < files->len; i++) {
        const bp_manifest_file *file = g_ptr_array_index(files, i);
        g_autofree char *key = bp_catalog_key(view->manifest->name, file->key);
        if (!bp_store_remove(view->catalog->store, view->catalog->call, key, NULL, error)) {
            return false;
        }
    }
    return true;
}

/* Replaces the manifest by one that names the new files, then removes the others. */
static bool
commit_reseal(bp_view *view, resealing *r, GError **error)
{
    if (!r->any_sealed) {
        return remove_files(view, r->files, error);
    }
    GPtrArray *old = view->manifest->item_files;
    view->manifest->item_files = g_steal_pointer(&r->files);
    bool saved = bp_catalog_save(view->catalog, view->manifest, error);
    bool fine = saved && remove_files(view, old, error);
    g_ptr_array_unref(old);
    return fine;
}

static void
describe(const bp_job *job, const bp_verify_sums *sums, json_t *take_problems)
{
    json_t *result = job->result;
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

static bool
verify_plain(const bp_job *job, const bp_view *view, bool deep, bp_verify_sums *sums,
             GError **error)
{
    bp_verify_params params = {
        .view = view, .call = bp_workspace_call(job->workspace), .deep = deep, .unexpected = true};
    g_autoptr(json_t) problems = json_array();
    bool fine = bp_verify_view(&params, sums, problems, error);
    if (view->foreign) {
        sums->by_size += sums->sealed; /* read, but there is no record of ours to seal it in */
        sums->sealed = 0;
    }
    describe(job, sums, json_incref(problems));
    return fine;
}

static bool
verify_and_seal(const bp_job *job, bp_view *view, bp_verify_sums *sums, GError **error)
{
    g_autofree char *run_id = bp_text_uuid();
    g_autofree char *lease_key = bp_catalog_key(view->manifest->name, "bakplane/lease.json");
    bp_lease_params lease_params = {.catalog = view->catalog,
                                    .key = lease_key,
                                    .run_id = run_id,
                                    .purpose = "verify",
                                    .renew_ns = 30 * BP_NS_PER_S};
    g_autoptr(bp_lease) lease = bp_lease_take(&lease_params, error);
    if (lease == NULL) {
        return false;
    }
    g_autofree char *name = g_strdup(view->manifest->name);
    bp_view_clear(view); /* it may have been replaced before we had the lease */
    if (!bp_view_open(job, name, view, error)) {
        return false;
    }
    resealing r = {.view = view,
                   .text = g_string_new(NULL),
                   .next_number = next_file_number(view->manifest),
                   .files = g_ptr_array_new_with_free_func((GDestroyNotify)bp_manifest_file_free)};
    bp_verify_params params = {.view = view,
                               .call = bp_workspace_call(job->workspace),
                               .deep = true,
                               .unexpected = true,
                               .sealed = seal_record,
                               .kept = keep_record,
                               .ctx = &r};
    g_autoptr(json_t) problems = json_array();
    bool fine = bp_verify_view(&params, sums, problems, error) && write_items_file(&r, error) &&
                bp_lease_check(lease, error) && commit_reseal(view, &r, error);
    if (!fine && r.files != NULL) {
        (void)remove_files(view, r.files, NULL); /* the manifest does not name them */
    }
    g_string_free(r.text, TRUE);
    g_clear_pointer(&r.files, g_ptr_array_unref);
    describe(job, sums, json_incref(problems));
    return fine;
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

bp_verb_outcome
bp_job_verify(const bp_job *job, const char *name, bool deep, GError **error)
{
    gint64 started = bp_clock_mono_ns();
    bp_json_set_text(job->result, "job", "verify");
    bp_json_set_text(job->result, "name", name);
    json_object_set_new(job->result, "deep", json_boolean(deep));
    g_auto(bp_view) view = {0};
    if (!bp_view_open(job, name, &view, error)) {
        return BP_VERB_FAILED;
    }
    unsealed_search search = {0};
    if (deep && !view.foreign && !bp_view_items(&view, find_unsealed, &search, error)) {
        return BP_VERB_FAILED;
    }
    bp_verify_sums sums = {0};
    bp_monitor_begin(job->monitor, "verify", NULL, NULL);
    bool fine = search.any ? verify_and_seal(job, &view, &sums, error)
                           : verify_plain(job, &view, deep, &sums, error);
    bp_monitor_end(job->monitor);
    bp_json_set_u64(job->result, "duration_ms",
                    (guint64)((bp_clock_mono_ns() - started) / BP_NS_PER_MS));
    if (!fine) {
        return BP_VERB_FAILED;
    }
    guint64 bad = sums.missing + sums.truncated + sums.altered + sums.unexpected;
    return bad == 0 ? BP_VERB_OK : BP_VERB_DIFFERENT;
}
