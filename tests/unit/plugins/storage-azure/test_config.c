/* SPDX-License-Identifier: Apache-2.0
 *
 * Settings: which go together, and what an instance says of itself.
 */
#include "plugins/storage-azure/azure.h"
#include "tests/unit/plugins/storage-azure/azure_test.h"

static void
assert_refused(const char *text, const char *const *pairs)
{
    ck_assert_ptr_null(az_open_with(pairs));
    ASSERT_FAILED(az_error.cls, BP_ERR_INVALID, text);
}

#define ASSERT_REFUSED(text, ...) assert_refused(text, (const char *const[]){__VA_ARGS__})
/* Whole texts: a list of settings takes a text in two pieces for a missing comma. */
static const char connection[] = "AccountName=acct;AccountKey=" AZ_KEY;
static const char connection_usgov[] =
    "DefaultEndpointsProtocol=https;AccountName=acct;AccountKey=" AZ_KEY
    ";EndpointSuffix=core.usgovcloudapi.net";
static const char sas_with_mark[] = "?" AZ_SAS;

#define BASE "container", "box", "account", "acct"

static void
open_for(const char *const *pairs)
{
    az_store = az_open_with(pairs);
    ck_assert_msg(az_store != NULL, "%s", az_error.message);
}
#define OPEN(...) open_for((const char *const[]){__VA_ARGS__})

static struct bp_storage_info
info_of(void)
{
    struct bp_storage_info info = {.struct_size = sizeof(info)};
    ASSERT_OK(az_ops->info(az_store, &info, &az_error));
    return info;
}

START_TEST(test_open__by_key)
{
    OPEN(BASE, "account_key", AZ_KEY, NULL);
    ck_assert_int_eq(az_store->set.login, BP_AZURE_KEY);
    ck_assert_str_eq(az_store->set.endpoint, "https://acct.blob.core.windows.net");
    ck_assert_ptr_null(az_store->tokens);
}
END_TEST

START_TEST(test_open__by_sas_with_question_mark)
{
    OPEN(BASE, "sas", sas_with_mark, NULL);
    ck_assert_int_eq(az_store->set.login, BP_AZURE_SAS);
    ck_assert_str_eq(bp_secret_get(az_store->set.sas), AZ_SAS);
}
END_TEST

START_TEST(test_open__by_connection_string)
{
    OPEN("container", "box", "connection_string", connection_usgov, NULL);
    ck_assert_int_eq(az_store->set.login, BP_AZURE_KEY);
    ck_assert_str_eq(az_store->set.endpoint, "https://acct.blob.core.usgovcloudapi.net");
    ck_assert_str_eq(az_store->set.authority, "https://login.microsoftonline.us");
}
END_TEST

START_TEST(test_open__service_principal)
{
    OPEN(BASE, "tenant_id", "t", "client_id", "c", "client_secret", "secret-marker", NULL);
    ck_assert_int_eq(az_store->set.login, BP_AZURE_SERVICE_PRINCIPAL);
    ck_assert_ptr_nonnull(az_store->tokens);
}
END_TEST

START_TEST(test_open__managed_identity_is_what_is_left)
{
    g_unsetenv("AZURE_FEDERATED_TOKEN_FILE");
    OPEN(BASE, "proxy", "http://127.0.0.1:1", NULL);
    ck_assert_int_eq(az_store->set.login, BP_AZURE_MANAGED_IDENTITY);
    ck_assert_ptr_nonnull(az_store->login_client); /* not through the proxy */
}
END_TEST

START_TEST(test_open__workload_identity_from_the_environment)
{
    g_setenv("AZURE_FEDERATED_TOKEN_FILE", "/var/run/token", TRUE);
    g_setenv("AZURE_TENANT_ID", "tenant", TRUE);
    g_setenv("AZURE_CLIENT_ID", "client", TRUE);
    g_setenv("AZURE_AUTHORITY_HOST", "https://login.example/", TRUE);
    OPEN(BASE, NULL);
    g_unsetenv("AZURE_FEDERATED_TOKEN_FILE");
    ck_assert_int_eq(az_store->set.login, BP_AZURE_WORKLOAD_IDENTITY);
    ck_assert_str_eq(az_store->set.token_file, "/var/run/token");
    ck_assert_str_eq(az_store->set.tenant_id, "tenant");
    ck_assert_str_eq(az_store->set.client_id, "client");
    ck_assert_str_eq(az_store->set.authority, "https://login.example");
}
END_TEST

START_TEST(test_open__environment_is_only_for_workload_identities)
{
    g_setenv("AZURE_TENANT_ID", "tenant", TRUE);
    ASSERT_REFUSED("tenant_id: it is needed for credentials service-principal", BASE, "credentials",
                   "service-principal", "client_id", "c", "client_secret", "s", NULL);
}
END_TEST

START_TEST(test_open__names_what_is_missing)
{
    ASSERT_REFUSED("container: ", "account", "acct", "account_key", AZ_KEY, NULL);
    ASSERT_REFUSED("account: either it, endpoint or connection_string", "container", "box",
                   "account_key", AZ_KEY, NULL);
    ASSERT_REFUSED("account_key: it is needed for credentials key", BASE, "credentials", "key",
                   NULL);
    ASSERT_REFUSED("sas: it is needed for credentials sas", BASE, "credentials", "sas", NULL);
    ASSERT_REFUSED("connection_string: it is needed", BASE, "credentials", "connection-string",
                   NULL);
    ASSERT_REFUSED("client_id: it is needed", BASE, "credentials", "service-principal", "tenant_id",
                   "t", NULL);
    ASSERT_REFUSED("client_secret: it is needed", BASE, "credentials", "service-principal",
                   "tenant_id", "t", "client_id", "c", NULL);
    g_unsetenv("AZURE_FEDERATED_TOKEN_FILE");
    ASSERT_REFUSED("token_file: it is needed", BASE, "credentials", "workload-identity",
                   "tenant_id", "t", "client_id", "c", NULL);
    ASSERT_REFUSED("account: it must be given, since endpoint does not tell it", "container", "box",
                   "account_key", AZ_KEY, "endpoint", "http://127.0.0.1:1", NULL);
    ASSERT_REFUSED("neither AccountKey nor SharedAccessSignature", "container", "box",
                   "credentials", "connection-string", "connection_string", "AccountName=acct",
                   NULL);
}
END_TEST

START_TEST(test_open__names_what_is_wrong)
{
    ASSERT_REFUSED("container: \"Box\" is no name", "container", "Box", "account", "acct",
                   "account_key", AZ_KEY, NULL);
    ASSERT_REFUSED("account: \"acct.blob.core.windows.net\" is no name", "container", "box",
                   "account", "acct.blob.core.windows.net", "account_key", AZ_KEY, NULL);
    ASSERT_REFUSED("account_key: the key is not complete", BASE, "account_key", "abc", NULL);
    ASSERT_REFUSED("sas: the SAS is not complete", BASE, "sas", "sv=2021-12-02&sp=r", NULL);
    ASSERT_REFUSED("prefix: \"a//b\"", BASE, "account_key", AZ_KEY, "prefix", "a//b", NULL);
    ASSERT_REFUSED("prefix: \"a./b\" has a part that ends in '.'", BASE, "account_key", AZ_KEY,
                   "prefix", "a./b", NULL);
    ASSERT_REFUSED("prefix: \"a\\b\" contains '\\'", BASE, "account_key", AZ_KEY, "prefix", "a\\b",
                   NULL);
    ASSERT_REFUSED("endpoint: it must be http(s)", BASE, "account_key", AZ_KEY, "endpoint", "host",
                   NULL);
    ASSERT_REFUSED("endpoint_suffix: it must be", BASE, "account_key", AZ_KEY, "endpoint_suffix",
                   "a b", NULL);
    ASSERT_REFUSED("authority: it must be", BASE, "account_key", AZ_KEY, "authority", "login",
                   NULL);
    ASSERT_REFUSED("key_file: missing beside cert_file", BASE, "account_key", AZ_KEY, "cert_file",
                   "/c.pem", NULL);
}
END_TEST

START_TEST(test_open__contradictions)
{
    ASSERT_REFUSED("connection_string: it cannot be given together with sas", "container", "box",
                   "connection_string", connection, "sas", AZ_SAS, NULL);
    ASSERT_REFUSED("account: it is \"other\", connection_string says another one", "container",
                   "box", "account", "other", "connection_string", connection, NULL);
    ASSERT_REFUSED("connection_string: it does not go with credentials sas", "container", "box",
                   "credentials", "sas", "connection_string", connection, NULL);
}
END_TEST

START_TEST(test_open__a_login_does_not_travel_in_the_clear)
{
    ASSERT_REFUSED("everybody on the way could read the SAS", "container", "box", "sas", AZ_SAS,
                   "endpoint", "http://10.0.0.1/acct", NULL);
    ASSERT_REFUSED("everybody on the way could read the token", "container", "box", "credentials",
                   "managed-identity", "endpoint", "http://10.0.0.1/acct", NULL);
    ASSERT_REFUSED("authority: without TLS everybody on the way could read what logs in", BASE,
                   "tenant_id", "t", "client_id", "c", "client_secret", "s", "authority",
                   "http://login.example.org", NULL);
    OPEN("container", "box", "sas", AZ_SAS, "endpoint", "http://10.0.0.1/acct", "allow_http",
         "true", NULL);
}
END_TEST

START_TEST(test_info__facts)
{
    OPEN(BASE, "account_key", AZ_KEY, "prefix", "/a/b/", NULL);
    struct bp_storage_info info = info_of();
    ck_assert_str_eq(info.identity, "azure:https://acct.blob.core.windows.net/box/a/b");
    ck_assert_str_eq(info.copy_scope, "azure:core.windows.net");
    ck_assert_str_eq(info.place, "azure:https://acct.blob.core.windows.net/box");
    ck_assert_str_eq(info.server_root, "a/b/");
    ck_assert_uint_eq(info.max_copy, 256 << 20);
    ck_assert_uint_eq(info.max_parts, 9000);
    ck_assert((info.caps & BP_STORE_IF_NONE_MATCH) != 0);
    ck_assert((info.caps & BP_STORE_PARTS_EXPIRE) != 0);
    ck_assert((info.caps & (BP_STORE_LIST_SORTED | BP_STORE_LIST_START_AFTER)) == 0);
    ck_assert_str_eq(info.local_root, "");
}
END_TEST

START_TEST(test_info__scope_of_an_own_endpoint)
{
    OPEN("container", "box", "account_key", AZ_KEY, "endpoint", "http://127.0.0.1:10000/acct",
         NULL);
    ck_assert_str_eq(az_store->set.account, "acct");
    struct bp_storage_info info = info_of();
    ck_assert_str_eq(info.copy_scope, "azure:http://127.0.0.1:10000");
    ck_assert_str_eq(info.identity, "azure:http://127.0.0.1:10000/acct/box");
}
END_TEST

START_TEST(test_keys__table_is_complete)
{
    static const char *const secrets[] = {"account_key",   "sas",          "connection_string",
                                          "client_secret", "key_password", "proxy"};
    size_t n = 0;
    ck_assert_uint_eq(az_plugin->n_keys, BP_AZURE_N_KEYS);
    for (uint32_t i = 0; i < az_plugin->n_keys; i++) {
        ck_assert_ptr_nonnull(az_plugin->keys[i].name);
        ck_assert_ptr_nonnull(az_plugin->keys[i].help);
        for (size_t j = 0; j < G_N_ELEMENTS(secrets); j++) {
            if (strcmp(az_plugin->keys[i].name, secrets[j]) == 0) {
                ck_assert((az_plugin->keys[i].flags & BP_CONFIG_SECRET) != 0);
                n++;
            }
        }
    }
    ck_assert_uint_eq(n, G_N_ELEMENTS(secrets));
}
END_TEST

AZ_MAIN("azure config", test_open__by_key, test_open__by_sas_with_question_mark,
        test_open__by_connection_string, test_open__service_principal,
        test_open__managed_identity_is_what_is_left,
        test_open__workload_identity_from_the_environment,
        test_open__environment_is_only_for_workload_identities, test_open__names_what_is_missing,
        test_open__names_what_is_wrong, test_open__contradictions,
        test_open__a_login_does_not_travel_in_the_clear, test_info__facts,
        test_info__scope_of_an_own_endpoint, test_keys__table_is_complete)
