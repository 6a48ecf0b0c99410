/* SPDX-License-Identifier: Apache-2.0
 *
 * core/plugin/store_write: writers, small objects, the proof that two instances are one place.
 */
#include "core/plugin/store.h"

#include "core/base/clock.h"
#include "core/plugin/host.h"
#include "core/plugin/store_internal.h"
#include "tests/harness/suite.h"
#include "tests/harness/test_ops.h"

static bp_store *store;

static void
setup(void)
{
    test_ops_reset();
    store = test_ops_open("data", "s");
}

static void
teardown(void)
{
    bp_store_free(store);
    ck_assert_uint_eq(test_ops_open_handles(), 0);
}

static bp_store_writer *
open_writer(guint64 size)
{
    g_autoptr(GError) error = NULL;
    bp_store_write_params params = {.key = "k", .size = size};
    bp_store_writer *writer = bp_store_write_open(store, NULL, &params, &error);
    ASSERT_FINE(writer != NULL, error);
    return writer;
}

START_TEST(test_write__visible_at_commit)
{
    g_autoptr(GError) error = NULL;
    struct bp_object_meta meta;
    bp_store_writer *writer = open_writer(BP_UNKNOWN);
    ASSERT_FINE(bp_store_write(writer, NULL, "abc", 3, &error), error);
    ASSERT_FINE(bp_store_write(writer, NULL, "de", 2, &error), error);
    ck_assert_uint_eq(test_ops_count("s"), 0);
    ASSERT_FINE(bp_store_write_commit(writer, NULL, &meta, &error), error);
    ck_assert_uint_eq(meta.size, 5);
    ck_assert_uint_eq(test_ops_count("s"), 1);
}
END_TEST

/* Else whoever was told no version would replace any. */
START_TEST(test_write_open__of_no_version)
{
    g_autoptr(GError) error = NULL;
    bp_store_write_params params = {.key = "k", .size = 1, .if_match = ""};
    bp_store_complete_params all = {.write = &params, .upload = "u"};
    ck_assert_ptr_null(bp_store_write_open(store, NULL, &params, &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "write_open of k: it is not known of which version");
    ck_assert_ptr_null(bp_store_part_begin(store, NULL, &params, &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "part_begin of k: it is not known of which version");
    ck_assert(!bp_store_part_complete(store, NULL, &all, NULL, &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "part_complete of k: it is not known of which version");
    ck_assert(!bp_store_remove(store, NULL, "k", "", &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "remove of k: it is not known of which version");
}
END_TEST

START_TEST(test_write__abort_leaves_nothing)
{
    bp_store_writer *writer = open_writer(3);
    bp_store_write_abort(writer);
    bp_store_write_abort(NULL);
    ck_assert_uint_eq(test_ops_calls("write_abort"), 1);
    ck_assert_uint_eq(test_ops_count("s"), 0);
}
END_TEST

static const struct bp_storage_ops *honest;
static bool abort_was_cancelled;

static void
noting_abort(struct bp_writer *writer, const struct bp_op *op)
{
    abort_was_cancelled = bp_host_table()->cancelled(op) != 0;
    honest->write_abort(writer, op);
}

/* Aborts a writer of a call that was cancelled; the abort has this much time after a signal. */
static bool
abort_is_cancelled(gint64 grace_ns)
{
    g_autoptr(bp_cancel) cancel = bp_cancel_new();
    bp_cancel_set_grace(cancel, grace_ns);
    honest = store->ops;
    struct bp_storage_ops ops = *honest;
    ops.write_abort = noting_abort;
    store->ops = &ops;
    bp_store_write_params params = {.key = "k", .size = 3};
    bp_store_writer *writer =
        bp_store_write_open(store, &(bp_call){.cancel = cancel}, &params, NULL);
    bp_cancel_trigger(cancel, 2);
    if (grace_ns == 1) {
        (void)bp_cancel_sleep_ns(bp_cancel_grace(cancel), 3600 * BP_NS_PER_S);
    }
    bp_store_write_abort(writer);
    store->ops = honest;
    return abort_was_cancelled;
}

START_TEST(test_write__abort_after_a_signal_has_its_time)
{
    ck_assert(!abort_is_cancelled(3600 * BP_NS_PER_S));
    ck_assert(abort_is_cancelled(1));
}
END_TEST

START_TEST(test_write__other_size_than_promised)
{
    g_autoptr(GError) error = NULL;
    bp_store_writer *writer = open_writer(3);
    ck_assert(!bp_store_write(writer, NULL, "abcd", 4, &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "storage data: k was to get 3 bytes, not 4");
    ASSERT_FINE(bp_store_write(writer, NULL, "ab", 2, &error), error);
    ck_assert(!bp_store_write_commit(writer, NULL, NULL, &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "storage data: k was to get 3 bytes, not 2");
    ck_assert_uint_eq(test_ops_calls("write_abort"), 1);
    ck_assert_uint_eq(test_ops_count("s"), 0);
}
END_TEST

START_TEST(test_commit__plugin_stored_another_size)
{
    g_autoptr(GError) error = NULL;
    bp_store_writer *writer = open_writer(BP_UNKNOWN);
    ASSERT_FINE(bp_store_write(writer, NULL, "abc", 3, &error), error);
    test_ops_set_lie(TEST_LIE_COMMIT_SIZE);
    ck_assert(!bp_store_write_commit(writer, NULL, NULL, &error));
    ASSERT_ERROR(error, BP_ERR_PERMANENT,
                 "plugin bug: memory write_commit: k has 4 bytes, written were 3");
}
END_TEST

START_TEST(test_commit__cancelled_is_aborted)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(bp_cancel) cancel = bp_cancel_new();
    bp_call call = {.cancel = cancel};
    bp_store_writer *writer = open_writer(0);
    bp_cancel_trigger(cancel, 0);
    ck_assert(!bp_store_write_commit(writer, &call, NULL, &error));
    ASSERT_ERROR(error, BP_ERR_CANCELLED, "storage data: cancelled");
    ck_assert_uint_eq(test_ops_calls("write_abort"), 1);
}
END_TEST

START_TEST(test_write_open__no_handle_or_capability)
{
    g_autoptr(GError) error = NULL;
    bp_store_write_params params = {.key = "k", .size = 1, .flags = BP_WRITE_IF_NONE_MATCH};
    test_ops_set_lie(TEST_LIE_NO_HANDLE);
    ck_assert_ptr_null(bp_store_write_open(store, NULL, &params, &error));
    ASSERT_ERROR(error, BP_ERR_PERMANENT, "plugin bug: memory write_open: answered no writer");
    test_ops_set_lie(TEST_LIE_NONE);
    test_ops_set_caps(BP_STORE_RANGE_READ);
    g_autoptr(bp_store) poor = test_ops_open("poor", "s");
    ck_assert_ptr_null(bp_store_write_open(poor, NULL, &params, &error));
    ASSERT_ERROR(error, BP_ERR_UNSUPPORTED, "storage poor (memory) has no exclusive creation");
    params.flags = 0;
    params.size = BP_UNKNOWN;
    ck_assert_ptr_null(bp_store_write_open(poor, NULL, &params, &error));
    ASSERT_ERROR(error, BP_ERR_UNSUPPORTED, "writing of unknown length");
}
END_TEST

START_TEST(test_write_open__larger_than_one_piece_may_be)
{
    g_autoptr(GError) error = NULL;
    store->info.max_object = 10;
    bp_store_write_params params = {.key = "k", .size = 11};
    ck_assert_ptr_null(bp_store_write_open(store, NULL, &params, &error));
    ASSERT_ERROR(error, BP_ERR_UNSUPPORTED, "object k has 11 bytes, and storage");
    params.size = 10;
    bp_store_writer *writer = bp_store_write_open(store, NULL, &params, &error);
    ASSERT_FINE(writer != NULL, error);
    bp_store_write_abort(writer);
}
END_TEST

/* Before the first byte, whatever the plugin would do with it later. */
START_TEST(test_write_open__key_that_the_storage_cannot_name)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *part = g_strnfill(255, 'n');
    g_autofree char *fits = g_strconcat(part, "/", part, NULL);
    g_autofree char *key = g_strconcat("a/", part, "n/b", NULL);
    bp_store_put_params params = {.key = fits};
    ASSERT_FINE(bp_store_put(store, NULL, &params, &error), error);
    params.key = key;
    ck_assert(!bp_store_put(store, NULL, &params, &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "storage data: it has no room for 256 bytes between two");
    ck_assert_uint_eq(test_ops_calls("write_open"), 1);
}
END_TEST

START_TEST(test_put__exclusive_has_one_winner)
{
    g_autoptr(GError) error = NULL;
    bp_store_put_params params = {
        .key = "k", .bytes = "one", .n = 3, .flags = BP_WRITE_IF_NONE_MATCH};
    ASSERT_FINE(bp_store_put(store, NULL, &params, &error), error);
    params.bytes = "two";
    ck_assert(!bp_store_put(store, NULL, &params, &error));
    ASSERT_ERROR(error, BP_ERR_EXISTS, "storage data: k exists");
    g_autoptr(GBytes) bytes = bp_store_get(store, NULL, "k", 10, &error);
    ck_assert_str_eq(g_bytes_get_data(bytes, NULL), "one");
}
END_TEST

START_TEST(test_prove_same__by_a_scratch_object)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(bp_store) twin = test_ops_open("twin", "s");
    g_autoptr(bp_store) other = test_ops_open("other", "t");
    bool same = false;
    ASSERT_FINE(bp_store_prove_same(store, twin, NULL, &same, &error), error);
    ck_assert(same);
    ck_assert_uint_eq(test_ops_count("s"), 0); /* the scratch object is gone */
    ASSERT_FINE(bp_store_prove_same(store, other, NULL, &same, &error), error);
    ck_assert(!same);
    ck_assert_uint_eq(test_ops_calls("write_commit"), 1); /* identities differ: not tried */
}
END_TEST

START_TEST(test_prove_shared__even_under_another_identity)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(bp_store) twin = test_ops_open("twin", "s");
    g_autoptr(bp_store) other = test_ops_open("other", "t");
    twin->info.identity[0] = '!'; /* as localhost and 127.0.0.1 differ */
    bool shared = false;
    ASSERT_FINE(bp_store_prove_shared(store, twin, NULL, &shared, &error), error);
    ck_assert(shared);
    ASSERT_FINE(bp_store_prove_shared(store, other, NULL, &shared, &error), error);
    ck_assert(!shared);
    ASSERT_FINE(bp_store_prove_shared(store, store, NULL, &shared, &error), error);
    ck_assert(shared);
    ck_assert_uint_eq(test_ops_calls("write_commit"), 2);
    ck_assert_uint_eq(test_ops_count("s"), 0);
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/plugin/store_write", setup, teardown, test_write__visible_at_commit,
                     test_write_open__of_no_version, test_write__abort_leaves_nothing,
                     test_write__other_size_than_promised, test_commit__plugin_stored_another_size,
                     test_commit__cancelled_is_aborted, test_write_open__no_handle_or_capability,
                     test_write_open__larger_than_one_piece_may_be,
                     test_write__abort_after_a_signal_has_its_time,
                     test_write_open__key_that_the_storage_cannot_name,
                     test_put__exclusive_has_one_winner, test_prove_same__by_a_scratch_object,
                     test_prove_shared__even_under_another_identity);
}
