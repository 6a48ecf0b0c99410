/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks of copying within the storage.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/lib/errors.h"
#include "sdk/testkit/checks.h"
#include "sdk/testkit/digest.h"
#include "sdk/testkit/memory.h"
#include "sdk/testkit/store.h"

#include "sdk/lib/ban.h"

#define SIZE 300001
#define SIZE_LIMIT ((uint64_t)40 << 20)

static bp_status
try_copy(const struct bp_kit_store *to, const struct bp_copy_args *args, struct bp_object_meta *out,
         struct bp_error *error)
{
    struct bp_copy_args full = *args;
    full.struct_size = sizeof full;
    bp_error_init(error);
    *out = (struct bp_object_meta){.struct_size = sizeof *out, .size = BP_UNKNOWN};
    bp_kit_step(to->kit, "copy", args->dst_key);
    bp_kit_enter(to);
    bp_status status = to->kit->ops.copy(to->it, bp_kit_context(NULL), &full, out, error);
    bp_kit_leave(to);
    return status;
}

/* An instance that can copy, or the check is skipped. */
static void
open_copier(struct bp_kit *kit, struct bp_kit_store *store)
{
    bp_kit_store_open(kit, NULL, 0, store);
    bp_kit_store_need(store, BP_STORE_SERVER_COPY, "SERVER_COPY");
    if (kit->ops.copy == NULL) {
        bp_kit_skip(kit, "it has no copy");
    }
}

static void
check_same(struct bp_kit *kit)
{
    static const size_t sizes[] = {0, 1, SIZE};
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_object_meta told, found;
    open_copier(kit, &store);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        unsigned char *bytes = bp_kit_bytes(sizes[i], 1);
        struct bp_copy_args args = {.src = store.it,
                                    .src_key = bp_kit_key(kit, "from %zu+%%", sizes[i]),
                                    .dst_key = bp_kit_key(kit, "to/%zu &", sizes[i]),
                                    .size = i == 1 ? BP_UNKNOWN : sizes[i]};
        bp_kit_put(&store, args.src_key, bytes, sizes[i]);
        bp_kit_put(&store, args.dst_key, "old", 3);
        bp_status status = try_copy(&store, &args, &told, &error);
        bp_kit_expect(kit, status, BP_OK, &error, "copy of %zu bytes within the storage", sizes[i]);
        bp_kit_sync(&store);
        bp_kit_stat(&store, args.dst_key, &found);
        if (told.size != sizes[i] || strncmp(told.etag, found.etag, sizeof told.etag) != 0) {
            bp_kit_fail(kit,
                        "copy of %zu bytes says %" PRIu64 " bytes, etag \"%s\"; stat says etag "
                        "\"%s\"",
                        sizes[i], told.size, told.etag, found.etag);
        }
        bp_kit_expect_content(&store, args.dst_key, bytes, sizes[i]);
        bp_kit_expect_content(&store, args.src_key, bytes, sizes[i]);
        free(bytes);
    }
    bp_kit_store_close(&store);
}

static void
check_missing(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_object_meta meta;
    open_copier(kit, &store);
    struct bp_copy_args args = {.src = store.it,
                                .src_key = bp_kit_key(kit, "missing"),
                                .dst_key = bp_kit_key(kit, "copy"),
                                .size = BP_UNKNOWN};
    bp_status status = try_copy(&store, &args, &meta, &error);
    bp_kit_expect(kit, status, BP_ERR_NOT_FOUND, &error, "copy of a missing key");
    bp_kit_expect_missing(&store, args.dst_key, "after a copy of nothing");
    bp_kit_store_close(&store);
}

static void
check_if_match(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_object_meta old, now, meta;
    open_copier(kit, &store);
    struct bp_copy_args args = {.src = store.it,
                                .src_key = bp_kit_key(kit, "object"),
                                .dst_key = bp_kit_key(kit, "copy"),
                                .src_if_match = old.etag,
                                .size = 5};
    bp_kit_put(&store, args.src_key, "first", 5);
    bp_kit_stat(&store, args.src_key, &old);
    bp_kit_put(&store, args.src_key, "other", 5);
    bp_status status = try_copy(&store, &args, &meta, &error);
    bp_kit_expect(kit, status, BP_ERR_EXISTS, &error, "copy of a version that was replaced");
    bp_kit_expect_missing(&store, args.dst_key, "after a copy that was refused");
    bp_kit_stat(&store, args.src_key, &now);
    args.src_if_match = now.etag;
    status = try_copy(&store, &args, &meta, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "copy of the version that is there");
    bp_kit_sync(&store);
    bp_kit_expect_content(&store, args.dst_key, "other", 5);
    bp_kit_store_close(&store);
}

/* Some servers have no such copy; then the host has to stream, and wants to be told. */
static void
check_exclusive(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_object_meta meta;
    open_copier(kit, &store);
    struct bp_copy_args args = {.flags = BP_COPY_IF_NONE_MATCH,
                                .src = store.it,
                                .src_key = bp_kit_key(kit, "object"),
                                .dst_key = bp_kit_key(kit, "taken"),
                                .size = 3};
    bp_kit_put(&store, args.src_key, "new", 3);
    bp_kit_put(&store, args.dst_key, "taken", 5);
    bp_status status = try_copy(&store, &args, &meta, &error);
    if (status == BP_ERR_UNSUPPORTED) {
        bp_kit_skip(kit, "its copy does not know IF_NONE_MATCH, and says so");
    }
    bp_kit_expect(kit, status, BP_ERR_EXISTS, &error, "exclusive copy to a key that is taken");
    bp_kit_expect_content(&store, args.dst_key, "taken", 5);
    args.dst_key = bp_kit_key(kit, "free");
    status = try_copy(&store, &args, &meta, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "exclusive copy to a new key");
    bp_kit_sync(&store);
    bp_kit_expect_content(&store, args.dst_key, "new", 3);
    bp_kit_store_close(&store);
}

static void
judge_checksum(const struct bp_kit *kit, const struct bp_checksum *sum, const void *bytes, size_t n)
{
    bool known = sum->kind == BP_CHECKSUM_SHA256 || sum->kind == BP_CHECKSUM_CRC32C;
    struct bp_checksum right = known ? bp_kit_digest(sum->kind, bytes, n) : *sum;
    if (memcmp(right.value, sum->value, sum->kind == BP_CHECKSUM_CRC32C ? 4 : 32) != 0) {
        bp_kit_fail(kit, "the checksum (kind %u) that copy answered is not that of the content",
                    sum->kind);
    }
}

static void
check_checksum(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_object_meta first, again, other;
    open_copier(kit, &store);
    unsigned char *bytes = bp_kit_bytes(SIZE, 1);
    struct bp_copy_args args = {.flags = BP_COPY_NEED_CHECKSUM,
                                .src = store.it,
                                .src_key = bp_kit_key(kit, "object"),
                                .dst_key = bp_kit_key(kit, "copy"),
                                .size = SIZE};
    bp_kit_put(&store, args.src_key, bytes, SIZE);
    bp_status status = try_copy(&store, &args, &first, &error);
    if (status == BP_ERR_UNSUPPORTED) {
        bp_kit_skip(kit, "its copy has no checksum to offer, and says so");
    }
    bp_kit_expect(kit, status, BP_OK, &error, "copy with NEED_CHECKSUM");
    if (first.checksum.kind == BP_CHECKSUM_NONE) {
        bp_kit_fail(kit, "copy with NEED_CHECKSUM answered ok and no checksum");
    }
    judge_checksum(kit, &first.checksum, bytes, SIZE);
    status = try_copy(&store, &args, &again, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "copy with NEED_CHECKSUM, again");
    bytes[SIZE / 2] ^= 1;
    bp_kit_put(&store, args.src_key, bytes, SIZE);
    status = try_copy(&store, &args, &other, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "copy with NEED_CHECKSUM of other content");
    size_t n = sizeof first.checksum.value;
    if (memcmp(first.checksum.value, again.checksum.value, n) != 0 ||
        memcmp(first.checksum.value, other.checksum.value, n) == 0) {
        bp_kit_fail(kit, "checksums of copies do not go with their content");
    }
    bp_kit_store_close(&store);
}

/* Either it works, or the answer lets the host stream the bytes. */
static void
copy_between(struct bp_kit *kit, const struct bp_kit_node *from_hook,
             const struct bp_kit_node *to_hook)
{
    struct bp_kit_store from, to;
    struct bp_error error;
    struct bp_object_meta meta;
    bp_kit_store_open(kit, from_hook, 0, &from);
    open_copier(kit, &to);
    bp_kit_store_close(&to);
    bp_kit_store_open(kit, to_hook, 0, &to);
    unsigned char *bytes = bp_kit_bytes(SIZE, 1);
    struct bp_copy_args args = {.src = from.it,
                                .src_key = bp_kit_key(kit, "object"),
                                .dst_key = bp_kit_key(kit, "copy"),
                                .size = SIZE};
    bp_kit_put(&from, args.src_key, bytes, SIZE);
    bp_status status = try_copy(&to, &args, &meta, &error);
    /* NOT_FOUND: the server that copies does not see what we see; it is there. */
    if (status == BP_ERR_UNSUPPORTED || status == BP_ERR_DENIED || status == BP_ERR_AUTH ||
        status == BP_ERR_NOT_FOUND) {
        bp_kit_note(kit, "copy between them: %s", error.message);
        bp_kit_expect_missing(&to, args.dst_key, "after a copy that was refused");
    } else {
        bp_kit_expect(kit, status, BP_OK, &error, "copy from another storage");
        bp_kit_sync(&to);
        bp_kit_expect_content(&to, args.dst_key, bytes, SIZE);
    }
    bp_kit_store_close(&to);
    bp_kit_store_close(&from);
}

static void
check_other(struct bp_kit *kit)
{
    copy_between(kit, NULL, bp_kit_hook(kit, "second"));
    copy_between(kit, bp_kit_hook(kit, "second"), NULL);
}

static void
check_other_login(struct bp_kit *kit)
{
    copy_between(kit, NULL, bp_kit_hook(kit, "other_login"));
    copy_between(kit, bp_kit_hook(kit, "other_login"), NULL);
}

static void
check_too_large(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_object_meta meta;
    open_copier(kit, &store);
    if (store.info.max_copy >= SIZE_LIMIT || store.info.max_copy >= store.info.max_object) {
        bp_kit_skip(kit, "its max_copy is too large to try");
    }
    size_t n = (size_t)store.info.max_copy + 1;
    unsigned char *bytes = bp_kit_bytes(n, 1);
    struct bp_copy_args args = {.src = store.it,
                                .src_key = bp_kit_key(kit, "object"),
                                .dst_key = bp_kit_key(kit, "copy"),
                                .size = n};
    bp_kit_put(&store, args.src_key, bytes, n);
    bp_status status = try_copy(&store, &args, &meta, &error);
    if (status == BP_OK) {
        bp_kit_fail(kit, "copy of %zu bytes, one above max_copy, answered ok", n);
    }
    bp_kit_expect_missing(&store, args.dst_key, "after a copy that was refused");
    bp_kit_store_close(&store);
}

const struct bp_kit_check bp_kit_checks_copy[] = {
    {.name = "copy.same_storage",
     .contract = "SERVER_COPY: copy within the storage, also over an object, is whole",
     .run = check_same},
    {.name = "copy.missing",
     .contract = "copy of a missing key is NOT_FOUND",
     .run = check_missing},
    {.name = "copy.if_match",
     .contract = "src_if_match: copies only the given version, else EXISTS",
     .run = check_if_match},
    {.name = "copy.exclusive",
     .contract = "IF_NONE_MATCH: copy to a key that is taken is EXISTS (or UNSUPPORTED)",
     .run = check_exclusive},
    {.name = "copy.checksum",
     .contract = "NEED_CHECKSUM: copy answers a checksum of the content (or UNSUPPORTED)",
     .run = check_checksum},
    {.name = "copy.other_storage",
     .contract = "copy from another instance is whole, or AUTH, DENIED, NOT_FOUND or UNSUPPORTED, "
                 "and then nothing is there",
     .run = check_other,
     .hook = "second"},
    {.name = "copy.other_login",
     .contract = "copy between logins is whole, or AUTH, DENIED, NOT_FOUND or UNSUPPORTED",
     .run = check_other_login,
     .hook = "other_login"},
    {.name = "copy.too_large",
     .contract = "above max_copy copy fails and leaves nothing",
     .run = check_too_large},
    BP_KIT_CHECKS_END,
};
