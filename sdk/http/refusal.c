/* SPDX-License-Identifier: Apache-2.0
 *
 * Codes, statuses and words of refusals.
 */
#include "sdk/http/refusal.h"

#include <stdio.h>
#include <string.h>

#include "sdk/lib/ban.h"

const struct bp_http_code *
bp_http_code_find(const struct bp_http_code *codes, size_t n, const char *code)
{
    for (size_t i = 0; code != NULL && i < n; i++) {
        if (strcmp(codes[i].code, code) == 0) {
            return &codes[i];
        }
    }
    return NULL;
}

bp_status
bp_http_class(int status)
{
    if (status >= 200 && status < 300) {
        return BP_OK;
    }
    switch (status) {
    case 400:
    case 413:
        return BP_ERR_INVALID;
    case 401:
        return BP_ERR_AUTH;
    case 403:
    case 407: /* a proxy's login: one anew at the server would change nothing */
        return BP_ERR_DENIED;
    case 404:
        return BP_ERR_NOT_FOUND;
    case 405:
    case 501:
        return BP_ERR_UNSUPPORTED;
    case 408: /* the server waited for us; our own deadlines are TIMEOUT */
        return BP_ERR_RETRYABLE;
    case 409:
    case 412:
        return BP_ERR_EXISTS;
    case 416:
        return BP_ERR_RANGE;
    case 429:
    case 503:
        return BP_ERR_THROTTLED;
    case 507:
        return BP_ERR_NO_SPACE;
    default:
        return status >= 500 ? BP_ERR_RETRYABLE : BP_ERR_PERMANENT;
    }
}

size_t
bp_http_first_line(const char *message)
{
    size_t n = message == NULL ? 0 : strcspn(message, "\r\n");
    while (n > 0 && strchr(". \t", message[n - 1]) != NULL) {
        n--;
    }
    return n;
}

void
bp_http_put_facts(struct bp_error *error, const struct bp_http_facts *facts)
{
    error->remote_status = facts->status;
    error->retry_after_ms = facts->retry_after_ms;
    (void)snprintf(error->code, sizeof(error->code), "%s", facts->code == NULL ? "" : facts->code);
    (void)snprintf(error->request_id, sizeof(error->request_id), "%s",
                   facts->request_id == NULL ? "" : facts->request_id);
}
