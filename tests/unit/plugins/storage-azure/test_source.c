/* SPDX-License-Identifier: Apache-2.0
 *
 * How a copy's source is opened to the destination's service: own key, SAS, user delegation, token.
 */
#include "plugins/storage-azure/azure.h"
#include "tests/unit/plugins/storage-azure/azure_test.h"

#define COPIED \
    AZ_ANSWER("202 Accepted", "x-ms-copy-status: success\r\nContent-Length: 0\r\n" AZ_ETAG, "")
#define LOOK AZ_HEAD("5", "")
#define TOKEN \
    AZ_OK("", "{\"access_token\":\"token-marker\",\"expires_in\":3599,\"token_type\":\"Bearer\"}")
#define DELEGATION                                                                          \
    AZ_OK("", "<UserDelegationKey><SignedOid>oid-1</SignedOid><SignedTid>tid-1</SignedTid>" \
              "<SignedStart>2026-11-24T10:00:00Z</SignedStart>"                             \
              "<SignedExpiry>2099-11-25T10:00:00Z</SignedExpiry>"                           \
              "<SignedService>b</SignedService><SignedVersion>2021-12-02</SignedVersion>"   \
              "<Value>" AZ_KEY "</Value></UserDelegationKey>")

static struct bp_storage *source;

static void
setup_source(const char *const *pairs)
{
    source = az_open_with(pairs);
    ck_assert_msg(source != NULL, "%s", az_error.message);
}

/* The source's endpoint is the script's as well. */
static void
start_with_identity(const struct bp_httpd_step *steps, size_t n)
{
    az_start_with(steps, n, (const char *const[]){NULL});
    g_autofree char *endpoint = g_strconcat(bp_httpd_url(az_server), "/other", NULL);
    const char *const pairs[] = {"container",
                                 "from",
                                 "endpoint",
                                 endpoint,
                                 "allow_http",
                                 "true",
                                 "authority",
                                 bp_httpd_url(az_server),
                                 "tenant_id",
                                 "t",
                                 "client_id",
                                 "c",
                                 "client_secret",
                                 "secret-marker",
                                 NULL};
    setup_source(pairs);
}

static void
finish(void)
{
    az_ops->close(source);
    source = NULL;
}

START_TEST(test_source__signed_with_its_own_key)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(COPIED), AZ_STEP(LOOK)};
    az_start(steps, NULL);
    const char *const pairs[] = {"container",   "from", "account",         "other",
                                 "account_key", AZ_KEY, "endpoint_suffix", "core.chinacloudapi.cn",
                                 NULL};
    setup_source(pairs);
    ASSERT_OK(az_copy(source, 5, NULL, NULL));
    ASSERT_SENT(0, "PUT /acct/box/p/to ",
                "x-ms-copy-source: https://other.blob.core.chinacloudapi.cn/from/from%20here?"
                "sv=2021-12-02&sr=b&sp=r&st=",
                "&spr=https&sig=", NULL);
    finish();
}
END_TEST

START_TEST(test_source__signed_anew_for_each_try)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(AZ_REFUSED("503 busy", "ServerBusy", "no")),
                                          AZ_STEP(COPIED), AZ_STEP(LOOK)};
    az_start(steps, NULL);
    ASSERT_FAILED(az_copy(az_store, 5, NULL, NULL), BP_ERR_THROTTLED, "ServerBusy");
    ASSERT_OK(az_copy(az_store, 5, NULL, NULL));
    ASSERT_SENT(1, "PUT ", "&sig=", NULL);
}
END_TEST

START_TEST(test_source__its_own_sas)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(COPIED), AZ_STEP(LOOK)};
    az_start(steps, NULL);
    const char *const pairs[] = {"container", "from", "account", "other", "sas", AZ_SAS, NULL};
    setup_source(pairs);
    ASSERT_OK(az_copy(source, 5, NULL, NULL));
    ASSERT_SENT(0, "PUT ",
                "x-ms-copy-source: https://other.blob.core.windows.net/from/from%20here?" AZ_SAS
                "\r\n",
                NULL);
    finish();
}
END_TEST

START_TEST(test_source__user_delegation_is_kept)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(TOKEN), AZ_STEP(DELEGATION), AZ_STEP(COPIED),
                                          AZ_STEP(LOOK),  AZ_STEP(COPIED),     AZ_STEP(LOOK)};
    start_with_identity(steps, G_N_ELEMENTS(steps));
    ASSERT_OK(az_copy(source, 5, NULL, NULL));
    ASSERT_OK(az_copy(source, 5, NULL, NULL));
    ASSERT_SENT(1, "POST /other/?restype=service&comp=userdelegationkey ",
                "Authorization: Bearer token-marker\r\n", "<KeyInfo><Start>", NULL);
    ASSERT_SENT(2, "PUT ",
                "&skoid=oid-1&sktid=tid-1&skt=2026-11-24T10%3A00%3A00Z&ske=", "&sks=b&skv=", NULL);
    ASSERT_SENT(4, "PUT ", "&skoid=oid-1", NULL);
    finish();
}
END_TEST

START_TEST(test_source__token_where_no_key_is_given)
{
    const struct bp_httpd_step steps[] = {
        AZ_STEP(TOKEN), AZ_STEP(AZ_REFUSED("403 no", "AuthorizationPermissionMismatch", "no")),
        AZ_STEP(COPIED), AZ_STEP(LOOK)};
    start_with_identity(steps, G_N_ELEMENTS(steps));
    ASSERT_OK(az_copy(source, 5, NULL, NULL));
    ASSERT_SENT(2, "PUT ", "x-ms-copy-source-authorization: Bearer token-marker\r\n",
                "/other/from/from%20here\r\n", NULL);
    finish();
}
END_TEST

START_TEST(test_source__token_refused_is_not_tried_again)
{
    const struct bp_httpd_step steps[] = {
        AZ_STEP(TOKEN), AZ_STEP(AZ_REFUSED("403 no", "AuthorizationPermissionMismatch", "no")),
        AZ_STEP(AZ_REFUSED("401 no", "CannotVerifyCopySource", "no")),
        AZ_STEP(AZ_REFUSED("403 no", "AuthorizationPermissionMismatch", "no"))};
    start_with_identity(steps, G_N_ELEMENTS(steps));
    ASSERT_FAILED(az_copy(source, 5, NULL, NULL), BP_ERR_UNSUPPORTED, "CannotVerifyCopySource");
    ASSERT_FAILED(az_copy(source, 5, NULL, NULL), BP_ERR_UNSUPPORTED,
                  "its token is not taken for a copy");
    ck_assert_uint_eq(az_requests(), 4);
    finish();
}
END_TEST

/* The destination's login is another one. */
START_TEST(test_source__token_outlives_a_refused_destination)
{
    static const char *const refusals[] = {
        AZ_REFUSED("403 no", "AuthenticationFailed", "no"),
        AZ_REFUSED("403 no", "AuthorizationPermissionMismatch", "no")};
    for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
        const struct bp_httpd_step steps[] = {
            AZ_STEP(TOKEN),
            AZ_STEP(AZ_REFUSED("403 no", "AuthorizationPermissionMismatch", "no")),
            AZ_STEP(refusals[i]),
            AZ_STEP(AZ_REFUSED("403 no", "AuthorizationPermissionMismatch", "no")),
            AZ_STEP(COPIED),
            AZ_STEP(LOOK)};
        start_with_identity(steps, G_N_ELEMENTS(steps));
        ck_assert_int_ne(az_copy(source, 5, NULL, NULL), BP_OK);
        ASSERT_OK(az_copy(source, 5, NULL, NULL));
        ASSERT_SENT(4, "PUT ", "x-ms-copy-source-authorization: Bearer token-marker\r\n", NULL);
        finish();
        az_end();
    }
}
END_TEST

START_TEST(test_source__background_takes_no_token)
{
    const struct bp_httpd_step steps[] = {
        AZ_STEP(TOKEN), AZ_STEP(AZ_REFUSED("403 no", "AuthorizationPermissionMismatch", "no"))};
    start_with_identity(steps, G_N_ELEMENTS(steps));
    ASSERT_FAILED(az_copy(source, (uint64_t)300 << 20, NULL, NULL), BP_ERR_UNSUPPORTED,
                  "takes no token for its source");
    finish();
}
END_TEST

AZ_MAIN("azure source", test_source__signed_with_its_own_key, test_source__signed_anew_for_each_try,
        test_source__its_own_sas, test_source__user_delegation_is_kept,
        test_source__token_where_no_key_is_given, test_source__token_refused_is_not_tried_again,
        test_source__token_outlives_a_refused_destination, test_source__background_takes_no_token)
