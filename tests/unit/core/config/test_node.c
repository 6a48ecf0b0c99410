/* SPDX-License-Identifier: Apache-2.0
 *
 * core/config/node: trees of what was said.
 */
#include "core/config/node.h"

#include "fixture.h"

START_TEST(test_bp_node_put__makes_the_maps_on_the_way)
{
    g_autoptr(bp_node) root = bp_node_new(BP_NODE_MAP);
    bp_node_put(root, "backup.concurrency.units", "4", "--set");
    const bp_node *units = bp_node_at(root, "backup.concurrency.units");
    ck_assert_ptr_nonnull(units);
    ck_assert_str_eq(units->text, "4");
    ck_assert_int_eq(bp_node_at(root, "backup.concurrency")->kind, BP_NODE_MAP);
}
END_TEST

START_TEST(test_bp_node_put__last_one_wins_also_over_another_kind)
{
    g_autoptr(bp_node) root = bp_node_new(BP_NODE_MAP);
    bp_node_put(root, "source.password", "text", "--set");
    bp_node_put(root, "source.password.file", "/pw", "--set");
    ck_assert_int_eq(bp_node_at(root, "source.password")->kind, BP_NODE_MAP);
    bp_node_put(root, "source.password", "again", "--set");
    ck_assert_str_eq(bp_node_at(root, "source.password")->text, "again");
    ck_assert_uint_eq(bp_node_child(root, "source")->children->len, 1);
}
END_TEST

START_TEST(test_bp_node_at__is_null_where_nothing_is)
{
    g_autoptr(bp_node) root = bp_node_new(BP_NODE_MAP);
    bp_node_put(root, "a.bc", "1", "--set");
    ck_assert_ptr_null(bp_node_at(root, "a.b"));
    ck_assert_ptr_null(bp_node_at(root, "a.bc.d"));
    ck_assert_ptr_null(bp_node_at(root, "x"));
    ck_assert_ptr_eq(bp_node_at(root, ""), root);
    ck_assert_ptr_null(bp_node_at(NULL, "a"));
}
END_TEST

START_TEST(test_bp_node_origin__names_the_file_and_line_or_the_layer)
{
    g_autoptr(bp_node) root = bp_node_new(BP_NODE_MAP);
    root->line = 7;
    g_autofree char *origin = bp_node_origin(root, "/etc/b.yaml");
    g_autofree char *where = bp_node_where(root, "/etc/b.yaml");
    ck_assert_str_eq(origin, "file /etc/b.yaml:7");
    ck_assert_str_eq(where, "/etc/b.yaml:7");
    bp_node_put(root, "a", "1", "--set");
    g_autofree char *set = bp_node_origin(bp_node_at(root, "a"), "/etc/b.yaml");
    ck_assert_str_eq(set, "--set");
}
END_TEST

START_TEST(test_bp_node_is_null__tells_nothing_from_empty)
{
    g_autoptr(bp_node) nothing = bp_node_new(BP_NODE_TEXT);
    g_autoptr(bp_node) empty = bp_node_new(BP_NODE_TEXT);
    empty->text = g_strdup("");
    ck_assert(bp_node_is_null(nothing));
    ck_assert(bp_node_is_null(NULL));
    ck_assert(!bp_node_is_null(empty));
}
END_TEST

int
main(void)
{
    TCase *cases = fixture_cases("node");
    tcase_add_test(cases, test_bp_node_put__makes_the_maps_on_the_way);
    tcase_add_test(cases, test_bp_node_put__last_one_wins_also_over_another_kind);
    tcase_add_test(cases, test_bp_node_at__is_null_where_nothing_is);
    tcase_add_test(cases, test_bp_node_origin__names_the_file_and_line_or_the_layer);
    tcase_add_test(cases, test_bp_node_is_null__tells_nothing_from_empty);
    return fixture_run("node", cases);
}
