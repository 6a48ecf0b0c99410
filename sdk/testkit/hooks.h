/* SPDX-License-Identifier: Apache-2.0
 *
 * Which names the config file may have, so that one that is misspelt does not skip a check.
 */
#ifndef BAKPLANE_TESTKIT_HOOKS_H
#define BAKPLANE_TESTKIT_HOOKS_H

#include "sdk/testkit/node.h"
#include "sdk/testkit/options.h"

/** NULL, or new text that says what in the file is of no use for plugins of this kind. */
char *bp_kit_hooks_check(const struct bp_kit_node *config, enum bp_kit_kind kind);

#endif
