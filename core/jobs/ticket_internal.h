/* SPDX-License-Identifier: Apache-2.0
 *
 * Tickets as core/jobs itself sees them.
 */
#ifndef BP_CORE_JOBS_TICKET_INTERNAL_H
#define BP_CORE_JOBS_TICKET_INTERNAL_H

#include "core/jobs/claims.h"
#include "core/jobs/store_internal.h"
#include "core/jobs/ticket.h"

#define BP_JOBS_DIR_LOCK "lock"

/* What stands in the way of a job with certain claims. */
typedef struct bp_obstacle {
    bp_claims_verdict verdict;
    json_t *record; /* of the one in the way, or NULL */
} bp_obstacle;
void bp_obstacle_clear(bp_obstacle *found);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(bp_obstacle, bp_obstacle_clear)

/**
 * Records of all jobs that somebody runs or holds; the dead ones among the others are settled.
 * Under the directory's lock.  RETRYABLE when one of them cannot be read, which may be in anybody's
 * way.  Returns: (transfer full) (nullable)
 */
GPtrArray *bp_jobs__live(const bp_jobs *jobs, GError **error);

/** The worst of them for a job with these claims, which is not in its own way. */
void bp_obstacle__find(const GPtrArray *live, const char *own_id, const json_t *claims,
                       bp_obstacle *found);

struct bp_ticket {
    bp_jobs *jobs; /* borrowed */
    char *id, *path;
    json_t *record;
    int lock;        /* descriptor that holds the lock */
    bool held;       /* for somebody else to run: no worker, and queued until then */
    bool again;      /* an earlier process began with it */
    bool unwritten;  /* what the record on disk says may be older than ours */
    char *waits_for; /* or NULL */
    /* The log's, under its lock. */
    int log;
    gsize log_bytes;
};

/** One without a lock and a record.  @id: copied.  Returns: (transfer full) */
bp_ticket *bp_ticket__new(bp_jobs *jobs, const char *id);

/** Its record to disk. */
bool bp_ticket__write(bp_ticket *ticket, GError **error);

/** Running, or queued behind another one; the record says so when that has changed, and when it
 * could not be written before. */
bool bp_ticket__place(bp_ticket *ticket, const bp_obstacle *found, GError **error);

#endif
