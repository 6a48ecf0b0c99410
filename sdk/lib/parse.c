/* SPDX-License-Identifier: Apache-2.0
 *
 * Checked parsers of numbers and units.
 */
#define _POSIX_C_SOURCE 200809L /* strcasecmp */

#include "sdk/lib/parse.h"

#include <stddef.h>
#include <strings.h>

#include "sdk/lib/ban.h"

struct unit {
    const char *name;
    uint64_t factor;
};

#define KIB UINT64_C(1024)
#define KB UINT64_C(1000)

static const struct unit size_units[] = {
    {"", 1},
    {"B", 1},
    {"K", KIB},
    {"KiB", KIB},
    {"kB", KB},
    {"M", KIB *KIB},
    {"MiB", KIB *KIB},
    {"MB", KB *KB},
    {"G", KIB *KIB *KIB},
    {"GiB", KIB *KIB *KIB},
    {"GB", KB *KB *KB},
    {"T", KIB *KIB *KIB *KIB},
    {"TiB", KIB *KIB *KIB *KIB},
    {"TB", KB *KB *KB *KB},
    {NULL, 0},
};

static const struct unit duration_units[] = {
    {"", 1}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}, {NULL, 0},
};

/* Reads digits; *rest is what follows them. */
static int
parse_digits(const char *text, uint64_t *out, const char **rest)
{
    uint64_t value = 0;
    const char *s = text;
    for (; *s >= '0' && *s <= '9'; s++) {
        uint64_t digit = (uint64_t)(*s - '0');
        if (__builtin_mul_overflow(value, UINT64_C(10), &value) ||
            __builtin_add_overflow(value, digit, &value)) {
            return -1;
        }
    }
    if (s == text) {
        return -1;
    }
    *out = value;
    *rest = s;
    return 0;
}

static int
parse_with_unit(const char *text, const struct unit *units, uint64_t *out)
{
    uint64_t value;
    const char *rest;
    if (parse_digits(text, &value, &rest) != 0) {
        return -1;
    }
    for (const struct unit *unit = units; unit->name != NULL; unit++) {
        if (strcasecmp(rest, unit->name) == 0) {
            if (__builtin_mul_overflow(value, unit->factor, &value)) {
                return -1;
            }
            *out = value;
            return 0;
        }
    }
    return -1;
}

int
bp_parse_u64(const char *text, uint64_t *out)
{
    uint64_t value;
    const char *rest;
    if (parse_digits(text, &value, &rest) != 0 || *rest != '\0') {
        return -1;
    }
    *out = value;
    return 0;
}

int
bp_parse_i64(const char *text, int64_t *out)
{
    bool negative = text[0] == '-';
    uint64_t magnitude;
    if (bp_parse_u64(text + (negative || text[0] == '+' ? 1 : 0), &magnitude) != 0) {
        return -1;
    }
    if (!negative) {
        if (magnitude > INT64_MAX) {
            return -1;
        }
        *out = (int64_t)magnitude;
        return 0;
    }
    if (magnitude > (uint64_t)INT64_MAX + 1) {
        return -1;
    }
    *out = magnitude == 0 ? 0 : -(int64_t)(magnitude - 1) - 1;
    return 0;
}

int
bp_parse_bool(const char *text, bool *out)
{
    static const char *const yes[] = {"true", "yes", "on", "1"};
    static const char *const no[] = {"false", "no", "off", "0"};
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        if (strcasecmp(text, yes[i]) == 0) {
            *out = true;
            return 0;
        }
        if (strcasecmp(text, no[i]) == 0) {
            *out = false;
            return 0;
        }
    }
    return -1;
}

int
bp_parse_size(const char *text, uint64_t *out)
{
    return parse_with_unit(text, size_units, out);
}

int
bp_parse_duration_ms(const char *text, uint64_t *out)
{
    return parse_with_unit(text, duration_units, out);
}
