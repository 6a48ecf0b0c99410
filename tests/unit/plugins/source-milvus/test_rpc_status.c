/* SPDX-License-Identifier: Apache-2.0
 *
 * From status codes to classes; the server's words survive.
 */
#include "plugins/source-milvus/rpc_status.h"

#include <grpc/status.h>

#include "wire_test.h"

static bp_status
check(int32_t code, int32_t legacy, const char *reason, struct bp_error *error)
{
    Mv__Status status = MV__STATUS__INIT;
    status.code = code;
    status.error_code = legacy;
    status.reason = (char *)reason;
    *error = fake_error();
    return milvus_status_check(&status, "milvus h:1: Do c", error);
}

START_TEST(test_check__success)
{
    struct bp_error error;
    ck_assert_int_eq(check(0, 0, NULL, &error), BP_OK);
    ck_assert_int_eq(milvus_status_check(NULL, "x", &error), BP_OK);
}
END_TEST

START_TEST(test_check__codes_of_2_3)
{
    struct bp_error error;
    bp_status status = check(100, 1, "collection not found[collection=c]", &error);
    ASSERT_FAILED(status, error, BP_ERR_NOT_FOUND, "milvus h:1: Do c: collection not found");
    ck_assert_str_eq(error.code, "CollectionNotFound");
    ck_assert_int_eq(error.remote_status, 100);
    ck_assert_int_eq(check(1100, 0, "x", &error), BP_ERR_INVALID);
    ck_assert_int_eq(check(700, 25, "index not found", &error), BP_ERR_NOT_FOUND);
    ck_assert_int_eq(check(7, 0, "disk", &error), BP_ERR_NO_SPACE);
    ck_assert_int_eq(check(1, 0, "starting", &error), BP_ERR_RETRYABLE);
}
END_TEST

START_TEST(test_check__codes_of_2_2)
{
    struct bp_error error;
    ck_assert_int_eq(check(0, 25, "index not exist", &error), BP_ERR_NOT_FOUND);
    ck_assert_str_eq(error.code, "IndexNotExist");
    ck_assert_int_eq(check(0, 3, "x", &error), BP_ERR_DENIED);
    bp_status status = check(0, 1, "can't find collection: c", &error);
    ASSERT_FAILED(status, error, BP_ERR_NOT_FOUND, "can't find collection: c (1)");
    ck_assert_int_eq(check(0, 1, "something else", &error), BP_ERR_PERMANENT);
}
END_TEST

START_TEST(test_check__rate_limits_say_how_long)
{
    struct bp_error error;
    bp_status status = check(8, 0, "request is rejected: rate limit exceeded[rate=0.1]", &error);
    ASSERT_FAILED(status, error, BP_ERR_THROTTLED, "rate limit exceeded");
    ck_assert_uint_eq(error.retry_after_ms, 10000);
    ck_assert_int_eq(check(0, 49, "too fast", &error), BP_ERR_THROTTLED);
    ck_assert_uint_eq(error.retry_after_ms, 3000);
    (void)check(8, 0, "rate=0.0000001", &error);
    ck_assert_uint_eq(error.retry_after_ms, 60000);
    (void)check(8, 0, "rate=nonsense", &error);
    ck_assert_uint_eq(error.retry_after_ms, 3000);
}
END_TEST

START_TEST(test_check__stack_traces_are_left_out)
{
    struct bp_error error;
    bp_status status = check(65535, 1,
                             "attempt #0: stack trace: /a/b.go:51 github.com/x.Trace\n"
                             "/a/c.go:116 github.com/x.(*Server).Flush: attempt #0: session not "
                             "found->datanode-1: node not found[node=1]: unrecoverable error",
                             &error);
    ASSERT_FAILED(status, error, BP_ERR_RETRYABLE,
                  "milvus h:1: Do c: attempt #0: attempt #0: session not found->datanode-1: node "
                  "not found[node=1]: unrecoverable error (65535)");
    status = check(65535, 1, "stack trace: cut off in the middle", &error);
    ASSERT_FAILED(status, error, BP_ERR_PERMANENT, "stack trace: cut off in the middle");
}
END_TEST

START_TEST(test_check__unknown_code_may_be_retriable)
{
    struct bp_error error = fake_error();
    Mv__Status status = MV__STATUS__INIT;
    status.code = 4711;
    status.retriable = true;
    bp_status found = milvus_status_check(&status, "w", &error);
    ASSERT_FAILED(found, error, BP_ERR_RETRYABLE, "w: no reason given (4711)");
}
END_TEST

START_TEST(test_grpc__codes)
{
    static const struct {
        const char *details;
        int code;
        bp_status cls;
    } cases[] = {
        {"connection refused", GRPC_STATUS_UNAVAILABLE, BP_ERR_RETRYABLE},
        {"auth check failure", GRPC_STATUS_UNAUTHENTICATED, BP_ERR_AUTH},
        {"auth check failure", GRPC_STATUS_UNKNOWN, BP_ERR_AUTH},
        {"panic", GRPC_STATUS_UNKNOWN, BP_ERR_PERMANENT},
        {"unknown method X", GRPC_STATUS_UNIMPLEMENTED, BP_ERR_UNSUPPORTED},
        {"", GRPC_STATUS_DEADLINE_EXCEEDED, BP_ERR_TIMEOUT},
        {"slow down", GRPC_STATUS_RESOURCE_EXHAUSTED, BP_ERR_THROTTLED},
        {"received message larger than max", GRPC_STATUS_RESOURCE_EXHAUSTED, BP_ERR_PERMANENT},
        {"Ssl handshake failed: certificate verify failed", GRPC_STATUS_UNAVAILABLE,
         BP_ERR_PERMANENT},
        {"Peer name other is not in peer certificate", GRPC_STATUS_UNAVAILABLE, BP_ERR_PERMANENT},
        {"no", GRPC_STATUS_PERMISSION_DENIED, BP_ERR_DENIED},
        {"odd", 4242, BP_ERR_PERMANENT},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct bp_error error = fake_error();
        bp_status status = milvus_status_grpc(cases[i].code, cases[i].details, "w", &error);
        ASSERT_FAILED(status, error, cases[i].cls, cases[i].details);
        ck_assert_int_eq(error.remote_status, cases[i].code);
    }
}
END_TEST

WIRE_MAIN("rpc_status", NULL, NULL, test_check__success, test_check__codes_of_2_3,
          test_check__codes_of_2_2, test_check__rate_limits_say_how_long,
          test_check__stack_traces_are_left_out, test_check__unknown_code_may_be_retriable,
          test_grpc__codes)
