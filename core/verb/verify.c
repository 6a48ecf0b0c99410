/* SPDX-License-Identifier: Apache-2.0
 *
 * See verify.h.  Items are looked at in batches by several workers, and judged in their order.
 */
#include "core/verb/verify.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/catalog/keyset.h"
#include "core/catalog/sizes.h"
#include "core/copy/copy.h"
#include "core/copy/pool.h"

#include "sdk/lib/checksum.h"

#include "sdk/lib/ban.h"

#define BATCH 512
#define WORKERS 8
#define BUFFER_BYTES (1 << 20)
/* A whole backup is listed for a hundredth of it: ten items for each page of 1000 objects. */
#define LIST_PART 100

/* One item on its way through a worker. */
typedef struct {
    char *key, *unit_id, *etag; /* copies: the reader's strings go with its line */
    guint64 size;
    struct bp_checksum recorded;
    bool read; /* its bytes were read */
    guint64 found_size;
    struct bp_checksum found;
    GError *error;
} look;

typedef struct {
    const bp_verify_params *params;
    bp_verify_sums *sums;
    json_t *problems;
    bp_retry_params retry;
    bp_pool *pool;
    GPtrArray *batch; /* look* */
    bp_keyset *known; /* for `unexpected` */
    bp_sizes *listed; /* of all that is no record of ours; NULL where few items matter */
    guint64 matched;  /* listed objects that an item stands for */
} verify_work;

static void
look_free(gpointer data)
{
    look *l = data;
    g_free(l->key);
    g_free(l->unit_id);
    g_free(l->etag);
    g_clear_error(&l->error);
    g_free(l);
}

static void
add_problem(verify_work *work, const char *key, const char *problem, guint64 expected,
            guint64 found)
{
    if (json_array_size(work->problems) >= BP_VERIFY_MAX_PROBLEMS) {
        return;
    }
    json_t *one = json_object();
    bp_json_set_text(one, "key", key);
    bp_json_set_text(one, "problem", problem);
    bp_json_set_u64(one, "expected_bytes", expected);
    bp_json_set_u64(one, "found_bytes", found);
    json_array_append_new(work->problems, one);
}

typedef struct {
    const verify_work *work;
    const char *key;
    struct bp_object_meta *meta;
} stat_call;

static bool
try_stat(void *ctx, GError **error)
{
    stat_call *c = ctx;
    const bp_verify_params *params = c->work->params;
    return bp_store_stat(params->view->catalog->store, params->call, c->key, c->meta, error);
}

static bool
hash_item(const verify_work *work, look *l, const char *key)
{
    bp_copy_hash_params hash = {.store = work->params->view->catalog->store,
                                .call = work->params->call,
                                .key = key,
                                .buffer_bytes = BUFFER_BYTES,
                                .attempts = work->retry.attempts,
                                .max_delay_ns = work->retry.max_delay_ns,
                                .kind = l->recorded.kind != BP_CHECKSUM_NONE
                                            ? (enum bp_checksum_kind)l->recorded.kind
                                            : BP_CHECKSUM_XXH3_128};
    l->read = true;
    return bp_copy_hash(&hash, &l->found, &l->found_size, &l->error);
}

/* With the size it should have; anything else is asked for by itself before it is believed. */
static bool
is_listed(const verify_work *work, look *l)
{
    guint64 size = work->listed != NULL ? bp_sizes_find(work->listed, l->key) : BP_UNKNOWN;
    l->found_size = size;
    return size != BP_UNKNOWN && (l->size == BP_UNKNOWN || size == l->size);
}

/* On a worker. */
static void
look_at(void *ctx, void *task, guint worker)
{
    (void)worker;
    const verify_work *work = ctx;
    look *l = task;
    g_autofree char *key = bp_catalog_key(work->params->view->manifest->name, l->key);
    if (!is_listed(work, l)) {
        struct bp_object_meta meta = {.struct_size = sizeof meta};
        stat_call c = {.work = work, .key = key, .meta = &meta};
        if (!bp_retry(&work->retry, try_stat, &c, &l->error)) {
            return;
        }
        l->found_size = meta.size;
    }
    if (work->params->deep && (l->size == BP_UNKNOWN || l->found_size == l->size)) {
        (void)hash_item(work, l, key); /* judged by l->error */
    }
}

static void
drop_look(void *ctx, void *task)
{
    (void)ctx;
    (void)task; /* the batch owns it */
}

static bool
hand_on(verify_work *work, look *l, bool sealed, GError **error)
{
    bp_item_record record = {.key = l->key,
                             .unit_id = l->unit_id,
                             .size = l->size,
                             .checksum = sealed ? l->found : l->recorded,
                             .etag = l->etag};
    bool (*fn)(void *, const bp_item_record *, GError **) =
        sealed ? work->params->sealed : work->params->kept;
    return fn == NULL || fn(work->params->ctx, &record, error);
}

/* Missing, truncated and altered are findings; anything else that went wrong is an error. */
static bool
judge(verify_work *work, look *l, GError **error)
{
    bp_verify_sums *sums = work->sums;
    sums->items++;
    sums->bytes += l->size != BP_UNKNOWN ? l->size : 0;
    if (bp_error_is(l->error, BP_ERR_NOT_FOUND)) {
        sums->missing++;
        add_problem(work, l->key, "missing", l->size, BP_UNKNOWN);
        return hand_on(work, l, false, error);
    }
    if (l->error != NULL) {
        g_propagate_error(error, g_steal_pointer(&l->error));
        return false;
    }
    if (l->size != BP_UNKNOWN && l->found_size != l->size) {
        sums->truncated++;
        add_problem(work, l->key, l->found_size < l->size ? "truncated" : "longer than recorded",
                    l->size, l->found_size);
        return hand_on(work, l, false, error);
    }
    bool has_sum = l->recorded.kind != BP_CHECKSUM_NONE;
    if (!l->read) {
        sums->by_size++;
    } else if (!has_sum) {
        sums->sealed++;
    } else if (bp_checksum_equal(&l->found, &l->recorded)) {
        sums->compared++;
    } else {
        sums->altered++;
        add_problem(work, l->key, "altered", l->size, l->found_size);
    }
    return hand_on(work, l, l->read && !has_sum, error);
}

static bool
finish_batch(verify_work *work, GError **error)
{
    bp_pool_drain(work->pool);
    bool fine = true;
    for (guint i = 0; i < work->batch->len && fine; i++) {
        fine = judge(work, g_ptr_array_index(work->batch, i), error);
    }
    g_ptr_array_set_size(work->batch, 0);
    return fine && bp_cancel_check(work->params->call->cancel, error);
}

static bool
take_item(void *ctx, const bp_item_record *record, GError **error)
{
    verify_work *work = ctx;
    if (work->known != NULL && bp_keyset_add(work->known, record->key) && work->listed != NULL &&
        bp_sizes_find(work->listed, record->key) != BP_UNKNOWN) {
        work->matched++;
    }
    GHashTable *units = work->params->units;
    if (units != NULL && !g_hash_table_contains(units, record->unit_id)) {
        return true;
    }
    look *l = g_new0(look, 1);
    l->key = g_strdup(record->key);
    l->unit_id = g_strdup(record->unit_id);
    l->etag = g_strdup(record->etag);
    l->size = record->size;
    l->recorded = record->checksum;
    g_ptr_array_add(work->batch, l);
    (void)bp_pool_submit(work->pool, l); /* refused only after a stop, which nobody asks for */
    return work->batch->len < BATCH || finish_batch(work, error);
}

typedef struct {
    verify_work *work;
    gsize prefix;
} unexpected_work;

static bool
is_ours(const bp_view *view, const char *key)
{
    return g_str_has_prefix(key, "bakplane/") ||
           (view->foreign ? g_str_has_prefix(key, "meta/")
                          : bp_manifest_has_document(view->manifest, key));
}

static bool
skip_ours(void *ctx, const char *key)
{
    return is_ours(ctx, key);
}

static bool
look_unexpected(void *ctx, const char *full_key, const struct bp_object_meta *meta)
{
    unexpected_work *u = ctx;
    const char *key = full_key + u->prefix;
    if (meta != NULL && !is_ours(u->work->params->view, key) &&
        bp_keyset_add(u->work->known, key)) {
        u->work->sums->unexpected++;
        add_problem(u->work, key, "unexpected", BP_UNKNOWN, meta->size);
    }
    return true;
}

/* Another attempt passes over what the one before has named: by then it is known. */
static bool
try_unexpected(void *ctx, GError **error)
{
    unexpected_work *u = ctx;
    const bp_verify_params *params = u->work->params;
    g_autofree char *prefix = bp_catalog_key(params->view->manifest->name, "");
    u->prefix = strlen(prefix);
    bp_store_list_params list = {.prefix = prefix};
    return bp_store_list(params->view->catalog->store, params->call, &list, look_unexpected, u,
                         error);
}

static bool
find_unexpected(verify_work *work, GError **error)
{
    unexpected_work u = {.work = work};
    bool none = work->listed != NULL && work->matched == bp_sizes_count(work->listed);
    return work->known == NULL || none || bp_retry(&work->retry, try_unexpected, &u, error);
}

/* Many items of a backup for a request per 1000 objects; a few are cheaper asked for. */
static bool
list_if_worth(verify_work *work, GError **error)
{
    const bp_verify_params *params = work->params;
    const bp_manifest *manifest = params->view->manifest;
    guint64 wanted = 0;
    for (guint i = 0; i < manifest->units->len; i++) {
        const bp_manifest_unit *unit = g_ptr_array_index(manifest->units, i);
        bool matters = params->units == NULL || g_hash_table_contains(params->units, unit->id);
        wanted += matters ? unit->items : 0;
    }
    if (wanted < BP_SIZES_WORTH || wanted < manifest->items / LIST_PART) {
        return true;
    }
    g_autofree char *prefix = bp_catalog_key(manifest->name, "");
    bp_sizes_params sizes = {.catalog = params->view->catalog,
                             .call = params->call,
                             .prefix = prefix,
                             .skip = skip_ours,
                             .ctx = (void *)params->view};
    work->listed = bp_sizes_load(&sizes, error);
    return work->listed != NULL;
}

bool
bp_verify_view(const bp_verify_params *params, bp_verify_sums *sums, json_t *problems,
               GError **error)
{
    verify_work work = {.params = params, .sums = sums, .problems = problems};
    work.retry = bp_workspace_retry_for(params->view->verb->workspace, params->call);
    work.batch = g_ptr_array_new_with_free_func(look_free);
    work.known = params->unexpected ? bp_keyset_new() : NULL;
    bp_pool_params pool = {.workers = bp_store_parallel(params->view->catalog->store, WORKERS),
                           .capacity = BATCH,
                           .run = look_at,
                           .drop = drop_look,
                           .ctx = &work};
    work.pool = bp_pool_new(&pool);
    bool fine = list_if_worth(&work, error) &&
                bp_view_items(params->view, take_item, &work, error) &&
                finish_batch(&work, error) && find_unexpected(&work, error);
    bp_pool_free(work.pool);
    g_ptr_array_unref(work.batch);
    bp_keyset_free(work.known);
    bp_sizes_free(work.listed);
    return fine;
}
