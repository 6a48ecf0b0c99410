/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of the supervisor: its jobs, and starting one.
 */
#ifndef BP_CORE_JOBS_SUPERVISOR_INTERNAL_H
#define BP_CORE_JOBS_SUPERVISOR_INTERNAL_H

#include <sys/types.h>

#include "core/jobs/supervisor.h"
#include "core/jobs/ticket.h"

/** What a worker is told. */
typedef struct bp_spawn_params {
    const char *program, *state_dir, *config;
    const char *const *sets;
} bp_spawn_params;

/** Start a worker that takes the ticket's lock over.  Returns: its process, or -1 */
pid_t bp_supervisor__spawn(const bp_spawn_params *params, const bp_ticket *ticket, GError **error);

#endif
