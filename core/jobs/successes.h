/* SPDX-License-Identifier: Apache-2.0
 *
 * When a backup of each source and label last succeeded: what operators alert on.  It is kept in
 * state_dir/jobs/successes.json, so that it outlives the jobs, which are removed after a while, and
 * every server.
 *
 * Any thread; processes take the directory's lock.
 */
#ifndef BP_CORE_JOBS_SUCCESSES_H
#define BP_CORE_JOBS_SUCCESSES_H

#include "core/jobs/store.h"

/** Kept at most; the one that is longest ago goes first. */
#define BP_SUCCESSES_MAX 200

typedef struct bp_success {
    const char *source; /* its address, or its plugin where it has none */
    const char *label;  /* "" = without */
    const char *job, *name;
    gint64 wall_ns;
} bp_success;

/**
 * Write it down; on disk when this returns.  An older one of the same source and label is replaced,
 * a newer one stays.  RETRYABLE when the directory's lock does not come; UNSUPPORTED when a newer
 * version has written there; by errno.
 */
bool bp_successes_note(bp_jobs *jobs, const bp_success *success, GError **error);

/**
 * [{"source", "label", "job", "name", "time"}], the latest first; empty where nothing is on record.
 * UNSUPPORTED, CORRUPT; by errno.  Returns: (transfer full) (nullable)
 */
json_t *bp_successes_read(const bp_jobs *jobs, GError **error);

#endif
