/* SPDX-License-Identifier: Apache-2.0
 *
 * core/copy/rate: speed and remaining time from scripted snapshots.
 */
#include "core/copy/rate.h"

#include <math.h>

#include "tests/unit/core/cli/out_fixture.h"

static void
see(bp_rate *rate, double seconds, guint64 items, guint64 bytes)
{
    bp_progress progress = progress_at(seconds, items, bytes);
    bp_rate_update(rate, &progress);
}

START_TEST(test_bp_rate_update__two_snapshots_make_a_rate)
{
    bp_rate rate = {0};
    see(&rate, 0.0, 0, 0);
    ck_assert(!rate.known);
    see(&rate, 2.0, 20, 200 * MIB);
    ck_assert(rate.known);
    ck_assert(fabs(rate.bytes_per_s - 100.0 * MIB) < 1.0);
    ck_assert(fabs(rate.items_per_s - 10.0) < 0.001);
}
END_TEST

START_TEST(test_bp_rate_update__follows_a_change_smoothly)
{
    bp_rate rate = {0};
    see(&rate, 0.0, 0, 0);
    see(&rate, 1.0, 10, 100 * MIB);
    see(&rate, 2.0, 10, 100 * MIB);
    ck_assert(rate.bytes_per_s < 100.0 * MIB && rate.bytes_per_s > 50.0 * MIB);
    for (int i = 3; i < 60; i++) {
        see(&rate, i, 10, 100 * MIB);
    }
    ck_assert(rate.bytes_per_s < 1.0 * MIB);
}
END_TEST

START_TEST(test_bp_rate_update__snapshots_too_close_do_not_count)
{
    bp_rate rate = {0};
    see(&rate, 0.0, 0, 0);
    see(&rate, 0.01, 1, 500 * MIB);
    ck_assert(!rate.known);
    see(&rate, 1.0, 1, 500 * MIB);
    ck_assert(fabs(rate.bytes_per_s - 500.0 * MIB) < 1.0);
}
END_TEST

START_TEST(test_bp_rate_update__another_phase_starts_anew)
{
    bp_rate rate = {0};
    see(&rate, 0.0, 0, 0);
    see(&rate, 1.0, 10, 100 * MIB);
    bp_progress other = {.phase = "import", .elapsed_ns = 0};
    bp_rate_update(&rate, &other);
    ck_assert(!rate.known);
    ck_assert_str_eq(rate.phase, "import");
}
END_TEST

START_TEST(test_bp_rate_update__numbers_that_shrink_start_anew)
{
    bp_rate rate = {0};
    see(&rate, 0.0, 0, 0);
    see(&rate, 1.0, 10, 100 * MIB);
    see(&rate, 2.0, 5, 50 * MIB);
    ck_assert(!rate.known);
}
END_TEST

START_TEST(test_bp_rate_remaining_ns__by_bytes_else_by_items)
{
    bp_rate rate = {0};
    see(&rate, 0.0, 0, 0);
    see(&rate, 1.0, 60, 100 * MIB);
    bp_progress progress = progress_at(1.0, 60, 100 * MIB);
    gint64 by_bytes = bp_rate_remaining_ns(&rate, &progress);
    ck_assert(llabs(by_bytes - 9 * BP_NS_PER_S) < BP_NS_PER_MS);
    progress.bytes_total = 0;
    progress.items_done = 0;
    gint64 by_items = bp_rate_remaining_ns(&rate, &progress);
    ck_assert(llabs(by_items - 10 * BP_NS_PER_S) < BP_NS_PER_MS);
}
END_TEST

START_TEST(test_bp_rate_remaining_ns__cannot_be_said)
{
    bp_rate rate = {0};
    bp_progress progress = progress_at(1.0, 1, MIB);
    ck_assert_int_eq(bp_rate_remaining_ns(&rate, &progress), -1);
    rate = (bp_rate){.phase = "copy", .known = true, .bytes_per_s = 0.0};
    ck_assert_int_eq(bp_rate_remaining_ns(&rate, &progress), -1);
    rate.bytes_per_s = 1e-5;
    ck_assert_int_eq(bp_rate_remaining_ns(&rate, &progress), -1);
    rate.bytes_per_s = 1e6;
    progress.bytes_total = G_MAXUINT64;
    ck_assert_int_eq(bp_rate_remaining_ns(&rate, &progress), -1);
    progress.bytes_total = 1;
    ck_assert_int_eq(bp_rate_remaining_ns(&rate, &progress), -1);
}
END_TEST

static bool
is_said(const bp_rate *rate, double seconds, guint64 items)
{
    bp_progress progress = progress_at(seconds, items, 0);
    progress.bytes_total = 0;
    return bp_rate_remaining_ns(rate, &progress) >= 0;
}

/* The rate sinks as long as nothing moves: "138 d left" would be what it says. */
START_TEST(test_bp_rate_remaining_ns__not_while_nothing_moves)
{
    bp_rate rate = {0};
    for (int i = 0; i <= 5; i++) {
        see(&rate, i, (guint64)i, 0);
    }
    for (int i = 6; i <= 30; i++) {
        see(&rate, i, 5, 0);
        ck_assert_msg(is_said(&rate, i, 5) == (i <= 15), "after %d s", i);
    }
    see(&rate, 31.0, 6, 0);
    ck_assert(is_said(&rate, 31.0, 6));
}
END_TEST

START_TEST(test_bp_rate_remaining_ns__what_moves_seldom_has_longer_lulls)
{
    bp_rate rate = {0};
    see(&rate, 0.0, 0, 0);
    for (int i = 1; i <= 3; i++) {
        see(&rate, 20.0 * i, (guint64)i, 0);
    }
    see(&rate, 99.0, 3, 0);
    ck_assert(is_said(&rate, 99.0, 3));
    see(&rate, 101.0, 3, 0);
    ck_assert(!is_said(&rate, 101.0, 3));
}
END_TEST

int
main(void)
{
    TCase *cases = tcase_create("rate");
    tcase_add_test(cases, test_bp_rate_update__two_snapshots_make_a_rate);
    tcase_add_test(cases, test_bp_rate_update__follows_a_change_smoothly);
    tcase_add_test(cases, test_bp_rate_update__snapshots_too_close_do_not_count);
    tcase_add_test(cases, test_bp_rate_update__another_phase_starts_anew);
    tcase_add_test(cases, test_bp_rate_update__numbers_that_shrink_start_anew);
    tcase_add_test(cases, test_bp_rate_remaining_ns__by_bytes_else_by_items);
    tcase_add_test(cases, test_bp_rate_remaining_ns__cannot_be_said);
    tcase_add_test(cases, test_bp_rate_remaining_ns__not_while_nothing_moves);
    tcase_add_test(cases, test_bp_rate_remaining_ns__what_moves_seldom_has_longer_lulls);
    return run_suite("rate", cases);
}
