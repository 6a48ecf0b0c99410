/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests of core/grpc: a server on a service with real workers, and clients on the same
 * machine.  The operations of the one service are played: real ones are for the integration tests.
 */
#ifndef BP_TESTS_UNIT_CORE_GRPC_FIXTURE_H
#define BP_TESTS_UNIT_CORE_GRPC_FIXTURE_H

#include <stdatomic.h>

#include "core/base/json.h"
#include "core/compat/messages_v1.h"
#include "core/grpc/server.h"
#include "tests/harness/suite.h"
#include "tests/unit/core/grpc/grpc_client.h"

#define V1 "/" BP_V1_SERVICE "/"
#define JOBS "/bakplane.v1.Jobs/"
#define READ "read-0123456789abcdef" /* the token of that role */

extern bp_grpc *server;
extern client *boss, *reader, *nobody; /* with the token of that role, and without one */
/* Of CreateBackup, which waits until it is told not to: how many have begun, and were told. */
extern atomic_int n_waiting, n_told;

void rig_setup(void);
void rig_teardown(void);

/** For the service and the access of the server that runs. */
bp_grpc_params rig_params(void);
/** Another server instead, and new clients. */
void rig_start_again(const bp_grpc_params *params);
void rig_stop(void);

void rig_wait_for(atomic_int *number, int wanted);

#endif
