/* SPDX-License-Identifier: Apache-2.0
 *
 * When the destination may be asked to copy by itself.
 */
#include "core/base/log.h"
#include "core/copy/routes.h"
#include "fixture.h"

#include "sdk/lib/ban.h"

static bp_routes *routes;
static guint n_lines;

static void
setup(void)
{
    n_lines = 0;
    test_stores_open();
    routes = bp_routes_new(test_dst);
    fake_store_facts(test_dst)->caps |= BP_STORE_SERVER_COPY;
    g_strlcpy(fake_store_facts(test_dst)->copy_scope, "disk", 32);
    g_strlcpy(fake_store_facts(test_src)->copy_scope, "disk", 32);
}

static void
teardown(void)
{
    bp_routes_free(routes);
    test_stores_close();
}

START_TEST(test_routes_is_direct__same_plugin_and_scope)
{
    ck_assert(bp_routes_is_direct(routes, test_src));
}
END_TEST

START_TEST(test_routes_is_direct__not_a_stream)
{
    ck_assert(!bp_routes_is_direct(routes, NULL));
}
END_TEST

START_TEST(test_routes_is_direct__other_plugin)
{
    fake_store_set_kind(test_src, "other");
    ck_assert(!bp_routes_is_direct(routes, test_src));
}
END_TEST

START_TEST(test_routes_is_direct__other_scope)
{
    g_strlcpy(fake_store_facts(test_src)->copy_scope, "elsewhere", 32);
    ck_assert(!bp_routes_is_direct(routes, test_src));
}
END_TEST

START_TEST(test_routes_is_direct__empty_scopes_are_not_equal)
{
    fake_store_facts(test_src)->copy_scope[0] = '\0';
    fake_store_facts(test_dst)->copy_scope[0] = '\0';
    ck_assert(!bp_routes_is_direct(routes, test_src));
}
END_TEST

START_TEST(test_routes_is_direct__not_without_the_capability)
{
    fake_store_facts(test_dst)->caps &= ~BP_STORE_SERVER_COPY;
    ck_assert(!bp_routes_is_direct(routes, test_src));
}
END_TEST

static void
count_line(void *ctx G_GNUC_UNUSED, const char *line)
{
    ck_assert_ptr_nonnull(strstr(line, " items are streamed"));
    ck_assert_ptr_nonnull(strstr(line, "not allowed"));
    n_lines++;
}

START_TEST(test_routes_avoid__remembers_and_says_so_once)
{
    g_autoptr(GError) reason = g_error_new_literal(BP_ERROR, BP_ERR_DENIED, "not allowed");
    bp_store *third = fake_store_new("third");
    g_strlcpy(fake_store_facts(third)->copy_scope, "disk", 32);
    bp_log_set_level(BP_LOG_INFO);
    bp_log_set_sink(count_line, NULL);
    bp_routes_avoid(routes, test_src, reason);
    bp_routes_avoid(routes, test_src, reason);
    bp_log_set_sink(NULL, NULL);
    ck_assert_uint_eq(n_lines, 1);
    ck_assert(!bp_routes_is_direct(routes, test_src));
    ck_assert(bp_routes_is_direct(routes, third));
    bp_store_free(third);
}
END_TEST

START_TEST(test_routes_avoid_parts__leaves_whole_copies)
{
    g_autoptr(GError) reason = g_error_new_literal(BP_ERROR, BP_ERR_UNSUPPORTED, "not allowed");
    bp_log_set_level(BP_LOG_INFO);
    bp_log_set_sink(count_line, NULL);
    ck_assert(bp_routes_has_parts(routes, test_src));
    bp_routes_avoid_parts(routes, test_src, reason);
    bp_routes_avoid_parts(routes, test_src, reason);
    bp_log_set_sink(NULL, NULL);
    ck_assert_uint_eq(n_lines, 1);
    ck_assert(!bp_routes_has_parts(routes, test_src));
    ck_assert(bp_routes_is_direct(routes, test_src));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("copy/routes");
    TCase *tc = tcase_create("routes");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_routes_is_direct__same_plugin_and_scope);
    tcase_add_test(tc, test_routes_is_direct__not_a_stream);
    tcase_add_test(tc, test_routes_is_direct__other_plugin);
    tcase_add_test(tc, test_routes_is_direct__other_scope);
    tcase_add_test(tc, test_routes_is_direct__empty_scopes_are_not_equal);
    tcase_add_test(tc, test_routes_is_direct__not_without_the_capability);
    tcase_add_test(tc, test_routes_avoid__remembers_and_says_so_once);
    tcase_add_test(tc, test_routes_avoid_parts__leaves_whole_copies);
    suite_add_tcase(suite, tc);
    return test_run(suite);
}
