/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages of the services that are ours or gRPC's own (core/grpc/proto), and of descriptor.proto
 * what reflection has to know.  A test holds them equal to the .proto files.
 */
#ifndef BP_CORE_GRPC_MESSAGES_H
#define BP_CORE_GRPC_MESSAGES_H

#include "core/compat/message.h"

extern const bp_message bp_grpc_start_request, bp_grpc_list_request, bp_grpc_list_response,
    bp_grpc_get_request, bp_grpc_watch_request, bp_grpc_cancel_request, bp_grpc_job;

extern const bp_message bp_grpc_health_request, bp_grpc_health_response;

extern const bp_message bp_grpc_reflection_request, bp_grpc_reflection_response;

/** FileDescriptorSet: `file` as bytes; and one of these. */
extern const bp_message bp_grpc_file_set, bp_grpc_file;

#endif
