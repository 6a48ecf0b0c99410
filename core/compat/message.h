/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages of another program's interface, described by tables: what they are called and numbered
 * there, and how they look in JSON.  The one description for all who speak them.
 *
 * In memory a message is a JSON object with its fields by their right names; one that is missing is
 * empty.  Enumerations are numbers.  Pure; any thread.
 */
#ifndef BP_CORE_COMPAT_MESSAGE_H
#define BP_CORE_COMPAT_MESSAGE_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

typedef enum {
    BP_FIELD_TEXT,
    BP_FIELD_BOOL,
    BP_FIELD_INT32,
    BP_FIELD_INT64,
    BP_FIELD_UINT64,
    BP_FIELD_ENUM,
    BP_FIELD_BYTES, /* in JSON as base64 */
    BP_FIELD_VALUE, /* any JSON */
    BP_FIELD_MESSAGE,
} bp_field_type;

typedef enum { BP_FIELD_ONE, BP_FIELD_LIST, BP_FIELD_MAP } bp_field_kind; /* MAP: by text */

typedef struct bp_message bp_message;

typedef struct bp_field {
    const char *name;
    const bp_message *message; /* of BP_FIELD_MESSAGE */
    guint number;              /* in protobuf; 0 = only in JSON */
    bp_field_type type;
    bp_field_kind kind;
    bool always; /* in JSON even when it is empty: null for what is no scalar */
} bp_field;

struct bp_message {
    const char *name;
    const bp_field *fields;
    gsize n;
};

#define BP_MESSAGE_MAX_DEPTH 16

/**
 * A message from the JSON that somebody has sent: names match without regard to case, what has no
 * field is dropped, null is empty.  INVALID names the field that is of another type or out of its
 * range.  Returns: (transfer full) (nullable)
 */
json_t *bp_message_read(const bp_message *message, const json_t *given, GError **error);

/** The JSON to send: fields in the order of the table, empty ones left out.
 * Returns: (transfer full) */
json_t *bp_message_show(const bp_message *message, const json_t *value);

#endif
