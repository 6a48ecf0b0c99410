/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of the supervisor: its jobs, and starting one.
 */
#ifndef BP_CORE_JOBS_SUPERVISOR_INTERNAL_H
#define BP_CORE_JOBS_SUPERVISOR_INTERNAL_H

#include <pthread.h>
#include <sys/types.h>

#include "core/jobs/store_internal.h"
#include "core/jobs/supervisor.h"
#include "core/jobs/ticket.h"

/** What a worker is told. */
typedef struct bp_spawn_params {
    const char *program, *state_dir, *config;
    const char *const *sets;
} bp_spawn_params;

struct bp_supervisor {
    bp_supervisor_params params; /* the texts are ours */
    bp_spawn_params spawn;
    bp_jobs *jobs;
    int lock;
    pthread_t thread;
    /* The thread's own. */
    GPtrArray *workers; /* worker* */
    GHashTable *seen;   /* id -> char*: what a job's files looked like */
    /* Guards queue, stopping and the workspace. */
    pthread_mutex_t guard;
    pthread_cond_t wake;
    GPtrArray *queue; /* bp_ticket*, oldest first */
    bool stopping;
};

/** Start a worker that takes the ticket's lock over.  Returns: its process, or -1 */
pid_t bp_supervisor__spawn(const bp_spawn_params *params, const bp_ticket *ticket, GError **error);

#endif
