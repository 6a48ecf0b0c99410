/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine's running counts: changed by all workers, read as a snapshot, never locked.
 */
#ifndef BP_CORE_COPY_COUNTERS_H
#define BP_CORE_COPY_COUNTERS_H

#include <stdatomic.h>

#include "core/copy/progress.h"

typedef struct bp_counters {
    atomic_ullong items_done, items_total;
    atomic_ullong bytes_done, bytes_total;
    gint64 started_ns;
} bp_counters;

void bp_counters_init(bp_counters *counters);

/** An item more to do.  `bytes` may be BP_UNKNOWN. */
void bp_counters_expect(bp_counters *counters, guint64 bytes);
/** An expected item will not be copied after all. */
void bp_counters_forget(bp_counters *counters, guint64 bytes);
/** An expected item is done.  Its bytes were moved by bp_counters_move. */
void bp_counters_finish(bp_counters *counters, guint64 expected, guint64 bytes);
/** An item that is done without work. */
void bp_counters_skip(bp_counters *counters, guint64 bytes);

/** The bytes of one item go from what `counted` holds to `now`, up or down; `counted` follows. */
void bp_counters_move(bp_counters *counters, atomic_ullong *counted, guint64 now);

/** All but `phase`.  Each number by itself is right; together they may be a moment apart. */
void bp_counters_get(bp_counters *counters, bp_progress *out);

#endif
