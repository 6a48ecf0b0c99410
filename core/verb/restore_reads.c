/* SPDX-License-Identifier: Apache-2.0
 *
 * See restore_reads.h.  An item is kept only between its first piece and its last one.
 */
#include "core/verb/restore_reads.h"

#include <pthread.h>

#include "core/base/error.h"
#include "core/base/thread.h"
#include "core/copy/hasher.h"
#include "sdk/lib/checksum.h"

#include "sdk/lib/ban.h"

/* Of a source that begins many and ends none; what is forgotten is not compared. */
#define OPEN_MAX 1024

typedef struct {
    bp_hasher *hasher;
    struct bp_checksum recorded;
    guint64 next, size;
} open_item;

struct bp_restore_reads {
    const bp_proven *index;
    pthread_mutex_t lock; /* guards by_key, not what is taken out of it */
    GHashTable *by_key;   /* char* -> open_item* */
};

static void
open_item_free(gpointer data)
{
    open_item *item = data;
    if (item != NULL) {
        bp_hasher_free(item->hasher);
        g_free(item);
    }
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(open_item, open_item_free)

bp_restore_reads *
bp_restore_reads_new(const bp_proven *index)
{
    bp_restore_reads *reads = g_new0(bp_restore_reads, 1);
    reads->index = index;
    pthread_mutex_init(&reads->lock, NULL);
    reads->by_key = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, open_item_free);
    return reads;
}

void
bp_restore_reads_free(bp_restore_reads *reads)
{
    if (reads != NULL) {
        g_hash_table_unref(reads->by_key);
        pthread_mutex_destroy(&reads->lock);
        g_free(reads);
    }
}

/* NULL for what the record does not know, or knows no checksum of. */
static open_item *
begin(const bp_restore_reads *reads, const char *key)
{
    g_autoptr(open_item) item = g_new0(open_item, 1);
    if (!bp_proven_peek(reads->index, key, &item->size, &item->recorded)) {
        return NULL;
    }
    item->hasher = bp_hasher_new(item->recorded.kind);
    return item->hasher != NULL ? g_steal_pointer(&item) : NULL;
}

/* Out of the table: another piece of it cannot come before this one is done. */
static open_item *
find(bp_restore_reads *reads, const bp_ref_piece *piece)
{
    gpointer key = NULL;
    gpointer found = NULL;
    {
        BP_LOCK_GUARD(&reads->lock);
        if (!g_hash_table_steal_extended(reads->by_key, piece->key, &key, &found)) {
            found = NULL;
        }
    }
    g_free(key);
    g_autoptr(open_item) item = found;
    if (piece->offset == 0) {
        return begin(reads, piece->key);
    }
    return item != NULL && item->next == piece->offset ? g_steal_pointer(&item) : NULL;
}

static void
put_back(bp_restore_reads *reads, const char *key, open_item *take_item)
{
    BP_LOCK_GUARD(&reads->lock);
    if (g_hash_table_size(reads->by_key) >= OPEN_MAX) {
        g_hash_table_remove_all(reads->by_key);
    }
    g_hash_table_replace(reads->by_key, g_strdup(key), take_item);
}

static bool
compare(const open_item *item, const char *key, GError **error)
{
    struct bp_checksum is;
    char is_hex[BP_CHECKSUM_HEX_MAX], must_hex[BP_CHECKSUM_HEX_MAX];
    bp_hasher_get(item->hasher, &is);
    if (bp_checksum_equal(&is, &item->recorded)) {
        return true;
    }
    bp_checksum_to_hex(&is, is_hex);
    bp_checksum_to_hex(&item->recorded, must_hex);
    bp_set_error(error, BP_ERR_CORRUPT, "%s of the backup: its %s is %s and must be %s", key,
                 bp_checksum_kind_name(is.kind), is_hex, must_hex);
    return false;
}

bool
bp_restore_reads_take(bp_restore_reads *reads, const bp_ref_piece *piece, GError **error)
{
    g_autoptr(open_item) item = find(reads, piece);
    if (item == NULL) {
        return true;
    }
    bp_hasher_update(item->hasher, piece->bytes, piece->n);
    item->next += piece->n;
    if (item->next == item->size) {
        return compare(item, piece->key, error);
    }
    if (piece->n > 0 && item->next < item->size) {
        put_back(reads, piece->key, g_steal_pointer(&item));
    }
    return true;
}
