/* SPDX-License-Identifier: Apache-2.0
 *
 * sdk/http/client and lane: settings, what is sent, proxies, connections kept, threads.
 */
#include "http_fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>

#define EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

#define THREADS 4
#define ROUNDS 50

static bp_status
begin(const struct bp_http_request *request)
{
    return bp_http_begin(fix.client, &bp_fake.op, request, &fix.x, &fix.error);
}

static int
head(bp_status *result)
{
    int status = 0;
    *result = bp_http_head(fix.x, &bp_fake.op, &status, &fix.error);
    return status;
}

/* --- settings --- */

START_TEST(test_new__missing_file)
{
    const struct bp_http_config config = {.ca_file = "/nowhere/ca.pem"};
    ASSERT_FAILED(fixture_client(&config), BP_ERR_INVALID, 0,
                  "ca_file /nowhere/ca.pem: No such file");
    ck_assert_ptr_null(fix.client);
}
END_TEST

START_TEST(test_new__file_is_no_pem)
{
    const struct bp_http_config config = {.cert_file = "/dev/null"};
    ASSERT_FAILED(fixture_client(&config), BP_ERR_INVALID, 0, "cert_file /dev/null: holds nothing");
}
END_TEST

START_TEST(test_new__key_without_certificate)
{
    const struct bp_http_config config = {.key_file = "/dev/null"};
    ASSERT_FAILED(fixture_client(&config), BP_ERR_INVALID, 0, "key_file");
}
END_TEST

START_TEST(test_new__tls_version)
{
    const struct bp_http_config config = {.min_tls = 11};
    ASSERT_FAILED(fixture_client(&config), BP_ERR_INVALID, 0, "min_tls 11");
}
END_TEST

START_TEST(test_new__bad_proxies)
{
    static const char *const proxies[] = {"ftp://me:hunter2@proxy:1", "proxy:3128", "", "http://["};
    for (size_t i = 0; i < 4; i++) {
        const struct bp_http_config config = {.proxy = proxies[i]};
        ASSERT_FAILED(fixture_client(&config), BP_ERR_INVALID, 0, "proxy: not a URL");
        ck_assert_ptr_null(strstr(fix.error.message, "hunter2"));
    }
}
END_TEST

/* --- what is sent --- */

START_TEST(test_begin__headers_as_given)
{
    static const char *const headers[] = {"x-ms-meta-a: 1", "x-ms-meta-empty:", NULL};
    SERVE({.reply = EMPTY});
    const struct bp_http_config config = {.user_agent = "bakplane/1"};
    const struct bp_http_request request = {.url = "/a/../b%20c?x=1", .headers = headers};
    bp_status result = BP_OK;
    ASSERT_OK(fixture_client(&config));
    ASSERT_OK(fixture_begin(&request));
    ck_assert_int_eq(head(&result), 200);
    fixture_stop();
    const char *sent = bp_httpd_request(fix.server, 0);
    ck_assert_msg(strncmp(sent, "GET /a/../b%20c?x=1 HTTP/1.1\r\n", 30) == 0, "%s", sent);
    ck_assert_ptr_nonnull(strstr(sent, "\r\nx-ms-meta-a: 1\r\n"));
    ck_assert_ptr_nonnull(strstr(sent, "\r\nx-ms-meta-empty:\r\n"));
    ck_assert_ptr_nonnull(strstr(sent, "\r\nUser-Agent: bakplane/1\r\n"));
}
END_TEST

START_TEST(test_begin__malformed_headers)
{
    static const char *const lines[] = {"no colon", ": nameless", "a: b\r\nc: d", "a b: c", ""};
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        const char *const headers[] = {lines[i], NULL};
        const struct bp_http_request request = {.url = "http://127.0.0.1:1/", .headers = headers};
        ASSERT_FAILED(begin(&request), BP_ERR_INVALID, 0, "malformed");
        ck_assert_ptr_null(fix.x);
    }
}
END_TEST

START_TEST(test_begin__malformed_methods)
{
    static const char *const methods[] = {"", "get", "GET /x HTTP/1.1\r\n"};
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        const struct bp_http_request request = {.method = methods[i], .url = "http://127.0.0.1:1/"};
        ASSERT_FAILED(begin(&request), BP_ERR_INVALID, 0, "not a method");
    }
}
END_TEST

START_TEST(test_begin__body_without_a_size)
{
    const struct bp_http_request request = {
        .method = "PUT", .url = "http://127.0.0.1:1/", .body = "x", .body_size = BP_UNKNOWN};
    ASSERT_FAILED(begin(&request), BP_ERR_INVALID, 0, "needs its size");
}
END_TEST

START_TEST(test_begin__long_paths_leave_room_for_the_reason)
{
    char url[1500] = "http://127.0.0.1:1/";
    memset(url + strlen(url), 'k', 1400);
    const struct bp_http_request request = {.url = url};
    ASSERT_FAILED(begin(&request), BP_ERR_RETRYABLE, 0, "kkk…: Failed to connect");
}
END_TEST

/* --- proxies --- */

/* A client whose proxy is the server. */
static void
use_proxy(void)
{
    char proxy[128];
    (void)snprintf(proxy, sizeof(proxy), "http://me:pw@%s", bp_httpd_url(fix.server) + 7);
    const struct bp_http_config config = {.proxy = proxy};
    ASSERT_OK(fixture_client(&config));
}

START_TEST(test_proxy__of_the_settings)
{
    SERVE({.reply = EMPTY});
    const struct bp_http_request request = {.url = "http://storage.invalid/key"};
    bp_status result = BP_OK;
    setenv("no_proxy", "*", 1); /* is as little asked as the others */
    use_proxy();
    ASSERT_OK(begin(&request));
    ck_assert_int_eq(head(&result), 200);
    unsetenv("no_proxy");
    fixture_stop();
    const char *sent = bp_httpd_request(fix.server, 0);
    ck_assert_msg(strncmp(sent, "GET http://storage.invalid/key HTTP/1.1\r\n", 41) == 0, "%s",
                  sent);
    ck_assert_ptr_nonnull(strstr(sent, "\r\nProxy-Authorization: Basic bWU6cHc=\r\n"));
}
END_TEST

START_TEST(test_proxy__not_of_the_environment)
{
    SERVE({.reply = EMPTY});
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    ck_assert_int_eq(fixture_get(), 200);
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
}
END_TEST

START_TEST(test_proxy__refuses)
{
    SERVE({.reply = "HTTP/1.1 407 Login\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"},
          {.reply = "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"});
    const struct bp_http_request request = {.url = "https://storage.invalid/key"};
    use_proxy();
    ASSERT_FAILED(begin(&request), BP_ERR_DENIED, 0,
                  "response 407; the proxy wants a login, which its URL may hold");
    ASSERT_FAILED(begin(&request), BP_ERR_RETRYABLE, 0, "response 502");
    ck_assert_ptr_null(strstr(fix.error.message, "pw"));
    fixture_stop();
    ck_assert_int_eq(strncmp(bp_httpd_request(fix.server, 0), "CONNECT storage.invalid:443 ", 28),
                     0);
}
END_TEST

/* --- connections --- */

static void
two_at_once(void)
{
    const struct bp_http_request request = {.url = fixture_url("/")};
    bp_http_exchange *pair[2] = {NULL, NULL};
    int status = 0;
    for (size_t i = 0; i < 2; i++) {
        ASSERT_OK(bp_http_begin(fix.client, &bp_fake.op, &request, &pair[i], &fix.error));
    }
    for (size_t i = 0; i < 2; i++) {
        ASSERT_OK(bp_http_head(pair[i], &bp_fake.op, &status, &fix.error));
    }
    bp_http_end(pair[0]);
    bp_http_end(pair[1]);
}

START_TEST(test_pool__keeps_what_was_used)
{
    SERVE({.manner = BP_HTTPD_KEEP, .reply = EMPTY, .times = 6});
    two_at_once();
    two_at_once();
    two_at_once();
    fixture_stop();
    ck_assert_uint_eq(bp_httpd_connections(fix.server), 2);
}
END_TEST

START_TEST(test_pool__keeps_no_more_than_max_idle)
{
    SERVE({.manner = BP_HTTPD_KEEP, .reply = EMPTY, .times = 4});
    const struct bp_http_config config = {.max_idle = 1};
    ASSERT_OK(fixture_client(&config));
    two_at_once();
    two_at_once();
    fixture_stop();
    ck_assert_uint_eq(bp_httpd_connections(fix.server), 3);
}
END_TEST

START_TEST(test_pool__other_programs_do_not_inherit)
{
    SERVE({.manner = BP_HTTPD_KEEP, .reply = EMPTY});
    int ours = 0;
    unsigned long port = strtoul(strrchr(bp_httpd_url(fix.server), ':') + 1, NULL, 10);
    ck_assert_int_eq(fixture_get(), 200);
    for (int fd = 0; fd < 256; fd++) {
        struct sockaddr_in peer;
        socklen_t size = sizeof(peer);
        if (getpeername(fd, (struct sockaddr *)&peer, &size) == 0 && peer.sin_family == AF_INET &&
            ntohs(peer.sin_port) == port) {
            ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
            ours++;
        }
    }
    ck_assert_int_eq(ours, 1);
}
END_TEST

static void *
many(void *data)
{
    const char *url = data;
    for (int i = 0; i < ROUNDS; i++) {
        const struct bp_http_request request = {
            .method = "POST", .url = url, .body = "hello", .body_size = 5};
        struct bp_http_answer answer;
        struct bp_error error;
        bp_error_init(&error);
        bp_status status = bp_http_perform(fix.client, &bp_fake.op, &request, 0, &answer, &error);
        ck_assert_msg(status == BP_OK, "%s", error.message);
        ck_assert_uint_eq(answer.size, 1000);
        bp_http_answer_clear(&answer);
    }
    return NULL;
}

START_TEST(test_pool__many_threads)
{
    SERVE({.manner = BP_HTTPD_KEEP,
           .reply = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
           .fill = 1000,
           .times = THREADS * ROUNDS});
    const struct bp_http_config config = {.max_idle = 2};
    pthread_t threads[THREADS];
    (void)fixture_url("/");
    ASSERT_OK(fixture_client(&config));
    for (size_t i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, many, fix.url), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    fixture_stop();
    ck_assert_uint_eq(bp_httpd_requests(fix.server), THREADS * ROUNDS);
}
END_TEST

FIXTURE_MAIN("sdk/http/client", test_new__missing_file, test_new__file_is_no_pem,
             test_new__key_without_certificate, test_new__tls_version, test_new__bad_proxies,
             test_begin__headers_as_given, test_begin__malformed_headers,
             test_begin__malformed_methods, test_begin__body_without_a_size,
             test_begin__long_paths_leave_room_for_the_reason, test_proxy__of_the_settings,
             test_proxy__not_of_the_environment, test_proxy__refuses,
             test_pool__keeps_what_was_used, test_pool__keeps_no_more_than_max_idle,
             test_pool__other_programs_do_not_inherit, test_pool__many_threads)
