/* SPDX-License-Identifier: Apache-2.0
 *
 * See keyset.h.  Open addressing with linear probing, at most three quarters full.
 */
#include "core/catalog/keyset.h"

#include <string.h>
#include <xxhash.h>

#include "sdk/lib/ban.h"

#define FIRST_SLOTS 1024

struct bp_keyset {
    bp_key_hash *slots; /* all zero = free */
    gsize n_slots;      /* a power of two */
    gsize used;
};

bp_key_hash
bp_key_hash_of(const char *key)
{
    XXH128_hash_t hash = XXH3_128bits(key, strlen(key));
    /* Zero marks a free slot; one bit less costs nothing. */
    return (bp_key_hash){.high = hash.high64 | 1, .low = hash.low64};
}

bp_keyset *
bp_keyset_new(void)
{
    bp_keyset *set = g_new0(bp_keyset, 1);
    set->n_slots = FIRST_SLOTS;
    set->slots = g_new0(bp_key_hash, set->n_slots);
    return set;
}

void
bp_keyset_free(bp_keyset *set)
{
    if (set != NULL) {
        g_free(set->slots);
        g_free(set);
    }
}

/* The slot that holds `hash`, or the free one where it belongs. */
static bp_key_hash *
slot_of(const bp_keyset *set, bp_key_hash hash)
{
    gsize at = (gsize)hash.low & (set->n_slots - 1);
    while (set->slots[at].high != 0 &&
           (set->slots[at].high != hash.high || set->slots[at].low != hash.low)) {
        at = (at + 1) & (set->n_slots - 1);
    }
    return &set->slots[at];
}

static void
grow(bp_keyset *set)
{
    g_autofree bp_key_hash *old = set->slots;
    gsize n_old = set->n_slots;
    set->n_slots *= 2;
    set->slots = g_new0(bp_key_hash, set->n_slots);
    for (gsize i = 0; i < n_old; i++) {
        if (old[i].high != 0) {
            *slot_of(set, old[i]) = old[i];
        }
    }
}

bool
bp_keyset_add(bp_keyset *set, const char *key)
{
    bp_key_hash hash = bp_key_hash_of(key);
    bp_key_hash *slot = slot_of(set, hash);
    if (slot->high != 0) {
        return false;
    }
    *slot = hash;
    set->used++;
    if (set->used * 4 > set->n_slots * 3) {
        grow(set);
    }
    return true;
}

bool
bp_keyset_has(const bp_keyset *set, const char *key)
{
    return slot_of(set, bp_key_hash_of(key))->high != 0;
}
