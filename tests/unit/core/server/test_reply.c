/* SPDX-License-Identifier: Apache-2.0
 *
 * core/server/reply
 */
#include "core/server/reply.h"

#include "core/base/error.h"
#include "core/base/log.h"
#include "tests/harness/suite.h"

START_TEST(test_json__can_be_shown_in_a_page)
{
    g_autoptr(bp_reply) answer = bp_reply_json(200, json_pack("{s:s}", "a", "<b>&\"c"));
    ck_assert_str_eq(answer->body, "{\"a\":\"\\u003cb\\u003e\\u0026\\\"c\"}");
    ck_assert_uint_eq(answer->n, strlen(answer->body));
    ck_assert_str_eq(answer->type, "application/json; charset=utf-8");
}
END_TEST

START_TEST(test_problem__without_secrets)
{
    bp_log_add_secret("hunter22");
    g_autoptr(bp_reply) answer = bp_reply_problem(403, "not with hunter22", "ask");
    ck_assert_str_eq(answer->body, "{\"type\":\"about:blank\",\"title\":\"forbidden\","
                                   "\"status\":403,\"detail\":\"not with ***\",\"hint\":\"ask\"}");
    ck_assert_str_eq(answer->type, "application/problem+json");
}
END_TEST

START_TEST(test_error__status_by_class)
{
    static const struct {
        int cls;
        unsigned status;
    } cases[] = {
        {BP_ERR_INVALID, 400},   {BP_ERR_DENIED, 403},      {BP_ERR_NOT_FOUND, 404},
        {BP_ERR_EXISTS, 409},    {BP_ERR_UNSUPPORTED, 501}, {BP_ERR_RETRYABLE, 503},
        {BP_ERR_THROTTLED, 503}, {BP_ERR_CANCELLED, 503},   {BP_ERR_NO_SPACE, 507},
        {BP_ERR_CORRUPT, 500},   {BP_ERR_PERMANENT, 500},   {BP_ERR_AUTH, 500},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        bp_set_error(&error, cases[i].cls, "no\nhint: try");
        g_autoptr(bp_reply) answer = bp_reply_error(error);
        ck_assert_uint_eq(answer->status, cases[i].status);
        ck_assert_ptr_nonnull(strstr(answer->body, "\"detail\":\"no\",\"hint\":\"try\""));
    }
}
END_TEST

/* When to ask again, or "". */
static const char *
retry_after(const bp_reply *answer)
{
    for (guint i = 0; i < answer->headers->len; i += 2) {
        if (strcmp(g_ptr_array_index(answer->headers, i), "Retry-After") == 0) {
            return g_ptr_array_index(answer->headers, i + 1);
        }
    }
    return "";
}

START_TEST(test_error__says_when_to_ask_again)
{
    struct bp_error raw = {
        .struct_size = sizeof raw, .cls = BP_ERR_THROTTLED, .retry_after_ms = 1200};
    g_autoptr(GError) wish = NULL;
    bp_set_error_from_plugin(&wish, &raw);
    g_autoptr(bp_reply) wished = bp_reply_error(wish);
    ck_assert_str_eq(retry_after(wished), "2");
    g_autoptr(bp_reply) busy = bp_reply_problem(503, "busy", NULL);
    ck_assert_str_eq(retry_after(busy), "5");
    g_autoptr(bp_reply) other = bp_reply_problem(409, "busy", NULL);
    ck_assert_str_eq(retry_after(other), "");
}
END_TEST

START_TEST(test_error_as__another_status)
{
    g_autoptr(GError) error = NULL;
    bp_set_error(&error, BP_ERR_AUTH, "login refused\nhint: renew it");
    g_autoptr(bp_reply) answer = bp_reply_error_as(502, error);
    ck_assert_str_eq(answer->body,
                     "{\"type\":\"about:blank\",\"title\":\"storage failed\",\"status\":502,"
                     "\"detail\":\"login refused\",\"hint\":\"renew it\"}");
}
END_TEST

START_TEST(test_typed__as_it_is)
{
    g_autoptr(bp_reply) answer = bp_reply_typed(200, "text/html; charset=utf-8", "<p>&amp;");
    ck_assert_str_eq(answer->body, "<p>&amp;");
    ck_assert_str_eq(answer->type, "text/html; charset=utf-8");
}
END_TEST

int
main(void)
{
    return RUN_SUITE("server/reply", NULL, NULL, test_json__can_be_shown_in_a_page,
                     test_problem__without_secrets, test_error__status_by_class,
                     test_error__says_when_to_ask_again, test_error_as__another_status,
                     test_typed__as_it_is);
}
