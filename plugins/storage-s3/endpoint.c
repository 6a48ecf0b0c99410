/* SPDX-License-Identifier: Apache-2.0
 *
 * Endpoints.
 */
#include "plugins/storage-s3/endpoint.h"

#include <string.h>

#include "sdk/lib/errors.h"
#include "sdk/lib/parse.h"

#include "sdk/lib/ban.h"

#define HTTP_PORT 80
#define HTTPS_PORT 443
#define MAX_HOST 253

static bp_status
parse_scheme(struct bp_s3_endpoint *out, const char *key, const char **text, int tls,
             struct bp_error *error)
{
    const char *sep = strstr(*text, "://");
    out->tls = tls != 0;
    if (sep == NULL) {
        return BP_OK;
    }
    g_autofree char *scheme = g_ascii_strdown(*text, sep - *text);
    out->tls = strcmp(scheme, "https") == 0;
    if (!out->tls && strcmp(scheme, "http") != 0) {
        return bp_fail(error, BP_ERR_INVALID, "%s: \"%s\" begins neither with http:// nor https://",
                       key, *text);
    }
    if (tls >= 0 && out->tls != (tls != 0)) {
        return bp_fail(error, BP_ERR_INVALID, "tls: is %s, but %s is \"%s\"",
                       tls != 0 ? "true" : "false", key, *text);
    }
    *text = sep + 3;
    return BP_OK;
}

static bool
valid_host(const char *host)
{
    size_t n = strlen(host);
    if (n == 0 || n > MAX_HOST) {
        return false;
    }
    if (host[0] == '[') {
        return host[n - 1] == ']' && strspn(host + 1, "0123456789abcdef:.") == n - 2 && n > 2;
    }
    return strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789.-_") == n;
}

bp_status
bp_s3_endpoint_parse(struct bp_s3_endpoint *out, const char *key, const char *text, int tls,
                     struct bp_error *error)
{
    uint64_t port = 0;
    const char *rest = text;
    *out = (struct bp_s3_endpoint){0};
    bp_status status = parse_scheme(out, key, &rest, tls, error);
    if (status != BP_OK) {
        return status;
    }
    size_t n = strcspn(rest, "/?#");
    if (rest[n] != '\0' && strcmp(rest + n, "/") != 0) {
        return bp_fail(error, BP_ERR_INVALID,
                       "%s: \"%s\" has more than a host and a port; the bucket and the prefix are "
                       "settings of their own",
                       key, text);
    }
    g_autofree char *authority = g_ascii_strdown(rest, (gssize)n);
    if (strchr(authority, '@') != NULL) {
        return bp_fail(error, BP_ERR_INVALID, "%s: a login does not belong in an address", key);
    }
    char *colon = strrchr(authority, ':');
    if (colon != NULL && strchr(colon, ']') == NULL) {
        *colon = '\0';
        if (bp_parse_u64(colon + 1, &port) != 0 || port == 0 || port > 65535) {
            return bp_fail(error, BP_ERR_INVALID, "%s: \"%s\" has no valid port", key, text);
        }
    }
    if (!valid_host(authority)) {
        return bp_fail(error, BP_ERR_INVALID, "%s: \"%s\" is no address such as host:port", key,
                       text);
    }
    out->host = g_steal_pointer(&authority);
    out->port = port != 0 ? (unsigned)port : out->tls ? HTTPS_PORT : HTTP_PORT;
    return BP_OK;
}

void
bp_s3_endpoint_clear(struct bp_s3_endpoint *endpoint)
{
    g_clear_pointer(&endpoint->host, g_free);
}

bool
bp_s3_endpoint_is_address(const struct bp_s3_endpoint *endpoint)
{
    return endpoint->host[0] == '[' || g_hostname_is_ip_address(endpoint->host);
}

char *
bp_s3_region_of_host(const struct bp_s3_provider *provider, const char *host)
{
    const char *before = provider->region_between[0], *behind = provider->region_between[1];
    const char *start = before == NULL ? NULL : strstr(host, before);
    if (start == NULL) {
        return NULL;
    }
    start += strlen(before);
    const char *end = strstr(start, behind);
    if (end == NULL || end == start || memchr(start, '.', (size_t)(end - start)) != NULL) {
        return NULL;
    }
    g_autofree char *region = g_strndup(start, (gsize)(end - start));
    if (g_str_has_suffix(region, "-internal")) { /* Aliyun's addresses inside of a data centre */
        region[strlen(region) - strlen("-internal")] = '\0';
    }
    return g_steal_pointer(&region);
}

char *
bp_s3_authority(const struct bp_s3_endpoint *endpoint, const char *host)
{
    unsigned own = endpoint->tls ? HTTPS_PORT : HTTP_PORT;
    return endpoint->port == own ? g_strdup(host) : g_strdup_printf("%s:%u", host, endpoint->port);
}

char *
bp_s3_endpoint_canonical(const struct bp_s3_endpoint *endpoint)
{
    return g_strdup_printf("%s://%s:%u", endpoint->tls ? "https" : "http", endpoint->host,
                           endpoint->port);
}
