/* SPDX-License-Identifier: Apache-2.0
 *
 * The settings of one instance.
 */
#include "plugins/storage-s3/config.h"

#include <string.h>

#include "sdk/lib/errors.h"
#include "sdk/lib/key.h"
#include "sdk/lib/settings.h"

#include "sdk/lib/ban.h"

#define MAX_PREFIX 512 /* leaves half of a key to what is stored below */

struct load {
    struct bp_s3_config *values;
    const struct bp_host *host;
    const struct bp_config *config;
    struct bp_error *error;
};

/* An empty text counts as not set: v1 configurations are full of them. */
static char *
get_text(const struct load *load, const char *key)
{
    const char *text = bp_setting_text(load->host, load->config, key);
    return text == NULL || *text == '\0' ? NULL : g_strdup(text);
}

static bool
is(const struct load *load, const char *key, const char *value)
{
    const char *text = bp_setting_text(load->host, load->config, key);
    return text != NULL && strcmp(text, value) == 0;
}

static bp_status
load_bucket(const struct load *load)
{
    struct bp_s3_config *values = load->values;
    values->bucket = get_text(load, "bucket");
    size_t n = values->bucket == NULL ? 0 : strlen(values->bucket);
    bool valid = n >= 3 && n <= 255 && g_ascii_isalnum(values->bucket[0]);
    for (size_t i = 0; valid && i < n; i++) {
        valid = g_ascii_isalnum(values->bucket[i]) || strchr(".-_", values->bucket[i]) != NULL;
    }
    if (!valid) {
        return bp_fail(load->error, BP_ERR_INVALID, "bucket: \"%s\" is no name of a bucket",
                       values->bucket == NULL ? "" : values->bucket);
    }
    return BP_OK;
}

static bp_status
load_prefix(const struct load *load)
{
    const char *why, *text = bp_setting_text(load->host, load->config, "prefix");
    char root[BP_KEY_MAX + 1];
    if (bp_key_root(root, sizeof(root), text, &why) != 0) {
        return bp_fail(load->error, BP_ERR_INVALID, "prefix: \"%s\" %s", text, why);
    }
    if (strlen(root) > MAX_PREFIX) {
        return bp_fail(load->error, BP_ERR_INVALID, "prefix: longer than %d bytes", MAX_PREFIX);
    }
    load->values->prefix = g_strdup(root);
    return BP_OK;
}

static bool
valid_region(const char *region)
{
    size_t n = strlen(region);
    return n <= 63 && strspn(region, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789-_") == n;
}

/* What is said goes before what the address says, and that before the provider's usual one. */
static bp_status
load_region(const struct load *load, const char *address)
{
    struct bp_s3_config *values = load->values;
    const struct bp_s3_provider *provider = values->provider;
    values->region = get_text(load, "region");
    if (values->region != NULL && !valid_region(values->region)) {
        return bp_fail(load->error, BP_ERR_INVALID, "region: \"%s\" is no name of a region",
                       values->region);
    }
    if (values->region == NULL && address != NULL) {
        values->region = bp_s3_region_of_host(provider, values->endpoint.host);
    }
    if (values->region == NULL && provider->region == NULL) {
        return bp_fail(load->error, BP_ERR_INVALID,
                       address == NULL ? "region: needed for provider %s without an endpoint"
                                       : "region: needed for provider %s; its endpoint does not "
                                         "tell it",
                       provider->name);
    }
    if (values->region == NULL) {
        values->region = g_strdup(provider->region);
    }
    return BP_OK;
}

static bp_status
load_endpoint(const struct load *load)
{
    struct bp_s3_config *values = load->values;
    const struct bp_s3_provider *provider = values->provider;
    const char *said = bp_setting_text(load->host, load->config, "tls");
    int tls = said == NULL ? -1 : bp_setting_bool(load->host, load->config, "tls", true);
    g_autofree char *address = get_text(load, "endpoint");
    if (address == NULL && provider->endpoint == NULL) {
        return bp_fail(load->error, BP_ERR_INVALID, "endpoint: needed for provider %s",
                       provider->name);
    }
    if (address != NULL) {
        bp_status status =
            bp_s3_endpoint_parse(&values->endpoint, "endpoint", address, tls, load->error);
        if (status != BP_OK) {
            return status;
        }
    }
    bp_status status = load_region(load, address);
    if (status == BP_OK && address == NULL) {
        const char *scheme = strstr(provider->endpoint, "://") + 3;
        g_auto(GStrv) around = g_strsplit(scheme, "%s", 2);
        /* The regions of China are a partition of their own, under another domain. */
        bool china = strcmp(provider->name, "aws") == 0 && g_str_has_prefix(values->region, "cn-");
        g_autofree char *usual = g_strjoinv(values->region, around);
        g_autofree char *host = g_strconcat(usual, china ? ".cn" : "", NULL);
        status = bp_s3_endpoint_parse(&values->endpoint, "region", host, tls, load->error);
    }
    return status;
}

/* A dot in the bucket's name would not be covered by the wildcard of the store's certificate. */
static bp_status
load_style(const struct load *load)
{
    struct bp_s3_config *values = load->values;
    const struct bp_s3_endpoint *endpoint = &values->endpoint;
    bool fits = !bp_s3_endpoint_is_address(endpoint) &&
                !(endpoint->tls && strchr(values->bucket, '.') != NULL);
    if (is(load, "style", "virtual")) {
        if (!fits) {
            return bp_fail(load->error, BP_ERR_INVALID,
                           "style: bucket %s cannot stand before the host %s; set style: path",
                           values->bucket, endpoint->host);
        }
        values->virtual_host = true;
    } else if (is(load, "style", "auto")) {
        bool theirs = values->provider->region_between[1] != NULL &&
                      strstr(endpoint->host, values->provider->region_between[1]) != NULL;
        values->virtual_host = fits && theirs && values->provider->virtual_host;
    }
    return BP_OK;
}

static bp_status
load_new_objects(const struct load *load)
{
    struct bp_s3_config *values = load->values;
    values->sse = is(load, "sse", "kms")  ? BP_S3_SSE_KMS
                  : is(load, "sse", "s3") ? BP_S3_SSE_S3
                                          : BP_S3_SSE_NONE;
    values->kms_key = get_text(load, "kms_key");
    values->storage_class = get_text(load, "storage_class");
    bool aws = values->provider->dialect == &bp_s3_dialect_aws;
    if (values->kms_key != NULL && values->sse != BP_S3_SSE_KMS) {
        return bp_fail(load->error, BP_ERR_INVALID, "kms_key: given without sse: kms");
    }
    if (!aws && values->sse == BP_S3_SSE_KMS && values->kms_key == NULL) {
        return bp_fail(load->error, BP_ERR_INVALID, "kms_key: needed for sse: kms with provider %s",
                       values->provider->name);
    }
    if (values->storage_class != NULL &&
        strspn(values->storage_class, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                      "0123456789_-") != strlen(values->storage_class)) {
        return bp_fail(load->error, BP_ERR_INVALID, "storage_class: \"%s\" is no name of a class",
                       values->storage_class);
    }
    values->checksum = is(load, "checksum", "crc32c")   ? BP_CHECKSUM_CRC32C
                       : is(load, "checksum", "sha256") ? BP_CHECKSUM_SHA256
                       : is(load, "checksum", "auto") && values->provider->try_checksums
                           ? BP_CHECKSUM_CRC32C
                           : BP_CHECKSUM_NONE;
    values->checksum_unsure = is(load, "checksum", "auto") && !values->provider->checksums;
    if (!aws && values->checksum != BP_CHECKSUM_NONE) {
        return bp_fail(load->error, BP_ERR_INVALID, "checksum: provider %s knows none of these",
                       values->provider->name);
    }
    return BP_OK;
}

static void
load_rest(const struct load *load)
{
    struct bp_s3_config *values = load->values;
    const struct bp_host *host = load->host;
    const struct bp_config *config = load->config;
    values->server_root = get_text(load, "server_root");
    values->create_bucket = bp_setting_bool(host, config, "create_bucket", false);
    values->conditional = bp_setting_bool(host, config, "conditional_writes", true);
    values->payload = is(load, "payload", "signed")     ? BP_S3_PAYLOAD_SIGNED
                      : is(load, "payload", "unsigned") ? BP_S3_PAYLOAD_UNSIGNED
                                                        : BP_S3_PAYLOAD_AUTO;
    values->max_copy = bp_setting_u64(host, config, "max_copy", UINT64_C(5) << 30);
    values->memory = bp_setting_u64(host, config, "memory", UINT64_C(64) << 20);
    values->copy_ms = (uint32_t)bp_setting_u64(host, config, "copy_timeout", 600000);
}

bp_status
bp_s3_config_load(struct bp_s3_config *values, const struct bp_host *host,
                  const struct bp_config *config, struct bp_error *error)
{
    memset(values, 0, sizeof(*values));
    const struct load load = {values, host, config, error};
    const char *provider = bp_setting_text(host, config, "provider");
    values->provider = bp_s3_provider_find(provider == NULL ? "s3" : provider);
    if (values->provider == NULL) {
        return bp_fail(error, BP_ERR_INVALID, "provider: there is none called \"%s\"", provider);
    }
    bp_status (*const steps[])(const struct load *) = {load_bucket, load_prefix, load_endpoint,
                                                       load_style, load_new_objects};
    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        bp_status status = steps[i](&load);
        if (status != BP_OK) {
            return status;
        }
    }
    load_rest(&load);
    return bp_s3_login_load(&values->login, host, config, error);
}

void
bp_s3_config_clear(struct bp_s3_config *values)
{
    bp_s3_endpoint_clear(&values->endpoint);
    bp_s3_login_clear(&values->login);
    g_free(values->bucket);
    g_free(values->prefix);
    g_free(values->region);
    g_free(values->server_root);
    g_free(values->kms_key);
    g_free(values->storage_class);
    memset(values, 0, sizeof(*values));
}
