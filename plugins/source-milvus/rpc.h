/* SPDX-License-Identifier: Apache-2.0
 *
 * Unary calls over one gRPC channel.
 *
 * A call blocks its thread, polls the operation's cancel flag several times a second and obeys
 * the nearer of the operation's deadline and its own.  Nothing is repeated, except that gRPC
 * sends a request again, once, which a dying connection never delivered.  Any thread may call at
 * any time.  grpc_init must have run.
 */
#ifndef BAKPLANE_MILVUS_RPC_H
#define BAKPLANE_MILVUS_RPC_H

#include <bakplane/error.h>
#include <bakplane/host.h>
#include <bakplane/op.h>
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#include "config.h"

struct milvus_rpc; /**< one channel */

struct milvus_rpc_call {
    const char *method;  /**< "DescribeCollection" */
    const char *object;  /**< for messages: "collection shop.items", or NULL */
    const char *db;      /**< sent as header `dbname`, or NULL */
    int64_t identifier;  /**< sent as header `identifier` unless 0 */
    uint32_t timeout_ms; /**< 0 = the channel's */
    bool is_fragile;     /**< the server does not bear that it is cut: a cancel or the deadline of
                              the operation gives it MILVUS_RPC_GRACE_MS to come back first */
    const ProtobufCMessage *request;
    const ProtobufCMessageDescriptor *answer;
};

/** Within what a plugin has to return after a cancel. */
#define MILVUS_RPC_GRACE_MS 700

/** Never connects.  INVALID when a TLS file cannot be read or the settings contradict. */
bp_status milvus_rpc_new(const struct bp_host *host, const struct milvus_config *config,
                         struct milvus_rpc **out, struct bp_error *error);
void milvus_rpc_free(struct milvus_rpc *rpc);

const char *milvus_rpc_address(const struct milvus_rpc *rpc);

/**
 * One call.  Succeeds when gRPC says OK, the answer parses, and its status (the answer itself, or
 * its member `status`) is a success.  `answer` is for protobuf_c_message_free_unpacked; NULL when
 * the caller does not want it.
 *
 * Errors: see rpc_status.h.  RETRYABLE with the address when the server cannot be reached; then
 * OUTCOME_UNKNOWN is set unless the request certainly never left.
 */
bp_status milvus_rpc_call(struct milvus_rpc *rpc, const struct bp_op *op,
                          const struct milvus_rpc_call *call, ProtobufCMessage **answer,
                          struct bp_error *error);

#endif
