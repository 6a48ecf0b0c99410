/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine: what it reads back, compares and hands on as proof.
 */
#include "engine_fixture.h"

#include "sdk/lib/checksum.h"

#include "sdk/lib/ban.h"

START_TEST(test_copy__read_back)
{
    fill_source();
    params.read_back = true;
    g_autoptr(bp_copy) copy = bp_copy_new(&params);
    g_autoptr(bp_copy_group) group = bp_copy_group_new(copy);
    submit_all(copy, group);
    ck_assert(bp_copy_flush(copy, NULL));
    ck_assert_uint_eq(n_proven, N);
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_READ_OPEN), N);
}
END_TEST

static void
spoil(void *ctx G_GNUC_UNUSED, const char *key)
{
    fake_store_set_text(test_dst, key, "bad");
}

START_TEST(test_copy__read_back_finds_what_the_disk_changed)
{
    fill_source();
    params.read_back = true;
    fake_store_add_fault(test_dst,
                         &(fake_fault){.op = FAKE_READ_OPEN, .key = "k/5", .hook = spoil});
    g_autoptr(bp_copy) copy = bp_copy_new(&params);
    g_autoptr(bp_copy_group) group = bp_copy_group_new(copy);
    submit_all(copy, group);
    GError *error = NULL;
    ck_assert(!bp_copy_flush(copy, &error));
    test_error_is(&error, BP_ERR_CORRUPT, "copy of k/5: read back its xxh3-128 is ");
    ck_assert_uint_eq(n_proven, 0);
}
END_TEST

static struct bp_checksum seal;

static bool
note_seal(void *ctx G_GNUC_UNUSED, const bp_copied *items, gsize n G_GNUC_UNUSED,
          GError **error G_GNUC_UNUSED)
{
    seal = items[0].checksum;
    return true;
}

START_TEST(test_copy__read_back_seals_what_nobody_saw)
{
    fake_store_set_text(test_src, "k/0", "k/0");
    params.read_back = true;
    params.no_checksum = true;
    params.proven = note_seal;
    seal.kind = BP_CHECKSUM_NONE;
    g_autoptr(bp_copy) copy = bp_copy_new(&params);
    g_autoptr(bp_copy_group) group = bp_copy_group_new(copy);
    ck_assert(submit(copy, group, 0, NULL));
    ck_assert(bp_copy_flush(copy, NULL));
    ck_assert_uint_eq(seal.kind, BP_CHECKSUM_XXH3_128);
}
END_TEST

/* Nobody sees the bytes pass, but what they must be is known. */
START_TEST(test_copy__read_back_compares_with_what_was_expected)
{
    fake_store_set_text(test_src, "k/0", "k/0");
    params.read_back = true;
    params.no_checksum = true;
    bp_copy_item item = {.src = test_src, .src_key = "k/0", .dst_key = "k/0", .size = 3};
    item.checksum = (struct bp_checksum){.kind = BP_CHECKSUM_MD5, .value = {1}};
    g_autoptr(bp_copy) copy = bp_copy_new(&params);
    g_autoptr(bp_copy_group) group = bp_copy_group_new(copy);
    ck_assert(bp_copy_submit(copy, group, &item, NULL));
    GError *error = NULL;
    ck_assert(!bp_copy_flush(copy, &error));
    test_error_is(&error, BP_ERR_CORRUPT, "copy of k/0: read back its md5 is ");
    ck_assert_uint_eq(n_proven, 0);
}
END_TEST

static bool
compare_with_item(void *ctx, const bp_copied *items, gsize n, GError **error G_GNUC_UNUSED)
{
    const bp_copy_item *item = ctx;
    ck_assert_uint_eq(n, 1);
    ck_assert(bp_checksum_equal(&items[0].expected, &item->checksum));
    ck_assert_str_eq(items[0].label, item->label);
    n_proven++;
    return true;
}

START_TEST(test_copy__what_came_with_an_item_comes_back)
{
    fake_store_set_text(test_src, "k/0", "k/0");
    params.no_checksum = true; /* so that a wrong one passes */
    params.proven = compare_with_item;
    bp_copy_item item = {
        .src = test_src, .src_key = "k/0", .dst_key = "k/0", .size = 3, .label = "mine"};
    item.checksum = (struct bp_checksum){.kind = BP_CHECKSUM_MD5, .value = {1}};
    params.ctx = &item;
    g_autoptr(bp_copy) copy = bp_copy_new(&params);
    g_autoptr(bp_copy_group) group = bp_copy_group_new(copy);
    ck_assert(bp_copy_submit(copy, group, &item, NULL));
    ck_assert(bp_copy_flush(copy, NULL));
    ck_assert_uint_eq(n_proven, 1);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("copy/engine_proof");
    TCase *tc = tcase_create("proof");
    tcase_add_checked_fixture(tc, engine_setup, engine_teardown);
    tcase_add_test(tc, test_copy__read_back);
    tcase_add_test(tc, test_copy__read_back_finds_what_the_disk_changed);
    tcase_add_test(tc, test_copy__read_back_seals_what_nobody_saw);
    tcase_add_test(tc, test_copy__read_back_compares_with_what_was_expected);
    tcase_add_test(tc, test_copy__what_came_with_an_item_comes_back);
    suite_add_tcase(suite, tc);
    return test_run(suite);
}
