/* SPDX-License-Identifier: Apache-2.0
 *
 * A reader of Thrift's compact protocol that only skips, but for one number.  Every step checks
 * what is left; depth is bounded, and each element of a list costs at least one byte of input.
 */
#include "parquet.h"

#include <string.h>

#include "sdk/lib/ban.h"

#define MAX_DEPTH 32
#define VARINT_MAX 10
#define DOUBLE_BYTES 8
#define FIELD_NUM_ROWS 3

enum compact_type {
    TYPE_STOP = 0,
    TYPE_TRUE = 1,
    TYPE_FALSE = 2,
    TYPE_BYTE = 3,
    TYPE_I16 = 4,
    TYPE_I32 = 5,
    TYPE_I64 = 6,
    TYPE_DOUBLE = 7,
    TYPE_BINARY = 8,
    TYPE_LIST = 9,
    TYPE_SET = 10,
    TYPE_MAP = 11,
    TYPE_STRUCT = 12,
};

struct cursor {
    const uint8_t *at, *end;
};

static bool
take_byte(struct cursor *c, uint8_t *out)
{
    if (c->at == c->end) {
        return false;
    }
    *out = *c->at++;
    return true;
}

static bool
take_varint(struct cursor *c, uint64_t *out)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < VARINT_MAX; i++) {
        uint8_t byte = 0;
        if (!take_byte(c, &byte)) {
            return false;
        }
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if ((byte & 0x80) == 0) {
            *out = value;
            return true;
        }
    }
    return false;
}

static bool
skip_bytes(struct cursor *c, uint64_t n)
{
    if (n > (uint64_t)(c->end - c->at)) {
        return false;
    }
    c->at += n;
    return true;
}

static int64_t
unzigzag(uint64_t value)
{
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

static bool skip_value(struct cursor *c, unsigned type, unsigned depth);

/* Header of the next field of a struct; type STOP at its end. */
static bool
take_field(struct cursor *c, int64_t *id, unsigned *type)
{
    uint8_t header = 0;
    if (!take_byte(c, &header)) {
        return false;
    }
    *type = header & 0x0f;
    unsigned delta = header >> 4;
    if (*type == TYPE_STOP) {
        return true;
    }
    if (delta != 0) {
        *id += delta;
        return true;
    }
    uint64_t raw = 0;
    if (!take_varint(c, &raw)) {
        return false;
    }
    *id = unzigzag(raw);
    return true;
}

static bool
skip_struct(struct cursor *c, unsigned depth)
{
    int64_t id = 0;
    unsigned type = TYPE_STOP;
    do {
        if (!take_field(c, &id, &type) || (type != TYPE_STOP && !skip_value(c, type, depth))) {
            return false;
        }
    } while (type != TYPE_STOP);
    return true;
}

/* In lists and maps a bool takes a byte; as a field of a struct it takes none. */
static bool
skip_element(struct cursor *c, unsigned type, unsigned depth)
{
    if (type == TYPE_TRUE || type == TYPE_FALSE) {
        return skip_bytes(c, 1);
    }
    return skip_value(c, type, depth);
}

static bool
skip_list(struct cursor *c, unsigned depth)
{
    uint8_t header = 0;
    if (!take_byte(c, &header)) {
        return false;
    }
    uint64_t n = header >> 4;
    if (n == 0x0f && !take_varint(c, &n)) {
        return false;
    }
    for (uint64_t i = 0; i < n; i++) {
        if (!skip_element(c, header & 0x0f, depth)) {
            return false;
        }
    }
    return true;
}

static bool
skip_map(struct cursor *c, unsigned depth)
{
    uint64_t n = 0;
    uint8_t types = 0;
    if (!take_varint(c, &n) || (n > 0 && !take_byte(c, &types))) {
        return false;
    }
    for (uint64_t i = 0; i < n; i++) {
        if (!skip_element(c, types >> 4, depth) || !skip_element(c, types & 0x0f, depth)) {
            return false;
        }
    }
    return true;
}

static bool
skip_value(struct cursor *c, unsigned type, unsigned depth)
{
    uint64_t n = 0;
    if (depth == MAX_DEPTH) {
        return false;
    }
    switch (type) {
    case TYPE_TRUE:
    case TYPE_FALSE:
        return true;
    case TYPE_BYTE:
        return skip_bytes(c, 1);
    case TYPE_I16:
    case TYPE_I32:
    case TYPE_I64:
        return take_varint(c, &n);
    case TYPE_DOUBLE:
        return skip_bytes(c, DOUBLE_BYTES);
    case TYPE_BINARY:
        return take_varint(c, &n) && skip_bytes(c, n);
    case TYPE_LIST:
    case TYPE_SET:
        return skip_list(c, depth + 1);
    case TYPE_MAP:
        return skip_map(c, depth + 1);
    case TYPE_STRUCT:
        return skip_struct(c, depth + 1);
    default:
        return false;
    }
}

bool
milvus_parquet_tail(const uint8_t tail[MILVUS_PARQUET_TAIL], uint32_t *footer_bytes)
{
    if (memcmp(tail + 4, "PAR1", 4) != 0) {
        return false;
    }
    *footer_bytes = (uint32_t)tail[0] | (uint32_t)tail[1] << 8 | (uint32_t)tail[2] << 16 |
                    (uint32_t)tail[3] << 24;
    return true;
}

bool
milvus_parquet_rows(const uint8_t *footer, size_t n, int64_t *rows)
{
    struct cursor c = {.at = footer, .end = footer + n};
    int64_t id = 0;
    unsigned type = TYPE_STOP;
    while (take_field(&c, &id, &type) && type != TYPE_STOP) {
        uint64_t raw = 0;
        if (id == FIELD_NUM_ROWS) {
            if (type != TYPE_I64 || !take_varint(&c, &raw) || unzigzag(raw) < 0) {
                return false;
            }
            *rows = unzigzag(raw);
            return true;
        }
        if (!skip_value(&c, type, 0)) {
            return false;
        }
    }
    return false;
}
