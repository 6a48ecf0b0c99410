/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of the job directory: written whole, locked, and processes behind them.  Only for
 * core/jobs.  Any thread.
 */
#ifndef BP_CORE_JOBS_FILES_H
#define BP_CORE_JOBS_FILES_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "core/base/cancel.h"

/** A directory of ours, 0700, made with its parents, all on disk.  DENIED: somebody else's. */
bool bp_jobs__make_dir(const char *path, GError **error);

/** A new directory dir/name, 0700, on disk when this returns.  PERMANENT */
bool bp_jobs__make_child(const char *dir, const char *name, GError **error);

/** Replace dir/name by text.  @durable: on disk when this returns. */
bool bp_jobs__write(const char *dir, const char *name, const char *text, bool durable,
                    GError **error);
/** NULL when it is not there.  Errors: by errno.  Returns: (transfer full) (nullable) */
char *bp_jobs__read(const char *dir, const char *name, GError **error);

/** How long to wait for a lock. */
typedef struct bp_lock_wait {
    gint64 limit_ns;         /* 0 = look once */
    const bp_cancel *cancel; /* or NULL */
} bp_lock_wait;

/**
 * Open dir/name and lock it, as soon as nobody else has it.  It is held for moments only, but by
 * processes that may be stopped: RETRYABLE naming the file after the limit; CANCELLED.
 * Returns: a descriptor, or -1
 */
int bp_jobs__lock(const char *dir, const char *name, const bp_lock_wait *wait, GError **error);

/** The same, but EXISTS at once when somebody has it; NOT_FOUND when there is no such file. */
int bp_jobs__try_lock(const char *dir, const char *name, GError **error);

typedef enum { BP_LOCK_GONE, BP_LOCK_FREE, BP_LOCK_HELD } bp_lock_state;
/**
 * Looks without touching it: two who look do not see each other.  GONE only when there is no such
 * file; one that cannot be opened counts as HELD.
 */
bp_lock_state bp_jobs__lock_state(const char *dir, const char *name);

/** This process: {"pid", "start", "boot", "host"}.  Returns: (transfer full) */
json_t *bp_jobs__self(void);
/**
 * A descriptor of exactly that process, or -1: another machine or boot (UNSUPPORTED), gone
 * (NOT_FOUND); by errno when it cannot be told, as with too many files open.
 */
int bp_jobs__process(const json_t *worker, GError **error);

#endif
