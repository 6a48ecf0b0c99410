/* SPDX-License-Identifier: Apache-2.0
 *
 * See json.h.
 */
#include "core/base/json.h"

#include <bakplane/abi.h>
#include <stdlib.h>

#include "core/base/error.h"
#include "core/base/log.h"
#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

json_t *
bp_json_parse(const char *text, size_t n, const char *what, GError **error)
{
    json_error_t at;
    json_t *value = json_loadb(text, n, JSON_REJECT_DUPLICATES, &at);
    if (value == NULL) {
        bp_set_error(error, BP_ERR_CORRUPT, "%s is not valid JSON: %s (line %d, column %d)", what,
                     at.text, at.line, at.column);
        return NULL;
    }
    if (!json_is_object(value)) {
        json_decref(value);
        bp_set_error(error, BP_ERR_CORRUPT, "%s is not a JSON object", what);
        return NULL;
    }
    return value;
}

static char *
dump(const json_t *value, size_t flags, const char *end)
{
    char *raw = json_dumps(value, flags | JSON_ENCODE_ANY);
    g_assert(raw != NULL); /* our own trees hold nothing that cannot be written */
    char *out = g_strconcat(raw, end, NULL);
    free(raw);
    return out;
}

char *
bp_json_line(const json_t *value)
{
    return dump(value, JSON_COMPACT, "");
}

char *
bp_json_pretty(const json_t *value)
{
    return dump(value, JSON_INDENT(2), "\n");
}

const char *
bp_json_text(const json_t *object, const char *key, const char *fallback)
{
    const json_t *member = json_object_get(object, key);
    return json_is_string(member) ? json_string_value(member) : fallback;
}

guint64
bp_json_u64(const json_t *object, const char *key, guint64 fallback)
{
    const json_t *member = json_object_get(object, key);
    if (!json_is_integer(member) || json_integer_value(member) < 0) {
        return fallback;
    }
    return (guint64)json_integer_value(member);
}

void
bp_json_set_u64(json_t *object, const char *key, guint64 value)
{
    if (value <= G_MAXINT64) { /* BP_UNKNOWN is beyond */
        json_object_set_new(object, key, json_integer((json_int_t)value));
    }
}

void
bp_json_set_text(json_t *object, const char *key, const char *value)
{
    if (value == NULL || *value == '\0') {
        return;
    }
    g_autofree char *valid = g_utf8_make_valid(value, -1);
    json_object_set_new(object, key, json_string(valid));
}

static void
redact_text(json_t *text)
{
    g_autofree char *clean = bp_log_redact(json_string_value(text));
    if (strcmp(clean, json_string_value(text)) != 0 && json_string_set(text, clean) != 0) {
        (void)json_string_set(text, "***"); /* what is left is no UTF-8 */
    }
}

json_t *
bp_json_redact(const json_t *value)
{
    json_t *copy = json_deep_copy(value);
    g_autoptr(GPtrArray) left = g_ptr_array_new();
    g_ptr_array_add(left, copy);
    while (left->len > 0) {
        json_t *one = g_ptr_array_steal_index(left, left->len - 1);
        const char *key = NULL;
        json_t *member = NULL;
        if (json_is_string(one)) {
            redact_text(one);
        }
        json_object_foreach(one, key, member)
        {
            g_ptr_array_add(left, member);
        }
        for (gsize i = 0; i < json_array_size(one); i++) {
            g_ptr_array_add(left, json_array_get(one, i));
        }
    }
    return copy;
}

json_t *
bp_json_error(const GError *error)
{
    g_autofree char *redacted = bp_log_redact(error->message);
    g_auto(GStrv) halves = g_strsplit(redacted, "\nhint: ", 2);
    json_t *object = json_object();
    bp_json_set_text(object, "class", bp_class_name(bp_error_class(error)));
    bp_json_set_text(object, "message", halves[0]);
    bp_json_set_text(object, "hint", halves[0] != NULL ? halves[1] : NULL);
    return object;
}
