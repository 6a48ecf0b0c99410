/* SPDX-License-Identifier: Apache-2.0
 *
 * sdk/http/answer: headers, Retry-After in its forms, request ids.
 */
#include "http_fixture.h"

#include <stdio.h>

static void
ask(void)
{
    int status = 0;
    ASSERT_OK(fixture_begin(NULL));
    ASSERT_OK(bp_http_head(fix.x, &bp_fake.op, &status, &fix.error));
    ck_assert_int_eq(status, 200);
}

/* The answer to a GET has these header lines. */
#define ANSWER(lines) SERVE({.reply = "HTTP/1.1 200 OK\r\n" lines "Content-Length: 0\r\n\r\n"})

START_TEST(test_header__any_case_without_blanks)
{
    ANSWER("ETag: \"x\" \r\nX-Empty:\r\n");
    ask();
    ck_assert_str_eq(bp_http_header(fix.x, "etag"), "\"x\"");
    ck_assert_str_eq(bp_http_header(fix.x, "X-EMPTY"), "");
    ck_assert_ptr_null(bp_http_header(fix.x, "x-none"));
}
END_TEST

START_TEST(test_header__the_last_one_wins)
{
    ANSWER("A: 1\r\nB: 2\r\nA: 3\r\n");
    ask();
    ck_assert_str_eq(bp_http_header(fix.x, "a"), "3");
}
END_TEST

START_TEST(test_header__in_drops)
{
    SERVE({.reply = "HTTP/1.1 200 OK\r\nLong-Name: long value\r\nContent-Length: 0\r\n\r\n",
           .in_drops = 1});
    ask();
    ck_assert_str_eq(bp_http_header(fix.x, "long-name"), "long value");
}
END_TEST

START_TEST(test_header__not_of_an_informational_answer)
{
    SERVE({.reply = "HTTP/1.1 103 Early Hints\r\nA: 1\r\n\r\n"
                    "HTTP/1.1 200 OK\r\nB: 2\r\nContent-Length: 0\r\n\r\n"});
    ask();
    ck_assert_ptr_null(bp_http_header(fix.x, "a"));
    ck_assert_str_eq(bp_http_header(fix.x, "b"), "2");
}
END_TEST

START_TEST(test_header_at__prefix)
{
    ANSWER("x-ms-meta-One: 1\r\nx-ms-version: 9\r\nX-Ms-Meta-Two: 2\r\n");
    const char *name = NULL;
    const char *value = NULL;
    ask();
    ck_assert(bp_http_header_at(fix.x, "x-ms-meta-", 0, &name, &value));
    ck_assert_str_eq(name, "x-ms-meta-One");
    ck_assert_str_eq(value, "1");
    ck_assert(bp_http_header_at(fix.x, "x-ms-meta-", 1, &name, &value));
    ck_assert_str_eq(name, "X-Ms-Meta-Two");
    ck_assert_str_eq(value, "2");
    ck_assert(!bp_http_header_at(fix.x, "x-ms-meta-", 2, &name, &value));
    ck_assert(bp_http_header_at(fix.x, "", 3, &name, &value));
    ck_assert_str_eq(name, "Content-Length");
}
END_TEST

START_TEST(test_header__too_many)
{
    static char reply[400 * 1000];
    const struct bp_httpd_step step = {.reply = reply};
    int status = 0;
    size_t n = (size_t)snprintf(reply, sizeof(reply), "HTTP/1.1 200 OK\r\n");
    while (n < 300000) {
        n += (size_t)snprintf(reply + n, sizeof(reply) - n, "a: %01000d\r\n", 0);
    }
    (void)snprintf(reply + n, sizeof(reply) - n, "Content-Length: 0\r\n\r\n");
    fix.server = bp_httpd_start(&step, 1);
    ASSERT_OK(fixture_begin(NULL));
    ASSERT_FAILED(bp_http_head(fix.x, &bp_fake.op, &status, &fix.error), BP_ERR_PERMANENT,
                  BP_ERROR_OUTCOME_UNKNOWN, "the head of the answer is too long");
}
END_TEST

START_TEST(test_retry_after__seconds)
{
    ANSWER("Retry-After: 7\r\n");
    ask();
    ck_assert_uint_eq(bp_http_retry_after_ms(fix.x), 7000);
}
END_TEST

START_TEST(test_retry_after__date_by_the_clock_of_the_server)
{
    ANSWER("Date: Wed, 21 Oct 2015 07:28:00 GMT\r\n"
           "Retry-After: Wed, 21 Oct 2015 07:29:30 GMT\r\n");
    ask();
    ck_assert_uint_eq(bp_http_retry_after_ms(fix.x), 90000);
}
END_TEST

START_TEST(test_retry_after__date_that_has_passed)
{
    ANSWER("Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n");
    ask();
    ck_assert_uint_eq(bp_http_retry_after_ms(fix.x), 0);
}
END_TEST

START_TEST(test_retry_after__milliseconds)
{
    ANSWER("Retry-After: 7\r\nx-ms-retry-after-ms: 250\r\n");
    ask();
    ck_assert_uint_eq(bp_http_retry_after_ms(fix.x), 250);
}
END_TEST

START_TEST(test_retry_after__at_most_a_day)
{
    ANSWER("Retry-After: 18446744073709551615\r\n");
    ask();
    ck_assert_uint_eq(bp_http_retry_after_ms(fix.x), 86400000);
}
END_TEST

START_TEST(test_retry_after__nonsense)
{
    ANSWER("Retry-After: -1\r\n");
    ask();
    ck_assert_uint_eq(bp_http_retry_after_ms(fix.x), 0);
}
END_TEST

START_TEST(test_retry_after__none)
{
    ANSWER("");
    ask();
    ck_assert_uint_eq(bp_http_retry_after_ms(fix.x), 0);
    ck_assert_str_eq(bp_http_request_id(fix.x), "");
}
END_TEST

START_TEST(test_request_id__of_s3)
{
    ANSWER("X-Request-Id: proxy\r\nX-Amz-Request-Id: 4442587FB7D0A2F9\r\n");
    ask();
    ck_assert_str_eq(bp_http_request_id(fix.x), "4442587FB7D0A2F9");
}
END_TEST

START_TEST(test_note__fills_the_error)
{
    ANSWER("x-ms-request-id: 8a91\r\nRetry-After: 1\r\n");
    ask();
    (void)bp_fail(&fix.error, BP_ERR_THROTTLED, "busy");
    bp_http_note(fix.x, &fix.error);
    ck_assert_int_eq(fix.error.cls, BP_ERR_THROTTLED);
    ck_assert_int_eq(fix.error.remote_status, 200);
    ck_assert_uint_eq(fix.error.retry_after_ms, 1000);
    ck_assert_str_eq(fix.error.request_id, "8a91");
}
END_TEST

FIXTURE_MAIN("sdk/http/answer", test_header__any_case_without_blanks,
             test_header__the_last_one_wins, test_header__in_drops,
             test_header__not_of_an_informational_answer, test_header_at__prefix,
             test_header__too_many, test_retry_after__seconds,
             test_retry_after__date_by_the_clock_of_the_server,
             test_retry_after__date_that_has_passed, test_retry_after__milliseconds,
             test_retry_after__at_most_a_day, test_retry_after__nonsense, test_retry_after__none,
             test_request_id__of_s3, test_note__fills_the_error)
