/* SPDX-License-Identifier: Apache-2.0
 *
 * See route.h.  There are a few dozen routes: they are looked at one after the other.
 */
#include "core/server/route.h"

#include <stdbool.h>
#include <string.h>

#include "sdk/lib/ban.h"

const char *
bp_http_header(const bp_http_request *request, const char *name)
{
    return g_hash_table_lookup((GHashTable *)request->headers, name);
}

/* The next part of a route's path: its begin and length, or NULL at the end. */
static const char *
next_part(const char **path, gsize *n)
{
    if (**path == '\0' || strcmp(*path, "/") == 0) {
        return NULL;
    }
    const char *begin = *path + 1; /* behind the slash */
    *n = strcspn(begin, "/");
    *path = begin + *n;
    return begin;
}

static bool
matches(const char *path, const bp_http_target *target)
{
    const char *part = NULL;
    gsize n = 0;
    guint i = 0;
    while ((part = next_part(&path, &n)) != NULL) {
        if (i == target->parts->len) {
            return false;
        }
        const char *given = g_ptr_array_index(target->parts, i++);
        if (*part != '{' && (strlen(given) != n || memcmp(given, part, n) != 0)) {
            return false;
        }
    }
    return i == target->parts->len;
}

const char *
bp_http_part(const bp_http_request *request, const char *name)
{
    const char *path = request->route->path;
    const char *part = NULL;
    gsize n = 0;
    for (guint i = 0; (part = next_part(&path, &n)) != NULL; i++) {
        if (n == strlen(name) + 2 && *part == '{' && memcmp(part + 1, name, n - 2) == 0) {
            return g_ptr_array_index(request->target->parts, i);
        }
    }
    g_assert_not_reached(); /* the handler asks for what its route does not have */
}

const bp_route *
bp_route_find(const bp_route *routes, gsize n, const char *method, const bp_http_target *target,
              char **allow)
{
    g_autoptr(GString) methods = g_string_new(NULL);
    for (gsize i = 0; i < n; i++) {
        if (!matches(routes[i].path, target)) {
            continue;
        }
        if (strcmp(routes[i].method, method) == 0) {
            return &routes[i];
        }
        g_string_append_printf(methods, "%s%s", methods->len > 0 ? ", " : "", routes[i].method);
    }
    if (methods->len > 0) {
        *allow = g_strdup(methods->str);
    }
    return NULL;
}
