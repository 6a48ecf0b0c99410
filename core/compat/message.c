/* SPDX-License-Identifier: Apache-2.0
 *
 * See message.h.
 */
#include "core/compat/message.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/json.h"

#include "sdk/lib/ban.h"

static json_t *read_message(const bp_message *message, const json_t *given, guint depth,
                            GError **error);
static json_t *show_message(const bp_message *message, const json_t *value);

/* The field that a key means; the exact name wins. */
static const bp_field *
field_of(const bp_message *message, const char *key)
{
    const bp_field *near = NULL;
    for (gsize i = 0; i < message->n; i++) {
        if (strcmp(message->fields[i].name, key) == 0) {
            return &message->fields[i];
        }
        if (near == NULL && g_ascii_strcasecmp(message->fields[i].name, key) == 0) {
            near = &message->fields[i];
        }
    }
    return near;
}

static const char *
word_for(bp_field_type type)
{
    switch (type) {
    case BP_FIELD_TEXT:
    case BP_FIELD_BYTES:
        return "a text";
    case BP_FIELD_BOOL:
        return "true or false";
    case BP_FIELD_MESSAGE:
        return "an object";
    default:
        return "a whole number in its range";
    }
}

static bool
is_scalar(bp_field_type type, const json_t *given)
{
    json_int_t n = json_integer_value(given);
    switch (type) {
    case BP_FIELD_TEXT:
    case BP_FIELD_BYTES:
        return json_is_string(given);
    case BP_FIELD_BOOL:
        return json_is_boolean(given);
    case BP_FIELD_ENUM:
    case BP_FIELD_INT32:
        return json_is_integer(given) && n >= G_MININT32 && n <= G_MAXINT32;
    case BP_FIELD_INT64:
        return json_is_integer(given);
    case BP_FIELD_UINT64:
        return json_is_integer(given) && n >= 0;
    default:
        return type == BP_FIELD_VALUE;
    }
}

/* One value, of a list or map too.  Returns: (transfer full) (nullable) */
static json_t *
read_one(const bp_field *field, const json_t *given, guint depth, GError **error)
{
    if (field->type == BP_FIELD_MESSAGE && json_is_object(given)) {
        return read_message(field->message, given, depth + 1, error);
    }
    if (is_scalar(field->type, given)) {
        return json_deep_copy(given);
    }
    bp_set_error(error, BP_ERR_INVALID, "it has to be %s", word_for(field->type));
    return NULL;
}

static json_t *
read_list(const bp_field *field, const json_t *given, guint depth, GError **error)
{
    if (!json_is_array(given)) {
        bp_set_error(error, BP_ERR_INVALID, "it has to be a list");
        return NULL;
    }
    g_autoptr(json_t) list = json_array();
    for (gsize i = 0; i < json_array_size(given); i++) {
        json_t *one = read_one(field, json_array_get(given, i), depth, error);
        if (one == NULL) {
            g_prefix_error(error, "number %zu: ", i + 1);
            return NULL;
        }
        json_array_append_new(list, one);
    }
    return g_steal_pointer(&list);
}

static json_t *
read_map(const bp_field *field, const json_t *given, guint depth, GError **error)
{
    if (!json_is_object(given)) {
        bp_set_error(error, BP_ERR_INVALID, "it has to be an object");
        return NULL;
    }
    g_autoptr(json_t) map = json_object();
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)given, key, value)
    {
        json_t *one = read_one(field, value, depth, error);
        if (one == NULL) {
            g_prefix_error(error, "%s: ", key);
            return NULL;
        }
        json_object_set_new(map, key, one);
    }
    return g_steal_pointer(&map);
}

static json_t *
read_field(const bp_field *field, const json_t *given, guint depth, GError **error)
{
    switch (field->kind) {
    case BP_FIELD_LIST:
        return read_list(field, given, depth, error);
    case BP_FIELD_MAP:
        return read_map(field, given, depth, error);
    default:
        return read_one(field, given, depth, error);
    }
}

static json_t *
read_message(const bp_message *message, const json_t *given, guint depth, GError **error)
{
    if (depth > BP_MESSAGE_MAX_DEPTH) {
        bp_set_error(error, BP_ERR_INVALID, "it is nested too deeply");
        return NULL;
    }
    g_autoptr(json_t) out = json_object();
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)given, key, value)
    {
        const bp_field *field = field_of(message, key);
        if (field == NULL || json_is_null(value)) {
            continue;
        }
        json_t *read = read_field(field, value, depth, error);
        if (read == NULL) {
            g_prefix_error(error, "%s: ", field->name);
            return NULL;
        }
        json_object_set_new(out, field->name, read);
    }
    return g_steal_pointer(&out);
}

json_t *
bp_message_read(const bp_message *message, const json_t *given, GError **error)
{
    if (!json_is_object(given)) {
        bp_set_error(error, BP_ERR_INVALID, "%s has to be an object", message->name);
        return NULL;
    }
    return read_message(message, given, 0, error);
}

static bool
is_empty(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return json_object_size(value) == 0;
    case JSON_ARRAY:
        return json_array_size(value) == 0;
    case JSON_STRING:
        return *json_string_value(value) == '\0';
    case JSON_INTEGER:
        return json_integer_value(value) == 0;
    case JSON_FALSE:
    case JSON_NULL:
        return true;
    default:
        return false;
    }
}

static json_t *
empty_of(const bp_field *field)
{
    if (field->kind != BP_FIELD_ONE || field->type >= BP_FIELD_VALUE) {
        return json_null();
    }
    if (field->type == BP_FIELD_TEXT || field->type == BP_FIELD_BYTES) {
        return json_string("");
    }
    return field->type == BP_FIELD_BOOL ? json_false() : json_integer(0);
}

static json_t *
show_one(const bp_field *field, const json_t *value)
{
    return field->type == BP_FIELD_MESSAGE ? show_message(field->message, value)
                                           : json_deep_copy(value);
}

static json_t *
show_field(const bp_field *field, const json_t *value)
{
    if (field->kind == BP_FIELD_ONE) {
        return show_one(field, value);
    }
    if (field->kind == BP_FIELD_LIST) {
        json_t *list = json_array();
        for (gsize i = 0; i < json_array_size(value); i++) {
            json_array_append_new(list, show_one(field, json_array_get(value, i)));
        }
        return list;
    }
    json_t *map = json_object();
    const char *key = NULL;
    json_t *member = NULL;
    json_object_foreach((json_t *)value, key, member)
    {
        json_object_set_new(map, key, show_one(field, member));
    }
    return map;
}

static json_t *
show_message(const bp_message *message, const json_t *value)
{
    json_t *out = json_object();
    for (gsize i = 0; i < message->n; i++) {
        const bp_field *field = &message->fields[i];
        const json_t *member = json_object_get(value, field->name);
        if (member != NULL && !is_empty(member)) {
            json_object_set_new(out, field->name, show_field(field, member));
        } else if (field->always) {
            json_object_set_new(out, field->name, empty_of(field));
        }
    }
    return out;
}

json_t *
bp_message_show(const bp_message *message, const json_t *value)
{
    return show_message(message, value);
}
