/* SPDX-License-Identifier: Apache-2.0
 *
 * The settings of one instance.  The environment is asked only for what Kubernetes puts there for
 * workload identities.
 */
#include "plugins/storage-azure/config.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/storage-azure/azure.h"
#include "plugins/storage-azure/connection.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/key.h"
#include "sdk/lib/settings.h"

#include "sdk/lib/ban.h"

#define MIB (UINT64_C(1) << 20)

/* What is read first and goes into more than one value. */
struct draft {
    const struct bp_host *host;
    const struct bp_config *config;
    const char *kind; /* of credentials */
    struct bp_azure_connection connection;
};

/* NULL for "" too: an empty setting is none. */
static const char *
text_of(const struct draft *draft, const char *key)
{
    const char *text = bp_setting_text(draft->host, draft->config, key);
    return text == NULL || text[0] == '\0' ? NULL : text;
}

static const char *
text_or(const struct draft *draft, const char *key, const char *variable)
{
    const char *text = text_of(draft, key);
    const char *outside = text == NULL ? getenv(variable) : NULL;
    return outside != NULL && outside[0] != '\0' ? outside : text;
}

static bool
is_kind(const struct draft *draft, const char *kind)
{
    return strcmp(draft->kind, kind) == 0;
}

static bp_status
need(const char *value, const char *key, const char *kind, struct bp_error *error)
{
    return value != NULL
               ? BP_OK
               : bp_fail(error, BP_ERR_INVALID, "%s: it is needed for credentials %s", key, kind);
}

static bp_status
load_connection(struct draft *draft, struct bp_error *error)
{
    const char *text = text_of(draft, "connection_string");
    bool wanted = is_kind(draft, "connection-string");
    if (text == NULL) {
        return wanted ? need(NULL, "connection_string", draft->kind, error) : BP_OK;
    }
    if (!wanted && !is_kind(draft, "auto")) {
        return bp_fail(error, BP_ERR_INVALID,
                       "connection_string: it does not go with credentials %s", draft->kind);
    }
    for (const char *const *other = (const char *const[]){"account_key", "sas", "endpoint", NULL};
         *other != NULL; other++) {
        if (text_of(draft, *other) != NULL) {
            return bp_fail(error, BP_ERR_INVALID,
                           "connection_string: it cannot be given together with %s", *other);
        }
    }
    bp_status status = bp_azure_connection_parse(&draft->connection, text, error);
    const char *account = text_of(draft, "account");
    const char *other = draft->connection.account;
    if (status == BP_OK && account != NULL && other != NULL && strcmp(account, other) != 0) {
        status = bp_fail(error, BP_ERR_INVALID,
                         "account: it is \"%s\", connection_string says another one", account);
    }
    return status;
}

static const char *
chosen_kind(const struct draft *draft, const struct bp_azure_config *values)
{
    if (values->key != NULL && (is_kind(draft, "auto") || is_kind(draft, "connection-string"))) {
        return "key";
    }
    if (values->sas != NULL && (is_kind(draft, "auto") || is_kind(draft, "connection-string"))) {
        return "sas";
    }
    if (!is_kind(draft, "auto")) {
        return draft->kind;
    }
    if (values->client_secret != NULL) {
        return "service-principal";
    }
    return text_or(draft, "token_file", "AZURE_FEDERATED_TOKEN_FILE") != NULL ? "workload-identity"
                                                                              : "managed-identity";
}

static bool
is_base64(const char *text)
{
    gsize n;
    size_t len = strlen(text);
    if (len == 0 || len % 4 != 0 ||
        strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") != len) {
        return false;
    }
    guchar *bytes = g_base64_decode(text, &n);
    bp_secret_wipe(bytes, n);
    g_free(bytes);
    return n > 0;
}

static void
load_secrets(struct bp_azure_config *values, struct draft *draft)
{
    const char *sas = text_of(draft, "sas");
    values->key = draft->connection.key != NULL ? g_steal_pointer(&draft->connection.key)
                                                : bp_secret_new(text_of(draft, "account_key"));
    values->sas = draft->connection.sas != NULL
                      ? g_steal_pointer(&draft->connection.sas)
                      : bp_secret_new(sas != NULL && sas[0] == '?' ? sas + 1 : sas);
    values->client_secret = bp_secret_new(text_of(draft, "client_secret"));
}

static bp_status
load_key_or_sas(struct bp_azure_config *values, const struct draft *draft, const char *kind,
                struct bp_error *error)
{
    bool by_key = strcmp(kind, "key") == 0;
    const char *name = is_kind(draft, "connection-string") ? "connection_string"
                       : by_key                            ? "account_key"
                                                           : "sas";
    const bp_secret *secret = by_key ? values->key : values->sas;
    values->login = by_key ? BP_AZURE_KEY : BP_AZURE_SAS;
    if (secret == NULL) {
        return need(NULL, name, kind, error);
    }
    if (by_key && !is_base64(bp_secret_get(secret))) {
        return bp_fail(error, BP_ERR_INVALID, "%s: the key is not complete: it is no base64 text",
                       name);
    }
    if (!by_key && strstr(bp_secret_get(secret), "sig=") == NULL) {
        return bp_fail(error, BP_ERR_INVALID,
                       "%s: the SAS is not complete: it has no signature (sig=)", name);
    }
    return BP_OK;
}

static bp_status
load_identity(struct bp_azure_config *values, const struct draft *draft, const char *kind,
              struct bp_error *error)
{
    bool workload = strcmp(kind, "workload-identity") == 0;
    const char *tenant =
        workload ? text_or(draft, "tenant_id", "AZURE_TENANT_ID") : text_of(draft, "tenant_id");
    const char *client =
        workload ? text_or(draft, "client_id", "AZURE_CLIENT_ID") : text_of(draft, "client_id");
    values->tenant_id = g_strdup(tenant);
    values->client_id = g_strdup(client);
    if (strcmp(kind, "managed-identity") == 0) {
        values->login = BP_AZURE_MANAGED_IDENTITY;
        return BP_OK;
    }
    bp_status status = need(tenant, "tenant_id", kind, error);
    if (status == BP_OK) {
        status = need(client, "client_id", kind, error);
    }
    if (workload) {
        values->login = BP_AZURE_WORKLOAD_IDENTITY;
        values->token_file = g_strdup(text_or(draft, "token_file", "AZURE_FEDERATED_TOKEN_FILE"));
        return status == BP_OK ? need(values->token_file, "token_file", kind, error) : status;
    }
    values->login = BP_AZURE_SERVICE_PRINCIPAL;
    return status == BP_OK
               ? need(values->client_secret == NULL ? NULL : "", "client_secret", kind, error)
               : status;
}

static bp_status
load_login(struct bp_azure_config *values, struct draft *draft, struct bp_error *error)
{
    bp_status status = load_connection(draft, error);
    if (status != BP_OK) {
        return status;
    }
    load_secrets(values, draft);
    const char *kind = chosen_kind(draft, values);
    if (strcmp(kind, "connection-string") == 0) {
        return bp_fail(error, BP_ERR_INVALID,
                       "connection_string: it has neither AccountKey nor SharedAccessSignature");
    }
    return strcmp(kind, "key") == 0 || strcmp(kind, "sas") == 0
               ? load_key_or_sas(values, draft, kind, error)
               : load_identity(values, draft, kind, error);
}

static bool
is_name(const char *text, size_t least, size_t most, const char *others)
{
    size_t len = strlen(text);
    if (len < least || len > most) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (!g_ascii_islower(text[i]) && !g_ascii_isdigit(text[i]) &&
            strchr(others, text[i]) == NULL) {
            return false;
        }
    }
    return true;
}

static bp_status
load_account(struct bp_azure_config *values, const struct draft *draft, const char *origin,
             struct bp_error *error)
{
    const char *account =
        draft->connection.account != NULL ? draft->connection.account : text_of(draft, "account");
    values->account =
        account != NULL ? g_strdup(account) : bp_azure_endpoint_account(values->path, origin);
    if (values->account == NULL) {
        return bp_fail(error, BP_ERR_INVALID,
                       "account: it must be given, since endpoint does not tell it");
    }
    if (!is_name(values->account, 1, 63, "-")) {
        return bp_fail(error, BP_ERR_INVALID,
                       "account: \"%s\" is no name of a storage account: lower-case letters and "
                       "digits, without host or suffix",
                       values->account);
    }
    return BP_OK;
}

static bp_status
load_endpoint(struct bp_azure_config *values, const struct draft *draft, struct bp_error *error)
{
    const struct bp_azure_connection *connection = &draft->connection;
    const char *suffix =
        connection->suffix != NULL ? connection->suffix : text_of(draft, "endpoint_suffix");
    const char *account =
        connection->account != NULL ? connection->account : text_of(draft, "account");
    const char *given =
        connection->endpoint != NULL ? connection->endpoint : text_of(draft, "endpoint");
    suffix = suffix == NULL ? BP_AZURE_DEFAULT_SUFFIX : suffix;
    if (given == NULL && account == NULL) {
        return bp_fail(error, BP_ERR_INVALID,
                       "account: either it, endpoint or connection_string must be given");
    }
    g_autofree char *origin = NULL;
    g_autofree char *url =
        given != NULL
            ? g_strdup(given)
            : g_strdup_printf("%s://%s.blob.%s",
                              connection->protocol != NULL ? connection->protocol : "https",
                              account, suffix);
    bp_status status = bp_azure_endpoint_split(given != NULL ? "endpoint" : "endpoint_suffix", url,
                                               &values->endpoint, &values->path, &origin, error);
    if (status != BP_OK) {
        return status;
    }
    const char *blob = strstr(origin, ".blob.");
    values->cloud = g_strdup(blob != NULL ? blob + strlen(".blob.") : origin);
    const char *authority = values->login == BP_AZURE_WORKLOAD_IDENTITY
                                ? text_or(draft, "authority", "AZURE_AUTHORITY_HOST")
                                : text_of(draft, "authority");
    g_autofree char *login =
        g_strdup(authority != NULL ? authority : bp_azure_authority_of(suffix));
    g_autofree char *path = NULL, *login_origin = NULL;
    status = bp_azure_endpoint_split("authority", login, &values->authority, &path, &login_origin,
                                     error);
    return status == BP_OK ? load_account(values, draft, origin, error) : status;
}

/* A SAS or a token is as good as a password to whoever sees it; a signature by key is not.  Nor is
 * anything but the token sent to the service of a managed identity, which is on this machine. */
static bp_status
check_tls(const struct bp_azure_config *values, const struct draft *draft, struct bp_error *error)
{
    bool plain = g_str_has_prefix(values->endpoint, "http://");
    bool logs_in =
        values->login == BP_AZURE_SERVICE_PRINCIPAL || values->login == BP_AZURE_WORKLOAD_IDENTITY;
    if (bp_setting_bool(draft->host, draft->config, "allow_http", false)) {
        return BP_OK;
    }
    if (logs_in && g_str_has_prefix(values->authority, "http://")) {
        return bp_fail(error, BP_ERR_INVALID,
                       "authority: without TLS everybody on the way could read what logs in; use "
                       "https, or set allow_http");
    }
    if (values->login == BP_AZURE_KEY || !plain) {
        return BP_OK;
    }
    return bp_fail(error, BP_ERR_INVALID,
                   "endpoint: without TLS everybody on the way could read the %s; use https, or "
                   "set allow_http",
                   values->login == BP_AZURE_SAS ? "SAS" : "token");
}

static bp_status
load_place(struct bp_azure_config *values, const struct draft *draft, struct bp_error *error)
{
    const char *why;
    char root[BP_KEY_MAX + 1];
    const char *container = text_of(draft, "container");
    const char *prefix = text_of(draft, "prefix");
    if (container == NULL ||
        !is_name(container[0] == '$' ? container + 1 : container, 3, 63, "-")) {
        return bp_fail(error, BP_ERR_INVALID,
                       "container: \"%s\" is no name of a container: 3 to 63 of a-z, 0-9 and '-'",
                       container == NULL ? "" : container);
    }
    values->container = g_strdup(container);
    if (bp_key_root(root, sizeof(root), prefix, &why) != 0 ||
        (why = bp_azure_name_problem(root)) != NULL) {
        return bp_fail(error, BP_ERR_INVALID, "prefix: \"%s\" %s", prefix, why);
    }
    values->prefix = g_strdup(root);
    const char *tier = text_of(draft, "tier");
    if (tier != NULL && strcmp(tier, "default") != 0) {
        values->tier = g_strdup(tier);
        values->tier[0] = g_ascii_toupper(tier[0]);
    }
    return BP_OK;
}

static void
load_limits(struct bp_azure_config *values, const struct draft *draft)
{
    const struct bp_host *host = draft->host;
    const struct bp_config *config = draft->config;
    values->create_container = bp_setting_bool(host, config, "create_container", false);
    values->check_md5 = bp_setting_bool(host, config, "check_md5", true);
    values->memory = bp_setting_u64(host, config, "memory", 16 * MIB);
    values->block_size = bp_setting_u64(host, config, "block_size", 4 * MIB);
    values->put_size = bp_setting_u64(host, config, "put_size", 64 * MIB);
    values->copy_size = bp_setting_u64(host, config, "copy_size", 256 * MIB);
    values->copy_timeout_ms = (uint32_t)bp_setting_u64(host, config, "copy_timeout", 600000);
}

bp_status
bp_azure_config_load(struct bp_azure_config *values, const struct bp_host *host,
                     const struct bp_config *config, struct bp_error *error)
{
    struct draft draft = {.host = host, .config = config};
    memset(values, 0, sizeof(*values));
    const char *kind = text_of(&draft, "credentials");
    draft.kind = kind == NULL ? "auto" : kind;
    const char *identity = text_of(&draft, "identity_endpoint");
    values->identity_endpoint =
        g_strdup(identity == NULL ? BP_AZURE_DEFAULT_IDENTITY_ENDPOINT : identity);

    bp_status status = load_place(values, &draft, error);
    if (status == BP_OK) {
        status = load_login(values, &draft, error);
    }
    if (status == BP_OK) {
        status = load_endpoint(values, &draft, error);
    }
    if (status == BP_OK) {
        status = check_tls(values, &draft, error);
    }
    load_limits(values, &draft);
    bp_azure_connection_clear(&draft.connection);
    return status;
}

void
bp_azure_config_clear(struct bp_azure_config *values)
{
    char **texts[] = {
        &values->account,   &values->tenant_id,         &values->client_id, &values->token_file,
        &values->authority, &values->identity_endpoint, &values->endpoint,  &values->path,
        &values->cloud,     &values->container,         &values->prefix,    &values->tier,
    };
    bp_secret **secrets[] = {&values->key, &values->sas, &values->client_secret};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_clear_pointer(texts[i], g_free);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(secrets); i++) {
        g_clear_pointer(secrets[i], bp_secret_free);
    }
}
