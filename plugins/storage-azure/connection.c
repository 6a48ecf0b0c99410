/* SPDX-License-Identifier: Apache-2.0
 *
 * Connection strings and endpoints.
 */
#include "plugins/storage-azure/connection.h"

#include <glib.h>
#include <string.h>

#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

void
bp_azure_connection_clear(struct bp_azure_connection *connection)
{
    g_clear_pointer(&connection->protocol, g_free);
    g_clear_pointer(&connection->account, g_free);
    g_clear_pointer(&connection->suffix, g_free);
    g_clear_pointer(&connection->endpoint, g_free);
    g_clear_pointer(&connection->key, bp_secret_free);
    g_clear_pointer(&connection->sas, bp_secret_free);
}

static void
put(char **member, const char *value)
{
    g_free(*member);
    *member = g_strdup(value);
}

static void
put_secret(bp_secret **member, const char *value)
{
    bp_secret_free(*member);
    *member = bp_secret_new(value[0] == '?' ? value + 1 : value);
}

static void
take(struct bp_azure_connection *out, const char *name, const char *value)
{
    if (g_ascii_strcasecmp(name, "DefaultEndpointsProtocol") == 0) {
        put(&out->protocol, value);
    } else if (g_ascii_strcasecmp(name, "AccountName") == 0) {
        put(&out->account, value);
    } else if (g_ascii_strcasecmp(name, "AccountKey") == 0) {
        put_secret(&out->key, value);
    } else if (g_ascii_strcasecmp(name, "EndpointSuffix") == 0) {
        put(&out->suffix, value);
    } else if (g_ascii_strcasecmp(name, "BlobEndpoint") == 0) {
        put(&out->endpoint, value);
    } else if (g_ascii_strcasecmp(name, "SharedAccessSignature") == 0) {
        put_secret(&out->sas, value);
    }
    /* Others are about queues, tables and files. */
}

static void
wipe_parts(char **parts)
{
    for (gsize i = 0; parts[i] != NULL; i++) {
        bp_secret_wipe(parts[i], strlen(parts[i]));
    }
    g_strfreev(parts);
}

bp_status
bp_azure_connection_parse(struct bp_azure_connection *out, const char *text, struct bp_error *error)
{
    bp_status status = BP_OK;
    memset(out, 0, sizeof(*out));
    char **parts = g_strsplit(text, ";", -1);
    for (gsize i = 0; parts[i] != NULL && status == BP_OK; i++) {
        char *name = g_strstrip(parts[i]);
        char *value = strchr(name, '='); /* keys and signatures have more of them behind it */
        if (name[0] == '\0') {
            continue;
        }
        if (value == NULL || value == name) {
            status = bp_fail(error, BP_ERR_INVALID,
                             "connection_string: its part %zu is no Name=Value", i + 1);
            break;
        }
        *value++ = '\0';
        take(out, name, value);
    }
    wipe_parts(parts);
    if (status == BP_OK && out->account == NULL && out->endpoint == NULL) {
        status = bp_fail(error, BP_ERR_INVALID,
                         "connection_string: it has neither AccountName nor BlobEndpoint");
    }
    return status;
}

bp_status
bp_azure_endpoint_split(const char *key, const char *url, char **endpoint, char **path,
                        char **origin, struct bp_error *error)
{
    const char *host = g_str_has_prefix(url, "https://")  ? url + strlen("https://")
                       : g_str_has_prefix(url, "http://") ? url + strlen("http://")
                                                          : NULL;
    size_t host_len = host == NULL ? 0 : strcspn(host, "/");
    if (host_len == 0 || strpbrk(url, "?#@ \"<>\\^`{|}") != NULL) {
        return bp_fail(error, BP_ERR_INVALID,
                       "%s: it must be http(s)://host[:port][/account], without a query or login",
                       key);
    }
    size_t len = strlen(url);
    while (len > (size_t)(host - url) + host_len && url[len - 1] == '/') {
        len--;
    }
    *endpoint = g_strndup(url, len);
    *path = g_strdup(*endpoint + (host - url) + host_len);
    g_autofree char *start = g_strndup(url, (size_t)(host - url) + host_len);
    *origin = g_ascii_strdown(start, -1);
    return BP_OK;
}

char *
bp_azure_endpoint_account(const char *path, const char *origin)
{
    if (path[0] == '/') {
        return g_strndup(path + 1, strcspn(path + 1, "/"));
    }
    const char *host = strstr(origin, "://") + strlen("://");
    size_t len = strcspn(host, ".:");
    return host[len] == '.' && !g_ascii_isdigit(host[0]) ? g_strndup(host, len) : NULL;
}

const char *
bp_azure_authority_of(const char *suffix)
{
    if (strcmp(suffix, "core.chinacloudapi.cn") == 0) {
        return "https://login.chinacloudapi.cn";
    }
    if (strcmp(suffix, "core.usgovcloudapi.net") == 0) {
        return "https://login.microsoftonline.us";
    }
    return "https://login.microsoftonline.com";
}
