/* SPDX-License-Identifier: Apache-2.0
 *
 * See crc32c.h.  The tables are those of eight slices: a step takes eight bytes.
 */
#include "sdk/lib/crc32c.h"

#include <pthread.h>
#include <string.h>

#include "sdk/lib/ban.h"

#define POLYNOMIAL UINT32_C(0x82f63b78) /* bits reversed */
#define SLICES 8

static uint32_t table[SLICES][256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
make_tables(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? POLYNOMIAL : 0);
        }
        table[0][i] = crc;
    }
    for (uint32_t i = 0; i < 256; i++) {
        for (int slice = 1; slice < SLICES; slice++) {
            uint32_t before = table[slice - 1][i];
            table[slice][i] = (before >> 8) ^ table[0][before & 255];
        }
    }
}

uint32_t
bp_crc32c_by_table(uint32_t crc, const void *bytes, size_t n)
{
    const uint8_t *next = bytes;
    (void)pthread_once(&once, make_tables);
    crc = ~crc;
    for (; n >= SLICES; n -= SLICES, next += SLICES) {
        uint32_t sum = 0;
        for (uint32_t i = 0; i < SLICES; i++) {
            uint32_t byte = next[i] ^ (i < 4 ? (crc >> (8 * i)) & 255 : 0);
            sum ^= table[SLICES - 1 - i][byte];
        }
        crc = sum;
    }
    for (; n > 0; n--, next++) {
        crc = (crc >> 8) ^ table[0][(crc ^ *next) & 255];
    }
    return ~crc;
}

#if defined(__x86_64__) && defined(__GNUC__)
__attribute__((target("sse4.2"))) static uint32_t
by_processor(uint32_t crc, const uint8_t *next, size_t n)
{
    uint64_t sum = ~crc;
    for (; n >= 8; n -= 8, next += 8) {
        uint64_t word;
        memcpy(&word, next, sizeof(word));
        sum = __builtin_ia32_crc32di(sum, word);
    }
    for (; n > 0; n--, next++) {
        sum = __builtin_ia32_crc32qi((uint32_t)sum, *next);
    }
    return ~(uint32_t)sum;
}
#endif

uint32_t
bp_crc32c(uint32_t crc, const void *bytes, size_t n)
{
#if defined(__x86_64__) && defined(__GNUC__)
    if (__builtin_cpu_supports("sse4.2")) {
        return by_processor(crc, bytes, n);
    }
#endif
    return bp_crc32c_by_table(crc, bytes, n);
}

void
bp_crc32c_put(uint32_t crc, uint32_t by, struct bp_checksum *out)
{
    memset(out, 0, sizeof(*out));
    out->kind = BP_CHECKSUM_CRC32C;
    out->by = by;
    for (uint32_t i = 0; i < 4; i++) {
        out->value[i] = (uint8_t)(crc >> (24 - 8 * i));
    }
}

uint32_t
bp_crc32c_get(const struct bp_checksum *sum)
{
    const uint8_t *value = sum->value;
    return (uint32_t)value[0] << 24 | (uint32_t)value[1] << 16 | (uint32_t)value[2] << 8 | value[3];
}
