/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls against a scripted server: headers, failures, cancel, deadlines.
 */
#include "plugins/source-milvus/rpc.h"

#include <arpa/inet.h>
#include <grpc/grpc.h>
#include <grpc/status.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "milvus_service.pb-c.h"
#include "tests/harness/fake_milvus.h"
#include "wire_test.h"

#define SOON_MS 30000 /* on a busy machine; half of what a call of wire_config may take */

static fake_milvus *fake;
static struct milvus_config config;
static struct milvus_rpc *rpc;
static struct bp_host host;
static atomic_int asked_cancelled, cancel_at;
static atomic_bool cancel_when_called;
static atomic_llong cancelled_ms; /* since when; 0 = not */

static int64_t
now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int32_t
is_called(void)
{
    if (fake_milvus_calls(fake, "GetVersion") == 0) {
        return 0;
    }
    atomic_store(&cancelled_ms, now_ms());
    return 1;
}

/* Cancelled from the n-th question on; 0 = never.  Or once the call has reached the server. */
static int32_t
on_cancelled(const struct bp_op *op)
{
    (void)op;
    if (atomic_load(&cancel_when_called)) {
        return is_called();
    }
    int n = atomic_fetch_add(&asked_cancelled, 1) + 1;
    int limit = atomic_load(&cancel_at);
    return limit > 0 && n >= limit;
}

static void
open_rpc(void)
{
    struct bp_error error = fake_error();
    ASSERT_OK(milvus_rpc_new(&host, &config, &rpc, &error), error);
}

static void
setup(void)
{
    grpc_init();
    fake_host_reset();
    host = *fake_host();
    host.cancelled = on_cancelled;
    atomic_store(&cancel_at, 0);
    atomic_store(&asked_cancelled, 0);
    atomic_store(&cancel_when_called, false);
    fake = fake_milvus_start();
    config = wire_config(fake_milvus_address(fake));
}

static void
teardown(void)
{
    milvus_rpc_free(rpc);
    rpc = NULL;
    milvus_config_clear(&config);
    if (fake != NULL) {
        fake_milvus_stop(fake);
    }
    fake = NULL;
    grpc_shutdown();
}

/* GetVersion, as plain as can be. */
static bp_status
call(uint32_t timeout_ms, ProtobufCMessage **answer, struct bp_error *error)
{
    Mv__Empty message = MV__EMPTY__INIT;
    struct bp_op op = fake_op();
    struct milvus_rpc_call wanted = {.method = "GetVersion",
                                     .object = "of it",
                                     .timeout_ms = timeout_ms,
                                     .request = &message.base,
                                     .answer = &mv__get_version_response__descriptor};
    *error = fake_error();
    return milvus_rpc_call(rpc, &op, &wanted, answer, error);
}

static void
answer_version(const char *version)
{
    Mv__GetVersionResponse response = MV__GET_VERSION_RESPONSE__INIT;
    response.version = (char *)version;
    fake_milvus_answer(fake, "GetVersion", 0, &response.base);
}

START_TEST(test_call__answers)
{
    answer_version("v2.3.5");
    open_rpc();
    struct bp_error error;
    ProtobufCMessage *answer = NULL;
    ASSERT_OK(call(0, &answer, &error), error);
    ck_assert_str_eq(((Mv__GetVersionResponse *)answer)->version, "v2.3.5");
    protobuf_c_message_free_unpacked(answer, NULL);
    ck_assert_uint_eq(fake_milvus_calls(fake, "GetVersion"), 1);
}
END_TEST

START_TEST(test_call__sends_headers)
{
    config.user = g_strdup("root");
    config.password = bp_secret_new("Milvus");
    answer_version("v2.3.5");
    open_rpc();
    Mv__Empty message = MV__EMPTY__INIT;
    struct bp_op op = fake_op();
    struct bp_error error = fake_error();
    struct milvus_rpc_call wanted = {.method = "GetVersion",
                                     .db = "shop",
                                     .identifier = 42,
                                     .request = &message.base,
                                     .answer = &mv__get_version_response__descriptor};
    ASSERT_OK(milvus_rpc_call(rpc, &op, &wanted, NULL, &error), error);
    g_autofree char *authorization = fake_milvus_header(fake, "GetVersion", "authorization");
    g_autofree char *db = fake_milvus_header(fake, "GetVersion", "dbname");
    g_autofree char *identifier = fake_milvus_header(fake, "GetVersion", "identifier");
    ck_assert_str_eq(authorization, "cm9vdDpNaWx2dXM=");
    ck_assert_str_eq(db, "shop");
    ck_assert_str_eq(identifier, "42");
}
END_TEST

START_TEST(test_call__sends_a_token_and_no_empty_headers)
{
    config.token = bp_secret_new("abc");
    answer_version("v2.3.5");
    open_rpc();
    struct bp_error error;
    ASSERT_OK(call(0, NULL, &error), error);
    g_autofree char *authorization = fake_milvus_header(fake, "GetVersion", "authorization");
    g_autofree char *db = fake_milvus_header(fake, "GetVersion", "dbname");
    ck_assert_str_eq(authorization, "YWJj");
    ck_assert_ptr_null(db);
}
END_TEST

START_TEST(test_call__refuses_a_header_that_cannot_be_sent)
{
    open_rpc();
    Mv__Empty message = MV__EMPTY__INIT;
    struct bp_op op = fake_op();
    struct bp_error error = fake_error();
    struct milvus_rpc_call wanted = {.method = "GetVersion",
                                     .db = "sh\nop",
                                     .request = &message.base,
                                     .answer = &mv__get_version_response__descriptor};
    bp_status status = milvus_rpc_call(rpc, &op, &wanted, NULL, &error);
    ASSERT_FAILED(status, error, BP_ERR_INVALID, "header dbname");
    ck_assert_uint_eq(fake_milvus_calls(fake, "GetVersion"), 0);
}
END_TEST

START_TEST(test_call__nothing_is_repeated)
{
    fake_milvus_refuse(fake, "GetVersion", 0, GRPC_STATUS_UNAVAILABLE, "going down");
    open_rpc();
    struct bp_error error;
    bp_status status = call(0, NULL, &error);
    ASSERT_FAILED(status, error, BP_ERR_RETRYABLE, "GetVersion of it: going down (UNAVAILABLE)");
    ck_assert_ptr_nonnull(strstr(error.message, fake_milvus_address(fake)));
    ck_assert_uint_eq(fake_milvus_calls(fake, "GetVersion"), 1);
    ck_assert_uint_eq(error.flags & BP_ERROR_OUTCOME_UNKNOWN, BP_ERROR_OUTCOME_UNKNOWN);
}
END_TEST

START_TEST(test_call__wrong_password)
{
    config.user = g_strdup("root");
    config.password = bp_secret_new("hush-hush");
    fake_milvus_refuse(fake, "GetVersion", 0, GRPC_STATUS_UNAUTHENTICATED, "auth check failure");
    open_rpc();
    struct bp_error error;
    bp_status status = call(0, NULL, &error);
    ASSERT_FAILED(status, error, BP_ERR_AUTH, "auth check failure");
    ck_assert_ptr_null(strstr(error.message, "hush"));
    ck_assert_ptr_null(strstr(fake_host_log(), "hush"));
}
END_TEST

START_TEST(test_call__unknown_method)
{
    open_rpc();
    struct bp_error error;
    bp_status status = call(0, NULL, &error);
    ASSERT_FAILED(status, error, BP_ERR_UNSUPPORTED, "unknown method GetVersion");
}
END_TEST

START_TEST(test_call__status_in_the_answer)
{
    Mv__Status inner = MV__STATUS__INIT;
    Mv__GetVersionResponse response = MV__GET_VERSION_RESPONSE__INIT;
    inner.has_code = true;
    inner.code = 800;
    inner.reason = (char *)"database not found[database=x]";
    response.status = &inner;
    fake_milvus_answer(fake, "GetVersion", 0, &response.base);
    open_rpc();
    struct bp_error error;
    ProtobufCMessage *answer = NULL;
    bp_status status = call(0, &answer, &error);
    ASSERT_FAILED(status, error, BP_ERR_NOT_FOUND, "database not found[database=x]");
    ck_assert_ptr_null(answer);
}
END_TEST

START_TEST(test_call__answer_that_is_no_message)
{
    fake_milvus_answer_bytes(fake, "GetVersion", 0, "\x0a\xff\xff\xff\xff\x7f", 6);
    open_rpc();
    struct bp_error error;
    bp_status status = call(0, NULL, &error);
    ASSERT_FAILED(status, error, BP_ERR_CORRUPT, "6 bytes is no GetVersionResponse");
}
END_TEST

START_TEST(test_call__large_answer)
{
    g_autofree char *text = g_strnfill((gsize)9 * 1024 * 1024, 'x');
    answer_version(text);
    open_rpc();
    struct bp_error error;
    ProtobufCMessage *answer = NULL;
    ASSERT_OK(call(0, &answer, &error), error);
    ck_assert_uint_eq(strlen(((Mv__GetVersionResponse *)answer)->version), strlen(text));
    protobuf_c_message_free_unpacked(answer, NULL);
}
END_TEST

START_TEST(test_call__cancel_ends_it_soon)
{
    fake_milvus_hang(fake, "GetVersion");
    open_rpc();
    atomic_store(&cancel_when_called, true);
    struct bp_error error;
    bp_status status = call(0, NULL, &error);
    ASSERT_FAILED(status, error, BP_ERR_CANCELLED, "cancelled");
    ck_assert_int_lt(now_ms() - atomic_load(&cancelled_ms), SOON_MS);
    ck_assert_uint_eq(fake_milvus_calls(fake, "GetVersion"), 1);
}
END_TEST

/* GetVersion once more, as a call that must not be cut. */
static bp_status
call_fragile(int64_t deadline_ns, struct bp_error *error)
{
    Mv__Empty message = MV__EMPTY__INIT;
    struct bp_op op = fake_op();
    op.deadline_ns = deadline_ns;
    struct milvus_rpc_call wanted = {.method = "GetVersion",
                                     .is_fragile = true,
                                     .request = &message.base,
                                     .answer = &mv__get_version_response__descriptor};
    *error = fake_error();
    return milvus_rpc_call(rpc, &op, &wanted, NULL, error);
}

START_TEST(test_call__fragile_one_may_come_back_after_a_cancel)
{
    fake_milvus_hang(fake, "GetVersion");
    open_rpc();
    atomic_store(&cancel_at, 2);
    int64_t begin = now_ms();
    struct bp_error error;
    bp_status status = call_fragile(0, &error);
    ASSERT_FAILED(status, error, BP_ERR_CANCELLED, "cancelled");
    ck_assert_int_ge(now_ms() - begin, MILVUS_RPC_GRACE_MS);
}
END_TEST

START_TEST(test_call__fragile_one_may_come_back_after_the_deadline)
{
    fake_milvus_hang(fake, "GetVersion");
    open_rpc();
    int64_t begin = now_ms();
    struct bp_error error;
    bp_status status = call_fragile((begin + 50) * 1000000, &error);
    ASSERT_FAILED(status, error, BP_ERR_TIMEOUT, "GetVersion");
    ck_assert_int_ge(now_ms() - begin, MILVUS_RPC_GRACE_MS);
}
END_TEST

START_TEST(test_call__cancelled_before_it_began)
{
    answer_version("v2.3.5");
    open_rpc();
    atomic_store(&cancel_at, 1);
    struct bp_error error;
    bp_status status = call(0, NULL, &error);
    ASSERT_FAILED(status, error, BP_ERR_CANCELLED, "cancelled");
    ck_assert_uint_eq(fake_milvus_calls(fake, "GetVersion"), 0);
    ck_assert_uint_eq(error.flags, 0);
}
END_TEST

START_TEST(test_call__own_deadline)
{
    fake_milvus_hang(fake, "GetVersion");
    open_rpc();
    int64_t begin = now_ms();
    struct bp_error error;
    bp_status status = call(150, NULL, &error);
    ASSERT_FAILED(status, error, BP_ERR_TIMEOUT, "DEADLINE_EXCEEDED");
    ck_assert_int_lt(now_ms() - begin, SOON_MS);
}
END_TEST

START_TEST(test_call__operations_deadline)
{
    fake_milvus_hang(fake, "GetVersion");
    open_rpc();
    Mv__Empty message = MV__EMPTY__INIT;
    struct bp_op op = fake_op();
    op.deadline_ns = (now_ms() + 150) * 1000000;
    struct bp_error error = fake_error();
    struct milvus_rpc_call wanted = {.method = "GetVersion",
                                     .request = &message.base,
                                     .answer = &mv__get_version_response__descriptor};
    bp_status status = milvus_rpc_call(rpc, &op, &wanted, NULL, &error);
    ASSERT_FAILED(status, error, BP_ERR_TIMEOUT, "GetVersion");
}
END_TEST

START_TEST(test_call__nobody_listens)
{
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(where);
    int bound = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); /* so nobody else takes the port */
    ck_assert_int_eq(bind(bound, (struct sockaddr *)&where, n), 0);
    ck_assert_int_eq(getsockname(bound, (struct sockaddr *)&where, &n), 0);
    g_free(config.address);
    config.address = g_strdup_printf("127.0.0.1:%d", ntohs(where.sin_port));
    open_rpc();
    int64_t begin = now_ms();
    struct bp_error error;
    bp_status status = call(0, NULL, &error);
    ASSERT_FAILED(status, error, BP_ERR_RETRYABLE, "failed to connect");
    ck_assert_ptr_nonnull(strstr(error.message, config.address));
    ck_assert_int_lt(now_ms() - begin, SOON_MS);
    ck_assert_uint_eq(error.flags, 0);
    close(bound);
}
END_TEST

START_TEST(test_new__names_the_unreadable_file)
{
    config.tls_mode = MILVUS_TLS_SERVER;
    config.ca_file = g_strdup("/nonexistent/ca.pem");
    struct bp_error error = fake_error();
    bp_status status = milvus_rpc_new(&host, &config, &rpc, &error);
    ASSERT_FAILED(status, error, BP_ERR_INVALID, "setting ca_file");
    ck_assert_ptr_nonnull(strstr(error.message, "/nonexistent/ca.pem"));
}
END_TEST

WIRE_MAIN("rpc", setup, teardown, test_call__answers, test_call__sends_headers,
          test_call__sends_a_token_and_no_empty_headers,
          test_call__refuses_a_header_that_cannot_be_sent, test_call__nothing_is_repeated,
          test_call__wrong_password, test_call__unknown_method, test_call__status_in_the_answer,
          test_call__answer_that_is_no_message, test_call__large_answer,
          test_call__cancel_ends_it_soon, test_call__cancelled_before_it_began,
          test_call__fragile_one_may_come_back_after_a_cancel,
          test_call__fragile_one_may_come_back_after_the_deadline, test_call__own_deadline,
          test_call__operations_deadline, test_call__nobody_listens,
          test_new__names_the_unreadable_file)
