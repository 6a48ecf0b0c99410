/* SPDX-License-Identifier: Apache-2.0
 *
 * See sizes.h.  A listing that breaks goes on after the last key where keys are sorted, and begins
 * anew where they are not.
 */
#include "core/catalog/sizes.h"

#include <stdlib.h>
#include <string.h>

#include "core/catalog/catalog_internal.h"
#include "core/catalog/keyset.h"

#include "sdk/lib/ban.h"

typedef struct {
    bp_key_hash key;
    guint64 size;
} entry;

struct bp_sizes {
    GArray *entries; /* entry, sorted by key once loaded */
};

typedef struct {
    const bp_sizes_params *params;
    bp_catalog catalog;
    gsize prefix;
    GArray *entries;
    char *last; /* key that was listed last, where they are sorted */
} load;

static bool
note(void *ctx, const char *key, const struct bp_object_meta *meta)
{
    load *l = ctx;
    const char *rest = key + l->prefix;
    if (bp_store_can(l->catalog.store, BP_STORE_LIST_SORTED)) {
        g_free(l->last);
        l->last = g_strdup(key);
    }
    if (l->params->skip == NULL || !l->params->skip(l->params->ctx, rest)) {
        entry e = {.key = bp_key_hash_of(rest), .size = meta->size};
        g_array_append_val(l->entries, e);
    }
    return true;
}

static bool
try_load(void *ctx, GError **error)
{
    load *l = ctx;
    bp_store_list_params list = {.prefix = l->params->prefix, .start_after = l->last};
    if (l->last == NULL) {
        g_array_set_size(l->entries, 0);
    }
    return bp_store_list(l->catalog.store, l->catalog.call, &list, note, l, error);
}

static int
by_key(const void *a, const void *b)
{
    const bp_key_hash *left = a; /* the first member of an entry */
    const bp_key_hash *right = b;
    if (left->high != right->high) {
        return left->high < right->high ? -1 : 1;
    }
    return left->low < right->low ? -1 : left->low > right->low;
}

bp_sizes *
bp_sizes_load(const bp_sizes_params *params, GError **error)
{
    load l = {.params = params,
              .catalog = *params->catalog,
              .prefix = strlen(params->prefix),
              .entries = g_array_new(FALSE, FALSE, sizeof(entry))};
    if (params->call != NULL) {
        l.catalog.call = params->call;
    }
    bool listed = bp_catalog__retry(&l.catalog, try_load, &l, error);
    g_free(l.last);
    if (!listed) {
        g_array_unref(l.entries);
        return NULL;
    }
    if (l.entries->len > 0) {
        qsort(l.entries->data, l.entries->len, sizeof(entry), by_key);
    }
    bp_sizes *sizes = g_new0(bp_sizes, 1);
    sizes->entries = l.entries;
    return sizes;
}

void
bp_sizes_free(bp_sizes *sizes)
{
    if (sizes != NULL) {
        g_array_unref(sizes->entries);
        g_free(sizes);
    }
}

guint64
bp_sizes_find(const bp_sizes *sizes, const char *key)
{
    entry wanted = {.key = bp_key_hash_of(key)};
    const GArray *all = sizes->entries;
    const entry *found =
        all->len > 0 ? bsearch(&wanted, all->data, all->len, sizeof(entry), by_key) : NULL;
    return found != NULL ? found->size : BP_UNKNOWN;
}

guint64
bp_sizes_count(const bp_sizes *sizes)
{
    return sizes->entries->len;
}
