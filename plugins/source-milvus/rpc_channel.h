/* SPDX-License-Identifier: Apache-2.0
 *
 * How a channel to a server is made: TLS files, limits, keepalive.
 */
#ifndef BAKPLANE_MILVUS_RPC_CHANNEL_H
#define BAKPLANE_MILVUS_RPC_CHANNEL_H

#include <bakplane/error.h>
#include <grpc/grpc.h>

#include "config.h"

/** Never connects.  INVALID when a TLS file cannot be read or the settings contradict. */
bp_status milvus_channel_new(const struct milvus_config *config, grpc_channel **out,
                             struct bp_error *error);

#endif
