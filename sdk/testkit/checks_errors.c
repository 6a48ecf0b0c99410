/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks of how a plugin tells failures, and of structures that are longer than it knows.
 */
#include <stdlib.h>
#include <string.h>

#include "sdk/lib/errors.h"
#include "sdk/lib/key.h"
#include "sdk/testkit/checks.h"
#include "sdk/testkit/listing.h"
#include "sdk/testkit/memory.h"
#include "sdk/testkit/round.h"

#include "sdk/lib/ban.h"

#define UNKNOWN_FLAG (UINT32_C(1) << 30)
#define CANARY 64

/* What every failure has to look like. */
static void
judge(const struct bp_kit *kit, const char *what, bp_status status, const struct bp_error *error)
{
    size_t cap = sizeof error->message;
    if (status == BP_OK) {
        bp_kit_fail(kit, "%s answered ok", what);
    }
    if (status < BP_OK || status >= BP_ERR_CLASS_END) {
        bp_kit_fail(kit, "%s answered %d, which is no class of ABI 1.0", what, status);
    }
    if (error->cls != status) {
        bp_kit_fail(kit, "%s returned %s and filled in %s", what, bp_class_name(status),
                    bp_class_name(error->cls));
    }
    if (error->struct_size != sizeof *error) {
        bp_kit_fail(kit, "%s changed struct_size of the error to %u", what, error->struct_size);
    }
    if (error->message[0] == '\0' || memchr(error->message, '\0', cap) == NULL) {
        bp_kit_fail(kit, "%s answered %s with no message, or one without an end", what,
                    bp_class_name(status));
    }
    if (bp_utf8_check(error->message) != 0 || strpbrk(error->message, "\n\r\t") != NULL) {
        bp_kit_fail(kit, "%s: the message is no line of UTF-8", what);
    }
}

static void
check_filled(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_object_meta meta;
    struct bp_reader *reader = NULL;
    bp_kit_store_open(kit, NULL, 0, &store);
    const char *key = bp_kit_key(kit, "object");
    const char *missing = bp_kit_key(kit, "missing-%s", "\xc3\xb6\xc3\xa4\xc3\xbc");
    bp_kit_put(&store, key, "x", 1);
    judge(kit, "stat of a missing key", bp_kit_try_stat(&store, missing, NULL, &meta, &error),
          &error);
    struct bp_kit_get get = {.key = missing, .length = BP_UNKNOWN};
    judge(kit, "read_open of a missing key",
          bp_kit_try_read_open(&store, &get, &meta, &reader, &error), &error);
    get = (struct bp_kit_get){.key = key, .offset = 100, .length = BP_UNKNOWN};
    judge(kit, "read_open beyond the end",
          bp_kit_try_read_open(&store, &get, &meta, &reader, &error), &error);
    char *longest = bp_kit_alloc(BP_KEY_MAX + 1, 1);
    size_t n = strlen(kit->prefix);
    memset(longest, 'm', BP_KEY_MAX);
    memcpy(longest, kit->prefix, n);
    for (size_t at = n + 100; at < BP_KEY_MAX - 1; at += 101) {
        longest[at] = '/';
    }
    judge(kit, "stat of a missing key of 1024 bytes",
          bp_kit_try_stat(&store, longest, NULL, &meta, &error), &error);
    bp_kit_store_close(&store);
}

static void
try_flags(const struct bp_kit_store *store, struct bp_error *error)
{
    struct bp_kit *kit = store->kit;
    const struct bp_op *op = bp_kit_context(NULL);
    struct bp_object_meta meta = {.struct_size = sizeof meta, .size = BP_UNKNOWN};
    struct bp_reader *reader = NULL;
    const char *key = bp_kit_key(kit, "object");
    struct bp_read_args read = {.struct_size = sizeof read, .flags = UNKNOWN_FLAG, .key = key};
    bp_error_init(error);
    bp_kit_step(kit, "read_open", "unknown flags");
    bp_status status = kit->ops.read_open(store->it, op, &read, &meta, &reader, error);
    bp_kit_expect(kit, status, BP_ERR_INVALID, error, "read_open with an unknown flag");
    struct bp_list_sink sink = {.struct_size = sizeof sink};
    struct bp_list_args list = {.struct_size = sizeof list,
                                .flags = UNKNOWN_FLAG,
                                .prefix = bp_kit_key(kit, "none"),
                                .max = 1};
    bp_error_init(error);
    bp_kit_step(kit, "list", "unknown flags");
    status = kit->ops.list(store->it, op, &list, &sink, error);
    bp_kit_expect(kit, status, BP_ERR_INVALID, error, "list with an unknown flag");
    struct bp_probe_args probe = {
        .struct_size = sizeof probe, .need = UNKNOWN_FLAG, .prefix = kit->prefix};
    bp_error_init(error);
    bp_kit_step(kit, "probe", "unknown flags");
    status = kit->ops.probe(store->it, op, &probe, error);
    bp_kit_expect(kit, status, BP_ERR_INVALID, error, "probe of an unknown need");
}

static int32_t
take_id(void *ctx, const char *text)
{
    (void)ctx;
    (void)text;
    return 0;
}

static void
check_flags(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_object_meta meta = {.struct_size = sizeof meta, .size = BP_UNKNOWN};
    bp_kit_store_open(kit, NULL, 0, &store);
    const char *key = bp_kit_key(kit, "object"), *other = bp_kit_key(kit, "other");
    bp_kit_put(&store, key, "x", 1);
    try_flags(&store, &error);
    struct bp_kit_put put = {.key = other, .bytes = "x", .n = 1, .flags = UNKNOWN_FLAG};
    bp_status status = bp_kit_try_put(&store, &put, &meta, &error);
    bp_kit_expect(kit, status, BP_ERR_INVALID, &error, "write_open with an unknown flag");
    if (kit->ops.copy != NULL) {
        struct bp_copy_args copy = {.struct_size = sizeof copy,
                                    .flags = UNKNOWN_FLAG,
                                    .src = store.it,
                                    .src_key = key,
                                    .dst_key = other,
                                    .size = 1};
        bp_error_init(&error);
        bp_kit_step(kit, "copy", "unknown flags");
        status = kit->ops.copy(store.it, bp_kit_context(NULL), &copy, &meta, &error);
        bp_kit_expect(kit, status, BP_ERR_INVALID, &error, "copy with an unknown flag");
    }
    if (kit->ops.part_begin != NULL && bp_kit_store_can(&store, BP_STORE_PARTS)) {
        struct bp_text_sink sink = {.struct_size = sizeof sink, .text = take_id};
        struct bp_write_args args = {
            .struct_size = sizeof args, .flags = UNKNOWN_FLAG, .key = other, .size = BP_UNKNOWN};
        bp_error_init(&error);
        bp_kit_step(kit, "part_begin", "unknown flags");
        status = kit->ops.part_begin(store.it, bp_kit_context(NULL), &args, &sink, &error);
        bp_kit_expect(kit, status, BP_ERR_INVALID, &error, "part_begin with an unknown flag");
    }
    bp_kit_expect_missing(&store, other, "after requests that were refused");
    bp_kit_store_close(&store);
}

/*
 * A structure of ours with more behind it than the plugin knows: the first half is announced, and
 * may be cleared; the other half is not, and stays.
 */
struct long_meta {
    struct bp_object_meta meta;
    unsigned char canary[CANARY];
};

static void
spread(struct long_meta *out)
{
    memset(out, 0, sizeof *out);
    memset(out->canary, 0xA5, sizeof out->canary);
    out->meta.struct_size = sizeof *out - CANARY / 2;
}

static void
judge_canary(const struct bp_kit *kit, const char *what, uint32_t size, size_t wanted,
             const unsigned char *canary)
{
    for (size_t i = 0; i < CANARY; i++) {
        bool cleared = i < CANARY / 2 && canary[i] == 0;
        if (canary[i] != 0xA5 && !cleared) {
            bp_kit_fail(kit, "%s wrote behind the structure that %s", what,
                        i < CANARY / 2 ? "it knows" : "was announced");
        }
    }
    if (size != wanted) {
        bp_kit_fail(kit, "%s changed struct_size, which is the caller's, from %zu to %u", what,
                    wanted, size);
    }
}

static void
check_longer(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct long_meta out;
    struct {
        struct bp_storage_info info;
        unsigned char canary[CANARY];
    } info;
    struct {
        struct bp_read_args args;
        unsigned char more[CANARY];
    } read;
    struct bp_reader *reader = NULL;
    bp_kit_store_open(kit, NULL, 0, &store);
    const char *key = bp_kit_key(kit, "object");
    bp_kit_put(&store, key, "x", 1);
    memset(&info, 0xA5, sizeof info);
    memset(&info.info, 0, sizeof info.info);
    info.info.struct_size = sizeof info - CANARY / 2;
    bp_error_init(&error);
    bp_kit_step(kit, "info", "a longer structure");
    bp_status status = kit->ops.info(store.it, &info.info, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "info into a longer structure");
    judge_canary(kit, "info", info.info.struct_size, sizeof info - CANARY / 2, info.canary);
    spread(&out);
    bp_kit_step(kit, "stat", "a longer structure");
    status = kit->ops.stat(store.it, bp_kit_context(NULL), key, &out.meta, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "stat into a longer structure");
    judge_canary(kit, "stat", out.meta.struct_size, sizeof out - CANARY / 2, out.canary);
    spread(&out);
    memset(&read, 0xA5, sizeof read);
    read.args = (struct bp_read_args){.struct_size = sizeof read, .key = key, .length = BP_UNKNOWN};
    bp_kit_step(kit, "read_open", "longer structures");
    status =
        kit->ops.read_open(store.it, bp_kit_context(NULL), &read.args, &out.meta, &reader, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "read_open with longer structures");
    judge_canary(kit, "read_open", out.meta.struct_size, sizeof out - CANARY / 2, out.canary);
    bp_kit_read_close(&store, reader);
    bp_kit_store_close(&store);
}

static void
check_expired(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_object_meta meta;
    bp_kit_store_open(kit, bp_kit_hook(kit, "expired"), 0, &store);
    bp_status status = bp_kit_try_stat(&store, bp_kit_key(kit, "object"), NULL, &meta, &error);
    bp_kit_expect(kit, status, BP_ERR_AUTH, &error, "stat with a login that has expired");
    bp_kit_store_close(&store);
    bp_kit_store_open(kit, NULL, 0, &store);
    bp_kit_round(&store, bp_kit_key(kit, "object"));
    bp_kit_store_close(&store);
}

const struct bp_kit_check bp_kit_checks_errors[] = {
    {.name = "errors.filled",
     .contract = "a failing operation returns the class that it filled in, with one line of text",
     .run = check_filled},
    {.name = "errors.flags",
     .contract = "unknown bits in the flags of a request are refused with INVALID",
     .run = check_flags},
    {.name = "errors.longer_structs",
     .contract = "structures may be longer than the plugin knows; it writes no further",
     .run = check_longer},
    {.name = "errors.expired",
     .contract = "a login that has expired is AUTH, and another instance with a good one works",
     .run = check_expired,
     .hook = "expired"},
    BP_KIT_CHECKS_END,
};
