/* SPDX-License-Identifier: Apache-2.0
 *
 * core/verb/select: filter terms, rename rules, and what holds for all of them.
 */
#include "core/verb/select.h"

#include "tests/harness/suite.h"

static bp_selection *selection;

static void
setup(void)
{
    selection = bp_selection_new("default");
}

static void
teardown(void)
{
    bp_selection_free(selection);
}

static void
add_filter(const char *text)
{
    g_autoptr(GError) error = NULL;
    ASSERT_FINE(bp_selection_add_filter(selection, text, &error), error);
}

static bp_renames *
renames_of(const char *rules, const char *suffix)
{
    g_autoptr(GError) error = NULL;
    bp_renames *renames = bp_renames_new("default", rules, suffix, &error);
    ASSERT_FINE(renames != NULL, error);
    return renames;
}

static void
assert_renamed(bp_renames *renames, const char *parent, const char *child, const char *to)
{
    g_autofree char *to_parent = NULL;
    g_autofree char *to_child = NULL;
    bp_renames_apply(renames, parent, child, &to_parent, &to_child);
    g_autofree char *path = g_strconcat(to_parent, ".", to_child, NULL);
    ck_assert_str_eq(path, to);
}

START_TEST(test_wants__nothing_said_is_everything)
{
    ck_assert(bp_selection_is_empty(selection));
    ck_assert(bp_selection_wants_parent(selection, "db"));
    ck_assert(bp_selection_wants_child(selection, "db", "c"));
    ck_assert_ptr_null(bp_selection_unmatched(selection));
}
END_TEST

START_TEST(test_wants__one_child)
{
    add_filter("db.c");
    ck_assert(bp_selection_wants_parent(selection, "db"));
    ck_assert(bp_selection_wants_child(selection, "db", "c"));
    ck_assert(!bp_selection_wants_child(selection, "db", "c2"));
    ck_assert(!bp_selection_wants_child(selection, "db", "*"));
    ck_assert(!bp_selection_wants_child(selection, "default", "c"));
    ck_assert(!bp_selection_wants_parent(selection, "default"));
}
END_TEST

START_TEST(test_wants__bare_name_is_of_the_default_parent)
{
    add_filter("c");
    ck_assert(bp_selection_wants_child(selection, "default", "c"));
    ck_assert(!bp_selection_wants_child(selection, "db", "c"));
}
END_TEST

START_TEST(test_wants__all_children_of_a_parent)
{
    add_filter("db.*");
    ck_assert(bp_selection_wants_child(selection, "db", "c"));
    ck_assert(bp_selection_wants_child(selection, "db", "日本"));
    ck_assert(!bp_selection_wants_child(selection, "db2", "c"));
}
END_TEST

START_TEST(test_wants__parent_without_children)
{
    add_filter("db.");
    ck_assert(bp_selection_wants_parent(selection, "db"));
    ck_assert(!bp_selection_wants_child(selection, "db", "c"));
}
END_TEST

START_TEST(test_wants__terms_add_up)
{
    add_filter(" a.* , b.c ,d ");
    ck_assert(bp_selection_wants_child(selection, "a", "x"));
    ck_assert(bp_selection_wants_child(selection, "b", "c"));
    ck_assert(bp_selection_wants_child(selection, "default", "d"));
    ck_assert(!bp_selection_wants_child(selection, "b", "d"));
}
END_TEST

START_TEST(test_unmatched__names_terms_that_matched_nothing)
{
    add_filter("a.*, b.c, d, e.");
    (void)bp_selection_wants_child(selection, "a", "x");
    (void)bp_selection_wants_parent(selection, "b");
    g_autofree char *some = bp_selection_unmatched(selection);
    ck_assert_str_eq(some, "b.c, d, e.");
    (void)bp_selection_wants_child(selection, "b", "c");
    (void)bp_selection_wants_child(selection, "default", "d");
    (void)bp_selection_wants_parent(selection, "e");
    ck_assert_ptr_null(bp_selection_unmatched(selection));
}
END_TEST

START_TEST(test_unmatched__wildcard_of_an_empty_parent_matched)
{
    add_filter("db.*");
    (void)bp_selection_wants_parent(selection, "db");
    ck_assert_ptr_null(bp_selection_unmatched(selection));
}
END_TEST

START_TEST(test_add_filter__refuses_what_is_no_term)
{
    static const char *const bad[] = {"",     " ",    "*",  "a,,b", "a,",   ".c",    ".",
                                      "a.b.", "a..b", "a*", "a.b*", "*.a",  "a.*.b", "a:b",
                                      "a b",  "a\tb", "\n", "*.*",  "a.b.c"};
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        GError *error = NULL;
        ck_assert_msg(!bp_selection_add_filter(selection, bad[i], &error), "taken: '%s'", bad[i]);
        ASSERT_ERROR(error, BP_ERR_INVALID, "filter: ");
    }
}
END_TEST

START_TEST(test_add_filter__error_names_the_term)
{
    GError *error = NULL;
    ck_assert(!bp_selection_add_filter(selection, "a.b,c.d.e", &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "'c.d.e' is no valid term in 'a.b,c.d.e'");
}
END_TEST

START_TEST(test_add_children__takes_no_wildcards)
{
    GError *error = NULL;
    ASSERT_FINE(bp_selection_add_children(selection, "c, db.d", &error), error);
    ck_assert(bp_selection_wants_child(selection, "default", "c"));
    ck_assert(bp_selection_wants_child(selection, "db", "d"));
    ck_assert(!bp_selection_add_children(selection, "db.*", &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "collections: 'db.*'");
    ck_assert(!bp_selection_add_children(selection, "db.", &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "collections: 'db.'");
}
END_TEST

START_TEST(test_add_parents__takes_all_their_children)
{
    GError *error = NULL;
    ASSERT_FINE(bp_selection_add_parents(selection, "a, b", &error), error);
    ck_assert(bp_selection_wants_child(selection, "b", "x"));
    ck_assert(!bp_selection_wants_child(selection, "c", "x"));
    ck_assert(!bp_selection_add_parents(selection, "a.b", &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "databases: 'a.b'");
}
END_TEST

START_TEST(test_add_json__lists_and_whole_parents)
{
    GError *error = NULL;
    ASSERT_FINE(bp_selection_add_json(selection, "{\"a\": [], \"b\": [\"x\", \"y\"]}", &error),
                error);
    ck_assert(bp_selection_wants_child(selection, "a", "any"));
    ck_assert(bp_selection_wants_child(selection, "b", "y"));
    ck_assert(!bp_selection_wants_child(selection, "b", "z"));
    (void)bp_selection_wants_parent(selection, "a");
    g_autofree char *unmatched = bp_selection_unmatched(selection);
    ck_assert_str_eq(unmatched, "b.x");
}
END_TEST

START_TEST(test_add_json__refuses_other_shapes)
{
    static const char *const bad[] = {"",
                                      "[]",
                                      "{\"a\": \"x\"}",
                                      "{\"a\":[1]}",
                                      "{\"\": []}",
                                      "{\"a\": [\"x.y\"]}",
                                      "{\"a.b\": []}",
                                      "{\"a\": [\"*\"]}"};
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        GError *error = NULL;
        ck_assert_msg(!bp_selection_add_json(selection, bad[i], &error), "taken: %s", bad[i]);
        ASSERT_ERROR(error, BP_ERR_INVALID, "database_collections");
    }
    ck_assert(!bp_selection_add_json(selection, "{", NULL));
}
END_TEST

START_TEST(test_parse__all_texts_together)
{
    GError *error = NULL;
    bp_select_text text = {
        .filter = "a.*", .children = "c", .parents = "p", .json = "{\"j\": [\"x\"]}"};
    g_autoptr(bp_selection) all = bp_select_parse(&text, "default", &error);
    ASSERT_FINE(all != NULL, error);
    g_autofree char *unmatched = bp_selection_unmatched(all);
    ck_assert_str_eq(unmatched, "a.*, c, p, j.x");
    text.json = "{";
    ck_assert_ptr_null(bp_select_parse(&text, "default", &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "database_collections");
}
END_TEST

START_TEST(test_renames__exact_then_wildcard_then_suffix)
{
    g_autoptr(bp_renames) renames = renames_of("a.x:b.y, a.*:c.* ,z:w", "_new");
    assert_renamed(renames, "a", "x", "b.y");
    assert_renamed(renames, "a", "other", "c.other_new");
    assert_renamed(renames, "default", "z", "default.w");
    assert_renamed(renames, "default", "v", "default.v_new");
    g_autofree char *moved = bp_renames_parent(renames, "a");
    ck_assert_str_eq(moved, "c");
    ck_assert_ptr_null(bp_renames_unmatched(renames));
}
END_TEST

START_TEST(test_renames__no_rules_keep_all_names)
{
    g_autoptr(bp_renames) renames = renames_of(NULL, NULL);
    assert_renamed(renames, "a", "x", "a.x");
    ck_assert_ptr_null(bp_renames_unmatched(renames));
}
END_TEST

START_TEST(test_renames__unmatched_rules_are_named)
{
    g_autoptr(bp_renames) renames = renames_of("a.x:b.y,c:d", NULL);
    assert_renamed(renames, "default", "c", "default.d");
    g_autofree char *unmatched = bp_renames_unmatched(renames);
    ck_assert_str_eq(unmatched, "a.x:b.y");
}
END_TEST

START_TEST(test_renames__refuses_what_is_no_rule)
{
    static const char *const bad[] = {"a",     "a:",       ":b",      "a:b:c",   "a.x:b",
                                      "a:b.x", "a.*:b",    "a.*:b.c", "a.x:b.*", "a.:b.",
                                      "a:b,",  "a:b,,c:d", "a.*:*"};
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        GError *error = NULL;
        g_autoptr(bp_renames) taken = bp_renames_new("default", bad[i], NULL, &error);
        ck_assert_msg(taken == NULL, "taken: '%s'", bad[i]);
        ASSERT_ERROR(error, BP_ERR_INVALID, "is no rule\nhint: ");
    }
}
END_TEST

START_TEST(test_renames__refuses_a_suffix_that_is_no_name)
{
    static const char *const bad[] = {"", "a.b", "*", "a b", ","};
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        GError *error = NULL;
        ck_assert_ptr_null(bp_renames_new("default", NULL, bad[i], &error));
        ASSERT_ERROR(error, BP_ERR_INVALID, "cannot be part of a name");
    }
}
END_TEST

/* A random name of letters that need care in other places. */
static char *
random_name(GRand *rand)
{
    static const char *const letters[] = {"a", "B", "0", "_", "-", "é", "日", "$", "/", "%"};
    GString *name = g_string_new(NULL);
    for (gint n = g_rand_int_range(rand, 1, 6); n > 0; n--) {
        g_string_append(name, letters[g_rand_int_range(rand, 0, G_N_ELEMENTS(letters))]);
    }
    return g_string_free(name, FALSE);
}

START_TEST(test_property__a_term_selects_its_child_and_no_other)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(4711);
    for (guint round = 0; round < 2000; round++) {
        g_autofree char *parent = random_name(rand);
        g_autofree char *child = random_name(rand);
        g_autofree char *other = random_name(rand);
        g_autofree char *term = g_strconcat(parent, ".", child, NULL);
        g_autoptr(bp_selection) one = bp_selection_new("default");
        g_autoptr(GError) error = NULL;
        ASSERT_FINE(bp_selection_add_filter(one, term, &error), error);
        ck_assert(bp_selection_wants_child(one, parent, child));
        ck_assert_ptr_null(bp_selection_unmatched(one));
        ck_assert(bp_selection_wants_child(one, parent, other) == (strcmp(child, other) == 0));
        ck_assert(bp_selection_wants_child(one, other, child) == (strcmp(parent, other) == 0));
    }
}
END_TEST

START_TEST(test_property__there_and_back_is_where_it_was)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(815);
    for (guint round = 0; round < 2000; round++) {
        g_autofree char *parent = random_name(rand);
        g_autofree char *child = random_name(rand);
        g_autofree char *to_parent = random_name(rand);
        g_autofree char *to_child = random_name(rand);
        g_autofree char *there = g_strdup_printf("%s.%s:%s.%s", parent, child, to_parent, to_child);
        g_autofree char *back = g_strdup_printf("%s.%s:%s.%s", to_parent, to_child, parent, child);
        g_autofree char *target = g_strconcat(to_parent, ".", to_child, NULL);
        g_autofree char *origin = g_strconcat(parent, ".", child, NULL);
        g_autoptr(bp_renames) forth = renames_of(there, NULL);
        g_autoptr(bp_renames) home = renames_of(back, NULL);
        assert_renamed(forth, parent, child, target);
        assert_renamed(home, to_parent, to_child, origin);
    }
}
END_TEST

START_TEST(test_property__any_text_is_taken_or_refused_cleanly)
{
    static const char alphabet[] = "ab.*:, \t\"{}[]\\\x01\xc3";
    g_autoptr(GRand) rand = g_rand_new_with_seed(42);
    for (guint round = 0; round < 20000; round++) {
        char text[12] = "";
        for (gint n = g_rand_int_range(rand, 0, sizeof text - 1); n > 0; n--) {
            text[n - 1] = alphabet[g_rand_int_range(rand, 0, sizeof alphabet - 1)];
        }
        g_autoptr(GError) filter = NULL;
        g_autoptr(GError) json = NULL;
        g_autoptr(GError) rename = NULL;
        g_autoptr(bp_selection) one = bp_selection_new("default");
        ck_assert(bp_selection_add_filter(one, text, &filter) == (filter == NULL));
        ck_assert(bp_selection_add_json(one, text, &json) == (json == NULL));
        g_autoptr(bp_renames) renames = bp_renames_new("default", text, NULL, &rename);
        ck_assert((renames != NULL) == (rename == NULL));
    }
}
END_TEST

int
main(void)
{
    return RUN_SUITE(
        "verb/select", setup, teardown, test_wants__nothing_said_is_everything,
        test_wants__one_child, test_wants__bare_name_is_of_the_default_parent,
        test_wants__all_children_of_a_parent, test_wants__parent_without_children,
        test_wants__terms_add_up, test_unmatched__names_terms_that_matched_nothing,
        test_unmatched__wildcard_of_an_empty_parent_matched,
        test_add_filter__refuses_what_is_no_term, test_add_filter__error_names_the_term,
        test_add_children__takes_no_wildcards, test_add_parents__takes_all_their_children,
        test_add_json__lists_and_whole_parents, test_add_json__refuses_other_shapes,
        test_parse__all_texts_together, test_renames__exact_then_wildcard_then_suffix,
        test_renames__no_rules_keep_all_names, test_renames__unmatched_rules_are_named,
        test_renames__refuses_what_is_no_rule, test_renames__refuses_a_suffix_that_is_no_name,
        test_property__a_term_selects_its_child_and_no_other,
        test_property__there_and_back_is_where_it_was,
        test_property__any_text_is_taken_or_refused_cleanly);
}
