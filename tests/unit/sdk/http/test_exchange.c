/* SPDX-License-Identifier: Apache-2.0
 *
 * sdk/http/exchange: bodies in both directions, and answers of all shapes.
 */
#include "http_fixture.h"

#define OK_HEAD "HTTP/1.1 200 OK\r\n"
#define EMPTY OK_HEAD "Content-Length: 0\r\n\r\n"

#define LONG_BODY ((size_t)300 * 1000)
/* More than sockets and buffers hold. */
#define HUGE_BODY ((size_t)32 * 1024 * 1024)

static char long_body[LONG_BODY];

static void
fill(void)
{
    for (size_t i = 0; i < LONG_BODY; i++) {
        long_body[i] = bp_httpd_byte(i);
    }
}

static int
head(void)
{
    int status = 0;
    ASSERT_OK(bp_http_head(fix.x, &bp_fake.op, &status, &fix.error));
    return status;
}

static bp_status
send_part(const void *bytes, size_t n)
{
    return bp_http_send(fix.x, &bp_fake.op, bytes, n, &fix.error);
}

static void
send_long_body(void)
{
    static const size_t steps[] = {1, 5000, 0, 100000};
    size_t at = 0;
    fill();
    for (size_t i = 0; at < LONG_BODY; i++) {
        size_t n = steps[i % 4] < LONG_BODY - at ? steps[i % 4] : LONG_BODY - at;
        ASSERT_OK(send_part(long_body + at, n));
        at += n;
    }
}

static void
assert_long_body(size_t i)
{
    size_t size = 0;
    const char *body = bp_httpd_body(fix.server, i, &size);
    ck_assert_uint_eq(size, LONG_BODY);
    ck_assert_int_eq(memcmp(body, long_body, size), 0);
}

/* Sends until the server has had enough; false when it took everything. */
static int
send_until_answered(size_t total)
{
    for (size_t at = 0; at < total && !bp_http_answered(fix.x); at += sizeof(fix.buffer)) {
        ASSERT_OK(send_part(fix.buffer, sizeof(fix.buffer)));
    }
    return bp_http_answered(fix.x);
}

START_TEST(test_send__announced_length)
{
    SERVE({.reply = EMPTY});
    const struct bp_http_request request = {.method = "PUT", .body_size = LONG_BODY};
    ASSERT_OK(fixture_begin(&request));
    send_long_body();
    ck_assert_int_eq(head(), 200);
    fixture_stop();
    assert_long_body(0);
    const char *sent = bp_httpd_request(fix.server, 0);
    ck_assert_ptr_nonnull(strstr(sent, "\r\nContent-Length: 300000\r\n"));
    ck_assert_ptr_null(strstr(sent, "Expect"));
    ck_assert_ptr_null(strstr(sent, "Content-Type"));
}
END_TEST

START_TEST(test_send__chunked)
{
    SERVE({.reply = EMPTY});
    const struct bp_http_request request = {.method = "PUT", .body_size = BP_UNKNOWN};
    ASSERT_OK(fixture_begin(&request));
    send_long_body();
    ck_assert_int_eq(head(), 200);
    fixture_stop();
    assert_long_body(0);
    ck_assert_ptr_nonnull(strstr(bp_httpd_request(fix.server, 0), "Transfer-Encoding: chunked"));
}
END_TEST

START_TEST(test_send__chunked_and_empty)
{
    SERVE({.reply = EMPTY});
    const struct bp_http_request request = {.method = "PUT", .body_size = BP_UNKNOWN};
    ASSERT_OK(fixture_begin(&request));
    ck_assert_int_eq(head(), 200);
    fixture_stop();
    size_t size = 1;
    (void)bp_httpd_body(fix.server, 0, &size);
    ck_assert_uint_eq(size, 0);
}
END_TEST

START_TEST(test_begin__body_in_memory)
{
    SERVE({.reply = EMPTY});
    fill();
    const struct bp_http_request request = {
        .method = "PUT", .body = long_body, .body_size = LONG_BODY};
    ASSERT_OK(fixture_begin(&request));
    ck_assert_int_eq(head(), 200);
    fixture_stop();
    assert_long_body(0);
}
END_TEST

START_TEST(test_begin__empty_bodies_announce_their_length)
{
    static const char *const methods[] = {"PUT", "POST", "PATCH"};
    SERVE({.manner = BP_HTTPD_KEEP, .reply = EMPTY, .times = 3});
    for (size_t i = 0; i < 3; i++) {
        const struct bp_http_request request = {.method = methods[i]};
        ASSERT_OK(fixture_begin(&request));
        ck_assert_int_eq(head(), 200);
        bp_http_end(fix.x);
        fix.x = NULL;
    }
    fixture_stop();
    for (size_t i = 0; i < 3; i++) {
        ck_assert_ptr_nonnull(strstr(bp_httpd_request(fix.server, i), "\r\nContent-Length: 0\r\n"));
    }
}
END_TEST

START_TEST(test_send__not_as_announced)
{
    SERVE({.reply = EMPTY});
    const struct bp_http_request request = {.method = "PUT", .body_size = 4};
    int status = 0;
    ASSERT_OK(fixture_begin(&request));
    ASSERT_FAILED(send_part("12345", 5), BP_ERR_INVALID, 0, "longer than announced");
    ASSERT_OK(send_part("123", 3));
    ASSERT_FAILED(bp_http_head(fix.x, &bp_fake.op, &status, &fix.error), BP_ERR_INVALID, 0,
                  "shorter than announced");
    ASSERT_OK(send_part("4", 1));
    ck_assert_int_eq(head(), 200);
    ASSERT_FAILED(send_part("5", 1), BP_ERR_INVALID, 0, "complete already");
}
END_TEST

START_TEST(test_send__a_refusal_ends_it)
{
    SERVE({.manner = BP_HTTPD_EARLY,
           .reply = "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nabc"});
    const struct bp_http_request request = {.method = "PUT", .body_size = HUGE_BODY};
    ASSERT_OK(fixture_begin(&request));
    ck_assert(send_until_answered(HUGE_BODY));
    ASSERT_OK(send_part(fix.buffer, 1));
    ck_assert_int_eq(head(), 413);
    ck_assert_uint_eq(fixture_receive(), 3);
}
END_TEST

START_TEST(test_begin__a_refusal_ends_a_body_in_memory)
{
    SERVE({.manner = BP_HTTPD_EARLY, .reply = "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"});
    char *huge = calloc(1, HUGE_BODY);
    const struct bp_http_request request = {.method = "PUT", .body = huge, .body_size = HUGE_BODY};
    ASSERT_OK(fixture_begin(&request));
    ck_assert_int_eq(head(), 403);
    ck_assert_uint_eq(fixture_receive(), 0);
    free(huge);
}
END_TEST

START_TEST(test_send__goes_on_after_an_early_success)
{
    SERVE({.manner = BP_HTTPD_EARLY, .reply = OK_HEAD "Content-Length: 2\r\n\r\nab"});
    const struct bp_http_request request = {.method = "PUT", .body_size = HUGE_BODY};
    ASSERT_OK(fixture_begin(&request));
    ck_assert(!send_until_answered(HUGE_BODY - sizeof(fix.buffer)));
    ASSERT_OK(send_part(fix.buffer, sizeof(fix.buffer)));
    ck_assert_int_eq(head(), 200);
    ck_assert_uint_eq(fixture_receive(), 2);
}
END_TEST

/* More of the answer comes early than is kept: the rest waits in the connection. */
START_TEST(test_receive__long_answer_that_came_early)
{
    SERVE({.manner = BP_HTTPD_EARLY,
           .reply = OK_HEAD "Content-Length: 400000\r\n\r\n",
           .fill = 400000});
    const struct bp_http_request request = {.method = "PUT", .body_size = HUGE_BODY};
    ASSERT_OK(fixture_begin(&request));
    ck_assert(!send_until_answered(HUGE_BODY));
    ck_assert_int_eq(head(), 200);
    ck_assert_uint_eq(fixture_receive(), 400000);
}
END_TEST

START_TEST(test_receive__long_answer)
{
    SERVE({.reply = OK_HEAD "Content-Length: 1000000\r\n\r\n", .fill = 1000000});
    ASSERT_OK(fixture_begin(NULL));
    ck_assert_int_eq(head(), 200);
    ck_assert_uint_eq(fixture_receive(), 1000000);
}
END_TEST

START_TEST(test_receive__fills_the_buffer)
{
    SERVE({.reply = OK_HEAD "Content-Length: 6\r\n\r\nabcdef", .in_drops = 1});
    size_t n = 0;
    ASSERT_OK(fixture_begin(NULL));
    ck_assert_int_eq(head(), 200);
    ASSERT_OK(bp_http_receive(fix.x, &bp_fake.op, fix.buffer, 5, &n, &fix.error));
    ck_assert_uint_eq(n, 5);
    ASSERT_OK(bp_http_receive(fix.x, &bp_fake.op, fix.buffer, 5, &n, &fix.error));
    ck_assert_uint_eq(n, 1);
}
END_TEST

START_TEST(test_receive__until_the_connection_closes)
{
    SERVE({.reply = OK_HEAD "\r\n", .fill = 5000});
    ASSERT_OK(fixture_begin(NULL));
    ck_assert_int_eq(head(), 200);
    ck_assert_uint_eq(fixture_receive(), 5000);
}
END_TEST

START_TEST(test_receive__chunks_and_trailers)
{
    SERVE({.manner = BP_HTTPD_KEEP,
           .reply = OK_HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n"
                            "0\r\nX-Late: 1\r\n\r\n",
           .in_drops = 1},
          {.reply = EMPTY});
    ASSERT_OK(fixture_begin(NULL));
    ck_assert_int_eq(head(), 200);
    ck_assert_uint_eq(fixture_receive(), 5);
    ck_assert_ptr_null(bp_http_header(fix.x, "X-Late"));
    bp_http_end(fix.x);
    fix.x = NULL;
    ck_assert_int_eq(fixture_get(), 200);
    fixture_stop();
    ck_assert_uint_eq(bp_httpd_connections(fix.server), 1);
}
END_TEST

START_TEST(test_head__answers_without_a_body)
{
    static const struct {
        const char *method;
        int status;
    } asked[] = {{"HEAD", 200}, {"GET", 204}, {"GET", 304}, {"DELETE", 200}};
    SERVE({.manner = BP_HTTPD_KEEP, .reply = OK_HEAD "Content-Length: 1000\r\n\r\n"},
          {.manner = BP_HTTPD_KEEP, .reply = "HTTP/1.1 204 No Content\r\n\r\n"},
          {.manner = BP_HTTPD_KEEP, .reply = "HTTP/1.1 304 Not Modified\r\n\r\n"},
          {.manner = BP_HTTPD_KEEP, .reply = EMPTY});
    for (size_t i = 0; i < 4; i++) {
        const struct bp_http_request request = {.method = asked[i].method};
        ASSERT_OK(fixture_begin(&request));
        ck_assert_int_eq(head(), asked[i].status);
        bp_http_end(fix.x); /* not even asked for the body */
        fix.x = NULL;
    }
    fixture_stop();
    ck_assert_uint_eq(bp_httpd_requests(fix.server), 4);
    ck_assert_uint_eq(bp_httpd_connections(fix.server), 1);
}
END_TEST

START_TEST(test_receive__a_cut_body_is_given_as_far_as_it_came)
{
    SERVE({.reply = OK_HEAD "x-amz-request-id: R7\r\nContent-Length: 100\r\n\r\n", .fill = 60});
    size_t n = 0;
    ASSERT_OK(fixture_begin(NULL));
    ck_assert_int_eq(head(), 200);
    ASSERT_OK(bp_http_receive(fix.x, &bp_fake.op, fix.buffer, 100, &n, &fix.error));
    ck_assert_uint_eq(n, 60);
    for (int i = 0; i < 2; i++) {
        ASSERT_FAILED(bp_http_receive(fix.x, &bp_fake.op, fix.buffer, 100, &n, &fix.error),
                      BP_ERR_RETRYABLE, BP_ERROR_OUTCOME_UNKNOWN,
                      "closed before the end of the answer");
        ck_assert_uint_eq(n, 0);
        ck_assert_int_eq(fix.error.remote_status, 200);
        ck_assert_str_eq(fix.error.request_id, "R7");
    }
}
END_TEST

START_TEST(test_receive__reset)
{
    SERVE({.manner = BP_HTTPD_RESET,
           .reply = OK_HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"});
    size_t n = 0;
    ASSERT_OK(fixture_begin(NULL));
    ck_assert_int_eq(head(), 200);
    bp_status status = BP_OK;
    for (int i = 0; i < 2 && status == BP_OK; i++) { /* "abc" comes through, or not */
        status = bp_http_receive(fix.x, &bp_fake.op, fix.buffer, 100, &n, &fix.error);
    }
    ASSERT_FAILED(status, BP_ERR_RETRYABLE, BP_ERROR_OUTCOME_UNKNOWN, "GET http://127.0.0.1:");
}
END_TEST

START_TEST(test_receive_all__limit)
{
    SERVE(
        {.manner = BP_HTTPD_KEEP, .reply = OK_HEAD "Content-Length: 70000\r\n\r\n", .fill = 70000},
        {.manner = BP_HTTPD_KEEP, .reply = OK_HEAD "Content-Length: 70000\r\n\r\n", .fill = 70000});
    char *text = NULL;
    size_t size = 0;
    ASSERT_OK(fixture_begin(NULL));
    ck_assert_int_eq(head(), 200);
    ASSERT_OK(bp_http_receive_all(fix.x, &bp_fake.op, 70000, &text, &size, &fix.error));
    ck_assert_uint_eq(size, 70000);
    ck_assert_int_eq(text[69999], bp_httpd_byte(69999));
    ck_assert_int_eq(text[70000], '\0');
    free(text);
    bp_http_end(fix.x);
    ASSERT_OK(fixture_begin(NULL));
    ck_assert_int_eq(head(), 200);
    ASSERT_FAILED(bp_http_receive_all(fix.x, &bp_fake.op, 69999, &text, &size, &fix.error),
                  BP_ERR_PERMANENT, 0, "the answer is longer than 69999 bytes");
    ck_assert_ptr_null(text);
}
END_TEST

START_TEST(test_receive_all__empty)
{
    SERVE({.reply = EMPTY});
    char *text = NULL;
    size_t size = 1;
    ASSERT_OK(fixture_begin(NULL));
    ck_assert_int_eq(head(), 200);
    ASSERT_OK(bp_http_receive_all(fix.x, &bp_fake.op, 0, &text, &size, &fix.error));
    ck_assert_uint_eq(size, 0);
    ck_assert_str_eq(text, "");
    free(text);
}
END_TEST

START_TEST(test_head__no_http_spoken)
{
    SERVE({.reply = "220 mail.example ESMTP\r\n"});
    int status = 0;
    ASSERT_OK(fixture_begin(NULL));
    ASSERT_FAILED(bp_http_head(fix.x, &bp_fake.op, &status, &fix.error), BP_ERR_PERMANENT,
                  BP_ERROR_OUTCOME_UNKNOWN, "HTTP/0.9");
}
END_TEST

START_TEST(test_head__reset_while_sending)
{
    SERVE({.manner = BP_HTTPD_CUT});
    const struct bp_http_request request = {.method = "PUT", .body_size = HUGE_BODY};
    bp_status status = BP_OK;
    ASSERT_OK(fixture_begin(&request));
    for (size_t at = 0; status == BP_OK && at < HUGE_BODY; at += sizeof(fix.buffer)) {
        status = send_part(fix.buffer, sizeof(fix.buffer));
    }
    /* Without its end the server cannot have taken it for a whole. */
    ASSERT_FAILED(status, BP_ERR_RETRYABLE, 0, "PUT http://127.0.0.1:");
}
END_TEST

START_TEST(test_end__at_any_point)
{
    SERVE({.manner = BP_HTTPD_KEEP,
           .reply = OK_HEAD "Content-Length: 30000000\r\n\r\n",
           .fill = 30000000},
          {.manner = BP_HTTPD_KEEP, .reply = EMPTY});
    const struct bp_http_request request = {.method = "PUT", .body_size = HUGE_BODY};
    ASSERT_OK(fixture_begin(NULL));
    ck_assert_int_eq(head(), 200);
    bp_http_end(fix.x); /* in the answer */
    ASSERT_OK(fixture_begin(&request));
    ASSERT_OK(send_part("1", 1));
    bp_http_end(fix.x); /* in the request: the server sees a stump */
    bp_http_end(NULL);
    fix.x = NULL;
    bp_httpd_wait(fix.server, 2);
    fixture_stop();
    ck_assert_uint_eq(bp_httpd_connections(fix.server), 2);
}
END_TEST

FIXTURE_MAIN("sdk/http/exchange", test_send__announced_length, test_send__chunked,
             test_send__chunked_and_empty, test_begin__body_in_memory,
             test_begin__empty_bodies_announce_their_length, test_send__not_as_announced,
             test_send__a_refusal_ends_it, test_begin__a_refusal_ends_a_body_in_memory,
             test_send__goes_on_after_an_early_success, test_receive__long_answer,
             test_receive__long_answer_that_came_early, test_receive__fills_the_buffer,
             test_receive__until_the_connection_closes, test_receive__chunks_and_trailers,
             test_head__answers_without_a_body, test_receive__a_cut_body_is_given_as_far_as_it_came,
             test_receive__reset, test_receive_all__limit, test_receive_all__empty,
             test_head__no_http_spoken, test_head__reset_while_sending, test_end__at_any_point)
