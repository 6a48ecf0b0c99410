/* SPDX-License-Identifier: Apache-2.0
 *
 * See routes.h.
 */
#include "core/copy/routes.h"

#include <string.h>

#include "core/base/log.h"
#include "core/base/thread.h"

#include "sdk/lib/ban.h"

#define BP_LOG_MODULE "copy"

struct bp_routes {
    bp_store *dst;
    pthread_mutex_t lock;               /* guards the rest */
    GPtrArray *avoided, *avoided_parts; /* few: one per source storage at most */
};

bp_routes *
bp_routes_new(bp_store *dst)
{
    bp_routes *routes = g_new0(bp_routes, 1);
    routes->dst = dst;
    routes->avoided = g_ptr_array_new();
    routes->avoided_parts = g_ptr_array_new();
    pthread_mutex_init(&routes->lock, NULL);
    return routes;
}

void
bp_routes_free(bp_routes *routes)
{
    if (routes != NULL) {
        pthread_mutex_destroy(&routes->lock);
        g_ptr_array_unref(routes->avoided);
        g_ptr_array_unref(routes->avoided_parts);
        g_free(routes);
    }
}

static bool
is_avoided(bp_routes *routes, GPtrArray *list, const bp_store *src)
{
    BP_LOCK_GUARD(&routes->lock);
    return g_ptr_array_find(list, src, NULL);
}

bool
bp_routes_is_direct(bp_routes *routes, const bp_store *src)
{
    if (src == NULL || !bp_store_same_plugin(routes->dst, src) ||
        !bp_store_can(routes->dst, BP_STORE_SERVER_COPY)) {
        return false;
    }
    const char *from = bp_store_info(src)->copy_scope;
    const char *to = bp_store_info(routes->dst)->copy_scope;
    return *from != '\0' && strcmp(from, to) == 0 && !is_avoided(routes, routes->avoided, src);
}

static bool
add(bp_routes *routes, GPtrArray *list, const bp_store *src)
{
    BP_LOCK_GUARD(&routes->lock);
    if (g_ptr_array_find(list, src, NULL)) {
        return false;
    }
    g_ptr_array_add(list, (void *)src);
    return true;
}

void
bp_routes_avoid(bp_routes *routes, const bp_store *src, const GError *reason)
{
    if (add(routes, routes->avoided, src)) {
        BP_INFO("the destination cannot copy by itself, items are streamed", "from",
                bp_store_name(src), "to", bp_store_name(routes->dst), "reason", reason->message);
    }
}

bool
bp_routes_has_parts(bp_routes *routes, const bp_store *src)
{
    return !is_avoided(routes, routes->avoided_parts, src);
}

void
bp_routes_avoid_parts(bp_routes *routes, const bp_store *src, const GError *reason)
{
    if (add(routes, routes->avoided_parts, src)) {
        BP_INFO("the destination cannot copy in parts by itself, large items are streamed", "from",
                bp_store_name(src), "to", bp_store_name(routes->dst), "reason", reason->message);
    }
}
