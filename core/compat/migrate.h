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
 * Errors: INVALID (a value that YAML cannot hold).
 * Returns: (transfer full) (nullable) text that may hold secrets
 */
char *bp_migrate_text(const bp_node *root, const char *from, GPtrArray *report, GError **error);

/**
 * A file of milvus-backup's first dialect in its second, complete: what that tool uses and we do
 * not is kept.  A credential that stood in a variable is left to the variable of its new name, and
 * a comment says so; what else came from variables is written, and said in `report`.  What is
 * wrong with the result is said there, too, and it is not `*valid` then.
 *
 * @root: the file.  @path: of it, for messages.  @environ: "NAME=value", NULL-terminated.
 * Errors: INVALID, also for a file of the second dialect and for a value that YAML cannot hold.
 * Returns: (transfer full) (nullable)
 */
char *bp_migrate_second(const bp_node *root, const char *path, const char *const *environ,
                        GPtrArray *report, bool *valid, GError **error);

/**
 * Append a text in double quotes, where every character can be said, and nothing is taken for a
 * number or a list.  YAML has no bytes: what is no UTF-8 is INVALID.
 * @path, @node: whose text it is, for the error, which does not repeat it.
 */
bool bp_migrate__quote(GString *out, const char *path, const bp_node *node, const char *text,
                       GError **error);

/** The text that was built or, when it failed, NULL, with what it held wiped. */
char *bp_migrate__end(GString *take_text, bool fine);

#endif
