/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the server share.  Only for core/grpc.
 */
#ifndef BP_CORE_GRPC_INTERNAL_H
#define BP_CORE_GRPC_INTERNAL_H

#include "core/base/thread.h"
#include "core/grpc/call.h"
#include "core/grpc/pool.h"
#include "core/grpc/reflection.h"

#define BP_GRPC_POLLERS 2
#define BP_GRPC_MAX_MESSAGE (4 * 1024 * 1024)
/* At the same time, streams among them. */
#define BP_GRPC_MAX_CALLS 1024
#define BP_GRPC_MAX_WATCHES 64
/* Likewise of methods that need no token: who has none must not take the room of those who do. */
#define BP_GRPC_MAX_OPEN_CALLS 64
#define BP_GRPC_MAX_OPEN_WATCHES 16

/** What is there of one kind of methods. */
typedef struct {
    guint n_calls; /* that may go on; what is refused without a look is none */
    guint n_watches;
} bp_grpc_crowd;

struct bp_grpc {
    bp_service *service;
    const bp_access *access;
    guint16 port;
    GHashTable *methods;  /* read-only */
    bp_grpc_names *names; /* likewise */
    bp_grpc_pool *lanes[BP_GRPC_N_LANES];
    grpc_server *server;
    grpc_completion_queue *queues[BP_GRPC_POLLERS];
    pthread_t pollers[BP_GRPC_POLLERS];
    bp_cancel *stopping;
    gint64 receive_ns; /* for the watcher: as bp_grpc_params */
    pthread_t watcher;
    bp_grpc_tag down; /* of the server's end; no call */

    pthread_mutex_t lock;      /* guards all below, and the marked members of calls */
    pthread_cond_t fewer;      /* calls, or is_down */
    GHashTable *calls;         /* that have arrived */
    guint n_objects;           /* with those that are expected */
    bp_grpc_crowd known, open; /* with a token; of methods that need none */
    bool is_down;              /* gRPC takes nothing new, and all calls are over */
    bool is_ended;             /* for the watcher: nothing is left to be looked after */
};

/** The thread that looks after streams and slow clients.  @ctx: bp_grpc */
void *bp_grpc_watch(void *ctx);

/** The question that a call stands for. */
bp_grpc_ask bp_grpc_ask_of(const bp_grpc_call *call);

#endif
