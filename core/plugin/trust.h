/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside core/plugin: may this file be loaded?  See plugins.h for the rules.
 */
#ifndef BP_CORE_PLUGIN_TRUST_H
#define BP_CORE_PLUGIN_TRUST_H

#include <glib.h>
#include <stdbool.h>

/**
 * The file behind `path`, if it can be trusted, with every directory and link that leads to it.
 *
 * @allowed: hex sums, or NULL = any.  @sha256: (out) (transfer full).
 * INVALID: not absolute; DENIED names the path and the rule, and says how to mend it; NOT_FOUND.
 * Returns: (transfer full) (nullable) the path without symlinks
 */
char *bp_trust_check(const char *path, const char *const *allowed, char **sha256, GError **error);

/** The rule that ownership and mode of one path must obey; for tests. */
bool bp_trust_check_mode(const char *path, guint32 mode, guint32 owner, guint32 us, GError **error);

#endif
