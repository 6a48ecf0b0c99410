/* SPDX-License-Identifier: Apache-2.0
 *
 * The limit of bytes per second, by a clock that only sleeping moves.
 */
#include "core/copy/throttle.h"
#include "fixture.h"

#include "sdk/lib/ban.h"

START_TEST(test_throttle_new__zero_is_no_limit)
{
    ck_assert_ptr_null(bp_throttle_new(0, &test_env));
    ck_assert(bp_throttle_take(NULL, NULL, 1 << 30, NULL));
    ck_assert_uint_eq(test_clock.n_slept, 0);
}
END_TEST

START_TEST(test_throttle_take__keeps_the_rate)
{
    g_autoptr(bp_throttle) throttle = bp_throttle_new(1000, &test_env);
    gint64 start_ns = test_clock.now_ns;
    for (int i = 0; i < 100; i++) {
        ck_assert(bp_throttle_take(throttle, NULL, 100, NULL));
    }
    /* The last of 10 000 bytes may start when the 9 900 before it have had their time. */
    gint64 took_ns = test_clock.now_ns - start_ns;
    ck_assert_int_eq(took_ns, 9900 * BP_NS_PER_MS);
}
END_TEST

START_TEST(test_throttle_take__idle_time_is_saved_up_a_little)
{
    g_autoptr(bp_throttle) throttle = bp_throttle_new(1000, &test_env);
    test_clock.now_ns += 3600 * BP_NS_PER_S;
    ck_assert(bp_throttle_take(throttle, NULL, 100, NULL)); /* paid by the last 100 ms */
    ck_assert(bp_throttle_take(throttle, NULL, 100, NULL));
    ck_assert_uint_eq(test_clock.n_slept, 0);
    ck_assert(bp_throttle_take(throttle, NULL, 100, NULL));
    ck_assert_int_eq(test_clock.slept[0], 100 * BP_NS_PER_MS);
}
END_TEST

START_TEST(test_throttle_take__cancelled)
{
    g_autoptr(bp_throttle) throttle = bp_throttle_new(10, &test_env);
    GError *error = NULL;
    ck_assert(bp_throttle_take(throttle, NULL, 1000, NULL));
    test_clock.cancel_at = 1;
    ck_assert(!bp_throttle_take(throttle, NULL, 1000, &error));
    test_error_is(&error, BP_ERR_CANCELLED, "cancelled");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("copy/throttle");
    TCase *tc = tcase_create("throttle");
    tcase_add_checked_fixture(tc, test_clock_start, NULL);
    tcase_add_test(tc, test_throttle_new__zero_is_no_limit);
    tcase_add_test(tc, test_throttle_take__keeps_the_rate);
    tcase_add_test(tc, test_throttle_take__idle_time_is_saved_up_a_little);
    tcase_add_test(tc, test_throttle_take__cancelled);
    suite_add_tcase(suite, tc);
    return test_run(suite);
}
