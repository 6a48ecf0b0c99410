/* SPDX-License-Identifier: Apache-2.0
 *
 * The fake's listing, and small whole objects.
 */
#include <string.h>

#include "core/base/error.h"
#include "tests/harness/fake_store_internal.h"

#include "sdk/lib/ban.h"

static int
compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted copies of the visible keys below the prefix. */
static GPtrArray *
keys_below(bp_store *store, const char *prefix)
{
    GPtrArray *keys = g_ptr_array_new_with_free_func(g_free);
    BP_LOCK_GUARD(&store->lock);
    if (store->late > 0) {
        store->late--;
        return keys;
    }
    GHashTableIter iter;
    void *key;
    g_hash_table_iter_init(&iter, store->objects);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        if (g_str_has_prefix(key, prefix)) {
            g_ptr_array_add(keys, g_strdup(key));
        }
    }
    g_ptr_array_sort(keys, compare_keys);
    return keys;
}

/* The group of `key` below `prefix`, ending in the delimiter, or NULL. */
static char *
group_of(const char *key, const char *prefix, char delimiter)
{
    const char *end = delimiter != '\0' ? strchr(key + strlen(prefix), delimiter) : NULL;
    return end != NULL ? g_strndup(key, (gsize)(end - key) + 1) : NULL;
}

bool
bp_store_list(bp_store *store, const bp_call *call, const bp_store_list_params *params,
              bp_store_visit visit, void *ctx, GError **error)
{
    const char *prefix = params->prefix != NULL ? params->prefix : "";
    bool effect;
    if (!fake_enter(store, FAKE_LIST, prefix, call, &effect, error)) {
        return false;
    }
    g_autoptr(GPtrArray) keys = keys_below(store, prefix);
    g_autofree char *last_group = NULL;
    for (guint i = 0; i < keys->len; i++) {
        const char *key = keys->pdata[i];
        if (params->start_after != NULL && strcmp(key, params->start_after) <= 0) {
            continue;
        }
        g_autofree char *group = group_of(key, prefix, params->delimiter);
        if (group != NULL) {
            if (g_strcmp0(group, last_group) != 0 && !visit(ctx, group, NULL)) {
                return true;
            }
            g_free(last_group);
            last_group = g_steal_pointer(&group);
            continue;
        }
        struct bp_object_meta meta;
        g_autoptr(GBytes) bytes = fake_open(store, "list", key, NULL, &meta, NULL);
        if (bytes != NULL && !visit(ctx, key, &meta)) {
            return true;
        }
    }
    return true;
}

static bool
note_any(void *ctx, const char *key G_GNUC_UNUSED, const struct bp_object_meta *meta G_GNUC_UNUSED)
{
    *(bool *)ctx = true;
    return false;
}

bool
bp_store_has_any(bp_store *store, const bp_call *call, const char *prefix, bool *out,
                 GError **error)
{
    *out = false;
    return bp_store_list(store, call, &(bp_store_list_params){.prefix = prefix}, note_any, out,
                         error);
}

GBytes *
bp_store_get(bp_store *store, const bp_call *call, const char *key, gsize max, GError **error)
{
    bool effect;
    if (!fake_enter(store, FAKE_READ_OPEN, key, call, &effect, error)) {
        return NULL;
    }
    g_autoptr(GBytes) bytes = fake_open(store, "get", key, NULL, NULL, error);
    if (bytes == NULL) {
        return NULL;
    }
    gsize n;
    const char *data = g_bytes_get_data(bytes, &n);
    if (n > max) {
        fake_set_error(error, BP_ERR_INVALID, store, "get", key, "too large");
        return NULL;
    }
    char *copy = g_malloc(n + 1); /* NUL-terminated beyond its size, as promised */
    memcpy(copy, data != NULL ? data : "", n);
    copy[n] = '\0';
    return g_bytes_new_take(copy, n);
}

bool
bp_store_put(bp_store *store, const bp_call *call, const bp_store_put_params *params,
             GError **error)
{
    bp_store_write_params write = {
        .key = params->key, .size = params->n, .flags = params->flags | BP_WRITE_DURABLE};
    bp_store_writer *writer = bp_store_write_open(store, call, &write, error);
    if (writer == NULL) {
        return false;
    }
    if (!bp_store_write(writer, call, params->bytes, params->n, error)) {
        bp_store_write_abort(writer);
        return false;
    }
    return bp_store_write_commit(writer, call, NULL, error);
}
