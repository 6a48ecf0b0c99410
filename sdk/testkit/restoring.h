/* SPDX-License-Identifier: Apache-2.0
 *
 * Restoring what bp_kit_capture wrote, one target at a time, as the core does.
 */
#ifndef BAKPLANE_TESTKIT_RESTORING_H
#define BAKPLANE_TESTKIT_RESTORING_H

#include "sdk/testkit/source.h"

/** How far to go. */
enum bp_kit_stage {
    BP_KIT_BEGUN,
    BP_KIT_PREPARED,
    BP_KIT_PLACED,
    BP_KIT_STEPPED,
    BP_KIT_PROVEN,
    BP_KIT_FINISHED
};

struct bp_kit_restoring {
    struct bp_kit_source *source;
    const struct bp_kit_unit *unit; /**< as captured */
    const char *parent, *target;    /**< names of what it becomes */
    const char *ours, *done;        /**< identities of an earlier run, or NULL */
    uint32_t flags, pair_flags;     /**< of the restore; of its pair, beside what the proof says */
    struct bp_restore *it;
    struct bp_restore_info info;
    char *identity; /**< after BP_KIT_PREPARED */
    char **staged;  /**< what was staged: reference, key, reference, key … */
    size_t n_staged;
};

bp_status bp_kit_try_restore_begin(struct bp_kit_restoring *self, struct bp_error *error);
bp_status bp_kit_try_prepare(struct bp_kit_restoring *self, struct bp_error *error);
/** Goes on to a stage, which is checked on the way; FINISHED compares the proof. */
void bp_kit_restore_to(struct bp_kit_restoring *self, enum bp_kit_stage stage);
/** Ends it, and removes what was staged. */
void bp_kit_restore_end(struct bp_kit_restoring *self, int32_t outcome);

#endif
