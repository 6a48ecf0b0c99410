/* SPDX-License-Identifier: Apache-2.0
 *
 * Checksums of bytes as they pass, of any kind the ABI names.  One thread per hasher.
 */
#ifndef BP_CORE_COPY_HASHER_H
#define BP_CORE_COPY_HASHER_H

#include <bakplane/storage.h>
#include <glib.h>

typedef struct bp_hasher bp_hasher;

/** NULL for NONE and for kinds it does not know.  Returns: (transfer full) (nullable) */
bp_hasher *bp_hasher_new(guint32 kind);
void bp_hasher_free(bp_hasher *hasher);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_hasher, bp_hasher_free)

/** As new.  NULL does nothing. */
void bp_hasher_reset(bp_hasher *hasher);
/** NULL does nothing. */
void bp_hasher_update(bp_hasher *hasher, const void *bytes, gsize n);
/** State of `from` into `to`, of the same kind.  Both NULL does nothing. */
void bp_hasher_copy(bp_hasher *to, const bp_hasher *from);
/** Checksum of all bytes so far, by the host; more may follow.  NULL gives NONE. */
void bp_hasher_get(const bp_hasher *hasher, struct bp_checksum *out);

/** CRC32C of two texts, one after the other, from those of each; the second has `n` bytes. */
void bp_crc32c_join(struct bp_checksum *first, const struct bp_checksum *second, guint64 n);

#endif
