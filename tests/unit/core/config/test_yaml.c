/* SPDX-License-Identifier: Apache-2.0
 *
 * core/config/yaml: what is accepted, and how hostile or broken input is refused.
 */
#include "core/config/yaml.h"

#include "fixture.h"

static bp_node *
parsed(const char *text)
{
    GError *error = NULL;
    bp_node *root = bp_yaml_parse(text, strlen(text), "b.yaml", &error);
    ck_assert_msg(error == NULL, "%s", error != NULL ? error->message : "");
    return root;
}

static void
assert_refused(const char *text, gsize n, const char *part)
{
    GError *error = NULL;
    ck_assert_ptr_null(bp_yaml_parse(text, n, "b.yaml", &error));
    assert_error(error, BP_ERR_INVALID, part);
}

START_TEST(test_bp_yaml_parse__block_and_flow_style_with_lines)
{
    g_autoptr(bp_node) root = parsed("source:\n"
                                     "  address: localhost:19530\n"
                                     "  password: {file: /etc/pw}\n"
                                     "dirs: [a, 'b']\n");
    ck_assert_str_eq(bp_node_at(root, "source.address")->text, "localhost:19530");
    ck_assert_uint_eq(bp_node_at(root, "source.address")->line, 2);
    ck_assert_str_eq(bp_node_at(root, "source.password.file")->text, "/etc/pw");
    const bp_node *dirs = bp_node_at(root, "dirs");
    ck_assert_int_eq(dirs->kind, BP_NODE_LIST);
    ck_assert_uint_eq(dirs->line, 4);
    ck_assert_str_eq(((bp_node *)g_ptr_array_index(dirs->children, 1))->text, "b");
}
END_TEST

START_TEST(test_bp_yaml_parse__nothing_is_not_the_empty_text)
{
    g_autoptr(bp_node) root = parsed("a:\nb: ~\nc: null\nd: ''\ne: 'null'\n");
    ck_assert(bp_node_is_null(bp_node_at(root, "a")));
    ck_assert(bp_node_is_null(bp_node_at(root, "b")));
    ck_assert(bp_node_is_null(bp_node_at(root, "c")));
    ck_assert_str_eq(bp_node_at(root, "d")->text, "");
    ck_assert_str_eq(bp_node_at(root, "e")->text, "null");
}
END_TEST

START_TEST(test_bp_yaml_parse__no_text_is_an_empty_map)
{
    static const char *const texts[] = {"", "\n# only a comment\n", "---\n", "---\n...\n",
                                        "\xef\xbb\xbf"};
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(bp_node) root = parsed(texts[i]);
        ck_assert_int_eq(root->kind, BP_NODE_MAP);
        ck_assert_uint_eq(root->children->len, 0);
    }
}
END_TEST

START_TEST(test_bp_yaml_parse__a_byte_order_mark_is_fine)
{
    g_autoptr(bp_node) root = parsed("\xef\xbb\xbf"
                                     "a: 1\n");
    ck_assert_str_eq(bp_node_at(root, "a")->text, "1");
}
END_TEST

START_TEST(test_bp_yaml_parse__a_duplicate_key_names_both_lines)
{
    const char *text = "a: 1\nb: 2\nc: 3\na: 4\n";
    assert_refused(text, strlen(text), "b.yaml:4: key \"a\" was given already in line 1");
}
END_TEST

START_TEST(test_bp_yaml_parse__broken_syntax_names_the_line)
{
    assert_refused("a: 1\nb: [1, 2\n", 13, "not valid YAML");
    assert_refused("a: 1\n\tb: 2\n", 11, "b.yaml:2: not valid YAML");
    assert_refused("a: 1\nb: \"\\q\"\n", 13, "b.yaml:2: not valid YAML");
    assert_refused("a: 1\nb: \x01\n", 10, "b.yaml:2: not valid YAML");
}
END_TEST

START_TEST(test_bp_yaml_parse__bytes_that_are_no_text)
{
    assert_refused("a: 1\nb: \xff\xfe\n", 11, "b.yaml:2: not UTF-8 text");
    assert_refused("a: 1\nb: \0\n", 10, "b.yaml:2: not UTF-8 text");
    assert_refused("a: \"x\\0y\"\n", 10, "b.yaml:1: a text holds a NUL byte");
    assert_refused("\xff\xfe"
                   "a\0:\0",
                   6, "b.yaml:1: not UTF-8 text");
}
END_TEST

/* Nine levels of nine references each would be 387 million values. */
START_TEST(test_bp_yaml_parse__a_bomb_is_refused_at_its_first_anchor)
{
    const char *text = "a: &a [lol, lol]\nb: &b [*a, *a]\nc: &c [*b, *b]\n";
    assert_refused(text, strlen(text), "b.yaml:1: anchors and aliases");
    assert_refused("a: *x\n", 6, "b.yaml:1: anchors and aliases");
    assert_refused("a: 1\n*x : 1\n", 12, "b.yaml:2: anchors and aliases");
    assert_refused("a: 1\n&x b: 1\n", 13, "b.yaml:2: anchors and aliases");
}
END_TEST

START_TEST(test_bp_yaml_parse__tags_are_refused)
{
    assert_refused("a: !!binary aGk=\n", 17, "b.yaml:1: tags (!) are not accepted");
    assert_refused("!x\na: 1\n", 8, "tags (!) are not accepted");
    assert_refused("a: !x [1]\n", 10, "tags (!) are not accepted");
}
END_TEST

START_TEST(test_bp_yaml_parse__keys_must_be_plain)
{
    assert_refused("? [a, b]\n: 1\n", 13, "b.yaml:1: a key must be plain text");
    assert_refused("a.b: 1\n", 7, "b.yaml:1: \"a.b\" cannot be a key\nhint: write nested keys");
    assert_refused("'': 1\n", 6, "b.yaml:1: \"\" cannot be a key");
    assert_refused("'a b': 1\n", 9, "b.yaml:1: \"a b\" cannot be a key");
}
END_TEST

START_TEST(test_bp_yaml_parse__only_a_map_and_only_one_document)
{
    assert_refused("- a\n- b\n", 8, "b.yaml:1: expected keys with values");
    assert_refused("just text\n", 10, "b.yaml:1: expected keys with values");
    assert_refused("a: 1\n---\nb: 2\n", 14, "b.yaml:3: a second document is not accepted");
}
END_TEST

START_TEST(test_bp_yaml_parse__depth_is_limited)
{
    g_autoptr(GString) deep = g_string_new("a: ");
    for (guint i = 0; i < BP_YAML_MAX_DEPTH - 1; i++) {
        g_string_append_c(deep, '[');
    }
    g_autofree char *brackets = g_strnfill(BP_YAML_MAX_DEPTH - 1, ']');
    g_autofree char *fits = g_strdup_printf("%s%s\n", deep->str, brackets);
    g_autoptr(bp_node) root = parsed(fits);
    ck_assert_ptr_nonnull(root);
    g_autofree char *too_deep = g_strdup_printf("%s[]%s\n", deep->str, brackets);
    assert_refused(too_deep, strlen(too_deep), "b.yaml:1: nested too deeply (16 levels)");
    g_autofree char *hostile = g_strnfill(1000 * 1000, '[');
    assert_refused(hostile, strlen(hostile), "nested too deeply");
}
END_TEST

START_TEST(test_bp_yaml_parse__number_of_values_is_limited)
{
    g_autoptr(GString) many = g_string_new("a: [");
    for (guint i = 0; i < BP_YAML_MAX_NODES; i++) {
        g_string_append(many, "1,");
    }
    g_string_append(many, "]\n");
    assert_refused(many->str, many->len, "b.yaml:1: too many values (more than 10000)");
}
END_TEST

START_TEST(test_bp_yaml_parse__size_is_limited)
{
    g_autofree char *large = g_strnfill(BP_YAML_MAX_BYTES + 1, '#');
    assert_refused(large, BP_YAML_MAX_BYTES + 1, "b.yaml: larger than 1048576 bytes");
    g_autoptr(bp_node) root = NULL;
    GError *error = NULL;
    root = bp_yaml_parse(large, BP_YAML_MAX_BYTES, "b.yaml", &error);
    ck_assert_ptr_nonnull(root);
    ck_assert_ptr_null(error);
}
END_TEST

/* Each prefix and each single-byte change of a good file: a tree or a clean error. */
START_TEST(test_bp_yaml_parse__survives_every_mutation)
{
    static const char good[] = "source: {plugin: x, password: {file: /p}}\n"
                               "storages:\n  a: {plugin: local, root: \"/r\"}\n"
                               "plugins: {dirs: [/a, '/b']} # c\n";
    static const char swaps[] = {'\0', '\n', '"', '{', ']', ':', '&', '*', '!', '\xff', '\t', '-'};
    for (gsize n = 0; n < sizeof good; n++) {
        for (gsize i = 0; i < sizeof swaps; i++) {
            char changed[sizeof good];
            memcpy(changed, good, sizeof good);
            changed[n] = swaps[i];
            GError *error = NULL;
            g_autoptr(bp_node) root = bp_yaml_parse(changed, sizeof good - 1, "b", &error);
            ck_assert((root == NULL) == (error != NULL));
            g_clear_error(&error);
        }
        GError *error = NULL;
        g_autoptr(bp_node) root = bp_yaml_parse(good, n, "b", &error);
        ck_assert((root == NULL) == (error != NULL));
        g_clear_error(&error);
    }
}
END_TEST

int
main(void)
{
    TCase *cases = fixture_cases("yaml");
    tcase_add_test(cases, test_bp_yaml_parse__block_and_flow_style_with_lines);
    tcase_add_test(cases, test_bp_yaml_parse__nothing_is_not_the_empty_text);
    tcase_add_test(cases, test_bp_yaml_parse__no_text_is_an_empty_map);
    tcase_add_test(cases, test_bp_yaml_parse__a_byte_order_mark_is_fine);
    tcase_add_test(cases, test_bp_yaml_parse__a_duplicate_key_names_both_lines);
    tcase_add_test(cases, test_bp_yaml_parse__broken_syntax_names_the_line);
    tcase_add_test(cases, test_bp_yaml_parse__bytes_that_are_no_text);
    tcase_add_test(cases, test_bp_yaml_parse__a_bomb_is_refused_at_its_first_anchor);
    tcase_add_test(cases, test_bp_yaml_parse__tags_are_refused);
    tcase_add_test(cases, test_bp_yaml_parse__keys_must_be_plain);
    tcase_add_test(cases, test_bp_yaml_parse__only_a_map_and_only_one_document);
    tcase_add_test(cases, test_bp_yaml_parse__depth_is_limited);
    tcase_add_test(cases, test_bp_yaml_parse__number_of_values_is_limited);
    tcase_add_test(cases, test_bp_yaml_parse__size_is_limited);
    tcase_add_test(cases, test_bp_yaml_parse__survives_every_mutation);
    return fixture_run("yaml", cases);
}
