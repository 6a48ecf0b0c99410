/* SPDX-License-Identifier: Apache-2.0
 *
 * From what gRPC and Milvus call a failure to the class that the core acts on.  The server's own
 * words stay in message, code and remote_status.  Pure functions, any thread.
 */
#ifndef BAKPLANE_MILVUS_RPC_STATUS_H
#define BAKPLANE_MILVUS_RPC_STATUS_H

#include <bakplane/error.h>

#include "milvus_common.pb-c.h"

/**
 * Failure of the transport.  `grpc_code` is a grpc_status_code, `details` the peer's text.
 * `what` begins the message: "milvus host:19530: DescribeCollection shop.items".
 */
bp_status milvus_status_grpc(int grpc_code, const char *details, const char *what,
                             struct bp_error *error);

/** BP_OK, or the failure that Milvus put into the answer.  NULL is a success (nothing was set). */
bp_status milvus_status_check(const Mv__Status *status, const char *what, struct bp_error *error);

#endif
