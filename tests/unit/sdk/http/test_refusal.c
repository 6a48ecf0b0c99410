/* SPDX-License-Identifier: Apache-2.0
 *
 * sdk/http/refusal: codes, statuses, words.
 */
#include "sdk/http/refusal.h"

#include <check.h>
#include <string.h>

#include "sdk/lib/errors.h"
#include "tests/harness/run.h"

static const struct bp_http_code codes[] = {
    {"NoSuchKey", BP_ERR_NOT_FOUND, NULL},
    {"AccessDenied", BP_ERR_DENIED, "ask somebody"},
};
#define N_CODES (sizeof(codes) / sizeof(codes[0]))

static const struct {
    int status;
    bp_status cls;
} classes[] = {
    {200, BP_OK},
    {204, BP_OK},
    {400, BP_ERR_INVALID},
    {401, BP_ERR_AUTH},
    {403, BP_ERR_DENIED},
    {404, BP_ERR_NOT_FOUND},
    {405, BP_ERR_UNSUPPORTED},
    {407, BP_ERR_DENIED},
    {408, BP_ERR_RETRYABLE},
    {409, BP_ERR_EXISTS},
    {412, BP_ERR_EXISTS},
    {413, BP_ERR_INVALID},
    {416, BP_ERR_RANGE},
    {418, BP_ERR_PERMANENT},
    {429, BP_ERR_THROTTLED},
    {500, BP_ERR_RETRYABLE},
    {501, BP_ERR_UNSUPPORTED},
    {502, BP_ERR_RETRYABLE},
    {503, BP_ERR_THROTTLED},
    {507, BP_ERR_NO_SPACE},
    {302, BP_ERR_PERMANENT},
};

START_TEST(test_code_find__any_row)
{
    ck_assert_ptr_eq(bp_http_code_find(codes, N_CODES, "NoSuchKey"), &codes[0]);
    ck_assert_ptr_eq(bp_http_code_find(codes, N_CODES, "AccessDenied"), &codes[1]);
    ck_assert_ptr_null(bp_http_code_find(codes, N_CODES, "NoSuch"));
    ck_assert_ptr_null(bp_http_code_find(codes, N_CODES, NULL));
}
END_TEST

START_TEST(test_class__table)
{
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        bp_status cls = bp_http_class(classes[i].status);
        ck_assert_msg(cls == classes[i].cls, "%d is %d", classes[i].status, cls);
    }
}
END_TEST

START_TEST(test_first_line__can_be_gone_on_from)
{
    ck_assert_uint_eq(bp_http_first_line("It is not there. \nRequestId:x"), 15);
    ck_assert_uint_eq(bp_http_first_line("no"), 2);
    ck_assert_uint_eq(bp_http_first_line(".\r\n"), 0);
    ck_assert_uint_eq(bp_http_first_line(NULL), 0);
}
END_TEST

START_TEST(test_put_facts__beside_the_message)
{
    struct bp_error error;
    struct bp_http_facts facts = {
        .status = 503, .code = "SlowDown", .request_id = "r-1", .retry_after_ms = 7};
    bp_error_init(&error);
    (void)bp_fail(&error, BP_ERR_THROTTLED, "busy");
    bp_http_put_facts(&error, &facts);
    ck_assert_int_eq(error.cls, BP_ERR_THROTTLED);
    ck_assert_str_eq(error.message, "busy");
    ck_assert_int_eq(error.remote_status, 503);
    ck_assert_str_eq(error.code, "SlowDown");
    ck_assert_str_eq(error.request_id, "r-1");
    ck_assert_uint_eq(error.retry_after_ms, 7);
    facts = (struct bp_http_facts){.status = 400};
    bp_http_put_facts(&error, &facts);
    ck_assert_str_eq(error.code, "");
    ck_assert_str_eq(error.request_id, "");
}
END_TEST

BP_TEST_MAIN("sdk/http/refusal", NULL, NULL, test_code_find__any_row, test_class__table,
             test_first_line__can_be_gone_on_from, test_put_facts__beside_the_message)
