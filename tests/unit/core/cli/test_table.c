/* SPDX-License-Identifier: Apache-2.0
 *
 * core/cli/table: columns that line up.
 */
#include "core/cli/table.h"

#include "out_fixture.h"

static const bp_table_column columns[] = {{"NAME", false}, {"ITEMS", true}, {"STATE", false}, {0}};

static void
add(bp_table *table, const char *name, const char *items, const char *state)
{
    const char *const cells[] = {name, items, state};
    bp_table_add(table, cells);
}

START_TEST(test_bp_table_render__lines_up)
{
    g_autoptr(bp_table) table = bp_table_new(columns);
    add(table, "nightly", "7", "success");
    add(table, "文档", "123456", NULL);
    ck_assert_uint_eq(bp_table_rows(table), 2);
    g_autofree char *text = bp_table_render(table, false);
    ck_assert_str_eq(text, "NAME      ITEMS  STATE\n"
                           "nightly       7  success\n"
                           "文档     123456  -\n");
}
END_TEST

START_TEST(test_bp_table_render__nothing_without_rows)
{
    g_autoptr(bp_table) table = bp_table_new(columns);
    g_autofree char *text = bp_table_render(table, true);
    ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(test_bp_table_render__no_blanks_at_the_end)
{
    g_autoptr(bp_table) table = bp_table_new(columns);
    add(table, "a", "1", "");
    g_autofree char *text = bp_table_render(table, false);
    ck_assert_str_eq(text, "NAME  ITEMS  STATE\na         1\n");
}
END_TEST

START_TEST(test_bp_table_render__cells_are_made_safe)
{
    g_autoptr(bp_table) table = bp_table_new(columns);
    add(table, "evil\033[2J\nname", "1", "x");
    g_autofree char *text = bp_table_render(table, false);
    ck_assert_ptr_null(strchr(text, '\033'));
    ck_assert_ptr_nonnull(strstr(text, "evil?[2J name"));
}
END_TEST

START_TEST(test_bp_table_render__colors_headings_and_rows)
{
    g_autoptr(bp_table) table = bp_table_new(columns);
    add(table, "a", "1", "failed");
    bp_table_style_last(table, BP_TERM_RED);
    g_autofree char *text = bp_table_render(table, true);
    ck_assert_str_eq(text, "\033[1mNAME  ITEMS  STATE\033[0m\n"
                           "\033[31ma         1  failed\033[0m\n");
}
END_TEST

int
main(void)
{
    TCase *cases = tcase_create("table");
    tcase_add_test(cases, test_bp_table_render__lines_up);
    tcase_add_test(cases, test_bp_table_render__nothing_without_rows);
    tcase_add_test(cases, test_bp_table_render__no_blanks_at_the_end);
    tcase_add_test(cases, test_bp_table_render__cells_are_made_safe);
    tcase_add_test(cases, test_bp_table_render__colors_headings_and_rows);
    return run_suite("table", cases);
}
