/* SPDX-License-Identifier: Apache-2.0
 *
 * core/catalog/name: which names are fine, and what is proposed for those that are not.
 */
#include "core/catalog/name.h"

#include "core/base/clock.h"
#include "tests/harness/suite.h"

START_TEST(test_check__accepts)
{
    static const char *const good[] = {"a", "_", "_1", "Nightly_2026", "b_057", "A1"};
    for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
        ck_assert(bp_backup_name_check(good[i], NULL));
    }
    g_autofree char *longest = g_strnfill(128, 'x');
    ck_assert(bp_backup_name_check(longest, NULL));
}
END_TEST

START_TEST(test_check__names_rule_and_proposal)
{
    static const struct {
        const char *name, *rule, *proposal;
    } bad[] = {
        {"1abc", "does not begin with a letter or '_'", "\"_1abc\" would be fine"},
        {"my-backup", "contains something else", "\"my_backup\" would be fine"},
        {"a b..c", "contains something else", "\"a_b_c\" would be fine"},
        {"../etc", "does not begin", "\"_etc\" would be fine"},
        {"gr\xC3\xBC\xC3\x9F", "contains something else", "\"gr_\" would be fine"},
        {"a/b", "contains something else", "\"a_b\" would be fine"},
        {"\xFF", "does not begin", "\"_\" would be fine"},
        {"a\n", "\"a\\n\" contains something else", "\"a_\" would be fine"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        ck_assert(!bp_backup_name_check(bad[i].name, &error));
        ck_assert_msg(strstr(error->message, bad[i].proposal) != NULL, "%s", error->message);
        ASSERT_ERROR(error, BP_ERR_INVALID, bad[i].rule);
    }
}
END_TEST

START_TEST(test_check__empty)
{
    g_autoptr(GError) error = NULL;
    ck_assert(!bp_backup_name_check("", &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "backup name \"\" is empty");
}
END_TEST

START_TEST(test_check__too_long)
{
    g_autofree char *name = g_strnfill(5000, '-');
    name[0] = 'x';
    g_autoptr(GError) error = NULL;
    ck_assert(!bp_backup_name_check(name, &error));
    ck_assert_uint_lt(strlen(error->message), 500);
    ASSERT_ERROR(error, BP_ERR_INVALID, "is longer than 128 bytes");
}
END_TEST

/* Whatever comes in: what is proposed is fine. */
START_TEST(test_check__proposals_are_fine)
{
    guint32 dice = 1;
    for (guint round = 0; round < 5000; round++) {
        char name[200] = {0};
        guint n = 1 + round % 190;
        for (guint i = 0; i < n; i++) {
            dice = dice * 1664525u + 1013904223u;
            char c = (char)(dice >> 24);
            name[i] = c != '\0' ? c : '-';
        }
        g_autoptr(GError) error = NULL;
        if (bp_backup_name_check(name, &error)) {
            continue;
        }
        const char *hint = strstr(error->message, "\nhint: \"");
        ck_assert_ptr_nonnull(hint);
        g_autofree char *proposal = g_strdup(hint + strlen("\nhint: \""));
        *strchr(proposal, '"') = '\0';
        ck_assert_msg(bp_backup_name_check(proposal, NULL), "\"%s\"", proposal);
    }
}
END_TEST

START_TEST(test_label__accepts)
{
    g_autofree char *longest = g_strnfill(64, 'x');
    const char *const labels[] = {"nightly", "Before.upgrade-2_3", "7", "-", longest};
    for (gsize i = 0; i < G_N_ELEMENTS(labels); i++) {
        g_autoptr(GError) error = NULL;
        ASSERT_FINE(bp_label_check(labels[i], &error), error);
    }
}
END_TEST

START_TEST(test_label__refuses)
{
    g_autofree char *too_long = g_strnfill(65, 'x');
    const char *const labels[] = {"", "a b", "a\"b", "a\n", "\xc3\xa4", "\xff", "a/b", too_long};
    for (gsize i = 0; i < G_N_ELEMENTS(labels); i++) {
        g_autoptr(GError) error = NULL;
        ck_assert(!bp_label_check(labels[i], &error));
        ASSERT_ERROR(error, BP_ERR_INVALID, "has to be 1 to 64 letters, digits, '_', '-' and '.'");
    }
}
END_TEST

START_TEST(test_generate__utc_and_valid)
{
    g_autofree char *name = bp_backup_name_generate(1700000000 * BP_NS_PER_S + 42);
    ck_assert_str_eq(name, "backup_2023_11_14_22_13_20_42");
    ck_assert(bp_backup_name_check(name, NULL));
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/catalog/name", NULL, NULL, test_check__accepts,
                     test_check__names_rule_and_proposal, test_check__empty, test_check__too_long,
                     test_check__proposals_are_fine, test_label__accepts, test_label__refuses,
                     test_generate__utc_and_valid);
}
