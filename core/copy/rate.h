/* SPDX-License-Identifier: Apache-2.0
 *
 * How fast it goes and how long it will take: a smoothed rate over snapshots of the progress.
 * Pure numbers, no clock of its own; and all of it as JSON.
 */
#ifndef BP_CORE_COPY_RATE_H
#define BP_CORE_COPY_RATE_H

#include <jansson.h>
#include <stdbool.h>

#include "core/copy/progress.h"

typedef struct bp_rate {
    const char *phase; /* of the last snapshot; another one starts anew */
    gint64 last_ns;
    guint64 last_items, last_bytes;
    double items_per_s, bytes_per_s; /* smoothed over about 5 s */
    bool known;
    gint64 moved_ns; /* when the last progress was seen */
    gint64 pause_ns; /* usual time between two; 0 = not seen yet */
} bp_rate;

/** Take a snapshot into account; one less than 50 ms after the last changes nothing. */
void bp_rate_update(bp_rate *rate, const bp_progress *progress);

/**
 * Time until all is done, by bytes or, without any, by items; -1 = cannot be said, also while
 * nothing has moved for twice as long as usual (and for 10 s).
 */
gint64 bp_rate_remaining_ns(const bp_rate *rate, const bp_progress *progress);

/**
 * {"phase","items_done","items_total","bytes_done","bytes_total","elapsed_ms","items_per_s",
 * "bytes_per_s","remaining_ms"}; what is not known is left out.  Returns: (transfer full)
 */
json_t *bp_progress_json(const bp_progress *progress, const bp_rate *rate);

#endif
