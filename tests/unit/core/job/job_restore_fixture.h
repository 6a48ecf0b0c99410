/* SPDX-License-Identifier: Apache-2.0
 *
 * What tests of single targets share: one backup, parameters, and what must hold after a failure.
 */
#ifndef BP_TESTS_JOB_RESTORE_FIXTURE_H
#define BP_TESTS_JOB_RESTORE_FIXTURE_H

#include <stdatomic.h>

#include "tests/unit/core/job/job_fixture.h"

extern bp_restore_params job_params;
extern GError *job_error;
extern atomic_int job_ended;      /* outcome that restore_end was told, or -1 */
extern struct bp_proof job_proof; /* what job_spoil_proof answers */

bp_status job_set_raw(struct bp_error *raw, int cls, const char *text);
void job_spoil_end(struct bp_source_ops *source, struct bp_storage_ops *storage);
void job_spoil_proof(struct bp_source_ops *source, struct bp_storage_ops *storage);
void job_assert_no_staging(void);
const char *job_state_of(const char *target);
void job_restore_fails(int cls, const char *text);
void job_next_run_is_fine(void);
void job_restore_setup(void);
/* Stands in for restore_end: notes the outcome in job_ended. */
bp_status job_noting_end(struct bp_restore *restore, const struct bp_op *op, int32_t outcome,
                         struct bp_error *raw);

#endif
