/* SPDX-License-Identifier: Apache-2.0
 *
 * The check of listing very many objects: each is told once, and none is kept.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/lib/errors.h"
#include "sdk/testkit/census.h"
#include "sdk/testkit/checks.h"
#include "sdk/testkit/memory.h"
#include "sdk/testkit/store.h"

#include "sdk/lib/ban.h"

/* What an object may cost that was listed: less than its key, but for the last part of it. */
#define BYTES_EACH 64
#define BYTES_ANYWAY 131072 /* buffers of a library come and go */
#define DIRECTORY 150
#define MEASURE_EVERY 64
#define SETTLE_NS 60000000000

/* Objects by number, counted as they are told; nothing of them is kept. */
struct census {
    const struct bp_kit_store *store;
    const char *prefix;
    size_t most; /* numbers are below it */
    size_t told;
    unsigned char *seen;
    size_t before, peak; /* bytes in use: before the listing, and at most while it told */
    char *next;
};

static int32_t
count_entry(void *ctx, const char *key, const struct bp_object_meta *meta)
{
    struct census *self = ctx;
    size_t n = strlen(self->prefix);
    (void)meta;
    size_t number = strncmp(key, self->prefix, n) == 0 ? strtoull(key + n, NULL, 10) : self->most;
    if (number >= self->most || self->seen[number] != 0) {
        bp_kit_fail(self->store->kit, "%s was listed twice, or was never written", key);
    }
    self->seen[number] = 1;
    if (self->told++ % MEASURE_EVERY == 0) {
        size_t now = bp_kit_count_bytes();
        self->peak = now > self->peak ? now : self->peak;
    }
    return 0;
}

static int32_t
count_group(void *ctx, const char *prefix)
{
    const struct census *self = ctx;
    bp_kit_fail(self->store->kit, "without a delimiter the group %s was listed", prefix);
}

static int32_t
keep_next(void *ctx, const char *token)
{
    struct census *self = ctx;
    free(self->next);
    self->next = bp_kit_dup(token);
    return 0;
}

/* All pages; answers what was in use on top of what was before, at most. */
static size_t
take_census(struct census *self, uint32_t max)
{
    struct bp_error error;
    char *token = NULL;
    const struct bp_kit_store *store = self->store;
    struct bp_list_sink sink = {.struct_size = sizeof sink,
                                .ctx = self,
                                .entry = count_entry,
                                .prefix = count_group,
                                .next = keep_next};
    self->told = 0;
    memset(self->seen, 0, self->most);
    self->before = self->peak = bp_kit_count_bytes();
    do {
        struct bp_list_args args = {
            .struct_size = sizeof args, .prefix = self->prefix, .token = token, .max = max};
        bp_error_init(&error);
        bp_kit_step(store->kit, "list", self->prefix);
        bp_kit_enter(store);
        bp_status status =
            store->kit->ops.list(store->it, bp_kit_context(NULL), &args, &sink, &error);
        bp_kit_leave(store);
        bp_kit_expect(store->kit, status, BP_OK, &error, "list after %zu entries", self->told);
        free(token);
        token = self->next;
        self->next = NULL;
    } while (token != NULL);
    return self->peak - self->before;
}

static void
put_numbers(const struct census *self, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        char key[BP_KEY_MAX + 1];
        (void)snprintf(key, sizeof key, "%s%zu", self->prefix, i);
        struct bp_error error;
        struct bp_object_meta meta;
        struct bp_kit_put put = {.key = key, .bytes = "x", .n = 1};
        bp_status status = bp_kit_try_put(self->store, &put, &meta, &error);
        bp_kit_expect(self->store->kit, status, BP_OK, &error, "writing %s", key);
    }
    bp_kit_sync(self->store);
}

/* A listing of the first n. */
static size_t
list_numbers(struct census *self, size_t n, uint32_t max)
{
    bool strong = bp_kit_store_can(self->store, BP_STORE_STRONG_LIST);
    long long end = bp_kit_now_ns() + (strong ? 0 : SETTLE_NS);
    size_t used = take_census(self, max);
    while (self->told != n && bp_kit_now_ns() < end) {
        bp_kit_sleep_ms(500);
        used = take_census(self, max);
    }
    if (self->told != n) {
        bp_kit_fail(self->store->kit, "of %zu objects %zu were listed", n, self->told);
    }
    return used;
}

/* In a long directory, so that whole keys weigh more than the names of one directory. */
static void
check_many(struct bp_kit *kit)
{
    struct bp_kit_store store;
    const struct bp_kit_node *hook = bp_kit_hook(kit, "many");
    size_t n = strtoull(hook->text, NULL, 10), few = n / 10;
    bp_kit_store_open(kit, NULL, 0, &store);
    if (n < 20 || n > 10000000) {
        bp_kit_bail(kit, "line %u: hooks.many is a number of objects, such as 100000", hook->line);
    }
    struct census census = {.store = &store,
                            .prefix = bp_kit_key(kit, "%0*d/", DIRECTORY, 0),
                            .most = n,
                            .seen = bp_kit_alloc(n, 1)};
    uint32_t max =
        store.info.max_list > 0 && store.info.max_list < few ? store.info.max_list : (uint32_t)few;
    put_numbers(&census, 0, few);
    (void)list_numbers(&census, few, max); /* what grows once has grown */
    size_t of_few = list_numbers(&census, few, max);
    put_numbers(&census, few, n);
    size_t of_all = list_numbers(&census, n, max);
    size_t after = bp_kit_count_bytes(), allowed = BYTES_ANYWAY + n * BYTES_EACH;
    if (of_all > of_few + allowed) {
        bp_kit_fail(kit,
                    "listing %zu objects needs %zu bytes, and listing %zu in pages of the same "
                    "size %zu",
                    n, of_all, few, of_few);
    }
    if (after > census.before + allowed) {
        bp_kit_fail(kit, "listing %zu objects left %zu bytes in use", n, after - census.before);
    }
    bp_kit_store_close(&store);
    free(census.seen);
}

const struct bp_kit_check bp_kit_checks_many[] = {
    {.name = "list.many",
     .contract = "listing needs no memory for what was listed before",
     .run = check_many,
     .hook = "many",
     .times = 20},
    BP_KIT_CHECKS_END,
};
