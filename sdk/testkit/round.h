/* SPDX-License-Identifier: Apache-2.0
 *
 * One round through everything that is required of a storage: what checks of the plugin as a whole
 * do over and over.
 */
#ifndef BAKPLANE_TESTKIT_ROUND_H
#define BAKPLANE_TESTKIT_ROUND_H

#include "sdk/testkit/store.h"

/** Writes, replaces, stats, lists, reads and removes one object; all of it has to work. */
void bp_kit_round(const struct bp_kit_store *store, const char *key);
/** The same where anything may fail: the first class that is not OK, and which call it was. */
bp_status bp_kit_try_round(const struct bp_kit_store *store, const char *key,
                           struct bp_error *error);
/** What fails by right, or ends early: missing keys, an aborted write, an unread reader. */
void bp_kit_failing_round(const struct bp_kit_store *store, const char *key);

#endif
