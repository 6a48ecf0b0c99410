/* SPDX-License-Identifier: Apache-2.0
 *
 * The jobs of a server: let in, started one after the other where they have to be, each in a
 * process of its own, and brought to an end after whatever happened to it or to the server.
 *
 * Listing, looking and watching need no supervisor: bp_jobs_list and bp_jobs_get tell of all jobs
 * of the machine, whoever started them.
 *
 * After a worker was killed, or the server with it, a job of the server goes on like this, at most
 * BP_SUPERVISOR_ATTEMPTS times; one whose worker cannot even begin fails after as many starts:
 *
 *     create, copy           resumed from its journal
 *     delete, prune, verify  done again, which is safe
 *     restore                ends as failed: what is complete and what is not is named from its
 *                            journal, and its staging is swept
 *
 * What was found complete has succeeded.  A worker that is told to stop (SIGTERM to all processes
 * of a service) without anybody having asked its job to, leaves it to the next server; that is no
 * attempt.
 *
 * Jobs of the command line are left to who started them.
 *
 * All calls: any thread, at the same time.
 */
#ifndef BP_CORE_JOBS_SUPERVISOR_H
#define BP_CORE_JOBS_SUPERVISOR_H

#include "core/jobs/store.h"
#include "core/verb/workspace.h"

#define BP_SUPERVISOR_ATTEMPTS 3 /* after the first */

typedef struct bp_supervisor bp_supervisor;

typedef struct bp_supervisor_params {
    const char *state_dir;
    const char *program;     /* run as PROGRAM job-worker, see work.h */
    const char *config;      /* that a worker reads, absolute; "" = none; NULL = as it finds it */
    const char *dialect;     /* another tool's, in which that configuration is; NULL = ours */
    const char *const *sets; /* "key=value" up to NULL, or NULL; never secrets */
    bp_workspace *workspace; /* of the same configuration; used by submit only, under a lock */
    guint max_running;       /* of servers' jobs here; more wait.  0 = as many as come */
    /**
     * A job, whoever's, has another state or other numbers than when this was last called for it.
     * By the supervisor's thread, under no lock; must not take long and must not free the
     * supervisor.  May be NULL.
     */
    void (*changed)(void *ctx, const char *id);
    void *ctx;
} bp_supervisor_params;

/**
 * Starts its thread, which first takes up what an earlier one left.
 * @params: copied, but the workspace is borrowed.  Errors: by errno, of the directory; EXISTS when
 * another supervisor works on this state_dir.  Returns: (transfer full) (nullable)
 */
bp_supervisor *bp_supervisor_new(const bp_supervisor_params *params, GError **error);
/** Its workers go on, and what is queued stays: the next supervisor takes both up. */
void bp_supervisor_free(bp_supervisor *supervisor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_supervisor, bp_supervisor_free)

#define BP_SUBMIT_KEY_BYTES 200
#define BP_SUBMIT_RETRY_MS 1000
#define BP_SUPERVISOR_QUEUE_MAX 200 /* jobs that wait; each has a descriptor open */

typedef struct bp_submit_params {
    const json_t *request; /* see request.h */
    const char *origin;    /* "rest-v1", "rest-v2", "grpc": who looks on sees it; NULL = "server" */
    /**
     * Makes it safe to ask again (an Idempotency-Key): who asks with the same key and an equal
     * request gets the same job, whatever became of it, for as long as the job is in the directory,
     * also from a later server.  1 to BP_SUBMIT_KEY_BYTES printable ASCII characters, or NULL.
     */
    const char *key;
    bool takes_key; /* a new job in any case, which has the key from now on: a name, no retry */
} bp_submit_params;

/**
 * A new job, or the one that has the key; it is on disk when this returns.
 * INVALID as bp_request_check and bp_request_check_early, for a key of another form, and, naming
 * the member, when something in it is a known secret; EXISTS when another job writes the same
 * backup, or when the key belongs to another request, naming the job; by errno; RETRYABLE, with
 * bp_error_retry_after_ms, when it could not be let in within a second, because of a process that
 * holds the directory, or of too many others, and while BP_SUPERVISOR_QUEUE_MAX jobs wait.
 * Returns: (transfer full) (nullable) its ID
 */
char *bp_supervisor_submit(bp_supervisor *supervisor, const bp_submit_params *params,
                           GError **error);

/** When it last had a look at its jobs, monotonic: about four times a second while all is well. */
gint64 bp_supervisor_looked_ns(const bp_supervisor *supervisor);

/** As bp_jobs_cancel; one that was not started yet ends within a second. */
bool bp_supervisor_cancel(bp_supervisor *supervisor, const char *id, GError **error);

#endif
