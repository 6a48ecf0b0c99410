/* SPDX-License-Identifier: Apache-2.0
 *
 * jansson with GError and GLib memory.
 */
#ifndef BP_CORE_BASE_JSON_H
#define BP_CORE_BASE_JSON_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(json_t, json_decref)

/** Parse one object.  CORRUPT names `what` and the place.  Returns: (transfer full) (nullable) */
json_t *bp_json_parse(const char *text, size_t n, const char *what, GError **error);

/** One line, keys in insertion order.  Returns: (transfer full) */
char *bp_json_line(const json_t *value);

/** Indented by two blanks, newline at the end.  Returns: (transfer full) */
char *bp_json_pretty(const json_t *value);

/** Member as text, or `fallback` when missing or of another type.  Borrowed. */
const char *bp_json_text(const json_t *object, const char *key, const char *fallback);

/** Member as number, or `fallback` when missing, of another type or negative. */
guint64 bp_json_u64(const json_t *object, const char *key, guint64 fallback);

/** Set a number; BP_UNKNOWN is left out. */
void bp_json_set_u64(json_t *object, const char *key, guint64 value);

/** Set text; NULL and "" are left out.  Invalid UTF-8 is made valid. */
void bp_json_set_text(json_t *object, const char *key, const char *value);

/**
 * A copy whose texts, at any depth, have all known secrets blotted out; names of members stay.
 * Not the same as blotting them out of the text of the JSON, where they look different (\", \u00e9)
 * or are a part of it.  Returns: (transfer full)
 */
json_t *bp_json_redact(const json_t *value);

/**
 * The object that stands for an error in a result: {class, message, hint}; the class by its
 * short name ("not-found"), secrets blotted out.  Returns: (transfer full)
 */
json_t *bp_json_error(const GError *error);

#endif
