/* SPDX-License-Identifier: Apache-2.0
 *
 * The program as a worker of a server: no command for people, see core/jobs/work.h.
 */
#ifndef BP_CORE_CLI_WORKER_H
#define BP_CORE_CLI_WORKER_H

#include "core/base/cancel.h"

/** The word by which a server starts it. */
#define BP_CLI_WORKER "job-worker"

/** Returns: an exit code as of the command line. */
int bp_cli_worker(bp_cancel *cancel);

#endif
