/* SPDX-License-Identifier: Apache-2.0
 *
 * Checked parsers of numbers and units.  The whole text must match: no surrounding blanks, no
 * rest, no overflow.  0 and *out set, or -1 and *out unchanged.  Pure functions, any thread.
 */
#ifndef BAKPLANE_LIB_PARSE_H
#define BAKPLANE_LIB_PARSE_H

#include <bakplane/abi.h>
#include <stdbool.h>
#include <stdint.h>

BP_BEGIN_DECLS

/** Decimal digits, no sign. */
int bp_parse_u64(const char *text, uint64_t *out);

/** Decimal digits, an optional '-' or '+' before them. */
int bp_parse_i64(const char *text, int64_t *out);

/** true yes on 1, false no off 0, in any case. */
int bp_parse_bool(const char *text, bool *out);

/**
 * Bytes: digits and an optional unit in any case.  B or nothing; K M G T and KiB MiB GiB TiB count
 * in 1024s; kB MB GB TB count in 1000s.  No fractions: write 1536MiB.
 */
int bp_parse_size(const char *text, uint64_t *out);

/** Milliseconds: digits and a unit of ms s m h d; bare digits are milliseconds. */
int bp_parse_duration_ms(const char *text, uint64_t *out);

BP_END_DECLS

#endif
