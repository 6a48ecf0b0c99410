/* SPDX-License-Identifier: Apache-2.0
 *
 * Logins of identities: what is sent, what is kept, when it is renewed.
 */
#include "plugins/storage-azure/token.h"

#include <pthread.h>
#include <unistd.h>

#include "plugins/storage-azure/azure.h"
#include "sdk/lib/errors.h"
#include "tests/unit/plugins/storage-azure/azure_test.h"

#define TOKEN(text, seconds) \
    AZ_OK("",                \
          "{\"token_type\":\"Bearer\",\"expires_in\":" seconds ",\"access_token\":\"" text "\"}")
#define LOGIN_REFUSED(status, code, text) \
    AZ_ANSWER(status, "", "{\"error\":\"" code "\",\"error_description\":\"" text "\"}")

static bp_secret *token;
static uint64_t generation;

static bp_status
get(void)
{
    g_clear_pointer(&token, bp_secret_free);
    bp_error_init(&az_error);
    return bp_azure_tokens_get(az_store->tokens, &bp_fake.op, &token, &generation, &az_error);
}

static void
assert_token(const char *wanted)
{
    ASSERT_OK(get());
    ck_assert_str_eq(bp_secret_get(token), wanted);
    g_clear_pointer(&token, bp_secret_free);
}

static void
start(const struct bp_httpd_step *steps, size_t n, const char *const *pairs)
{
    /* The server's address is known only when it runs. */
    az_serve(steps, n);
    g_autoptr(GPtrArray) all = g_ptr_array_new();
    const char *url = bp_httpd_url(az_server);
    g_autofree char *identity = g_strconcat(url, "/metadata/identity/oauth2/token", NULL);
    const char *const first[] = {"container",  "box", "account",           "acct",
                                 "authority",  url,   "identity_endpoint", identity,
                                 "allow_http", "true"};
    for (size_t i = 0; i < G_N_ELEMENTS(first); i++) {
        g_ptr_array_add(all, (void *)first[i]);
    }
    for (; *pairs != NULL; pairs++) {
        g_ptr_array_add(all, (void *)*pairs);
    }
    g_ptr_array_add(all, NULL);
    az_store = az_open_with((const char *const *)all->pdata);
    ck_assert_msg(az_store != NULL, "%s", az_error.message);
}
#define START(steps, ...) start(steps, G_N_ELEMENTS(steps), (const char *const[]){__VA_ARGS__})
#define PRINCIPAL \
    "tenant_id", "tenant-1", "client_id", "client 1", "client_secret", "secret-marker&1", NULL

START_TEST(test_principal__form_and_cache)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(TOKEN("t-1", "3599"))};
    START(steps, PRINCIPAL);
    assert_token("t-1");
    assert_token("t-1");
    ASSERT_SENT(0, "POST /tenant-1/oauth2/v2.0/token HTTP/1.1\r\n",
                "Content-Type: application/x-www-form-urlencoded\r\n",
                "\r\n\r\ngrant_type=client_credentials&client_id=client%201"
                "&scope=https%3A%2F%2Fstorage.azure.com%2F.default&client_secret=secret-marker%261",
                NULL);
    ck_assert_uint_eq(az_requests(), 1);
}
END_TEST

static int64_t fake_now_ns;

static int64_t
fake_clock(void)
{
    return fake_now_ns;
}

static void
pass_s(int64_t seconds)
{
    fake_now_ns += seconds * 1000000000;
}

START_TEST(test_principal__renewed_five_minutes_ahead)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(TOKEN("t-1", "3600")),
                                          AZ_STEP(TOKEN("t-2", "3600"))};
    START(steps, PRINCIPAL);
    bp_azure_tokens_set_clock(az_store->tokens, fake_clock);
    assert_token("t-1");
    pass_s(3299);
    assert_token("t-1");
    pass_s(1);
    assert_token("t-2");
    ck_assert_uint_eq(az_requests(), 2);
}
END_TEST

START_TEST(test_principal__short_token_lives_half_of_its_time)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(TOKEN("t-1", "100")),
                                          AZ_STEP(TOKEN("t-2", "100"))};
    START(steps, PRINCIPAL);
    bp_azure_tokens_set_clock(az_store->tokens, fake_clock);
    assert_token("t-1");
    pass_s(49);
    assert_token("t-1");
    pass_s(1);
    assert_token("t-2");
}
END_TEST

START_TEST(test_principal__old_token_outlives_a_failed_renewal)
{
    const struct bp_httpd_step steps[] = {
        AZ_STEP(TOKEN("t-1", "3600")), AZ_STEP(LOGIN_REFUSED("503 busy", "temporarily", "wait")),
        AZ_STEP(LOGIN_REFUSED("503 busy", "temporarily", "wait")),
        AZ_STEP(LOGIN_REFUSED("503 busy", "temporarily", "wait"))};
    START(steps, PRINCIPAL);
    bp_azure_tokens_set_clock(az_store->tokens, fake_clock);
    assert_token("t-1");
    pass_s(3310);
    assert_token("t-1");
    ck_assert_ptr_nonnull(strstr(bp_fake.last_log, "the token could not be renewed yet"));
    pass_s(29);
    assert_token("t-1"); /* not asked again so soon */
    pass_s(1);
    assert_token("t-1");
    pass_s(260);
    ASSERT_FAILED(get(), BP_ERR_THROTTLED, "status 503");
    ck_assert_uint_eq(az_requests(), 4);
}
END_TEST

START_TEST(test_principal__wrong_secret)
{
    const struct bp_httpd_step steps[] = {
        AZ_STEP(LOGIN_REFUSED("401 no", "invalid_client",
                              "AADSTS7000215: Invalid client secret provided.\\r\\nTrace ID: 1"))};
    START(steps, PRINCIPAL);
    ASSERT_FAILED(
        get(), BP_ERR_AUTH,
        "login as service principal failed with status 401: invalid_client: AADSTS7000215: "
        "Invalid client secret provided.; check tenant_id, client_id, client_secret");
    ck_assert_ptr_null(strstr(az_error.message, "Trace"));
    ck_assert_str_eq(az_error.code, "invalid_client");
}
END_TEST

START_TEST(test_principal__throttled)
{
    const struct bp_httpd_step steps[] = {
        AZ_STEP(AZ_ANSWER("429 slow", "Retry-After: 3\r\n", "{}"))};
    START(steps, PRINCIPAL);
    ASSERT_FAILED(get(), BP_ERR_THROTTLED, "status 429");
    ck_assert_uint_eq(az_error.retry_after_ms, 3000);
}
END_TEST

START_TEST(test_principal__nonsense)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(AZ_OK("", "<html>hello</html>")),
                                          AZ_STEP(AZ_OK("", "{\"access_token\":\"t\"}"))};
    START(steps, PRINCIPAL);
    ASSERT_FAILED(get(), BP_ERR_RETRYABLE, "holds no token with an end");
    ASSERT_FAILED(get(), BP_ERR_RETRYABLE, "holds no token with an end");
}
END_TEST

START_TEST(test_managed__numbers_as_text)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(TOKEN("t-1", "\"86399\""))};
    START(steps, "credentials", "managed-identity", "client_id", "mine", NULL);
    assert_token("t-1");
    ASSERT_SENT(0,
                "GET /metadata/identity/oauth2/token?api-version=2018-02-01"
                "&resource=https%3A%2F%2Fstorage.azure.com%2F&client_id=mine HTTP/1.1\r\n",
                "Metadata: true\r\n", NULL);
}
END_TEST

START_TEST(test_managed__refusals)
{
    const struct bp_httpd_step steps[] = {
        AZ_STEP(LOGIN_REFUSED("400 no", "invalid_request", "Identity not found")),
        AZ_STEP(LOGIN_REFUSED("404 no", "x", "updating")),
        AZ_STEP(LOGIN_REFUSED("410 gone", "x", "updating"))};
    START(steps, "credentials", "managed-identity", NULL);
    ASSERT_FAILED(get(), BP_ERR_AUTH,
                  "Identity not found; check that this machine has an identity");
    ASSERT_FAILED(get(), BP_ERR_RETRYABLE, "status 404");
    ASSERT_FAILED(get(), BP_ERR_RETRYABLE, "status 410");
}
END_TEST

START_TEST(test_workload__file_is_read_for_each_login)
{
    char path[] = "/tmp/azure-token-XXXXXX";
    const struct bp_httpd_step steps[] = {AZ_STEP(TOKEN("t-1", "3600")),
                                          AZ_STEP(TOKEN("t-2", "3600"))};
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert(g_file_set_contents(path, "jwt-marker-1\n", -1, NULL));
    START(steps, "token_file", path, "tenant_id", "tenant-1", "client_id", "c", NULL);
    assert_token("t-1");
    ck_assert(g_file_set_contents(path, "jwt-marker-2\n", -1, NULL));
    bp_azure_tokens_reject(az_store->tokens, generation);
    assert_token("t-2");
    unlink(path);
    close(fd);
    ASSERT_SENT(0, "POST /tenant-1/oauth2/v2.0/token ",
                "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3A"
                "jwt-bearer&client_assertion=jwt-marker-1",
                NULL);
    ASSERT_SENT(1, "POST ", "&client_assertion=jwt-marker-2", NULL);
}
END_TEST

START_TEST(test_workload__no_file)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(TOKEN("t", "1"))};
    START(steps, "token_file", "/nonexistent/token", "tenant_id", "t", "client_id", "c", NULL);
    ASSERT_FAILED(get(), BP_ERR_AUTH, "token_file: ");
    ck_assert_uint_eq(az_requests(), 0);
}
END_TEST

START_TEST(test_request__refused_token_is_fetched_anew)
{
    const struct bp_httpd_step steps[] = {
        AZ_STEP(TOKEN("t-1", "3600")),
        AZ_STEP(AZ_ANSWER("401 no", "x-ms-error-code: InvalidAuthenticationInfo\r\n", "")),
        AZ_STEP(TOKEN("t-2", "3600")), AZ_STEP(AZ_HEAD("5", ""))};
    az_serve(steps, G_N_ELEMENTS(steps));
    g_autofree char *endpoint = g_strconcat(bp_httpd_url(az_server), "/acct", NULL);
    az_store = az_open("container", "box", "endpoint", endpoint, "allow_http", "true", "authority",
                       bp_httpd_url(az_server), PRINCIPAL);
    ck_assert_ptr_nonnull(az_store);
    ASSERT_FAILED(az_stat("k", NULL), BP_ERR_AUTH, "InvalidAuthenticationInfo");
    ASSERT_OK(az_stat("k", NULL));
    ASSERT_SENT(1, "HEAD /acct/box/k ", "Authorization: Bearer t-1\r\n", NULL);
    ASSERT_SENT(3, "HEAD /acct/box/k ", "Authorization: Bearer t-2\r\n", NULL);
}
END_TEST

static void *
get_in_thread(void *data)
{
    struct bp_error error;
    bp_secret *own = NULL;
    uint64_t which;
    (void)data;
    bp_error_init(&error);
    bp_status status = bp_azure_tokens_get(az_store->tokens, &bp_fake.op, &own, &which, &error);
    bool fine = status == BP_OK && strcmp(bp_secret_get(own), "t-1") == 0;
    bp_secret_free(own);
    return fine ? get_in_thread : NULL; /* anything but NULL */
}

START_TEST(test_get__one_thread_fetches)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(TOKEN("t-1", "3600")),
                                          AZ_STEP(TOKEN("t-2", "3600"))};
    pthread_t threads[8];
    START(steps, PRINCIPAL);
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, get_in_thread, NULL), 0);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++) {
        void *fine;
        pthread_join(threads[i], &fine);
        ck_assert_ptr_nonnull(fine);
    }
    ck_assert_uint_eq(az_requests(), 1);
}
END_TEST

AZ_MAIN("azure token", test_principal__form_and_cache, test_principal__renewed_five_minutes_ahead,
        test_principal__short_token_lives_half_of_its_time,
        test_principal__old_token_outlives_a_failed_renewal, test_principal__wrong_secret,
        test_principal__throttled, test_principal__nonsense, test_managed__numbers_as_text,
        test_managed__refusals, test_workload__file_is_read_for_each_login, test_workload__no_file,
        test_request__refused_token_is_fetched_anew, test_get__one_thread_fetches)
