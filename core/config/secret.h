/* SPDX-License-Identifier: Apache-2.0
 *
 * Secrets: text, {file: PATH} or {env: NAME}.
 */
#ifndef BP_CORE_CONFIG_SECRET_H
#define BP_CORE_CONFIG_SECRET_H

#include "core/config/tree.h"

#define BP_SECRET_MAX_BYTES 65536

/**
 * @node: TEXT or a map of one reference.  @path: of the key, for warnings.
 * The text is told to bp_log_add_secret; a file that everybody can read is warned about.
 * INVALID for any other map, a variable that is not set, a file with NUL bytes; NOT_FOUND and
 * DENIED for the file.  Returns: (transfer full) (nullable); wipe before freeing
 */
char *bp_config__secret(const bp_config_tree *tree, const bp_node *node, const char *path,
                        GError **error);
/** The same without reading anything: the map has the right shape. */
bool bp_config__secret_check(const bp_node *node, GError **error);

#endif
