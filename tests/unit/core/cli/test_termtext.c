/* SPDX-License-Identifier: Apache-2.0
 *
 * core/cli/termtext: widths, harmless text, styles.
 */
#include "core/cli/termtext.h"

#include "out_fixture.h"

START_TEST(test_bp_term_columns__wide_and_combining)
{
    ck_assert_uint_eq(bp_term_columns(""), 0);
    ck_assert_uint_eq(bp_term_columns("abc"), 3);
    ck_assert_uint_eq(bp_term_columns("größe"), 5);
    ck_assert_uint_eq(bp_term_columns("文档"), 4);
    ck_assert_uint_eq(bp_term_columns("e\xcc\x81"), 1);
}
END_TEST

START_TEST(test_bp_term_safe__takes_the_sting_out)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"plain 文档", "plain 文档"},
        {"\033[2Jgone", "?[2Jgone"},
        {"a\rb\tc\x7f", "a?b?c?"},
        {"a\nhint: b", "a hint: b"},
        {"c1 \xc2\x9b"
         "31m",
         "c1 ?31m"},
        {"bad \xff", "bad \xef\xbf\xbd"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *out = bp_term_safe(cases[i].in, false);
        ck_assert_str_eq(out, cases[i].out);
    }
}
END_TEST

/* A name that is shown backwards could pass for another one. */
START_TEST(test_bp_term_safe__the_writing_direction_stays)
{
    static const gunichar marks[] = {0x202A, 0x202E, 0x2066, 0x2069};
    for (gsize i = 0; i < G_N_ELEMENTS(marks); i++) {
        g_autofree char *mark = g_ucs4_to_utf8(&marks[i], 1, NULL, NULL, NULL);
        g_autofree char *text = g_strconcat("a", mark, "b", NULL);
        g_autofree char *out = bp_term_safe(text, false);
        ck_assert_str_eq(out, "a?b");
    }
}
END_TEST

START_TEST(test_bp_term_safe__may_keep_lines)
{
    g_autofree char *out = bp_term_safe("a\nb\033", true);
    ck_assert_str_eq(out, "a\nb?");
}
END_TEST

START_TEST(test_bp_term_styled__only_with_color)
{
    g_autofree char *red = bp_term_styled("x", BP_TERM_RED, true);
    g_autofree char *plain = bp_term_styled("x", BP_TERM_RED, false);
    g_autofree char *nothing = bp_term_styled("", BP_TERM_RED, true);
    ck_assert_str_eq(red, "\033[31mx\033[0m");
    ck_assert_str_eq(plain, "x");
    ck_assert_str_eq(nothing, "");
}
END_TEST

int
main(void)
{
    TCase *cases = tcase_create("termtext");
    tcase_add_test(cases, test_bp_term_columns__wide_and_combining);
    tcase_add_test(cases, test_bp_term_safe__takes_the_sting_out);
    tcase_add_test(cases, test_bp_term_safe__the_writing_direction_stays);
    tcase_add_test(cases, test_bp_term_safe__may_keep_lines);
    tcase_add_test(cases, test_bp_term_styled__only_with_color);
    return run_suite("termtext", cases);
}
