/* SPDX-License-Identifier: Apache-2.0
 *
 * core/plugin/stats: what calls of storages leave behind.
 */
#include "core/plugin/stats.h"

#include "core/base/json.h"
#include "core/base/thread.h"
#include "tests/harness/suite.h"
#include "tests/harness/test_ops.h"

static json_t *all; /* of the last look */

static void
setup(void)
{
    test_ops_reset();
    test_ops_seed("s", "k", "hello");
}

static void
teardown(void)
{
    json_decref(all);
    all = NULL;
}

static const json_t *
look(const char *storage, const char *operation)
{
    json_decref(all);
    all = bp_stats_json();
    return json_object_get(json_object_get(json_object_get(all, "storages"), storage), operation);
}

static guint64
outcomes(const json_t *operation, const char *class)
{
    return bp_json_u64(json_object_get(operation, "outcomes"), class, 0);
}

static guint64
in_buckets(const json_t *operation)
{
    guint64 sum = 0;
    const json_t *buckets = json_object_get(operation, "buckets");
    ck_assert_uint_eq(json_array_size(buckets), BP_STATS_BOUNDS + 1);
    for (gsize i = 0; i < json_array_size(buckets); i++) {
        sum += (guint64)json_integer_value(json_array_get(buckets, i));
    }
    return sum;
}

START_TEST(test_frame__counts_outcomes)
{
    bp_store *store = test_ops_open("outcomes", "s");
    struct bp_object_meta meta;
    ck_assert(bp_store_stat(store, NULL, "k", &meta, NULL)); /* nobody wants to know why */
    ck_assert(!bp_store_stat(store, NULL, "missing", &meta, NULL));
    test_ops_set_lie(TEST_LIE_SILENT_FAILURE);
    ck_assert(!bp_store_stat(store, NULL, "k", &meta, NULL));
    bp_store_free(store);

    const json_t *stat = look("outcomes", "stat");
    ck_assert_uint_eq(outcomes(stat, "ok"), 1);
    ck_assert_uint_eq(outcomes(stat, "not-found"), 1);
    ck_assert_uint_eq(outcomes(stat, "permanent"), 1); /* a bug of the plugin */
    ck_assert_uint_eq(in_buckets(stat), 3);
    ck_assert_uint_eq(outcomes(look("outcomes", "open"), "ok"), 1);
    ck_assert_uint_eq(outcomes(look("outcomes", "close"), "ok"), 1);
    ck_assert_ptr_null(look("outcomes", "remove"));
}
END_TEST

START_TEST(test_frame__counts_bytes)
{
    g_autoptr(GError) error = NULL;
    bp_store *store = test_ops_open("bytes", "s");
    bp_store_put_params put = {.key = "new", .bytes = "abc", .n = 3};
    ASSERT_FINE(bp_store_put(store, NULL, &put, &error), error);
    g_autoptr(GBytes) read = bp_store_get(store, NULL, "k", 10, &error);
    ASSERT_FINE(read != NULL, error);
    bp_store_free(store);
    ck_assert_uint_eq(bp_json_u64(look("bytes", "write"), "bytes", 0), 3);
    ck_assert_uint_eq(bp_json_u64(look("bytes", "read"), "bytes", 0), 5);
    ck_assert_uint_eq(bp_json_u64(look("bytes", "stat"), "bytes", 0), 0);
}
END_TEST

START_TEST(test_frame__what_is_not_asked_is_not_counted)
{
    bp_store *store = test_ops_open("late", "s");
    bp_call call = {.deadline_ns = 1};
    ck_assert(!bp_store_stat(store, &call, "k", NULL, NULL));
    bp_store_free(store);
    ck_assert_ptr_null(look("late", "stat"));
}
END_TEST

START_TEST(test_count__buckets)
{
    bp_store_stats *stats = bp_stats_of("buckets");
    const gint64 us[] = {0, 1000, 1001, 5000, 30000000, 30000001, 3600000000};
    const guint64 wanted[BP_STATS_BOUNDS + 1] = {
        [0] = 2, [1] = 2, [BP_STATS_BOUNDS - 1] = 1, [BP_STATS_BOUNDS] = 2};
    for (gsize i = 0; i < G_N_ELEMENTS(us); i++) {
        bp_stats_call call = {.operation = "list", .ns = us[i] * 1000};
        bp_stats_count(stats, &call);
    }
    const json_t *list = look("buckets", "list");
    for (gsize i = 0; i <= BP_STATS_BOUNDS; i++) {
        const json_t *bucket = json_array_get(json_object_get(list, "buckets"), i);
        ck_assert_uint_eq(json_integer_value(bucket), wanted[i]);
    }
    ck_assert_uint_eq(bp_json_u64(list, "us", 0), 3660007002);
}
END_TEST

START_TEST(test_count__what_it_does_not_know)
{
    bp_store_stats *stats = bp_stats_of("unknown");
    bp_stats_count(stats, &(bp_stats_call){.operation = "dance", .class = 99});
    ck_assert_uint_eq(outcomes(look("unknown", "other"), "permanent"), 1);
}
END_TEST

START_TEST(test_of__one_for_each_name_and_not_too_many)
{
    ck_assert_ptr_eq(bp_stats_of("a"), bp_stats_of("a"));
    ck_assert_ptr_ne(bp_stats_of("a"), bp_stats_of("b"));
    bp_store_stats *last = NULL;
    for (guint i = 0; i < BP_STATS_STORAGES * 2; i++) {
        g_autofree char *name = g_strdup_printf("storage-%u", i);
        last = bp_stats_of(name);
    }
    ck_assert_ptr_eq(last, bp_stats_of("one more"));
    bp_stats_count(last, &(bp_stats_call){.operation = "list"});
    ck_assert_uint_eq(outcomes(look(BP_STATS_OTHER, "list"), "ok"), 1);
    ck_assert_uint_eq(json_object_size(json_object_get(all, "storages")), BP_STATS_STORAGES + 1);
}
END_TEST

#define MANY 20000

static void *
count_many(void *ctx)
{
    for (guint i = 0; i < MANY; i++) {
        bp_stats_count(ctx, &(bp_stats_call){.operation = "read", .bytes = 2});
    }
    return NULL;
}

START_TEST(test_count__by_many_threads)
{
    pthread_t threads[4];
    bp_store_stats *stats = bp_stats_of("threads");
    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++) {
        bp_thread_start(&threads[i], count_many, stats);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++) {
        pthread_join(threads[i], NULL);
    }
    const json_t *read = look("threads", "read");
    ck_assert_uint_eq(outcomes(read, "ok"), 4 * MANY);
    ck_assert_uint_eq(in_buckets(read), 4 * MANY);
    ck_assert_uint_eq(bp_json_u64(read, "bytes", 0), 8 * MANY);
}
END_TEST

int
main(void)
{
    /* The last one leaves no room for other names, and all may run in one process. */
    return RUN_SUITE("core/plugin/stats", setup, teardown, test_frame__counts_outcomes,
                     test_frame__counts_bytes, test_frame__what_is_not_asked_is_not_counted,
                     test_count__buckets, test_count__what_it_does_not_know,
                     test_count__by_many_threads, test_of__one_for_each_name_and_not_too_many);
}
