/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests of v1: a service with real workers in the scratch directory of verb_fixture.h.
 */
#ifndef BP_TESTS_UNIT_CORE_SERVER_V1_FIXTURE_H
#define BP_TESTS_UNIT_CORE_SERVER_V1_FIXTURE_H

#include "core/server/service.h"
#include "core/server/v1.h"
#include "tests/unit/core/verb/verb_fixture.h"

extern bp_service *v1_service;

void v1_setup(void);
void v1_teardown(void);
/** Another server on the same directory. */
void v1_restart(void);

/** An operation with a request in JSON, which has to be one.  Returns: (transfer full) as shown */
json_t *v1_run(const char *operation, const char *request);
/** The same with the ID that a header gives. */
json_t *v1_run_as(const char *operation, const char *request, const char *request_id);
/** It has this code, and this in its msg. */
void v1_expect(const json_t *answer, bp_v1_code code, const char *part);
/** The same at once. */
void v1_answers(const char *operation, const char *request, bp_v1_code code, const char *part);
/** Until the job of an answer's data is over. */
void v1_wait(const json_t *answer);

json_int_t v1_number(const json_t *object, const char *key);

#endif
