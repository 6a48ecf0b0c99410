/* SPDX-License-Identifier: Apache-2.0
 *
 * Credentials that are refused: a storage is opened anew once per generation of them, what is
 * open stays as it is, and nothing is tried for ever.
 */
#include "core/base/fault.h"
#include "core/base/thread.h"
#include "core/plugin/module.h"
#include "core/plugin/store.h"
#include "sdk/lib/errors.h"
#include "tests/harness/suite.h"
#include "tests/harness/test_ops.h"

#define THREADS 8

static bp_store *store;
static struct bp_storage_ops honest;
static GError *error;

static void
setup(void)
{
    test_ops_reset();
    test_ops_seed("s", "k", "hello world");
    store = test_ops_open("data", "s");
    honest = test_ops_module()->storage;
    error = NULL;
}

static void
teardown(void)
{
    bp_store_free(store);
    test_ops_module()->storage = honest;
    ck_assert_uint_eq(test_ops_calls("open"), test_ops_calls("close"));
    ck_assert_uint_eq(test_ops_open_handles(), 0);
}

static bool
stat_k(GError **failed)
{
    struct bp_object_meta meta;
    return bp_store_stat(store, NULL, "k", &meta, failed);
}

START_TEST(test_refused__opened_anew_and_done_again)
{
    test_ops_expire();
    ASSERT_FINE(stat_k(&error), error);
    ck_assert_uint_eq(test_ops_calls("open"), 2);
    ck_assert_uint_eq(test_ops_calls("stat"), 2);
}
END_TEST

/* What an attempt that is refused leaves behind is not what the next one tells. */
static void
expect_blank(const struct bp_object_meta *out)
{
    ck_assert_uint_eq(out->struct_size, sizeof *out);
    ck_assert_uint_eq(out->size, BP_UNKNOWN);
    ck_assert_str_eq(out->etag, "");
}

static bp_status
leave_behind(bp_status status, struct bp_object_meta *out)
{
    if (status != BP_OK) {
        out->size = 1;
        g_strlcpy(out->etag, "left", sizeof out->etag);
    }
    return status;
}

static bp_status
littering_stat(struct bp_storage *self, const struct bp_op *op, const char *key,
               struct bp_object_meta *out, struct bp_error *failed)
{
    expect_blank(out);
    return leave_behind(honest.stat(self, op, key, out, failed), out);
}

static bp_status
littering_read_open(struct bp_storage *self, const struct bp_op *op,
                    const struct bp_read_args *args, struct bp_object_meta *meta,
                    struct bp_reader **out, struct bp_error *failed)
{
    expect_blank(meta);
    return leave_behind(honest.read_open(self, op, args, meta, out, failed), meta);
}

static bp_status
littering_copy(struct bp_storage *self, const struct bp_op *op, const struct bp_copy_args *args,
               struct bp_object_meta *out, struct bp_error *failed)
{
    static guint copies;
    expect_blank(out);
    bp_status status = copies++ == 0 ? bp_fail(failed, BP_ERR_AUTH, "who are you")
                                     : honest.copy(self, op, args, out, failed);
    return leave_behind(status, out);
}

START_TEST(test_refused__results_begin_anew)
{
    struct bp_object_meta meta;
    bp_store_copy_params copy = {.src = store, .src_key = "k", .dst_key = "c", .size = 11};
    struct bp_storage_ops *ops = &test_ops_module()->storage;
    ops->stat = littering_stat;
    ops->read_open = littering_read_open;
    ops->copy = littering_copy;
    test_ops_expire();
    ASSERT_FINE(stat_k(&error), error);
    test_ops_expire();
    g_autoptr(GBytes) bytes = bp_store_get(store, NULL, "k", 100, &error);
    ASSERT_FINE(bytes != NULL, error);
    ASSERT_FINE(bp_store_copy(store, NULL, &copy, &meta, &error), error);
    ck_assert_uint_eq(test_ops_calls("open"), 4);
}
END_TEST

START_TEST(test_refused__each_operation)
{
    bool any = false;
    bp_store_put_params put = {.key = "new", .bytes = "x", .n = 1};
    test_ops_expire();
    ASSERT_FINE(bp_store_has_any(store, NULL, "k", &any, &error), error);
    test_ops_expire();
    g_autoptr(GBytes) bytes = bp_store_get(store, NULL, "k", 100, &error);
    ASSERT_FINE(bytes != NULL, error);
    test_ops_expire();
    ck_assert(!bp_store_put(store, NULL, &put, &error)); /* noticed when it is committed */
    ASSERT_ERROR(error, BP_ERR_RETRYABLE, "has expired (the storage is opened anew)");
    ASSERT_FINE(bp_store_put(store, NULL, &put, &error), error);
    ck_assert_uint_eq(test_ops_calls("open"), 4);
}
END_TEST

START_TEST(test_refused__once_if_it_does_not_help)
{
    test_ops_expire_for_ever();
    for (int i = 0; i < 3; i++) {
        ck_assert(!stat_k(&error));
        ASSERT_ERROR(error, BP_ERR_AUTH, "storage data: the token of instance");
    }
    ck_assert_uint_eq(test_ops_calls("open"), 2);
    ck_assert_uint_eq(test_ops_calls("stat"), 4);
}
END_TEST

START_TEST(test_refused__bytes_that_are_only_kept_prove_nothing)
{
    bp_store_put_params put = {.key = "new", .bytes = "x", .n = 1};
    test_ops_expire_for_ever();
    ck_assert(!bp_store_put(store, NULL, &put, &error));
    ASSERT_ERROR(error, BP_ERR_RETRYABLE, "opened anew");
    ck_assert(!bp_store_put(store, NULL, &put, &error));
    ASSERT_ERROR(error, BP_ERR_AUTH, "has expired");
    ck_assert_uint_eq(test_ops_calls("open"), 2);
}
END_TEST

START_TEST(test_refused__a_success_begins_a_new_generation)
{
    for (guint i = 0; i < 3; i++) {
        test_ops_expire();
        ASSERT_FINE(stat_k(&error), error);
        ck_assert_uint_eq(test_ops_calls("open"), 2 + i);
    }
}
END_TEST

START_TEST(test_refused__other_failures_do_not_begin_one)
{
    struct bp_object_meta meta;
    test_ops_expire();
    ck_assert(!bp_store_stat(store, NULL, "none", &meta, &error)); /* opened anew, and not found */
    ASSERT_ERROR(error, BP_ERR_NOT_FOUND, "none");
    test_ops_expire();
    ck_assert(!stat_k(&error));
    ASSERT_ERROR(error, BP_ERR_AUTH, "has expired");
    ck_assert_uint_eq(test_ops_calls("open"), 2);
}
END_TEST

START_TEST(test_refused__open_readers_stay_valid)
{
    char buffer[32];
    gsize n = 0;
    bp_store_read_params params = {.key = "k"};
    bp_store_reader *reader = bp_store_read_open(store, NULL, &params, NULL, &error);
    ASSERT_FINE(reader != NULL && bp_store_read(reader, NULL, buffer, 5, &n, &error), error);
    test_ops_expire();
    ASSERT_FINE(stat_k(&error), error);
    ck_assert_uint_eq(test_ops_calls("close"), 0);
    ck_assert(!bp_store_read(reader, NULL, buffer, 5, &n, &error)); /* on the old one */
    ASSERT_ERROR(error, BP_ERR_RETRYABLE, "has expired (the storage is opened anew)");
    ck_assert_uint_eq(test_ops_calls("open"), 2); /* others were faster */
    test_ops_expire();
    ASSERT_FINE(stat_k(&error), error); /* the second one is idle, the first one is not */
    ck_assert_uint_eq(test_ops_calls("open"), 3);
    ck_assert_uint_eq(test_ops_calls("close"), 0);
    bp_store_read_close(reader);
    test_ops_expire();
    ASSERT_FINE(stat_k(&error), error);
    ck_assert_uint_eq(test_ops_calls("close"), 2);
}
END_TEST

START_TEST(test_refused__open_writers_stay_valid)
{
    bp_store_write_params params = {.key = "new", .size = 1};
    bp_store_writer *first = bp_store_write_open(store, NULL, &params, &error);
    bp_store_writer *second = bp_store_write_open(store, NULL, &params, &error);
    ASSERT_FINE(first != NULL && second != NULL, error);
    test_ops_expire();
    ASSERT_FINE(stat_k(&error), error);
    ASSERT_FINE(bp_store_write(first, NULL, "x", 1, &error), error);
    ck_assert(!bp_store_write_commit(first, NULL, NULL, &error));
    ASSERT_ERROR(error, BP_ERR_RETRYABLE, "has expired");
    bp_store_write_abort(second);
    ck_assert_uint_eq(test_ops_calls("open"), 2);
}
END_TEST

static void
commit_and_replace(void)
{
    bp_store_put_params put = {.key = "new", .bytes = "x", .n = 1};
    ASSERT_FINE(bp_store_put(store, NULL, &put, &error), error);
    for (int i = 0; i < 2; i++) {
        test_ops_expire();
        ASSERT_FINE(stat_k(&error), error);
    }
    ck_assert_uint_eq(test_ops_calls("open"), 3);
    ck_assert_uint_eq(test_ops_calls("close"), 0); /* else what it keeps to itself were lost */
}

START_TEST(test_sync__reaches_what_was_replaced)
{
    commit_and_replace();
    ASSERT_FINE(bp_store_sync(store, NULL, &error), error);
    ck_assert_uint_eq(test_ops_calls("sync"), 2);
    ASSERT_FINE(bp_store_sync(store, NULL, &error), error);
    ck_assert_uint_eq(test_ops_calls("sync"), 3);
    test_ops_expire();
    ASSERT_FINE(stat_k(&error), error);
    ck_assert_uint_eq(test_ops_calls("close"), 2);
}
END_TEST

START_TEST(test_sync__refused_where_it_was_replaced)
{
    commit_and_replace();
    ck_assert(bp_fault_load("storage.sync:data:class=auth:nth=2", NULL));
    ASSERT_FINE(bp_store_sync(store, NULL, &error), error);
    ck_assert_uint_eq(test_ops_calls("open"), 3);
    ck_assert(bp_fault_load("", NULL));
    ASSERT_FINE(bp_store_sync(store, NULL, &error), error);
    ck_assert_uint_eq(test_ops_calls("sync"), 2);
}
END_TEST

START_TEST(test_sync__fails_where_it_was_replaced)
{
    commit_and_replace();
    ck_assert(bp_fault_load("storage.sync:data:class=no-space:nth=2", NULL));
    ck_assert(!bp_store_sync(store, NULL, &error));
    ASSERT_ERROR(error, BP_ERR_NO_SPACE, "storage data: ");
    ck_assert(bp_fault_load("", NULL));
    ASSERT_FINE(bp_store_sync(store, NULL, &error), error);
    ck_assert_uint_eq(test_ops_calls("sync"), 3);
}
END_TEST

static void *
stat_often(void *ctx)
{
    guint *failures = ctx;
    for (int i = 0; i < 50; i++) {
        *failures += stat_k(NULL) ? 0 : 1;
    }
    return NULL;
}

START_TEST(test_refused__many_at_once)
{
    pthread_t threads[THREADS];
    guint failures[THREADS] = {0};
    test_ops_expire();
    for (guint i = 0; i < THREADS; i++) {
        bp_thread_start(&threads[i], stat_often, &failures[i]);
    }
    for (guint i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_uint_eq(failures[i], 0);
    }
    ck_assert_uint_eq(test_ops_calls("open"), 2);
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/plugin/store_use", setup, teardown,
                     test_refused__opened_anew_and_done_again, test_refused__results_begin_anew,
                     test_refused__each_operation, test_refused__once_if_it_does_not_help,
                     test_refused__bytes_that_are_only_kept_prove_nothing,
                     test_refused__a_success_begins_a_new_generation,
                     test_refused__other_failures_do_not_begin_one,
                     test_refused__open_readers_stay_valid, test_refused__open_writers_stay_valid,
                     test_refused__many_at_once, test_sync__reaches_what_was_replaced,
                     test_sync__refused_where_it_was_replaced,
                     test_sync__fails_where_it_was_replaced);
}
