/* SPDX-License-Identifier: Apache-2.0
 *
 * See stats.h.  Numbers are atomics that nobody waits for; the list of storages has a lock, which
 * is taken when a storage is opened.
 */
#include "core/plugin/stats.h"

#include <bakplane/error.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "core/base/json.h"
#include "core/base/retry.h"
#include "core/base/thread.h"
#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

const guint64 bp_stats_bounds_us[BP_STATS_BOUNDS] = {
    1000,   5000,    10000,   25000,   50000,    100000,   250000,
    500000, 1000000, 2500000, 5000000, 10000000, 30000000,
};

/* Those that move bytes of objects come first: they are looked for most often. */
static const char *const operations[] = {
    "write",         "read",        "stat",      "read_open",     "read_close", "write_open",
    "write_commit",  "write_abort", "list",      "copy",          "remove",     "remove_many",
    "part_begin",    "part_open",   "part_copy", "part_complete", "part_abort", "uploads_list",
    "uploads_abort", "sync",        "probe",     "info",          "space",      "open",
    "close",         "other",
};
#define N_OPERATIONS G_N_ELEMENTS(operations)

typedef struct {
    atomic_ullong outcomes[BP_ERR_CLASS_END];
    atomic_ullong bytes, us;
    atomic_ullong buckets[BP_STATS_BOUNDS + 1];
} operation_stats;

struct bp_store_stats {
    char *name;
    operation_stats operations[N_OPERATIONS];
};

/* Guards the list; what is in it stays for ever. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bp_store_stats *storages[BP_STATS_STORAGES + 1];
static gsize n_storages;

bp_store_stats *
bp_stats_of(const char *storage)
{
    BP_LOCK_GUARD(&lock);
    for (gsize i = 0; i < n_storages; i++) {
        if (strcmp(storages[i]->name, storage) == 0 || i == BP_STATS_STORAGES) {
            return storages[i];
        }
    }
    bp_store_stats *stats = g_new0(bp_store_stats, 1);
    stats->name = g_strdup(n_storages < BP_STATS_STORAGES ? storage : BP_STATS_OTHER);
    storages[n_storages++] = stats;
    return stats;
}

static gsize
index_of(const char *operation)
{
    gsize i = 0;
    while (i < N_OPERATIONS - 1 && strcmp(operations[i], operation) != 0) {
        i++;
    }
    return i;
}

static void
add(atomic_ullong *number, guint64 more)
{
    atomic_fetch_add_explicit(number, more, memory_order_relaxed);
}

void
bp_stats_count(bp_store_stats *stats, const bp_stats_call *call)
{
    operation_stats *own = &stats->operations[index_of(call->operation)];
    bool known = call->class >= 0 && call->class < BP_ERR_CLASS_END;
    guint64 us = (guint64)MAX(call->ns, 0) / 1000;
    gsize bucket = 0;
    while (bucket < BP_STATS_BOUNDS && us > bp_stats_bounds_us[bucket]) {
        bucket++;
    }
    add(&own->outcomes[known ? call->class : BP_ERR_PERMANENT], 1);
    add(&own->us, us);
    add(&own->buckets[bucket], 1);
    if (call->bytes > 0) {
        add(&own->bytes, call->bytes);
    }
}

static guint64
get(const atomic_ullong *number)
{
    return atomic_load_explicit(number, memory_order_relaxed);
}

/* NULL when it was never called. */
static json_t *
operation_json(const operation_stats *own)
{
    json_t *outcomes = json_object();
    json_t *buckets = json_array();
    for (int class = 0; class < BP_ERR_CLASS_END; class ++) {
        guint64 n = get(&own->outcomes[class]);
        if (n > 0) {
            bp_json_set_u64(outcomes, bp_class_name(class), n);
        }
    }
    for (gsize i = 0; i <= BP_STATS_BOUNDS; i++) {
        json_array_append_new(buckets, json_integer((json_int_t)get(&own->buckets[i])));
    }
    json_t *out = json_object_size(outcomes) > 0 ? json_object() : NULL;
    if (out == NULL) {
        json_decref(outcomes);
        json_decref(buckets);
        return NULL;
    }
    json_object_set_new(out, "outcomes", outcomes);
    bp_json_set_u64(out, "bytes", get(&own->bytes));
    bp_json_set_u64(out, "us", get(&own->us));
    json_object_set_new(out, "buckets", buckets);
    return out;
}

static json_t *
storage_json(const bp_store_stats *stats)
{
    json_t *out = json_object();
    for (gsize i = 0; i < N_OPERATIONS; i++) {
        json_t *operation = operation_json(&stats->operations[i]);
        if (operation != NULL) {
            json_object_set_new(out, operations[i], operation);
        }
    }
    return out;
}

static json_t *
retries_json(void)
{
    static const int why[] = {BP_ERR_RETRYABLE, BP_ERR_THROTTLED, BP_ERR_TIMEOUT};
    json_t *out = json_object();
    for (gsize i = 0; i < G_N_ELEMENTS(why); i++) {
        bp_json_set_u64(out, bp_class_name(why[i]), bp_retry_count(why[i]));
    }
    return out;
}

json_t *
bp_stats_json(void)
{
    json_t *out = json_object();
    json_t *list = json_object();
    pthread_mutex_lock(&lock);
    gsize n = n_storages;
    pthread_mutex_unlock(&lock);
    for (gsize i = 0; i < n; i++) {
        json_object_set_new(list, storages[i]->name, storage_json(storages[i]));
    }
    json_object_set_new(out, "storages", list);
    json_object_set_new(out, "retries", retries_json());
    return out;
}
