/* SPDX-License-Identifier: Apache-2.0
 *
 * What tests set and ask of the fake storage.
 */
#include <string.h>

#include "tests/harness/fake_store_internal.h"

#include "sdk/lib/ban.h"

struct bp_storage_info *
fake_store_facts(bp_store *store)
{
    return &store->info;
}

void
fake_store_set_kind(bp_store *store, const char *kind)
{
    g_free(store->kind);
    store->kind = g_strdup(kind);
}

void
fake_store_set_staged(bp_store *store, bool staged)
{
    store->is_staged = staged;
}

void
fake_store_set_synthetic(bp_store *store, guint64 size)
{
    store->synthetic = size;
}

void
fake_store_set_blackhole(bp_store *store, bool blackhole)
{
    store->blackhole = blackhole;
}

void
fake_store_set_read_max(bp_store *store, gsize bytes)
{
    store->read_max = bytes;
}

void
fake_store_set_lie_size(bp_store *store, gint64 difference)
{
    store->lie_size = difference;
}

void
fake_store_set_lie_checksum(bp_store *store, const struct bp_checksum *checksum)
{
    store->lie_checksum = *checksum;
}

void
fake_store_add_fault(bp_store *store, const fake_fault *fault)
{
    fake_rule rule = {.fault = *fault};
    BP_LOCK_GUARD(&store->lock);
    g_array_append_val(store->rules, rule);
}

void
fake_store_set(bp_store *store, const char *key, const void *bytes, gsize n)
{
    BP_LOCK_GUARD(&store->lock);
    fake_insert(store, key, g_bytes_new(bytes, n), true);
}

void
fake_store_set_text(bp_store *store, const char *key, const char *text)
{
    fake_store_set(store, key, text, strlen(text));
}

GBytes *
fake_store_content(bp_store *store, const char *key)
{
    BP_LOCK_GUARD(&store->lock);
    const fake_object *object = g_hash_table_lookup(store->objects, key);
    return object != NULL ? g_bytes_ref(object->bytes) : NULL;
}

bool
fake_store_has_text(bp_store *store, const char *key, const char *text)
{
    g_autoptr(GBytes) bytes = fake_store_content(store, key);
    gsize n = strlen(text);
    return bytes != NULL && g_bytes_get_size(bytes) == n &&
           (n == 0 || memcmp(g_bytes_get_data(bytes, NULL), text, n) == 0);
}

guint
fake_store_n_objects(bp_store *store)
{
    BP_LOCK_GUARD(&store->lock);
    return g_hash_table_size(store->objects);
}

guint
fake_store_n_staged(bp_store *store)
{
    BP_LOCK_GUARD(&store->lock);
    return g_hash_table_size(store->staged);
}

guint
fake_store_calls(bp_store *store, fake_op op)
{
    BP_LOCK_GUARD(&store->lock);
    return store->calls[op];
}

guint
fake_store_n_open(bp_store *store)
{
    BP_LOCK_GUARD(&store->lock);
    return store->open_readers + store->open_writers;
}

guint
fake_store_n_uploads(bp_store *store)
{
    BP_LOCK_GUARD(&store->lock);
    return store->uploads->len;
}

void
fake_store_set_late(bp_store *store, guint listings)
{
    BP_LOCK_GUARD(&store->lock);
    store->late = listings;
}

guint64
fake_store_last_part(bp_store *store)
{
    BP_LOCK_GUARD(&store->lock);
    return store->last_part;
}

guint32
fake_store_begun_flags(bp_store *store)
{
    BP_LOCK_GUARD(&store->lock);
    return store->begun_flags;
}

guint
fake_store_peak_writers(bp_store *store)
{
    BP_LOCK_GUARD(&store->lock);
    return store->peak_writers;
}
