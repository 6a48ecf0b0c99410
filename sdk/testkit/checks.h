/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables of checks, one of each file checks_*.c, in the order in which they run.
 */
#ifndef BAKPLANE_TESTKIT_CHECKS_H
#define BAKPLANE_TESTKIT_CHECKS_H

#include "sdk/testkit/kit.h"

extern const struct bp_kit_check bp_kit_checks_load[], bp_kit_checks_config[];
extern const struct bp_kit_check bp_kit_checks_write[], bp_kit_checks_condition[];
extern const struct bp_kit_check bp_kit_checks_read[], bp_kit_checks_list[];
extern const struct bp_kit_check bp_kit_checks_many[], bp_kit_checks_remove[];
extern const struct bp_kit_check bp_kit_checks_copy[], bp_kit_checks_parts[];
extern const struct bp_kit_check bp_kit_checks_errors[], bp_kit_checks_cancel[];
extern const struct bp_kit_check bp_kit_checks_threads[], bp_kit_checks_server[];
extern const struct bp_kit_check bp_kit_checks_leaks[];

extern const struct bp_kit_check bp_kit_checks_source[], bp_kit_checks_capture[];
extern const struct bp_kit_check bp_kit_checks_pin[], bp_kit_checks_restore[];

/* Each table ends with one that has no name. */
#define BP_KIT_CHECKS_END \
    {                     \
        .name = NULL      \
    }

#endif
