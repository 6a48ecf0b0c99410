/* SPDX-License-Identifier: Apache-2.0
 *
 * Channel arguments and credentials.
 */
#include "rpc_channel.h"

#include <grpc/grpc_security.h>
#include <limits.h>

#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

#define KEEPALIVE_MS 10000
#define RECONNECT_FIRST_MS 100
#define RECONNECT_MAX_MS 3000
#define PEM_MAX_BYTES (1024 * 1024)
#define MAX_ARGS 20

struct arg_list {
    grpc_arg args[MAX_ARGS];
    size_t n;
};

static void
add_int(struct arg_list *list, const char *key, int value)
{
    g_assert(list->n < MAX_ARGS);
    list->args[list->n++] =
        (grpc_arg){.type = GRPC_ARG_INTEGER, .key = (char *)key, .value.integer = value};
}

static void
add_text(struct arg_list *list, const char *key, const char *value)
{
    g_assert(list->n < MAX_ARGS);
    list->args[list->n++] =
        (grpc_arg){.type = GRPC_ARG_STRING, .key = (char *)key, .value.string = (char *)value};
}

static bp_status
read_pem(const char *path, const char *key, char **out, struct bp_error *error)
{
    g_autoptr(GError) failure = NULL;
    gsize size = 0;
    if (!g_file_get_contents(path, out, &size, &failure)) {
        return bp_fail(error, BP_ERR_INVALID, "setting %s: %s", key, failure->message);
    }
    if (size > PEM_MAX_BYTES) {
        return bp_fail(error, BP_ERR_INVALID, "setting %s: %s is no PEM file: %zu bytes", key, path,
                       size);
    }
    return BP_OK;
}

static bp_status
tls_credentials(const struct milvus_config *config, grpc_channel_credentials **out,
                struct bp_error *error)
{
    g_autofree char *ca = NULL;
    g_autofree char *cert = NULL;
    g_autofree char *key = NULL;
    bp_status status = BP_OK;
    if (config->ca_file != NULL) {
        status = read_pem(config->ca_file, "ca_file", &ca, error);
    }
    if (status == BP_OK && config->tls_mode == MILVUS_TLS_MUTUAL) {
        status = read_pem(config->cert_file, "cert_file", &cert, error);
        if (status == BP_OK) {
            status = read_pem(config->key_file, "key_file", &key, error);
        }
    }
    if (status == BP_OK) {
        grpc_ssl_pem_key_cert_pair pair = {.private_key = key, .cert_chain = cert};
        *out = grpc_ssl_credentials_create(ca, cert != NULL ? &pair : NULL, NULL, NULL);
        if (*out == NULL) {
            status = bp_fail(error, BP_ERR_INVALID,
                             "TLS settings for %s: the CA, certificate or key is not usable",
                             config->address);
        }
    }
    if (key != NULL) {
        bp_secret_wipe(key, strlen(key));
    }
    return status;
}

static void
fill_args(const struct milvus_config *config, struct arg_list *list)
{
    add_int(list, GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, INT_MAX);
    add_int(list, GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, INT_MAX);
    add_int(list, GRPC_ARG_KEEPALIVE_TIME_MS, KEEPALIVE_MS);
    add_int(list, GRPC_ARG_KEEPALIVE_TIMEOUT_MS, KEEPALIVE_MS);
    add_int(list, GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    add_int(list, GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
    /* The shortest backoff is also how long one attempt to connect may take. */
    add_int(list, GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, (int)config->connect_timeout_ms);
    add_int(list, GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, RECONNECT_FIRST_MS);
    add_int(list, GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, RECONNECT_MAX_MS);
    /* A service config could order retries.  What stays on is the silent resend of a request that
     * a dying connection never delivered. */
    add_int(list, GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
    add_int(list, GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    add_int(list, GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    if (config->server_name != NULL) {
        add_text(list, GRPC_SSL_TARGET_NAME_OVERRIDE_ARG, config->server_name);
    }
}

bp_status
milvus_channel_new(const struct milvus_config *config, grpc_channel **out, struct bp_error *error)
{
    grpc_channel_credentials *credentials = NULL;
    if (config->tls_mode == MILVUS_TLS_OFF) {
        credentials = grpc_insecure_credentials_create();
    } else {
        bp_status status = tls_credentials(config, &credentials, error);
        if (status != BP_OK) {
            return status;
        }
    }
    struct arg_list list = {.n = 0};
    fill_args(config, &list);
    grpc_channel_args args = {.num_args = list.n, .args = list.args};
    *out = grpc_channel_create(config->address, credentials, &args);
    grpc_channel_credentials_release(credentials);
    return BP_OK;
}
