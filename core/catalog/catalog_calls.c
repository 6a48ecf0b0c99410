/* SPDX-License-Identifier: Apache-2.0
 *
 * Small storage calls of the catalog, each with retries and, where it changes something, between
 * two fault points.  See catalog_internal.h.
 */
#include <string.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/fault.h"
#include "core/base/retry.h"
#include "core/catalog/catalog_internal.h"

#include "sdk/lib/ban.h"

/* A storage without STRONG_LIST: passes of a purge, and how long to wait before the second. */
#define LATE_PASSES 6
#define LATE_NS (50 * BP_NS_PER_MS)

/** One call and its result; which members count depends on the call. */
typedef struct {
    const bp_catalog *catalog;
    const char *key;
    gsize max;
    const void *bytes;
    gsize n;
    struct bp_object_meta *meta;
    bool *found;
    GBytes *got;
    GPtrArray *names;
    char delimiter;
} small_call;

bool
bp_catalog__retry(const bp_catalog *catalog, bool (*attempt)(void *ctx, GError **error), void *ctx,
                  GError **error)
{
    bp_retry_params params = {
        .cancel = catalog->call->cancel,
        .attempts = MAX(catalog->attempts, 1),
        .max_delay_ns = catalog->max_delay_ns,
        .deadline_ns = catalog->call->deadline_ns,
    };
    return bp_retry(&params, attempt, ctx, error);
}

bool
bp_catalog__pass(const char *step, const char *moment, GError **error)
{
    g_autofree char *name = g_strconcat(step, moment, NULL);
    return bp_fault_point(name, error);
}

static bool
try_get(void *ctx, GError **error)
{
    small_call *c = ctx;
    c->got = bp_store_get(c->catalog->store, c->catalog->call, c->key, c->max, error);
    return c->got != NULL;
}

GBytes *
bp_catalog__get(const bp_catalog *catalog, const char *key, gsize max, GError **error)
{
    small_call c = {.catalog = catalog, .key = key, .max = max};
    return bp_catalog__retry(catalog, try_get, &c, error) ? c.got : NULL;
}

static bool
try_put(void *ctx, GError **error)
{
    const small_call *c = ctx;
    bp_store_put_params params = {
        .key = c->key, .bytes = c->bytes, .n = c->n, .flags = BP_WRITE_DURABLE};
    return bp_store_put(c->catalog->store, c->catalog->call, &params, error);
}

bool
bp_catalog__put(const bp_catalog *catalog, const char *step, const char *key, const void *bytes,
                gsize n, GError **error)
{
    const void *content = n > 0 ? bytes : "";
    small_call c = {.catalog = catalog, .key = key, .bytes = content, .n = n};
    return bp_catalog__pass(step, ".before", error) &&
           bp_catalog__retry(catalog, try_put, &c, error) &&
           bp_catalog__pass(step, ".after", error);
}

static bool
try_stat(void *ctx, GError **error)
{
    const small_call *c = ctx;
    return bp_store_stat(c->catalog->store, c->catalog->call, c->key, c->meta, error);
}

bool
bp_catalog__stat(const bp_catalog *catalog, const char *key, struct bp_object_meta *out,
                 GError **error)
{
    small_call c = {.catalog = catalog, .key = key, .meta = out};
    return bp_catalog__retry(catalog, try_stat, &c, error);
}

static bool
try_remove(void *ctx, GError **error)
{
    const small_call *c = ctx;
    return bp_store_remove(c->catalog->store, c->catalog->call, c->key, NULL, error);
}

bool
bp_catalog__remove(const bp_catalog *catalog, const char *key, GError **error)
{
    small_call c = {.catalog = catalog, .key = key};
    return bp_catalog__retry(catalog, try_remove, &c, error);
}

static bool
try_sync(void *ctx, GError **error)
{
    const small_call *c = ctx;
    return bp_store_sync(c->catalog->store, c->catalog->call, error);
}

bool
bp_catalog__sync(const bp_catalog *catalog, GError **error)
{
    small_call c = {.catalog = catalog};
    return bp_catalog__retry(catalog, try_sync, &c, error);
}

static bool
try_has_any(void *ctx, GError **error)
{
    const small_call *c = ctx;
    return bp_store_has_any(c->catalog->store, c->catalog->call, c->key, c->found, error);
}

bool
bp_catalog__has_any(const bp_catalog *catalog, const char *prefix, bool *out, GError **error)
{
    small_call c = {.catalog = catalog, .key = prefix, .found = out};
    return bp_catalog__retry(catalog, try_has_any, &c, error);
}

static bool
note_name(void *ctx, const char *key, const struct bp_object_meta *meta)
{
    small_call *c = ctx;
    if (c->delimiter == '\0' || meta == NULL) {
        g_ptr_array_add(c->names, g_strdup(key));
    }
    return true;
}

static bool
try_names(void *ctx, GError **error)
{
    small_call *c = ctx;
    bp_store_list_params params = {.prefix = c->key, .delimiter = c->delimiter};
    g_ptr_array_set_size(c->names, 0);
    return bp_store_list(c->catalog->store, c->catalog->call, &params, note_name, c, error);
}

static gint
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *
bp_catalog__names(const bp_catalog *catalog, const char *prefix, char delimiter, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    small_call c = {.catalog = catalog, .key = prefix, .delimiter = delimiter, .names = names};
    if (!bp_catalog__retry(catalog, try_names, &c, error)) {
        return NULL;
    }
    g_ptr_array_sort(names, compare_names);
    return g_steal_pointer(&names);
}

/** A purge on its way. */
typedef struct {
    const bp_purge *purge;
    GPtrArray *batch;
    guint64 in_pass;
    GError *failed; /* of a removal inside the listing */
} sweep;

static bool
try_remove_batch(void *ctx, GError **error)
{
    const sweep *s = ctx;
    const bp_catalog *catalog = s->purge->catalog;
    return bp_store_remove_many(catalog->store, catalog->call, (const char *const *)s->batch->pdata,
                                s->batch->len, error);
}

static bool
remove_batch(sweep *s, GError **error)
{
    if (s->batch->len == 0) {
        return true;
    }
    if (!bp_catalog__retry(s->purge->catalog, try_remove_batch, s, error)) {
        return false;
    }
    s->in_pass += s->batch->len;
    *s->purge->removed += s->batch->len;
    g_ptr_array_set_size(s->batch, 0);
    if (s->purge->progress != NULL) {
        s->purge->progress(s->purge->progress_ctx, *s->purge->removed);
    }
    return true;
}

static bool
sweep_visit(void *ctx, const char *key, const struct bp_object_meta *meta G_GNUC_UNUSED)
{
    sweep *s = ctx;
    if (s->purge->keep == NULL || !s->purge->keep(s->purge->ctx, key)) {
        g_ptr_array_add(s->batch, g_strdup(key));
    }
    return s->batch->len < BP_REMOVE_BATCH || remove_batch(s, &s->failed);
}

static bool
try_sweep(void *ctx, GError **error)
{
    sweep *s = ctx;
    const bp_catalog *catalog = s->purge->catalog;
    bp_store_list_params params = {.prefix = s->purge->prefix};
    g_ptr_array_set_size(s->batch, 0);
    bool listed = bp_store_list(catalog->store, catalog->call, &params, sweep_visit, s, error);
    if (s->failed != NULL) {
        g_clear_error(error);
        return true; /* the removal had its attempts: not worth another listing */
    }
    return listed;
}

static bool
one_pass(sweep *s, GError **error)
{
    s->in_pass = 0;
    if (!bp_catalog__retry(s->purge->catalog, try_sweep, s, error)) {
        return false;
    }
    if (s->failed != NULL) {
        g_propagate_error(error, g_steal_pointer(&s->failed));
        return false;
    }
    return remove_batch(s, error);
}

static bool
wait_for_listing(const bp_catalog *catalog, guint pass, GError **error)
{
    const bp_cancel *cancel = catalog->call->cancel;
    (void)bp_cancel_sleep_ns(cancel, LATE_NS << pass); /* the check tells */
    return bp_cancel_check(cancel, error);
}

bool
bp_catalog__purge(const bp_purge *purge, GError **error)
{
    g_autoptr(GPtrArray) batch = g_ptr_array_new_with_free_func(g_free);
    sweep s = {.purge = purge, .batch = batch};
    if (!bp_catalog__pass(purge->step, ".before", error)) {
        return false;
    }
    /*
     * Listing while removing may pass over something: done is when a listing finds nothing.  A
     * storage that lists late goes on naming what is gone; it is given some time, not for ever.
     */
    bool strong = bp_store_can(purge->catalog->store, BP_STORE_STRONG_LIST);
    guint pass = 0;
    do {
        if ((pass > 0 && !strong && !wait_for_listing(purge->catalog, pass, error)) ||
            !one_pass(&s, error)) {
            return false;
        }
    } while (s.in_pass > 0 && (strong || ++pass < LATE_PASSES));
    return bp_catalog__pass(purge->step, ".after", error);
}
