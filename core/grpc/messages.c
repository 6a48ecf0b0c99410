/* SPDX-License-Identifier: Apache-2.0
 *
 * See messages.h.
 */
#include "core/grpc/messages.h"

#include "core/compat/messages_v1_table.h"

#include "sdk/lib/ban.h"

/* google.protobuf.Struct: an object in JSON is {"fields": object} here. */
static const bp_field struct_fields[] = {
    MAP(1, "fields", VALUE),
};
static const bp_message any_object = MESSAGE("Struct", struct_fields);

static const bp_field start_request_fields[] = {
    OF(1, "request", any_object),
    FIELD(2, "key", TEXT),
};
const bp_message bp_grpc_start_request = MESSAGE("StartRequest", start_request_fields);

static const bp_field list_request_fields[] = {
    FIELD(1, "state", TEXT),
    FIELD(2, "limit", INT32),
    FIELD(3, "cursor", TEXT),
};
const bp_message bp_grpc_list_request = MESSAGE("ListRequest", list_request_fields);

static const bp_field id_fields[] = {
    FIELD(1, "id", TEXT),
};
const bp_message bp_grpc_get_request = MESSAGE("GetRequest", id_fields);
const bp_message bp_grpc_watch_request = MESSAGE("WatchRequest", id_fields);
const bp_message bp_grpc_cancel_request = MESSAGE("CancelRequest", id_fields);

static const bp_field progress_fields[] = {
    FIELD(1, "phase", TEXT),        FIELD(2, "items_done", INT64),  FIELD(3, "items_total", INT64),
    FIELD(4, "bytes_done", INT64),  FIELD(5, "bytes_total", INT64), FIELD(6, "elapsed_ms", INT64),
    FIELD(7, "items_per_s", INT64), FIELD(8, "bytes_per_s", INT64), FIELD(9, "remaining_ms", INT64),
};
static const bp_message progress = MESSAGE("Progress", progress_fields);

static const bp_field error_fields[] = {
    FIELD(1, "class", TEXT),
    FIELD(2, "message", TEXT),
    FIELD(3, "hint", TEXT),
};
static const bp_message job_error = MESSAGE("Error", error_fields);

static const bp_field job_fields[] = {
    FIELD(1, "id", TEXT),         FIELD(2, "verb", TEXT),       FIELD(3, "name", TEXT),
    FIELD(4, "state", TEXT),      FIELD(5, "origin", TEXT),     FIELD(6, "created", TEXT),
    FIELD(7, "started", TEXT),    FIELD(8, "ended", TEXT),      FIELD(9, "attempt", INT32),
    FIELD(10, "pid", INT64),      FIELD(11, "waits_for", TEXT), OF(12, "request", any_object),
    OF(13, "progress", progress), OF(14, "error", job_error),   OF(15, "result", any_object),
};
const bp_message bp_grpc_job = MESSAGE("Job", job_fields);

static const bp_field list_response_fields[] = {
    LIST_OF(1, "jobs", bp_grpc_job),
    FIELD(2, "next", TEXT),
};
const bp_message bp_grpc_list_response = MESSAGE("ListResponse", list_response_fields);

static const bp_field health_request_fields[] = {
    FIELD(1, "service", TEXT),
};
const bp_message bp_grpc_health_request = MESSAGE("HealthCheckRequest", health_request_fields);

static const bp_field health_response_fields[] = {
    FIELD(1, "status", ENUM),
};
const bp_message bp_grpc_health_response = MESSAGE("HealthCheckResponse", health_response_fields);

static const bp_field extension_request_fields[] = {
    FIELD(1, "containing_type", TEXT),
    FIELD(2, "extension_number", INT32),
};
static const bp_message extension_request = MESSAGE("ExtensionRequest", extension_request_fields);

static const bp_field reflection_request_fields[] = {
    FIELD(1, "host", TEXT),
    FIELD(3, "file_by_filename", TEXT),
    FIELD(4, "file_containing_symbol", TEXT),
    OF(5, "file_containing_extension", extension_request),
    FIELD(6, "all_extension_numbers_of_type", TEXT),
    FIELD(7, "list_services", TEXT),
};
const bp_message bp_grpc_reflection_request =
    MESSAGE("ServerReflectionRequest", reflection_request_fields);

static const bp_field file_response_fields[] = {
    LIST(1, "file_descriptor_proto", BYTES),
};
static const bp_message file_response = MESSAGE("FileDescriptorResponse", file_response_fields);

static const bp_field extension_response_fields[] = {
    FIELD(1, "base_type_name", TEXT),
    LIST(2, "extension_number", INT32),
};
static const bp_message extension_response =
    MESSAGE("ExtensionNumberResponse", extension_response_fields);

static const bp_field service_response_fields[] = {
    FIELD(1, "name", TEXT),
};
static const bp_message service_response = MESSAGE("ServiceResponse", service_response_fields);

static const bp_field services_response_fields[] = {
    LIST_OF(1, "service", service_response),
};
static const bp_message services_response =
    MESSAGE("ListServiceResponse", services_response_fields);

static const bp_field error_response_fields[] = {
    FIELD(1, "error_code", INT32),
    FIELD(2, "error_message", TEXT),
};
static const bp_message error_response = MESSAGE("ErrorResponse", error_response_fields);

static const bp_field reflection_response_fields[] = {
    FIELD(1, "valid_host", TEXT),
    OF(2, "original_request", bp_grpc_reflection_request),
    OF(4, "file_descriptor_response", file_response),
    OF(5, "all_extension_numbers_response", extension_response),
    OF(6, "list_services_response", services_response),
    OF(7, "error_response", error_response),
};
const bp_message bp_grpc_reflection_response =
    MESSAGE("ServerReflectionResponse", reflection_response_fields);

/* Of google/protobuf/descriptor.proto. */

static const bp_field file_set_fields[] = {
    LIST(1, "file", BYTES),
};
const bp_message bp_grpc_file_set = MESSAGE("FileDescriptorSet", file_set_fields);

static const bp_field described_field_fields[] = {
    FIELD(1, "name", TEXT), FIELD(3, "number", INT32),   FIELD(4, "label", ENUM),
    FIELD(5, "type", ENUM), FIELD(6, "type_name", TEXT),
};
static const bp_message described_field = MESSAGE("FieldDescriptorProto", described_field_fields);

static const bp_field described_enum_fields[] = {
    FIELD(1, "name", TEXT),
};
static const bp_message described_enum = MESSAGE("EnumDescriptorProto", described_enum_fields);

/* Messages in messages one level deep, which is where maps have their entries. */
static const bp_field nested_message_fields[] = {
    FIELD(1, "name", TEXT),
    LIST_OF(2, "field", described_field),
};
static const bp_message nested_message = MESSAGE("DescriptorProto", nested_message_fields);

static const bp_field described_message_fields[] = {
    FIELD(1, "name", TEXT),
    LIST_OF(2, "field", described_field),
    LIST_OF(3, "nested_type", nested_message),
    LIST_OF(4, "enum_type", described_enum),
};
static const bp_message described_message = MESSAGE("DescriptorProto", described_message_fields);

static const bp_field method_fields[] = {
    FIELD(1, "name", TEXT),
    FIELD(2, "input_type", TEXT),
    FIELD(3, "output_type", TEXT),
    FIELD(5, "client_streaming", BOOL),
    FIELD(6, "server_streaming", BOOL),
};
static const bp_message method = MESSAGE("MethodDescriptorProto", method_fields);

static const bp_field service_fields[] = {
    FIELD(1, "name", TEXT),
    LIST_OF(2, "method", method),
};
static const bp_message service = MESSAGE("ServiceDescriptorProto", service_fields);

static const bp_field file_fields[] = {
    FIELD(1, "name", TEXT),
    FIELD(2, "package", TEXT),
    LIST_OF(4, "message_type", described_message),
    LIST_OF(5, "enum_type", described_enum),
    LIST_OF(6, "service", service),
};
const bp_message bp_grpc_file = MESSAGE("FileDescriptorProto", file_fields);
