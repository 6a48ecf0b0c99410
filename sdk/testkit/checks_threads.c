/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks with many threads, as far as the plugin's thread model goes: calls beyond it wait, as in
 * bakplane.
 */
#include <stdlib.h>
#include <string.h>

#include "sdk/testkit/checks.h"
#include "sdk/testkit/crowd.h"
#include "sdk/testkit/listing.h"
#include "sdk/testkit/memory.h"
#include "sdk/testkit/store.h"

#include "sdk/lib/ban.h"

#define THREADS 16
#define ROUNDS 6

struct work {
    struct bp_kit_store *stores;
    unsigned n_stores;
    const char *shared;
};

static void
list_own(const struct bp_kit_store *store, const char *const *keys, size_t n, unsigned i)
{
    struct bp_kit_list list = {.prefix = bp_kit_key(store->kit, "%02u/", i), .max = 2};
    bp_kit_list_expect(store, &list, keys, n, "a thread's own keys");
}

static void
read_shared(const struct bp_kit_store *store, const char *key)
{
    struct bp_error error;
    struct bp_object_meta meta;
    unsigned char *found = NULL;
    size_t n = 0;
    struct bp_kit_get get = {.key = key, .length = BP_UNKNOWN};
    bp_status status = bp_kit_try_get(store, &get, &meta, &found, &n, &error);
    bp_kit_expect(store->kit, status, BP_OK, &error, "reading what others read, too");
    for (size_t at = 0; at < n; at++) {
        if (found[at] != 's') {
            bp_kit_fail(store->kit, "what others read, too, was read with a wrong byte");
        }
    }
    free(found);
}

static void
work(void *ctx, unsigned i)
{
    struct work *self = ctx;
    const struct bp_kit_store *store = &self->stores[i % self->n_stores];
    const char *keys[ROUNDS];
    for (unsigned round = 0; round < ROUNDS; round++) {
        size_t n = 1000 + (size_t)40000 * (i % 4) + round;
        unsigned char *bytes = bp_kit_bytes(n, i * 100 + round);
        keys[round] = bp_kit_key(store->kit, "%02u/%u", i, round);
        bp_kit_put(store, keys[round], bytes, n);
        bp_kit_expect_content(store, keys[round], bytes, n);
        bp_kit_expect_missing(store, bp_kit_key(store->kit, "%02u/none", i), "never written");
        read_shared(store, self->shared);
        free(bytes);
    }
    bp_kit_sync(store);
    list_own(store, keys, ROUNDS, i);
    for (unsigned round = 0; round < ROUNDS; round++) {
        bp_kit_remove(store, keys[round]);
        bp_kit_expect_missing(store, keys[round], "after remove");
    }
}

static void
hammer(struct bp_kit *kit, unsigned n_stores)
{
    char shared[5000];
    struct work self = {.n_stores = n_stores, .shared = bp_kit_key(kit, "shared")};
    self.stores = bp_kit_alloc(n_stores, sizeof *self.stores);
    memset(shared, 's', sizeof shared);
    for (unsigned i = 0; i < n_stores; i++) {
        bp_kit_store_open(kit, NULL, 0, &self.stores[i]);
    }
    bp_kit_put(&self.stores[0], self.shared, shared, sizeof shared);
    bp_kit_crowd(kit, THREADS, work, &self);
    for (unsigned i = 0; i < n_stores; i++) {
        bp_kit_store_close(&self.stores[i]);
    }
    free(self.stores);
}

static void
check_one_instance(struct bp_kit *kit)
{
    hammer(kit, 1);
}

static void
check_instances(struct bp_kit *kit)
{
    hammer(kit, THREADS);
}

const struct bp_kit_check bp_kit_checks_threads[] = {
    {.name = "threads.one_instance",
     .contract = "an instance serves 16 threads, with as many calls at once as its model says",
     .run = check_one_instance,
     .times = 2},
    {.name = "threads.instances",
     .contract = "16 instances serve 16 threads, with as many calls at once as the model says",
     .run = check_instances,
     .times = 2},
    BP_KIT_CHECKS_END,
};
