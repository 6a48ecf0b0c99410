/* SPDX-License-Identifier: Apache-2.0
 *
 * A server that speaks gRPC, on the gRPC C core: the operations of core/server/v1.h as the service
 * that their clients know, jobs as bakplane.v1.Jobs, health checking and reflection.  Services and
 * messages: core/grpc/proto, docs/reference/grpc.md.
 *
 * Pollers, a thread each with a completion queue of its own, only take events, enqueue and send;
 * what reads or waits runs on bounded pools of workers, another one for each kind of patience.  A
 * client that goes away ends its call, never a job.
 *
 * gRPC 1.51 has no limit on connections, and takes accepted ones from outside only without TLS and
 * without its quota (grpc_posix.h).  They share a quota of memory, idle ones are closed after 30 s,
 * and each takes a descriptor of the process.
 */
#ifndef BP_CORE_GRPC_SERVER_H
#define BP_CORE_GRPC_SERVER_H

#include "core/server/access.h"
#include "core/server/service.h"

typedef struct bp_grpc bp_grpc;

typedef struct bp_grpc_params {
    const char *address; /* IPv4 or IPv6, without brackets */
    guint16 port;        /* 0 = the system chooses */
    bp_service *service; /* borrowed until bp_grpc_stop, as access */
    const bp_access *access;
    const char *tls_cert;      /* PEM, the server's own first; NULL = no TLS */
    const char *tls_key;       /* PEM, without a password */
    const char *tls_client_ca; /* PEM: clients need a certificate from it as well; or NULL */
    gint64 receive_ns;         /* for a message to come, looked at once a second; 0 = 30 s */
} bp_grpc_params;

/**
 * Main thread.  gRPC's own threads are started with all signals blocked.
 * Errors: as bp_listen; INVALID for certificate, key and CA, and for an address that others reach
 * while everybody may do everything.  Returns: (transfer full) (nullable)
 */
bp_grpc *bp_grpc_start(const bp_grpc_params *params, GError **error);
/** The one that it listens on. */
guint16 bp_grpc_port(const bp_grpc *grpc);

/**
 * No new calls; health is "not serving".  What waits for a job is told at once to answer, streams
 * end with UNAVAILABLE.  What is still there after grace_ns is cut off.  Returns when nothing runs
 * any more.  Main thread.
 */
void bp_grpc_stop(bp_grpc *take_grpc, gint64 grace_ns);

#endif
