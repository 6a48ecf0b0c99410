/* SPDX-License-Identifier: Apache-2.0
 *
 * Telling an init system how a service is: sd_notify(3) and its watchdog, spoken by ourselves.  The
 * protocol is a datagram of "KEY=value" lines to the socket that NOTIFY_SOCKET names, and promised
 * to stay so (systemd.io/PORTABILITY_AND_STABILITY).
 */
#ifndef BP_CORE_BASE_NOTIFY_H
#define BP_CORE_BASE_NOTIFY_H

#include <glib.h>
#include <stdbool.h>

typedef struct bp_notify bp_notify;

/**
 * Takes NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID out of the environment: processes that we
 * start are not the service.  Main thread, before any other.
 * Returns: (transfer full) (nullable) NULL = nobody wants to know, or at an address of a kind that
 * we do not know (a warning)
 */
bp_notify *bp_notify_open(void);

/**
 * "READY=1", "STOPPING=1", "STATUS=text"; several in lines of one text.  Waits 5 s at most;
 * what cannot be said is logged (debug) and lost.  Any thread.  @notify: NULL = nothing happens.
 */
void bp_notify_send(bp_notify *notify, const char *text);

/**
 * Where a watchdog was asked for: a thread that says so twice in its time, as long as we are alive.
 * @is_alive: on that thread; may take its time, for the watchdog counts it.  Once.
 * @notify: NULL = nothing happens.  Returns: there is a watchdog
 */
bool bp_notify_watch(bp_notify *notify, bool (*is_alive)(void *ctx), void *ctx);

/** Ends the thread; is_alive is not called any more.  NULL is fine. */
void bp_notify_close(bp_notify *notify);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_notify, bp_notify_close)

#endif
