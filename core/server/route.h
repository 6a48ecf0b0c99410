/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests, and the table that says who answers them.
 */
#ifndef BP_CORE_SERVER_ROUTE_H
#define BP_CORE_SERVER_ROUTE_H

#include "core/base/cancel.h"
#include "core/server/reply.h"
#include "core/server/target.h"

/** What somebody has to be allowed to do, each including those before it. */
typedef enum {
    BP_ROLE_NONE,    /* anybody who reaches the port: is it alive */
    BP_ROLE_READ,    /* looks */
    BP_ROLE_OPERATE, /* starts, cancels, removes */
} bp_role;

typedef struct bp_route bp_route;

/** A request that has been read whole.  Borrowed, as all in it. */
typedef struct bp_http_request {
    const char *method; /* HEAD is GET here */
    const bp_http_target *target;
    const bp_route *route;     /* NULL for a guard: nothing is there */
    const GHashTable *headers; /* char *, lower case, to char *; only the first of a name */
    const char *body;          /* NUL-terminated behind its n bytes; "" for a guard */
    gsize n;
    const bp_cancel *stopping; /* the server is about to end: do not wait any longer */
} bp_http_request;

struct bp_route {
    const char *method; /* "GET", "POST" … */
    const char *path;   /* "/api/v2/jobs/{id}": a part in braces is any part */
    bp_role role;
    /** On a thread of the connection's own; may take its time.  Returns: (transfer full) */
    bp_reply *(*answer)(void *ctx, const bp_http_request *request);
};

/**
 * Who may come in, asked when the headers have been read and the body has not, also for what no
 * route is for.  Many threads at a time.  Returns: (transfer full) the refusal, or NULL
 */
typedef bp_reply *(*bp_guard)(void *ctx, const bp_http_request *request);

/** Value of a header by its name in lower case, or NULL. */
const char *bp_http_header(const bp_http_request *request, const char *name);
/** The part of the path that stands for {name}.  The route must have it. */
const char *bp_http_part(const bp_http_request *request, const char *name);

/**
 * The route of a request.  @allow: which methods there are at this path, "GET, POST", when it is
 * there but not with this one; else NULL.  Returns: (nullable)
 */
const bp_route *bp_route_find(const bp_route *routes, gsize n, const char *method,
                              const bp_http_target *target, char **allow);

#endif
