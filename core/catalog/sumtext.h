/* SPDX-License-Identifier: Apache-2.0
 *
 * A checksum as one word, as manifest and journal hold it: "xxh3-128:host:0123…", that is kind,
 * who computed it, and the value in hex.
 */
#ifndef BP_CORE_CATALOG_SUMTEXT_H
#define BP_CORE_CATALOG_SUMTEXT_H

#include <bakplane/storage.h>
#include <glib.h>
#include <stdbool.h>
#include <xxhash.h>

/** NULL for kind NONE and for kinds that have no name.  Returns: (transfer full) (nullable) */
char *bp_sumtext_dup(const struct bp_checksum *sum);

/** NULL is kind NONE.  false when the word is no checksum. */
bool bp_sumtext_parse(const char *text, struct bp_checksum *out);

/** XXH3-128 of bytes that the host has. */
void bp_sumtext_hash(const void *bytes, gsize n, struct bp_checksum *out);

/** XXH3-128 of what was fed to `state`. */
void bp_sumtext_digest(const XXH3_state_t *state, struct bp_checksum *out);

#endif
