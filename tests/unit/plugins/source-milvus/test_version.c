/* SPDX-License-Identifier: Apache-2.0
 *
 * Build tags as servers really report them, and the edges of the feature table.
 */
#include "plugins/source-milvus/version.h"

#include "wire_test.h"

static uint64_t
features_of(const char *text)
{
    struct milvus_version version = {0, 0, 0};
    (void)milvus_version_parse(text, &version);
    return milvus_features(&version);
}

static bool
can(const char *text, enum milvus_feature feature)
{
    return (features_of(text) & UINT64_C(1) << feature) != 0;
}

START_TEST(test_parse__known_forms)
{
    static const struct {
        const char *text;
        struct milvus_version version;
    } forms[] = {
        {"v2.3.5-lite", {2, 3, 5}},  {"2.2.16", {2, 2, 16}},       {"2.3.22.6", {2, 3, 22}},
        {"v2.6.0-rc1", {2, 6, 0}},   {"milvus-2.4", {2, 4, 9999}}, {"Milvus v2.5.8", {2, 5, 8}},
        {"MILVUS_2.4.3", {2, 4, 3}}, {"2.5.x", {2, 5, 9999}},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
        struct milvus_version found = {0, 0, 0};
        ck_assert_msg(milvus_version_parse(forms[i].text, &found), "%s", forms[i].text);
        ck_assert_msg(milvus_version_compare(&found, &forms[i].version) == 0, "%s is %u.%u.%u",
                      forms[i].text, found.major, found.minor, found.patch);
    }
}
END_TEST

START_TEST(test_parse__nonsense_counts_as_newest)
{
    static const char *const texts[] = {NULL,           "",       "master-20260811", "v", "2", "2.",
                                        "9999999999.1", "milvus", "x2.3.5"};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        struct milvus_version found = {0, 0, 0};
        ck_assert_msg(!milvus_version_parse(texts[i], &found), "%s", texts[i]);
        ck_assert_uint_eq(found.major, 99);
    }
}
END_TEST

START_TEST(test_compare__each_part_counts)
{
    const struct milvus_version a = {2, 3, 5};
    const struct milvus_version others[] = {{1, 9, 9}, {2, 2, 16}, {2, 3, 4}};
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
        ck_assert_int_gt(milvus_version_compare(&a, &others[i]), 0);
        ck_assert_int_lt(milvus_version_compare(&others[i], &a), 0);
    }
}
END_TEST

START_TEST(test_features__at_their_releases)
{
    ck_assert(!can("2.2.8", MILVUS_CAN_DATABASES) && can("2.2.9", MILVUS_CAN_DATABASES));
    ck_assert(!can("2.3.5", MILVUS_CAN_DESCRIBE_DATABASE));
    ck_assert(can("2.4.3", MILVUS_CAN_DESCRIBE_DATABASE));
    ck_assert(!can("2.2.16", MILVUS_CAN_REINSERT) && can("2.3.5", MILVUS_CAN_REINSERT));
    ck_assert(!can("2.3.22.6", MILVUS_CAN_L0) && can("2.4.0", MILVUS_CAN_L0));
    ck_assert(!can("2.5.27", MILVUS_CAN_ADD_FIELD) && can("2.6.0", MILVUS_CAN_ADD_FIELD));
    ck_assert_uint_eq(features_of("nonsense"), (UINT64_C(1) << MILVUS_FEATURE_COUNT) - 1);
}
END_TEST

START_TEST(test_features__table_is_complete)
{
    for (int i = 0; i < MILVUS_FEATURE_COUNT; i++) {
        struct milvus_version since = {0, 0, 0};
        ck_assert_ptr_nonnull(milvus_feature_text((enum milvus_feature)i));
        ck_assert(milvus_version_parse(milvus_feature_since((enum milvus_feature)i), &since));
        ck_assert_msg(can(milvus_feature_since((enum milvus_feature)i), (enum milvus_feature)i),
                      "feature %d: text and number of its release differ", i);
    }
}
END_TEST

WIRE_MAIN("version", NULL, NULL, test_parse__known_forms, test_parse__nonsense_counts_as_newest,
          test_compare__each_part_counts, test_features__at_their_releases,
          test_features__table_is_complete)
