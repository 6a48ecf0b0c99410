/* SPDX-License-Identifier: Apache-2.0
 *
 * Removing many: in batches, and what is done where those do not work.
 */
#include "sdk/lib/errors.h"
#include "tests/unit/plugins/storage-azure/azure_test.h"

#define BATCH(parts)                                                                         \
    AZ_ANSWER("202 Accepted", "Content-Type: multipart/mixed; boundary=batchresponse_1\r\n", \
              parts "--batchresponse_1--")
#define PART(number, status, headers)                                            \
    "--batchresponse_1\r\nContent-Type: application/http\r\nContent-ID: " number \
    "\r\n\r\nHTTP/1.1 " status "\r\nx-ms-request-id: r-" number "\r\n" headers "\r\n"
#define GONE AZ_STEP(AZ_ANSWER("202 Accepted", "Content-Length: 0\r\n", ""))

static GString *outcomes;
static int stop_after;

static int32_t
take(void *ctx, const char *key, const char *extra, int64_t started_ns,
     const struct bp_error *error)
{
    (void)ctx;
    (void)extra;
    (void)started_ns;
    g_string_append_printf(outcomes, "%s", key);
    if (error != NULL) {
        g_string_append_printf(outcomes, "(%d %s %u)", error->cls, error->message,
                               (unsigned)error->retry_after_ms);
    }
    g_string_append_c(outcomes, ' ');
    return stop_after > 0 && --stop_after == 0;
}

static bp_status
remove_keys(const char *const *keys, size_t n)
{
    const struct bp_key_sink sink = {.struct_size = sizeof(sink), .key = take};
    if (outcomes != NULL) {
        g_string_free(outcomes, TRUE);
    }
    outcomes = g_string_new(NULL);
    bp_error_init(&az_error);
    return az_ops->remove_many(az_store, &bp_fake.op, keys, n, &sink, &az_error);
}

static const char *const keys[] = {"a b", "b", "c"};

START_TEST(test_remove__together)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(BATCH(PART("2", "202 Accepted", "") PART(
        "0", "202 Accepted", "") PART("1", "404 no", "x-ms-error-code: BlobNotFound\r\n")))};
    az_start(steps, NULL);
    ASSERT_OK(remove_keys(keys, 3));
    ck_assert_str_eq(outcomes->str, "c a b b ");
    ck_assert_uint_eq(az_requests(), 1);
    ASSERT_SENT(0, "POST /acct/box?restype=container&comp=batch HTTP/1.1\r\n",
                "x-ms-version: 2021-12-02\r\n", "Content-Type: multipart/mixed; boundary=batch_",
                "Content-Transfer-Encoding: binary\r\nContent-ID: 0\r\n\r\nDELETE ",
                "DELETE /acct/box/p/a%20b HTTP/1.1\r\nx-ms-date: ",
                "Content-ID: 2\r\n\r\nDELETE /acct/box/p/c HTTP/1.1\r\nx-ms-date: ",
                "Authorization: SharedKey acct:", "Content-Length: 0\r\n\r\n--batch_", NULL);
    /* The version is the batch's, each login its own. */
    const char *inner = strstr(az_request(0), "DELETE /acct/box/p/b ");
    ck_assert_ptr_null(strstr(inner, "x-ms-version"));
    ck_assert_ptr_nonnull(strstr(inner, "Authorization: SharedKey acct:"));
}
END_TEST

START_TEST(test_remove__each_has_its_outcome)
{
    const struct bp_httpd_step steps[] = {
        AZ_STEP(BATCH(
            PART("0", "202 Accepted", "")
                PART("1", "409 no", "x-ms-error-code: SnapshotsPresent\r\n")
                    PART("2", "503 busy", "x-ms-error-code: ServerBusy\r\nRetry-After: 2\r\n"))),
        AZ_STEP(AZ_REFUSED("409 no", "SnapshotsPresent", "it has snapshots"))};
    az_start(steps, NULL);
    ASSERT_OK(remove_keys(keys, 3));
    g_autofree char *wanted = g_strdup_printf(
        "a b c(%d object c: cannot remove it: ServerBusy 2000) "
        "b(%d object b: cannot remove it: SnapshotsPresent: it has snapshots; it has snapshots, "
        "which are not ours: delete them first 0) ",
        BP_ERR_THROTTLED, BP_ERR_DENIED);
    ck_assert_str_eq(outcomes->str, wanted);
    ASSERT_SENT(1, "DELETE /acct/box/p/b HTTP/1.1\r\n", NULL);
    ck_assert_uint_eq(az_requests(), 2);
}
END_TEST

/* What nothing was said of is removed alone. */
START_TEST(test_remove__forgotten_key)
{
    const struct bp_httpd_step steps[] = {
        AZ_STEP(BATCH(PART("0", "202 Accepted", "") PART("7", "202 Accepted", "")
                          PART("0", "500 twice", "") PART("2", "202 Accepted", ""))),
        GONE};
    az_start(steps, NULL);
    ASSERT_OK(remove_keys(keys, 3));
    ck_assert_str_eq(outcomes->str, "a b c b ");
    ASSERT_SENT(1, "DELETE /acct/box/p/b HTTP/1.1\r\n", NULL);
}
END_TEST

START_TEST(test_remove__batches_are_not_taken)
{
    static const char *const refusals[] = {
        AZ_REFUSED("400 no", "InvalidQueryParameterValue", "no"),
        AZ_REFUSED("405 no", "UnsupportedHttpVerb", "no"), AZ_REFUSED("501 no", "", "no"),
        /* Azure and Azurite say it in a part that belongs to no request. */
        BATCH("--batchresponse_1\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 400 One of the "
              "request inputs is not valid.\r\nx-ms-error-code: InvalidInput\r\n\r\n"),
        AZ_OK("Content-Type: text/html\r\n", "<html>")};
    for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
        const struct bp_httpd_step steps[] = {AZ_STEP(refusals[i]), GONE, GONE, GONE, GONE, GONE};
        az_start(steps, NULL);
        ASSERT_OK(remove_keys(keys, 3));
        ck_assert_str_eq(outcomes->str, "a b b c ");
        ck_assert_ptr_nonnull(strstr(bp_fake.last_log, "removed by a request each"));
        ASSERT_OK(remove_keys(keys, 2));
        ck_assert_uint_eq(az_requests(), 6);
        ASSERT_SENT(4, "DELETE /acct/box/p/a%20b ", NULL);
        az_end();
    }
}
END_TEST

/* What a login may not, or one that has just ended, says nothing of what the service can do. */
START_TEST(test_remove__refusal_of_a_login_is_not_remembered)
{
    static const char *const refusals[] = {
        AZ_REFUSED("403 no", "AuthenticationFailed", "no"),
        AZ_REFUSED("403 no", "AuthorizationPermissionMismatch", "no"),
        BATCH(PART("0", "401 no", "x-ms-error-code: InvalidAuthenticationInfo\r\n")
                  PART("1", "403 no", "x-ms-error-code: AuthenticationFailed\r\n")),
        BATCH(PART("0", "400 no", "x-ms-error-code: InvalidInput\r\n")
                  PART("1", "403 no", "x-ms-error-code: AuthorizationFailure\r\n")),
        BATCH("--batchresponse_1\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 403 no\r\n"
              "x-ms-error-code: AuthenticationFailed\r\n\r\n")};
    for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
        const struct bp_httpd_step steps[] = {
            AZ_STEP(refusals[i]), GONE, GONE,
            AZ_STEP(BATCH(PART("0", "202 Accepted", "") PART("1", "202 Accepted", "")))};
        az_start(steps, NULL);
        ASSERT_OK(remove_keys(keys, 2));
        ck_assert_str_eq(outcomes->str, "a b b ");
        ASSERT_OK(remove_keys(keys, 2));
        ck_assert_str_eq(outcomes->str, "a b b ");
        ck_assert_msg(az_requests() == 4, "%zu: %zu requests", i, az_requests());
        ASSERT_SENT(3, "POST /acct/box?restype=container&comp=batch ", NULL);
        az_end();
    }
}
END_TEST

START_TEST(test_remove__fails_as_a_whole)
{
    const struct bp_httpd_step steps[] = {
        AZ_STEP(AZ_REFUSED("503 busy", "ServerBusy", "busy")),
        {.manner = BP_HTTPD_RESET},
        AZ_STEP(AZ_REFUSED("404 no", "ContainerNotFound", "no")),
        AZ_STEP(AZ_REFUSED("403 no", "AuthenticationFailed", "no")),
        AZ_STEP(AZ_REFUSED("403 no", "AuthenticationFailed", "no"))};
    az_start(steps, NULL);
    ASSERT_FAILED(remove_keys(keys, 3), BP_ERR_THROTTLED,
                  "container box of account acct: cannot remove objects in it: ServerBusy");
    ASSERT_FAILED(remove_keys(keys, 3), BP_ERR_RETRYABLE, "POST http://");
    ASSERT_FAILED(remove_keys(keys, 3), BP_ERR_NOT_FOUND, "ContainerNotFound");
    ck_assert_str_eq(outcomes->str, "");
    /* A login that is refused for one is so for all: the host makes it anew. */
    ASSERT_FAILED(remove_keys(keys, 3), BP_ERR_AUTH, "object a b: cannot remove it");
    ck_assert_str_eq(outcomes->str, "");
    ck_assert_uint_eq(az_requests(), 5);
}
END_TEST

/* More than are under way at the same time; one of them fails in the middle. */
START_TEST(test_remove__alone_in_flights)
{
    static const char *many[40];
    const struct bp_httpd_step steps[] = {
        AZ_STEP(AZ_REFUSED("400 no", "InvalidInput", "no")),
        {.reply = AZ_ANSWER("202 Accepted", "Content-Length: 0\r\n", ""), .times = 20},
        AZ_STEP(AZ_REFUSED("409 no", "SnapshotsPresent", "no")),
        {.reply = AZ_ANSWER("404 no", "x-ms-error-code: BlobNotFound\r\n", ""), .times = 19}};
    for (size_t i = 0; i < G_N_ELEMENTS(many); i++) {
        many[i] = "k";
    }
    az_start(steps, NULL);
    ASSERT_OK(remove_keys(many, G_N_ELEMENTS(many)));
    ck_assert_ptr_nonnull(strstr(outcomes->str, "SnapshotsPresent"));
    size_t n = 0;
    for (const char *at = outcomes->str; (at = strstr(at, "k ")) != NULL; at++) {
        n++;
    }
    ck_assert_uint_eq(n, 39);
}
END_TEST

START_TEST(test_remove__by_sas)
{
    const struct bp_httpd_step steps[] = {
        AZ_STEP(BATCH(PART("0", "202 Accepted", "") PART("1", "202 Accepted", "")))};
    az_start(steps, "credentials", "sas", "sas", AZ_SAS, "allow_http", "true", "account", "acct",
             NULL);
    ASSERT_OK(remove_keys(keys, 2));
    ck_assert_str_eq(outcomes->str, "a b b ");
    ASSERT_SENT(0, "POST /acct/box?restype=container&comp=batch&" AZ_SAS " HTTP/1.1\r\n",
                "DELETE /acct/box/p/a%20b?" AZ_SAS " HTTP/1.1\r\n", NULL);
    ck_assert_ptr_null(strstr(az_request(0), "Authorization"));
}
END_TEST

START_TEST(test_remove__256_at_a_time)
{
    static const char *many[257];
    GString *parts = g_string_new(NULL);
    for (size_t i = 0; i < 256; i++) {
        g_string_append_printf(parts, PART("%zu", "202 Accepted", ""), i, i);
    }
    for (size_t i = 0; i < 257; i++) {
        many[i] = "k";
    }
    g_autofree char *answer = g_strdup_printf(BATCH("%s"), parts->str);
    const struct bp_httpd_step steps[] = {AZ_STEP(answer), GONE};
    az_start(steps, NULL);
    ASSERT_OK(remove_keys(many, 257));
    ck_assert_uint_eq(outcomes->len, 257 * strlen("k "));
    ASSERT_SENT(0, "POST ", "Content-ID: 255\r\n", NULL);
    ASSERT_SENT(1, "DELETE /acct/box/p/k HTTP/1.1\r\n", NULL);
    g_string_free(parts, TRUE);
}
END_TEST

START_TEST(test_remove__may_take_a_while)
{
    const struct bp_httpd_step steps[] = {{.manner = BP_HTTPD_STALL}};
    az_start(steps, "copy_timeout", "50", NULL);
    ASSERT_FAILED(remove_keys(keys, 3), BP_ERR_TIMEOUT, "no answer within the idle");
}
END_TEST

START_TEST(test_remove__stopped_or_cancelled)
{
    const struct bp_httpd_step steps[] = {
        AZ_STEP(BATCH(PART("0", "202 Accepted", "") PART("1", "202 Accepted", "")))};
    az_start(steps, NULL);
    stop_after = 1;
    ASSERT_FAILED(remove_keys(keys, 2), BP_ERR_CANCELLED, "stopped by the receiver");
    ck_assert_str_eq(outcomes->str, "a b ");
    stop_after = 0;
    atomic_store(&bp_fake.cancelled, 1);
    ASSERT_FAILED(remove_keys(keys, 2), BP_ERR_CANCELLED, "");
    ck_assert_uint_eq(az_requests(), 1);
}
END_TEST

AZ_MAIN("azure remove", test_remove__together, test_remove__each_has_its_outcome,
        test_remove__forgotten_key, test_remove__batches_are_not_taken,
        test_remove__refusal_of_a_login_is_not_remembered, test_remove__fails_as_a_whole,
        test_remove__alone_in_flights, test_remove__by_sas, test_remove__256_at_a_time,
        test_remove__may_take_a_while, test_remove__stopped_or_cancelled)
