/* SPDX-License-Identifier: Apache-2.0
 *
 * Delta logs built byte by byte, as small as they can be.
 */
#ifndef BAKPLANE_TEST_DELTA_FIXTURE_H
#define BAKPLANE_TEST_DELTA_FIXTURE_H

#include <glib.h>
#include <string.h>

static inline void
put_le32(GByteArray *bytes, uint32_t value)
{
    const uint8_t le[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                           (uint8_t)(value >> 24)};
    g_byte_array_append(bytes, le, sizeof(le));
}

/** FileMetaData: version 1, a schema of one element named "schema" with one child, num_rows. */
static inline void
put_footer(GByteArray *bytes, uint8_t rows)
{
    const uint8_t head[] = {0x15, 0x02,                                /* 1: i32 1 */
                            0x19, 0x1c,                                /* 2: list of 1 struct */
                            0x48, 6,    's',  'c', 'h', 'e', 'm', 'a', /* 4: binary */
                            0x15, 0x02, 0x00,                          /* 5: i32 1, stop */
                            0x16};                                     /* 3: i64 … */
    /* … as a zigzag varint of two bytes, so that small numbers take the long way, too. */
    const uint8_t count[] = {(uint8_t)(((rows << 1) & 0x7f) | 0x80), (uint8_t)(rows >> 6), 0x00};
    g_byte_array_append(bytes, head, sizeof(head));
    g_byte_array_append(bytes, count, sizeof(count));
}

/** A Parquet file that is nothing but magic, `padding` bytes and the footer. */
static inline void
put_parquet(GByteArray *bytes, uint8_t rows, guint padding)
{
    g_byte_array_append(bytes, (const guint8 *)"PAR1", 4);
    guint at = bytes->len;
    g_byte_array_set_size(bytes, at + padding);
    memset(bytes->data + at, 0x5a, padding);
    guint begin = bytes->len;
    put_footer(bytes, rows);
    put_le32(bytes, bytes->len - begin);
    g_byte_array_append(bytes, (const guint8 *)"PAR1", 4);
}

/** An event with its header; the payload is written by the caller, then delta_event_end. */
static inline guint
delta_event_begin(GByteArray *bytes, uint8_t type)
{
    guint at = bytes->len;
    const uint8_t time[8] = {0};
    g_byte_array_append(bytes, time, sizeof(time));
    g_byte_array_append(bytes, &type, 1);
    put_le32(bytes, 0);
    put_le32(bytes, 0);
    return at;
}

static inline void
delta_event_end(GByteArray *bytes, guint at)
{
    uint32_t length = bytes->len - at;
    for (guint i = 0; i < 4; i++) {
        bytes->data[at + 9 + i] = (uint8_t)(length >> (8 * i));
        bytes->data[at + 13 + i] = (uint8_t)(bytes->len >> (8 * i));
    }
}

/** A binlog with a descriptor and one delete event of `rows` deletes. */
static inline GByteArray *
delta_log_new(uint8_t rows, guint padding)
{
    const uint8_t magic[] = {0xbc, 0xfa, 0xff, 0x00};
    const uint8_t fixed[60] = {0};
    const uint8_t times[16] = {0};
    GByteArray *bytes = g_byte_array_new();
    g_byte_array_append(bytes, magic, sizeof(magic));
    guint at = delta_event_begin(bytes, 0);
    g_byte_array_append(bytes, fixed, sizeof(fixed));
    put_le32(bytes, 2);
    g_byte_array_append(bytes, (const guint8 *)"{}", 2);
    delta_event_end(bytes, at);
    at = delta_event_begin(bytes, 2);
    g_byte_array_append(bytes, times, sizeof(times));
    put_parquet(bytes, rows, padding);
    delta_event_end(bytes, at);
    return bytes;
}

#endif
