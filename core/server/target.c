/* SPDX-License-Identifier: Apache-2.0
 *
 * See target.h.  RFC 3986 for the path, the form encoding ('+' is a blank) for the query.
 */
#include "core/server/target.h"

#include <stdbool.h>
#include <string.h>

#include "core/base/error.h"

#include "sdk/lib/ban.h"

static bool
refuse(GError **error, const char *why)
{
    bp_set_error(error, BP_ERR_INVALID, "the address of the request %s", why);
    return false;
}

static bool
has_control(const char *text)
{
    for (; *text != '\0'; text++) {
        if (g_ascii_iscntrl(*text)) {
            return true;
        }
    }
    return false;
}

/* Returns: (transfer full) (nullable) */
static char *
decode(const char *text, bool is_query, GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '+' && is_query) {
            g_string_append_c(out, ' ');
        } else if (*at != '%') {
            g_string_append_c(out, *at);
        } else if (g_ascii_isxdigit(at[1]) && g_ascii_isxdigit(at[2])) {
            int byte = g_ascii_xdigit_value(at[1]) * 16 + g_ascii_xdigit_value(at[2]);
            if (byte == 0) {
                refuse(error, "has a zero byte");
                return NULL;
            }
            g_string_append_c(out, (char)byte);
            at += 2;
        } else {
            refuse(error, "has a '%' without two hexadecimal digits");
            return NULL;
        }
    }
    if (!g_utf8_validate(out->str, (gssize)out->len, NULL)) {
        refuse(error, "is not UTF-8");
        return NULL;
    }
    if (has_control(out->str)) {
        refuse(error, "has a control character");
        return NULL;
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static bool
add_part(bp_http_target *target, const char *text, GError **error)
{
    g_autofree char *part = decode(text, false, error);
    if (part == NULL) {
        return false;
    }
    if (*part == '\0') {
        return refuse(error, "has an empty part");
    }
    if (strcmp(part, ".") == 0 || strcmp(part, "..") == 0) {
        return refuse(error, "has a part of dots");
    }
    if (strpbrk(part, "/\\") != NULL) {
        return refuse(error, "has a slash inside a part");
    }
    if (target->parts->len == BP_TARGET_MAX_PARTS) {
        return refuse(error, "has too many parts");
    }
    g_ptr_array_add(target->parts, g_steal_pointer(&part));
    return true;
}

static bool
parse_path(bp_http_target *target, const char *path, GError **error)
{
    if (*path != '/') {
        return refuse(error, "does not begin with a slash");
    }
    if (path[1] == '\0') {
        return true;
    }
    g_auto(GStrv) parts = g_strsplit(path + 1, "/", -1);
    for (char **part = parts; *part != NULL; part++) {
        if (!add_part(target, *part, error)) {
            return false;
        }
    }
    return true;
}

static bool
add_parameter(bp_http_target *target, const char *text, GError **error)
{
    g_auto(GStrv) halves = g_strsplit(text, "=", 2);
    g_autofree char *name = decode(halves[0] != NULL ? halves[0] : "", true, error);
    if (name == NULL) {
        return false;
    }
    g_autofree char *value =
        decode(halves[0] != NULL && halves[1] != NULL ? halves[1] : "", true, error);
    if (value == NULL) {
        return false;
    }
    if (g_hash_table_contains(target->query, name)) {
        return refuse(error, "has a parameter twice");
    }
    if (g_hash_table_size(target->query) == BP_TARGET_MAX_PARAMETERS) {
        return refuse(error, "has too many parameters");
    }
    g_hash_table_insert(target->query, g_steal_pointer(&name), g_steal_pointer(&value));
    return true;
}

static bool
parse_query(bp_http_target *target, const char *query, GError **error)
{
    g_auto(GStrv) pairs = g_strsplit(query, "&", -1);
    for (char **pair = pairs; *pair != NULL; pair++) {
        if (**pair != '\0' && !add_parameter(target, *pair, error)) {
            return false;
        }
    }
    return true;
}

bp_http_target *
bp_http_target_parse(const char *text, GError **error)
{
    g_autoptr(bp_http_target) target = g_new0(bp_http_target, 1);
    target->parts = g_ptr_array_new_with_free_func(g_free);
    target->query = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

    g_auto(GStrv) halves = g_strsplit(text, "?", 2);
    const char *path = halves[0] != NULL ? halves[0] : "";
    if (!parse_path(target, path, error)) {
        return NULL;
    }
    if (halves[0] != NULL && halves[1] != NULL && !parse_query(target, halves[1], error)) {
        return NULL;
    }
    return g_steal_pointer(&target);
}

void
bp_http_target_free(bp_http_target *target)
{
    if (target != NULL) {
        g_ptr_array_unref(target->parts);
        g_hash_table_unref(target->query);
        g_free(target);
    }
}

const char *
bp_http_target_parameter(const bp_http_target *target, const char *name)
{
    return g_hash_table_lookup(target->query, name);
}
