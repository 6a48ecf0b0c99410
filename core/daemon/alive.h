/* SPDX-License-Identifier: Apache-2.0
 *
 * What the watchdog asks for: the supervisor looks at its jobs, and the threads of the listening
 * port get on.  Whether jobs can be done is another question (core/server/ready.h): starting anew
 * would not help there.
 */
#ifndef BP_CORE_DAEMON_ALIVE_H
#define BP_CORE_DAEMON_ALIVE_H

#include <glib.h>
#include <stdbool.h>

#include "core/base/clock.h"

/* A supervisor that has not looked for so long does not any more. */
#define BP_ALIVE_LOOK_NS (60 * BP_NS_PER_S)
/* For the port to take a connection, and to end it. */
#define BP_ALIVE_ANSWER_NS (10 * BP_NS_PER_S)

typedef struct bp_alive {
    gint64 looked_ns;    /* bp_supervisor_looked_ns */
    const char *address; /* as bp_listen_answers */
    guint16 port;
    gint64 answer_ns; /* likewise: its limit */
} bp_alive;

/** Any thread; takes answer_ns at most. */
bool bp_alive_check(const bp_alive *what);

#endif
