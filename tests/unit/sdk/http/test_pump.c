/* SPDX-License-Identifier: Apache-2.0
 *
 * sdk/http/pump: connections that were kept and died, timeouts, deadline, cancel.
 */
#include "http_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define OK_HEAD "HTTP/1.1 200 OK\r\n"
#define EMPTY OK_HEAD "Content-Length: 0\r\n\r\n"
#define HUGE_BODY ((size_t)32 * 1024 * 1024)

#define NS_PER_MS INT64_C(1000000)

static int
get_head(bp_status *result)
{
    int status = 0;
    *result = bp_http_head(fix.x, &bp_fake.op, &status, &fix.error);
    return status;
}

/* --- kept connections --- */

START_TEST(test_kept__is_used_again)
{
    SERVE({.manner = BP_HTTPD_KEEP, .reply = EMPTY, .times = 5});
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(fixture_get(), 200);
    }
    fixture_stop();
    ck_assert_uint_eq(bp_httpd_connections(fix.server), 1);
}
END_TEST

/* The server closes without having said so. */
START_TEST(test_kept__closed_while_idle)
{
    SERVE({.reply = EMPTY, .times = 5});
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(fixture_get(), 200);
    }
    fixture_stop();
    ck_assert_uint_eq(bp_httpd_connections(fix.server), 5);
}
END_TEST

/* It takes the request and is gone: nobody could have seen it coming. */
START_TEST(test_kept__dies_at_a_request_without_a_body)
{
    SERVE({.manner = BP_HTTPD_KEEP, .reply = EMPTY}, {.manner = BP_HTTPD_RESET}, {.reply = EMPTY});
    ck_assert_int_eq(fixture_get(), 200);
    ck_assert_int_eq(fixture_get(), 200);
    fixture_stop();
    ck_assert_uint_eq(bp_httpd_requests(fix.server), 3);
    ck_assert_uint_eq(bp_httpd_connections(fix.server), 2);
}
END_TEST

static void
put_again(size_t size)
{
    char *body = malloc(size);
    bp_status result = BP_OK;
    for (size_t i = 0; i < size; i++) {
        body[i] = bp_httpd_byte(i);
    }
    ck_assert_int_eq(fixture_get(), 200);
    const struct bp_http_request request = {.method = "PUT", .body = body, .body_size = size};
    ASSERT_OK(fixture_begin(&request));
    ck_assert_int_eq(get_head(&result), 200);
    fixture_stop();
    size_t came = 0;
    const char *sent = bp_httpd_body(fix.server, 2, &came);
    ck_assert_uint_eq(came, size);
    ck_assert_int_eq(memcmp(sent, body, size), 0);
    bp_http_end(fix.x);
    fix.x = NULL;
    free(body);
}

START_TEST(test_kept__dies_after_a_body_in_memory)
{
    SERVE({.manner = BP_HTTPD_KEEP, .reply = EMPTY}, {.reply = NULL}, {.reply = EMPTY});
    put_again(5000);
}
END_TEST

START_TEST(test_kept__dies_in_a_body_in_memory)
{
    SERVE({.manner = BP_HTTPD_KEEP, .reply = EMPTY}, {.manner = BP_HTTPD_CUT}, {.reply = EMPTY});
    put_again(HUGE_BODY);
}
END_TEST

START_TEST(test_kept__dies_after_a_stream)
{
    SERVE({.manner = BP_HTTPD_KEEP, .reply = EMPTY}, {.manner = BP_HTTPD_RESET});
    const struct bp_http_request request = {.method = "PUT", .body_size = 3};
    bp_status result = BP_OK;
    ck_assert_int_eq(fixture_get(), 200);
    ASSERT_OK(fixture_begin(&request));
    ASSERT_OK(bp_http_send(fix.x, &bp_fake.op, "abc", 3, &fix.error));
    (void)get_head(&result);
    /* What was streamed is gone, and the server may have it. */
    ASSERT_FAILED(result, BP_ERR_RETRYABLE, BP_ERROR_OUTCOME_UNKNOWN, "PUT http://");
    fixture_stop();
    ck_assert_uint_eq(bp_httpd_requests(fix.server), 2);
}
END_TEST

START_TEST(test_kept__dies_before_a_stream)
{
    SERVE({.manner = BP_HTTPD_KEEP, .reply = EMPTY}, {.manner = BP_HTTPD_CUT}, {.reply = EMPTY});
    const struct bp_http_request request = {.method = "PUT", .body_size = 3};
    bp_status result = BP_OK;
    ck_assert_int_eq(fixture_get(), 200);
    ASSERT_OK(fixture_begin(&request));
    bp_httpd_wait_closed(fix.server, 1);
    ASSERT_OK(bp_http_send(fix.x, &bp_fake.op, "abc", 3, &fix.error));
    ck_assert_int_eq(get_head(&result), 200);
    fixture_stop();
    ck_assert_ptr_nonnull(strstr(bp_httpd_request(fix.server, 2), "\r\n\r\nabc"));
}
END_TEST

START_TEST(test_new__is_not_tried_again)
{
    SERVE({.manner = BP_HTTPD_RESET}, {.reply = EMPTY});
    bp_status result = BP_OK;
    ASSERT_OK(fixture_begin(NULL));
    (void)get_head(&result);
    ASSERT_FAILED(result, BP_ERR_RETRYABLE, BP_ERROR_OUTCOME_UNKNOWN, "GET http://");
    fixture_stop();
    ck_assert_uint_eq(bp_httpd_requests(fix.server), 1);
}
END_TEST

START_TEST(test_kept__only_one_more_try)
{
    SERVE({.manner = BP_HTTPD_KEEP, .reply = EMPTY}, {.manner = BP_HTTPD_RESET, .times = 2},
          {.reply = EMPTY});
    bp_status result = BP_OK;
    ck_assert_int_eq(fixture_get(), 200);
    ASSERT_OK(fixture_begin(NULL));
    (void)get_head(&result);
    ASSERT_FAILED(result, BP_ERR_RETRYABLE, BP_ERROR_OUTCOME_UNKNOWN, "GET http://");
    fixture_stop();
    ck_assert_uint_eq(bp_httpd_requests(fix.server), 3);
}
END_TEST

START_TEST(test_fresh__never_sent_twice)
{
    SERVE({.manner = BP_HTTPD_KEEP, .reply = EMPTY}, {.manner = BP_HTTPD_RESET}, {.reply = EMPTY});
    const struct bp_http_request request = {.method = "PUT", .fresh = 1};
    bp_status result = BP_OK;
    ck_assert_int_eq(fixture_get(), 200);
    ASSERT_OK(fixture_begin(&request));
    (void)get_head(&result);
    ASSERT_FAILED(result, BP_ERR_RETRYABLE, BP_ERROR_OUTCOME_UNKNOWN, "PUT http://");
    fixture_stop();
    ck_assert_uint_eq(bp_httpd_requests(fix.server), 2);
    ck_assert_uint_eq(bp_httpd_connections(fix.server), 2);
}
END_TEST

/* --- time --- */

START_TEST(test_idle__no_answer)
{
    SERVE({.manner = BP_HTTPD_STALL});
    const struct bp_http_request request = {.idle_timeout_ms = 50};
    bp_status result = BP_OK;
    ASSERT_OK(fixture_begin(&request));
    (void)get_head(&result);
    ASSERT_FAILED(result, BP_ERR_TIMEOUT, BP_ERROR_OUTCOME_UNKNOWN, "no answer within the idle");
}
END_TEST

static size_t
receive_some(void)
{
    size_t n = 0;
    bp_status result = BP_OK;
    if (get_head(&result) == 200) {
        (void)bp_http_receive(fix.x, &bp_fake.op, fix.buffer, 9, &n, &fix.error);
    }
    return n;
}

/* Receives what a server sends that stops in its answer.  A busy machine may be late with that, but
 * then it is not at a longer limit. */
static void
receive_until_it_stops(int by_idle)
{
    static const struct bp_httpd_step step = {.manner = BP_HTTPD_STALL,
                                              .reply = OK_HEAD "Content-Length: 9\r\n\r\nabc"};
    size_t n = 0;
    for (uint32_t limit_ms = 50; n == 0 && limit_ms < 10000; limit_ms *= 4) {
        const struct bp_http_config config = {.idle_timeout_ms = by_idle ? limit_ms : 0,
                                              .total_timeout_ms = by_idle ? 0 : 3600000};
        const struct bp_http_request request = {.total_timeout_ms = by_idle ? 0 : limit_ms};
        fixture_teardown();
        fixture_setup();
        fix.server = bp_httpd_start(&step, 1);
        ASSERT_OK(fixture_client(&config));
        if (fixture_begin(&request) == BP_OK) {
            n = receive_some();
        }
    }
    ck_assert_uint_eq(n, 3);
}

START_TEST(test_idle__in_the_answer)
{
    size_t n = 0;
    receive_until_it_stops(1);
    ASSERT_FAILED(bp_http_receive(fix.x, &bp_fake.op, fix.buffer, 9, &n, &fix.error),
                  BP_ERR_TIMEOUT, BP_ERROR_OUTCOME_UNKNOWN, "no byte moved");
}
END_TEST

static bp_status
send_all(void)
{
    bp_status result = BP_OK;
    for (size_t at = 0; result == BP_OK && at < HUGE_BODY; at += sizeof(fix.buffer)) {
        result = bp_http_send(fix.x, &bp_fake.op, fix.buffer, sizeof(fix.buffer), &fix.error);
    }
    return result;
}

START_TEST(test_idle__server_does_not_read)
{
    SERVE({.manner = BP_HTTPD_MUTE});
    const struct bp_http_request request = {
        .method = "PUT", .body_size = HUGE_BODY, .idle_timeout_ms = 50};
    ASSERT_OK(fixture_begin(&request));
    ASSERT_FAILED(send_all(), BP_ERR_TIMEOUT, 0, "no byte moved");
}
END_TEST

START_TEST(test_total__of_client_and_request)
{
    size_t n = 0;
    receive_until_it_stops(0);
    ASSERT_FAILED(bp_http_receive(fix.x, &bp_fake.op, fix.buffer, 9, &n, &fix.error),
                  BP_ERR_TIMEOUT, BP_ERROR_OUTCOME_UNKNOWN, "total timeout");
}
END_TEST

START_TEST(test_deadline__of_the_operation)
{
    SERVE({.manner = BP_HTTPD_STALL});
    bp_status result = BP_OK;
    struct timespec now;
    ASSERT_OK(fixture_begin(NULL));
    clock_gettime(CLOCK_MONOTONIC, &now);
    bp_fake.op.deadline_ns = (int64_t)now.tv_sec * 1000 * NS_PER_MS + now.tv_nsec + 50 * NS_PER_MS;
    (void)get_head(&result);
    ASSERT_FAILED(result, BP_ERR_TIMEOUT, BP_ERROR_OUTCOME_UNKNOWN, "deadline");
}
END_TEST

/* A port whose queue of connections is full answers nobody. */
START_TEST(test_connect__timeout)
{
    const struct bp_http_config config = {.connect_timeout_ms = 100};
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof(address);
    int waiting[8];
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(listener, 0), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    for (size_t i = 0; i < 8; i++) {
        waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(waiting[i], (struct sockaddr *)&address, size);
    }
    snprintf(fix.url, sizeof(fix.url), "http://127.0.0.1:%d/", ntohs(address.sin_port));
    const struct bp_http_request request = {.url = fix.url};
    ASSERT_OK(fixture_client(&config));
    ASSERT_FAILED(bp_http_begin(fix.client, &bp_fake.op, &request, &fix.x, &fix.error),
                  BP_ERR_TIMEOUT, 0, "GET http://127.0.0.1:");
    for (size_t i = 0; i < 8; i++) {
        close(waiting[i]);
    }
    close(listener);
}
END_TEST

/* --- cancel: the tests end --- */

static int cancel_pipe[2] = {-1, -1};

static void *
cancel(void *data)
{
    (void)data;
    bp_httpd_wait(fix.server, 1);
    atomic_store(&bp_fake.cancelled, 1);
    if (cancel_pipe[1] >= 0) {
        ck_assert_int_eq(write(cancel_pipe[1], "x", 1), 1);
    }
    return NULL;
}

START_TEST(test_cancel__by_descriptor)
{
    SERVE({.manner = BP_HTTPD_STALL});
    pthread_t thread;
    bp_status result = BP_OK;
    ck_assert_int_eq(pipe(cancel_pipe), 0);
    bp_fake.cancel_fd = cancel_pipe[0];
    ck_assert_int_eq(pthread_create(&thread, NULL, cancel, NULL), 0);
    ASSERT_OK(fixture_begin(NULL));
    (void)get_head(&result);
    pthread_join(thread, NULL);
    ASSERT_FAILED(result, BP_ERR_CANCELLED, BP_ERROR_OUTCOME_UNKNOWN, "cancelled");
    close(cancel_pipe[0]);
    close(cancel_pipe[1]);
    cancel_pipe[1] = -1;
}
END_TEST

START_TEST(test_cancel__without_a_descriptor)
{
    SERVE({.manner = BP_HTTPD_MUTE});
    const struct bp_http_request request = {.method = "PUT", .body_size = HUGE_BODY};
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, cancel, NULL), 0);
    ASSERT_OK(fixture_begin(&request));
    bp_status result = send_all();
    pthread_join(thread, NULL);
    ASSERT_FAILED(result, BP_ERR_CANCELLED, 0, "cancelled");
}
END_TEST

FIXTURE_MAIN("sdk/http/pump", test_kept__is_used_again, test_kept__closed_while_idle,
             test_kept__dies_at_a_request_without_a_body, test_kept__dies_after_a_body_in_memory,
             test_kept__dies_in_a_body_in_memory, test_kept__dies_after_a_stream,
             test_kept__dies_before_a_stream, test_new__is_not_tried_again,
             test_kept__only_one_more_try, test_fresh__never_sent_twice, test_idle__no_answer,
             test_idle__in_the_answer, test_idle__server_does_not_read,
             test_total__of_client_and_request, test_deadline__of_the_operation,
             test_connect__timeout, test_cancel__by_descriptor, test_cancel__without_a_descriptor)
