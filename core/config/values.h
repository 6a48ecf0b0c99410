/* SPDX-License-Identifier: Apache-2.0
 *
 * From the text that somebody wrote to the one form that everybody reads.  Pure functions.
 */
#ifndef BP_CORE_CONFIG_VALUES_H
#define BP_CORE_CONFIG_VALUES_H

#include <bakplane/config.h>
#include <glib.h>

/**
 * Check `text` against the key and normalise it: INT without leading zeros, SIZE in bytes,
 * DURATION in ms, BOOL "true" or "false", PATH absolute (relative ones start at `base_dir`).
 * INVALID says what is wrong with the value; the caller says where it stands.
 * Returns: (transfer full) (nullable)
 */
char *bp_config__normalise(const struct bp_config_key *key, const char *text, const char *base_dir,
                           GError **error);

/** What the key accepts, for manuals: "1 to 256", "size or stream", "" = anything. */
char *bp_config__range_text(const struct bp_config_key *key);

#endif
