/* SPDX-License-Identifier: Apache-2.0
 *
 * Which source storages the destination can be asked to copy from by itself, as far as is known:
 * what it once refused is streamed from then on.  Any thread.
 */
#ifndef BP_CORE_COPY_ROUTES_H
#define BP_CORE_COPY_ROUTES_H

#include "core/plugin/store.h"

typedef struct bp_routes bp_routes;

/** Returns: (transfer full) */
bp_routes *bp_routes_new(bp_store *dst);
void bp_routes_free(bp_routes *routes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_routes, bp_routes_free)

/** The destination can copy from `src` (NULL: a stream, no) without the bytes passing here. */
bool bp_routes_is_direct(bp_routes *routes, const bp_store *src);
/** Stream from `src` from now on; the first time the reason is logged. */
void bp_routes_avoid(bp_routes *routes, const bp_store *src, const GError *reason);

/* The same for copies in parts alone: a server may lack just these. */
bool bp_routes_has_parts(bp_routes *routes, const bp_store *src);
void bp_routes_avoid_parts(bp_routes *routes, const bp_store *src, const GError *reason);

#endif
