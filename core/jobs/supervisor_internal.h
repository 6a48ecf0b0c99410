/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of the supervisor: its jobs, and starting one.
 */
#ifndef BP_CORE_JOBS_SUPERVISOR_INTERNAL_H
#define BP_CORE_JOBS_SUPERVISOR_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "core/jobs/store_internal.h"
#include "core/jobs/supervisor.h"
#include "core/jobs/ticket.h"

/* Longest wait of one that is to be let in, for others that are and for the directory's lock. */
#define BP_SUBMIT_NS BP_NS_PER_S

/*
 * A server that is stopped by a signal to all its processes must not start anew what its workers
 * have just left: for that long its own are not taken up again.  A later server does so at once.
 */
#define BP_LEFT_NS (30 * BP_NS_PER_S)

/** What a worker is told. */
typedef struct bp_spawn_params {
    const char *program, *state_dir, *config, *dialect;
    const char *const *sets;
} bp_spawn_params;

struct bp_supervisor {
    bp_supervisor_params params; /* the texts are ours */
    bp_spawn_params spawn;
    bp_jobs *jobs;
    int lock;
    pthread_t thread;
    _Atomic gint64 looked_ns; /* monotonic */
    /* The thread's own. */
    GHashTable *workers; /* id -> process */
    GHashTable *ended;   /* id -> gint64*: when a worker of ours ended, for BP_LEFT_NS */
    GHashTable *seen;    /* id -> bp_seen_job* */
    char *held;          /* why jobs waited at the last look though it was their turn, or NULL */
    bool held_said;
    /* Guards what follows. */
    pthread_mutex_t guard;
    pthread_cond_t wake, let_in;
    GPtrArray *queue; /* bp_ticket*, oldest first; only the thread takes them off */
    bool stopping;
    bool letting_in; /* somebody is let in, and uses the workspace */
};

/** Into the queue, where its age puts it. */
void bp_supervisor__enqueue(bp_supervisor *s, bp_ticket *take_ticket);

/** How it ended without a worker that could say so. */
void bp_supervisor__end(bp_ticket *ticket, const char *state, const GError *why);

/**
 * Look at the jobs of all processes: tells what has changed, and takes up what nobody runs any
 * more.  Only the supervisor's thread.
 */
void bp_supervisor__look_at_all(bp_supervisor *s);
/** An entry of `seen`. */
void bp_supervisor__seen_free(gpointer data);

/**
 * Start a worker that takes the ticket's lock over.  Errors: by errno, so RETRYABLE or NOMEM where
 * the machine is short of something; PERMANENT.  Returns: its process, or -1
 */
pid_t bp_supervisor__spawn(const bp_spawn_params *params, const bp_ticket *ticket, GError **error);

#endif
