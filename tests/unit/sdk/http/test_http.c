/* SPDX-License-Identifier: Apache-2.0
 *
 * sdk/http against a scripted server: answers, misbehaviour, limits, cancel.
 */
#include "sdk/http/http.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/lib/errors.h"
#include "tests/harness/fake_host.h"
#include "tests/harness/httpd.h"

#define OK_HEAD "HTTP/1.1 200 OK\r\nConnection: close\r\n"

static struct bp_httpd *server;
static bp_http_client *client;
static size_t max_answer;
static struct bp_http_answer answer;
static struct bp_error error;

static void
setup(void)
{
    bp_fake_reset();
    bp_error_init(&error);
    ck_assert_int_eq(bp_http_init(&error), BP_OK);
    const struct bp_http_config config = {0};
    ck_assert_int_eq(bp_http_client_new(&bp_fake.host, &config, &client, &error), BP_OK);
    max_answer = 0;
}

static void
teardown(void)
{
    bp_http_answer_clear(&answer);
    bp_http_client_free(client);
    bp_http_fini();
}

/* One request to a server with one step; `request->url` is a path. */
static bp_status
ask(enum bp_httpd_manner manner, const char *reply, struct bp_http_request *request)
{
    char url[256];
    const struct bp_httpd_step step = {.manner = manner, .reply = reply};
    server = bp_httpd_start(&step, 1);
    snprintf(url, sizeof(url), "%s%s", bp_httpd_url(server),
             request->url == NULL ? "/" : request->url);
    request->url = url;
    bp_status status = bp_http_perform(client, &bp_fake.op, request, max_answer, &answer, &error);
    request->url = NULL;
    bp_httpd_stop(server);
    return status;
}

START_TEST(test_perform__get)
{
    struct bp_http_request request = {.url = "/management/x?y=1"};
    ck_assert_int_eq(
        ask(BP_HTTPD_REPLY, OK_HEAD "Content-Length: 12\r\n\r\n{\"msg\":\"OK\"}", &request), BP_OK);
    ck_assert_int_eq(answer.status, 200);
    ck_assert_uint_eq(answer.size, 12);
    ck_assert_str_eq(answer.body, "{\"msg\":\"OK\"}");
    const char *sent = bp_httpd_request(server, 0);
    ck_assert_msg(strncmp(sent, "GET /management/x?y=1 HTTP/1.1\r\n", 32) == 0, "%s", sent);
    bp_httpd_free(server);
}
END_TEST

START_TEST(test_perform__post_with_headers)
{
    static const char *const headers[] = {"Authorization: Bearer root:pw",
                                          "Content-Type: application/json", NULL};
    struct bp_http_request request = {
        .method = "POST", .headers = headers, .body = "{\"a\":1}", .body_size = 7};
    ck_assert_int_eq(ask(BP_HTTPD_REPLY, OK_HEAD "Content-Length: 0\r\n\r\n", &request), BP_OK);
    const char *sent = bp_httpd_request(server, 0);
    ck_assert_int_eq(strncmp(sent, "POST / ", 7), 0);
    ck_assert_ptr_nonnull(strstr(sent, "\r\nAuthorization: Bearer root:pw\r\n"));
    ck_assert_ptr_nonnull(strstr(sent, "\r\nContent-Type: application/json\r\n"));
    ck_assert_ptr_nonnull(strstr(sent, "\r\n\r\n{\"a\":1}"));
    ck_assert_uint_eq(answer.size, 0);
    bp_httpd_free(server);
}
END_TEST

START_TEST(test_perform__other_methods)
{
    struct bp_http_request request = {.method = "DELETE"};
    ck_assert_int_eq(
        ask(BP_HTTPD_REPLY, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", &request),
        BP_OK);
    ck_assert_int_eq(answer.status, 204);
    ck_assert_int_eq(strncmp(bp_httpd_request(server, 0), "DELETE / ", 9), 0);
    bp_httpd_free(server);
}
END_TEST

START_TEST(test_perform__status_and_retry_after)
{
    struct bp_http_request request = {0};
    ck_assert_int_eq(ask(BP_HTTPD_REPLY,
                         "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 4\r\n"
                         "Connection: close\r\n\r\nbusy",
                         &request),
                     BP_OK);
    ck_assert_int_eq(answer.status, 503);
    ck_assert_uint_eq(answer.retry_after_ms, 7000);
    ck_assert_str_eq(answer.body, "busy");
    bp_httpd_free(server);
}
END_TEST

START_TEST(test_perform__redirects_are_not_followed)
{
    struct bp_http_request request = {0};
    ck_assert_int_eq(ask(BP_HTTPD_REPLY,
                         "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n"
                         "Content-Length: 0\r\nConnection: close\r\n\r\n",
                         &request),
                     BP_OK);
    ck_assert_int_eq(answer.status, 302);
    bp_httpd_free(server);
}
END_TEST

START_TEST(test_perform__cut_body)
{
    struct bp_http_request request = {0};
    bp_status status =
        ask(BP_HTTPD_REPLY, OK_HEAD "Content-Length: 100\r\n\r\nonly this", &request);
    ck_assert_int_eq(status, BP_ERR_RETRYABLE);
    ck_assert_uint_eq(error.flags, BP_ERROR_OUTCOME_UNKNOWN);
    ck_assert_ptr_nonnull(strstr(error.message, "http://127.0.0.1:"));
    bp_httpd_free(server);
}
END_TEST

START_TEST(test_perform__reset)
{
    struct bp_http_request request = {0};
    ck_assert_int_eq(ask(BP_HTTPD_RESET, NULL, &request), BP_ERR_RETRYABLE);
    ck_assert_uint_eq(error.flags, BP_ERROR_OUTCOME_UNKNOWN);
    bp_httpd_free(server);
}
END_TEST

START_TEST(test_perform__answer_too_long)
{
    struct bp_http_request request = {0};
    max_answer = 8;
    ck_assert_int_eq(ask(BP_HTTPD_REPLY, OK_HEAD "Content-Length: 9\r\n\r\n123456789", &request),
                     BP_ERR_PERMANENT);
    ck_assert_ptr_nonnull(strstr(error.message, "the answer is longer than 8 bytes"));
    bp_httpd_free(server);
    bp_http_answer_clear(&answer);
    max_answer = 9;
    ck_assert_int_eq(ask(BP_HTTPD_REPLY, OK_HEAD "Content-Length: 9\r\n\r\n123456789", &request),
                     BP_OK);
    bp_httpd_free(server);
}
END_TEST

START_TEST(test_perform__cancelled_before)
{
    const struct bp_http_request request = {.url = "http://127.0.0.1:1/"};
    atomic_store(&bp_fake.cancelled, 1);
    ck_assert_int_eq(bp_http_perform(client, &bp_fake.op, &request, 0, &answer, &error),
                     BP_ERR_CANCELLED);
    ck_assert_uint_eq(error.flags, 0);
}
END_TEST

START_TEST(test_perform__error_of_an_older_host)
{
    const struct bp_http_request request = {.url = "http://127.0.0.1:1/"};
    const uint32_t shorter = offsetof(struct bp_error, message); /* as if it ended there */
    error.struct_size = shorter;
    snprintf(error.message, sizeof(error.message), "of the host");
    atomic_store(&bp_fake.cancelled, 1);
    ck_assert_int_eq(bp_http_perform(client, &bp_fake.op, &request, 0, &answer, &error),
                     BP_ERR_CANCELLED);
    ck_assert_int_eq(error.cls, BP_ERR_CANCELLED);
    ck_assert_uint_eq(error.struct_size, shorter);
    ck_assert_str_eq(error.message, "of the host");
}
END_TEST

START_TEST(test_perform__nobody_listens)
{
    /* Port 1 of the loopback device: refused at once, so that nothing can have happened. */
    const struct bp_http_request request = {.url = "http://127.0.0.1:1/"};
    ck_assert_int_eq(bp_http_perform(client, &bp_fake.op, &request, 0, &answer, &error),
                     BP_ERR_RETRYABLE);
    ck_assert_uint_eq(error.flags, 0);
}
END_TEST

START_TEST(test_perform__bad_urls)
{
    static const char *const urls[] = {"ftp://127.0.0.1/", "file:///etc/passwd", "http://[", ""};
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        const struct bp_http_request request = {.url = urls[i]};
        ck_assert_int_eq(bp_http_perform(client, &bp_fake.op, &request, 0, &answer, &error),
                         BP_ERR_INVALID);
    }
}
END_TEST

START_TEST(test_perform__no_secrets_in_messages)
{
    const struct bp_http_request request = {.url = "http://me:hunter2@127.0.0.1:1/p?token=hunter3"};
    ck_assert_int_eq(bp_http_perform(client, &bp_fake.op, &request, 0, &answer, &error),
                     BP_ERR_RETRYABLE);
    ck_assert_msg(strstr(error.message, "hunter") == NULL, "%s", error.message);
    ck_assert_ptr_nonnull(strstr(error.message, "http://127.0.0.1:1/p: "));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("sdk/http");
    TCase *tcase = tcase_create("http");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_perform__get);
    tcase_add_test(tcase, test_perform__post_with_headers);
    tcase_add_test(tcase, test_perform__other_methods);
    tcase_add_test(tcase, test_perform__status_and_retry_after);
    tcase_add_test(tcase, test_perform__redirects_are_not_followed);
    tcase_add_test(tcase, test_perform__cut_body);
    tcase_add_test(tcase, test_perform__reset);
    tcase_add_test(tcase, test_perform__answer_too_long);
    tcase_add_test(tcase, test_perform__cancelled_before);
    tcase_add_test(tcase, test_perform__error_of_an_older_host);
    tcase_add_test(tcase, test_perform__nobody_listens);
    tcase_add_test(tcase, test_perform__bad_urls);
    tcase_add_test(tcase, test_perform__no_secrets_in_messages);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
