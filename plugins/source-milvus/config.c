/* SPDX-License-Identifier: Apache-2.0
 *
 * The declared tables and the reading of their values.
 */
#include "config.h"

#include <string.h>

#include "sdk/lib/errors.h"
#include "sdk/lib/parse.h"
#include "sdk/lib/settings.h"

#include "sdk/lib/ban.h"

#define DEFAULT_PORT "19530"
#define PORT_MAX 65535

const struct bp_config_key milvus_config_keys[] = {
    {.name = "address",
     .type = BP_CONFIG_STRING,
     .def = "localhost:" DEFAULT_PORT,
     .help = "where Milvus listens, host:port; without a port, " DEFAULT_PORT},
    {.name = "user", .type = BP_CONFIG_STRING, .help = "name to log in with"},
    {.name = "password",
     .type = BP_CONFIG_STRING,
     .flags = BP_CONFIG_SECRET,
     .help = "password of the user"},
    {.name = "token",
     .type = BP_CONFIG_STRING,
     .flags = BP_CONFIG_SECRET,
     .help = "token to log in with instead of user and password"},
    {.name = "tls_mode",
     .type = BP_CONFIG_INT,
     .def = "0",
     .min = MILVUS_TLS_OFF,
     .max = MILVUS_TLS_MUTUAL,
     .help = "0 no TLS, 1 the server's certificate is verified, 2 a client certificate as well"},
    {.name = "ca_file",
     .type = BP_CONFIG_PATH,
     .help = "PEM file of the authorities to trust instead of the system's"},
    {.name = "cert_file",
     .type = BP_CONFIG_PATH,
     .help = "PEM file of the client certificate for tls_mode 2"},
    {.name = "key_file",
     .type = BP_CONFIG_PATH,
     .help = "PEM file of the client key for tls_mode 2"},
    {.name = "server_name",
     .type = BP_CONFIG_STRING,
     .help = "name that the server's certificate has to bear, if it is not the address"},
    {.name = "storage",
     .type = BP_CONFIG_STRING,
     .help = "name of the storage that holds the data of Milvus; needed to create and restore"},
    {.name = "storage_prefix",
     .type = BP_CONFIG_STRING,
     .def = "",
     .help = "root path of Milvus below that storage, e.g. files; empty where the storage begins "
             "at the root path"},
    {.name = "management",
     .type = BP_CONFIG_STRING,
     .help = "base URL of the management port, e.g. http://localhost:9091, to pause the garbage "
             "collection during a backup"},
    {.name = "connect_timeout",
     .type = BP_CONFIG_DURATION,
     .def = "5s",
     .min = 100,
     .max = 600000,
     .unit = "ms",
     .help = "how long one attempt to connect may take"},
    {.name = "request_timeout",
     .type = BP_CONFIG_DURATION,
     .def = "60s",
     .min = 1000,
     .max = 3600000,
     .unit = "ms",
     .help = "how long one request may take; flushes, imports and index requests have ten times "
             "as long"},
};
const uint32_t milvus_n_config_keys = G_N_ELEMENTS(milvus_config_keys);

const struct bp_config_key milvus_create_keys[] = {
    {.name = "strategy",
     .type = BP_CONFIG_CHOICE,
     .def = "auto",
     .choices = "auto|serial_flush|skip_flush",
     .help = "what to do before data is copied: serial_flush flushes each collection right "
             "before its data (auto means that), skip_flush takes what lies on storage"},
    {.name = "gc_pause",
     .type = BP_CONFIG_CHOICE,
     .def = "auto",
     .choices = "auto|off|require",
     .help = "whether to pause the garbage collection of Milvus meanwhile: auto tries where "
             "a management address is set, require fails when that does not work"},
    {.name = "gc_pause_for",
     .type = BP_CONFIG_DURATION,
     .def = "1h",
     .min = 60000,
     .max = 86400000,
     .unit = "ms",
     .help = "length of one pause, renewed at half time; ends by itself if bakplane dies"},
    {.name = "flush_timeout",
     .type = BP_CONFIG_DURATION,
     .def = "10m",
     .min = 1000,
     .max = 86400000,
     .unit = "ms",
     .help = "how long to wait until a collection is flushed"},
};
const uint32_t milvus_n_create_keys = G_N_ELEMENTS(milvus_create_keys);

static char *
dup_text(const struct bp_host *host, const struct bp_config *config, const char *key)
{
    const char *text = bp_setting_text(host, config, key);
    return text != NULL && text[0] != '\0' ? g_strdup(text) : NULL;
}

static bp_secret *
dup_secret(const struct bp_host *host, const struct bp_config *config, const char *key)
{
    const char *text = bp_setting_text(host, config, key);
    return text != NULL && text[0] != '\0' ? bp_secret_new(text) : NULL;
}

/* host, host:port, [v6] or [v6]:port. */
static bp_status
load_address(const char *text, char **out, struct bp_error *error)
{
    if (text == NULL || text[0] == '\0' || strstr(text, "://") != NULL ||
        strchr(text, '/') != NULL) {
        return bp_fail(error, BP_ERR_INVALID,
                       "setting address: \"%s\" is not host:port (no scheme, no path)",
                       text != NULL ? text : "");
    }
    const char *after_host = text[0] == '[' ? strchr(text, ']') : text;
    const char *colon = after_host != NULL ? strchr(after_host, ':') : NULL;
    if (after_host == NULL || (colon != NULL && strchr(colon + 1, ':') != NULL)) {
        return bp_fail(error, BP_ERR_INVALID,
                       "setting address: \"%s\": an IPv6 address needs [brackets]", text);
    }
    if (colon == NULL) {
        *out = g_strconcat(text, ":" DEFAULT_PORT, NULL);
        return BP_OK;
    }
    uint64_t port = 0;
    if (colon == text || bp_parse_u64(colon + 1, &port) != 0 || port == 0 || port > PORT_MAX) {
        return bp_fail(error, BP_ERR_INVALID, "setting address: \"%s\" is not host:port", text);
    }
    *out = g_strdup(text);
    return BP_OK;
}

/* "" or "files/": ends in one slash, begins with none. */
static char *
load_prefix(const char *text)
{
    g_autofree char *prefix = g_strdup(text != NULL ? text : "");
    size_t n = strlen(prefix);
    while (n > 0 && prefix[n - 1] == '/') {
        prefix[--n] = '\0';
    }
    const char *start = prefix + strspn(prefix, "/");
    return start[0] != '\0' ? g_strconcat(start, "/", NULL) : g_strdup("");
}

static bp_status
check_tls(const struct milvus_config *config, struct bp_error *error)
{
    if (config->tls_mode == MILVUS_TLS_MUTUAL &&
        (config->cert_file == NULL || config->key_file == NULL)) {
        return bp_fail(error, BP_ERR_INVALID, "setting tls_mode: 2 needs cert_file and key_file");
    }
    if (config->tls_mode == MILVUS_TLS_OFF &&
        (config->ca_file != NULL || config->cert_file != NULL || config->key_file != NULL ||
         config->server_name != NULL)) {
        return bp_fail(error, BP_ERR_INVALID,
                       "setting tls_mode: ca_file, cert_file, key_file and server_name have no "
                       "effect with 0; set 1 or 2, or remove them");
    }
    if (config->token != NULL && (config->user != NULL || config->password != NULL)) {
        return bp_fail(error, BP_ERR_INVALID,
                       "setting token: give either a token or user and password");
    }
    return BP_OK;
}

bp_status
milvus_config_load(const struct bp_host *host, const struct bp_config *config,
                   struct milvus_config *out, struct bp_error *error)
{
    *out = (struct milvus_config){
        .user = dup_text(host, config, "user"),
        .password = dup_secret(host, config, "password"),
        .token = dup_secret(host, config, "token"),
        .ca_file = dup_text(host, config, "ca_file"),
        .cert_file = dup_text(host, config, "cert_file"),
        .key_file = dup_text(host, config, "key_file"),
        .server_name = dup_text(host, config, "server_name"),
        .storage = dup_text(host, config, "storage"),
        .storage_prefix = load_prefix(bp_setting_text(host, config, "storage_prefix")),
        .management = dup_text(host, config, "management"),
        .tls_mode = (enum milvus_tls_mode)bp_setting_u64(host, config, "tls_mode", 0),
        .connect_timeout_ms = (uint32_t)bp_setting_u64(host, config, "connect_timeout", 5000),
        .request_timeout_ms = (uint32_t)bp_setting_u64(host, config, "request_timeout", 60000),
    };
    bp_status status = load_address(bp_setting_text(host, config, "address"), &out->address, error);
    return status != BP_OK ? status : check_tls(out, error);
}

void
milvus_config_clear(struct milvus_config *config)
{
    g_free(config->address);
    g_free(config->user);
    bp_secret_free(config->password);
    bp_secret_free(config->token);
    g_free(config->ca_file);
    g_free(config->cert_file);
    g_free(config->key_file);
    g_free(config->server_name);
    g_free(config->storage);
    g_free(config->storage_prefix);
    g_free(config->management);
    *config = (struct milvus_config){0};
}

static enum milvus_strategy
strategy_of(const char *text)
{
    return g_strcmp0(text, "skip_flush") == 0 ? MILVUS_SKIP_FLUSH : MILVUS_SERIAL_FLUSH;
}

static enum milvus_gc_pause
gc_pause_of(const char *text)
{
    if (g_strcmp0(text, "off") == 0) {
        return MILVUS_GC_OFF;
    }
    return g_strcmp0(text, "require") == 0 ? MILVUS_GC_REQUIRE : MILVUS_GC_AUTO;
}

void
milvus_create_options_load(const struct bp_host *host, const struct bp_config *options,
                           struct milvus_create_options *out)
{
    *out = (struct milvus_create_options){
        .strategy = strategy_of(bp_setting_text(host, options, "strategy")),
        .gc_pause = gc_pause_of(bp_setting_text(host, options, "gc_pause")),
        .gc_pause_ms = bp_setting_u64(host, options, "gc_pause_for", 3600000),
        .flush_timeout_ms = bp_setting_u64(host, options, "flush_timeout", 600000),
    };
}
