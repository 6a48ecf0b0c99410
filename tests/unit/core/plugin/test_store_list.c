/* SPDX-License-Identifier: Apache-2.0
 *
 * core/plugin/store_list: paging, and listings that break their promises.
 */
#include "core/plugin/store.h"
#include "tests/harness/suite.h"
#include "tests/harness/test_ops.h"

static bp_store *store;
static GString *seen;

static void
setup(void)
{
    test_ops_reset();
    store = test_ops_open("data", "s");
    seen = g_string_new(NULL);
}

static void
teardown(void)
{
    bp_store_free(store);
    g_string_free(seen, TRUE);
}

static bool
note(void *ctx, const char *key, const struct bp_object_meta *meta)
{
    guint *left = ctx;
    g_string_append_printf(seen, "%s%s ", key, meta != NULL ? "" : "*");
    return left == NULL || --*left > 0;
}

static bool
count(void *ctx, const char *key, const struct bp_object_meta *meta)
{
    (void)key;
    (void)meta;
    ++*(guint *)ctx;
    return true;
}

static void
seed(const char *const *keys)
{
    for (; *keys != NULL; keys++) {
        test_ops_seed("s", *keys, "x");
    }
}

#define SEED(...) seed((const char *const[]){__VA_ARGS__, NULL})

START_TEST(test_list__prefix_and_groups)
{
    g_autoptr(GError) error = NULL;
    SEED("a/1", "a/2", "ab", "b/c/d", "b/e");
    bp_store_list_params deep = {.prefix = "a"};
    ASSERT_FINE(bp_store_list(store, NULL, &deep, note, NULL, &error), error);
    ck_assert_str_eq(seen->str, "a/1 a/2 ab ");
    g_string_truncate(seen, 0);
    bp_store_list_params level = {.delimiter = '/'};
    ASSERT_FINE(bp_store_list(store, NULL, &level, note, NULL, &error), error);
    ck_assert_str_eq(seen->str, "a/* ab b/* ");
}
END_TEST

START_TEST(test_list__many_pages)
{
    g_autoptr(GError) error = NULL;
    guint n = 0;
    for (guint i = 0; i < 2001; i++) {
        g_autofree char *key = g_strdup_printf("k/%05u", i);
        test_ops_seed("s", key, "x");
    }
    bp_store_list_params params = {.prefix = "k/"};
    ASSERT_FINE(bp_store_list(store, NULL, &params, count, &n, &error), error);
    ck_assert_uint_eq(n, 2001);
    ck_assert_uint_eq(test_ops_calls("list"), 3);
}
END_TEST

START_TEST(test_list__visitor_stops)
{
    g_autoptr(GError) error = NULL;
    guint left = 2;
    SEED("a", "b", "c");
    bp_store_list_params params = {.prefix = ""};
    ASSERT_FINE(bp_store_list(store, NULL, &params, note, &left, &error), error);
    ck_assert_str_eq(seen->str, "a b ");
}
END_TEST

static bool
remove_it(void *ctx, const char *key, const struct bp_object_meta *meta)
{
    (void)meta;
    g_autoptr(GError) error = NULL;
    ASSERT_FINE(bp_store_remove(ctx, NULL, key, NULL, &error), error);
    return true;
}

START_TEST(test_list__visitor_may_call_the_store)
{
    g_autoptr(GError) error = NULL;
    SEED("a", "b", "c");
    bp_store_list_params params = {.prefix = ""};
    ASSERT_FINE(bp_store_list(store, NULL, &params, remove_it, store, &error), error);
    ck_assert_uint_eq(test_ops_count("s"), 0);
}
END_TEST

START_TEST(test_list__start_after_with_and_without_help)
{
    g_autoptr(GError) error = NULL;
    SEED("a", "b", "c");
    bp_store_list_params params = {.start_after = "a"};
    ASSERT_FINE(bp_store_list(store, NULL, &params, note, NULL, &error), error);
    test_ops_set_caps(BP_STORE_RANGE_READ);
    g_autoptr(bp_store) poor = test_ops_open("poor", "s");
    ASSERT_FINE(bp_store_list(poor, NULL, &params, note, NULL, &error), error);
    ck_assert_str_eq(seen->str, "b c b c ");
}
END_TEST

START_TEST(test_list__bad_prefix)
{
    g_autoptr(GError) error = NULL;
    bp_store_list_params params = {.prefix = "../x"};
    ck_assert(!bp_store_list(store, NULL, &params, note, NULL, &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "storage data: list: prefix \"../x\" has a part");
    ck_assert_uint_eq(test_ops_calls("list"), 0);
}
END_TEST

START_TEST(test_list__lies)
{
    static const struct {
        test_lie lie;
        const char *message;
    } cases[] = {
        {TEST_LIE_FOREIGN_KEY, "key \"somewhere/else\" lies outside of the prefix"},
        {TEST_LIE_SAME_TOKEN, "is the same again"},
        {TEST_LIE_LONG_TOKEN, "answered a token of more than 4096 bytes"},
        {TEST_LIE_EMPTY_PAGES, "empty pages one after the other"},
    };
    bp_store_list_params params = {.prefix = "k/"};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        test_ops_set_lie(cases[i].lie);
        ck_assert(!bp_store_list(store, NULL, &params, note, NULL, &error));
        ASSERT_ERROR(error, BP_ERR_PERMANENT, cases[i].message);
    }
}
END_TEST

START_TEST(test_list__lies_about_keys)
{
    g_autoptr(GError) error = NULL;
    bp_store_list_params params = {.prefix = ""};
    test_ops_set_lie(TEST_LIE_BAD_KEY);
    ck_assert(!bp_store_list(store, NULL, &params, note, NULL, &error));
    ASSERT_ERROR(error, BP_ERR_PERMANENT,
                 "plugin bug: memory list: key \"a//b\" has an empty part");
    test_ops_set_lie(TEST_LIE_UNSORTED);
    ck_assert(!bp_store_list(store, NULL, &params, note, NULL, &error));
    ASSERT_ERROR(error, BP_ERR_PERMANENT, "key \"a\" breaks the promised order");
    SEED("a", "b", "c");
    test_ops_set_lie(TEST_LIE_TOO_MANY);
    bool any = false;
    ck_assert(!bp_store_has_any(store, NULL, "", &any, &error));
    ASSERT_ERROR(error, BP_ERR_PERMANENT, "key \"b\" is more than was asked for");
}
END_TEST

START_TEST(test_has_any__asks_for_one)
{
    g_autoptr(GError) error = NULL;
    bool any = true;
    SEED("a/1", "a/2");
    ASSERT_FINE(bp_store_has_any(store, NULL, "b", &any, &error), error);
    ck_assert(!any);
    ASSERT_FINE(bp_store_has_any(store, NULL, "a/", &any, &error), error);
    ck_assert(any);
    ck_assert_uint_eq(test_ops_calls("list"), 2);
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/plugin/store_list", setup, teardown, test_list__prefix_and_groups,
                     test_list__many_pages, test_list__visitor_stops,
                     test_list__visitor_may_call_the_store,
                     test_list__start_after_with_and_without_help, test_list__bad_prefix,
                     test_list__lies, test_list__lies_about_keys, test_has_any__asks_for_one);
}
