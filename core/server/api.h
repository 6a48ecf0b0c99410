/* SPDX-License-Identifier: Apache-2.0
 *
 * What all handlers of /api/v2 share: parameters and bodies that are taken strictly, and a job as
 * the answer to whoever started it.  What nobody knows is refused by its name: a filter that is not
 * obeyed shows too much, and a switch that is not obeyed does too much.
 *
 * Only for the files of /api/v2.  Any thread.
 */
#ifndef BP_CORE_SERVER_API_H
#define BP_CORE_SERVER_API_H

#include "core/server/route.h"
#include "core/server/service.h"

#define BP_API_HERE "/api/v2"
#define BP_API_MAX_PAGE 1000
#define BP_API_PAGE 100 /* without ?limit */

/** INVALID names a parameter of the query that is not among them.  @known: up to NULL. */
bool bp_api__check_parameters(const bp_http_request *request, const char *const *known,
                              GError **error);
typedef struct bp_api_number {
    const char *name;
    guint64 least, most, fallback; /* fallback: where it is not there */
} bp_api_number;
bool bp_api__number(const bp_http_request *request, const bp_api_number *wanted, guint64 *out,
                    GError **error);
/** A parameter that is "true" or "false"; false where it is not there. */
bool bp_api__switch(const bp_http_request *request, const char *name, bool *out, GError **error);

/** The body as an object.  INVALID.  Returns: (transfer full) (nullable) */
json_t *bp_api__body(const bp_http_request *request, GError **error);
/** The same, but none is an empty object. */
json_t *bp_api__optional_body(const bp_http_request *request, GError **error);
/** INVALID where there is a body with any member. */
bool bp_api__check_no_body(const bp_http_request *request, GError **error);

/** A job as it is now. */
bp_reply *bp_api__job(bp_service *service, const char *id, unsigned status);

/**
 * Start a job: 202, its Location and the job; 200 where the Idempotency-Key of the request had
 * started it before; 422 where that key belongs to another job.
 * @wanted: as core/jobs/request.h, from outside: settings are refused, because they could name
 * addresses that the configuration does not.  Returns: (transfer full)
 */
bp_reply *bp_api__start(bp_service *service, const bp_http_request *request, const json_t *wanted);

#endif
