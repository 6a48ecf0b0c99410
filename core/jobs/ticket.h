/* SPDX-License-Identifier: Apache-2.0
 *
 * A job of this process in the job directory: from the moment it is let in until it says how it
 * ended.  While a ticket lives, its lock is held.
 *
 * One thread at a time, but for bp_ticket_log_line.
 */
#ifndef BP_CORE_JOBS_TICKET_H
#define BP_CORE_JOBS_TICKET_H

#include "core/base/cancel.h"
#include "core/jobs/store.h"

typedef struct bp_ticket bp_ticket;

typedef struct bp_ticket_params {
    bp_jobs *jobs;
    const json_t *request;   /* of a valid verb; kept in the record without secrets */
    const json_t *claims;    /* see claims.h */
    const char *origin;      /* "cli", "rest-v2" …: who started it */
    bool hold;               /* queued in any case, to be handed to a worker: of a server */
    const char *key;         /* by which bp_jobs_find_key finds it, or NULL */
    const char *asked;       /* with a key: what the request was, as bp_jobs__find_key compares */
    const bp_cancel *cancel; /* of waiting for the directory's lock, or NULL */
    gint64 limit_ns;         /* of the same; 0 = 10 s */
} bp_ticket_params;

/**
 * Let a job in: it is on disk when this returns, as running, or as queued where it has to wait for
 * another one.  What dead jobs left is settled on the way, and what is too old removed.
 * EXISTS when another job writes the same backup, naming it; by errno where the directory cannot
 * be written; DENIED where it is somebody else's; RETRYABLE when a process that may be stopped
 * holds the directory's lock for too long, and when a job that somebody runs cannot be read;
 * CANCELLED meanwhile.  Returns: (transfer full) (nullable)
 */
bp_ticket *bp_ticket_take(const bp_ticket_params *params, GError **error);
/** Without bp_ticket_finish it looks interrupted. */
void bp_ticket_free(bp_ticket *ticket);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_ticket, bp_ticket_free)

const char *bp_ticket_id(const bp_ticket *ticket);
/** The job that this one waits for, or NULL when it may run.  Lives until the next call. */
const char *bp_ticket_waits_for(const bp_ticket *ticket);

typedef enum {
    BP_TURN_COME,     /* nobody is in its way */
    BP_TURN_GIVEN_UP, /* CANCELLED; TIMEOUT, or EXISTS where it may not wait at all */
    BP_TURN_UNKNOWN,  /* the directory does not tell any more: by errno, RETRYABLE after 10 s */
} bp_turn;

/**
 * The job that this one waits for, in words: "job ID (create nightly, process 4711)".
 * Returns: (transfer full) (nullable)
 */
char *bp_ticket_other(const bp_ticket *ticket);

/**
 * Wait until it may run; then it is "running", also when it is not known whether it may.
 * @limit_ns: not longer than this; 0 = not at all.
 */
bp_turn bp_ticket_wait(bp_ticket *ticket, gint64 limit_ns, const bp_cancel *cancel, GError **error);

/** Numbers for who looks on, as bp_progress_json; what was there before is replaced. */
bool bp_ticket_progress(bp_ticket *ticket, const json_t *progress, GError **error);

/** What the process asked of storages, {"run": TEXT, …} as bp_stats_json; likewise. */
bool bp_ticket_stats(bp_ticket *ticket, const json_t *stats, GError **error);

/** One line of the log, without newline; a bp_log_sink.  Orders itself by the log's lock. */
void bp_ticket_log_line(void *ticket, const char *line);

/** The result as far as it is known, with all secrets blotted out here; durable. */
bool bp_ticket_keep_result(bp_ticket *ticket, const json_t *result, GError **error);
/** What an earlier process of this job kept as its result.  Returns: (transfer full) (nullable) */
json_t *bp_ticket_kept_result(const bp_ticket *ticket);

/**
 * How it ended: the result first, then the record, then the lock goes.
 * @state: succeeded, different, failed or cancelled.  @result: with all secrets blotted out here.
 */
bool bp_ticket_finish(bp_ticket *ticket, const char *state, const json_t *result, GError **error);

/* Of a server, which holds a ticket until a worker takes it over; ticket_server.c. */

/**
 * All who wait are looked at in one go: what lives in the directory is read once, and nobody else
 * is let in meanwhile.  RETRYABLE at once while somebody else looks, and when a job that somebody
 * runs cannot be read.
 * Returns: (transfer full) (nullable)
 */
typedef struct bp_turns bp_turns;
bp_turns *bp_turns_begin(bp_jobs *jobs, GError **error);
void bp_turns_end(bp_turns *turns);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_turns, bp_turns_end)
/** Jobs of servers that run, whichever of them started them, without those whose ID is in `but`. */
guint bp_turns_running(const bp_turns *turns, GHashTable *but);
/**
 * Whether a held ticket may run now; who is in its way is in bp_ticket_waits_for.  One that may
 * counts as running for those that are looked at after it: oldest first.
 */
bool bp_ticket_may_run(bp_ticket *ticket, bp_turns *turns, bool *out, GError **error);
/** Somebody asked it to stop. */
bool bp_ticket_is_cancelled(const bp_ticket *ticket);
/** Its record: "verb", "request", "attempt", "started", …  Borrowed. */
const json_t *bp_ticket_record(const bp_ticket *ticket);
/**
 * The descriptor that holds the lock.  A process that inherits it holds the lock as well; the
 * ticket can be freed then.  Borrowed.
 */
int bp_ticket_lock_fd(const bp_ticket *ticket);
/** A worker is about to be started for it: counted in the record, as "starts", and in the way of
 * others from now on, as "starting". */
bool bp_ticket_count_start(bp_ticket *ticket, GError **error);
/** It was not started after all. */
void bp_ticket_uncount_start(bp_ticket *ticket);

/** In the worker: it is ours from now on, and running.  @take_fd: the descriptor that was
 * inherited. Returns: (transfer full) (nullable) */
bp_ticket *bp_ticket_adopt(bp_jobs *jobs, const char *id, int take_fd, GError **error);
/** In the worker: another process began with it, and did not get to the end. */
bool bp_ticket_is_again(const bp_ticket *ticket);
/**
 * In the worker, which is told to stop while nobody asked the job to: the next server is to go on
 * with it, and that is no attempt more.  false also for a job that no server would take up.
 */
bool bp_ticket_leave(bp_ticket *ticket, GError **error);

/**
 * A job whose process is gone: held again, and "again" is in its record if it had been started;
 * then its next worker is one attempt more, unless the last one left it.  EXISTS while somebody
 * runs it, or its process is not quite gone; by errno when that cannot be told; INVALID when it
 * has ended.
 * Returns: (transfer full) (nullable)
 */
bp_ticket *bp_ticket_revive(bp_jobs *jobs, const char *id, GError **error);

#endif
