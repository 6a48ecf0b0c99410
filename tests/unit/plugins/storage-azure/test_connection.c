/* SPDX-License-Identifier: Apache-2.0
 *
 * Connection strings and endpoints.
 */
#include "plugins/storage-azure/connection.h"

#include "sdk/lib/errors.h"
#include "tests/unit/plugins/storage-azure/azure_test.h"

static bp_status
parse(struct bp_azure_connection *out, const char *text)
{
    bp_error_init(&az_error);
    return bp_azure_connection_parse(out, text, &az_error);
}

START_TEST(test_parse__as_the_portal_shows_it)
{
    struct bp_azure_connection out;
    ASSERT_OK(parse(&out, "DefaultEndpointsProtocol=https;AccountName=acct;AccountKey=" AZ_KEY
                          ";EndpointSuffix=core.chinacloudapi.cn"));
    ck_assert_str_eq(out.protocol, "https");
    ck_assert_str_eq(out.account, "acct");
    ck_assert_str_eq(out.suffix, "core.chinacloudapi.cn");
    ck_assert_str_eq(bp_secret_get(out.key), AZ_KEY);
    ck_assert_ptr_null(out.endpoint);
    ck_assert_ptr_null(out.sas);
    bp_azure_connection_clear(&out);
}
END_TEST

START_TEST(test_parse__with_sas_and_endpoint)
{
    struct bp_azure_connection out;
    ASSERT_OK(parse(&out, " BlobEndpoint=http://127.0.0.1:1/acct/ ; "
                          "QueueEndpoint=http://127.0.0.1:2/acct;"
                          "sharedaccesssignature=?" AZ_SAS ";"));
    ck_assert_str_eq(out.endpoint, "http://127.0.0.1:1/acct/");
    ck_assert_str_eq(bp_secret_get(out.sas), AZ_SAS);
    ck_assert_ptr_null(out.account);
    bp_azure_connection_clear(&out);
}
END_TEST

START_TEST(test_parse__malformed_is_not_quoted)
{
    struct bp_azure_connection out;
    ASSERT_FAILED(parse(&out, "AccountName=acct;marker-without-value"), BP_ERR_INVALID,
                  "connection_string: its part 2 is no Name=Value");
    bp_azure_connection_clear(&out);
    ASSERT_FAILED(parse(&out, "AccountKey=" AZ_KEY), BP_ERR_INVALID,
                  "neither AccountName nor BlobEndpoint");
    bp_azure_connection_clear(&out);
}
END_TEST

static bp_status
split(const char *url, char **endpoint, char **path, char **origin)
{
    bp_error_init(&az_error);
    *endpoint = *path = *origin = NULL;
    return bp_azure_endpoint_split("endpoint", url, endpoint, path, origin, &az_error);
}

START_TEST(test_split__parts)
{
    static const char *const cases[][4] = {
        {"https://acct.blob.core.windows.net", "https://acct.blob.core.windows.net", "",
         "https://acct.blob.core.windows.net"},
        {"https://Acct.Blob.example//", "https://Acct.Blob.example", "",
         "https://acct.blob.example"},
        {"http://127.0.0.1:10000/acct/", "http://127.0.0.1:10000/acct", "/acct",
         "http://127.0.0.1:10000"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        char *endpoint, *path, *origin;
        ASSERT_OK(split(cases[i][0], &endpoint, &path, &origin));
        ck_assert_str_eq(endpoint, cases[i][1]);
        ck_assert_str_eq(path, cases[i][2]);
        ck_assert_str_eq(origin, cases[i][3]);
        g_free(endpoint);
        g_free(path);
        g_free(origin);
    }
}
END_TEST

START_TEST(test_split__what_is_none)
{
    static const char *const urls[] = {"",
                                       "acct.blob.core.windows.net",
                                       "ftp://host",
                                       "https://",
                                       "https:///path",
                                       "https://user@host",
                                       "https://host?a=b",
                                       "https://ho st",
                                       "https://host/#x"};
    for (size_t i = 0; i < G_N_ELEMENTS(urls); i++) {
        char *endpoint, *path, *origin;
        ASSERT_FAILED(split(urls[i], &endpoint, &path, &origin), BP_ERR_INVALID,
                      "endpoint: it must be http(s)://host");
        ck_assert_ptr_null(endpoint);
    }
}
END_TEST

START_TEST(test_account__from_path_or_host)
{
    g_autofree char *by_path = bp_azure_endpoint_account("/acct", "http://127.0.0.1:10000");
    g_autofree char *by_host = bp_azure_endpoint_account("", "https://acct.blob.core.windows.net");
    ck_assert_str_eq(by_path, "acct");
    ck_assert_str_eq(by_host, "acct");
    ck_assert_ptr_null(bp_azure_endpoint_account("", "http://127.0.0.1:10000"));
    ck_assert_ptr_null(bp_azure_endpoint_account("", "http://localhost:10000"));
}
END_TEST

START_TEST(test_authority__of_each_cloud)
{
    ck_assert_str_eq(bp_azure_authority_of("core.windows.net"),
                     "https://login.microsoftonline.com");
    ck_assert_str_eq(bp_azure_authority_of("core.usgovcloudapi.net"),
                     "https://login.microsoftonline.us");
    ck_assert_str_eq(bp_azure_authority_of("core.chinacloudapi.cn"),
                     "https://login.chinacloudapi.cn");
}
END_TEST

AZ_MAIN("azure connection", test_parse__as_the_portal_shows_it, test_parse__with_sas_and_endpoint,
        test_parse__malformed_is_not_quoted, test_split__parts, test_split__what_is_none,
        test_account__from_path_or_host, test_authority__of_each_cloud)
