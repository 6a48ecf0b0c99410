/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks of writing: sizes, visibility, abort, replacement, keys.  Conditions and races:
 * checks_condition.c.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/lib/errors.h"
#include "sdk/testkit/checks.h"
#include "sdk/testkit/listing.h"
#include "sdk/testkit/memory.h"

#include "sdk/lib/ban.h"

#define SIZE_LIMIT ((uint64_t)40 << 20)

static void
put_and_compare(const struct bp_kit_store *store, size_t n)
{
    struct bp_error error;
    struct bp_object_meta told, found;
    unsigned char *bytes = bp_kit_bytes(n, (unsigned)n);
    const char *key = bp_kit_key(store->kit, "size-%zu", n);
    struct bp_kit_put put = {.key = key, .bytes = bytes, .n = n, .flags = BP_WRITE_DURABLE};
    bp_status status = bp_kit_try_put(store, &put, &told, &error);
    bp_kit_expect(store->kit, status, BP_OK, &error, "writing %zu bytes", n);
    bp_kit_stat(store, key, &found);
    if (told.size != n || found.size != n) {
        bp_kit_fail(store->kit, "of %zu bytes written, commit says %" PRIu64 " and stat %" PRIu64,
                    n, told.size, found.size);
    }
    if (strncmp(told.etag, found.etag, sizeof told.etag) != 0) {
        bp_kit_fail(store->kit, "commit says etag \"%s\" and stat \"%s\"", told.etag, found.etag);
    }
    bp_kit_expect_content(store, key, bytes, n);
    bp_kit_remove(store, key);
    free(bytes);
}

static void
check_sizes(struct bp_kit *kit)
{
    struct bp_kit_store store;
    bp_kit_store_open(kit, NULL, 0, &store);
    uint64_t part = bp_kit_store_can(&store, BP_STORE_PARTS) ? store.info.min_part : 0;
    const uint64_t around[] = {0, 4096, 65536, store.info.best_io, part, 3 * part};
    for (size_t i = 0; i < sizeof around / sizeof *around; i++) {
        for (int step = -1; step <= 1; step++) {
            uint64_t n = around[i] + (uint64_t)(int64_t)step;
            bool repeated = i > 0 && around[i] <= 1;
            if (n <= SIZE_LIMIT && n <= store.info.max_object && !repeated) {
                put_and_compare(&store, (size_t)n);
            }
        }
    }
    bp_kit_store_close(&store);
}

static void
expect_unlisted(const struct bp_kit_store *store, const char *key, const char *when)
{
    struct bp_kit_listing listing = {0};
    struct bp_kit_list list = {.prefix = store->kit->prefix};
    bp_kit_list(store, &list, &listing);
    if (bp_kit_listing_count(&listing, key) > 0) {
        bp_kit_fail(store->kit, "%s is listed %s", key, when);
    }
    bp_kit_listing_clear(&listing);
}

static void
check_invisible(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_object_meta meta;
    struct bp_reader *reader = NULL;
    size_t n = 300000;
    bp_kit_store_open(kit, NULL, 0, &store);
    unsigned char *bytes = bp_kit_bytes(n, 1);
    const char *key = bp_kit_key(kit, "object");
    struct bp_writer *writer = bp_kit_write_open(&store, key, n, BP_WRITE_DURABLE);
    bp_kit_expect_missing(&store, key, "after write_open and before write_commit");
    bp_kit_write(&store, writer, bytes, n);
    bp_kit_expect_missing(&store, key, "after write and before write_commit");
    expect_unlisted(&store, key, "before write_commit");
    struct bp_kit_get get = {.key = key, .length = BP_UNKNOWN};
    bp_status status = bp_kit_try_read_open(&store, &get, &meta, &reader, &error);
    bp_kit_expect(kit, status, BP_ERR_NOT_FOUND, &error, "read_open before write_commit");
    status = bp_kit_try_commit(&store, writer, NULL, &meta, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "write_commit");
    bp_kit_expect_content(&store, key, bytes, n);
    bp_kit_store_close(&store);
}

static void
check_abort(struct bp_kit *kit)
{
    struct bp_kit_store store;
    bp_kit_store_open(kit, NULL, 0, &store);
    unsigned char *bytes = bp_kit_bytes(300000, 1);
    for (size_t n = 0; n <= 300000; n += 150000) {
        const char *key = bp_kit_key(kit, "aborted-after-%zu", n);
        struct bp_writer *writer = bp_kit_write_open(&store, key, 300000, BP_WRITE_DURABLE);
        if (n > 0) {
            bp_kit_write(&store, writer, bytes, n);
        }
        bp_kit_write_abort(&store, writer);
        bp_kit_expect_missing(&store, key, "after write_abort");
        expect_unlisted(&store, key, "after write_abort");
    }
    const char *key = bp_kit_key(kit, "object");
    bp_kit_put(&store, key, bytes, 1000);
    struct bp_writer *writer = bp_kit_write_open(&store, key, 2000, BP_WRITE_DURABLE);
    bp_kit_write(&store, writer, bytes, 2000);
    bp_kit_write_abort(&store, writer);
    bp_kit_expect_content(&store, key, bytes, 1000);
    bp_kit_store_close(&store);
}

static int32_t
count_key(void *ctx, const char *key, const char *extra, int64_t started_ns,
          const struct bp_error *error)
{
    (void)key;
    (void)extra;
    (void)started_ns;
    (void)error;
    ++*(size_t *)ctx;
    return 0;
}

/* More than a part, so that a plugin which uploads large objects in parts has begun to. */
static void
check_abort_leaves_nothing(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    size_t left = 0;
    struct bp_key_sink sink = {.struct_size = sizeof sink, .ctx = &left, .key = count_key};
    bp_kit_store_open(kit, NULL, 0, &store);
    if (kit->ops.uploads_list == NULL) {
        bp_kit_skip(kit, "it has no uploads_list to look with");
    }
    bp_kit_store_need(&store, BP_STORE_PARTS, "PARTS");
    uint64_t n = 3 * store.info.min_part + 1;
    if (n > SIZE_LIMIT) {
        bp_kit_skip(kit, "its smallest part is too large to try");
    }
    unsigned char *bytes = bp_kit_bytes((size_t)n, 1);
    const char *key = bp_kit_key(kit, "object");
    struct bp_writer *writer = bp_kit_write_open(&store, key, 2 * n, BP_WRITE_DURABLE);
    bp_kit_write(&store, writer, bytes, (size_t)n);
    bp_kit_write_abort(&store, writer);
    bp_error_init(&error);
    bp_kit_step(kit, "uploads_list", key);
    bp_status status =
        kit->ops.uploads_list(store.it, bp_kit_context(NULL), kit->prefix, &sink, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "uploads_list");
    if (left > 0 && !bp_kit_store_can(&store, BP_STORE_PARTS_EXPIRE)) {
        bp_kit_fail(kit, "uploads_list still names %zu unfinished uploads", left);
    }
    bp_kit_store_close(&store);
}

static void
check_replace(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_object_meta before, after;
    bp_kit_store_open(kit, NULL, 0, &store);
    const char *key = bp_kit_key(kit, "object");
    unsigned char *first = bp_kit_bytes(70000, 1), *second = bp_kit_bytes(50000, 2);
    bp_kit_put(&store, key, first, 70000);
    bp_kit_stat(&store, key, &before);
    struct bp_writer *writer = bp_kit_write_open(&store, key, 50000, BP_WRITE_DURABLE);
    bp_kit_write(&store, writer, second, 50000);
    bp_kit_expect_content(&store, key, first, 70000);
    bp_status status = bp_kit_try_commit(&store, writer, NULL, &after, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "write_commit over an object");
    bp_kit_expect_content(&store, key, second, 50000);
    bp_kit_stat(&store, key, &after);
    if (after.etag[0] != '\0' && strncmp(before.etag, after.etag, sizeof after.etag) == 0) {
        bp_kit_fail(kit, "old and new content have the same etag \"%s\"", after.etag);
    }
    bp_kit_store_close(&store);
}

/* Without DURABLE: at the latest after the barrier. */
static void
check_barrier(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_object_meta meta;
    bp_kit_store_open(kit, NULL, 0, &store);
    unsigned char *bytes = bp_kit_bytes(50000, 1);
    for (unsigned i = 0; i < 20; i++) {
        struct bp_kit_put put = {
            .key = bp_kit_key(kit, "object-%u", i), .bytes = bytes, .n = 2000 * i};
        bp_status status = bp_kit_try_put(&store, &put, &meta, &error);
        bp_kit_expect(kit, status, BP_OK, &error, "writing %s", put.key);
    }
    bp_kit_sync(&store);
    for (unsigned i = 0; i < 20; i++) {
        bp_kit_expect_content(&store, bp_kit_key(kit, "object-%u", i), bytes, (size_t)2000 * i);
    }
    bp_kit_store_close(&store);
}

static void
check_unknown_size(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_object_meta meta;
    bp_kit_store_open(kit, NULL, 0, &store);
    bp_kit_store_need(&store, BP_STORE_UNKNOWN_SIZE, "UNKNOWN_SIZE");
    size_t large = store.info.min_part <= SIZE_LIMIT / 3 ? 2 * (size_t)store.info.min_part + 7 : 7;
    const size_t sizes[] = {0, 1, 100000, large};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        unsigned char *bytes = bp_kit_bytes(sizes[i], 3);
        struct bp_kit_put put = {.key = bp_kit_key(kit, "object-%zu", sizes[i]),
                                 .bytes = bytes,
                                 .n = sizes[i],
                                 .flags = BP_WRITE_DURABLE,
                                 .unknown_size = true};
        bp_status status = bp_kit_try_put(&store, &put, &meta, &error);
        bp_kit_expect(kit, status, BP_OK, &error, "writing %zu bytes without saying so first",
                      sizes[i]);
        bp_kit_expect_content(&store, put.key, bytes, sizes[i]);
        free(bytes);
    }
    bp_kit_store_close(&store);
}

/* A key of so many bytes in parts of `part` bytes. */
static char *
long_key(const struct bp_kit *kit, size_t bytes, size_t part)
{
    char key[BP_KEY_MAX + 1];
    size_t n = strlen(kit->prefix), in_part = 0;
    memcpy(key, kit->prefix, n);
    while (n < bytes) {
        bool full = in_part == part && n < bytes - 1;
        key[n++] = full ? '/' : 'k';
        in_part = full ? 0 : in_part + 1;
    }
    key[n] = '\0';
    return bp_kit_dup(key);
}

/* What all keys begin with at an object store counts there, so that ours have to be shorter. */
static size_t
longest_key(const struct bp_kit_store *store)
{
    size_t taken = store->info.local_root[0] != '\0'
                       ? 0
                       : strnlen(store->info.server_root, sizeof store->info.server_root);
    size_t least = strlen(store->kit->prefix) + 1;
    return taken + least < BP_KEY_MAX ? BP_KEY_MAX - taken : least;
}

/* Some servers cannot name an object like that; INVALID says so. */
static void
use_key(const struct bp_kit_store *store, const char *key, bool may_be_invalid)
{
    struct bp_error error;
    struct bp_object_meta meta;
    struct bp_kit_list list = {.prefix = key};
    size_t n = strlen(key);
    struct bp_kit_put put = {.key = key, .bytes = key, .n = n, .flags = BP_WRITE_DURABLE};
    bp_status status = bp_kit_try_put(store, &put, &meta, &error);
    if (status == BP_ERR_INVALID && may_be_invalid) {
        bp_kit_note(store->kit, "refused: %s", error.message);
        return;
    }
    bp_kit_expect(store->kit, status, BP_OK, &error, "writing %s", key);
    bp_kit_expect_content(store, key, key, n);
    bp_kit_list_expect(store, &list, &key, 1, "a listing of the key itself");
    bp_kit_remove(store, key);
    bp_kit_expect_missing(store, key, "after remove");
}

static void
check_keys(struct bp_kit *kit)
{
    static const char *const names[] = {"with space",
                                        "100%",
                                        "%2F%20%zz",
                                        "a+b",
                                        "a&b=c?d#e",
                                        "quo'te\"s",
                                        "semi;colon:",
                                        "<tag>",
                                        "~tilde",
                                        "$(x) `y`",
                                        "*[a]?",
                                        "gr\xc3\xb6\xc3\x9f",
                                        "\xe4\xb8\xad\xe6\x96\x87",
                                        "\xf0\x9f\x97\x84",
                                        ".hidden",
                                        "-dash",
                                        "a/b/c/d/e/f",
                                        "UPPER/lower",
                                        "e\xcc\x81"};
    static const char *const odd[] = {"back\\slash", "...", "trailing.", "trailing "};
    struct bp_kit_store store;
    bp_kit_store_open(kit, NULL, 0, &store);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        use_key(&store, bp_kit_key(kit, "%s", names[i]), false);
    }
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        use_key(&store, bp_kit_key(kit, "%s", odd[i]), true);
    }
    size_t part = store.info.max_key_part, longest = longest_key(&store);
    use_key(&store, long_key(kit, longest, part > 0 && part < 200 ? part : 200), false);
    use_key(&store, long_key(kit, BP_KEY_MAX, part > 0 && part < 200 ? part : 200),
            longest < BP_KEY_MAX);
    use_key(&store, long_key(kit, longest, part > 0 ? part : BP_KEY_MAX), true);
    bp_kit_store_close(&store);
}

/* Only who maps keys to something else has to look at them again. */
static void
check_bad_keys(struct bp_kit *kit)
{
    /* Nothing that anybody has, for a plugin that takes them would write and remove it. */
    static const char *const bad[] = {"../bakplane-plugin-test-above",
                                      "a/../../bakplane-plugin-test-above",
                                      "/bakplane-plugin-test-absolute",
                                      "a//b",
                                      "a/./b",
                                      ""};
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_object_meta meta;
    bp_kit_store_open(kit, NULL, 0, &store);
    if (store.info.local_root[0] == '\0') {
        bp_kit_skip(kit, "its keys are no paths of this machine");
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct bp_kit_put put = {.key = bad[i], .bytes = "x", .n = 1};
        bp_status status = bp_kit_try_stat(&store, bad[i], NULL, &meta, &error);
        bp_kit_expect(kit, status, BP_ERR_INVALID, &error, "stat of \"%s\"", bad[i]);
        status = bp_kit_try_put(&store, &put, &meta, &error);
        bp_kit_expect(kit, status, BP_ERR_INVALID, &error, "writing \"%s\"", bad[i]);
        status = bp_kit_try_remove(&store, bad[i], NULL, NULL, &error);
        bp_kit_expect(kit, status, BP_ERR_INVALID, &error, "remove of \"%s\"", bad[i]);
    }
    bp_kit_store_close(&store);
}

static void
check_key_is_prefix(struct bp_kit *kit)
{
    struct bp_kit_store store;
    bp_kit_store_open(kit, NULL, 0, &store);
    bp_kit_store_need(&store, BP_STORE_KEY_IS_PREFIX, "KEY_IS_PREFIX");
    const char *outer = bp_kit_key(kit, "a"), *inner = bp_kit_key(kit, "a/b");
    bp_kit_put(&store, outer, "outer", 5);
    bp_kit_put(&store, inner, "inner!", 6);
    bp_kit_expect_content(&store, outer, "outer", 5);
    bp_kit_expect_content(&store, inner, "inner!", 6);
    bp_kit_remove(&store, outer);
    bp_kit_expect_content(&store, inner, "inner!", 6);
    bp_kit_store_close(&store);
}

/* The hook leads to a storage with little room; what goes in is many times that. */
static void
check_full(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_object_meta meta;
    uint64_t limit = (uint64_t)256 << 20;
    bp_kit_store_open(kit, bp_kit_hook(kit, "full"), 0, &store);
    unsigned char *bytes = bp_kit_bytes((size_t)8 << 20, 1);
    bp_status status = BP_OK;
    uint64_t written = 0;
    const char *last = NULL;
    while (status == BP_OK && written < limit) {
        last = bp_kit_key(kit, "object-%" PRIu64, written >> 20);
        struct bp_kit_put put = {
            .key = last, .bytes = bytes, .n = (size_t)8 << 20, .flags = BP_WRITE_DURABLE};
        status = bp_kit_try_put(&store, &put, &meta, &error);
        written += status == BP_OK ? put.n : 0;
    }
    if (status == BP_OK) {
        bp_kit_bail(kit, "hooks.full: it took %" PRIu64 " MiB and was not full", written >> 20);
    }
    bp_kit_expect_missing(&store, last, "after a write that failed for want of room");
    for (uint64_t at = 0; at < written; at += (uint64_t)8 << 20) {
        bp_kit_remove(&store, bp_kit_key(kit, "object-%" PRIu64, at >> 20));
    }
    bp_kit_expect(kit, status, BP_ERR_NO_SPACE, &error, "writing into a full storage");
    bp_kit_store_close(&store);
}

const struct bp_kit_check bp_kit_checks_write[] = {
    {.name = "write.sizes",
     .contract = "objects of any size come back as they were written; commit, stat and read agree",
     .run = check_sizes,
     .times = 2},
    {.name = "write.invisible",
     .contract = "a key becomes visible at write_commit and not before",
     .run = check_invisible},
    {.name = "write.abort",
     .contract = "write_abort ends a writer, and nothing of it is ever seen",
     .run = check_abort},
    {.name = "write.abort_uploads",
     .contract = "write_abort leaves nothing billable behind",
     .run = check_abort_leaves_nothing},
    {.name = "write.replace",
     .contract = "writing over a key keeps the old content until write_commit, and then the etag "
                 "is another one",
     .run = check_replace},
    {.name = "write.barrier",
     .contract = "what was committed without DURABLE is visible when the next sync returns",
     .run = check_barrier},
    {.name = "write.unknown_size",
     .contract = "UNKNOWN_SIZE: write_open takes objects whose size is not known yet",
     .run = check_unknown_size},
    {.name = "write.keys",
     .contract =
         "every valid key works: blanks, percent signs, UTF-8, up to 1024 bytes with what all "
         "keys begin with; what a server cannot name is INVALID",
     .run = check_keys},
    {.name = "write.bad_keys",
     .contract = "a plugin that maps keys to something else refuses what is no key with INVALID",
     .run = check_bad_keys},
    {.name = "write.key_is_prefix",
     .contract = "KEY_IS_PREFIX: \"a\" and \"a/b\" can both be objects",
     .run = check_key_is_prefix},
    {.name = "write.full",
     .contract = "a full disk or quota is NO_SPACE, and nothing half-written is seen",
     .run = check_full,
     .hook = "full"},
    BP_KIT_CHECKS_END,
};
