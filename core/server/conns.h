/* SPDX-License-Identifier: Apache-2.0
 *
 * How long connections may take.  An idle limit is no protection from somebody who sends a byte now
 * and then: here a whole request has to be there in time, and a whole answer taken.  Between them
 * the server works, as long as that lasts.
 *
 * A thread of its own shuts those down that are late; whoever waits on such a socket sees its end.
 * Any thread.
 */
#ifndef BP_CORE_SERVER_CONNS_H
#define BP_CORE_SERVER_CONNS_H

#include <glib.h>

typedef enum {
    BP_CONN_IDLE,      /* no request yet, or none any more: a new one has receive_ns from here */
    BP_CONN_RECEIVING, /* its first line is there; no more time because of that */
    BP_CONN_WORKING,   /* without a limit */
    BP_CONN_SENDING,   /* has send_ns */
} bp_conn_state;

typedef struct bp_conns bp_conns;
typedef struct bp_conn bp_conn;

/** Returns: (transfer full) */
bp_conns *bp_conns_new(gint64 receive_ns, gint64 send_ns);
/** None may be left. */
void bp_conns_free(bp_conns *conns);

/** @fd: stays the caller's, open until bp_conns_remove.  Returns: (transfer full) */
bp_conn *bp_conns_add(bp_conns *conns, int fd);
void bp_conns_remove(bp_conns *conns, bp_conn *take_conn);
void bp_conns_set(bp_conns *conns, bp_conn *conn, bp_conn_state state);

/** Shut down those that are idle now, each other one when it becomes idle, and all after grace_ns.
 * Returns then, or earlier when none is busy any more. */
void bp_conns_drain(bp_conns *conns, gint64 grace_ns);

#endif
