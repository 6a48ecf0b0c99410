/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of a server: configuration, token, supervisor, interfaces; a signal; and back.  Jobs go
 * on when it ends, in their own processes, and the next server takes them up.
 */
#ifndef BP_CORE_DAEMON_DAEMON_H
#define BP_CORE_DAEMON_DAEMON_H

#include "core/daemon/options.h"

/**
 * Serve until SIGTERM or SIGINT.  Main thread, with these and SIGHUP blocked since before there
 * was any other thread: all threads of all libraries have them blocked then.
 * Returns: the exit code: 0 after a signal, 1 for what failed, 2 for usage and configuration
 */
int bp_daemon_run(const bp_daemon_options *options);

/** The signals to block. */
void bp_daemon_block_signals(void);

#endif
