/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes to JSON.  See wire.h.
 */
#include <math.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/grpc/wire.h"

#include "sdk/lib/ban.h"

#define MAX_VARINT_BYTES 10
#define MAX_EXACT 9007199254740992.0 /* 2^53: whole numbers up to here are exact as double */

typedef struct {
    const guint8 *at, *end;
} span;

/* What all levels of one message share. */
typedef struct {
    guint values_left;
    guint depth; /* of the level that is being read */
} reading;

typedef struct {
    guint number;
    bp_wire_type type;
} tag;

static json_t *read_value(reading *r, span in, GError **error);
static bool read_into(reading *r, const bp_message *message, span in, json_t *out, GError **error);

bp_wire_type
bp_wire_type_of(bp_field_type type)
{
    switch (type) {
    case BP_FIELD_BOOL:
    case BP_FIELD_INT32:
    case BP_FIELD_INT64:
    case BP_FIELD_UINT64:
    case BP_FIELD_ENUM:
        return BP_WIRE_VARINT;
    default:
        return BP_WIRE_BYTES;
    }
}

static bool
is_cut(GError **error)
{
    bp_set_error(error, BP_ERR_INVALID, "it ends in the middle");
    return false;
}

static bool
take_varint(span *in, guint64 *out, GError **error)
{
    *out = 0;
    for (guint i = 0; i < MAX_VARINT_BYTES; i++) {
        if (in->at == in->end) {
            return is_cut(error);
        }
        guint8 byte = *in->at++;
        if (i == MAX_VARINT_BYTES - 1 && byte > 1) {
            break;
        }
        *out |= (guint64)(byte & 0x7f) << (7 * i);
        if ((byte & 0x80) == 0) {
            return true;
        }
    }
    bp_set_error(error, BP_ERR_INVALID, "a number has more than 64 bits");
    return false;
}

static bool
take_bytes(span *in, span *out, GError **error)
{
    guint64 n = 0;
    if (!take_varint(in, &n, error)) {
        return false;
    }
    if (n > (guint64)(in->end - in->at)) {
        return is_cut(error);
    }
    *out = (span){.at = in->at, .end = in->at + n};
    in->at += n;
    return true;
}

static bool
take_fixed(span *in, gsize n, const guint8 **out, GError **error)
{
    if ((gsize)(in->end - in->at) < n) {
        return is_cut(error);
    }
    *out = in->at;
    in->at += n;
    return true;
}

static bool
take_tag(span *in, tag *out, GError **error)
{
    guint64 both = 0;
    if (!take_varint(in, &both, error)) {
        return false;
    }
    guint64 number = both >> 3;
    guint type = both & 7;
    if (number == 0 || number > 0x1fffffff) {
        bp_set_error(error, BP_ERR_INVALID, "there is no field %" G_GUINT64_FORMAT, number);
        return false;
    }
    if (type != BP_WIRE_VARINT && type != BP_WIRE_FIXED64 && type != BP_WIRE_BYTES &&
        type != BP_WIRE_FIXED32) {
        bp_set_error(error, BP_ERR_INVALID, "field %u: there is no wire type %u", (guint)number,
                     type);
        return false;
    }
    *out = (tag){.number = (guint)number, .type = (bp_wire_type)type};
    return true;
}

static bool
skip(span *in, bp_wire_type type, GError **error)
{
    guint64 number = 0;
    span bytes;
    const guint8 *fixed = NULL;
    switch (type) {
    case BP_WIRE_VARINT:
        return take_varint(in, &number, error);
    case BP_WIRE_BYTES:
        return take_bytes(in, &bytes, error);
    default:
        return take_fixed(in, type == BP_WIRE_FIXED64 ? 8 : 4, &fixed, error);
    }
}

/* One value more is to be kept. */
static bool
count(reading *r, GError **error)
{
    if (r->values_left == 0) {
        bp_set_error(error, BP_ERR_INVALID, "it has more than %d values", BP_WIRE_MAX_VALUES);
        return false;
    }
    r->values_left--;
    return true;
}

static bool
is_wanted_type(bp_wire_type given, bp_wire_type wanted, GError **error)
{
    if (given != wanted) {
        bp_set_error(error, BP_ERR_INVALID, "it has wire type %d instead of %d", given, wanted);
    }
    return given == wanted;
}

/* Returns: (transfer full) (nullable) */
static char *
text_of(span in, GError **error)
{
    gsize n = (gsize)(in.end - in.at);
    if (!g_utf8_validate((const char *)in.at, (gssize)n, NULL)) { /* with a zero byte, neither */
        bp_set_error(error, BP_ERR_INVALID, "it is no text in UTF-8");
        return NULL;
    }
    return g_strndup((const char *)in.at, n);
}

static json_t *
read_text(span in, GError **error)
{
    g_autofree char *text = text_of(in, error);
    return text != NULL ? json_string(text) : NULL;
}

static json_t *
read_number(span *in, bp_field_type type, GError **error)
{
    guint64 bits = 0;
    if (!take_varint(in, &bits, error)) {
        return NULL;
    }
    gint64 number = (gint64)bits;
    bool is_small = type == BP_FIELD_INT32 || type == BP_FIELD_ENUM;
    if (type == BP_FIELD_BOOL) {
        return json_boolean(bits != 0);
    }
    if ((is_small && (number < G_MININT32 || number > G_MAXINT32)) ||
        (type == BP_FIELD_UINT64 && number < 0)) {
        bp_set_error(error, BP_ERR_INVALID, "it is not in its range");
        return NULL;
    }
    return json_integer(number);
}

/* A value that is not a number.  Returns: (transfer full) (nullable) */
static json_t *
read_bytes(reading *r, const bp_field *field, span in, GError **error)
{
    if (field->type == BP_FIELD_TEXT) {
        return read_text(in, error);
    }
    if (field->type == BP_FIELD_BYTES) {
        g_autofree char *base64 = g_base64_encode(in.at, (gsize)(in.end - in.at));
        return json_string(base64);
    }
    if (field->type == BP_FIELD_VALUE) {
        return read_value(r, in, error);
    }
    g_autoptr(json_t) object = json_object();
    return read_into(r, field->message, in, object, error) ? g_steal_pointer(&object) : NULL;
}

/* The value that comes next.  Returns: (transfer full) (nullable) */
static json_t *
read_one(reading *r, const bp_field *field, span *in, GError **error)
{
    span bytes;
    if (!count(r, error)) {
        return NULL;
    }
    if (bp_wire_type_of(field->type) == BP_WIRE_VARINT) {
        return read_number(in, field->type, error);
    }
    return take_bytes(in, &bytes, error) ? read_bytes(r, field, bytes, error) : NULL;
}

/* The number that is meant where none is there. */
static json_t *
empty_of(const bp_field *field)
{
    switch (field->type) {
    case BP_FIELD_TEXT:
    case BP_FIELD_BYTES:
        return json_string("");
    case BP_FIELD_BOOL:
        return json_false();
    case BP_FIELD_VALUE:
        return json_null();
    case BP_FIELD_MESSAGE:
        return json_object();
    default:
        return json_integer(0);
    }
}

/* The entry of a map: 1 = key, 2 = value. */
static bool
read_entry(reading *r, const bp_field *field, span in, json_t *map, GError **error)
{
    g_autofree char *key = g_strdup("");
    g_autoptr(json_t) value = empty_of(field);
    if (!count(r, error)) {
        return false;
    }
    while (in.at < in.end) {
        tag next;
        span bytes;
        if (!take_tag(&in, &next, error)) {
            return false;
        }
        if (next.number == 1) {
            g_free(key);
            key = is_wanted_type(next.type, BP_WIRE_BYTES, error) && take_bytes(&in, &bytes, error)
                      ? text_of(bytes, error)
                      : NULL;
        } else if (next.number == 2) {
            json_decref(value);
            value = is_wanted_type(next.type, bp_wire_type_of(field->type), error)
                        ? read_one(r, field, &in, error)
                        : NULL;
        } else if (!skip(&in, next.type, error)) {
            return false;
        }
        if (key == NULL || value == NULL) {
            return false;
        }
    }
    return json_object_set(map, key, value) == 0;
}

/* The member of the object in which a list or a map is gathered.  Borrowed. */
static json_t *
gathered(json_t *out, const bp_field *field)
{
    json_t *there = json_object_get(out, field->name);
    if (there == NULL) {
        there = field->kind == BP_FIELD_LIST ? json_array() : json_object();
        json_object_set_new(out, field->name, there);
    }
    return there;
}

/* A list may come one by one, and numbers in one piece too. */
static bool
read_listed(reading *r, const bp_field *field, bp_wire_type type, span *in, json_t *list,
            GError **error)
{
    bp_wire_type wanted = bp_wire_type_of(field->type);
    span packed;
    if (type != BP_WIRE_BYTES || wanted == BP_WIRE_BYTES) {
        json_t *one = is_wanted_type(type, wanted, error) ? read_one(r, field, in, error) : NULL;
        return one != NULL && json_array_append_new(list, one) == 0;
    }
    if (!take_bytes(in, &packed, error)) {
        return false;
    }
    while (packed.at < packed.end) {
        json_t *one = read_one(r, field, &packed, error);
        if (one == NULL || json_array_append_new(list, one) != 0) {
            return false;
        }
    }
    return true;
}

static bool
read_single(reading *r, const bp_field *field, span *in, json_t *out, GError **error)
{
    json_t *there = json_object_get(out, field->name);
    span bytes;
    if (field->type == BP_FIELD_MESSAGE && there != NULL) { /* pieces of one message are one */
        return take_bytes(in, &bytes, error) && read_into(r, field->message, bytes, there, error);
    }
    json_t *one = read_one(r, field, in, error);
    if (json_is_null(one)) { /* a Value; null is empty */
        (void)json_object_del(out, field->name);
        return true;
    }
    return one != NULL && json_object_set_new(out, field->name, one) == 0;
}

static bool
read_field(reading *r, const bp_field *field, bp_wire_type type, span *in, json_t *out,
           GError **error)
{
    span bytes;
    switch (field->kind) {
    case BP_FIELD_LIST:
        return read_listed(r, field, type, in, gathered(out, field), error);
    case BP_FIELD_MAP:
        return is_wanted_type(type, BP_WIRE_BYTES, error) && take_bytes(in, &bytes, error) &&
               read_entry(r, field, bytes, gathered(out, field), error);
    default:
        return is_wanted_type(type, bp_wire_type_of(field->type), error) &&
               read_single(r, field, in, out, error);
    }
}

static const bp_field *
field_of(const bp_message *message, guint number)
{
    for (gsize i = 0; i < message->n; i++) {
        if (message->fields[i].number == number) {
            return &message->fields[i];
        }
    }
    return NULL;
}

static bool
is_too_deep(const reading *r, GError **error)
{
    if (r->depth > BP_MESSAGE_MAX_DEPTH) {
        bp_set_error(error, BP_ERR_INVALID, "it is nested too deeply");
    }
    return r->depth > BP_MESSAGE_MAX_DEPTH;
}

static bool
read_into(reading *r, const bp_message *message, span in, json_t *out, GError **error)
{
    if (is_too_deep(r, error)) {
        return false;
    }
    r->depth++;
    while (in.at < in.end) {
        tag next;
        if (!take_tag(&in, &next, error)) {
            return false;
        }
        const bp_field *field = field_of(message, next.number);
        if (field == NULL) {
            if (!skip(&in, next.type, error)) {
                return false;
            }
        } else if (!read_field(r, field, next.type, &in, out, error)) {
            g_prefix_error(error, "%s: ", field->name);
            return false;
        }
    }
    r->depth--;
    return true;
}

/* Whole numbers as such: that is what they were before they became a Value. */
static json_t *
read_double(span *in, GError **error)
{
    const guint8 *bytes = NULL;
    if (!take_fixed(in, sizeof(guint64), &bytes, error)) {
        return NULL;
    }
    guint64 bits = 0;
    double number = 0;
    memcpy(&bits, bytes, sizeof bits);
    bits = GUINT64_FROM_LE(bits);
    memcpy(&number, &bits, sizeof number);
    if (!isfinite(number)) {
        bp_set_error(error, BP_ERR_INVALID, "it is no number");
        return NULL;
    }
    return fabs(number) <= MAX_EXACT && number == trunc(number) ? json_integer((json_int_t)number)
                                                                : json_real(number);
}

static json_t *
read_gathered(reading *r, bool is_list, span in, GError **error)
{
    static const bp_field members[] = {
        {.number = 1, .name = "fields", .type = BP_FIELD_VALUE, .kind = BP_FIELD_MAP},
        {.number = 1, .name = "values", .type = BP_FIELD_VALUE, .kind = BP_FIELD_LIST},
    };
    const bp_field *member = &members[is_list ? 1 : 0];
    const bp_message holder = {.name = "", .fields = member, .n = 1};
    g_autoptr(json_t) out = json_object();
    if (!read_into(r, &holder, in, out, error)) {
        return NULL;
    }
    return json_incref(gathered(out, member));
}

static json_t *
read_value_field(reading *r, const tag *next, span *in, GError **error)
{
    guint64 number = 0;
    span bytes;
    switch ((bp_wire_value_field)next->number) {
    case BP_WIRE_VALUE_NULL:
        return is_wanted_type(next->type, BP_WIRE_VARINT, error) && take_varint(in, &number, error)
                   ? json_null()
                   : NULL;
    case BP_WIRE_VALUE_BOOL:
        return is_wanted_type(next->type, BP_WIRE_VARINT, error) && take_varint(in, &number, error)
                   ? json_boolean(number != 0)
                   : NULL;
    case BP_WIRE_VALUE_NUMBER:
        return is_wanted_type(next->type, BP_WIRE_FIXED64, error) ? read_double(in, error) : NULL;
    default:
        if (!is_wanted_type(next->type, BP_WIRE_BYTES, error) || !take_bytes(in, &bytes, error)) {
            return NULL;
        }
        return next->number == BP_WIRE_VALUE_TEXT
                   ? read_text(bytes, error)
                   : read_gathered(r, next->number == BP_WIRE_VALUE_LIST, bytes, error);
    }
}

/* google.protobuf.Value: of several the last counts, of none null. */
static json_t *
read_value(reading *r, span in, GError **error)
{
    if (is_too_deep(r, error)) {
        return NULL;
    }
    r->depth++;
    g_autoptr(json_t) value = json_null();
    while (in.at < in.end) {
        tag next;
        if (!take_tag(&in, &next, error)) {
            return NULL;
        }
        if (next.number > BP_WIRE_VALUE_LIST) {
            if (!skip(&in, next.type, error)) {
                return NULL;
            }
            continue;
        }
        json_decref(value);
        value = read_value_field(r, &next, &in, error);
        if (value == NULL) {
            return NULL;
        }
    }
    r->depth--;
    return g_steal_pointer(&value);
}

json_t *
bp_wire_read(const bp_message *message, const void *bytes, gsize n, GError **error)
{
    reading r = {.values_left = BP_WIRE_MAX_VALUES};
    span in = {.at = bytes, .end = (const guint8 *)bytes + n};
    g_autoptr(json_t) out = json_object();
    if (n > 0 && !read_into(&r, message, in, out, error)) {
        g_prefix_error(error, "%s: ", message->name);
        return NULL;
    }
    return g_steal_pointer(&out);
}
