/* SPDX-License-Identifier: Apache-2.0
 *
 * A translated configuration as a file in our own dialect.
 */
#ifndef BP_CORE_COMPAT_MIGRATE_H
#define BP_CORE_COMPAT_MIGRATE_H

#include "core/config/config.h"

/**
 * The text of that file.  Secrets that stood in a variable stay there, as {env: NAME}; what else
 * came from a variable or from --set is written down, and said in `report` (char *, added).
 * @root: what a dialect translated.  @from: path of the file, for the first line.
 * Returns: (transfer full) text that may hold secrets
 */
char *bp_migrate_text(const bp_node *root, const char *from, GPtrArray *report);

#endif
