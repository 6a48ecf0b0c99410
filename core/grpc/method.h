/* SPDX-License-Identifier: Apache-2.0
 *
 * What can be called, and what answers.  Only for core/grpc.
 */
#ifndef BP_CORE_GRPC_METHOD_H
#define BP_CORE_GRPC_METHOD_H

#include "core/compat/message.h"
#include "core/grpc/server.h"
#include "core/server/v1.h"

typedef enum {
    BP_GRPC_ONE,    /* a message, an answer */
    BP_GRPC_STREAM, /* a message, an answer at once and at every change */
    BP_GRPC_CHAT,   /* an answer for each message */
} bp_grpc_kind;

/** Which workers: slow ones must not keep quick ones from their work. */
typedef enum {
    BP_GRPC_QUICK,   /* looks at memory and files of ours */
    BP_GRPC_STORAGE, /* asks storages and sources */
    BP_GRPC_WAITING, /* waits for a job */
    BP_GRPC_N_LANES,
} bp_grpc_lane;

typedef struct bp_grpc_method bp_grpc_method;

/** One question.  Borrowed, as all in it. */
typedef struct bp_grpc_ask {
    bp_grpc *grpc;
    bp_service *service;
    const bp_grpc_method *method;
    const json_t *request;
    const char *request_id; /* metadata "request_id", or NULL */
    const bp_cancel *stopping;
    bool is_ending; /* of the server */
} bp_grpc_ask;

typedef struct bp_grpc_reply {
    json_t *answer; /* of the method's response; NULL with an error */
    bool is_last;   /* of a stream */
} bp_grpc_reply;

struct bp_grpc_method {
    const char *path; /* "/package.Service/Method" */
    const bp_message *request, *response;
    bp_role role;
    bp_grpc_kind kind;
    bp_grpc_lane lane;
    /** On a worker.  @out: filled in; nothing in it with an error.  Returns: no error */
    bool (*answer)(const bp_grpc_ask *ask, bp_grpc_reply *out, GError **error);
    /** Of a stream: a number that is another one after each change.  Any thread, at once. */
    guint64 (*version)(const bp_grpc_ask *ask);
    const bp_v1_operation *operation; /* of the one service */
};

extern const bp_grpc_method bp_grpc_jobs_methods[];
extern const gsize bp_grpc_jobs_n_methods;
extern const bp_grpc_method bp_grpc_health_methods[];
extern const gsize bp_grpc_health_n_methods;
extern const bp_grpc_method bp_grpc_reflection_methods[];
extern const gsize bp_grpc_reflection_n_methods;

/** All of them by their paths.  Returns: (transfer full) const char* -> bp_grpc_method* */
GHashTable *bp_grpc_methods_new(void);

#endif
