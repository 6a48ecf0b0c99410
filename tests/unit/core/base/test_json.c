/* SPDX-License-Identifier: Apache-2.0
 *
 * core/base/json: parsing, dumping, members.
 */
#include "core/base/json.h"

#include <bakplane/abi.h>

#include "core/base/log.h"
#include "tests/harness/suite.h"

static json_t *
parse(const char *text, GError **error)
{
    return bp_json_parse(text, strlen(text), "nightly/manifest.json", error);
}

START_TEST(test_parse__names_what_and_where)
{
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(parse("{\n\"a\": }", &error));
    ck_assert_ptr_nonnull(strstr(error->message, "(line 2, column "));
    ASSERT_ERROR(error, BP_ERR_CORRUPT, "nightly/manifest.json is not valid JSON: ");
    ck_assert_ptr_null(parse("[1]", &error));
    ASSERT_ERROR(error, BP_ERR_CORRUPT, "nightly/manifest.json is not a JSON object");
    ck_assert_ptr_null(parse("{\"a\":1,\"a\":2}", &error));
    ASSERT_ERROR(error, BP_ERR_CORRUPT, "duplicate");
    ck_assert_ptr_null(parse("", &error));
    ASSERT_ERROR(error, BP_ERR_CORRUPT, "is not valid JSON");
}
END_TEST

START_TEST(test_dump__keeps_order)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) value = parse("{\"b\": 1, \"a\": [true, null]}", &error);
    ASSERT_FINE(value != NULL, error);
    g_autofree char *line = bp_json_line(value);
    g_autofree char *pretty = bp_json_pretty(value);
    ck_assert_str_eq(line, "{\"b\":1,\"a\":[true,null]}");
    ck_assert(g_str_has_prefix(pretty, "{\n  \"b\": 1,\n"));
    ck_assert(g_str_has_suffix(pretty, "}\n"));
}
END_TEST

START_TEST(test_members__and_fallbacks)
{
    g_autoptr(json_t) value = parse("{\"t\": \"x\", \"n\": 7, \"m\": -1, \"f\": 1.5}", NULL);
    ck_assert_str_eq(bp_json_text(value, "t", "none"), "x");
    ck_assert_str_eq(bp_json_text(value, "n", "none"), "none");
    ck_assert_ptr_null(bp_json_text(value, "missing", NULL));
    ck_assert_uint_eq(bp_json_u64(value, "n", 1), 7);
    ck_assert_uint_eq(bp_json_u64(value, "m", 1), 1);
    ck_assert_uint_eq(bp_json_u64(value, "f", 1), 1);
    ck_assert_uint_eq(bp_json_u64(value, "t", 1), 1);
}
END_TEST

START_TEST(test_set__leaves_out_what_is_unknown)
{
    g_autoptr(json_t) value = json_object();
    bp_json_set_u64(value, "size", BP_UNKNOWN);
    bp_json_set_u64(value, "count", 3);
    bp_json_set_text(value, "empty", "");
    bp_json_set_text(value, "null", NULL);
    bp_json_set_text(value, "bad", "a\xff");
    g_autofree char *line = bp_json_line(value);
    ck_assert_str_eq(line, "{\"count\":3,\"bad\":\"a\xEF\xBF\xBD\"}");
}
END_TEST

START_TEST(test_error__class_message_and_hint)
{
    GError *error = NULL;
    bp_log_add_secret("hunter2");
    bp_set_error(&error, BP_ERR_NOT_FOUND, "no backup hunter2");
    bp_error_add_hint(&error, "see list");
    g_autoptr(json_t) object = bp_json_error(error);
    g_error_free(error);
    ck_assert_str_eq(bp_json_text(object, "class", ""), "not-found");
    ck_assert_str_eq(bp_json_text(object, "message", ""), "no backup ***");
    ck_assert_str_eq(bp_json_text(object, "hint", ""), "see list");
}
END_TEST

START_TEST(test_error__without_hint)
{
    GError *error = NULL;
    bp_set_error(&error, BP_ERR_DENIED, "no");
    g_autoptr(json_t) object = bp_json_error(error);
    g_error_free(error);
    ck_assert_ptr_null(json_object_get(object, "hint"));
    ck_assert_uint_eq(json_object_size(object), 2);
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/base/json", NULL, NULL, test_parse__names_what_and_where,
                     test_dump__keeps_order, test_members__and_fallbacks,
                     test_set__leaves_out_what_is_unknown, test_error__class_message_and_hint,
                     test_error__without_hint);
}
