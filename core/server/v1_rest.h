/* SPDX-License-Identifier: Apache-2.0
 *
 * /api/v1: the operations of v1.h by HTTP, at the paths and in the JSON that their clients know.
 *
 *     GET    /  /api/v1/hello          a greeting; nobody is asked who he is
 *     POST   /api/v1/create            CreateBackup
 *     GET    /api/v1/list              ListBackups         ?collection_name=
 *     GET    /api/v1/get_backup        GetBackup           ?backup_name= or ?backup_id=
 *     DELETE /api/v1/delete            DeleteBackup        ?backup_name=
 *     POST   /api/v1/restore           RestoreBackup
 *     GET    /api/v1/get_restore       GetRestore          ?id=
 *     POST   /api/v1/restore_secondary refused
 *     GET    /api/v1/check             Check: a text
 *
 * Whatever was processed is answered with 200, and the `code` inside says how it went.  400 is for
 * a body that is none, and 500 for a check that failed.  A client that goes away cancels nothing.
 */
#ifndef BP_CORE_SERVER_V1_REST_H
#define BP_CORE_SERVER_V1_REST_H

#include "core/server/route.h"

/** A bp_service is their ctx. */
extern const bp_route bp_v1_rest_routes[];
extern const gsize bp_v1_rest_n_routes;

#endif
