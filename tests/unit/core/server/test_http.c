/* SPDX-License-Identifier: Apache-2.0
 *
 * core/server/http over the loopback device.
 */
#include "core/server/http.h"

#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "tests/unit/core/server/server_fixture.h"

#define LONG_NS (1000 * BP_NS_PER_S)
#define CLOSE "Host: h\r\nConnection: close\r\n"

static bp_http *http;
static guint16 port;
static gint n_calls; /* of handlers */

static bp_reply *
echo(void *ctx, const bp_http_request *request)
{
    (void)ctx;
    g_atomic_int_inc(&n_calls);
    const char *name = bp_http_part(request, "name");
    const char *header = bp_http_header(request, "x-word");
    return bp_reply_json(200, json_pack("{s:s, s:s, s:s*, s:i}", "name", name, "body",
                                        request->body, "word", header, "n", (int)request->n));
}

static bp_reply *
hello(void *ctx, const bp_http_request *request)
{
    (void)ctx;
    (void)request;
    g_atomic_int_inc(&n_calls);
    bp_reply *answer = bp_reply_text(200, "hello");
    bp_reply_add_header(answer, "X-Own", "yes");
    return answer;
}

/* As long as the server is there. */
static bp_reply *
wait_for_end(void *ctx, const bp_http_request *request)
{
    (void)ctx;
    g_atomic_int_inc(&n_calls);
    struct pollfd end = {.fd = bp_cancel_fd(request->stopping), .events = POLLIN};
    (void)poll(&end, 1, -1);
    return bp_reply_text(200, "it ended");
}

/* Until a connection is late that says nothing, and was opened after this request had come. */
static bp_reply *
wait_for_limit(void *ctx, const bp_http_request *request)
{
    (void)ctx;
    g_atomic_int_inc(&n_calls);
    int fd = client_connect(port);
    struct pollfd late[] = {{.fd = fd, .events = POLLIN},
                            {.fd = bp_cancel_fd(request->stopping), .events = POLLIN}};
    (void)poll(late, G_N_ELEMENTS(late), -1);
    close(fd);
    return bp_reply_text(200, "it was late");
}

static bp_reply *
guard(void *ctx, const bp_http_request *request)
{
    (void)ctx;
    return bp_http_header(request, "x-enemy") != NULL ? bp_reply_problem(401, "go away", NULL)
                                                      : NULL;
}

static const bp_route routes[] = {
    {.method = "GET", .path = "/", .answer = hello},
    {.method = "POST", .path = "/echo/{name}", .answer = echo},
    {.method = "GET", .path = "/wait", .answer = wait_for_end},
    {.method = "GET", .path = "/late", .answer = wait_for_limit},
};

static void
start_with(gint64 receive_ns, gint64 send_ns, guint max_connections)
{
    g_autoptr(GError) error = NULL;
    bp_http_params params = {.address = "127.0.0.1",
                             .routes = routes,
                             .n_routes = G_N_ELEMENTS(routes),
                             .guard = guard,
                             .max_connections = max_connections,
                             .max_head = 8192,
                             .max_body = 100,
                             .receive_ns = receive_ns,
                             .send_ns = send_ns};
    http = bp_http_start(&params, &error);
    ASSERT_FINE(http != NULL, error);
    port = bp_http_port(http);
}

static void
start(gint64 receive_ns, guint max_connections)
{
    start_with(receive_ns, LONG_NS, max_connections);
}

static void
setup(void)
{
    n_calls = 0;
    start(LONG_NS, 16);
}

static void
teardown(void)
{
    bp_http_stop(http, 0);
}

#define ASSERT_ANSWER(request, ...)                                                               \
    do {                                                                                          \
        g_autofree char *answer = client_ask(port, request);                                      \
        const char *const wanted[] = {__VA_ARGS__};                                               \
        for (gsize w = 0; w < G_N_ELEMENTS(wanted); w++) {                                        \
            ck_assert_msg(strstr(answer, wanted[w]) != NULL, "no '%s' in %s", wanted[w], answer); \
        }                                                                                         \
    } while (0)

START_TEST(test_get__text_and_headers)
{
    ASSERT_ANSWER("GET / HTTP/1.1\r\n" CLOSE "\r\n", "HTTP/1.1 200 ", "\r\n\r\nhello",
                  "Content-Type: text/plain; charset=utf-8", "Cache-Control: no-store",
                  "X-Content-Type-Options: nosniff", "X-Own: yes", "Content-Length: 5\r\n");
}
END_TEST

static void
collect_line(void *ctx, const char *line)
{
    g_string_append_printf(ctx, "%s\n", line);
}

START_TEST(test_id__of_a_request)
{
    GString *lines = g_string_new(NULL);
    bp_log_set_format(BP_LOG_FORMAT_JSON);
    bp_log_set_level(BP_LOG_DEBUG);
    bp_log_set_sink(collect_line, lines);
    ASSERT_ANSWER("GET /?token=hush HTTP/1.1\r\n" CLOSE "X-Request-Id: mine-1\r\n\r\n",
                  "X-Request-Id: mine-1\r\n");
    ASSERT_ANSWER("GET / HTTP/1.1\r\n" CLOSE "request_id: theirs\r\n\r\n",
                  "X-Request-Id: theirs\r\n");
    g_autofree char *made =
        client_ask(port, "GET /nothing HTTP/1.1\r\n" CLOSE "X-Request-Id: a b\"c\r\n\r\n");
    bp_log_set_sink(NULL, NULL);
    ck_assert_ptr_nonnull(strstr(made, "X-Request-Id: "));
    ck_assert_ptr_null(strstr(made, "a b\"c"));
    ck_assert_ptr_nonnull(strstr(lines->str, "\"request_id\":\"mine-1\",\"method\":\"GET\","
                                             "\"path\":\"/\",\"status\":\"200\""));
    ck_assert_ptr_nonnull(strstr(lines->str, "\"status\":\"404\""));
    ck_assert_ptr_null(strstr(lines->str, "hush"));
    g_string_free(lines, TRUE);
}
END_TEST

START_TEST(test_head__without_the_body)
{
    g_autofree char *answer = client_ask(port, "HEAD / HTTP/1.1\r\n" CLOSE "\r\n");
    ck_assert(g_str_has_prefix(answer, "HTTP/1.1 200 "));
    ck_assert(g_str_has_suffix(answer, "\r\n\r\n"));
    ck_assert_ptr_nonnull(strstr(answer, "Content-Length: 5\r\n"));
}
END_TEST

START_TEST(test_post__body_of_known_length)
{
    ASSERT_ANSWER("POST /echo/a%20b HTTP/1.1\r\n" CLOSE
                  "X-WORD: w\r\nContent-Length: 4\r\n\r\nbody",
                  "{\"name\":\"a b\",\"body\":\"body\",\"word\":\"w\",\"n\":4}");
}
END_TEST

START_TEST(test_post__body_in_chunks)
{
    ASSERT_ANSWER("POST /echo/a HTTP/1.1\r\n" CLOSE
                  "Transfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n",
                  "\"body\":\"body\"");
}
END_TEST

START_TEST(test_post__two_on_one_connection)
{
    int fd = client_connect(port);
    client_send(fd, "POST /echo/a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n1");
    client_expect(fd, "\"body\":\"1\",\"n\":1}");
    client_send(fd, "POST /echo/b HTTP/1.1\r\n" CLOSE "Content-Length: 0\r\n\r\n");
    g_autofree char *answer = client_read(fd);
    ck_assert_ptr_nonnull(strstr(answer, "{\"name\":\"b\",\"body\":\"\",\"n\":0}"));
}
END_TEST

START_TEST(test_refused__as_a_problem)
{
    ASSERT_ANSWER("GET /nothing HTTP/1.1\r\n" CLOSE "\r\n", "HTTP/1.1 404 ",
                  "Content-Type: application/problem+json", "\"status\":404");
    ASSERT_ANSWER("DELETE / HTTP/1.1\r\n" CLOSE "\r\n", "HTTP/1.1 405 ", "Allow: GET\r\n",
                  "\"hint\":\"it knows GET\"");
    ASSERT_ANSWER("GET /%2e%2e/ HTTP/1.1\r\n" CLOSE "\r\n", "HTTP/1.1 400 ", "a part of dots");
    ck_assert_int_eq(n_calls, 0);
}
END_TEST

START_TEST(test_refused__by_the_guard_before_anything_else)
{
    ASSERT_ANSWER("GET / HTTP/1.1\r\n" CLOSE "X-Enemy: 1\r\n\r\n", "HTTP/1.1 401 ", "go away");
    ASSERT_ANSWER("GET /nothing HTTP/1.1\r\n" CLOSE "X-Enemy: 1\r\n\r\n", "HTTP/1.1 401 ");
    ASSERT_ANSWER("DELETE / HTTP/1.1\r\n" CLOSE "X-Enemy: 1\r\n\r\n", "HTTP/1.1 401 ");
    /* its body is not waited for */
    ASSERT_ANSWER("POST /echo/a HTTP/1.1\r\n" CLOSE "X-Enemy: 1\r\nContent-Length: 9\r\n\r\n",
                  "HTTP/1.1 401 ");
    ck_assert_int_eq(n_calls, 0);
}
END_TEST

START_TEST(test_refused__a_body_that_is_too_large)
{
    g_autofree char *long_text = g_strnfill(101, 'x');
    g_autofree char *chunked =
        g_strconcat("POST /echo/a HTTP/1.1\r\n" CLOSE "Transfer-Encoding: chunked\r\n\r\n65\r\n",
                    long_text, "\r\n0\r\n\r\n", NULL);
    ASSERT_ANSWER("POST /echo/a HTTP/1.1\r\n" CLOSE "Content-Length: 101\r\n\r\n", "HTTP/1.1 413 ",
                  "the body is too large");
    ASSERT_ANSWER(chunked, "HTTP/1.1 413 ", "the body is too large");
    ck_assert_int_eq(n_calls, 0);
}
END_TEST

START_TEST(test_refused__a_head_that_is_too_large)
{
    g_autofree char *long_text = g_strnfill(9000, 'x');
    g_autofree char *header =
        g_strconcat("GET / HTTP/1.1\r\n" CLOSE "X-Long: ", long_text, "\r\n\r\n", NULL);
    g_autofree char *answer = client_ask(port, header);
    ck_assert_ptr_null(strstr(answer, " 200 "));
    g_autofree char *line = g_strconcat("GET /", long_text, " HTTP/1.1\r\n" CLOSE "\r\n", NULL);
    g_autofree char *other = client_ask(port, line);
    ck_assert_ptr_null(strstr(other, " 200 "));
    ck_assert_int_eq(n_calls, 0);
}
END_TEST

START_TEST(test_refused__a_body_of_which_two_see_different_ends)
{
    static const char *const requests[] = {
        "POST /echo/a HTTP/1.1\r\n" CLOSE "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST /echo/a HTTP/1.1\r\n" CLOSE "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
        "1\r\na\r\n0\r\n\r\n",
        "POST /echo/a HTTP/1.1\r\n" CLOSE "Content-Length: -1\r\n\r\n",
        "POST /echo/a HTTP/1.1\r\n" CLOSE "Content-Length: 99999999999999999999\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\n" CLOSE "Authorization: a\r\nauthorization: b\r\n\r\n",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(requests); i++) {
        g_autofree char *answer = client_ask(port, requests[i]);
        ck_assert_msg(strstr(answer, "HTTP/1.1 200") == NULL, "%s: %s", requests[i], answer);
    }
    ck_assert_int_eq(n_calls, 0);
}
END_TEST

START_TEST(test_refused__what_is_no_http)
{
    static const char *const requests[] = {"\r\n\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
                                           "\x16\x03\x01\x02\x01\r\n\r\n",
                                           "GET / HTTP/1.1\r\nno colon\r\n\r\n"};
    for (gsize i = 0; i < G_N_ELEMENTS(requests); i++) {
        int fd = client_connect(port);
        client_send(fd, requests[i]);
        (void)shutdown(fd, SHUT_WR);
        g_autofree char *answer = client_read(fd);
        ck_assert_msg(strstr(answer, " 200 ") == NULL, "%s: %s", requests[i], answer);
    }
    ck_assert_int_eq(n_calls, 0);
}
END_TEST

START_TEST(test_limits__a_request_that_drips)
{
    bp_http_stop(http, 0);
    start(50 * BP_NS_PER_MS, 16);
    int fd = client_connect(port);
    client_send(fd, "GET / HTTP/1.1\r\nHost: h\r\nX-More");
    g_autofree char *answer = client_read(fd); /* or the test runs into its limit */
    ck_assert_str_eq(answer, "");
}
END_TEST

START_TEST(test_limits__a_body_that_does_not_come)
{
    bp_http_stop(http, 0);
    start(50 * BP_NS_PER_MS, 16);
    int fd = client_connect(port);
    client_send(fd, "POST /echo/a HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc");
    g_autofree char *answer = client_read(fd);
    ck_assert_str_eq(answer, "");
    ck_assert_int_eq(n_calls, 0);
}
END_TEST

/* A busy machine may be late with the request itself or with the answer, but then it is not at a
 * longer limit; where work had one, it would be cut off at each. */
START_TEST(test_limits__work_has_none)
{
    g_autofree char *answer = g_strdup("");
    for (gint64 limit_ns = 100 * BP_NS_PER_MS; *answer == '\0' && limit_ns < 10 * BP_NS_PER_S;
         limit_ns *= 4) {
        bp_http_stop(http, 0);
        start_with(limit_ns, limit_ns, 16);
        g_free(answer);
        answer = client_ask(port, "GET /late HTTP/1.1\r\n" CLOSE "\r\n");
    }
    ck_assert_int_gt(n_calls, 0);
    ck_assert_msg(g_str_has_prefix(answer, "HTTP/1.1 200 "), "%s", answer);
    ck_assert(g_str_has_suffix(answer, "it was late"));
}
END_TEST

START_TEST(test_limits__more_connections_than_allowed)
{
    bp_http_stop(http, 0);
    start(LONG_NS, 1);
    int first = client_connect(port);
    client_send(first, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    client_expect(first, "hello");
    g_autofree char *second = client_ask(port, "GET / HTTP/1.1\r\n" CLOSE "\r\n");
    ck_assert_str_eq(second, "");
    close(first);
}
END_TEST

START_TEST(test_stop__answers_what_is_on_its_way)
{
    int idle = client_connect(port);
    int busy = client_connect(port);
    client_send(busy, "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
    while (g_atomic_int_get(&n_calls) == 0) {
        (void)sched_yield();
    }
    bp_http_stop(http, LONG_NS);
    g_autofree char *answer = client_read(busy);
    ck_assert_ptr_nonnull(strstr(answer, "it ended"));
    ck_assert_ptr_nonnull(strstr(answer, "Connection: close"));
    g_autofree char *nothing = client_read(idle);
    ck_assert_str_eq(nothing, "");
    start(LONG_NS, 16);
}
END_TEST

START_TEST(test_start__not_on_that_port)
{
    g_autoptr(GError) error = NULL;
    bp_http_params params = {.address = "127.0.0.1", .port = port};
    ck_assert_ptr_null(bp_http_start(&params, &error));
    ASSERT_ERROR(error, BP_ERR_EXISTS, "is taken by another program");
}
END_TEST

int
main(void)
{
    return RUN_SUITE(
        "server/http", setup, teardown, test_get__text_and_headers, test_id__of_a_request,
        test_head__without_the_body, test_post__body_of_known_length, test_post__body_in_chunks,
        test_post__two_on_one_connection, test_refused__as_a_problem,
        test_refused__by_the_guard_before_anything_else, test_refused__a_body_that_is_too_large,
        test_refused__a_head_that_is_too_large,
        test_refused__a_body_of_which_two_see_different_ends, test_refused__what_is_no_http,
        test_limits__a_request_that_drips, test_limits__a_body_that_does_not_come,
        test_limits__work_has_none, test_limits__more_connections_than_allowed,
        test_stop__answers_what_is_on_its_way, test_start__not_on_that_port);
}
