/* SPDX-License-Identifier: Apache-2.0
 *
 * What is done beside the checks, in processes like theirs.
 */
#ifndef BAKPLANE_TESTKIT_SUMMARY_H
#define BAKPLANE_TESTKIT_SUMMARY_H

#include "sdk/testkit/kit.h"

/** Before: tells what plugin that is and what it promises; ends the run if settings are wrong. */
extern const struct bp_kit_check bp_kit_summary;
/** After: removes what the checks left in the storages. */
extern const struct bp_kit_check bp_kit_sweep;

#endif
