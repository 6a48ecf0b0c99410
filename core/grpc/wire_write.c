/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON to bytes.  See wire.h.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/grpc/wire.h"

#include "sdk/lib/ban.h"

static bool write_message(GByteArray *out, const bp_message *message, const json_t *value,
                          GError **error);
static void write_value(GByteArray *out, const json_t *value);

static void
put_varint(GByteArray *out, guint64 number)
{
    guint8 byte = 0;
    for (; number > 0x7f; number >>= 7) {
        byte = (guint8)(number | 0x80);
        g_byte_array_append(out, &byte, 1);
    }
    byte = (guint8)number;
    g_byte_array_append(out, &byte, 1);
}

static void
put_tag(GByteArray *out, guint number, bp_wire_type type)
{
    put_varint(out, ((guint64)number << 3) | type);
}

static void
put_bytes(GByteArray *out, const void *bytes, gsize n)
{
    put_varint(out, n);
    if (n > 0) {
        g_byte_array_append(out, bytes, (guint)n);
    }
}

/* A text, or one that stands for bytes.  False where it does not. */
static bool
put_text(GByteArray *out, bp_field_type type, const json_t *value)
{
    const char *text = json_string_value(value);
    if (text == NULL) {
        return false;
    }
    if (type == BP_FIELD_TEXT) {
        put_bytes(out, text, json_string_length(value));
        return true;
    }
    gsize n = 0;
    g_autofree guchar *bytes = g_base64_decode(text, &n);
    put_bytes(out, bytes, n);
    return true;
}

static bool
put_number(GByteArray *out, bp_field_type type, const json_t *value)
{
    if (type == BP_FIELD_BOOL ? !json_is_boolean(value) : !json_is_integer(value)) {
        return false;
    }
    put_varint(out, type == BP_FIELD_BOOL ? (guint64)json_is_true(value)
                                          : (guint64)json_integer_value(value));
    return true;
}

/* One value without its tag. */
static bool
write_one(GByteArray *out, const bp_field *field, const json_t *value, GError **error)
{
    bool is_fine = false;
    if (field->type == BP_FIELD_MESSAGE || field->type == BP_FIELD_VALUE) {
        g_autoptr(GByteArray) inner = g_byte_array_new();
        if (field->type == BP_FIELD_VALUE) {
            write_value(inner, value);
        } else if (!write_message(inner, field->message, value, error)) {
            return false;
        }
        put_bytes(out, inner->data, inner->len);
        return true;
    }
    is_fine = bp_wire_type_of(field->type) == BP_WIRE_VARINT ? put_number(out, field->type, value)
                                                             : put_text(out, field->type, value);
    if (!is_fine) {
        bp_set_error(error, BP_ERR_INVALID, "the value is of another type");
    }
    return is_fine;
}

static bool
write_tagged(GByteArray *out, guint number, const bp_field *field, const json_t *value,
             GError **error)
{
    put_tag(out, number, bp_wire_type_of(field->type));
    return write_one(out, field, value, error);
}

static bool
write_list(GByteArray *out, const bp_field *field, const json_t *list, GError **error)
{
    bool is_packed = bp_wire_type_of(field->type) == BP_WIRE_VARINT;
    g_autoptr(GByteArray) packed = g_byte_array_new();
    for (gsize i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        if (!(is_packed ? write_one(packed, field, one, error)
                        : write_tagged(out, field->number, field, one, error))) {
            return false;
        }
    }
    if (packed->len > 0) {
        put_tag(out, field->number, BP_WIRE_BYTES);
        put_bytes(out, packed->data, packed->len);
    }
    return true;
}

static bool
write_map(GByteArray *out, const bp_field *field, const json_t *map, GError **error)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)map, key, value)
    {
        g_autoptr(GByteArray) entry = g_byte_array_new();
        put_tag(entry, 1, BP_WIRE_BYTES);
        put_bytes(entry, key, strlen(key));
        if (!write_tagged(entry, 2, field, value, error)) {
            return false;
        }
        put_tag(out, field->number, BP_WIRE_BYTES);
        put_bytes(out, entry->data, entry->len);
    }
    return true;
}

/* What says nothing by being there. */
static bool
is_empty(const json_t *value)
{
    return json_is_null(value) || json_is_false(value) ||
           (json_is_integer(value) && json_integer_value(value) == 0) ||
           (json_is_string(value) && json_string_length(value) == 0);
}

static bool
write_field(GByteArray *out, const bp_field *field, const json_t *value, GError **error)
{
    bool is_shaped = field->kind == BP_FIELD_ONE ||
                     (field->kind == BP_FIELD_LIST ? json_is_array(value) : json_is_object(value));
    if (!is_shaped) {
        bp_set_error(error, BP_ERR_INVALID, "the value is of another type");
        return false;
    }
    switch (field->kind) {
    case BP_FIELD_LIST:
        return write_list(out, field, value, error);
    case BP_FIELD_MAP:
        return write_map(out, field, value, error);
    default:
        return write_tagged(out, field->number, field, value, error);
    }
}

static bool
write_message(GByteArray *out, const bp_message *message, const json_t *value, GError **error)
{
    if (!json_is_object(value)) {
        bp_set_error(error, BP_ERR_INVALID, "the value is of another type");
        return false;
    }
    for (gsize i = 0; i < message->n; i++) {
        const bp_field *field = &message->fields[i];
        const json_t *member = json_object_get(value, field->name);
        bool is_left_out = member == NULL || field->number == 0 || json_is_null(member) ||
                           (field->type != BP_FIELD_VALUE && is_empty(member));
        if (!is_left_out && !write_field(out, field, member, error)) {
            g_prefix_error(error, "%s: ", field->name);
            return false;
        }
    }
    return true;
}

static void
write_double(GByteArray *out, double number)
{
    guint64 bits = 0;
    memcpy(&bits, &number, sizeof bits);
    bits = GUINT64_TO_LE(bits);
    g_byte_array_append(out, (const guint8 *)&bits, sizeof bits);
}

static void
write_gathered(GByteArray *out, const json_t *value)
{
    bool is_list = json_is_array(value);
    bp_field member = {
        .number = 1, .type = BP_FIELD_VALUE, .kind = is_list ? BP_FIELD_LIST : BP_FIELD_MAP};
    g_autoptr(GByteArray) inner = g_byte_array_new();
    (void)write_field(inner, &member, value, NULL); /* a Value takes any JSON */
    put_tag(out, is_list ? BP_WIRE_VALUE_LIST : BP_WIRE_VALUE_OBJECT, BP_WIRE_BYTES);
    put_bytes(out, inner->data, inner->len);
}

/* google.protobuf.Value; whole numbers beyond 2^53 lose their last digits there. */
static void
write_value(GByteArray *out, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
    case JSON_ARRAY:
        write_gathered(out, value);
        break;
    case JSON_STRING:
        put_tag(out, BP_WIRE_VALUE_TEXT, BP_WIRE_BYTES);
        put_bytes(out, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
    case JSON_REAL:
        put_tag(out, BP_WIRE_VALUE_NUMBER, BP_WIRE_FIXED64);
        write_double(out, json_number_value(value));
        break;
    case JSON_NULL:
        put_tag(out, BP_WIRE_VALUE_NULL, BP_WIRE_VARINT);
        put_varint(out, 0);
        break;
    default:
        put_tag(out, BP_WIRE_VALUE_BOOL, BP_WIRE_VARINT);
        put_varint(out, (guint64)json_is_true(value));
        break;
    }
}

GBytes *
bp_wire_write(const bp_message *message, const json_t *value, GError **error)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    if (!write_message(out, message, value, error)) {
        g_prefix_error(error, "%s: ", message->name);
        return NULL;
    }
    return g_byte_array_free_to_bytes(g_steal_pointer(&out));
}
