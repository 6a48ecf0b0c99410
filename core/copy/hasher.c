/* SPDX-License-Identifier: Apache-2.0
 *
 * XXH3-128 by xxHash, SHA-256 and MD5 by GLib, CRC32C by a table of eight slices.
 */
#include "core/copy/hasher.h"

#include <pthread.h>
#include <string.h>
#include <xxhash.h>

#include "sdk/lib/checksum.h"

#include "sdk/lib/ban.h"

#define CRC32C_POLYNOMIAL 0x82f63b78U /* Castagnoli, bits reversed */
#define SLICES 8

struct bp_hasher {
    guint32 kind;
    guint32 crc;
    GChecksum *glib;    /* SHA256, MD5 */
    XXH3_state_t *xxh3; /* aligned as it demands */
};

static guint32 crc_table[SLICES][256];
static pthread_once_t crc_once = PTHREAD_ONCE_INIT;

static void
make_crc_table(void)
{
    for (guint32 i = 0; i < 256; i++) {
        guint32 crc = i;
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? CRC32C_POLYNOMIAL : 0);
        }
        crc_table[0][i] = crc;
    }
    for (guint32 i = 0; i < 256; i++) {
        for (int slice = 1; slice < SLICES; slice++) {
            guint32 before = crc_table[slice - 1][i];
            crc_table[slice][i] = (before >> 8) ^ crc_table[0][before & 0xff];
        }
    }
}

static guint32
crc_update(guint32 crc, const guint8 *bytes, gsize n)
{
    crc = ~crc;
    for (; n >= SLICES; bytes += SLICES, n -= SLICES) {
        guint64 word;
        memcpy(&word, bytes, sizeof word);
        word = GUINT64_FROM_LE(word) ^ crc;
        crc = 0;
        for (int slice = 0; slice < SLICES; slice++) {
            crc ^= crc_table[SLICES - 1 - slice][(word >> (8 * slice)) & 0xff];
        }
    }
    for (; n > 0; bytes++, n--) {
        crc = (crc >> 8) ^ crc_table[0][(crc ^ *bytes) & 0xff];
    }
    return ~crc;
}

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
    } else {
        pthread_once(&crc_once, make_crc_table);
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
        hasher->crc = crc_update(hasher->crc, bytes, n);
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
        guint32 big = GUINT32_TO_BE(hasher->crc);
        memcpy(out->value, &big, sizeof big);
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

static guint32
crc_of(const struct bp_checksum *sum)
{
    guint32 big;
    memcpy(&big, sum->value, sizeof big);
    return GUINT32_FROM_BE(big);
}

void
bp_crc32c_join(struct bp_checksum *first, const struct bp_checksum *second, guint64 n)
{
    g_assert(first->kind == BP_CHECKSUM_CRC32C && second->kind == BP_CHECKSUM_CRC32C);
    guint32 big = GUINT32_TO_BE(multiply(shift_by(n), crc_of(first)) ^ crc_of(second));
    memcpy(first->value, &big, sizeof big);
}
