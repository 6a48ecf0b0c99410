/* SPDX-License-Identifier: Apache-2.0
 *
 * What the configuration gives a server to work with:
 *
 *     GET /api/v2/storages   {"storages": [{"name", "plugin", "default"}]}
 *     GET /api/v2/plugins    {"plugins": […]} as `plugin list --json`, but for what only whoever is
 * on the machine needs: paths, and why a file is refused, which names them
 *
 * Nothing here shows a setting: addresses, buckets and secrets stay on the machine.
 */
#ifndef BP_CORE_SERVER_API_CONFIG_H
#define BP_CORE_SERVER_API_CONFIG_H

#include "core/server/route.h"

extern const bp_route bp_api_config_routes[];
extern const gsize bp_api_config_n_routes;

#endif
