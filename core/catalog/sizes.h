/* SPDX-License-Identifier: Apache-2.0
 *
 * What lies below a prefix, from one listing: the sizes of many objects for the price of a request
 * per 1000 of them, where asking for each would cost one.  24 bytes each (keyset.h says why a hash
 * is enough).
 *
 * A storage without STRONG_LIST may list late: what is not found, or with another size, has to be
 * asked for by itself before it counts as missing.
 */
#ifndef BP_CORE_CATALOG_SIZES_H
#define BP_CORE_CATALOG_SIZES_H

#include "core/catalog/catalog.h"

/** So many objects are asked for one by one; for more a listing is cheaper. */
#define BP_SIZES_WORTH 64

typedef struct bp_sizes bp_sizes;

typedef struct bp_sizes_params {
    const bp_catalog *catalog;
    const bp_call *call; /* or NULL = the catalog's */
    const char *prefix;
    /** Objects that do not matter, by their key below the prefix; may be NULL. */
    bool (*skip)(void *ctx, const char *key);
    void *ctx;
} bp_sizes_params;

/** Returns: (transfer full) (nullable) */
bp_sizes *bp_sizes_load(const bp_sizes_params *params, GError **error);
void bp_sizes_free(bp_sizes *sizes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_sizes, bp_sizes_free)

/** By key below the prefix; BP_UNKNOWN when it was not listed.  Any thread. */
guint64 bp_sizes_find(const bp_sizes *sizes, const char *key);
guint64 bp_sizes_count(const bp_sizes *sizes);

#endif
