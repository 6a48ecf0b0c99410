/* SPDX-License-Identifier: Apache-2.0
 *
 * The library's life, and small requests.
 */
#include "sdk/http/http.h"

#include <stdio.h>
#include <stdlib.h>

#include "sdk/http/exchange.h"
#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

#define MAX_ANSWER ((size_t)1024 * 1024)

bp_status
bp_http_init(struct bp_error *error)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return bp_fail(error, BP_ERR_PERMANENT, "libcurl cannot be initialised");
    }
    return BP_OK;
}

bp_status
bp_http_plugin_init(const struct bp_host *host, struct bp_error *error)
{
    (void)host;
    return bp_http_init(error);
}

void
bp_http_fini(void)
{
    curl_global_cleanup();
}

bp_status
bp_http_perform(bp_http_client *client, const struct bp_op *op,
                const struct bp_http_request *request, size_t max, struct bp_http_answer *out,
                struct bp_error *error)
{
    *out = (struct bp_http_answer){0};
    bp_http_exchange *x = NULL;
    bp_status status = bp_http_begin(client, op, request, &x, error);
    if (status == BP_OK) {
        status = bp_http_head(x, op, &out->status, error);
    }
    if (status == BP_OK) {
        out->retry_after_ms = bp_http_retry_after_ms(x);
        (void)snprintf(out->request_id, sizeof(out->request_id), "%s", bp_http_request_id(x));
        status =
            bp_http_receive_all(x, op, max != 0 ? max : MAX_ANSWER, &out->body, &out->size, error);
    }
    bp_http_end(x);
    return status;
}

void
bp_http_answer_clear(struct bp_http_answer *answer)
{
    free(answer->body);
    *answer = (struct bp_http_answer){0};
}
