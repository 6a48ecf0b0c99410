/* SPDX-License-Identifier: Apache-2.0
 *
 * core/plugin/frame: injected faults around calls, and the call for undoing.
 */
#include "core/plugin/frame.h"

#include "core/base/clock.h"
#include "core/plugin/store.h"
#include "tests/harness/suite.h"
#include "tests/harness/test_ops.h"

#if BP_FAULTS

static bp_store *store;

static void
setup(void)
{
    test_ops_reset();
    test_ops_seed("s", "k", "hello");
    store = test_ops_open("backups", "s");
}

static void
teardown(void)
{
    ck_assert(bp_fault_load("", NULL));
    bp_store_free(store);
    ck_assert_uint_eq(test_ops_open_handles(), 0);
}

static void
faults(const char *rules)
{
    g_autoptr(GError) error = NULL;
    ASSERT_FINE(bp_fault_load(rules, &error), error);
}

static bool
put(GError **error)
{
    bp_store_put_params params = {.key = "new", .bytes = "abc", .n = 3};
    return bp_store_put(store, NULL, &params, error);
}

START_TEST(test_fault__before_the_call)
{
    g_autoptr(GError) error = NULL;
    faults("storage.write:backups:nth=2:class=throttled;storage.write:other:class=auth");
    ASSERT_FINE(put(&error), error);
    ck_assert(!put(&error));
    ASSERT_ERROR(error, BP_ERR_THROTTLED,
                 "storage backups: injected fault at storage.write of backups");
    ck_assert_uint_eq(test_ops_calls("write"), 1);
    ck_assert_uint_eq(test_ops_calls("write_abort"), 1);
    ASSERT_FINE(put(&error), error);
}
END_TEST

START_TEST(test_fault__after_the_call)
{
    g_autoptr(GError) error = NULL;
    faults("storage.write_commit::after:class=retryable");
    ck_assert(!put(&error));
    ck_assert(bp_error_outcome_unknown(error));
    ASSERT_ERROR(error, BP_ERR_RETRYABLE, "injected fault at storage.write_commit");
    ck_assert_uint_eq(test_ops_count("s"), 2); /* it happened all the same */
}
END_TEST

START_TEST(test_fault__after_open_closes_again)
{
    g_autoptr(GError) error = NULL;
    faults("storage.*_open::after:class=retryable");
    bp_store_read_params params = {.key = "k"};
    ck_assert_ptr_null(bp_store_read_open(store, NULL, &params, NULL, &error));
    ASSERT_ERROR(error, BP_ERR_RETRYABLE, "injected fault at storage.read_open");
    ck_assert(!put(&error));
    ASSERT_ERROR(error, BP_ERR_RETRYABLE, "injected fault at storage.write_open");
}
END_TEST

START_TEST(test_fault__short_and_corrupt_reads)
{
    g_autoptr(GError) error = NULL;
    char buffer[8] = "";
    gsize n = 9;
    faults("storage.read::corrupt:nth=1;storage.read::short:nth=2");
    bp_store_read_params params = {.key = "k"};
    bp_store_reader *reader = bp_store_read_open(store, NULL, &params, NULL, &error);
    ASSERT_FINE(bp_store_read(reader, NULL, buffer, 2, &n, &error), error);
    ck_assert_uint_eq(n, 2);
    ck_assert_mem_eq(buffer, "ie", 2); /* 'h' ^ 1 */
    ASSERT_FINE(bp_store_read(reader, NULL, buffer, 2, &n, &error), error);
    ck_assert_uint_eq(n, 0); /* the end, as far as anybody can see */
    bp_store_read_close(reader);
}
END_TEST

START_TEST(test_fault__corrupt_and_short_writes)
{
    g_autoptr(GError) error = NULL;
    faults("storage.write::corrupt");
    ASSERT_FINE(put(&error), error);
    g_autoptr(GBytes) bytes = bp_store_get(store, NULL, "new", 10, &error);
    ck_assert_str_eq(g_bytes_get_data(bytes, NULL), "`bc"); /* 'a' ^ 1 */
    faults("storage.write::short");
    ck_assert(!put(&error));
    ASSERT_ERROR(error, BP_ERR_PERMANENT, "new has 2 bytes, written were 3");
}
END_TEST

START_TEST(test_call_undo__is_not_cancelled)
{
    g_autoptr(bp_cancel) cancel = bp_cancel_new();
    bp_cancel_trigger(cancel, 0);
    bp_call call = {.cancel = cancel, .deadline_ns = 1};
    bp_call undo = bp_call_undo(&call);
    gint64 now = bp_clock_mono_ns();
    ck_assert_ptr_null(undo.cancel);
    ck_assert_int_gt(undo.deadline_ns, now + 20 * BP_NS_PER_S);
    ck_assert_int_le(undo.deadline_ns, now + 30 * BP_NS_PER_S);
}
END_TEST

START_TEST(test_call_undo__has_a_grace_after_a_signal)
{
    g_autoptr(bp_cancel) cancel = bp_cancel_new();
    g_autoptr(bp_cancel) child = bp_cancel_new_child(cancel);
    bp_cancel_set_grace(cancel, 1);
    bp_call call = {.cancel = child};
    bp_call undo = bp_call_undo(&call);
    ck_assert(!bp_cancel_is_set(undo.cancel));
    bp_cancel_trigger(cancel, 2);
    ck_assert(!bp_cancel_sleep_ns(undo.cancel, 3600 * BP_NS_PER_S));
    ck_assert_ptr_eq(bp_call_undo(&undo).cancel, undo.cancel);
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/plugin/frame", setup, teardown, test_fault__before_the_call,
                     test_fault__after_the_call, test_fault__after_open_closes_again,
                     test_fault__short_and_corrupt_reads, test_fault__corrupt_and_short_writes,
                     test_call_undo__is_not_cancelled, test_call_undo__has_a_grace_after_a_signal);
}

#else

START_TEST(test_fault__compiled_out)
{
    ck_assert(bp_fault_point("any", NULL));
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/plugin/frame", NULL, NULL, test_fault__compiled_out);
}

#endif
