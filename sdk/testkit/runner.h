/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs checks, each in a process of its own, and prints TAP.  The program itself never maps the
 * plugin, so nothing that a plugin does ends it.
 */
#ifndef BAKPLANE_TESTKIT_RUNNER_H
#define BAKPLANE_TESTKIT_RUNNER_H

#include "sdk/testkit/kit.h"

/** How the process of a check ends; anything else is a crash. */
enum bp_kit_end {
    BP_KIT_END_PASS = 0,
    BP_KIT_END_FAIL = 91,
    BP_KIT_END_SKIP = 92,
    BP_KIT_END_BAIL = 93
};

/** First byte of each line that the process of a check reports. */
enum { BP_KIT_SAYS_WHY = 'w', BP_KIT_SAYS_NOTE = 'n' };

/** Runs what is wanted of `checks`.  An exit code of the program. */
int bp_kit_run(const struct bp_kit_options *options, const struct bp_kit_node *config,
               const struct bp_kit_check *const *checks, size_t n);

#endif
