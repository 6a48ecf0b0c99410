/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests of /api/v2: handlers called as the server calls them, on a service with real
 * workers over what verb_seed has made.
 */
#ifndef BP_TESTS_UNIT_SERVER_API_FIXTURE_H
#define BP_TESTS_UNIT_SERVER_API_FIXTURE_H

#include "core/server/route.h"
#include "core/server/service.h"
#include "tests/unit/core/verb/verb_fixture.h"

#define API_JOBS "/api/v2/jobs"

extern bp_service *api_service;

void api_setup(void);
void api_teardown(void);

/** A request to one of the routes of /api/v2.  @body, @key: may be NULL.  Returns: (transfer full)
 */
bp_reply *api_ask_with_key(const char *method, const char *path, const char *body, const char *key);
bp_reply *api_ask(const char *method, const char *path, const char *body);

#define ASSERT_REFUSED(method, path, sent, wanted, text)                                      \
    do {                                                                                      \
        g_autoptr(bp_reply) refusal = api_ask(method, path, sent);                            \
        ck_assert_msg(refusal->status == (wanted), "%u: %s", refusal->status, refusal->body); \
        ck_assert_str_eq(refusal->type, "application/problem+json");                          \
        ck_assert_msg(strstr(refusal->body, text) != NULL, "%s", refusal->body);              \
    } while (0)

/** A GET that succeeds.  Returns: (transfer full) */
json_t *api_get(const char *path);
/** A header of an answer, or NULL. */
const char *api_header(const bp_reply *answer, const char *name);
/** A request that starts a job.  Returns: (transfer full) where it is to be looked for */
char *api_start(const char *method, const char *path, const char *body);
/** Until that job is over, which has to be in that state then. */
void api_wait_for(const char *path, const char *state);

#endif
