/* SPDX-License-Identifier: Apache-2.0
 *
 * The job directory: what runs on this machine, what ran, and how it ended.  Every process that
 * works on one state_dir sees the same: a server, a timer's run, somebody at a terminal.  It is a
 * convenience: what a backup is stands on its storage, and nothing there depends on this.
 *
 *     state_dir/jobs/                 0700
 *       lock                          held while jobs are let in and old ones removed
 *       successes.json                when a backup of each series last succeeded; durable
 *       ID/record.json                version, request, state, times, worker; durable
 *       ID/progress.json              numbers, about once a second and at the end; not durable
 *       ID/stats.json                 what it asked of storages, likewise
 *       ID/result.json                what --json prints; durable
 *       ID/log, ID/log.1              the last lines of the log, 1 MiB
 *       ID/lock                       locked by whoever runs it; gone when it has ended
 *       ID/cancel                     somebody asked it to stop
 *
 * An ID is its time and some chance, "20261126-014500-2e71f3": sorted by ID is sorted by time.
 * Whoever ends without saying how (kill -9, power) loses the lock, and is "interrupted" for all
 * readers from that moment.  A lock belongs to an open file (F_OFD_SETLK), never to a number of a
 * process.
 *
 * At most BP_JOBS_MAX jobs are kept, those older than BP_JOBS_DAYS days not for long: with each new
 * job BP_JOBS_AGED_AT_ONCE of them go, and not all, because the clock may be wrong.  What runs, or
 * waits for its server, always stays.
 *
 * Functions that take a bp_jobs may be called by any thread at any time.
 */
#ifndef BP_CORE_JOBS_STORE_H
#define BP_CORE_JOBS_STORE_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#define BP_JOBS_VERSION 1
#define BP_JOBS_MAX 1000
#define BP_JOBS_DAYS 90
#define BP_JOBS_AGED_AT_ONCE 2
#define BP_JOBS_LOG_BYTES (1024 * 1024)

typedef struct bp_jobs bp_jobs;

/** No I/O; the directory need not be there.  Returns: (transfer full) */
bp_jobs *bp_jobs_open(const char *state_dir);
void bp_jobs_close(bp_jobs *jobs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_jobs, bp_jobs_close)

/**
 * Whether a job could be let in now: makes the directory where there is none, and writes and
 * removes a file in it, as large as a record.  Errors: by errno, NO_SPACE among them; DENIED when
 * it is somebody else's.
 */
bool bp_jobs_probe(bp_jobs *jobs, GError **error);

/**
 * All jobs, newest first, each as an object:
 *
 *     {"id", "verb", "name", "state", "origin", "created", "started", "ended", "attempt", "pid",
 *      "request", "waits_for", "progress", "error"}
 *
 * What is not known is left out.  state: queued, running, cancelling; and in the end succeeded,
 * different (finished, but something differs or cannot be proven), failed, cancelled, interrupted;
 * unreadable for a record that cannot be read, with the error.  progress as bp_progress_json.
 *
 * @state: only such, or NULL.  Errors: by errno, of the directory; none if there is none.
 * Returns: (transfer full) (nullable)
 */
json_t *bp_jobs_list(bp_jobs *jobs, const char *state, GError **error);

/**
 * The same of one job, with "result".  NOT_FOUND; CORRUPT; UNSUPPORTED for a record of a newer
 * version, naming both.  Returns: (transfer full) (nullable)
 */
json_t *bp_jobs_get(bp_jobs *jobs, const char *id, GError **error);

/** The last lines of its log; "" where it wrote none.  NOT_FOUND.  Returns: (transfer full) */
char *bp_jobs_log(bp_jobs *jobs, const char *id, GError **error);

/**
 * Ask a job to stop: it gets a SIGTERM, ends what it has begun and says so.  Returns at once; true
 * also if it was asked before, which does not signal it again: a second signal would kill it.  One
 * of a server that is interrupted ends as cancelled instead of being taken up again.
 * NOT_FOUND; INVALID when it has ended; DENIED when it is somebody else's; UNSUPPORTED when it runs
 * on another machine; RETRYABLE when somebody else has been asking for a second.
 */
bool bp_jobs_cancel(bp_jobs *jobs, const char *id, GError **error);

/**
 * The job that was submitted with that key (bp_supervisor_submit), whatever its state; NULL when
 * there is none any more.  Reads all records.  Returns: (transfer full) (nullable) its ID
 */
char *bp_jobs_find_key(bp_jobs *jobs, const char *key);

/** A job in that state does nothing any more. */
bool bp_jobs_is_over(const char *state);

#endif
