/* SPDX-License-Identifier: Apache-2.0
 *
 * core/base/error: classes, details, hints, and the way to and from plugins.
 */
#include "core/base/error.h"

#include <errno.h>

#include "sdk/lib/errors.h"
#include "tests/harness/suite.h"

START_TEST(test_set_error__class_and_message)
{
    g_autoptr(GError) error = NULL;
    bp_set_error(&error, BP_ERR_DENIED, "key %s", "a/b");
    ck_assert(bp_error_is(error, BP_ERR_DENIED));
    ck_assert(!bp_error_is(NULL, BP_ERR_DENIED));
    ck_assert_str_eq(error->message, "key a/b");
    bp_set_error(NULL, BP_ERR_DENIED, "nobody asks"); /* and nothing happens */
}
END_TEST

START_TEST(test_set_error_errno__class_from_number)
{
    g_autoptr(GError) error = NULL;
    bp_set_error_errno(&error, ENOSPC, "cannot write %s", "x");
    ASSERT_ERROR(error, BP_ERR_NO_SPACE, "cannot write x: No space left on device");
    bp_set_error_errno(NULL, ENOSPC, "nobody asks");
}
END_TEST

START_TEST(test_class__of_other_domains_and_none)
{
    g_autoptr(GError) other = g_error_new(G_FILE_ERROR, G_FILE_ERROR_NOENT, "x");
    g_autoptr(GError) beyond = g_error_new(BP_ERROR, 999, "x");
    ck_assert_int_eq(bp_error_class(NULL), BP_OK);
    ck_assert_int_eq(bp_error_class(other), BP_ERR_PERMANENT);
    ck_assert_int_eq(bp_error_class(beyond), BP_ERR_PERMANENT);
    ck_assert_str_eq(bp_error_remote_code(other), "");
    ck_assert_uint_eq(bp_error_retry_after_ms(other), 0);
    ck_assert(!bp_error_outcome_unknown(NULL));
}
END_TEST

START_TEST(test_from_plugin__details_travel)
{
    g_autoptr(GError) error = NULL;
    struct bp_error raw;
    bp_error_init(&raw);
    (void)bp_fail(&raw, BP_ERR_THROTTLED, "slow down");
    raw.flags = BP_ERROR_OUTCOME_UNKNOWN;
    raw.retry_after_ms = 1500;
    g_strlcpy(raw.code, "SlowDown", sizeof raw.code);
    g_strlcpy(raw.request_id, "r-17", sizeof raw.request_id);
    bp_set_error_from_plugin(&error, &raw);
    g_prefix_error(&error, "key k: ");
    g_autoptr(GError) copy = g_error_copy(error);
    ck_assert_str_eq(copy->message, "key k: slow down (request r-17)");
    ck_assert_str_eq(bp_error_remote_code(copy), "SlowDown");
    ck_assert_uint_eq(bp_error_retry_after_ms(copy), 1500);
    ck_assert(bp_error_outcome_unknown(copy));
    ck_assert_int_eq(bp_error_class(copy), BP_ERR_THROTTLED);
}
END_TEST

START_TEST(test_from_plugin__garbage_is_cleaned)
{
    g_autoptr(GError) error = NULL;
    struct bp_error raw;
    memset(&raw, 'x', sizeof raw); /* nothing is terminated */
    raw.cls = 4711;
    raw.message[1] = '\x01';
    raw.message[2] = '\xff';
    bp_set_error_from_plugin(&error, &raw);
    ck_assert_int_eq(bp_error_class(error), BP_ERR_PERMANENT);
    ck_assert(g_utf8_validate(error->message, -1, NULL));
    ck_assert(g_str_has_prefix(error->message, "x \xEF\xBF\xBDx"));
    g_clear_error(&error);
    bp_error_init(&raw);
    raw.cls = BP_ERR_AUTH;
    bp_set_error_from_plugin(&error, &raw);
    ASSERT_ERROR(error, BP_ERR_AUTH, "the plugin gave no reason");
}
END_TEST

START_TEST(test_to_plugin__and_cut)
{
    g_autofree char *text = g_strnfill(600, 'm');
    g_autoptr(GError) error = NULL;
    struct bp_error raw;
    bp_error_init(&raw);
    bp_set_error(&error, BP_ERR_EXISTS, "%s", text);
    ck_assert_int_eq(bp_error_to_plugin(error, &raw), BP_ERR_EXISTS);
    ck_assert_int_eq(raw.cls, BP_ERR_EXISTS);
    ck_assert_uint_eq(strlen(raw.message), sizeof raw.message - 1);
}
END_TEST

START_TEST(test_to_plugin__reason_stays_behind_a_long_key)
{
    g_autofree char *key = g_strnfill(900, 'k');
    g_autoptr(GError) error = NULL;
    struct bp_error raw;
    bp_error_init(&raw);
    bp_set_error(&error, BP_ERR_CORRUPT, "storage data: object %s: it ends too early", key);
    (void)bp_error_to_plugin(error, &raw);
    ck_assert(g_str_has_prefix(raw.message, "storage data: object kkk"));
    ck_assert(g_str_has_suffix(raw.message, "kkk: it ends too early"));
}
END_TEST

START_TEST(test_add_hint__once)
{
    g_autoptr(GError) error = NULL;
    bp_error_add_hint(&error, "nothing to hint at");
    ck_assert_ptr_null(error);
    bp_set_error(&error, BP_ERR_DENIED, "no");
    bp_error_add_hint(&error, "chmod %s", "x");
    bp_error_add_hint(&error, "or not");
    ck_assert_str_eq(error->message, "no\nhint: chmod x");
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/base/error", NULL, NULL, test_set_error__class_and_message,
                     test_set_error_errno__class_from_number, test_class__of_other_domains_and_none,
                     test_from_plugin__details_travel, test_from_plugin__garbage_is_cleaned,
                     test_to_plugin__and_cut, test_to_plugin__reason_stays_behind_a_long_key,
                     test_add_hint__once);
}
