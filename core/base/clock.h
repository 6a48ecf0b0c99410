/* SPDX-License-Identifier: Apache-2.0
 *
 * Time: monotonic for waiting and ages we observe, wall clock only for people and records.
 */
#ifndef BP_CORE_BASE_CLOCK_H
#define BP_CORE_BASE_CLOCK_H

#include <glib.h>

#define BP_NS_PER_MS G_GINT64_CONSTANT(1000000)
#define BP_NS_PER_S G_GINT64_CONSTANT(1000000000)

/** CLOCK_MONOTONIC in nanoseconds. */
gint64 bp_clock_mono_ns(void);

/** CLOCK_REALTIME in nanoseconds since the epoch. */
gint64 bp_clock_wall_ns(void);

/** Now as RFC 3339 UTC with milliseconds.  Returns: (transfer full) */
char *bp_clock_wall_text(void);

/** `wall_ns` as RFC 3339 UTC with milliseconds.  Returns: (transfer full) */
char *bp_clock_text(gint64 wall_ns);

/** Parse what bp_clock_text writes; 0 when it is no such text. */
gint64 bp_clock_parse(const char *text);

#endif
