/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks of reading.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/testkit/census.h"
#include "sdk/testkit/checks.h"
#include "sdk/testkit/memory.h"
#include "sdk/testkit/store.h"

#include "sdk/lib/ban.h"

#define SIZE 300001

static void
read_range(const struct bp_kit_store *store, const struct bp_kit_get *get,
           const unsigned char *bytes)
{
    struct bp_error error;
    struct bp_object_meta meta;
    unsigned char *found = NULL;
    size_t n = 0;
    size_t left = SIZE - (size_t)get->offset;
    size_t wanted = get->length < left ? (size_t)get->length : left;
    bp_status status = bp_kit_try_get(store, get, &meta, &found, &n, &error);
    bp_kit_expect(store->kit, status, BP_OK, &error,
                  "reading %" PRIu64 " bytes at %" PRIu64 " of %d", get->length, get->offset, SIZE);
    if (n != wanted || (n > 0 && memcmp(found, bytes + get->offset, n) != 0)) {
        bp_kit_fail(store->kit,
                    "reading at %" PRIu64 " of %d bytes gave %zu bytes, not those %zu that are "
                    "there",
                    get->offset, SIZE, n, wanted);
    }
    if (meta.size != SIZE) {
        bp_kit_fail(store->kit, "read_open tells a size of %" PRIu64 ", the object has %d",
                    meta.size, SIZE);
    }
    free(found);
}

static void
check_ranges(struct bp_kit *kit)
{
    static const uint64_t offsets[] = {0, 1, 65536, SIZE / 2, SIZE - 1};
    static const uint64_t lengths[] = {0, 1, 100, 70000, BP_UNKNOWN};
    struct bp_kit_store store;
    bp_kit_store_open(kit, NULL, 0, &store);
    unsigned char *bytes = bp_kit_bytes(SIZE, 1);
    const char *key = bp_kit_key(kit, "object");
    bp_kit_put(&store, key, bytes, SIZE);
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        for (size_t j = 0; j < sizeof lengths / sizeof *lengths; j++) {
            struct bp_kit_get get = {.key = key, .offset = offsets[i], .length = lengths[j]};
            read_range(&store, &get, bytes);
        }
    }
    bp_kit_store_close(&store);
}

static void
check_beyond(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_object_meta meta;
    unsigned char *found = NULL;
    size_t n = 0;
    bp_kit_store_open(kit, NULL, 0, &store);
    const char *key = bp_kit_key(kit, "object"), *empty = bp_kit_key(kit, "empty");
    bp_kit_put(&store, key, "0123456789", 10);
    bp_kit_put(&store, empty, "", 0);
    struct bp_kit_get at_end = {.key = key, .offset = 10, .length = BP_UNKNOWN};
    bp_status status = bp_kit_try_get(&store, &at_end, &meta, &found, &n, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "reading at the very end of 10 bytes");
    struct bp_kit_get beyond = {.key = key, .offset = 11, .length = BP_UNKNOWN};
    status = bp_kit_try_get(&store, &beyond, &meta, &found, &n, &error);
    bp_kit_expect(kit, status, BP_ERR_RANGE, &error, "reading at 11 of 10 bytes");
    beyond.length = 5;
    status = bp_kit_try_get(&store, &beyond, &meta, &found, &n, &error);
    bp_kit_expect(kit, status, BP_ERR_RANGE, &error, "reading 5 bytes at 11 of 10");
    struct bp_kit_get of_empty = {.key = empty, .offset = 1, .length = BP_UNKNOWN};
    status = bp_kit_try_get(&store, &of_empty, &meta, &found, &n, &error);
    bp_kit_expect(kit, status, BP_ERR_RANGE, &error, "reading at 1 of an empty object");
    bp_kit_expect_content(&store, empty, "", 0);
    bp_kit_store_close(&store);
}

static void
check_missing(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_object_meta meta;
    struct bp_reader *reader = NULL;
    bp_kit_store_open(kit, NULL, 0, &store);
    bp_kit_put(&store, bp_kit_key(kit, "there"), "x", 1);
    const char *const keys[] = {bp_kit_key(kit, "missing"), bp_kit_key(kit, "ther"),
                                bp_kit_key(kit, "there2"), bp_kit_key(kit, "there/below"),
                                bp_kit_key(kit, "no/such/place")};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct bp_kit_get get = {.key = keys[i], .offset = i, .length = BP_UNKNOWN};
        bp_kit_expect_missing(&store, keys[i], "which was never written");
        bp_status status = bp_kit_try_read_open(&store, &get, &meta, &reader, &error);
        bp_kit_expect(kit, status, BP_ERR_NOT_FOUND, &error,
                      "read_open of %s, which was never "
                      "written",
                      keys[i]);
    }
    bp_kit_store_close(&store);
}

static void
check_pieces(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_object_meta meta;
    struct bp_reader *reader = NULL;
    unsigned char one = 0;
    struct bp_kit_piece piece = {.buffer = &one, .cap = 1};
    bp_kit_store_open(kit, NULL, 0, &store);
    unsigned char *bytes = bp_kit_bytes(1000, 1);
    struct bp_kit_get get = {.key = bp_kit_key(kit, "object"), .length = BP_UNKNOWN};
    bp_kit_put(&store, get.key, bytes, 1000);
    bp_status status = bp_kit_try_read_open(&store, &get, &meta, &reader, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "read_open");
    for (size_t i = 0; i < 1000; i++) {
        status = bp_kit_try_read(&store, reader, &piece, &error);
        bp_kit_expect(kit, status, BP_OK, &error, "reading one byte at %zu", i);
        if (piece.n != 1 || one != bytes[i]) {
            bp_kit_fail(kit, "reading byte by byte, byte %zu of 1000 is %s", i,
                        piece.n == 0 ? "the end" : "another one");
        }
    }
    for (int i = 0; i < 2; i++) {
        status = bp_kit_try_read(&store, reader, &piece, &error);
        bp_kit_expect(kit, status, BP_OK, &error, "reading at the end");
        if (piece.n != 0) {
            bp_kit_fail(kit, "after the last byte another one was read");
        }
    }
    bp_kit_read_close(&store, reader);
    bp_kit_store_close(&store);
}

static void
check_meta(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_object_meta by_stat, by_read;
    unsigned char *found = NULL;
    size_t n = 0;
    bp_kit_store_open(kit, NULL, 0, &store);
    struct bp_kit_get get = {.key = bp_kit_key(kit, "object"), .offset = 3, .length = 2};
    bp_kit_put(&store, get.key, "0123456789", 10);
    bp_kit_stat(&store, get.key, &by_stat);
    bp_status status = bp_kit_try_get(&store, &get, &by_read, &found, &n, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "reading a part");
    if (memchr(by_stat.etag, '\0', sizeof by_stat.etag - 1) == NULL) {
        bp_kit_fail(kit, "stat tells an etag that fills its array, and may be cut: \"\" is none");
    }
    if (by_stat.size != by_read.size ||
        strncmp(by_stat.etag, by_read.etag, sizeof by_stat.etag) != 0) {
        bp_kit_fail(kit,
                    "stat says %" PRIu64 " bytes, etag \"%s\"; read_open of a range says %" PRIu64
                    " bytes, etag \"%s\"",
                    by_stat.size, by_stat.etag, by_read.size, by_read.etag);
    }
    bp_kit_store_close(&store);
}

/* Many, so that a connection or descriptor which is not given back is missed. */
static void
check_early_close(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_object_meta meta;
    unsigned char some[10];
    struct bp_kit_piece piece = {.buffer = some, .cap = sizeof some};
    size_t before = 0;
    bp_kit_store_open(kit, NULL, 0, &store);
    unsigned char *bytes = bp_kit_bytes((size_t)2 << 20, 1);
    struct bp_kit_get get = {.key = bp_kit_key(kit, "object"), .length = BP_UNKNOWN};
    bp_kit_put(&store, get.key, bytes, (size_t)2 << 20);
    for (unsigned i = 0; i < 40; i++) {
        struct bp_reader *reader = NULL;
        bp_status status = bp_kit_try_read_open(&store, &get, &meta, &reader, &error);
        bp_kit_expect(kit, status, BP_OK, &error, "read_open number %u", i);
        status = i % 2 == 0 ? bp_kit_try_read(&store, reader, &piece, &error) : BP_OK;
        bp_kit_expect(kit, status, BP_OK, &error, "the first read");
        bp_kit_read_close(&store, reader);
        before = i == 9 ? bp_kit_count_descriptors() : before;
    }
    size_t after = bp_kit_count_descriptors();
    if (after > before + 3) {
        bp_kit_fail(kit, "30 readers that were closed early left %zu descriptors open",
                    after - before);
    }
    bp_kit_store_close(&store);
}

static void
check_if_match(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_object_meta old, meta;
    unsigned char *found = NULL;
    size_t n = 0;
    bp_kit_store_open(kit, NULL, 0, &store);
    const char *key = bp_kit_key(kit, "object");
    bp_kit_put(&store, key, "first", 5);
    bp_kit_stat(&store, key, &old);
    if (old.etag[0] == '\0') {
        bp_kit_skip(kit, "it has no etags");
    }
    struct bp_kit_get get = {.key = key, .length = BP_UNKNOWN, .if_match = old.etag};
    bp_status status = bp_kit_try_get(&store, &get, &meta, &found, &n, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "reading with the etag that it has");
    bp_kit_put(&store, key, "other", 5);
    status = bp_kit_try_get(&store, &get, &meta, &found, &n, &error);
    bp_kit_expect(kit, status, BP_ERR_EXISTS, &error,
                  "reading with the etag of what was there before");
    get.offset = 2;
    status = bp_kit_try_get(&store, &get, &meta, &found, &n, &error);
    bp_kit_expect(kit, status, BP_ERR_EXISTS, &error,
                  "reading on at 2 with the etag of what was there before");
    bp_kit_store_close(&store);
}

const struct bp_kit_check bp_kit_checks_read[] = {
    {.name = "read.ranges",
     .contract = "RANGE_READ: read_open takes any offset and length within the object",
     .run = check_ranges},
    {.name = "read.beyond_end",
     .contract = "an offset at the end reads nothing; beyond it is RANGE, not NOT_FOUND",
     .run = check_beyond},
    {.name = "read.missing",
     .contract = "a missing key is NOT_FOUND, never ok",
     .run = check_missing},
    {.name = "read.pieces",
     .contract = "read may be short; 0 bytes is the end and only the end",
     .run = check_pieces},
    {.name = "read.facts",
     .contract = "read_open tells the facts of the whole object, as stat does",
     .run = check_meta},
    {.name = "read.early_close",
     .contract = "read_close frees a reader wherever it stands",
     .run = check_early_close},
    {.name = "read.if_match",
     .contract = "if_match: reading another version than the given one is EXISTS",
     .run = check_if_match},
    BP_KIT_CHECKS_END,
};
