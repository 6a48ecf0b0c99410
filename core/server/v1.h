/* SPDX-License-Identifier: Apache-2.0
 *
 * The operations of the service that another tool has (core/compat/messages_v1.h), without a
 * transport: a message in, a message out.  REST under /api/v1 and gRPC both call these, so that
 * they answer alike.
 *
 * Every answer has a `code` (bp_v1_code) and, but where all is well, a `msg` that says why.  What
 * cannot be honoured is refused by its field's name; nothing is accepted and ignored
 * (docs/compat.md has a row for each field).
 *
 * Any thread, many at a time.
 */
#ifndef BP_CORE_SERVER_V1_H
#define BP_CORE_SERVER_V1_H

#include "core/base/cancel.h"
#include "core/compat/messages_v1.h"
#include "core/server/route.h"

typedef struct bp_service bp_service;

/** One call.  Borrowed, as all in it. */
typedef struct bp_v1_call {
    /** As bp_message_read of the operation's request message gives it. */
    const json_t *request;
    /** Of the header or the metadata "request_id"; NULL or "": the request's own, else one is made.
     */
    const char *request_id;
    const char *origin; /* of a job that it starts: "rest-v1", "grpc" */
    /** The server is about to end: what waits answers at once; its job goes on. */
    const bp_cancel *stopping;
} bp_v1_call;

typedef struct bp_v1_operation {
    const char *name; /* of the method: "CreateBackup" */
    const bp_message *request, *response;
    bp_role role;    /* that a caller needs */
    bool in_service; /* a method of the service that 0.5.7 declares; else REST alone has it */
    /**
     * May take as long as a job does, where it is not asynchronous.  The answer is a value of
     * `response`, to be shown by bp_message_show or to be written as protobuf; failures are in it.
     * Returns: (transfer full)
     */
    json_t *(*run)(bp_service *service, const bp_v1_call *call);
} bp_v1_operation;

/** CreateBackup, GetBackup, ListBackups, DeleteBackup, RestoreBackup, GetRestore, Check;
 * RestoreSecondary, which no service declares. */
extern const bp_v1_operation bp_v1_operations[];
extern const gsize bp_v1_n_operations;

/** By its name.  Returns: (transfer none) (nullable) */
const bp_v1_operation *bp_v1_find(const char *name);

#endif
