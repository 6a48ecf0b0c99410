/* SPDX-License-Identifier: Apache-2.0
 *
 * Trying rights through the operations of a store that writes down what it is asked.
 */
#include "sdk/lib/probe.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "sdk/lib/errors.h"
#include "sdk/lib/storage.h"
#include "tests/harness/fake_host.h"
#include "tests/harness/run.h"

struct bp_storage {
    char asked[512];    /**< one letter for each operation */
    char scratch[2048]; /**< key of the scratch object, or "" */
    char fails_at;      /**< the letter of the operation that is DENIED */
    const char *first;  /**< key that is listed, or NULL */
    int ignores_condition;
    int outcome_unknown; /**< the write that fails may have taken effect */
    int is_over;         /**< the caller's operation is cancelled once it comes to removing */
};
struct bp_writer {
    int exclusive;
};
struct bp_reader {
    int unused;
};

static struct bp_storage store;
static struct bp_writer writer;
static struct bp_reader reader;
static struct bp_error error;

static void
setup(void)
{
    bp_fake_reset();
    bp_error_init(&error);
    store = (struct bp_storage){0};
}

static bp_status
ask(char letter, struct bp_error *why)
{
    size_t n = strlen(store.asked);
    store.asked[n] = letter;
    return letter == store.fails_at && why != NULL ? bp_fail(why, BP_ERR_DENIED, "no %c", letter)
                                                   : BP_OK;
}

static bp_status
list(struct bp_storage *self, const struct bp_op *op, const struct bp_list_args *args,
     const struct bp_list_sink *sink, struct bp_error *why)
{
    (void)op;
    ck_assert_uint_eq(args->max, 1);
    if (self->first != NULL) {
        const struct bp_object_meta meta = {.struct_size = sizeof(meta)};
        ck_assert_int_eq(sink->entry(sink->ctx, self->first, &meta), 0);
    }
    return ask('l', why);
}

static bp_status
read_open(struct bp_storage *self, const struct bp_op *op, const struct bp_read_args *args,
          struct bp_object_meta *meta, struct bp_reader **out, struct bp_error *why)
{
    (void)op;
    (void)meta;
    *out = &reader;
    return ask(strcmp(args->key, self->scratch) == 0 ? 's' : 'r', why);
}

static void
read_close(struct bp_reader *self)
{
    ck_assert_ptr_eq(self, &reader);
    (void)ask('c', NULL);
}

static bp_status
write_open(struct bp_storage *self, const struct bp_op *op, const struct bp_write_args *args,
           struct bp_writer **out, struct bp_error *why)
{
    (void)op;
    ck_assert_uint_ne(args->flags & BP_WRITE_DURABLE, 0);
    writer.exclusive = (args->flags & BP_WRITE_IF_NONE_MATCH) != 0;
    if (writer.exclusive && self->scratch[0] != '\0' && !self->ignores_condition) {
        return bp_fail(why, BP_ERR_EXISTS, "taken");
    }
    (void)snprintf(self->scratch, sizeof(self->scratch), "%s", args->key);
    *out = &writer;
    return ask(writer.exclusive ? 'W' : 'w', why);
}

static bp_status
write_bytes(struct bp_writer *self, const struct bp_op *op, const void *bytes, size_t n,
            struct bp_error *why)
{
    (void)self;
    (void)op;
    (void)bytes;
    ck_assert_uint_gt(n, 0);
    return ask('b', why);
}

static bp_status
write_commit(struct bp_writer *self, const struct bp_op *op, struct bp_object_meta *out,
             struct bp_error *why)
{
    (void)self;
    (void)op;
    (void)out;
    bp_status status = ask('m', why);
    why->flags |= status != BP_OK && store.outcome_unknown ? BP_ERROR_OUTCOME_UNKNOWN : 0;
    return status;
}

/* Not the caller's, and over before a host has lost its patience. */
static void
assert_undo(const struct bp_op *op)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t now_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    ck_assert_ptr_ne(op, &bp_fake.op);
    ck_assert_int_gt(op->deadline_ns, now_ns);
    ck_assert_int_le(op->deadline_ns, now_ns + INT64_C(4000000000));
}

static void
write_abort(struct bp_writer *self, const struct bp_op *op)
{
    (void)self;
    assert_undo(op);
    (void)ask('a', NULL);
}

static bp_status
remove_key(struct bp_storage *self, const struct bp_op *op, const char *key, const char *if_match,
           struct bp_error *why)
{
    ck_assert_str_eq(key, self->scratch);
    ck_assert_ptr_null(if_match);
    if (op == &bp_fake.op) {
        bp_status status = ask('d', why);
        return self->is_over ? bp_fail(why, BP_ERR_CANCELLED, "cancelled") : status;
    }
    assert_undo(op);
    return ask('D', why);
}

static const struct bp_storage_ops ops = {
    .struct_size = sizeof(ops),
    .list = list,
    .read_open = read_open,
    .read_close = read_close,
    .write_open = write_open,
    .write = write_bytes,
    .write_commit = write_commit,
    .write_abort = write_abort,
    .remove = remove_key,
};

static bp_status
probe(uint32_t need, const char *prefix)
{
    const struct bp_probe_args args = {.struct_size = sizeof(args), .need = need, .prefix = prefix};
    const struct bp_probe_params params = {
        .storage = &store, .ops = &ops, .where = "the store of bucket b", .advice = "set x"};
    return bp_probe_rights(&params, &bp_fake.op, &args, &error);
}

#define ASSERT_PROBED(need, prefix, letters)              \
    do {                                                  \
        ck_assert_int_eq(probe((need), (prefix)), BP_OK); \
        ck_assert_str_eq(store.asked, (letters));         \
    } while (0)
#define ASSERT_FAILED(call, wanted, text)                                           \
    do {                                                                            \
        bp_status status_ = (call);                                                 \
        ck_assert_msg(status_ == (wanted) && strstr(error.message, (text)) != NULL, \
                      "class %d: %s", status_, error.message);                      \
    } while (0)

START_TEST(test_probe_rights__nothing_but_what_is_needed)
{
    ASSERT_PROBED(BP_NEED_SERVER_READ, "", "");
    ASSERT_PROBED(BP_NEED_LIST, "", "l");
}
END_TEST

START_TEST(test_probe_rights__reads_what_is_there)
{
    store.first = "a/b";
    ASSERT_PROBED(BP_NEED_READ, "a/", "lrc");
}
END_TEST

START_TEST(test_probe_rights__writes_below_the_prefix)
{
    ASSERT_PROBED(BP_NEED_WRITE, "a/b/c", "wbmd");
    ck_assert_int_eq(strncmp(store.scratch, "a/b/.bakplane-probe-", 20), 0);
}
END_TEST

START_TEST(test_probe_rights__everything)
{
    ASSERT_PROBED(BP_NEED_LIST | BP_NEED_READ | BP_NEED_WRITE | BP_NEED_EXCLUSIVE, "", "lWbmscd");
}
END_TEST

START_TEST(test_probe_rights__condition_that_is_ignored)
{
    store.ignores_condition = 1;
    ASSERT_FAILED(probe(BP_NEED_EXCLUSIVE, ""), BP_ERR_UNSUPPORTED,
                  "the store of bucket b does not keep exclusive creation: a second one was "
                  "accepted; set x");
    ck_assert_str_eq(store.asked, "WbmWbmd");
}
END_TEST

START_TEST(test_probe_rights__cleans_up)
{
    store.fails_at = 's';
    ASSERT_FAILED(probe(BP_NEED_READ | BP_NEED_WRITE, ""), BP_ERR_DENIED, "no s");
    ck_assert_str_eq(store.asked, "lwbmsd");
}
END_TEST

START_TEST(test_probe_rights__cleans_up_after_a_cancel)
{
    store.is_over = 1;
    ASSERT_PROBED(BP_NEED_WRITE, "", "wbmdD");
}
END_TEST

START_TEST(test_probe_rights__write_that_fails)
{
    store.fails_at = 'b';
    ASSERT_FAILED(probe(BP_NEED_WRITE, ""), BP_ERR_DENIED, "no b");
    ck_assert_str_eq(store.asked, "wba");
}
END_TEST

START_TEST(test_probe_rights__write_that_may_have_taken_effect)
{
    store.fails_at = 'm';
    store.outcome_unknown = 1;
    ASSERT_FAILED(probe(BP_NEED_WRITE, ""), BP_ERR_DENIED, "no m");
    ck_assert_str_eq(store.asked, "wbmd");
}
END_TEST

START_TEST(test_probe_rights__no_right_to_remove)
{
    store.fails_at = 'd';
    ASSERT_FAILED(probe(BP_NEED_WRITE, ""), BP_ERR_DENIED, "no d");
}
END_TEST

START_TEST(test_probe_rights__bad_arguments)
{
    ASSERT_FAILED(probe(1u << 30, ""), BP_ERR_INVALID, "unknown flags 0x40000000");
    ASSERT_FAILED(probe(BP_NEED_LIST, "/a"), BP_ERR_INVALID, "prefix \"/a\":");
    ck_assert_str_eq(store.asked, "");
}
END_TEST

BP_TEST_MAIN("sdk/lib/probe", setup, NULL, test_probe_rights__nothing_but_what_is_needed,
             test_probe_rights__reads_what_is_there, test_probe_rights__writes_below_the_prefix,
             test_probe_rights__everything, test_probe_rights__condition_that_is_ignored,
             test_probe_rights__cleans_up, test_probe_rights__cleans_up_after_a_cancel,
             test_probe_rights__write_that_fails,
             test_probe_rights__write_that_may_have_taken_effect,
             test_probe_rights__no_right_to_remove, test_probe_rights__bad_arguments)
