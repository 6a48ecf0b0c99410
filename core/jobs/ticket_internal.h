/* SPDX-License-Identifier: Apache-2.0
 *
 * Tickets as core/jobs itself sees them.
 */
#ifndef BP_CORE_JOBS_TICKET_INTERNAL_H
#define BP_CORE_JOBS_TICKET_INTERNAL_H

#include "core/jobs/store_internal.h"
#include "core/jobs/ticket.h"

#define BP_JOBS_DIR_LOCK "lock"

struct bp_ticket {
    bp_jobs *jobs; /* borrowed */
    char *id, *path;
    json_t *record;
    int lock;        /* descriptor that holds the lock */
    bool held;       /* for somebody else to run: no worker, and queued until then */
    char *waits_for; /* or NULL */
    /* The log's, under its lock. */
    int log;
    gsize log_bytes;
};

/** One without a lock and a record.  @id: copied.  Returns: (transfer full) */
bp_ticket *bp_ticket__new(bp_jobs *jobs, const char *id);

/** Whose turn it is now; the record says so when that has changed.  @wait: for the directory. */
bool bp_ticket__look_for_turn(bp_ticket *ticket, const bp_lock_wait *wait, GError **error);

#endif
