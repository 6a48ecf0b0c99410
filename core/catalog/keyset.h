/* SPDX-License-Identifier: Apache-2.0
 *
 * A set of keys in 16 bytes each: their 128-bit hashes.  With a million keys the chance that two
 * of them share one is below 10^-26, less than that of the memory being wrong; so equality of
 * hashes counts as equality of keys.
 */
#ifndef BP_CORE_CATALOG_KEYSET_H
#define BP_CORE_CATALOG_KEYSET_H

#include <glib.h>
#include <stdbool.h>

typedef struct bp_key_hash {
    guint64 high, low;
} bp_key_hash;

bp_key_hash bp_key_hash_of(const char *key);

typedef struct bp_keyset bp_keyset;

/** Returns: (transfer full) */
bp_keyset *bp_keyset_new(void);
void bp_keyset_free(bp_keyset *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_keyset, bp_keyset_free)

/** false when it was there already. */
bool bp_keyset_add(bp_keyset *set, const char *key);
bool bp_keyset_has(const bp_keyset *set, const char *key);

#endif
