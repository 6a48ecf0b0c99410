/* SPDX-License-Identifier: Apache-2.0
 *
 * core/server/target
 */
#include "core/server/target.h"

#include "tests/harness/suite.h"

static const char *
part(const bp_http_target *target, guint i)
{
    return g_ptr_array_index(target->parts, i);
}

START_TEST(test_parse__parts_and_parameters)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(bp_http_target) target =
        bp_http_target_parse("/api/j%C3%B6b+1?a=1+2&b=%26&c", &error);
    ASSERT_FINE(target != NULL, error);
    ck_assert_uint_eq(target->parts->len, 2);
    ck_assert_str_eq(part(target, 0), "api");
    ck_assert_str_eq(part(target, 1), "jöb+1");
    ck_assert_str_eq(bp_http_target_parameter(target, "a"), "1 2");
    ck_assert_str_eq(bp_http_target_parameter(target, "b"), "&");
    ck_assert_str_eq(bp_http_target_parameter(target, "c"), "");
    ck_assert_ptr_null(bp_http_target_parameter(target, "d"));
}
END_TEST

START_TEST(test_parse__root)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(bp_http_target) target = bp_http_target_parse("/?", &error);
    ASSERT_FINE(target != NULL, error);
    ck_assert_uint_eq(target->parts->len, 0);
}
END_TEST

START_TEST(test_parse__what_looks_like_another_path)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "does not begin with a slash"},
        {"*", "does not begin with a slash"},
        {"http://host/a", "does not begin with a slash"},
        {"//a", "an empty part"},
        {"/a//b", "an empty part"},
        {"/a/", "an empty part"},
        {"/a/../b", "a part of dots"},
        {"/a/%2e%2E/b", "a part of dots"},
        {"/a/./b", "a part of dots"},
        {"/a%2Fb", "a slash inside"},
        {"/a%5Cb", "a slash inside"},
        {"/a\\b", "a slash inside"},
        {"/a%00", "a zero byte"},
        {"/a%0d%0aX: y", "a control character"},
        {"/a\x7f", "a control character"},
        {"/a%ff", "is not UTF-8"},
        {"/a%2", "a '%' without"},
        {"/a%zz", "a '%' without"},
        {"/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17", "too many parts"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        ck_assert_msg(bp_http_target_parse(cases[i].text, &error) == NULL, "%s", cases[i].text);
        ASSERT_ERROR(error, BP_ERR_INVALID, cases[i].why);
    }
}
END_TEST

START_TEST(test_parse__query_that_can_be_read_in_two_ways)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"/?a=1&a=2", "a parameter twice"}, {"/?a=1&%61=2", "a parameter twice"},
        {"/?a=%00", "a zero byte"},         {"/?%0a=1", "a control character"},
        {"/?a=%", "a '%' without"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        ck_assert_msg(bp_http_target_parse(cases[i].text, &error) == NULL, "%s", cases[i].text);
        ASSERT_ERROR(error, BP_ERR_INVALID, cases[i].why);
    }
}
END_TEST

START_TEST(test_parse__too_many_parameters)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) text = g_string_new("/?&&&");
    for (int i = 0; i <= BP_TARGET_MAX_PARAMETERS; i++) {
        g_string_append_printf(text, "p%d&", i);
    }
    ck_assert_ptr_null(bp_http_target_parse(text->str, &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "too many parameters");
}
END_TEST

int
main(void)
{
    return RUN_SUITE("server/target", NULL, NULL, test_parse__parts_and_parameters,
                     test_parse__root, test_parse__what_looks_like_another_path,
                     test_parse__query_that_can_be_read_in_two_ways,
                     test_parse__too_many_parameters);
}
