/* SPDX-License-Identifier: Apache-2.0
 *
 * core/catalog/sizes: sizes of many objects from one listing.
 */
#include "core/catalog/sizes.h"

#include "tests/unit/core/catalog/fixture.h"

static bp_sizes_params params;

static void
setup(void)
{
    fixture_setup();
    params = (bp_sizes_params){.catalog = &fix.catalog, .prefix = "b/"};
    for (guint i = 0; i < 2500; i++) {
        g_autofree char *key = g_strdup_printf("b/data/%u", i);
        g_autofree char *text = g_strnfill(i % 7, 'x');
        fake_store_set_text(fix.store, key, text);
    }
    fake_store_set_text(fix.store, "bb/data/other", "x");
}

static bp_sizes *
load(void)
{
    bp_sizes *sizes = bp_sizes_load(&params, &fix.error);
    ASSERT_FINE(sizes != NULL, fix.error);
    return sizes;
}

START_TEST(test_load__all_below_the_prefix)
{
    g_autoptr(bp_sizes) sizes = load();
    ck_assert_uint_eq(bp_sizes_count(sizes), 2500);
    ck_assert_uint_eq(bp_sizes_find(sizes, "data/13"), 6);
    ck_assert_uint_eq(bp_sizes_find(sizes, "data/0"), 0);
    ck_assert(bp_sizes_find(sizes, "data/2500") == BP_UNKNOWN);
    ck_assert(bp_sizes_find(sizes, "data/other") == BP_UNKNOWN);
    ck_assert_uint_eq(fake_store_calls(fix.store, FAKE_STAT), 0);
}
END_TEST

START_TEST(test_load__nothing_there)
{
    params.prefix = "c/";
    g_autoptr(bp_sizes) sizes = load();
    ck_assert_uint_eq(bp_sizes_count(sizes), 0);
    ck_assert(bp_sizes_find(sizes, "data/1") == BP_UNKNOWN);
}
END_TEST

static bool
skip_tens(void *ctx, const char *key)
{
    (void)ctx;
    return g_str_has_suffix(key, "0");
}

START_TEST(test_load__without_what_does_not_matter)
{
    params.skip = skip_tens;
    g_autoptr(bp_sizes) sizes = load();
    ck_assert_uint_eq(bp_sizes_count(sizes), 2250);
    ck_assert(bp_sizes_find(sizes, "data/10") == BP_UNKNOWN);
}
END_TEST

START_TEST(test_load__is_tried_again)
{
    for (int sorted = 0; sorted < 2; sorted++) {
        if (sorted == 0) {
            fake_store_facts(fix.store)->caps &= ~BP_STORE_LIST_SORTED;
        } else {
            fake_store_facts(fix.store)->caps |= BP_STORE_LIST_SORTED;
        }
        fake_store_add_fault(fix.store, &(fake_fault){.op = FAKE_LIST,
                                                      .skip = sorted == 0 ? 0 : 1,
                                                      .times = 1,
                                                      .cls = BP_ERR_RETRYABLE});
        g_autoptr(bp_sizes) sizes = load();
        ck_assert_uint_eq(bp_sizes_count(sizes), 2500);
    }
}
END_TEST

START_TEST(test_load__failure)
{
    fake_store_add_fault(fix.store, &(fake_fault){.op = FAKE_LIST, .cls = BP_ERR_DENIED});
    ck_assert_ptr_null(bp_sizes_load(&params, &fix.error));
    ASSERT_ERROR(fix.error, BP_ERR_DENIED, "injected");
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/catalog/sizes", setup, fixture_teardown, test_load__all_below_the_prefix,
                     test_load__nothing_there, test_load__without_what_does_not_matter,
                     test_load__is_tried_again, test_load__failure);
}
