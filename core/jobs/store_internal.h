/* SPDX-License-Identifier: Apache-2.0
 *
 * The job directory as core/jobs itself sees it.
 */
#ifndef BP_CORE_JOBS_STORE_INTERNAL_H
#define BP_CORE_JOBS_STORE_INTERNAL_H

#include "core/base/clock.h"
#include "core/jobs/files.h"
#include "core/jobs/store.h"

/* Files of one job. */
#define BP_JOB_RECORD "record.json"
#define BP_JOB_PROGRESS "progress.json"
#define BP_JOB_STATS "stats.json"
#define BP_JOB_RESULT "result.json"
#define BP_JOB_LOG "log"
#define BP_JOB_OLD_LOG "log.1"
#define BP_JOB_LOCK "lock"
#define BP_JOB_CANCEL "cancel"

/* The directory's lock is held for moments. */
#define BP_JOBS_LOCK_NS (10 * BP_NS_PER_S)

struct bp_jobs {
    char *dir;            /* state_dir/jobs */
    gint64 lock_limit_ns; /* longest wait for the directory's lock: BP_JOBS_LOCK_NS but in tests */
};

/** A new ID of that moment.  Returns: (transfer full) */
char *bp_jobs__new_id(gint64 wall_ns);
/** The moment in an ID, wall clock; 0 for a text that is none. */
gint64 bp_jobs__id_ns(const char *id);

/** Directory of a job.  Returns: (transfer full) */
char *bp_jobs__path(const bp_jobs *jobs, const char *id);

/** IDs of all jobs, oldest first; none where there is no directory.  Returns: (transfer full) */
GPtrArray *bp_jobs__ids(const bp_jobs *jobs, GError **error);

/** Errors: as bp_jobs_get.  Returns: (transfer full) (nullable) */
json_t *bp_jobs__record(const bp_jobs *jobs, const char *id, GError **error);
bool bp_jobs__write_record(const bp_jobs *jobs, const char *id, const json_t *record,
                           GError **error);
/** The same with the state that is true now.  Also RETRYABLE when it changes all the time. */
json_t *bp_jobs__current(const bp_jobs *jobs, const char *id, GError **error);

/** A server's, which takes it up again; of a record. */
bool bp_jobs__is_supervised(const json_t *record);

/** The record of the job with that key.  Returns: (transfer full) (nullable) */
json_t *bp_jobs__find_key(const bp_jobs *jobs, const char *key);

/** A file of the job at that path; NULL when it is not there or not whole.  Returns: (transfer
 * full) */
json_t *bp_jobs__read_part(const char *path, const char *name);

/** Nobody runs it any more and it did not say how it ended: the record says so from now on.  Under
 * the directory's lock. */
bool bp_jobs__settle(const bp_jobs *jobs, const char *id, GError **error);

/** Remove a job's directory, as far as that can be done: the record first, without which there is
 * no job. */
void bp_jobs__remove(const char *path);

/** Remove ended jobs until at most `keep` jobs are left, and some that are older than BP_JOBS_DAYS.
 * What cannot be removed stays.  Under the directory's lock. */
void bp_jobs__remove_old(const bp_jobs *jobs, guint keep, gint64 now_ns);

#endif
