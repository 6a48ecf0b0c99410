/* SPDX-License-Identifier: Apache-2.0
 *
 * A server that speaks HTTP/1.1: it listens, reads requests within limits, finds their route, and
 * sends the answer.  What is no HTTP is refused by libmicrohttpd in words of its own; all other
 * refusals are problems (reply.h).  Nothing here knows who may come in: that is the guard's.
 *
 * Each request has an ID, the client's (X-Request-Id) or one of ours: it is in the answer, and in
 * each line that is logged for it.
 *
 * Each connection has a thread, so that a handler may wait as long as it likes: there are as many
 * as max_connections.
 */
#ifndef BP_CORE_SERVER_HTTP_H
#define BP_CORE_SERVER_HTTP_H

#include "core/server/route.h"

typedef struct bp_http bp_http;

typedef struct bp_http_params {
    const char *address;    /* as bp_listen */
    guint16 port;           /* 0 = the system chooses */
    const bp_route *routes; /* stay the caller's until bp_http_stop, as ctx */
    gsize n_routes;
    bp_guard guard;             /* NULL = everybody may do everything */
    void *ctx;                  /* for handlers and guard */
    const char *tls_cert;       /* PEM, the server's own first; NULL = no TLS */
    const char *tls_key;        /* PEM, without a password */
    guint max_connections;      /* more are closed at once */
    gsize max_head, max_body;   /* bytes of first line and headers, and of a body */
    gint64 receive_ns, send_ns; /* for a whole request, and for a whole answer */
} bp_http_params;

/** Errors: as bp_listen; INVALID for certificate and key; NOMEM.  Returns: (transfer full) */
bp_http *bp_http_start(const bp_http_params *params, GError **error);
/** The one that it listens on. */
guint16 bp_http_port(const bp_http *http);

/** No new connections; requests on their way have grace_ns to end.  Handlers are told by
 * bp_http_request.stopping, and waited for.  Not from a handler. */
void bp_http_stop(bp_http *take_http, gint64 grace_ns);

#endif
