/* SPDX-License-Identifier: Apache-2.0
 *
 * Protobuf's wire format <-> JSON, by the tables of core/compat/message.h: what REST reads and
 * writes as text, gRPC does as bytes.  A field's number there is its number here; 0 = not here.
 *
 * Not by generated code: protobuf-c's reader goes as deep as its input wants, and a Value may hold
 * itself, so that a small message would end the stack.  Here depth and number of values are
 * limited, so that memory is bounded by the size of a message.  Pure; any thread.
 */
#ifndef BP_CORE_GRPC_WIRE_H
#define BP_CORE_GRPC_WIRE_H

#include "core/compat/message.h"

/** Fields, members of lists and maps, and values within values, of one message. */
#define BP_WIRE_MAX_VALUES 65536

/**
 * A message that somebody has sent; as bp_message_read gives it, so that what has no field is
 * dropped.  INVALID for what is cut, of another wire type than its field, out of its type's range,
 * no UTF-8, deeper than BP_MESSAGE_MAX_DEPTH or of more than BP_WIRE_MAX_VALUES values; groups,
 * which proto3 does not have, too.  Names the field.  Returns: (transfer full) (nullable)
 */
json_t *bp_wire_read(const bp_message *message, const void *bytes, gsize n, GError **error);

/**
 * The bytes to send; what is empty and what has no field is left out.
 * INVALID for a value that is not of its field's type.  Returns: (transfer full) (nullable)
 */
GBytes *bp_wire_write(const bp_message *message, const json_t *value, GError **error);

/* The four wire types that there are. */
typedef enum {
    BP_WIRE_VARINT = 0,
    BP_WIRE_FIXED64 = 1,
    BP_WIRE_BYTES = 2, /* with their length */
    BP_WIRE_FIXED32 = 5,
} bp_wire_type;

/* Numbers of google.protobuf.Value's fields. */
typedef enum {
    BP_WIRE_VALUE_NULL = 1,
    BP_WIRE_VALUE_NUMBER,
    BP_WIRE_VALUE_TEXT,
    BP_WIRE_VALUE_BOOL,
    BP_WIRE_VALUE_OBJECT,
    BP_WIRE_VALUE_LIST,
} bp_wire_value_field;

/** How a field of that type is written alone. */
bp_wire_type bp_wire_type_of(bp_field_type type);

#endif
