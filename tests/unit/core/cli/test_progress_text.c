/* SPDX-License-Identifier: Apache-2.0
 *
 * core/cli/progress_text: one line for every state and every width.
 */
#include "core/cli/progress_text.h"

#include "core/cli/termtext.h"

#include "out_fixture.h"

static const bp_rate fast = {
    .phase = "copy", .known = true, .items_per_s = 60.0, .bytes_per_s = 100.0 * MIB};
static const bp_rate unknown = {0};

START_TEST(test_bp_progress_bar_text__all_parts)
{
    bp_progress progress = progress_at(4.5, 270, 450 * MIB);
    g_autofree char *text = bp_progress_bar_text(&progress, &fast, 100);
    ck_assert_str_eq(
        text, "copy [===============>                   ]   45 %  270/600  450 MiB/1000 MiB  "
              "100 MiB/s  5.5 s left");
}
END_TEST

START_TEST(test_bp_progress_bar_text__never_as_wide_as_the_terminal)
{
    bp_progress progress = progress_at(4.5, 270, 450 * MIB);
    for (guint columns = 0; columns < 300; columns++) {
        g_autofree char *text = bp_progress_bar_text(&progress, &fast, columns);
        ck_assert_uint_lt(bp_term_columns(text), MAX(columns, 1));
    }
}
END_TEST

START_TEST(test_bp_progress_bar_text__narrow_drops_the_right_first)
{
    bp_progress progress = progress_at(4.5, 270, 450 * MIB);
    g_autofree char *text = bp_progress_bar_text(&progress, &fast, 25);
    ck_assert_str_eq(text, "copy   45 %  270/600");
}
END_TEST

START_TEST(test_bp_progress_bar_text__done)
{
    bp_progress progress = progress_at(9.0, 600, 1000 * MIB);
    g_autofree char *text = bp_progress_bar_text(&progress, &fast, 70);
    ck_assert_str_eq(text, "copy [================]  100 %  600/600  1000 MiB/1000 MiB  100 MiB/s");
}
END_TEST

START_TEST(test_bp_progress_bar_text__without_totals)
{
    bp_progress progress = {.phase = "list", .items_done = 7, .elapsed_ns = BP_NS_PER_S};
    g_autofree char *counted = bp_progress_bar_text(&progress, &unknown, 80);
    ck_assert_str_eq(counted, "list  7");
    progress.items_done = 0;
    g_autofree char *silent = bp_progress_bar_text(&progress, &unknown, 80);
    ck_assert_str_eq(silent, "list  1.0 s");
}
END_TEST

START_TEST(test_bp_progress_line_text__in_words)
{
    bp_progress progress = progress_at(4.5, 27, 45 * MIB);
    g_autofree char *text = bp_progress_line_text(&progress, &fast);
    ck_assert_str_eq(text, "copy: 4 %, 27 of 600, 45.0 MiB of 1000 MiB, 100 MiB/s, 9.6 s left");
    bp_progress rows = {.phase = "import", .items_done = 5, .items_total = 10};
    bp_rate slow = {.phase = "import", .known = true, .items_per_s = 0.5};
    g_autofree char *items = bp_progress_line_text(&rows, &slow);
    ck_assert_str_eq(items, "import: 50 %, 5 of 10, 0.5/s, 10.0 s left");
}
END_TEST

START_TEST(test_bp_progress_percent__bounds)
{
    bp_progress progress = progress_at(0, 0, 0);
    ck_assert_int_eq(bp_progress_percent(&progress), 0);
    progress.bytes_done = 2000 * MIB;
    ck_assert_int_eq(bp_progress_percent(&progress), 100);
    progress.bytes_done = 1000 * MIB - 1;
    ck_assert_int_eq(bp_progress_percent(&progress), 99);
    progress.bytes_total = G_MAXUINT64;
    progress.items_total = 0;
    ck_assert_int_eq(bp_progress_percent(&progress), -1);
}
END_TEST

int
main(void)
{
    TCase *cases = tcase_create("progress_text");
    tcase_add_test(cases, test_bp_progress_bar_text__all_parts);
    tcase_add_test(cases, test_bp_progress_bar_text__never_as_wide_as_the_terminal);
    tcase_add_test(cases, test_bp_progress_bar_text__narrow_drops_the_right_first);
    tcase_add_test(cases, test_bp_progress_bar_text__done);
    tcase_add_test(cases, test_bp_progress_bar_text__without_totals);
    tcase_add_test(cases, test_bp_progress_line_text__in_words);
    tcase_add_test(cases, test_bp_progress_percent__bounds);
    return run_suite("progress_text", cases);
}
