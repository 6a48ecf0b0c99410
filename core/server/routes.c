/* SPDX-License-Identifier: Apache-2.0
 *
 * See routes.h.
 */
#include "core/server/routes.h"

#include "core/server/api_backups.h"
#include "core/server/api_config.h"
#include "core/server/api_docs.h"
#include "core/server/api_health.h"
#include "core/server/api_jobs.h"
#include "core/server/metrics.h"
#include "core/server/v1_rest.h"

#include "sdk/lib/ban.h"

GArray *
bp_routes_all(void)
{
    const struct {
        const bp_route *routes;
        gsize n;
    } tables[] = {
        {bp_api_health_routes, bp_api_health_n_routes},
        {bp_api_jobs_routes, bp_api_jobs_n_routes},
        {bp_metrics_routes, bp_metrics_n_routes},
        {bp_v1_rest_routes, bp_v1_rest_n_routes},
        {bp_api_backups_routes, bp_api_backups_n_routes},
        {bp_api_config_routes, bp_api_config_n_routes},
        {bp_api_docs_routes, bp_api_docs_n_routes},
    };
    GArray *all = g_array_new(FALSE, FALSE, sizeof(bp_route));
    for (gsize i = 0; i < G_N_ELEMENTS(tables); i++) {
        g_array_append_vals(all, tables[i].routes, (guint)tables[i].n);
    }
    return all;
}
