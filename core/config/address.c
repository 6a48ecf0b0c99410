/* SPDX-License-Identifier: Apache-2.0
 *
 * See address.h.
 */
#include "core/config/address.h"

#include <arpa/inet.h>
#include <string.h>

#include "core/base/error.h"
#include "sdk/lib/parse.h"

#include "sdk/lib/ban.h"

bool
bp_address_parse_port(const char *text, guint16 *port, GError **error)
{
    guint64 number = 0;
    if (bp_parse_u64(text, &number) != 0 || number > G_MAXUINT16) {
        bp_set_error(error, BP_ERR_INVALID, "'%s' is no port, 0 to 65535", text);
        return false;
    }
    if (port != NULL) {
        *port = (guint16)number;
    }
    return true;
}

/* What stands before the last colon, without its brackets.  Returns: (transfer full) (nullable) */
static char *
host_of(const char *text, const char *colon)
{
    struct in_addr v4;
    struct in6_addr v6;
    bool is_bracketed = *text == '[' && colon - text >= 2 && colon[-1] == ']';
    gsize n = (gsize)(colon - text);
    g_autofree char *host = is_bracketed ? g_strndup(text + 1, n - 2) : g_strndup(text, n);
    bool fine =
        is_bracketed ? inet_pton(AF_INET6, host, &v6) == 1 : inet_pton(AF_INET, host, &v4) == 1;
    return fine ? g_steal_pointer(&host) : NULL;
}

bool
bp_address_parse(const char *text, char **host, guint16 *port, GError **error)
{
    const char *colon = strrchr(text, ':');
    g_autofree char *found = colon != NULL ? host_of(text, colon) : NULL;
    if (found == NULL) {
        bp_set_error(error, BP_ERR_INVALID, "'%s' is no address with a port", text);
        bp_error_add_hint(error, "write it as 127.0.0.1:8080 or [::1]:8080");
        return false;
    }
    if (!bp_address_parse_port(colon + 1, port, error)) {
        return false;
    }
    if (host != NULL) {
        *host = g_steal_pointer(&found);
    }
    return true;
}
