/* SPDX-License-Identifier: Apache-2.0
 *
 * Several threads on the plugin under test.
 */
#ifndef BAKPLANE_TESTKIT_CROWD_H
#define BAKPLANE_TESTKIT_CROWD_H

#include "sdk/testkit/kit.h"

#define BP_KIT_CROWD_MAX 32

/** Runs work(ctx, 0) … work(ctx, n - 1), each in a thread, started together; waits for all. */
void bp_kit_crowd(struct bp_kit *kit, unsigned n, void (*work)(void *ctx, unsigned i), void *ctx);

#endif
