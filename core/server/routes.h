/* SPDX-License-Identifier: Apache-2.0
 *
 * All that is served by HTTP: the tables of all interfaces, as one.
 */
#ifndef BP_CORE_SERVER_ROUTES_H
#define BP_CORE_SERVER_ROUTES_H

#include "core/server/route.h"

/** A bp_service is the ctx of each.  Returns: (transfer full) bp_route */
GArray *bp_routes_all(void);

#endif
