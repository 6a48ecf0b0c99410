/* SPDX-License-Identifier: Apache-2.0
 *
 * What tests of single targets share: one backup, parameters, and what must hold after a failure.
 */
#ifndef BP_TESTS_UNIT_CORE_VERB_RESTORE_FIXTURE_H
#define BP_TESTS_UNIT_CORE_VERB_RESTORE_FIXTURE_H

#include <stdatomic.h>

#include "tests/unit/core/verb/verb_fixture.h"

extern bp_restore_params verb_params;
extern GError *verb_error;
extern atomic_int verb_ended;      /* outcome that restore_end was told, or -1 */
extern struct bp_proof verb_proof; /* what verb_spoil_proof answers */

bp_status verb_set_raw(struct bp_error *raw, int cls, const char *text);
void verb_spoil_end(struct bp_source_ops *source, struct bp_storage_ops *storage);
void verb_spoil_proof(struct bp_source_ops *source, struct bp_storage_ops *storage);
void verb_assert_no_staging(void);
const char *verb_state_of(const char *target);
void verb_restore_fails(int cls, const char *text);
void verb_next_run_is_fine(void);
void verb_restore_setup(void);
/* Stands in for restore_end: notes the outcome in verb_ended. */
bp_status verb_noting_end(struct bp_restore *restore, const struct bp_op *op, int32_t outcome,
                          struct bp_error *raw);

#endif
