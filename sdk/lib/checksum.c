/* SPDX-License-Identifier: Apache-2.0
 *
 * struct bp_checksum as text and compared.
 */
#include "sdk/lib/checksum.h"

#include <string.h>

#include "sdk/lib/ban.h"

static const struct {
    const char *name;
    size_t length;
} kinds[] = {
    [BP_CHECKSUM_NONE] = {"none", 0},      [BP_CHECKSUM_XXH3_128] = {"xxh3-128", 16},
    [BP_CHECKSUM_SHA256] = {"sha256", 32}, [BP_CHECKSUM_CRC32C] = {"crc32c", 4},
    [BP_CHECKSUM_MD5] = {"md5", 16},
};

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

size_t
bp_checksum_length(uint32_t kind)
{
    return kind < N_KINDS ? kinds[kind].length : 0;
}

const char *
bp_checksum_kind_name(uint32_t kind)
{
    return kind < N_KINDS ? kinds[kind].name : NULL;
}

int
bp_checksum_kind_parse(const char *name, uint32_t *kind)
{
    for (uint32_t i = 0; i < N_KINDS; i++) {
        if (strcmp(name, kinds[i].name) == 0) {
            *kind = i;
            return 0;
        }
    }
    return -1;
}

void
bp_checksum_to_hex(const struct bp_checksum *sum, char *out)
{
    static const char digits[] = "0123456789abcdef";
    size_t length = bp_checksum_length(sum->kind);
    for (size_t i = 0; i < length; i++) {
        out[2 * i] = digits[sum->value[i] >> 4];
        out[2 * i + 1] = digits[sum->value[i] & 15];
    }
    out[2 * length] = '\0';
}

static int
nibble(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

int
bp_checksum_from_hex(struct bp_checksum *sum, uint32_t kind, uint32_t by, const char *hex)
{
    size_t length = bp_checksum_length(kind);
    memset(sum, 0, sizeof(*sum));
    if (length == 0 || strlen(hex) != 2 * length) {
        return -1;
    }
    for (size_t i = 0; i < length; i++) {
        int high = nibble(hex[2 * i]);
        int low = nibble(hex[2 * i + 1]);
        if (high < 0 || low < 0) {
            memset(sum, 0, sizeof(*sum));
            return -1;
        }
        sum->value[i] = (uint8_t)(high << 4 | low);
    }
    sum->kind = kind;
    sum->by = by;
    return 0;
}

bool
bp_checksum_equal(const struct bp_checksum *a, const struct bp_checksum *b)
{
    size_t length = bp_checksum_length(a->kind);
    return length > 0 && a->kind == b->kind && memcmp(a->value, b->value, length) == 0;
}
