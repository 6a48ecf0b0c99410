/* SPDX-License-Identifier: Apache-2.0
 *
 * The core's error domain.  An extended GError carries what a plugin told beyond class and text.
 */
#include "core/base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

typedef struct {
    guint32 flags;
    guint64 retry_after_ms;
    char *code;
    char *request_id;
} bp_error_details;

static void
bp_error_private_init(bp_error_details *details)
{
    memset(details, 0, sizeof *details);
}

static void
bp_error_private_copy(const bp_error_details *from, bp_error_details *to)
{
    *to = *from;
    to->code = g_strdup(from->code);
    to->request_id = g_strdup(from->request_id);
}

static void
bp_error_private_clear(bp_error_details *details)
{
    g_free(details->code);
    g_free(details->request_id);
}

/* GLib's macro glues "Private" to this name. */
typedef bp_error_details bp_error_detailsPrivate;

G_DEFINE_EXTENDED_ERROR(bp_error_details, bp_error)

void
bp_set_error(GError **error, int cls, const char *format, ...)
{
    if (error == NULL) {
        return;
    }
    va_list args;
    va_start(args, format);
    *error = g_error_new_valist(BP_ERROR, cls, format, args);
    va_end(args);
}

void
bp_set_error_errno(GError **error, int errnum, const char *format, ...)
{
    if (error == NULL) {
        return;
    }
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    bp_set_error(error, bp_errno_class(errnum), "%s: %s", text, g_strerror(errnum));
}

static int
known_class(bp_status cls)
{
    return cls > BP_OK && cls < BP_ERR_CLASS_END ? cls : BP_ERR_PERMANENT;
}

/* Terminated, valid UTF-8 and without control bytes, whatever the plugin left in there. */
static char *
clean_text(const char *raw, size_t cap)
{
    g_autofree char *cut = g_strndup(raw, cap);
    char *text = g_utf8_make_valid(cut, -1);
    for (char *p = text; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20 && *p != '\n') {
            *p = ' ';
        }
    }
    return text;
}

void
bp_set_error_from_plugin(GError **error, const struct bp_error *raw)
{
    if (error == NULL) {
        return;
    }
    g_autofree char *message = clean_text(raw->message, sizeof raw->message);
    *error = g_error_new_literal(BP_ERROR, known_class(raw->cls),
                                 *message != '\0' ? message : "the plugin gave no reason");
    bp_error_details *details = bp_error_get_private(*error);
    details->flags = raw->flags;
    details->retry_after_ms = raw->retry_after_ms;
    details->code = clean_text(raw->code, sizeof raw->code);
    details->request_id = clean_text(raw->request_id, sizeof raw->request_id);
    if (*details->request_id != '\0') {
        g_autofree char *old = g_steal_pointer(&(*error)->message);
        (*error)->message = g_strdup_printf("%s (request %s)", old, details->request_id);
    }
}

void
bp_error_add_hint(GError **error, const char *format, ...)
{
    if (error == NULL || *error == NULL || strstr((*error)->message, "\nhint: ") != NULL) {
        return;
    }
    va_list args;
    va_start(args, format);
    g_autofree char *hint = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *old = g_steal_pointer(&(*error)->message);
    (*error)->message = g_strdup_printf("%s\nhint: %s", old, hint);
}

int
bp_error_class(const GError *error)
{
    if (error == NULL) {
        return BP_OK;
    }
    return error->domain == BP_ERROR ? known_class(error->code) : BP_ERR_PERMANENT;
}

bool
bp_error_is(const GError *error, int cls)
{
    return error != NULL && bp_error_class(error) == cls;
}

static const bp_error_details *
details_of(const GError *error)
{
    if (error == NULL || error->domain != BP_ERROR) {
        return NULL;
    }
    return bp_error_get_private(error);
}

guint64
bp_error_retry_after_ms(const GError *error)
{
    const bp_error_details *details = details_of(error);
    return details != NULL ? details->retry_after_ms : 0;
}

bool
bp_error_outcome_unknown(const GError *error)
{
    const bp_error_details *details = details_of(error);
    return details != NULL && (details->flags & BP_ERROR_OUTCOME_UNKNOWN) != 0;
}

const char *
bp_error_remote_code(const GError *error)
{
    const bp_error_details *details = details_of(error);
    return details != NULL && details->code != NULL ? details->code : "";
}

bp_status
bp_error_to_plugin(const GError *error, struct bp_error *raw)
{
    bp_status cls = bp_error_class(error);
    raw->cls = cls;
    raw->retry_after_ms = bp_error_retry_after_ms(error);
    raw->flags = bp_error_outcome_unknown(error) ? BP_ERROR_OUTCOME_UNKNOWN : 0;
    g_strlcpy(raw->code, bp_error_remote_code(error), sizeof raw->code);
    bp_error_fit(raw->message, sizeof raw->message, error != NULL ? error->message : "");
    return cls;
}
