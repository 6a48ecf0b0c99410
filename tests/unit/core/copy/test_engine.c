/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine as a whole: order of barrier and proof, groups, errors, cancel, bounded memory.
 */
#include <malloc.h>
#include <stdatomic.h>

#include "core/base/thread.h"
#include "core/copy/copy.h"
#include "engine_fixture.h"

#include "sdk/lib/checksum.h"

#include "sdk/lib/ban.h"

START_TEST(test_copy__all_are_proven_after_flush)
{
    fill_source();
    g_autoptr(bp_copy) copy = bp_copy_new(&params);
    bp_copy_group *group = bp_copy_group_new(copy);
    submit_all(copy, group);
    ck_assert(bp_copy_flush(copy, NULL));
    ck_assert_uint_eq(n_proven, N);
    ck_assert_uint_eq(sum_of_tags, N * (N - 1) / 2);
    ck_assert_uint_eq(fake_store_n_objects(test_dst), N);
    ck_assert(fake_store_has_text(test_dst, "k/7", "k/7"));
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_SYNC), 1);
    bp_copy_group_free(group);
}
END_TEST

START_TEST(test_copy__flush_of_nothing)
{
    g_autoptr(bp_copy) copy = bp_copy_new(&params);
    ck_assert(bp_copy_flush(copy, NULL));
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_SYNC), 0);
}
END_TEST

START_TEST(test_copy__nothing_is_proven_without_a_barrier)
{
    fill_source();
    g_autoptr(bp_copy) copy = bp_copy_new(&params);
    g_autoptr(bp_copy_group) group = bp_copy_group_new(copy);
    submit_all(copy, group);
    guint64 stale;
    ck_assert(bp_copy_group_wait(copy, group, &stale, NULL));
    ck_assert_uint_eq(fake_store_n_staged(test_dst), N);
    bp_copy_free(g_steal_pointer(&copy));
    ck_assert_uint_eq(n_proven, 0);
}
END_TEST

START_TEST(test_copy__barrier_by_number)
{
    fill_source();
    params.batch_items = 5;
    params.min_batch_ns = 1;
    g_autoptr(bp_copy) copy = bp_copy_new(&params);
    g_autoptr(bp_copy_group) group = bp_copy_group_new(copy);
    submit_all(copy, group);
    ck_assert(bp_copy_flush(copy, NULL));
    ck_assert_uint_eq(n_proven, N);
    ck_assert_uint_le(n_batches, N / 5);
}
END_TEST

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void
wait_at_gate(void *ctx G_GNUC_UNUSED, const char *key G_GNUC_UNUSED)
{
    BP_LOCK_GUARD(&gate);
}

START_TEST(test_copy__workers_go_on_during_a_barrier)
{
    fill_source();
    params.batch_items = 10;
    params.min_batch_ns = 1;
    fake_store_add_fault(test_dst,
                         &(fake_fault){.op = FAKE_SYNC, .times = 1, .hook = wait_at_gate});
    g_autoptr(bp_copy) copy = bp_copy_new(&params);
    g_autoptr(bp_copy_group) group = bp_copy_group_new(copy);
    pthread_mutex_lock(&gate); /* the first barrier hangs */
    submit_all(copy, group);
    guint64 stale;
    ck_assert(bp_copy_group_wait(copy, group, &stale, NULL));
    ck_assert_uint_eq(n_proven, 0);
    pthread_mutex_unlock(&gate);
    ck_assert(bp_copy_flush(copy, NULL));
    ck_assert_uint_eq(n_proven, N);
}
END_TEST

START_TEST(test_copy__too_much_unproven_holds_the_workers)
{
    fill_source();
    params.batch_items = 1;
    fake_store_add_fault(test_dst,
                         &(fake_fault){.op = FAKE_SYNC, .times = 1, .hook = wait_at_gate});
    g_autoptr(bp_copy) copy = bp_copy_new(&params);
    g_autoptr(bp_copy_group) group = bp_copy_group_new(copy);
    pthread_mutex_lock(&gate);
    submit_all(copy, group);
    while (fake_store_calls(test_dst, FAKE_COMMIT) < 10) {
        sched_yield();
    }
    pthread_mutex_unlock(&gate);
    ck_assert(bp_copy_flush(copy, NULL));
    ck_assert_uint_eq(n_proven, N);
}
END_TEST

START_TEST(test_copy__items_that_are_there_already)
{
    fake_store_set_text(test_dst, "x", "twelve bytes");
    g_autoptr(bp_copy) copy = bp_copy_new(&params);
    g_autoptr(bp_copy_group) group = bp_copy_group_new(copy);
    bp_copy_item item = {
        .src = test_src, .src_key = "x", .dst_key = "x", .size = 12, .tag = 3, .already = true};
    ck_assert(bp_copy_submit(copy, group, &item, NULL));
    ck_assert(bp_copy_flush(copy, NULL));
    ck_assert_uint_eq(n_proven, 1);
    ck_assert_uint_eq(sum_of_tags, 3);
    ck_assert_uint_eq(fake_store_calls(test_src, FAKE_READ_OPEN), 0);
    bp_progress progress;
    bp_copy_progress(copy, &progress);
    ck_assert_uint_eq(progress.items_done, 1);
    ck_assert_uint_eq(progress.bytes_total, 12);
}
END_TEST

START_TEST(test_copy__proven_items_that_are_lost_are_copied_again)
{
    fake_store_set_text(test_src, "x", "twelve bytes");
    fake_store_set_text(test_src, "y", "twelve bytes");
    fake_store_set_text(test_dst, "y", "cut");
    g_autoptr(bp_copy) copy = bp_copy_new(&params);
    g_autoptr(bp_copy_group) group = bp_copy_group_new(copy);
    for (const char *const *key = (const char *const[]){"x", "y", NULL}; *key != NULL; key++) {
        bp_copy_item item = {
            .src = test_src, .src_key = *key, .dst_key = *key, .size = 12, .already = true};
        ck_assert(bp_copy_submit(copy, group, &item, NULL));
    }
    ck_assert(bp_copy_flush(copy, NULL));
    ck_assert_uint_eq(n_proven, 2);
    ck_assert(fake_store_has_text(test_dst, "x", "twelve bytes"));
    ck_assert(fake_store_has_text(test_dst, "y", "twelve bytes"));
    bp_progress progress;
    bp_copy_progress(copy, &progress);
    ck_assert_uint_eq(progress.items_total, 2);
    ck_assert_uint_eq(progress.items_done, 2);
    ck_assert_uint_eq(progress.bytes_done, 24);
}
END_TEST

START_TEST(test_copy__progress)
{
    fill_source();
    g_autoptr(bp_copy) copy = bp_copy_new(&params);
    g_autoptr(bp_copy_group) group = bp_copy_group_new(copy);
    submit_all(copy, group);
    ck_assert(bp_copy_flush(copy, NULL));
    bp_progress progress;
    bp_copy_progress(copy, &progress);
    ck_assert_str_eq(progress.phase, "copy");
    ck_assert_uint_eq(progress.items_done, N);
    ck_assert_uint_eq(progress.items_total, N);
    ck_assert_uint_eq(progress.bytes_done, 10 * 3 + 40 * 4);
    ck_assert_uint_eq(progress.bytes_total, 10 * 3 + 40 * 4);
    ck_assert_int_gt(progress.elapsed_ns, 0);
}
END_TEST

START_TEST(test_copy__stale_items_are_counted_by_group)
{
    fill_source();
    g_autoptr(bp_copy) copy = bp_copy_new(&params);
    g_autoptr(bp_copy_group) group = bp_copy_group_new(copy);
    g_autoptr(bp_copy_group) other = bp_copy_group_new(copy);
    ck_assert(submit(copy, group, 1, NULL));
    ck_assert(submit(copy, group, N + 1, NULL));
    ck_assert(submit(copy, group, N + 2, NULL));
    ck_assert(submit(copy, other, 2, NULL));
    guint64 stale;
    ck_assert(bp_copy_group_wait(copy, group, &stale, NULL));
    ck_assert_uint_eq(stale, 2);
    ck_assert(bp_copy_group_wait(copy, other, &stale, NULL));
    ck_assert_uint_eq(stale, 0);
    ck_assert(submit(copy, group, 3, NULL)); /* again */
    ck_assert(bp_copy_group_wait(copy, group, &stale, NULL));
    ck_assert_uint_eq(stale, 0);
    ck_assert(bp_copy_flush(copy, NULL));
    ck_assert_uint_eq(n_proven, 3);
    bp_progress progress;
    bp_copy_progress(copy, &progress);
    ck_assert_uint_eq(progress.items_total, 3);
}
END_TEST

START_TEST(test_copy__first_error_stops_all)
{
    fill_source();
    fake_store_add_fault(test_dst,
                         &(fake_fault){.op = FAKE_WRITE_OPEN, .key = "k/3", .cls = BP_ERR_DENIED});
    g_autoptr(bp_copy) copy = bp_copy_new(&params);
    g_autoptr(bp_copy_group) group = bp_copy_group_new(copy);
    GError *error = NULL;
    ck_assert(submit(copy, group, 3, NULL));
    guint64 stale;
    ck_assert(!bp_copy_group_wait(copy, group, &stale, &error));
    test_error_is(&error, BP_ERR_DENIED, "copy of k/3: fake dst: write_open k/3");
    guint32 tag = 0;
    ck_assert(bp_copy_failed_item(copy, &tag));
    ck_assert_uint_eq(tag, 3);
    ck_assert(!submit(copy, group, 4, &error));
    test_error_is(&error, BP_ERR_DENIED, "copy of k/3");
    ck_assert(!bp_copy_flush(copy, &error));
    test_error_is(&error, BP_ERR_DENIED, "copy of k/3");
    ck_assert_uint_eq(n_proven, 0);
}
END_TEST

START_TEST(test_copy__group_may_go_before_its_items)
{
    fill_source();
    fake_store_add_fault(test_dst,
                         &(fake_fault){.op = FAKE_WRITE_OPEN, .key = "k/0", .cls = BP_ERR_DENIED});
    fake_store_add_fault(test_src,
                         &(fake_fault){.op = FAKE_READ, .hook = wait_at_gate, .key = "k/1"});
    bp_copy *copy = bp_copy_new(&params);
    bp_copy_group *group = bp_copy_group_new(copy);
    pthread_mutex_lock(&gate);
    ck_assert(submit(copy, group, 1, NULL));
    while (fake_store_calls(test_src, FAKE_READ) == 0) {
        sched_yield();
    }
    ck_assert(submit(copy, group, 0, NULL));
    guint64 stale;
    ck_assert(!bp_copy_group_wait(copy, group, &stale, NULL));
    bp_copy_group_free(group);
    pthread_mutex_unlock(&gate);
    bp_copy_free(copy);
}
END_TEST

START_TEST(test_copy__failed_barrier)
{
    fill_source();
    fake_store_add_fault(test_dst, &(fake_fault){.op = FAKE_SYNC, .cls = BP_ERR_NO_SPACE});
    g_autoptr(bp_copy) copy = bp_copy_new(&params);
    g_autoptr(bp_copy_group) group = bp_copy_group_new(copy);
    submit_all(copy, group);
    GError *error = NULL;
    ck_assert(!bp_copy_flush(copy, &error));
    test_error_is(&error, BP_ERR_NO_SPACE, "making 50 copies durable: fake dst: sync");
    guint32 tag;
    ck_assert(!bp_copy_failed_item(copy, &tag));
    ck_assert_uint_eq(n_proven, 0);
}
END_TEST

START_TEST(test_copy__refused_proof)
{
    fill_source();
    refuse_proof = true;
    g_autoptr(bp_copy) copy = bp_copy_new(&params);
    g_autoptr(bp_copy_group) group = bp_copy_group_new(copy);
    submit_all(copy, group);
    GError *error = NULL;
    ck_assert(!bp_copy_flush(copy, &error));
    test_error_is(&error, BP_ERR_NO_SPACE, "the journal is full");
}
END_TEST

static void
cancel_now(void *ctx, const char *key G_GNUC_UNUSED)
{
    bp_cancel_trigger(ctx, 2);
}

START_TEST(test_copy__cancel_stops_everything)
{
    fill_source();
    fake_store_add_fault(
        test_dst,
        &(fake_fault){.op = FAKE_WRITE, .skip = 10, .times = 1, .hook = cancel_now, .ctx = cancel});
    g_autoptr(bp_copy) copy = bp_copy_new(&params);
    g_autoptr(bp_copy_group) group = bp_copy_group_new(copy);
    GError *error = NULL;
    bool ok = true;
    for (int i = 0; i < N && ok; i++) {
        ok = submit(copy, group, i, &error);
    }
    guint64 stale;
    if (ok) {
        ok = bp_copy_group_wait(copy, group, &stale, &error);
    }
    ck_assert(!ok);
    test_error_is(&error, BP_ERR_CANCELLED, "cancelled");
    ck_assert_uint_eq(n_proven, 0);
}
END_TEST

START_TEST(test_copy__throttling_shrinks_and_grows)
{
    fill_source();
    params.workers = 8;
    fake_store_add_fault(test_dst,
                         &(fake_fault){.op = FAKE_WRITE_OPEN, .times = 8, .cls = BP_ERR_THROTTLED});
    g_autoptr(bp_copy) copy = bp_copy_new(&params);
    g_autoptr(bp_copy_group) group = bp_copy_group_new(copy);
    submit_all(copy, group);
    ck_assert(bp_copy_flush(copy, NULL));
    ck_assert_uint_eq(n_proven, N);
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_WRITE_OPEN), N + 8);
}
END_TEST

START_TEST(test_copy__never_more_than_the_workers)
{
    fill_source();
    params.workers = 2;
    g_autoptr(bp_copy) copy = bp_copy_new(&params);
    g_autoptr(bp_copy_group) group = bp_copy_group_new(copy);
    submit_all(copy, group);
    ck_assert(bp_copy_flush(copy, NULL));
    ck_assert_uint_le(fake_store_peak_writers(test_dst), 2);
}
END_TEST

static gsize
memory_in_use(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.arena + info.hblkhd;
}

/* Part writers wait for each other: all workers have to come. */
static pthread_mutex_t parts_lock = PTHREAD_MUTEX_INITIALIZER; /* guards the next two */
static guint parts_here;
static pthread_cond_t parts_moved;

static void
wait_for_workers(void *ctx G_GNUC_UNUSED, const char *key G_GNUC_UNUSED)
{
    BP_LOCK_GUARD(&parts_lock);
    parts_here++;
    pthread_cond_broadcast(&parts_moved);
    while (parts_here < params.workers) {
        pthread_cond_wait(&parts_moved, &parts_lock);
    }
}

START_TEST(test_copy__one_large_item_uses_all_workers)
{
    g_autoptr(GBytes) bytes = test_bytes(100000);
    fake_store_set(test_src, "big", g_bytes_get_data(bytes, NULL), 100000);
    fake_store_facts(test_dst)->caps |= BP_STORE_PARTS | BP_STORE_PARTS_PARALLEL;
    fake_store_facts(test_dst)->max_part = 8192;
    fake_store_facts(test_dst)->max_parts = 1000;
    fake_store_add_fault(test_dst, &(fake_fault){.op = FAKE_PART_OPEN, .hook = wait_for_workers});
    bp_cond_init(&parts_moved);
    params.part_bytes = 8192;
    g_autoptr(bp_copy) copy = bp_copy_new(&params);
    g_autoptr(bp_copy_group) group = bp_copy_group_new(copy);
    bp_copy_item item = {.src = test_src, .src_key = "big", .dst_key = "big", .size = 100000};
    ck_assert(bp_copy_submit(copy, group, &item, NULL));
    ck_assert(bp_copy_flush(copy, NULL));
    g_autoptr(GBytes) copied = fake_store_content(test_dst, "big");
    ck_assert(g_bytes_equal(copied, bytes));
    ck_assert_uint_ge(parts_here, params.workers);
}
END_TEST

START_TEST(test_copy__memory_does_not_grow_with_the_items)
{
    fake_store_set_synthetic(test_src, 10);
    fake_store_set_blackhole(test_dst, true);
    g_autoptr(bp_copy) copy = bp_copy_new(&params);
    g_autoptr(bp_copy_group) group = bp_copy_group_new(copy);
    gsize early = 0;
    for (int i = 0; i < 200000; i++) {
        g_autofree char *key =
            g_strdup_printf("insert_log/4429000000000000%d/4429000000000/100/44290000%d", i, i);
        bp_copy_item item = {.src = test_src, .src_key = key, .dst_key = key, .size = 10};
        ck_assert(bp_copy_submit(copy, group, &item, NULL));
        if (i == 20000) {
            early = memory_in_use();
        }
    }
    ck_assert(bp_copy_flush(copy, NULL));
    ck_assert_uint_eq(n_proven, 200000);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    ck_assert_uint_lt(memory_in_use(), early + 8 * 1024 * 1024);
#else
    (void)early;
#endif
}
END_TEST

static void
add_tests(TCase *tc)
{
    tcase_add_test(tc, test_copy__all_are_proven_after_flush);
    tcase_add_test(tc, test_copy__flush_of_nothing);
    tcase_add_test(tc, test_copy__nothing_is_proven_without_a_barrier);
    tcase_add_test(tc, test_copy__barrier_by_number);
    tcase_add_test(tc, test_copy__workers_go_on_during_a_barrier);
    tcase_add_test(tc, test_copy__too_much_unproven_holds_the_workers);
    tcase_add_test(tc, test_copy__items_that_are_there_already);
    tcase_add_test(tc, test_copy__proven_items_that_are_lost_are_copied_again);
    tcase_add_test(tc, test_copy__progress);
    tcase_add_test(tc, test_copy__stale_items_are_counted_by_group);
    tcase_add_test(tc, test_copy__first_error_stops_all);
    tcase_add_test(tc, test_copy__group_may_go_before_its_items);
    tcase_add_test(tc, test_copy__failed_barrier);
    tcase_add_test(tc, test_copy__refused_proof);
    tcase_add_test(tc, test_copy__cancel_stops_everything);
    tcase_add_test(tc, test_copy__throttling_shrinks_and_grows);
    tcase_add_test(tc, test_copy__never_more_than_the_workers);
    tcase_add_test(tc, test_copy__one_large_item_uses_all_workers);
    tcase_add_test(tc, test_copy__memory_does_not_grow_with_the_items);
}

int
main(void)
{
    Suite *suite = suite_create("copy/engine");
    TCase *tc = tcase_create("engine");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, engine_setup, engine_teardown);
    add_tests(tc);
    suite_add_tcase(suite, tc);
    return test_run(suite);
}
