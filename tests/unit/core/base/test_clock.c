/* SPDX-License-Identifier: Apache-2.0
 *
 * core/base/clock: text of times, and back.
 */
#include "core/base/clock.h"

#include "tests/harness/suite.h"

START_TEST(test_text__is_utc_with_milliseconds)
{
    g_autofree char *epoch = bp_clock_text(0);
    g_autofree char *later = bp_clock_text(1700000000 * BP_NS_PER_S + 123456789);
    ck_assert_str_eq(epoch, "1970-01-01T00:00:00.000Z");
    ck_assert_str_eq(later, "2023-11-14T22:13:20.123Z");
}
END_TEST

START_TEST(test_parse__round_trip)
{
    gint64 then = 1700000000 * BP_NS_PER_S + 123 * BP_NS_PER_MS;
    g_autofree char *text = bp_clock_text(then);
    ck_assert_int_eq(bp_clock_parse(text), then);
}
END_TEST

START_TEST(test_parse__no_time)
{
    ck_assert_int_eq(bp_clock_parse(NULL), 0);
    ck_assert_int_eq(bp_clock_parse(""), 0);
    ck_assert_int_eq(bp_clock_parse("yesterday"), 0);
    ck_assert_int_eq(bp_clock_parse("2023-13-01T00:00:00Z"), 0);
}
END_TEST

START_TEST(test_clocks__go_forward)
{
    gint64 before = bp_clock_mono_ns();
    g_autofree char *now = bp_clock_wall_text();
    ck_assert_int_ge(bp_clock_mono_ns(), before);
    ck_assert_int_gt(bp_clock_parse(now), 1700000000 * BP_NS_PER_S);
    ck_assert_int_ge(bp_clock_wall_ns(), bp_clock_parse(now));
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/base/clock", NULL, NULL, test_text__is_utc_with_milliseconds,
                     test_parse__round_trip, test_parse__no_time, test_clocks__go_forward);
}
