/* SPDX-License-Identifier: Apache-2.0
 *
 * Committed files that wait for the barrier.
 */
#include "plugins/storage-local/pending.h"

#include <string.h>
#include <time.h>

#include "plugins/storage-local/publish.h"
#include "plugins/storage-local/tmp.h"
#include "sdk/lib/result.h"

#include "sdk/lib/ban.h"

struct bp_local_pending {
    GHashTable *waiting; /* key (inside the entry) -> struct bp_local_entry */
    GHashTable *batch;   /* of the running barrier, else NULL */
    bool running;
    struct bp_error lost; /* cls BP_OK: nothing is lost */
};

static GHashTable *
new_table(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
}

struct bp_local_pending *
bp_local_pending_new(void)
{
    struct bp_local_pending *pending = g_new0(struct bp_local_pending, 1);
    pending->waiting = new_table();
    return pending;
}

void
bp_local_pending_free(struct bp_local_pending *pending)
{
    if (pending != NULL) {
        g_hash_table_unref(pending->waiting);
        g_free(pending);
    }
}

static struct bp_local_entry *
new_entry(const char *key, uint64_t number)
{
    size_t size = strlen(key) + 1;
    struct bp_local_entry *entry = g_malloc(sizeof(*entry) + size);
    entry->number = number;
    entry->state = BP_LOCAL_WAITING;
    memcpy(entry->key, key, size);
    return entry;
}

void
bp_local_pending_add(struct bp_storage *storage, const char *key, uint64_t number, size_t *waiting)
{
    struct bp_local_entry *entry = new_entry(key, number);
    uint64_t older = 0;

    pthread_mutex_lock(&storage->lock);
    GHashTable *table = storage->pending->waiting;
    struct bp_local_entry *found = g_hash_table_lookup(table, key);
    if (found != NULL) {
        older = found->number;
    }
    g_hash_table_replace(table, entry->key, entry);
    *waiting = g_hash_table_size(table);
    pthread_mutex_unlock(&storage->lock);

    if (older != 0) {
        bp_local_tmp_remove(storage, older);
    }
}

/* With the lock held. */
static uint64_t
take_waiting(struct bp_local_pending *pending, const char *key)
{
    const struct bp_local_entry *entry = g_hash_table_lookup(pending->waiting, key);
    uint64_t number = entry == NULL ? 0 : entry->number;
    if (number != 0) {
        g_hash_table_remove(pending->waiting, key);
    }
    return number;
}

/* With the lock held, which is let go of while the barrier renames the very key. */
static uint64_t
take_from_batch(struct bp_storage *storage, const char *key)
{
    struct bp_local_pending *pending = storage->pending;
    while (pending->batch != NULL) {
        struct bp_local_entry *entry = g_hash_table_lookup(pending->batch, key);
        if (entry == NULL || entry->state == BP_LOCAL_DONE) {
            return 0;
        }
        if (entry->state == BP_LOCAL_WAITING) {
            entry->state = BP_LOCAL_DONE;
            return entry->number;
        }
        pthread_cond_wait(&storage->changed, &storage->lock);
    }
    return 0;
}

uint64_t
bp_local_pending_overtake(struct bp_storage *storage, const char *key)
{
    pthread_mutex_lock(&storage->lock);
    uint64_t older = take_from_batch(storage, key);
    uint64_t newer = take_waiting(storage->pending, key);
    pthread_mutex_unlock(&storage->lock);

    if (older != 0 && newer != 0) {
        bp_local_tmp_remove(storage, older);
    }
    return newer != 0 ? newer : older;
}

void
bp_local_pending_settle(struct bp_storage *storage, const char *key, uint64_t number, bool done)
{
    size_t waiting;
    if (number != 0 && done) {
        bp_local_tmp_remove(storage, number);
    } else if (number != 0) {
        bp_local_pending_add(storage, key, number, &waiting);
    }
}

static gint
compare_entries(gconstpointer a, gconstpointer b)
{
    const struct bp_local_entry *const *left = a, *const *right = b;
    return strcmp((*left)->key, (*right)->key);
}

static GPtrArray *
values_of(GHashTable *table)
{
    GHashTableIter iter;
    gpointer value;
    GPtrArray *values = g_ptr_array_sized_new(g_hash_table_size(table));
    g_hash_table_iter_init(&iter, table);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        g_ptr_array_add(values, value);
    }
    return values;
}

/* Wakes up now and then, because a cancel does not signal our condition. */
static void
wait_a_little(struct bp_storage *storage)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += 200 * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    (void)pthread_cond_timedwait(&storage->changed, &storage->lock, &until);
}

bp_status
bp_local_pending_begin(struct bp_storage *storage, const struct bp_op *op, GPtrArray **batch,
                       struct bp_error *error)
{
    bp_status status = bp_local_check_op(storage, op, error);
    struct bp_local_pending *pending = storage->pending;

    pthread_mutex_lock(&storage->lock);
    while (status == BP_OK && pending->running) {
        wait_a_little(storage);
        pthread_mutex_unlock(&storage->lock);
        status = bp_local_check_op(storage, op, error);
        pthread_mutex_lock(&storage->lock);
    }
    if (status == BP_OK && pending->lost.cls != BP_OK) {
        bp_result_copy(error, &pending->lost);
        status = error->cls;
    }
    if (status == BP_OK) {
        pending->running = true;
        pending->batch = pending->waiting;
        pending->waiting = new_table();
        *batch = values_of(pending->batch);
    }
    pthread_mutex_unlock(&storage->lock);

    if (status == BP_OK) {
        /* By key: neighbours share their directory. */
        g_ptr_array_sort(*batch, compare_entries);
    }
    return status;
}

bool
bp_local_pending_take(struct bp_storage *storage, struct bp_local_entry *entry)
{
    pthread_mutex_lock(&storage->lock);
    bool mine = entry->state == BP_LOCAL_WAITING;
    if (mine) {
        entry->state = BP_LOCAL_PUBLISHING;
    }
    pthread_mutex_unlock(&storage->lock);
    return mine;
}

void
bp_local_pending_renamed(struct bp_storage *storage, struct bp_local_entry *entry, bool done)
{
    pthread_mutex_lock(&storage->lock);
    entry->state = done ? BP_LOCAL_DONE : BP_LOCAL_WAITING;
    pthread_cond_broadcast(&storage->changed);
    pthread_mutex_unlock(&storage->lock);
}

/* With the lock held.  A newer file for the key may wait by now: the older one is dropped. */
static void
wait_again(struct bp_local_pending *pending, const struct bp_local_entry *entry, GArray *dropped)
{
    if (g_hash_table_contains(pending->waiting, entry->key)) {
        g_array_append_val(dropped, entry->number);
        return;
    }
    struct bp_local_entry *again = new_entry(entry->key, entry->number);
    g_hash_table_insert(pending->waiting, again->key, again);
}

void
bp_local_pending_end(struct bp_storage *storage, GPtrArray *batch, const struct bp_error *lost)
{
    g_autoptr(GArray) dropped = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    struct bp_local_pending *pending = storage->pending;

    pthread_mutex_lock(&storage->lock);
    for (guint i = 0; i < batch->len; i++) {
        const struct bp_local_entry *entry = g_ptr_array_index(batch, i);
        if (entry->state == BP_LOCAL_WAITING) {
            wait_again(pending, entry, dropped);
        }
    }
    GHashTable *table = pending->batch;
    pending->batch = NULL;
    pending->running = false;
    if (lost != NULL) {
        pending->lost.struct_size = sizeof(pending->lost);
        bp_result_copy(&pending->lost, lost);
    }
    pthread_cond_broadcast(&storage->changed);
    pthread_mutex_unlock(&storage->lock);

    for (guint i = 0; i < dropped->len; i++) {
        bp_local_tmp_remove(storage, g_array_index(dropped, uint64_t, i));
    }
    g_ptr_array_unref(batch);
    g_hash_table_unref(table);
}
