/* SPDX-License-Identifier: Apache-2.0
 *
 * A job directory in a scratch folder, and processes that hold tickets in it.
 */
#ifndef BP_TESTS_JOBS_FIXTURE_H
#define BP_TESTS_JOBS_FIXTURE_H

#include <sys/types.h>

#include "core/base/json.h"
#include "core/jobs/ticket.h"
#include "tests/harness/suite.h"

extern char *jobs_root; /* state_dir */
extern bp_jobs *jobs;

void jobs_setup(void);
void jobs_teardown(void);

/** state_dir/jobs/ID/name, or the directory of jobs for NULL.  Returns: (transfer full) */
char *jobs_path(const char *id, const char *name);
bool jobs_exists(const char *id, const char *name);
void jobs_write(const char *id, const char *name, const char *text);

/** A ticket for a create of that backup; @source: whose claim it has, or NULL. */
bp_ticket *jobs_take(const char *name, const char *source, GError **error);

/** A child that takes such a ticket and waits to be signalled: SIGTERM ends it as cancelled. */
typedef struct jobs_child {
    pid_t pid;
    char *id; /* of its job */
} jobs_child;
jobs_child jobs_start(const char *name, const char *source);
/** Send the signal (0 = none), wait for its end.  Returns: what waitpid said */
int jobs_end(jobs_child *child, int signal_number);

/** State of a job as others see it. */
void jobs_state_is(const char *id, const char *state);

#endif
