/* SPDX-License-Identifier: Apache-2.0
 *
 * Pausing the garbage collection: only a confirmed pause counts.
 */
#include "plugins/source-milvus/gc_pause.h"

#include "plugins/source-milvus/source.h"
#include "sdk/http/http.h"
#include "tests/harness/httpd.h"
#include "wire_test.h"

#define OK_REPLY "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{\"msg\":\"OK\"}"
#define NOT_FOUND_REPLY "HTTP/1.1 404 Not Found\r\nContent-Length: 18\r\n\r\n404 page not found"
#define DENIED_REPLY "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"msg\":\"sorry\"}"
#define BUSY_REPLY \
    "HTTP/1.1 503 Busy\r\nRetry-After: 4\r\nContent-Length: 14\r\n\r\n{\"msg\":\"busy\"}"

static struct bp_httpd *server;
static struct bp_source source;
static struct milvus_create_options options;
static struct milvus_gc_pause_state *pause_state;
static struct bp_error error;
static struct bp_op op;

static void
setup(void)
{
    error = fake_error();
    ASSERT_OK(bp_http_init(&error), error);
    fake_host_reset();
    op = fake_op();
    source = (struct bp_source){.host = fake_host(), .config = wire_config("127.0.0.1:1")};
    const struct bp_http_config http = {.connect_timeout_ms = 2000};
    ASSERT_OK(bp_http_client_new(fake_host(), &http, &source.http, &error), error);
    options = (struct milvus_create_options){.gc_pause = MILVUS_GC_AUTO, .gc_pause_ms = 90000};
    pause_state = NULL;
    server = NULL;
}

static void
teardown(void)
{
    if (server != NULL) {
        bp_httpd_stop(server);
        bp_httpd_free(server);
    }
    bp_http_client_free(source.http);
    milvus_config_clear(&source.config);
    bp_http_fini();
}

/* Serves these replies, one after the other. */
static void
serve(const struct bp_httpd_step *steps, size_t n)
{
    server = bp_httpd_start(steps, n);
    source.config.management = g_strconcat(bp_httpd_url(server), "/", NULL);
}

static bp_status
begin(void)
{
    return milvus_gc_pause(&source, &op, &options, &pause_state, &error);
}

START_TEST(test_pause__renew_and_resume)
{
    const struct bp_httpd_step steps[] = {
        {.reply = OK_REPLY}, {.reply = OK_REPLY}, {.reply = OK_REPLY}};
    serve(steps, G_N_ELEMENTS(steps));
    ASSERT_OK(begin(), error);
    ck_assert_ptr_nonnull(pause_state);
    ASSERT_OK(milvus_gc_renew(pause_state, &op, &error), error);
    ASSERT_OK(milvus_gc_resume(pause_state, &op, &error), error);
    bp_httpd_stop(server);
    for (size_t i = 0; i < 2; i++) {
        ck_assert_ptr_nonnull(strstr(bp_httpd_request(server, i),
                                     "GET /management/datacoord/garbage_collection/pause?"
                                     "pause_seconds=90 "));
    }
    ck_assert_ptr_nonnull(strstr(bp_httpd_request(server, 2),
                                 "GET /management/datacoord/garbage_collection/resume "));
    bp_httpd_free(server);
    server = NULL;
}
END_TEST

START_TEST(test_pause__the_newest_ticket_resumes)
{
    static const char first[] =
        "HTTP/1.1 200 OK\r\nContent-Length: 25\r\n\r\n{\"msg\":\"OK\",\"ticket\":\"a\"}";
    static const char second[] =
        "HTTP/1.1 200 OK\r\nContent-Length: 27\r\n\r\n{\"msg\":\"OK\",\"ticket\":\"b/c\"}";
    const struct bp_httpd_step steps[] = {{.reply = first}, {.reply = second}, {.reply = OK_REPLY}};
    serve(steps, G_N_ELEMENTS(steps));
    ASSERT_OK(begin(), error);
    ASSERT_OK(milvus_gc_renew(pause_state, &op, &error), error);
    ASSERT_OK(milvus_gc_resume(pause_state, &op, &error), error);
    bp_httpd_stop(server);
    ck_assert_ptr_nonnull(strstr(bp_httpd_request(server, 2), "/resume?ticket=b%2Fc "));
    bp_httpd_free(server);
    server = NULL;
}
END_TEST

START_TEST(test_pause__old_server)
{
    const struct bp_httpd_step steps[] = {{.reply = NOT_FOUND_REPLY}};
    serve(steps, G_N_ELEMENTS(steps));
    ASSERT_OK(begin(), error);
    ck_assert_ptr_null(pause_state);
    ck_assert_ptr_nonnull(strstr(fake_host_log(), "2 garbage collection is not paused"));
    ck_assert_ptr_nonnull(strstr(fake_host_log(), "(404)"));
}
END_TEST

START_TEST(test_pause__an_answer_that_confirms_nothing)
{
    const struct bp_httpd_step steps[] = {{.reply = DENIED_REPLY}};
    serve(steps, G_N_ELEMENTS(steps));
    ASSERT_OK(begin(), error);
    ck_assert_ptr_null(pause_state);
    ck_assert_ptr_nonnull(strstr(fake_host_log(), "1 garbage collection is not paused"));
    ck_assert_ptr_nonnull(strstr(fake_host_log(), "message \"sorry\""));
}
END_TEST

START_TEST(test_pause__required_but_refused)
{
    const struct bp_httpd_step steps[] = {{.reply = BUSY_REPLY}};
    serve(steps, G_N_ELEMENTS(steps));
    options.gc_pause = MILVUS_GC_REQUIRE;
    bp_status status = begin();
    ASSERT_FAILED(status, error, BP_ERR_THROTTLED, "status 503, message \"busy\"");
    ck_assert_uint_eq(error.retry_after_ms, 4000);
    ck_assert_ptr_null(pause_state);
}
END_TEST

START_TEST(test_pause__required_without_an_address)
{
    options.gc_pause = MILVUS_GC_REQUIRE;
    bp_status status = begin();
    ASSERT_FAILED(status, error, BP_ERR_INVALID, "needs the setting management");
}
END_TEST

START_TEST(test_pause__off_and_unset_ask_nobody)
{
    ASSERT_OK(begin(), error);
    source.config.management = g_strdup("http://127.0.0.1:1");
    options.gc_pause = MILVUS_GC_OFF;
    ASSERT_OK(begin(), error);
    ck_assert_ptr_null(pause_state);
    ck_assert_str_eq(fake_host_log(), "");
    ASSERT_OK(milvus_gc_resume(NULL, &op, &error), error);
}
END_TEST

START_TEST(test_pause__nobody_listens_names_the_address)
{
    source.config.management = g_strdup("http://127.0.0.1:1");
    ASSERT_OK(begin(), error);
    ck_assert_ptr_nonnull(strstr(fake_host_log(), "1 garbage collection is not paused: "
                                                  "GET http://127.0.0.1:1/"));
}
END_TEST

WIRE_MAIN("gc_pause", setup, teardown, test_pause__renew_and_resume,
          test_pause__the_newest_ticket_resumes, test_pause__old_server,
          test_pause__an_answer_that_confirms_nothing, test_pause__required_but_refused,
          test_pause__required_without_an_address, test_pause__off_and_unset_ask_nobody,
          test_pause__nobody_listens_names_the_address)
