/* SPDX-License-Identifier: Apache-2.0
 *
 * The socket that a server listens on.  Only addresses: a name may mean another one tomorrow.
 */
#ifndef BP_CORE_SERVER_LISTEN_H
#define BP_CORE_SERVER_LISTEN_H

#include <glib.h>
#include <stdbool.h>

/**
 * @address: IPv4 or IPv6, without brackets.  @port: 0 = the system chooses; the one it is, then.
 * INVALID for what is no address; EXISTS when the port is taken; else by errno.
 * Returns: a descriptor, or -1
 */
int bp_listen(const char *address, guint16 *port, GError **error);

/** Nobody but this machine can reach that address.  False for what is none. */
bool bp_listen_is_loopback(const char *address);

/**
 * Whoever listens there takes a connection, and ends it when we do, within that time: its threads
 * get on.  Speaks no protocol, so it is the same with TLS.
 */
bool bp_listen_answers(const char *address, guint16 port, gint64 limit_ns);

#endif
