/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks of cancel and deadline.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/lib/errors.h"
#include "sdk/testkit/checks.h"
#include "sdk/testkit/listing.h"
#include "sdk/testkit/memory.h"

#include "sdk/lib/ban.h"

/* A second by the contract; what is added is for a machine under load. */
#define LIMIT_MS 1500
#define SIZE ((size_t)8 << 20)

/* One operation to be tried with a context. */
struct attempt {
    const char *name;
    bp_status (*run)(const struct bp_kit_store *store, const char *key, struct bp_kit_op *op,
                     struct bp_error *error);
};

static bp_status
try_stat(const struct bp_kit_store *store, const char *key, struct bp_kit_op *op,
         struct bp_error *error)
{
    struct bp_object_meta meta;
    return bp_kit_try_stat(store, key, op, &meta, error);
}

static bp_status
try_list(const struct bp_kit_store *store, const char *key, struct bp_kit_op *op,
         struct bp_error *error)
{
    struct bp_kit_listing listing = {0};
    struct bp_kit_list list = {.prefix = store->kit->prefix, .op = op};
    (void)key;
    bp_status status = bp_kit_try_page(store, &list, NULL, &listing, error);
    bp_kit_listing_clear(&listing);
    return status;
}

static bp_status
try_read(const struct bp_kit_store *store, const char *key, struct bp_kit_op *op,
         struct bp_error *error)
{
    struct bp_object_meta meta;
    unsigned char *bytes = NULL;
    size_t n = 0;
    struct bp_kit_get get = {.key = key, .length = BP_UNKNOWN, .op = op};
    bp_status status = bp_kit_try_get(store, &get, &meta, &bytes, &n, error);
    free(bytes);
    return status;
}

static bp_status
try_write(const struct bp_kit_store *store, const char *key, struct bp_kit_op *op,
          struct bp_error *error)
{
    struct bp_object_meta meta;
    unsigned char *bytes = bp_kit_alloc(SIZE, 1);
    struct bp_kit_put put = {.key = key, .bytes = bytes, .n = SIZE, .op = op};
    bp_status status = bp_kit_try_put(store, &put, &meta, error);
    free(bytes);
    return status;
}

static bp_status
try_remove(const struct bp_kit_store *store, const char *key, struct bp_kit_op *op,
           struct bp_error *error)
{
    return bp_kit_try_remove(store, key, NULL, op, error);
}

static bp_status
try_probe(const struct bp_kit_store *store, const char *key, struct bp_kit_op *op,
          struct bp_error *error)
{
    struct bp_probe_args args = {.struct_size = sizeof args,
                                 .need = BP_NEED_LIST | BP_NEED_READ | BP_NEED_WRITE,
                                 .prefix = store->kit->prefix};
    (void)key;
    bp_error_init(error);
    bp_kit_step(store->kit, "probe", NULL);
    return store->kit->ops.probe(store->it, bp_kit_context(op), &args, error);
}

/* Removing last: it leaves nothing for the others. */
static const struct attempt attempts[] = {
    {"probe", try_probe}, {"stat", try_stat},   {"list", try_list},
    {"read", try_read},   {"write", try_write}, {"remove", try_remove},
};

/* In time, and with the class that it should have; ok is for who could not wait for anything. */
static void
judge(const struct bp_kit *kit, const char *name, bp_status status, bp_status wanted, long long ms,
      const struct bp_error *error)
{
    if (ms > LIMIT_MS) {
        bp_kit_fail(kit, "%s came back %lld ms after it should stop", name, ms);
    }
    if (status != BP_OK) {
        bp_kit_expect(kit, status, wanted, error, "%s, which should stop", name);
    }
}

/* What of all operations noticed that they should stop, and which did not. */
struct notice {
    const char *what; /* they should have noticed */
    unsigned noticed;
    char others[128];
};

static void
take_notice(struct notice *self, const char *name, bool noticed)
{
    size_t n = strlen(self->others);
    if (noticed) {
        self->noticed++;
    } else {
        (void)snprintf(self->others + n, sizeof self->others - n, " %s", name);
    }
}

/* Nothing is proven where nothing looks; whether that is right only the author knows. */
static void
tell_notice(const struct bp_kit *kit, const struct notice *self)
{
    if (self->noticed == 0) {
        bp_kit_skip(kit, "no operation asks for %s; right only where nothing is waited for",
                    self->what);
    }
    if (self->others[0] != '\0') {
        bp_kit_note(kit, "do not ask for %s:%s", self->what, self->others);
    }
}

static void
try_all(struct bp_kit *kit, int deadline_ms, bool cancel, bp_status wanted)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct notice notice = {.what = cancel ? "a cancel" : "its deadline"};
    bp_kit_store_open(kit, NULL, 0, &store);
    const char *key = bp_kit_key(kit, "object");
    bp_kit_put(&store, key, "x", 1);
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
        struct bp_kit_op op;
        bp_kit_op_init(&op, deadline_ms);
        if (cancel) {
            bp_kit_op_cancel(&op);
        }
        long long start = bp_kit_now_ns();
        bp_error_init(&error);
        bp_status status = attempts[i].run(&store, key, &op, &error);
        long long took_ns = bp_kit_now_ns() - start - op.undoing_ns;
        judge(kit, attempts[i].name, status, wanted, took_ns / 1000000, &error);
        take_notice(&notice, attempts[i].name,
                    status != BP_OK || (cancel && atomic_load(&op.asked) > 0));
        bp_kit_op_clear(&op);
    }
    bp_kit_put(&store, key, "after", 5);
    bp_kit_expect_content(&store, key, "after", 5);
    bp_kit_store_close(&store);
    tell_notice(kit, &notice);
}

static void
check_before(struct bp_kit *kit)
{
    try_all(kit, 0, true, BP_ERR_CANCELLED);
}

static void
check_deadline(struct bp_kit *kit)
{
    try_all(kit, -1000, false, BP_ERR_TIMEOUT);
}

/* Cancels from another thread, a little after the call began. */
struct canceller {
    struct bp_kit_op *op;
    unsigned after_ms;
    _Atomic long long when_ns;
};

static void *
cancel_soon(void *ctx)
{
    struct canceller *self = ctx;
    bp_kit_sleep_ms(self->after_ms);
    atomic_store(&self->when_ns, bp_kit_now_ns());
    bp_kit_op_cancel(self->op);
    return NULL;
}

/* True: it was still running. */
static bool
cancel_during(const struct bp_kit_store *store, const struct attempt *attempt, unsigned after_ms)
{
    struct bp_kit_op op;
    struct bp_error error;
    pthread_t thread;
    bp_kit_op_init(&op, 0);
    struct canceller canceller = {.op = &op, .after_ms = after_ms};
    const char *key = bp_kit_key(store->kit, "object");
    bp_error_init(&error);
    if (pthread_create(&thread, NULL, cancel_soon, &canceller) != 0) {
        bp_kit_skip(store->kit, "no thread can be made here");
    }
    bp_status status = attempt->run(store, key, &op, &error);
    long long end = bp_kit_now_ns();
    (void)pthread_join(thread, NULL);
    long long late_ns = end - atomic_load(&canceller.when_ns) - op.undoing_ns;
    judge(store->kit, attempt->name, status, BP_ERR_CANCELLED, late_ns / 1000000, &error);
    bp_kit_op_clear(&op);
    return status != BP_OK;
}

static void
check_during(struct bp_kit *kit)
{
    struct bp_kit_store store;
    bp_kit_store_open(kit, NULL, 0, &store);
    unsigned char *bytes = bp_kit_bytes(SIZE, 1);
    const size_t tries = 2 * sizeof attempts / sizeof *attempts;
    unsigned reached = 0;
    bp_kit_put(&store, bp_kit_key(kit, "object"), bytes, SIZE);
    for (size_t i = 0; i < tries; i++) {
        reached += cancel_during(&store, &attempts[i / 2], i % 2 == 0 ? 0 : 2) ? 1 : 0;
        bp_kit_put(&store, bp_kit_key(kit, "object"), bytes, SIZE);
    }
    bp_kit_note(kit, "%u of %zu calls were still running when they were cancelled", reached, tries);
    bp_kit_put(&store, bp_kit_key(kit, "object"), "after", 5);
    bp_kit_expect_content(&store, bp_kit_key(kit, "object"), "after", 5);
    bp_kit_store_close(&store);
}

static void
check_abort(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_kit_op op;
    struct bp_writer *writer = NULL;
    bp_kit_store_open(kit, NULL, 0, &store);
    unsigned char *bytes = bp_kit_bytes(SIZE, 1);
    bp_kit_op_init(&op, 0);
    struct bp_write_args args = {
        .struct_size = sizeof args, .key = bp_kit_key(kit, "object"), .size = 2 * SIZE};
    bp_status status = bp_kit_try_write_open(&store, &args, &op, &writer, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "write_open");
    status = bp_kit_try_write(&store, writer, bytes, SIZE, &op, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "write");
    bp_kit_op_cancel(&op);
    status = bp_kit_try_write(&store, writer, bytes, SIZE, &op, &error);
    judge(kit, "write", status, BP_ERR_CANCELLED, 0, &error);
    bp_kit_write_abort(&store, writer);
    bp_kit_op_clear(&op);
    bp_kit_sync(&store);
    bp_kit_expect_missing(&store, args.key, "after a cancelled write and write_abort");
    bp_kit_store_close(&store);
}

static void
check_reader(struct bp_kit *kit)
{
    struct bp_kit_store store;
    struct bp_error error;
    struct bp_kit_op op;
    struct bp_object_meta meta;
    struct bp_reader *reader = NULL;
    unsigned char some[100];
    struct bp_kit_piece piece = {.buffer = some, .cap = sizeof some, .op = &op};
    bp_kit_store_open(kit, NULL, 0, &store);
    unsigned char *bytes = bp_kit_bytes(SIZE, 1);
    struct bp_kit_get get = {.key = bp_kit_key(kit, "object"), .length = BP_UNKNOWN, .op = &op};
    bp_kit_put(&store, get.key, bytes, SIZE);
    bp_kit_op_init(&op, 0);
    bp_status status = bp_kit_try_read_open(&store, &get, &meta, &reader, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "read_open");
    status = bp_kit_try_read(&store, reader, &piece, &error);
    bp_kit_expect(kit, status, BP_OK, &error, "read");
    bp_kit_op_cancel(&op);
    long long start = bp_kit_now_ns();
    status = bp_kit_try_read(&store, reader, &piece, &error);
    judge(kit, "read", status, BP_ERR_CANCELLED, (bp_kit_now_ns() - start) / 1000000, &error);
    bp_kit_read_close(&store, reader);
    bp_kit_op_clear(&op);
    bp_kit_expect_content(&store, get.key, bytes, SIZE);
    bp_kit_store_close(&store);
}

const struct bp_kit_check bp_kit_checks_cancel[] = {
    {.name = "cancel.before",
     .contract = "an operation that is cancelled already ends within a second, with CANCELLED "
                 "(or ok, if it waits for nothing)",
     .run = check_before},
    {.name = "cancel.during",
     .contract = "an operation ends within a second of its cancel, with CANCELLED or ok",
     .run = check_during},
    {.name = "cancel.reader",
     .contract = "a reader whose read was cancelled can be closed",
     .run = check_reader},
    {.name = "cancel.abort",
     .contract = "write_abort works after a cancel, in a context of its own",
     .run = check_abort},
    {.name = "cancel.deadline",
     .contract =
         "past the deadline an operation ends with TIMEOUT (or ok, if it waits for nothing)",
     .run = check_deadline},
    BP_KIT_CHECKS_END,
};
