/* SPDX-License-Identifier: Apache-2.0
 *
 * /api/v2/backups: what is on a storage, and jobs for one backup.
 *
 *     GET    /api/v2/backups?storage=&status=&limit=&cursor=   {"storage", "backups": […], "next"}
 *     POST   /api/v2/backups                                   a create
 *     GET    /api/v2/backups/NAME?storage=&detail=             what `get --json` gives
 *     DELETE /api/v2/backups/NAME?storage=&force=              a delete
 *     POST   /api/v2/backups/NAME/restore, …/verify, …/copy    jobs
 *
 * A body is a job's request (core/jobs/request.h) without what the address says already.  All that
 * starts a job answers as POST /api/v2/jobs does.
 */
#ifndef BP_CORE_SERVER_API_BACKUPS_H
#define BP_CORE_SERVER_API_BACKUPS_H

#include "core/server/route.h"

extern const bp_route bp_api_backups_routes[];
extern const gsize bp_api_backups_n_routes;

#endif
