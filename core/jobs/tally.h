/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers over all jobs of a job directory, whoever ran them, for who draws curves: what is there
 * now, and what happened since the tally was made.
 *
 * A look reads what is new or not over yet, and of each job that has ended only once that it has;
 * so it may come seldom or often.  What was counted stays counted when the job is removed: these
 * numbers never go down.  Jobs that had ended before the tally was made are not among them, because
 * who draws curves would take them for new ones.
 *
 * Any thread; one look at a time, others wait.
 */
#ifndef BP_CORE_JOBS_TALLY_H
#define BP_CORE_JOBS_TALLY_H

#include "core/jobs/store.h"

/** Upper ends of the buckets of durations, in seconds, ascending; one more is without an end. */
#define BP_TALLY_BOUNDS 10
extern const guint64 bp_tally_bounds_s[BP_TALLY_BOUNDS];

/** Storages that are told apart, those of this process included; others are "other". */
#define BP_TALLY_STORAGES 32

typedef struct bp_tally bp_tally;

/** Takes its first look.  Returns: (transfer full) */
bp_tally *bp_tally_new(const char *state_dir);
void bp_tally_free(bp_tally *tally);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_tally, bp_tally_free)

/**
 *     {"readable": true,                             the directory was; else the numbers are old
 *      "jobs":  {VERB: {STATE: n}},                  in the directory now, each verb and state
 *      "ended": {VERB: {STATE: n}},                  likewise
 *      "items", "bytes", "rows": {VERB: n},          of those that succeeded or are different
 *      "restarts": {VERB: n},                        after a process was killed
 *      "seconds": {VERB: {"buckets": [n, …], "ms": sum}},          of those that had begun
 *      "storages": …, "retries": …,                  as bp_stats_json, of all jobs and this process
 *      "successes": [{"source", "label", "time", …}]}              as bp_successes_read
 *
 * A verb that this build does not know is "other".  Returns: (transfer full)
 */
json_t *bp_tally_look(bp_tally *tally);

#endif
