/* SPDX-License-Identifier: Apache-2.0
 *
 * XXH3-128 by xxHash, SHA-256 and MD5 by GLib, CRC32C by the SDK.
 */
#include "core/copy/hasher.h"

#include <string.h>
#include <xxhash.h>

#include "sdk/lib/checksum.h"
#include "sdk/lib/crc32c.h"

#include "sdk/lib/ban.h"

#define CRC32C_POLYNOMIAL 0x82f63b78U /* Castagnoli, bits reversed */

struct bp_hasher {
    guint32 kind;
    guint32 crc;
    GChecksum *glib;    /* SHA256, MD5 */
    XXH3_state_t *xxh3; /* aligned as it demands */
};

bp_hasher *
bp_hasher_new(guint32 kind)
{
    if (kind == BP_CHECKSUM_NONE || bp_checksum_length(kind) == 0) {
        return NULL;
    }
    bp_hasher *hasher = g_new0(bp_hasher, 1);
    hasher->kind = kind;
    if (kind == BP_CHECKSUM_XXH3_128) {
        hasher->xxh3 = XXH3_createState();
        g_assert(hasher->xxh3 != NULL);
    } else if (kind == BP_CHECKSUM_SHA256) {
        hasher->glib = g_checksum_new(G_CHECKSUM_SHA256);
    } else if (kind == BP_CHECKSUM_MD5) {
        hasher->glib = g_checksum_new(G_CHECKSUM_MD5);
    }
    bp_hasher_reset(hasher);
    return hasher;
}

void
bp_hasher_free(bp_hasher *hasher)
{
    if (hasher != NULL) {
        XXH3_freeState(hasher->xxh3);
        if (hasher->glib != NULL) {
            g_checksum_free(hasher->glib);
        }
        g_free(hasher);
    }
}

void
bp_hasher_reset(bp_hasher *hasher)
{
    if (hasher == NULL) {
        return;
    }
    hasher->crc = 0;
    if (hasher->xxh3 != NULL) {
        XXH3_128bits_reset(hasher->xxh3);
    }
    if (hasher->glib != NULL) {
        g_checksum_reset(hasher->glib);
    }
}

void
bp_hasher_update(bp_hasher *hasher, const void *bytes, gsize n)
{
    if (hasher == NULL || n == 0) {
        return;
    }
    if (hasher->xxh3 != NULL) {
        XXH3_128bits_update(hasher->xxh3, bytes, n);
    } else if (hasher->glib != NULL) {
        g_checksum_update(hasher->glib, bytes, (gssize)n);
    } else {
        hasher->crc = bp_crc32c(hasher->crc, bytes, n);
    }
}

void
bp_hasher_copy(bp_hasher *to, const bp_hasher *from)
{
    if (to == NULL || from == NULL) {
        return;
    }
    g_assert(to->kind == from->kind);
    to->crc = from->crc;
    if (from->xxh3 != NULL) {
        XXH3_copyState(to->xxh3, from->xxh3);
    }
    if (from->glib != NULL) {
        g_checksum_free(to->glib);
        to->glib = g_checksum_copy(from->glib);
    }
}

void
bp_hasher_get(const bp_hasher *hasher, struct bp_checksum *out)
{
    memset(out, 0, sizeof *out);
    if (hasher == NULL) {
        return;
    }
    out->kind = hasher->kind;
    out->by = BP_CHECKSUM_BY_HOST;
    if (hasher->xxh3 != NULL) {
        XXH128_canonical_t canonical;
        XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(hasher->xxh3));
        memcpy(out->value, canonical.digest, sizeof canonical.digest);
    } else if (hasher->glib != NULL) {
        GChecksum *last = g_checksum_copy(hasher->glib); /* asking closes a GChecksum */
        gsize n = sizeof out->value;
        g_checksum_get_digest(last, out->value, &n);
        g_checksum_free(last);
    } else {
        bp_crc32c_put(hasher->crc, BP_CHECKSUM_BY_HOST, out);
    }
}

/* Product of two polynomials modulo the CRC's; the highest bit is x^0. */
static guint32
multiply(guint32 a, guint32 b)
{
    guint32 product = 0;
    for (guint32 bit = 1U << 31; bit != 0; bit >>= 1) {
        if ((a & bit) != 0) {
            product ^= b;
        }
        b = (b >> 1) ^ ((b & 1) != 0 ? CRC32C_POLYNOMIAL : 0);
    }
    return product;
}

/* x^(8n): what n bytes that follow do to a CRC. */
static guint32
shift_by(guint64 n)
{
    guint32 power = 1U << 31;
    for (guint32 square = 1U << (31 - 8); n > 0; n >>= 1) {
        if ((n & 1) != 0) {
            power = multiply(square, power);
        }
        square = multiply(square, square);
    }
    return power;
}

void
bp_crc32c_join(struct bp_checksum *first, const struct bp_checksum *second, guint64 n)
{
    g_assert(first->kind == BP_CHECKSUM_CRC32C && second->kind == BP_CHECKSUM_CRC32C);
    guint32 crc = multiply(shift_by(n), bp_crc32c_get(first)) ^ bp_crc32c_get(second);
    bp_crc32c_put(crc, first->by, first);
}
