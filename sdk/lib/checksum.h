/* SPDX-License-Identifier: Apache-2.0
 *
 * struct bp_checksum as text and compared.  Pure functions, any thread.
 */
#ifndef BAKPLANE_LIB_CHECKSUM_H
#define BAKPLANE_LIB_CHECKSUM_H

#include <bakplane/storage.h>
#include <stdbool.h>

BP_BEGIN_DECLS

/** Room for the hex form of any checksum and its NUL. */
#define BP_CHECKSUM_HEX_MAX 129

/** Bytes of value[] that a kind uses; 0 for NONE and unknown kinds. */
size_t bp_checksum_length(uint32_t kind);

/** Static name: "none", "xxh3-128", "sha256", "crc32c", "md5"; NULL for unknown kinds. */
const char *bp_checksum_kind_name(uint32_t kind);

/** Finds a kind by that name; -1 when there is none. */
int bp_checksum_kind_parse(const char *name, uint32_t *kind);

/** Lower-case hex into out[BP_CHECKSUM_HEX_MAX]; "" for NONE and unknown kinds. */
void bp_checksum_to_hex(const struct bp_checksum *sum, char *out);

/** Fills *sum (all of it, `by` too) from hex of exactly the kind's length; -1 when malformed. */
int bp_checksum_from_hex(struct bp_checksum *sum, uint32_t kind, uint32_t by, const char *hex);

/** Same known kind and value.  False when either is NONE: nothing was compared then. */
bool bp_checksum_equal(const struct bp_checksum *a, const struct bp_checksum *b);

BP_END_DECLS

#endif
