/* SPDX-License-Identifier: Apache-2.0
 *
 * Adding up what jobs asked of storages, see tally.h.  Pure.
 */
#ifndef BP_CORE_JOBS_TALLY_INTERNAL_H
#define BP_CORE_JOBS_TALLY_INTERNAL_H

#include <jansson.h>

/**
 * Add what happened between two looks at one process.  @into: as bp_stats_json, or empty.
 * @fresh: NULL = nothing is known.  @old: what was added of it before; NULL, or of another "run",
 * = nothing.  A number that went down counts as one that has not moved.
 */
void bp_tally__add(json_t *into, const json_t *fresh, const json_t *old);

#endif
