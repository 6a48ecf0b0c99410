/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTP for plugins: start and end of the library, and small requests whose answer fits into memory.
 * Beside it: client.h (everything else about requests), refusal.h (what a refusal means), range.h
 * (reading objects), settings.h (settings of connections), text.h (values of headers), xml.h.
 */
#ifndef BAKPLANE_HTTP_HTTP_H
#define BAKPLANE_HTTP_HTTP_H

#include "sdk/http/client.h"
#include "sdk/http/refusal.h"

BP_BEGIN_DECLS

struct bp_http_answer {
    int status;              /**< of HTTP: 200, 404 … */
    uint64_t retry_after_ms; /**< what the server asked for, or 0 */
    char *body;              /**< with a NUL behind it; NULL only after a failure */
    size_t size;
    char request_id[96]; /**< the server's name for the request, or "" */
};

/** In the plugin's init and fini; both may be called by several plugins. */
bp_status bp_http_init(struct bp_error *error);
void bp_http_fini(void);
/** The same as bp_plugin.init has it, for plugins that have nothing else to do there. */
bp_status bp_http_plugin_init(const struct bp_host *host, struct bp_error *error);

/**
 * One whole exchange.  Success means that an answer came, whatever its status.  `out` is for
 * bp_http_answer_clear, also after a failure.
 *
 * Errors: those of client.h; PERMANENT for a body longer than `max` (0 = 1 MiB).
 */
bp_status bp_http_perform(bp_http_client *client, const struct bp_op *op,
                          const struct bp_http_request *request, size_t max,
                          struct bp_http_answer *out, struct bp_error *error);
void bp_http_answer_clear(struct bp_http_answer *answer);

BP_END_DECLS

#endif
