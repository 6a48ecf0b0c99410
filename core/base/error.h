/* SPDX-License-Identifier: Apache-2.0
 *
 * GError for the whole core: one domain, whose codes are the error classes of the plugin ABI, so
 * that whoever decides about a retry asks the class and nothing else.  Details that came from a
 * plugin (remote code, retry-after, request id) travel inside the GError.
 *
 * Message convention: lower case, no full stop, names the object; an optional second line
 * "hint: what the user can do".
 */
#ifndef BP_CORE_BASE_ERROR_H
#define BP_CORE_BASE_ERROR_H

#include <bakplane/error.h>
#include <glib.h>
#include <stdbool.h>

#define BP_ERROR (bp_error_quark())
GQuark bp_error_quark(void);

/** Set `error` (may be NULL) to class `cls` with a formatted message. */
void bp_set_error(GError **error, int cls, const char *format, ...) G_GNUC_PRINTF(3, 4);

/** As bp_set_error, from an errno value; the class follows from it and its text is appended. */
void bp_set_error_errno(GError **error, int errnum, const char *format, ...) G_GNUC_PRINTF(3, 4);

/** Set `error` from what a plugin filled in; details are kept. */
void bp_set_error_from_plugin(GError **error, const struct bp_error *raw);

/** Append a second line "hint: …" unless the message has one already. */
void bp_error_add_hint(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** Class of `error`: its code in our domain, PERMANENT for any other domain, OK for NULL. */
int bp_error_class(const GError *error);

/** `error` is of class `cls`. */
bool bp_error_is(const GError *error, int cls);

/** Wish of the other side in milliseconds, or 0. */
guint64 bp_error_retry_after_ms(const GError *error);

/** The request may have taken effect although it failed. */
bool bp_error_outcome_unknown(const GError *error);

/** The other side's own word for it ("NoSuchKey"), or "".  Lives as long as `error`. */
const char *bp_error_remote_code(const GError *error);

/** Fill a plugin-side structure from a GError: for host functions that a plugin calls. */
bp_status bp_error_to_plugin(const GError *error, struct bp_error *raw);

#endif
