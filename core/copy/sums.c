/* SPDX-License-Identifier: Apache-2.0
 *
 * bp_sums: the checksums of one item, see transfer.h.
 */
#include "core/copy/transfer.h"

#include "sdk/lib/ban.h"

void
bp_sums_init(bp_sums *sums, const bp_copy_params *params, guint32 named_kind)
{
    *sums = (bp_sums){NULL, NULL};
    if (!params->no_checksum) {
        sums->own = bp_hasher_new(BP_CHECKSUM_XXH3_128);
        if (named_kind != BP_CHECKSUM_XXH3_128) {
            sums->named = bp_hasher_new(named_kind);
        }
    }
}

void
bp_sums_clear(bp_sums *sums)
{
    bp_hasher_free(sums->own);
    bp_hasher_free(sums->named);
    *sums = (bp_sums){NULL, NULL};
}

void
bp_sums_reset(bp_sums *sums)
{
    bp_hasher_reset(sums->own);
    bp_hasher_reset(sums->named);
}

void
bp_sums_update(bp_sums *sums, const void *bytes, gsize n)
{
    bp_hasher_update(sums->own, bytes, n);
    bp_hasher_update(sums->named, bytes, n);
}

void
bp_sums_copy(bp_sums *to, const bp_sums *from)
{
    bp_hasher_copy(to->own, from->own);
    bp_hasher_copy(to->named, from->named);
}
