/* SPDX-License-Identifier: Apache-2.0
 *
 * Running counts.
 */
#include "core/copy/counters.h"
#include "fixture.h"

#include "sdk/lib/ban.h"

static void
assert_counts(bp_counters *counters, guint64 items, guint64 of, guint64 bytes, guint64 of_bytes)
{
    bp_progress now;
    bp_counters_get(counters, &now);
    ck_assert_uint_eq(now.items_done, items);
    ck_assert_uint_eq(now.items_total, of);
    ck_assert_uint_eq(now.bytes_done, bytes);
    ck_assert_uint_eq(now.bytes_total, of_bytes);
}

START_TEST(test_counters__one_item)
{
    bp_counters counters;
    atomic_ullong counted = 0;
    bp_counters_init(&counters);
    bp_counters_expect(&counters, 100);
    assert_counts(&counters, 0, 1, 0, 100);
    bp_counters_move(&counters, &counted, 60);
    assert_counts(&counters, 0, 1, 60, 100);
    bp_counters_move(&counters, &counted, 0); /* starts again */
    assert_counts(&counters, 0, 1, 0, 100);
    bp_counters_move(&counters, &counted, 100);
    bp_counters_finish(&counters, 100, 100);
    assert_counts(&counters, 1, 1, 100, 100);
}
END_TEST

START_TEST(test_counters__unknown_size)
{
    bp_counters counters;
    atomic_ullong counted = 0;
    bp_counters_init(&counters);
    bp_counters_expect(&counters, BP_UNKNOWN);
    assert_counts(&counters, 0, 1, 0, 0);
    bp_counters_move(&counters, &counted, 7);
    bp_counters_finish(&counters, BP_UNKNOWN, 7);
    assert_counts(&counters, 1, 1, 7, 7);
}
END_TEST

START_TEST(test_counters__forgotten_and_skipped)
{
    bp_counters counters;
    bp_counters_init(&counters);
    bp_counters_expect(&counters, 100);
    bp_counters_forget(&counters, 100);
    assert_counts(&counters, 0, 0, 0, 0);
    bp_counters_skip(&counters, 30);
    assert_counts(&counters, 1, 1, 30, 30);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("copy/progress");
    TCase *tc = tcase_create("counters");
    tcase_add_test(tc, test_counters__one_item);
    tcase_add_test(tc, test_counters__unknown_size);
    tcase_add_test(tc, test_counters__forgotten_and_skipped);
    suite_add_tcase(suite, tc);
    return test_run(suite);
}
