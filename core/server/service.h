/* SPDX-License-Identifier: Apache-2.0
 *
 * What all interfaces of a server work with, REST and gRPC alike: the jobs of this machine, the
 * supervisor that starts new ones, and workspaces for what is only looked at.  The ctx of every
 * route.
 *
 * All calls but new and free: any thread, at the same time.
 */
#ifndef BP_CORE_SERVER_SERVICE_H
#define BP_CORE_SERVER_SERVICE_H

#include <jansson.h>

#include "core/jobs/supervisor.h"
#include "core/jobs/tally.h"
#include "core/server/access.h"
#include "core/server/ready.h"
#include "core/server/settings.h"
#include "core/verb/workspace.h"

#define BP_SERVICE_WORKSPACES 4

typedef struct bp_service bp_service;

typedef struct bp_service_params {
    const bp_config_tree *config; /* borrowed, as settings: both outlive the service */
    const bp_server_settings *settings;
    const bp_access *access; /* borrowed; may be NULL for tests that ask no guard */
    const char *state_dir;
    const char *program;     /* of workers; NULL = this one */
    const char *const *sets; /* that the configuration was read with, up to NULL, or NULL */
    const bp_cancel *cancel; /* of what is done in borrowed workspaces; borrowed, or NULL */
} bp_service_params;

/**
 * Loads all plugins that the configuration names, and starts the supervisor.  Main thread.
 * INVALID, DENIED, UNSUPPORTED, PERMANENT for plugins; EXISTS when another server works on this
 * state_dir; by errno.  Returns: (transfer full) (nullable)
 */
bp_service *bp_service_new(const bp_service_params *params, GError **error);
/** Nobody may wait in it or have a workspace.  Its workers go on. */
void bp_service_free(bp_service *service);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_service, bp_service_free)

bp_jobs *bp_service_jobs(const bp_service *service);
bp_supervisor *bp_service_supervisor(const bp_service *service);
/** Numbers over all jobs since the service was made. */
bp_tally *bp_service_tally(const bp_service *service);
const bp_server_settings *bp_service_settings(const bp_service *service);
const bp_config_tree *bp_service_config(const bp_service *service);
const bp_access *bp_service_access(const bp_service *service);
bp_ready *bp_service_ready(const bp_service *service);

/** The guard of HTTP, a bp_guard: its access decides.  @ctx: a bp_service. */
bp_reply *bp_service_guard(void *ctx, const bp_http_request *request);

/**
 * A workspace for one thread, to look with and not to write.  Waits while all are lent.
 * CANCELLED when the server ends; THROTTLED when none came back for 30 s; as bp_workspace_new.
 * Returns: (transfer none) (nullable) until bp_service_give_back
 */
bp_workspace *bp_service_borrow(bp_service *service, GError **error);
/** @workspace: NULL does nothing. */
void bp_service_give_back(bp_service *service, bp_workspace *workspace);

/**
 * How often a job has changed, as the supervisor saw it: a number that only grows, and that may
 * grow without a change.  @id: NULL = any job.
 */
guint64 bp_service_changes(bp_service *service, const char *id);
/**
 * Wait until that number is another one than `seen`.  @stopping: given up then; may be NULL.
 * Returns: the number; `seen` at the deadline (monotonic) or when given up
 */
guint64 bp_service_wait_change(bp_service *service, const char *id, guint64 seen,
                               gint64 deadline_ns, const bp_cancel *stopping);

/** It does nothing any more and is not taken up again either.  @job: as bp_jobs_get gives it. */
bool bp_service_is_over(const json_t *job);

/**
 * A job, as bp_jobs_get, once it is over; as it is then when the deadline passes or the server
 * ends, so that its state has to be looked at.  Errors: as bp_jobs_get.
 * Returns: (transfer full) (nullable)
 */
json_t *bp_service_wait(bp_service *service, const char *id, gint64 deadline_ns,
                        const bp_cancel *stopping, GError **error);

#endif
