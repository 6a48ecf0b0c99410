/* SPDX-License-Identifier: Apache-2.0
 *
 * core/base/text: sizes, durations, ids, near words.
 */
#include "core/base/text.h"

#include <bakplane/abi.h>

#include "core/base/clock.h"
#include "tests/harness/suite.h"

START_TEST(test_size__table)
{
    static const struct {
        guint64 bytes;
        const char *text;
    } cases[] = {
        {0, "0 B"},
        {1023, "1023 B"},
        {1024, "1.0 KiB"},
        {1536, "1.5 KiB"},
        {150 * 1024, "150 KiB"},
        {G_GUINT64_CONSTANT(5) << 30, "5.0 GiB"},
        {G_GUINT64_CONSTANT(3) << 60, "3.0 EiB"},
        {BP_UNKNOWN, "?"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = bp_text_size(cases[i].bytes);
        ck_assert_str_eq(text, cases[i].text);
    }
}
END_TEST

START_TEST(test_duration__table)
{
    static const struct {
        gint64 ns;
        const char *text;
    } cases[] = {
        {0, "0 ms"},
        {420 * BP_NS_PER_MS, "420 ms"},
        {3200 * BP_NS_PER_MS, "3.2 s"},
        {250 * BP_NS_PER_S, "4 min 10 s"},
        {(3 * 3600 + 300) * BP_NS_PER_S, "3 h 5 min"},
        {(12 * 86400 + 3 * 3600) * BP_NS_PER_S, "12 d 3 h"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = bp_text_duration(cases[i].ns);
        ck_assert_str_eq(text, cases[i].text);
    }
}
END_TEST

START_TEST(test_uuid__is_one_and_another)
{
    g_autofree char *a = bp_text_uuid();
    g_autofree char *b = bp_text_uuid();
    ck_assert(g_uuid_string_is_valid(a));
    ck_assert_str_ne(a, b);
}
END_TEST

START_TEST(test_nearest__typing_errors_only)
{
    const char *const words[] = {"concurrency", "storage", "throttle"};
    g_autofree char *huge = g_strnfill(5000, 'x');
    ck_assert_str_eq(bp_text_nearest("storrage", words, 3), "storage");
    ck_assert_str_eq(bp_text_nearest("concurency", words, 3), "concurrency");
    ck_assert_ptr_null(bp_text_nearest("password", words, 3));
    ck_assert_ptr_null(bp_text_nearest(huge, words, 3));
    ck_assert_ptr_null(bp_text_nearest("storage", words, 0));
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/base/text", NULL, NULL, test_size__table, test_duration__table,
                     test_uuid__is_one_and_another, test_nearest__typing_errors_only);
}
