/* SPDX-License-Identifier: Apache-2.0
 *
 * See status.h.
 */
#include "core/grpc/status.h"

#include "core/base/error.h"
#include "core/base/log.h"

#include "sdk/lib/ban.h"

#define MAX_TEXT_BYTES                                                        \
    2048 /* a client takes 8 KiB of headers, in which most bytes may be three \
          */

grpc_status_code
bp_grpc_status_of(const GError *error)
{
    switch (bp_error_class(error)) {
    case BP_ERR_INVALID:
        return GRPC_STATUS_INVALID_ARGUMENT;
    case BP_ERR_NOT_FOUND:
        return GRPC_STATUS_NOT_FOUND;
    case BP_ERR_EXISTS:
        return GRPC_STATUS_ALREADY_EXISTS;
    case BP_ERR_DENIED:
        return GRPC_STATUS_PERMISSION_DENIED;
    case BP_ERR_THROTTLED:
    case BP_ERR_NO_SPACE:
        return GRPC_STATUS_RESOURCE_EXHAUSTED;
    case BP_ERR_RETRYABLE:
    case BP_ERR_TIMEOUT:
    case BP_ERR_CANCELLED: /* not by the client, who would not hear of it */
        return GRPC_STATUS_UNAVAILABLE;
    case BP_ERR_UNSUPPORTED:
    case BP_ERR_STALE:
        return GRPC_STATUS_FAILED_PRECONDITION;
    case BP_ERR_CORRUPT:
        return GRPC_STATUS_DATA_LOSS;
    default:
        return GRPC_STATUS_INTERNAL;
    }
}

char *
bp_grpc_status_text(const GError *error)
{
    g_autofree char *text = bp_log_redact(error->message);
    gsize n = MIN(strlen(text), MAX_TEXT_BYTES);
    const char *end = NULL;
    (void)g_utf8_validate(text, (gssize)n, &end); /* up to the last whole character */
    text[end - text] = '\0';
    return g_steal_pointer(&text);
}
