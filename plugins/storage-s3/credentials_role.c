/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys of a role, from the security token service: AssumeRole and AssumeRoleWithWebIdentity of the
 * AWS STS API reference, version 2011-06-15, which MinIO has, too.
 */
#include "plugins/storage-s3/credentials.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plugins/storage-s3/errors.h"
#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

#define MAX_ANSWER ((size_t)256 << 10)
#define NEAR_CONNECT_MS 1000

bp_status
bp_s3_ask(struct bp_storage *storage, const struct bp_op *op, const struct bp_s3_ask *ask,
          int *status, char **body, struct bp_error *error)
{
    size_t n = 0;
    bp_http_exchange *http = NULL;
    const struct bp_http_request request = {
        .method = ask->method,
        .url = ask->url,
        .headers = ask->headers,
        .body = ask->body,
        .body_size = ask->body == NULL ? 0 : strlen(ask->body),
        .total_timeout_ms = ask->near ? 5 * NEAR_CONNECT_MS : 0,
    };
    *body = NULL;
    bp_status result =
        bp_http_begin(ask->near ? storage->near : storage->http, op, &request, &http, error);
    if (result == BP_OK) {
        result = bp_http_head(http, op, status, error);
    }
    if (result == BP_OK) {
        result = bp_http_receive_all(http, op, MAX_ANSWER, body, &n, error);
    }
    bp_http_end(http);
    return result;
}

/* The service of the region, or whatever was configured; on MinIO it is the store itself. */
static bp_status
service_address(struct bp_storage *storage, struct bp_s3_endpoint *out, char **authority,
                struct bp_error *error)
{
    const struct bp_s3_config *set = &storage->set;
    g_autofree char *region = bp_s3_region(storage);
    const char *said = set->login.sts_endpoint;
    g_autofree char *usual = NULL;
    if (said == NULL) {
        bool china = g_str_has_prefix(region, "cn-");
        usual = strcmp(set->provider->name, "aws") == 0
                    ? g_strdup_printf("https://sts.%s.amazonaws.com%s", region, china ? ".cn" : "")
                    : bp_s3_endpoint_canonical(&set->endpoint);
    }
    bp_status status =
        bp_s3_endpoint_parse(out, "sts_endpoint", said != NULL ? said : usual, -1, error);
    if (status == BP_OK) {
        *authority = bp_s3_authority(out, out->host);
    }
    return status;
}

static bp_status
take_answer(const bp_xml *xml, const char *from, struct bp_s3_keys **out, struct bp_error *error)
{
    const bp_xml_node *node = bp_xml_first(bp_xml_root(xml), NULL);
    while (node != NULL && bp_xml_first(node, "Credentials") == NULL) {
        node = bp_xml_next(node, NULL);
    }
    const bp_xml_node *keys = node == NULL ? NULL : bp_xml_first(node, "Credentials");
    const char *access = keys == NULL ? NULL : bp_xml_text(keys, "AccessKeyId");
    const char *secret = keys == NULL ? NULL : bp_xml_text(keys, "SecretAccessKey");
    if (access == NULL || secret == NULL) {
        return bp_fail(error, BP_ERR_PERMANENT, "the answer about %s has no keys in it", from);
    }
    *out = bp_s3_keys_new(access, secret, bp_xml_text(keys, "SessionToken"),
                          bp_xml_text(keys, "Expiration"), from);
    return BP_OK;
}

static bp_status
read_answer(int code, const char *body, const char *what, struct bp_s3_keys **out,
            struct bp_error *error)
{
    bp_xml *xml = NULL;
    bp_status status = bp_xml_parse(body, strlen(body), &xml, error);
    if (code >= 200 && code < 300 && status == BP_OK) {
        status = take_answer(xml, "an assumed role", out, error);
    } else if (code < 200 || code >= 300) {
        struct bp_s3_refusal refusal = {.status = code};
        if (status == BP_OK) {
            bp_s3_refusal_read(&refusal, bp_xml_root(xml));
        }
        status = bp_s3_refuse(error, &refusal, what);
    }
    bp_xml_free(xml);
    return status;
}

/* `with` is NULL when the request carries its own proof. */
static bp_status
ask_service(struct bp_storage *storage, const struct bp_op *op, GPtrArray *fields,
            const struct bp_s3_keys *with, struct bp_s3_keys **out, struct bp_error *error)
{
    struct bp_s3_endpoint endpoint = {0};
    g_autofree char *authority = NULL;
    bp_status status = service_address(storage, &endpoint, &authority, error);
    if (status != BP_OK) {
        return status;
    }
    char hash[BP_S3_SHA256_HEX];
    g_autofree char *region = bp_s3_region(storage);
    char *form = bp_s3_query(fields);
    g_autoptr(GPtrArray) headers = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(headers, g_strdup("Content-Type: application/x-www-form-urlencoded"));
    if (with != NULL) {
        if (with->session_token != NULL) {
            g_ptr_array_add(headers, g_strdup_printf("x-amz-security-token: %s",
                                                     bp_secret_get(with->session_token)));
        }
        bp_s3_sha256_hex(form, strlen(form), hash);
        struct bp_s3_signing signing = {
            .dialect = &bp_s3_dialect_sts,
            .method = "POST",
            .host = authority,
            .path = "/",
            .query = "",
            .region = region,
            .access_key = with->access_key,
            .secret_key = bp_secret_get(with->secret_key),
            .payload = hash,
        };
        bp_s3_stamp((int64_t)time(NULL), signing.stamp);
        bp_s3_sign(&signing, headers, NULL);
    }
    g_ptr_array_add(headers, NULL);

    int code = 0;
    char *body = NULL;
    g_autofree char *url = g_strdup_printf("%s://%s/", endpoint.tls ? "https" : "http", authority);
    g_autofree char *what = g_strdup_printf("get the keys of a role from %s", authority);
    const struct bp_s3_ask ask = {
        .what = what,
        .method = "POST",
        .url = url,
        .headers = (const char *const *)headers->pdata,
        .body = form,
    };
    status = bp_s3_ask(storage, op, &ask, &code, &body, error);
    if (status == BP_OK) {
        status = read_answer(code, body, what, out, error);
        bp_secret_wipe(body, strlen(body));
    }
    free(body);
    bp_secret_wipe(form, strlen(form)); /* the token of a web identity */
    g_free(form);
    bp_s3_endpoint_clear(&endpoint);
    return status;
}

/* Fields may be the token of a web identity. */
static void
free_field(void *field)
{
    bp_secret_wipe(field, strlen(field));
    g_free(field);
}

static void
add_field(GPtrArray *fields, const char *name, const char *value)
{
    if (value != NULL) {
        g_ptr_array_add(fields, g_strdup(name));
        g_ptr_array_add(fields, g_strdup(value));
    }
}

bp_status
bp_s3_assume_role(struct bp_storage *storage, const struct bp_op *op, const struct bp_s3_keys *with,
                  const struct bp_s3_role *role, struct bp_s3_keys **out, struct bp_error *error)
{
    g_autoptr(GPtrArray) fields = g_ptr_array_new_with_free_func(free_field);
    add_field(fields, "Action", "AssumeRole");
    add_field(fields, "Version", "2011-06-15");
    add_field(fields, "RoleArn", role->arn);
    add_field(fields, "RoleSessionName", role->session_name);
    add_field(fields, "ExternalId", role->external_id);
    return ask_service(storage, op, fields, with, out, error);
}

bp_status
bp_s3_assume_role_by_token(struct bp_storage *storage, const struct bp_op *op,
                           const char *token_file, const struct bp_s3_role *role,
                           struct bp_s3_keys **out, struct bp_error *error)
{
    char *token = NULL;
    bp_status status = bp_s3_read_file(token_file, &token, error);
    if (status != BP_OK) {
        return status;
    }
    g_autoptr(GPtrArray) fields = g_ptr_array_new_with_free_func(free_field);
    add_field(fields, "Action", "AssumeRoleWithWebIdentity");
    add_field(fields, "Version", "2011-06-15");
    add_field(fields, "RoleArn", role->arn);
    add_field(fields, "RoleSessionName", role->session_name);
    add_field(fields, "WebIdentityToken", token);
    status = ask_service(storage, op, fields, NULL, out, error);
    bp_secret_wipe(token, strlen(token));
    g_free(token);
    return status;
}

bp_status
bp_s3_keys_of_web_identity(struct bp_storage *storage, const struct bp_op *op,
                           struct bp_s3_keys **out, struct bp_error *error)
{
    const struct bp_s3_login *login = &storage->set.login;
    const char *file =
        login->token_file != NULL ? login->token_file : getenv("AWS_WEB_IDENTITY_TOKEN_FILE");
    if (file == NULL || *file == '\0') {
        return BP_OK;
    }
    const char *name = getenv("AWS_ROLE_SESSION_NAME");
    const struct bp_s3_role role = {
        .arn = login->role_arn != NULL ? login->role_arn : getenv("AWS_ROLE_ARN"),
        .session_name = name != NULL && *name != '\0' ? name : login->session_name,
    };
    if (role.arn == NULL && strcmp(storage->set.provider->name, "aws") == 0) {
        return bp_fail(error, BP_ERR_AUTH,
                       "there is a web identity, but neither role_arn nor AWS_ROLE_ARN says which "
                       "role it assumes");
    }
    return bp_s3_assume_role_by_token(storage, op, file, &role, out, error);
}
