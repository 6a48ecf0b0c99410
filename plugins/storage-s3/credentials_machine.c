/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys that the machine hands out: ECS containers (and EKS pod identities), and EC2 instances by
 * version 2 of their metadata service ("Container credential provider" and "IMDS credential
 * provider" of the AWS SDKs' reference guide).
 */
#include "plugins/storage-s3/credentials.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

#define ECS_ADDRESS "http://169.254.170.2"
#define EC2_ADDRESS "http://169.254.169.254"
#define ROLES "/latest/meta-data/iam/security-credentials/"
#define TOKEN_HEADER "X-aws-ec2-metadata-token: "

static const char *
from_environment(const char *name)
{
    const char *text = getenv(name);
    return text == NULL || *text == '\0' ? NULL : text;
}

/* {"AccessKeyId": …, "SecretAccessKey": …, "Token": …, "Expiration": …} */
static bp_status
take_json(const char *body, const char *from, struct bp_s3_keys **out, struct bp_error *error)
{
    json_error_t problem;
    json_t *root = json_loads(body, JSON_REJECT_DUPLICATES, &problem);
    const char *code = json_string_value(json_object_get(root, "Code"));
    const char *access = json_string_value(json_object_get(root, "AccessKeyId"));
    const char *secret = json_string_value(json_object_get(root, "SecretAccessKey"));
    bp_status status = BP_OK;
    if (access == NULL || secret == NULL || (code != NULL && strcmp(code, "Success") != 0)) {
        status = bp_fail(error, BP_ERR_AUTH, "%s answered without keys%s%s", from,
                         code != NULL ? ": " : "", code != NULL ? code : "");
    } else {
        *out = bp_s3_keys_new(access, secret, json_string_value(json_object_get(root, "Token")),
                              json_string_value(json_object_get(root, "Expiration")), from);
    }
    json_decref(root);
    return status;
}

static bp_status
class_of(int code)
{
    return code == 429 || code >= 500 ? BP_ERR_RETRYABLE : BP_ERR_AUTH;
}

static bool
is_near(const char *host)
{
    static const char *const near[] = {"localhost", "[::1]", "169.254.170.2", "169.254.170.23",
                                       "[fd00:ec2::23]"};
    struct in_addr address;
    for (size_t i = 0; i < G_N_ELEMENTS(near); i++) {
        if (g_ascii_strcasecmp(host, near[i]) == 0) {
            return true;
        }
    }
    return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == IN_LOOPBACKNET;
}

/* A token in plain text goes to this machine or its link only: not to 127.example.org, nor to
 * localhost@example.org. */
static bp_status
check_full_uri(const char *uri, struct bp_error *error)
{
    if (g_str_has_prefix(uri, "https://")) {
        return BP_OK;
    }
    if (g_str_has_prefix(uri, "http://")) {
        const char *start = uri + strlen("http://");
        g_autofree char *authority = g_strndup(start, strcspn(start, "/?#"));
        bool has_login = strchr(authority, '@') != NULL;
        char *port = strrchr(authority, ':');
        if (port != NULL && strchr(port, ']') == NULL) {
            *port = '\0';
        }
        if (!has_login && is_near(authority)) {
            return BP_OK;
        }
    }
    return bp_fail(error, BP_ERR_AUTH,
                   "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor on this machine");
}

static bp_status
ecs_address(const struct bp_s3_login *login, char **url, struct bp_error *error)
{
    const char *relative = from_environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = from_environment("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    *url = NULL;
    if (relative != NULL) {
        const char *base = login->metadata_endpoint;
        const char *scheme = base != NULL && strstr(base, "://") == NULL ? "http://" : "";
        *url = g_strconcat(scheme, base != NULL ? base : ECS_ADDRESS, relative, NULL);
        return BP_OK;
    }
    if (full == NULL) {
        return BP_OK;
    }
    bp_status status = check_full_uri(full, error);
    *url = status == BP_OK ? g_strdup(full) : NULL;
    return status;
}

static bp_status
ecs_authorization(char **header, struct bp_error *error)
{
    char *token = NULL;
    bp_status status = BP_OK;
    const char *file = from_environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *plain = from_environment("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    *header = NULL;
    if (file != NULL) {
        status = bp_s3_read_file(file, &token, error);
    } else if (plain != NULL) {
        token = g_strdup(plain);
    }
    if (token != NULL) {
        *header = g_strconcat("Authorization: ", token, NULL);
        bp_secret_wipe(token, strlen(token));
        g_free(token);
    }
    return status;
}

bp_status
bp_s3_keys_of_ecs(struct bp_storage *storage, const struct bp_op *op, struct bp_s3_keys **out,
                  struct bp_error *error)
{
    int code = 0;
    char *body = NULL, *header = NULL;
    g_autofree char *url = NULL;
    bp_status status = ecs_address(&storage->set.login, &url, error);
    if (status != BP_OK || url == NULL) {
        return status;
    }
    status = ecs_authorization(&header, error);
    if (status == BP_OK) {
        const char *const headers[] = {header, NULL};
        const struct bp_s3_ask ask = {
            .method = "GET", .url = url, .headers = headers, .near = true};
        status = bp_s3_ask(storage, op, &ask, &code, &body, error);
    }
    if (status == BP_OK && code != 200) {
        status =
            bp_fail(error, class_of(code), "the container's service for keys answered %d", code);
    } else if (status == BP_OK) {
        status = take_json(body, "the container's service for keys", out, error);
    }
    if (body != NULL) {
        bp_secret_wipe(body, strlen(body));
    }
    free(body);
    if (header != NULL) {
        bp_secret_wipe(header, strlen(header));
    }
    g_free(header);
    return status;
}

/* The service, as far as it has been asked. */
struct imds {
    struct bp_storage *storage;
    const struct bp_op *op;
    char *base;
    char *token; /* header line */
};

static bp_status
imds_get(const struct imds *imds, const char *path, char **body, struct bp_error *error)
{
    int code = 0;
    g_autofree char *url = g_strconcat(imds->base, path, NULL);
    const char *const headers[] = {imds->token, NULL};
    const struct bp_s3_ask ask = {.method = "GET", .url = url, .headers = headers, .near = true};
    bp_status status = bp_s3_ask(imds->storage, imds->op, &ask, &code, body, error);
    if (status == BP_OK && code == 404) {
        return bp_fail(error, BP_ERR_AUTH, "this EC2 instance has no role");
    }
    if (status == BP_OK && code != 200) {
        return bp_fail(error, class_of(code), "the metadata service of EC2 answered %d", code);
    }
    return status;
}

/* False when nobody is there. */
static bool
imds_open(struct imds *imds)
{
    int code = 0;
    char *body = NULL;
    struct bp_error ignored = {.struct_size = sizeof(ignored)};
    g_autofree char *url = g_strconcat(imds->base, "/latest/api/token", NULL);
    static const char *const headers[] = {"X-aws-ec2-metadata-token-ttl-seconds: 21600", NULL};
    const struct bp_s3_ask ask = {.method = "PUT", .url = url, .headers = headers, .near = true};
    bp_status status = bp_s3_ask(imds->storage, imds->op, &ask, &code, &body, &ignored);
    if (status == BP_OK && code == 200) {
        imds->token = g_strconcat(TOKEN_HEADER, g_strstrip(body), NULL);
    }
    free(body);
    return imds->token != NULL;
}

static char *
imds_base(const struct bp_s3_login *login)
{
    const char *said = login->metadata_endpoint != NULL
                           ? login->metadata_endpoint
                           : from_environment("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    const char *text = said != NULL ? said : EC2_ADDRESS;
    char *base = g_strconcat(strstr(text, "://") == NULL ? "http://" : "", text, NULL);
    size_t n = strlen(base);
    while (n > 0 && base[n - 1] == '/') {
        base[--n] = '\0';
    }
    return base;
}

bp_status
bp_s3_keys_of_ec2(struct bp_storage *storage, const struct bp_op *op, struct bp_s3_keys **out,
                  struct bp_error *error)
{
    char *body = NULL;
    const char *off = from_environment("AWS_EC2_METADATA_DISABLED");
    if (off != NULL && g_ascii_strcasecmp(off, "true") == 0) {
        return BP_OK;
    }
    struct imds imds = {storage, op, imds_base(&storage->set.login), NULL};
    bp_status status = BP_OK;
    if (imds_open(&imds)) {
        status = imds_get(&imds, ROLES, &body, error);
        g_autofree char *path = NULL;
        if (status == BP_OK) {
            body[strcspn(body, "\r\n")] = '\0'; /* the first of them */
            path = g_strconcat(ROLES, body, NULL);
            free(body);
            body = NULL;
            status = imds_get(&imds, path, &body, error);
        }
        if (status == BP_OK) {
            status = take_json(body, "the metadata service of EC2", out, error);
        }
    } else {
        status = bp_s3_check_op(storage, op, error); /* it may have been a cancel */
    }
    if (body != NULL) {
        bp_secret_wipe(body, strlen(body));
    }
    free(body);
    if (imds.token != NULL) {
        bp_secret_wipe(imds.token, strlen(imds.token));
    }
    g_free(imds.token);
    g_free(imds.base);
    return status;
}
