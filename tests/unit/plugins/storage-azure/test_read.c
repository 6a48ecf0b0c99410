/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading, and what every request has in common.
 */
#include "tests/unit/plugins/storage-azure/azure_test.h"

#define RANGED(range, more, body) \
    AZ_ANSWER("206 Partial Content", "Content-Range: bytes " range "\r\n" AZ_ETAG more, body)

START_TEST(test_stat__facts)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(
        AZ_HEAD("42", "x-ms-access-tier: Cool\r\nContent-MD5: 1B2M2Y8AsgTpgAmY7PhCfg==\r\n"))};
    struct bp_object_meta meta;
    az_start(steps, NULL);
    ASSERT_OK(az_stat("a b/\xC3\xBC", &meta));
    ck_assert_uint_eq(meta.size, 42);
    ck_assert_str_eq(meta.etag, "0x8D1");
    ck_assert_int_eq(meta.mtime_ns, INT64_C(1795514400000000000));
    ck_assert_str_eq(meta.storage_class, "Cool");
    ck_assert_uint_eq(meta.checksum.kind, BP_CHECKSUM_MD5);
    ck_assert_uint_eq(meta.checksum.by, BP_CHECKSUM_BY_STORE);
    ck_assert_uint_eq(meta.checksum.value[0], 0xD4);
    ASSERT_SENT(0, "HEAD /acct/box/p/a%20b/%C3%BC HTTP/1.1\r\n", "x-ms-version: 2021-12-02\r\n",
                "x-ms-date: ", "Authorization: SharedKey acct:", NULL);
}
END_TEST

START_TEST(test_stat__md5_of_an_append_blob_counts_for_nothing)
{
    const struct bp_httpd_step steps[] = {
        AZ_STEP(AZ_OK("Content-Length: 4\r\nx-ms-blob-type: AppendBlob\r\n"
                      "Content-MD5: 1B2M2Y8AsgTpgAmY7PhCfg==\r\n",
                      ""))};
    struct bp_object_meta meta;
    az_start(steps, NULL);
    ASSERT_OK(az_stat("k", &meta));
    ck_assert_uint_eq(meta.checksum.kind, BP_CHECKSUM_NONE);
}
END_TEST

START_TEST(test_stat__missing)
{
    const struct bp_httpd_step steps[] = {
        AZ_STEP(AZ_ANSWER("404 The specified blob does not exist.",
                          "x-ms-error-code: BlobNotFound\r\nContent-Length: 215\r\n", ""))};
    az_start(steps, NULL);
    ASSERT_FAILED(az_stat("k", NULL), BP_ERR_NOT_FOUND,
                  "object k: cannot look at it: BlobNotFound");
    ck_assert_str_eq(az_error.request_id, "r-1");
    ck_assert_int_eq(az_error.remote_status, 404);
}
END_TEST

START_TEST(test_stat__directories_are_no_objects)
{
    const struct bp_httpd_step steps[] = {
        AZ_STEP(AZ_HEAD("0", "x-ms-resource-type: directory\r\n")),
        AZ_STEP(AZ_HEAD("0", "x-ms-meta-hdi_isfolder: true\r\n"))};
    az_start(steps, NULL);
    ASSERT_FAILED(az_stat("k", NULL), BP_ERR_NOT_FOUND, "it is a directory");
    ASSERT_FAILED(az_stat("k", NULL), BP_ERR_NOT_FOUND, "it is a directory");
}
END_TEST

START_TEST(test_stat__sas_is_in_the_url_and_nowhere_else)
{
    const struct bp_httpd_step steps[] = {
        AZ_STEP(AZ_REFUSED("403 no", "AuthorizationPermissionMismatch",
                           "This request is not authorized with sig=sas-marker."))};
    az_start(steps, "credentials", "sas", "sas", AZ_SAS, "allow_http", "true", NULL);
    ASSERT_FAILED(az_stat("k", NULL), BP_ERR_DENIED, "a SAS the permissions racwdl");
    ASSERT_SENT(0, "HEAD /acct/box/p/k?" AZ_SAS " HTTP/1.1\r\n", NULL);
    ck_assert_ptr_null(strstr(az_request(0), "Authorization:"));
}
END_TEST

START_TEST(test_stat__key_that_is_none)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(AZ_HEAD("0", ""))};
    az_start(steps, NULL);
    ASSERT_FAILED(az_stat("a//b", NULL), BP_ERR_INVALID, "key \"a//b\"");
    ck_assert_uint_eq(az_requests(), 0);
}
END_TEST

START_TEST(test_stat__nobody_there)
{
    g_autofree char *url = NULL;
    const struct bp_httpd_step steps[] = {{.manner = BP_HTTPD_RESET}};
    az_start(steps, NULL);
    bp_status status = az_stat("k", NULL);
    ASSERT_FAILED(status, BP_ERR_RETRYABLE, "HEAD");
}
END_TEST

START_TEST(test_stat__cancelled)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(AZ_HEAD("0", ""))};
    az_start(steps, NULL);
    atomic_store(&bp_fake.cancelled, 1);
    ASSERT_FAILED(az_stat("k", NULL), BP_ERR_CANCELLED, "cancelled");
    ck_assert_uint_eq(az_requests(), 0);
}
END_TEST

START_TEST(test_read__whole)
{
    const struct bp_httpd_step steps[] = {
        AZ_STEP(AZ_OK("Content-Length: 11\r\n" AZ_ETAG, "hello world"))};
    az_start(steps, NULL);
    g_autofree char *text = az_read("k", 0, BP_UNKNOWN, NULL);
    ck_assert_pstr_eq(text, "hello world");
    ASSERT_SENT(0, "GET /acct/box/p/k HTTP/1.1\r\n", NULL);
    ck_assert_ptr_null(strstr(az_request(0), "x-ms-range"));
}
END_TEST

START_TEST(test_read__range_of_one_version)
{
    const struct bp_httpd_step steps[] = {
        AZ_STEP(RANGED("6-8/11", "Content-Length: 3\r\n", "wor"))};
    az_start(steps, NULL);
    g_autofree char *text = az_read("k", 6, 3, "0x8D1");
    ck_assert_pstr_eq(text, "wor");
    ASSERT_SENT(0, "GET ", "x-ms-range: bytes=6-8\r\n", "If-Match: \"0x8D1\"\r\n", NULL);
}
END_TEST

START_TEST(test_read__range_without_end)
{
    const struct bp_httpd_step steps[] = {
        AZ_STEP(RANGED("6-10/11", "Content-Length: 5\r\n", "world"))};
    az_start(steps, NULL);
    g_autofree char *text = az_read("k", 6, BP_UNKNOWN, NULL);
    ck_assert_pstr_eq(text, "world");
    ASSERT_SENT(0, "GET ", "x-ms-range: bytes=6-\r\n", NULL);
}
END_TEST

START_TEST(test_read__at_the_end_is_nothing)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(AZ_REFUSED("416 range", "InvalidRange", "no")),
                                          AZ_STEP(AZ_HEAD("11", ""))};
    az_start(steps, NULL);
    g_autofree char *text = az_read("k", 11, BP_UNKNOWN, NULL);
    ck_assert_pstr_eq(text, "");
}
END_TEST

START_TEST(test_read__beyond_the_end)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(AZ_REFUSED("416 range", "InvalidRange", "no")),
                                          AZ_STEP(AZ_HEAD("11", ""))};
    az_start(steps, NULL);
    ck_assert_ptr_null(az_read("k", 12, BP_UNKNOWN, NULL));
    ASSERT_FAILED(az_error.cls, BP_ERR_RANGE, "offset 12 is beyond its end at 11");
}
END_TEST

START_TEST(test_read__nothing_of_an_object)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(AZ_HEAD("11", ""))};
    az_start(steps, NULL);
    g_autofree char *text = az_read("k", 3, 0, "0x8D1");
    ck_assert_pstr_eq(text, "");
    ASSERT_SENT(0, "HEAD ", "If-Match: \"0x8D1\"\r\n", NULL);
}
END_TEST

START_TEST(test_read__another_version)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(AZ_REFUSED("412 no", "ConditionNotMet", "no"))};
    az_start(steps, NULL);
    ck_assert_ptr_null(az_read("k", 0, BP_UNKNOWN, "0x8D0"));
    ASSERT_FAILED(az_error.cls, BP_ERR_EXISTS, "ConditionNotMet");
}
END_TEST

/* A cache on the way need not know conditions. */
START_TEST(test_read__another_version_in_spite_of_the_condition)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(AZ_OK("Content-Length: 5\r\n" AZ_ETAG, "hello"))};
    az_start(steps, NULL);
    ck_assert_ptr_null(az_read("k", 0, BP_UNKNOWN, "0x8D0"));
    ASSERT_FAILED(az_error.cls, BP_ERR_EXISTS, "object k: its version is 0x8D1, not 0x8D0");
}
END_TEST

START_TEST(test_read__cut_short)
{
    const struct bp_httpd_step steps[] = {
        AZ_STEP(AZ_OK("Content-Length: 11\r\n" AZ_ETAG, "hello"))};
    az_start(steps, NULL);
    ck_assert_ptr_null(az_read("k", 0, BP_UNKNOWN, NULL));
    ck_assert_int_eq(az_error.cls, BP_ERR_RETRYABLE);
}
END_TEST

START_TEST(test_read__server_ignores_the_range)
{
    const struct bp_httpd_step steps[] = {
        AZ_STEP(AZ_OK("Content-Length: 11\r\n" AZ_ETAG, "hello world"))};
    az_start(steps, NULL);
    ck_assert_ptr_null(az_read("k", 6, BP_UNKNOWN, NULL));
    ASSERT_FAILED(az_error.cls, BP_ERR_PERMANENT,
                  "asked for bytes from 6 on, the server sends \"all\"");
}
END_TEST

START_TEST(test_read__archived)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(AZ_REFUSED("409 no", "BlobArchived", "no"))};
    az_start(steps, NULL);
    ck_assert_ptr_null(az_read("k", 0, BP_UNKNOWN, NULL));
    ASSERT_FAILED(az_error.cls, BP_ERR_DENIED, "move it to an online tier first");
}
END_TEST

START_TEST(test_read__busy_server_says_when)
{
    const struct bp_httpd_step steps[] = {
        AZ_STEP(AZ_ANSWER("503 Busy", "x-ms-error-code: ServerBusy\r\nRetry-After: 7\r\n", ""))};
    az_start(steps, NULL);
    ck_assert_ptr_null(az_read("k", 0, BP_UNKNOWN, NULL));
    ASSERT_FAILED(az_error.cls, BP_ERR_THROTTLED, "ServerBusy");
    ck_assert_uint_eq(az_error.retry_after_ms, 7000);
}
END_TEST

AZ_MAIN("azure read", test_stat__facts, test_stat__md5_of_an_append_blob_counts_for_nothing,
        test_stat__missing, test_stat__directories_are_no_objects,
        test_stat__sas_is_in_the_url_and_nowhere_else, test_stat__key_that_is_none,
        test_stat__nobody_there, test_stat__cancelled, test_read__whole,
        test_read__range_of_one_version, test_read__range_without_end,
        test_read__at_the_end_is_nothing, test_read__beyond_the_end,
        test_read__nothing_of_an_object, test_read__another_version,
        test_read__another_version_in_spite_of_the_condition, test_read__cut_short,
        test_read__server_ignores_the_range, test_read__archived, test_read__busy_server_says_when)
