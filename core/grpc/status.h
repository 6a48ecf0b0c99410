/* SPDX-License-Identifier: Apache-2.0
 *
 * Errors as gRPC has them.  Only for core/grpc.
 */
#ifndef BP_CORE_GRPC_STATUS_H
#define BP_CORE_GRPC_STATUS_H

#include <glib.h>
#include <grpc/status.h>

/** By the error's class. */
grpc_status_code bp_grpc_status_of(const GError *error);
/** What a client is told: no secrets, and no longer than a header may be.
 * Returns: (transfer full) */
char *bp_grpc_status_text(const GError *error);

#endif
