/* SPDX-License-Identifier: Apache-2.0
 *
 * What this process asked of its storages, and how long they took: counted in the frame around each
 * call into a plugin, by the storage's configured name, from the start of the process.  Counting
 * takes no lock; any thread.
 */
#ifndef BP_CORE_PLUGIN_STATS_H
#define BP_CORE_PLUGIN_STATS_H

#include <glib.h>
#include <jansson.h>

/** Storages that are told apart; all others together are "other". */
#define BP_STATS_STORAGES 16
/** A storage beyond those. */
#define BP_STATS_OTHER "other"

/** Upper ends of the latency buckets, in microseconds, ascending; one more is without an end. */
#define BP_STATS_BOUNDS 13
extern const guint64 bp_stats_bounds_us[BP_STATS_BOUNDS];

typedef struct bp_store_stats bp_store_stats;

/** Of a storage by its configured name.  Lives as long as the process. */
bp_store_stats *bp_stats_of(const char *storage);

/** A call has come back. */
typedef struct bp_stats_call {
    const char *operation; /* as the ABI calls it */
    int class;             /* BP_OK, or how it failed */
    gint64 ns;
    guint64 bytes; /* of objects, that it moved */
} bp_stats_call;
void bp_stats_count(bp_store_stats *stats, const bp_stats_call *call);

/**
 * All of it; what is 0 is left out:
 *
 *     {"storages": {"backups": {"stat": {"outcomes": {"ok": 5, "not-found": 1}, "bytes": 0,
 *                                        "us": 812, "buckets": [6, 0, …]}}},
 *      "retries": {"retryable": 1, "throttled": 2, "timeout": 0}}
 *
 * `us` is the sum of their times; a bucket has the calls that took at most its bound and more than
 * the one before.  `retries` is what was tried again, of sources as well, by why (base/retry.h).
 * Each number by itself is right; together they may be a moment apart.  Returns: (transfer full)
 */
json_t *bp_stats_json(void);

#endif
