/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether bakplane would load a file from a directory: the rules of its `plugins` settings.
 */
#ifndef BAKPLANE_TESTKIT_TRUST_H
#define BAKPLANE_TESTKIT_TRUST_H

#include <stdbool.h>

/** False with new text in *why: file or directory can be changed by others, or it lies elsewhere.
 */
bool bp_kit_trust(const char *path, const char *dir, char **why);

#endif
