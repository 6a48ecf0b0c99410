/* SPDX-License-Identifier: Apache-2.0
 *
 * Settings about credentials.
 */
#include <string.h>

#include "plugins/storage-s3/config.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/settings.h"

#include "sdk/lib/ban.h"

struct load {
    const struct bp_host *host;
    const struct bp_config *config;
    struct bp_error *error;
};

static const struct {
    const char *name;
    enum bp_s3_source source;
} sources[] = {
    {"auto", BP_S3_AUTO},
    {"static", BP_S3_STATIC},
    {"env", BP_S3_ENV},
    {"profile", BP_S3_PROFILE},
    {"web-identity", BP_S3_WEB_IDENTITY},
    {"ecs", BP_S3_ECS},
    {"ec2", BP_S3_EC2},
    {"iam", BP_S3_IAM},
    {"anonymous", BP_S3_ANONYMOUS},
};

/* An empty text counts as not set: v1 configurations are full of them. */
static char *
get_text(const struct load *load, const char *key)
{
    const char *text = bp_setting_text(load->host, load->config, key);
    return text == NULL || *text == '\0' ? NULL : g_strdup(text);
}

static bp_secret *
get_secret(const struct load *load, const char *key)
{
    const char *text = bp_setting_text(load->host, load->config, key);
    return text == NULL || *text == '\0' ? NULL : bp_secret_new(text);
}

static bp_status
check_keys(const struct bp_s3_login *login, struct bp_error *error)
{
    bool any = login->access_key != NULL || login->secret_key != NULL;
    bool used = login->source == BP_S3_AUTO || login->source == BP_S3_STATIC;
    if (any && !used) {
        return bp_fail(error, BP_ERR_INVALID,
                       "access_key: given, but credentials say that keys come from elsewhere");
    }
    if (login->source == BP_S3_STATIC && !any) {
        return bp_fail(error, BP_ERR_INVALID, "access_key: needed for credentials: static");
    }
    if (any && login->access_key == NULL) {
        return bp_fail(error, BP_ERR_INVALID, "access_key: missing beside secret_key");
    }
    if (any && login->secret_key == NULL) {
        return bp_fail(error, BP_ERR_INVALID, "secret_key: missing beside access_key");
    }
    if (!any && login->session_token != NULL) {
        return bp_fail(error, BP_ERR_INVALID, "session_token: given without access_key");
    }
    return BP_OK;
}

/* A setting that nothing would come of is a misunderstanding. */
static bp_status
check_unused(const struct bp_s3_login *login, struct bp_error *error)
{
    enum bp_s3_source source = login->source;
    bool files = source == BP_S3_AUTO || source == BP_S3_PROFILE;
    bool web = source == BP_S3_AUTO || source == BP_S3_IAM || source == BP_S3_WEB_IDENTITY;
    const struct {
        const char *key, *value;
        bool used;
    } settings[] = {
        {"profile", login->profile, files && login->access_key == NULL},
        {"credentials_file", login->credentials_file, files && login->access_key == NULL},
        {"config_file", login->config_file, files && login->access_key == NULL},
        {"web_identity_token_file", login->token_file, web && login->access_key == NULL},
        {"role_arn", login->role_arn, source != BP_S3_ANONYMOUS},
        {"external_id", login->external_id, login->role_arn != NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(settings); i++) {
        if (settings[i].value != NULL && !settings[i].used) {
            return bp_fail(error, BP_ERR_INVALID,
                           "%s: given, but the other settings about "
                           "credentials leave no use for it",
                           settings[i].key);
        }
    }
    return BP_OK;
}

static bp_status
check_address(const char *key, const char *text, struct bp_error *error)
{
    struct bp_s3_endpoint endpoint = {0};
    bp_status status = text == NULL ? BP_OK : bp_s3_endpoint_parse(&endpoint, key, text, -1, error);
    bp_s3_endpoint_clear(&endpoint);
    return status;
}

bp_status
bp_s3_login_load(struct bp_s3_login *login, const struct bp_host *host,
                 const struct bp_config *config, struct bp_error *error)
{
    const struct load load = {host, config, error};
    const char *source = bp_setting_text(host, config, "credentials");
    for (size_t i = 0; source != NULL && i < G_N_ELEMENTS(sources); i++) {
        if (strcmp(sources[i].name, source) == 0) {
            login->source = sources[i].source;
        }
    }
    login->access_key = get_text(&load, "access_key");
    login->secret_key = get_secret(&load, "secret_key");
    login->session_token = get_secret(&load, "session_token");
    login->profile = get_text(&load, "profile");
    login->credentials_file = get_text(&load, "credentials_file");
    login->config_file = get_text(&load, "config_file");
    login->role_arn = get_text(&load, "role_arn");
    login->external_id = get_text(&load, "external_id");
    login->session_name = get_text(&load, "session_name");
    login->token_file = get_text(&load, "web_identity_token_file");
    login->sts_endpoint = get_text(&load, "sts_endpoint");
    login->metadata_endpoint = get_text(&load, "metadata_endpoint");
    bp_status status = check_keys(login, error);
    if (status == BP_OK) {
        status = check_unused(login, error);
    }
    if (status == BP_OK) {
        status = check_address("sts_endpoint", login->sts_endpoint, error);
    }
    if (status == BP_OK) {
        status = check_address("metadata_endpoint", login->metadata_endpoint, error);
    }
    return status;
}

void
bp_s3_login_clear(struct bp_s3_login *login)
{
    g_free(login->access_key);
    bp_secret_free(login->secret_key);
    bp_secret_free(login->session_token);
    g_free(login->profile);
    g_free(login->credentials_file);
    g_free(login->config_file);
    g_free(login->role_arn);
    g_free(login->external_id);
    g_free(login->session_name);
    g_free(login->token_file);
    g_free(login->sts_endpoint);
    g_free(login->metadata_endpoint);
    *login = (struct bp_s3_login){0};
}
