/* SPDX-License-Identifier: Apache-2.0
 *
 * See journal.h: what the chunks of earlier runs prove, in 56 bytes per item, sorted by the hash
 * of the key (keyset.h says why a hash is enough).
 *
 * Two records of one key that differ prove nothing: nobody knows any more which of them tells
 * what the storage holds.
 */
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "core/base/error.h"
#include "core/catalog/catalog_internal.h"
#include "core/catalog/journal.h"
#include "core/catalog/keyset.h"
#include "sdk/lib/checksum.h"

#include "sdk/lib/ban.h"

#define SHORT_SUM 16 /* bytes of a checksum that are kept in place: enough for XXH3-128 */

typedef struct {
    bp_key_hash key;
    guint64 etag; /* hash, 0 = none */
    guint64 size;
    guint8 sum[SHORT_SUM]; /* a longer one: its place in long_sums */
    guint32 kind, by;
} entry;

struct bp_proven {
    GArray *entries;   /* entry, sorted once loaded */
    GArray *long_sums; /* struct bp_checksum */
};

static bp_proven *
proven_new(void)
{
    bp_proven *proven = g_new0(bp_proven, 1);
    proven->entries = g_array_new(FALSE, FALSE, sizeof(entry));
    proven->long_sums = g_array_new(FALSE, FALSE, sizeof(struct bp_checksum));
    return proven;
}

static guint64
etag_hash(const char *etag)
{
    return etag != NULL && *etag != '\0' ? XXH3_64bits(etag, strlen(etag)) | 1 : 0;
}

static bool
collect(void *ctx, const bp_item_record *record, GError **error G_GNUC_UNUSED)
{
    bp_proven *proven = ctx;
    entry e = {
        .key = bp_key_hash_of(record->key),
        .etag = etag_hash(record->etag),
        .size = record->size,
        .kind = record->checksum.kind,
        .by = record->checksum.by,
    };
    if (bp_checksum_length(e.kind) <= SHORT_SUM) {
        memcpy(e.sum, record->checksum.value, SHORT_SUM);
    } else {
        guint at = proven->long_sums->len;
        memcpy(e.sum, &at, sizeof at);
        g_array_append_val(proven->long_sums, record->checksum);
    }
    g_array_append_val(proven->entries, e);
    return true;
}

static void
checksum_of(const bp_proven *proven, const entry *e, struct bp_checksum *out)
{
    memset(out, 0, sizeof *out);
    if (bp_checksum_length(e->kind) <= SHORT_SUM) {
        out->kind = e->kind;
        out->by = e->by;
        memcpy(out->value, e->sum, SHORT_SUM);
    } else {
        guint at = 0;
        memcpy(&at, e->sum, sizeof at);
        *out = g_array_index(proven->long_sums, struct bp_checksum, at);
    }
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

static bool
agree(const bp_proven *proven, const entry *a, const entry *b)
{
    struct bp_checksum left, right;
    checksum_of(proven, a, &left);
    checksum_of(proven, b, &right);
    return a->size == b->size && a->etag == b->etag && memcmp(&left, &right, sizeof left) == 0;
}

/* Sorted, one entry per key, none for keys whose records contradict each other. */
static void
settle(bp_proven *proven)
{
    GArray *all = proven->entries;
    if (all->len == 0) {
        return;
    }
    qsort(all->data, all->len, sizeof(entry), by_key);
    entry *entries = (entry *)(void *)all->data;
    guint kept = 0;
    for (guint i = 0; i < all->len;) {
        guint next = i + 1;
        bool sound = true;
        while (next < all->len && by_key(&entries[i], &entries[next]) == 0) {
            sound = sound && agree(proven, &entries[i], &entries[next]);
            next++;
        }
        if (sound) {
            entries[kept++] = entries[i];
        }
        i = next;
    }
    g_array_set_size(all, kept);
}

/** One chunk on its way in. */
typedef struct {
    const bp_catalog *catalog;
    bp_proven *proven;
    const char *key;
    guint entries_before, sums_before;
} chunk_load;

static bool
try_load_chunk(void *ctx, GError **error)
{
    const chunk_load *load = ctx;
    /* What a failed attempt has brought is brought again. */
    g_array_set_size(load->proven->entries, load->entries_before);
    g_array_set_size(load->proven->long_sums, load->sums_before);
    return bp_item_records_read(load->catalog->store, load->catalog->call, load->key, collect,
                                load->proven, error);
}

bp_proven *
bp_proven_load(const bp_catalog *catalog, const char *name, GError **error)
{
    g_autofree char *prefix = bp_catalog_key(name, BP_JOURNAL_DIR);
    g_autoptr(GPtrArray) keys = bp_catalog__names(catalog, prefix, '\0', error);
    if (keys == NULL) {
        return NULL;
    }
    g_autoptr(bp_proven) proven = proven_new();
    for (guint i = 0; i < keys->len; i++) {
        chunk_load load = {.catalog = catalog,
                           .proven = proven,
                           .key = g_ptr_array_index(keys, i),
                           .entries_before = proven->entries->len,
                           .sums_before = proven->long_sums->len};
        if (!bp_catalog__retry(catalog, try_load_chunk, &load, error)) {
            return NULL;
        }
    }
    settle(proven);
    return g_steal_pointer(&proven);
}

bp_proven *
bp_proven_from_manifest(const bp_catalog *catalog, const bp_manifest *manifest, GError **error)
{
    g_autoptr(bp_proven) proven = proven_new();
    if (!bp_catalog_items(catalog, manifest, collect, proven, error)) {
        return NULL;
    }
    settle(proven);
    return g_steal_pointer(&proven);
}

void
bp_proven_free(bp_proven *proven)
{
    if (proven != NULL) {
        g_array_unref(proven->entries);
        g_array_unref(proven->long_sums);
        g_free(proven);
    }
}

static const entry *
find_entry(const bp_proven *proven, const char *key)
{
    entry wanted = {.key = bp_key_hash_of(key)};
    return proven->entries->len == 0 ? NULL
                                     : bsearch(&wanted, proven->entries->data, proven->entries->len,
                                               sizeof(entry), by_key);
}

bool
bp_proven_find(const bp_proven *proven, const char *key, guint64 size, const char *etag,
               struct bp_checksum *checksum)
{
    const entry *found = find_entry(proven, key);
    if (found == NULL || found->size != size) {
        return false;
    }
    guint64 tag = etag_hash(etag);
    if (tag != 0 && found->etag != 0 && tag != found->etag) {
        return false;
    }
    checksum_of(proven, found, checksum);
    return true;
}

bool
bp_proven_peek(const bp_proven *proven, const char *key, guint64 *size,
               struct bp_checksum *checksum)
{
    const entry *found = find_entry(proven, key);
    if (found == NULL) {
        return false;
    }
    *size = found->size;
    checksum_of(proven, found, checksum);
    return true;
}

guint64
bp_proven_count(const bp_proven *proven)
{
    return proven->entries->len;
}
