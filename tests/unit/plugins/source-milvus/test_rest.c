/* SPDX-License-Identifier: Apache-2.0
 *
 * Import over REST against a scripted server: what is sent, and what its answers mean.
 */
#include "plugins/source-milvus/rest.h"

#include "plugins/source-milvus/source.h"
#include "sdk/http/http.h"
#include "tests/harness/httpd.h"
#include "wire_test.h"

/* The server closes after each answer, so no length is needed. */
#define ANSWER(body) "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" body
#define FOUND                                       \
    {                                               \
        .reply = ANSWER("{\"code\":0,\"data\":[]}") \
    }

static struct bp_httpd *server;
static struct bp_source source;
static struct milvus_rest *rest;
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
    rest = NULL;
    server = NULL;
}

static void
teardown(void)
{
    milvus_rest_free(rest);
    if (server != NULL) {
        bp_httpd_stop(server);
        bp_httpd_free(server);
    }
    bp_http_client_free(source.http);
    milvus_config_clear(&source.config);
    bp_http_fini();
}

static bp_status
find(const struct bp_httpd_step *steps, size_t n)
{
    server = bp_httpd_start(steps, n);
    g_free(source.config.address);
    source.config.address = g_strdup(bp_httpd_url(server) + strlen("http://"));
    return milvus_rest_find(&source, &op, &rest, &error);
}

static bp_status
import(int64_t *job)
{
    struct milvus_dirs first = {.inserts = (char *)"b/1/2/3/", .deltas = (char *)"d/1/2/3/"};
    struct milvus_dirs second = {.inserts = (char *)"b/1/2/4/"};
    g_autoptr(GPtrArray) dirs = g_ptr_array_new();
    g_autoptr(GArray) options = milvus_kv_list_new();
    g_ptr_array_add(dirs, &first);
    g_ptr_array_add(dirs, &second);
    milvus_kv_add(options, "backup", "true");
    const struct milvus_rest_import what = {
        .db = "shop", .collection = "items", .partition = "p1", .dirs = dirs, .options = options};
    return milvus_rest_import(rest, &op, &what, job, &error);
}

START_TEST(test_import__sends_directories_and_login)
{
    const struct bp_httpd_step steps[] = {
        FOUND, {.reply = ANSWER("{\"code\":0,\"data\":{\"jobId\":\"457512345678901249\"}}")}};
    int64_t job = 0;
    source.config.user = g_strdup("root");
    source.config.password = bp_secret_new("pw-marker");
    ASSERT_OK(find(steps, G_N_ELEMENTS(steps)), error);
    ck_assert_ptr_nonnull(rest);
    ASSERT_OK(import(&job), error);
    ck_assert_int_eq(job, 457512345678901249);
    bp_httpd_stop(server);
    const char *request = bp_httpd_request(server, 1);
    ck_assert_ptr_nonnull(strstr(request, "POST /v2/vectordb/jobs/import/create "));
    ck_assert_ptr_nonnull(strstr(request, "Authorization: Bearer root:pw-marker\r\n"));
    ck_assert_ptr_nonnull(strstr(request, "Request-Timeout: 600\r\n"));
    ck_assert_ptr_nonnull(
        strstr(request, "\"files\":[[\"b/1/2/3/\",\"d/1/2/3/\"],[\"b/1/2/4/\"]]"));
    ck_assert_ptr_nonnull(strstr(request, "\"partitionName\":\"p1\""));
    ck_assert_ptr_nonnull(strstr(request, "\"options\":{\"backup\":\"true\"}"));
    ck_assert_ptr_null(strstr(fake_host_log(), "pw-marker"));
    bp_httpd_free(server);
    server = NULL;
}
END_TEST

START_TEST(test_find__old_server_has_none)
{
    const struct bp_httpd_step steps[] = {
        {.reply = "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n404 page not found"}};
    ASSERT_OK(find(steps, G_N_ELEMENTS(steps)), error);
    ck_assert_ptr_null(rest);
    ck_assert_ptr_nonnull(strstr(fake_host_log(), "imports go over gRPC, one directory each: "));
}
END_TEST

START_TEST(test_find__something_else_answers)
{
    const struct bp_httpd_step steps[] = {{.reply = ANSWER("hello")}};
    ASSERT_OK(find(steps, G_N_ELEMENTS(steps)), error);
    ck_assert_ptr_null(rest);
}
END_TEST

START_TEST(test_find__client_certificates_are_for_grpc)
{
    source.config.tls_mode = MILVUS_TLS_MUTUAL;
    ASSERT_OK(milvus_rest_find(&source, &op, &rest, &error), error);
    ck_assert_ptr_null(rest);
}
END_TEST

START_TEST(test_import__refused_with_status_200)
{
    const struct bp_httpd_step steps[] = {
        FOUND, {.reply = ANSWER("{\"code\":1100,\"message\":\"partition not specified\"}")}};
    int64_t job = 0;
    ASSERT_OK(find(steps, G_N_ELEMENTS(steps)), error);
    bp_status status = import(&job);
    ASSERT_FAILED(status, error, BP_ERR_INVALID, "partition not specified (InvalidParameter)");
}
END_TEST

START_TEST(test_import__wrong_login)
{
    const struct bp_httpd_step steps[] = {
        FOUND, {.reply = ANSWER("{\"code\":1800,\"message\":\"user hasn't authenticated\"}")}};
    int64_t job = 0;
    ASSERT_OK(find(steps, G_N_ELEMENTS(steps)), error);
    bp_status status = import(&job);
    ASSERT_FAILED(status, error, BP_ERR_AUTH, "user hasn't authenticated");
}
END_TEST

START_TEST(test_import__answer_without_a_job)
{
    const struct bp_httpd_step steps[] = {FOUND, {.reply = ANSWER("{\"code\":200}")}};
    int64_t job = 0;
    ASSERT_OK(find(steps, G_N_ELEMENTS(steps)), error);
    bp_status status = import(&job);
    ASSERT_FAILED(status, error, BP_ERR_PERMANENT, "took an import but named no job");
}
END_TEST

START_TEST(test_import__connection_lost)
{
    const struct bp_httpd_step steps[] = {FOUND, {.manner = BP_HTTPD_RESET}};
    int64_t job = 0;
    ASSERT_OK(find(steps, G_N_ELEMENTS(steps)), error);
    ck_assert_int_eq(import(&job), BP_ERR_RETRYABLE);
    ck_assert_uint_eq(error.flags & BP_ERROR_OUTCOME_UNKNOWN, BP_ERROR_OUTCOME_UNKNOWN);
}
END_TEST

static struct milvus_import_state
poll(const char *answer, bp_status wanted)
{
    const struct bp_httpd_step steps[] = {FOUND, {.reply = answer}};
    struct milvus_import_state state = {0};
    ASSERT_OK(find(steps, G_N_ELEMENTS(steps)), error);
    bp_status status = milvus_rest_import_state(rest, &op, "shop", 7, &state, &error);
    ck_assert_msg(status == wanted, "class %d: %s", status, error.message);
    return state;
}

START_TEST(test_state__running)
{
    struct milvus_import_state state =
        poll(ANSWER("{\"code\":0,\"data\":{\"state\":\"Importing\",\"progress\":30}}"), BP_OK);
    ck_assert_int_eq(state.phase, MILVUS_IMPORT_STARTED);
    ck_assert_int_eq(state.percent, 30);
}
END_TEST

START_TEST(test_state__completed)
{
    struct milvus_import_state state =
        poll(ANSWER("{\"code\":0,\"data\":{\"state\":\"Completed\",\"progress\":100,"
                    "\"importedRows\":293}}"),
             BP_OK);
    ck_assert_int_eq(state.phase, MILVUS_IMPORT_COMPLETED);
    ck_assert_int_eq(state.rows, 293);
}
END_TEST

START_TEST(test_state__failed)
{
    struct milvus_import_state state = poll(
        ANSWER(
            "{\"code\":0,\"data\":{\"state\":\"Failed\",\"reason\":\"no binlog for field:101\"}}"),
        BP_OK);
    ck_assert_int_eq(state.phase, MILVUS_IMPORT_FAILED);
    ck_assert_str_eq(state.reason, "no binlog for field:101");
}
END_TEST

START_TEST(test_state__waits_for_somebody)
{
    struct milvus_import_state state =
        poll(ANSWER("{\"code\":0,\"data\":{\"state\":\"Uncommitted\"}}"), BP_OK);
    ck_assert_int_eq(state.phase, MILVUS_IMPORT_FAILED);
    ck_assert_str_eq(state.reason, "the server waits for the job to be committed by hand");
}
END_TEST

START_TEST(test_state__unknown_job)
{
    (void)poll(ANSWER("{\"code\":2100,\"message\":\"import job does not exist\"}"),
               BP_ERR_PERMANENT);
    ck_assert_ptr_nonnull(strstr(error.message, "import job does not exist"));
}
END_TEST

START_TEST(test_state__no_state)
{
    (void)poll(ANSWER("{\"code\":0,\"data\":{}}"), BP_ERR_CORRUPT);
    ck_assert_ptr_nonnull(strstr(error.message, "the answer tells no state of the job"));
}
END_TEST

WIRE_MAIN("rest", setup, teardown, test_import__sends_directories_and_login,
          test_find__old_server_has_none, test_find__something_else_answers,
          test_find__client_certificates_are_for_grpc, test_import__refused_with_status_200,
          test_import__wrong_login, test_import__answer_without_a_job, test_import__connection_lost,
          test_state__running, test_state__completed, test_state__failed,
          test_state__waits_for_somebody, test_state__unknown_job, test_state__no_state)
