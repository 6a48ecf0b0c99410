/* SPDX-License-Identifier: Apache-2.0
 *
 * Copies by the service: at once, in the background, refused, cancelled.
 */
#include "tests/unit/plugins/storage-azure/azure_test.h"

#define LARGE ((uint64_t)300 << 20)
#define LARGE_TEXT "314572800"
#define STARTED               \
    AZ_ANSWER("202 Accepted", \
              "x-ms-copy-id: c-1\r\nx-ms-copy-status: pending\r\nContent-Length: 0\r\n", "")
#define STATE(state, more) \
    AZ_HEAD(LARGE_TEXT, "x-ms-copy-id: c-1\r\nx-ms-copy-status: " state "\r\n" more)

START_TEST(test_copy__at_once)
{
    const struct bp_httpd_step steps[] = {
        AZ_STEP(AZ_ANSWER("202 Accepted",
                          "x-ms-copy-status: success\r\nContent-Length: 0\r\n" AZ_ETAG, "")),
        AZ_STEP(AZ_HEAD("5", ""))};
    struct bp_object_meta meta;
    az_start(steps, "tier", "hot", NULL);
    ASSERT_OK(az_copy(az_store, 5, "0x8D7", &meta));
    ck_assert_uint_eq(meta.size, 5);
    ASSERT_SENT(0, "PUT /acct/box/p/to HTTP/1.1\r\n", "x-ms-requires-sync: true\r\n",
                "x-ms-source-if-match: \"0x8D7\"\r\n", "x-ms-access-tier: Hot\r\n",
                "x-ms-copy-source: http://127.0.0.1:", "/acct/box/p/from%20here?sv=",
                "Content-Length: 0\r\n", NULL);
    ASSERT_SENT(1, "HEAD /acct/box/p/to ", NULL);
}
END_TEST

START_TEST(test_copy__in_the_background)
{
    const struct bp_httpd_step steps[] = {
        AZ_STEP(STARTED), AZ_STEP(STATE("pending", "x-ms-copy-progress: 1000/314572800\r\n")),
        AZ_STEP(STATE("success", "")), AZ_STEP(AZ_HEAD(LARGE_TEXT, ""))};
    struct bp_object_meta meta;
    az_start(steps, NULL);
    ASSERT_OK(az_copy(az_store, LARGE, NULL, &meta));
    ck_assert_uint_eq(meta.size, LARGE);
    ck_assert_uint_eq(atomic_load(&bp_fake.progress_calls), 1);
    ck_assert_ptr_null(strstr(az_request(0), "x-ms-requires-sync"));
}
END_TEST

/* A second start would be refused for the first, whose id nobody knows. */
START_TEST(test_copy__in_the_background_is_started_once)
{
    const struct bp_httpd_step steps[] = {
        {BP_HTTPD_KEEP, .reply = AZ_KEPT}, {.manner = BP_HTTPD_RESET}, AZ_STEP(STARTED)};
    az_start(steps, NULL);
    ASSERT_OK(az_remove("other"));
    ASSERT_FAILED(az_copy(az_store, LARGE, NULL, NULL), BP_ERR_RETRYABLE, "PUT http://");
    ck_assert((az_error.flags & BP_ERROR_OUTCOME_UNKNOWN) != 0);
    ck_assert_uint_eq(az_requests(), 2);
}
END_TEST

START_TEST(test_copy__background_fails)
{
    const struct bp_httpd_step steps[] = {
        AZ_STEP(STARTED),
        AZ_STEP(STATE("failed", "x-ms-copy-status-description: 403 Forbidden \"Copy failed when "
                                "reading the source https://h/c/b?sp=r&sig=sas-marker%3D.\"\r\n")),
        AZ_STEP(STARTED),
        AZ_STEP(STATE("failed", "x-ms-copy-status-description: 500 InternalServerError\r\n"))};
    az_start(steps, NULL);
    ASSERT_FAILED(az_copy(az_store, LARGE, NULL, NULL), BP_ERR_UNSUPPORTED,
                  "the copy in the background is failed: 403 Forbidden");
    ck_assert_ptr_null(strstr(az_error.message, "sas-marker"));
    ASSERT_FAILED(az_copy(az_store, LARGE, NULL, NULL), BP_ERR_RETRYABLE, "500");
}
END_TEST

/* The service is silent meanwhile: not idle_timeout, which is a minute here, but another one. */
START_TEST(test_copy__has_a_timeout_of_its_own)
{
    const struct bp_httpd_step steps[] = {{.manner = BP_HTTPD_STALL}};
    az_start(steps, "copy_timeout", "50", NULL);
    ASSERT_FAILED(az_copy(az_store, 5, NULL, NULL), BP_ERR_TIMEOUT, "no answer within the idle");
}
END_TEST

START_TEST(test_copy__overtaken)
{
    const struct bp_httpd_step steps[] = {
        AZ_STEP(STARTED),
        AZ_STEP(AZ_HEAD("5", "x-ms-copy-id: c-2\r\nx-ms-copy-status: success\r\n"))};
    az_start(steps, NULL);
    ASSERT_FAILED(az_copy(az_store, LARGE, NULL, NULL), BP_ERR_RETRYABLE,
                  "another program wrote it while it was copied");
    ck_assert_uint_eq(az_requests(), 2);
}
END_TEST

/* Cancels as soon as it is asked to wait. */
static bp_status
sleep_and_cancel(const struct bp_op *op, uint64_t ns)
{
    (void)op;
    (void)ns;
    return BP_ERR_CANCELLED;
}

START_TEST(test_copy__cancelled_is_ended_and_removed)
{
    const struct bp_httpd_step steps[] = {
        AZ_STEP(STARTED), AZ_STEP(AZ_ANSWER("204 No Content", "", "")),
        AZ_STEP(AZ_ANSWER("202 Accepted", "Content-Length: 0\r\n", ""))};
    az_start(steps, NULL);
    bp_fake.host.sleep = sleep_and_cancel;
    ASSERT_FAILED(az_copy(az_store, LARGE, NULL, NULL), BP_ERR_CANCELLED,
                  "cancelled while the service was copying");
    ASSERT_SENT(1, "PUT /acct/box/p/to?comp=copy&copyid=c-1 ", "x-ms-copy-action: abort\r\n", NULL);
    ASSERT_SENT(2, "DELETE /acct/box/p/to ", NULL);
}
END_TEST

START_TEST(test_copy__source_cannot_be_verified)
{
    const struct bp_httpd_step steps[] = {
        AZ_STEP(AZ_REFUSED("403 no", "CannotVerifyCopySource", "no")),
        AZ_STEP(AZ_REFUSED("409 no", "CannotVerifyCopySource", "no")),
        AZ_STEP(AZ_REFUSED("500 no", "CannotVerifyCopySource", "no")),
        AZ_STEP(AZ_REFUSED("403 no", "AuthorizationPermissionMismatch", "no")),
        AZ_STEP(AZ_REFUSED("400 no", "CopyAcrossAccountsNotSupported", "no")),
        AZ_STEP(AZ_REFUSED("400 no", "InvalidHeaderValue", "no")),
        AZ_STEP(AZ_REFUSED("404 no", "CannotVerifyCopySource", "no")),
        AZ_STEP(AZ_REFUSED("412 no", "SourceConditionNotMet", "no")),
        AZ_STEP(AZ_REFUSED("503 no", "ServerBusy", "no")),
        AZ_STEP(AZ_REFUSED("409 no", "PendingCopyOperation", "no")),
        AZ_STEP(AZ_REFUSED("403 no", "AuthenticationFailed", "no"))};
    static const bp_status classes[] = {BP_ERR_UNSUPPORTED, BP_ERR_UNSUPPORTED, BP_ERR_UNSUPPORTED,
                                        BP_ERR_UNSUPPORTED, BP_ERR_UNSUPPORTED, BP_ERR_UNSUPPORTED,
                                        BP_ERR_NOT_FOUND,   BP_ERR_EXISTS,      BP_ERR_THROTTLED,
                                        BP_ERR_RETRYABLE,   BP_ERR_AUTH};
    az_start(steps, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(classes); i++) {
        ASSERT_FAILED(az_copy(az_store, 5, NULL, NULL), classes[i], "object to: cannot copy to it");
    }
}
END_TEST

START_TEST(test_copy__what_it_cannot)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(AZ_CREATED(""))};
    az_start(steps, NULL);
    const struct bp_copy_args args = {.struct_size = sizeof(args),
                                      .flags = BP_COPY_NEED_CHECKSUM,
                                      .src = az_store,
                                      .src_key = "a",
                                      .dst_key = "b",
                                      .size = 5};
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    ASSERT_FAILED(az_ops->copy(az_store, &bp_fake.op, &args, &meta, &az_error), BP_ERR_UNSUPPORTED,
                  "no bytes of a copy pass here");
    ck_assert_uint_eq(az_requests(), 0);
}
END_TEST

AZ_MAIN("azure copy", test_copy__at_once, test_copy__in_the_background,
        test_copy__in_the_background_is_started_once, test_copy__background_fails,
        test_copy__has_a_timeout_of_its_own, test_copy__overtaken,
        test_copy__cancelled_is_ended_and_removed, test_copy__source_cannot_be_verified,
        test_copy__what_it_cannot)
