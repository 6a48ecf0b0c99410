/* SPDX-License-Identifier: Apache-2.0
 *
 * One call, from its arrival to its status.  Only for core/grpc.
 *
 *     arrived -> message received -> answered by a worker -> sent with its status     one answer
 *                                 -> looked at by a worker -> sent -> (changed) …     a stream of
 * them
 *             -> message received -> answered by a worker -> sent -> received …       one for each
 *
 * Each operation that gRPC has to do holds a reference, and so does a worker.  A call that is cut
 * off ends by itself: what was begun with gRPC fails, and nothing new is begun.
 */
#ifndef BP_CORE_GRPC_CALL_H
#define BP_CORE_GRPC_CALL_H

#include <grpc/grpc.h>
#include <jansson.h>

#include "core/base/cancel.h"
#include "core/grpc/method.h"

typedef struct bp_grpc_call bp_grpc_call;

/* What gRPC does for a call at the same time. */
typedef enum {
    BP_GRPC_ARRIVAL,
    BP_GRPC_RECEIPT,
    BP_GRPC_SENDING,
    BP_GRPC_END, /* the client knows the status, or is gone */
    BP_GRPC_N_TAGS,
} bp_grpc_what;

typedef struct {
    bp_grpc_call *call;
    bp_grpc_what what;
} bp_grpc_tag;

typedef enum {
    BP_GRPC_RECEIVING, /* waits for a message, since since_ns */
    BP_GRPC_WORKING,   /* a worker has it, or its answer is on its way */
    BP_GRPC_WATCHING,  /* waits for a change */
    BP_GRPC_OVER,
} bp_grpc_state;

struct bp_grpc_call {
    bp_grpc *grpc;
    grpc_call *call;
    grpc_completion_queue *queue; /* of its poller */
    grpc_call_details details;
    grpc_metadata_array metadata;
    bp_grpc_tag tags[BP_GRPC_N_TAGS];

    const bp_grpc_method *method;
    char *request_id;          /* metadata, or NULL */
    char id[64];               /* of the request, in logs and in the answer's metadata */
    grpc_byte_buffer *message; /* that was received last */
    json_t *request;
    bp_cancel *stopping; /* the server ends, or the client is gone; NULL unless it waits */

    /* Of what is being sent; one at a time. */
    grpc_byte_buffer *sent;
    grpc_slice details_sent;
    grpc_metadata id_sent;
    bool has_metadata_sent, is_final;
    int is_cancelled;

    /* Under the server's lock. */
    guint refs;
    bp_grpc_state state;
    bool is_gone;
    bool has_place, is_watch; /* counted in its crowd */
    gint64 since_ns;
    guint64 seen; /* of a stream: what was looked at */
};

/** Be ready for one more on that queue. */
void bp_grpc_call_expect(bp_grpc *grpc, grpc_completion_queue *queue);
/** An event of a queue; on its poller. */
void bp_grpc_call_on_event(const bp_grpc_tag *tag, bool success);

bp_grpc_call *bp_grpc_call_ref(bp_grpc_call *call);
void bp_grpc_call_unref(bp_grpc_call *call);

/** A stream has changed since it was looked at: a worker is to look again.  It is BP_GRPC_WORKING.
 */
void bp_grpc_call_look(bp_grpc_call *call);
/** End it at once from outside. */
void bp_grpc_call_cut(bp_grpc_call *call, grpc_status_code code, const char *why);

#endif
