/* SPDX-License-Identifier: Apache-2.0
 *
 * What is answered to a request: a status, headers, and a body that is whole.  Knows no connection;
 * any thread.
 */
#ifndef BP_CORE_SERVER_REPLY_H
#define BP_CORE_SERVER_REPLY_H

#include <glib.h>
#include <jansson.h>

typedef struct bp_reply {
    unsigned status; /* of HTTP */
    char *body;
    gsize n;
    const char *type;   /* static */
    GPtrArray *headers; /* char *: name, value, name, value … */
} bp_reply;

/** `<`, `>` and `&` are escaped, for those who show it in a page.  Returns: (transfer full) */
bp_reply *bp_reply_json(unsigned status, json_t *take_value);
/** Plain text.  Returns: (transfer full) */
bp_reply *bp_reply_text(unsigned status, const char *text);
/** Text of another type.  @type: static.  Returns: (transfer full) */
bp_reply *bp_reply_typed(unsigned status, const char *type, const char *text);

/**
 * Why it is not done, by RFC 9457: type, title, status, detail and, where there is one, hint.
 * A 503 says when to ask again (Retry-After).
 * @detail: secrets that are known to the log are blotted out.  @hint: may be NULL.
 * Returns: (transfer full)
 */
bp_reply *bp_reply_problem(unsigned status, const char *detail, const char *hint);
/** The same from an error: the status follows from its class.  Returns: (transfer full) */
bp_reply *bp_reply_error(const GError *error);
/** The same where the class does not tell.  Returns: (transfer full) */
bp_reply *bp_reply_error_as(unsigned status, const GError *error);

/** @name, @value: copied; no line breaks in them. */
void bp_reply_add_header(bp_reply *answer, const char *name, const char *value);

void bp_reply_free(bp_reply *answer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_reply, bp_reply_free)

#endif
