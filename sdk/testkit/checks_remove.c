/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks of removing, one and many.
 */
#include <stdlib.h>
#include <string.h>

#include "sdk/lib/errors.h"
#include "sdk/testkit/checks.h"
#include "sdk/testkit/memory.h"
#include "sdk/testkit/store.h"

#include "sdk/lib/ban.h"

#define MANY 25

static void
check_remove(struct bp_kit *kit)
{
    struct bp_kit_store store;
    bp_kit_store_open(kit, NULL, 0, &store);
    const char *key = bp_kit_key(kit, "dir/object"), *other = bp_kit_key(kit, "dir/other");
    bp_kit_put(&store, key, "x", 1);
    bp_kit_put(&store, other, "y", 1);
    bp_kit_remove(&store, key);
    bp_kit_expect_missing(&store, key, "after remove");
    bp_kit_expect_content(&store, other, "y", 1);
    bp_kit_put(&store, key, "again", 5);
    bp_kit_expect_content(&store, key, "again", 5);
    bp_kit_store_close(&store);
}

static void
check_missing(struct bp_kit *kit)
{
    struct bp_kit_store store;
    bp_kit_store_open(kit, NULL, 0, &store);
    bp_kit_put(&store, bp_kit_key(kit, "there"), "x", 1);
    bp_kit_remove(&store, bp_kit_key(kit, "missing"));
    bp_kit_remove(&store, bp_kit_key(kit, "no/such/place"));
    bp_kit_remove(&store, bp_kit_key(kit, "there/below"));
    bp_kit_remove(&store, bp_kit_key(kit, "ther"));
    bp_kit_expect_content(&store, bp_kit_key(kit, "there"), "x", 1);
    bp_kit_store_close(&store);
}

static void
check_if_match(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_object_meta old, now;
    bp_kit_store_open(kit, NULL, 0, &store);
    bp_kit_store_need(&store, BP_STORE_IF_MATCH, "IF_MATCH");
    const char *key = bp_kit_key(kit, "object");
    bp_kit_put(&store, key, "first", 5);
    bp_kit_stat(&store, key, &old);
    bp_kit_put(&store, key, "second", 6);
    bp_status status = bp_kit_try_remove(&store, key, old.etag, NULL, &error);
    bp_kit_expect(kit, status, BP_ERR_EXISTS, &error, "remove with the etag of an older version");
    bp_kit_expect_content(&store, key, "second", 6);
    bp_kit_stat(&store, key, &now);
    status = bp_kit_try_remove(&store, key, now.etag, NULL, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "remove with the etag that it has");
    bp_kit_expect_missing(&store, key, "after remove");
    status = bp_kit_try_remove(&store, key, now.etag, NULL, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "remove with the etag that it had, now missing");
    bp_kit_store_close(&store);
}

struct outcomes {
    const char *const *keys;
    size_t told[MANY];
    size_t unknown;
    char *failed;
};

static int32_t
take_outcome(void *ctx, const char *key, const char *extra, int64_t started_ns,
             const struct bp_error *error)
{
    struct outcomes *self = ctx;
    (void)extra;
    (void)started_ns;
    for (size_t i = 0; i < MANY; i++) {
        if (key != NULL && strcmp(key, self->keys[i]) == 0) {
            self->told[i]++;
            if (error != NULL && self->failed == NULL) {
                self->failed = bp_kit_text("%s: %s", key, error->message);
            }
            return 0;
        }
    }
    self->unknown++;
    return 0;
}

/* Every third was never there. */
static void
check_many(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    const char *keys[MANY];
    struct outcomes outcomes = {.keys = keys};
    struct bp_key_sink sink = {.struct_size = sizeof sink, .ctx = &outcomes, .key = take_outcome};
    bp_kit_store_open(kit, NULL, 0, &store);
    if (kit->ops.remove_many == NULL) {
        bp_kit_skip(kit, "it has no remove_many");
    }
    for (size_t i = 0; i < MANY; i++) {
        keys[i] = bp_kit_key(kit, "dir %zu/<%zu>&%%", i % 4, i);
        if (i % 3 != 0) {
            bp_kit_put(&store, keys[i], "x", 1);
        }
    }
    bp_kit_put(&store, bp_kit_key(kit, "stays"), "x", 1);
    bp_error_init(&error);
    bp_kit_step(kit, "remove_many", NULL);
    bp_status status =
        kit->ops.remove_many(store.it, bp_kit_context(NULL), keys, MANY, &sink, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "remove_many, with keys that are not there");
    if (outcomes.failed != NULL || outcomes.unknown > 0) {
        bp_kit_fail(kit, "remove_many told %s",
                    outcomes.failed != NULL ? outcomes.failed : "of keys that it was not given");
    }
    for (size_t i = 0; i < MANY; i++) {
        if (outcomes.told[i] != 1) {
            bp_kit_fail(kit, "remove_many told the outcome of %s %zu times", keys[i],
                        outcomes.told[i]);
        }
        bp_kit_expect_missing(&store, keys[i], "after remove_many");
    }
    bp_kit_expect_content(&store, bp_kit_key(kit, "stays"), "x", 1);
    bp_kit_store_close(&store);
}

const struct bp_kit_check bp_kit_checks_remove[] = {
    {.name = "remove.gone",
     .contract = "a removed key is NOT_FOUND, and others stay",
     .run = check_remove},
    {.name = "remove.missing", .contract = "removing a missing key is ok", .run = check_missing},
    {.name = "remove.if_match",
     .contract = "IF_MATCH: a version other than the given one stays, and the answer is EXISTS; a "
                 "missing key is ok",
     .run = check_if_match},
    {.name = "remove.many",
     .contract = "remove_many tells the outcome of each key once; a missing key is done",
     .run = check_many},
    BP_KIT_CHECKS_END,
};
