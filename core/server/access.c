/* SPDX-License-Identifier: Apache-2.0
 *
 * See access.h.
 */
#include "core/server/access.h"

#include <arpa/inet.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/log.h"
#include "core/server/listen.h"
#include "core/server/token.h"

#include "sdk/lib/ban.h"

#define HASH_BYTES 32

typedef struct {
    guint8 hash[HASH_BYTES]; /* SHA-256: of the same length for all, and nothing to be read here */
    bp_role role;
} known_token;

struct bp_access {
    bool has_tls, is_open, is_loopback;
    known_token *tokens;
    gsize n_tokens;
    GStrv hosts, origins;
};

static void
hash_of(const char *text, guint8 *out)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    gsize n = HASH_BYTES;
    g_checksum_update(sum, (const guchar *)text, -1);
    g_checksum_get_digest(sum, out, &n);
}

/* Takes the same time wherever they differ. */
static bool
is_same(const guint8 *one, const guint8 *other)
{
    guint8 differs = 0;
    for (gsize i = 0; i < HASH_BYTES; i++) {
        differs |= (guint8)(one[i] ^ other[i]);
    }
    return differs == 0;
}

static bool
check_params(const bp_access_params *params, GError **error)
{
    if (params->is_open && params->n_tokens > 0) {
        bp_set_error(error, BP_ERR_INVALID, "a server without authentication has no tokens");
        return false;
    }
    if (params->is_open && !params->is_insecure && !bp_listen_is_loopback(params->address)) {
        bp_set_error(error, BP_ERR_INVALID,
                     "without authentication everybody who reaches %s could restore and delete",
                     params->address);
        bp_error_add_hint(error, "listen on 127.0.0.1, or say --insecure if that is wanted");
        return false;
    }
    if (!params->is_open && params->n_tokens == 0) {
        bp_set_error(error, BP_ERR_INVALID, "a server needs a token, or auth: none");
        return false;
    }
    for (gsize i = 0; i < params->n_tokens; i++) {
        if (!bp_token_check(params->tokens[i].text, error)) {
            return false;
        }
    }
    return true;
}

bp_access *
bp_access_new(const bp_access_params *params, GError **error)
{
    if (!check_params(params, error)) {
        return NULL;
    }
    bp_access *access = g_new0(bp_access, 1);
    access->has_tls = params->has_tls;
    access->is_open = params->is_open;
    access->is_loopback = bp_listen_is_loopback(params->address);
    access->hosts = g_strdupv((GStrv)params->hosts);
    access->origins = g_strdupv((GStrv)params->origins);
    access->n_tokens = params->n_tokens;
    access->tokens = g_new0(known_token, params->n_tokens);
    for (gsize i = 0; i < params->n_tokens; i++) {
        bp_log_add_secret(params->tokens[i].text);
        hash_of(params->tokens[i].text, access->tokens[i].hash);
        access->tokens[i].role = params->tokens[i].role;
    }
    return access;
}

void
bp_access_free(bp_access *access)
{
    if (access != NULL) {
        g_strfreev(access->hosts);
        g_strfreev(access->origins);
        g_free(access->tokens);
        g_free(access);
    }
}

static bool
is_among(char **list, const char *text)
{
    for (; list != NULL && *list != NULL; list++) {
        if (g_ascii_strcasecmp(*list, text) == 0) {
            return true;
        }
    }
    return false;
}

/* What stands in a Host before the port, without the brackets of IPv6; NULL for anything else.
 * Returns: (transfer full) (nullable) */
static char *
name_in(const char *host)
{
    bool is_v6 = *host == '[';
    const char *begin = is_v6 ? host + 1 : host;
    gsize n = strcspn(begin, is_v6 ? "]" : ":");
    const char *rest = begin + n;
    if (is_v6) {
        if (*rest != ']') {
            return NULL;
        }
        rest++;
    }
    bool has_port =
        *rest == ':' && rest[1] != '\0' && strspn(rest + 1, "0123456789") == strlen(rest + 1);
    if (*rest != '\0' && !has_port) {
        return NULL;
    }
    g_autofree char *name = g_strndup(begin, n);
    struct in6_addr address;
    return is_v6 && inet_pton(AF_INET6, name, &address) != 1 ? NULL : g_steal_pointer(&name);
}

/* An address cannot be made to point to us: who knows it has reached us by it. */
static bool
is_our_host(const bp_access *access, const char *host)
{
    g_autofree char *name = host != NULL ? name_in(host) : NULL;
    struct in_addr address;
    if (name == NULL) {
        return false;
    }
    return *host == '[' || inet_pton(AF_INET, name, &address) == 1 ||
           (access->is_loopback && g_ascii_strcasecmp(name, "localhost") == 0) ||
           is_among(access->hosts, name);
}

static bool
is_our_origin(const bp_access *access, const char *origin, const char *host)
{
    g_autofree char *ourselves = g_strconcat(access->has_tls ? "https://" : "http://", host, NULL);
    return origin == NULL || g_ascii_strcasecmp(origin, ourselves) == 0 ||
           is_among(access->origins, origin);
}

/* BP_ROLE_NONE for none that is known. */
bp_role
bp_access_role(const bp_access *access, const char *authorization)
{
    static const char scheme[] = "Bearer ";
    if (access->is_open) {
        return BP_ROLE_OPERATE;
    }
    if (authorization == NULL || g_ascii_strncasecmp(authorization, scheme, strlen(scheme)) != 0) {
        return BP_ROLE_NONE;
    }
    guint8 hash[HASH_BYTES];
    bp_role role = BP_ROLE_NONE;
    hash_of(authorization + strlen(scheme), hash);
    for (gsize i = 0; i < access->n_tokens; i++) { /* all, whichever it is */
        if (is_same(hash, access->tokens[i].hash)) {
            role = MAX(role, access->tokens[i].role);
        }
    }
    return role;
}

static bp_reply *
check_token(const bp_access *access, const bp_http_request *request)
{
    /* Without a route there is nothing to be allowed, and nothing to be told either. */
    bp_role wanted = request->route != NULL ? request->route->role : BP_ROLE_READ;
    bp_role role = bp_access_role(access, bp_http_header(request, "authorization"));
    if (role >= wanted) {
        return NULL;
    }
    if (role != BP_ROLE_NONE) {
        return bp_reply_problem(403, "this token may look, but not operate", NULL);
    }
    bp_reply *refusal =
        bp_reply_problem(401, "a valid token is needed",
                         "send the header Authorization: Bearer TOKEN; the server's log names "
                         "its file");
    bp_reply_add_header(refusal, "WWW-Authenticate", "Bearer realm=\"bakplane\"");
    return refusal;
}

bp_reply *
bp_access_check(const bp_access *access, const bp_http_request *request)
{
    const char *host = bp_http_header(request, "host");
    if (!is_our_host(access, host)) {
        return bp_reply_problem(421, "this server does not go by that name",
                                "use its address, or add the name to server.hosts");
    }
    if (!is_our_origin(access, bp_http_header(request, "origin"), host)) {
        return bp_reply_problem(403, "pages of another origin may not ask here",
                                "add the origin to server.origins if that is wanted");
    }
    return check_token(access, request);
}
