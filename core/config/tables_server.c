/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys of `server`, and what has to be true of them together.
 */
#include "core/base/error.h"
#include "core/config/address.h"
#include "core/config/tree.h"

#include "sdk/lib/ban.h"

#define KIB G_GINT64_CONSTANT(1024)
#define MIB (KIB * KIB)
#define SECOND G_GINT64_CONSTANT(1000)
#define HOUR (3600 * SECOND)

static const struct bp_config_key server_keys[] = {
    {.name = "listen",
     .type = BP_CONFIG_STRING,
     .def = "127.0.0.1:8080",
     .help = "address and port of REST; IPv6 in brackets, port 0 for any that is free"},
    {.name = "grpc_listen",
     .type = BP_CONFIG_STRING,
     .def = "127.0.0.1:8081",
     .help = "the same of gRPC; empty for none"},
    {.name = "auth",
     .type = BP_CONFIG_CHOICE,
     .def = "token",
     .choices = "token|none",
     .help = "who may do what: those with a token, or everybody who reaches the port"},
    {.name = "token_file",
     .type = BP_CONFIG_PATH,
     .help = "file with the token that may do everything, made when it is not there; without it "
             "server/token below state_dir"},
    {.name = "read_token_file",
     .type = BP_CONFIG_PATH,
     .help = "file with the token that may look, and nothing else; without it there is none"},
    {.name = "hosts",
     .type = BP_CONFIG_STRING,
     .flags = BP_CONFIG_LIST,
     .help = "names that clients know the server by; addresses are let in anyway"},
    {.name = "origins",
     .type = BP_CONFIG_STRING,
     .flags = BP_CONFIG_LIST,
     .help = "origins of pages elsewhere that may ask, as https://console.example"},
    {.name = "tls_cert",
     .type = BP_CONFIG_PATH,
     .help = "certificate in PEM, the server's own first; without it there is no TLS"},
    {.name = "tls_key", .type = BP_CONFIG_PATH, .help = "key of the certificate, in PEM"},
    {.name = "tls_client_ca",
     .type = BP_CONFIG_PATH,
     .help = "certificates in PEM of those who sign the certificates of gRPC's clients, which "
             "then need one"},
    {.name = "max_connections",
     .type = BP_CONFIG_INT,
     .def = "256",
     .min = 1,
     .max = 10000,
     .help = "connections of REST at once; more are closed"},
    {.name = "max_head",
     .type = BP_CONFIG_SIZE,
     .def = "32KiB",
     .min = KIB,
     .max = MIB,
     .unit = "bytes",
     .help = "longest first line and headers of a request"},
    {.name = "max_body",
     .type = BP_CONFIG_SIZE,
     .def = "1MiB",
     .min = KIB,
     .max = 64 * MIB,
     .unit = "bytes",
     .help = "longest body of a request"},
    {.name = "receive_timeout",
     .type = BP_CONFIG_DURATION,
     .def = "30s",
     .min = SECOND,
     .max = HOUR,
     .unit = "ms",
     .help = "longest time until a request is there, whole"},
    {.name = "send_timeout",
     .type = BP_CONFIG_DURATION,
     .def = "60s",
     .min = SECOND,
     .max = HOUR,
     .unit = "ms",
     .help = "longest time until an answer is taken, whole"},
    {.name = "max_running",
     .type = BP_CONFIG_INT,
     .def = "4",
     .min = 1,
     .max = 256,
     .help = "jobs of the server that run at once; more wait"},
    {.name = "simple_answers",
     .type = BP_CONFIG_BOOL,
     .def = "false",
     .help = "in /api/v1 show backups without what is below their collections, and list them "
             "without these"},
};

const bp_key_table bp_config_server_keys = {
    .keys = server_keys, .stride = sizeof *server_keys, .n = G_N_ELEMENTS(server_keys)};

/* An error about one key: with the place where it was said, if it was. */
static bool
wrong(const bp_config_tree *tree, const char *key, GError **error)
{
    g_autofree char *path = g_strconcat("server.", key, NULL);
    for (guint i = 0; i < BP_N_LAYERS; i++) {
        const bp_node *node = bp_node_at(tree->layers[i], path);
        if (!bp_node_is_null(node)) {
            g_autofree char *where = bp_config__where(tree, node);
            g_prefix_error(error, "%s: %s: ", where, path);
            return false;
        }
    }
    g_prefix_error(error, "%s: ", path);
    return false;
}

bool
bp_config__check_server(const bp_config_tree *tree, const bp_settings *settings, GError **error)
{
    const char *grpc = bp_settings_get(settings, "grpc_listen");
    if (!bp_address_parse(bp_settings_get(settings, "listen"), NULL, NULL, error)) {
        return wrong(tree, "listen", error);
    }
    if (*grpc != '\0' && !bp_address_parse(grpc, NULL, NULL, error)) {
        return wrong(tree, "grpc_listen", error);
    }
    bool has_cert = bp_settings_get(settings, "tls_cert") != NULL;
    bool has_key = bp_settings_get(settings, "tls_key") != NULL;
    if (has_cert != has_key) {
        bp_set_error(error, BP_ERR_INVALID, "it needs server.%s beside it",
                     has_cert ? "tls_key" : "tls_cert");
        return wrong(tree, has_cert ? "tls_cert" : "tls_key", error);
    }
    if (bp_settings_get(settings, "tls_client_ca") != NULL && !has_cert) {
        bp_set_error(error, BP_ERR_INVALID, "without TLS nobody shows a certificate");
        bp_error_add_hint(error, "set server.tls_cert and server.tls_key, too");
        return wrong(tree, "tls_client_ca", error);
    }
    return true;
}
