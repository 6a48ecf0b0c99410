/* SPDX-License-Identifier: Apache-2.0
 *
 * A client for the tests of core/grpc, on the same library.  A call waits a minute at most.
 */
#ifndef BP_TESTS_UNIT_CORE_GRPC_CLIENT_H
#define BP_TESTS_UNIT_CORE_GRPC_CLIENT_H

#include <grpc/grpc.h>
#include <jansson.h>

#include "core/compat/message.h"

typedef struct client {
    grpc_channel *channel;
    char *authorization; /* NULL = none */
} client;

/** @token: NULL = none. */
client *client_new(guint16 port, const char *token);
/** One that takes hardly more than it reads, so that its server notices when it does not. */
client *client_new_slow(guint16 port, const char *token);
void client_free(client *self);

/** One call, open. */
typedef struct exchange exchange;

/** @bytes: the message; NULL = none is sent. */
exchange *exchange_begin(client *self, const char *path, GBytes *bytes);
/** One whose message is still to come, and does not. */
exchange *exchange_open(client *self, const char *path);
/** The next message.  Returns: (transfer full) (nullable) NULL when there is none any more */
json_t *exchange_next(exchange *x, const bp_message *response);
void exchange_cancel(exchange *x);
/** Its status; the call is gone then.  @details: (transfer full), may be NULL. */
int exchange_end(exchange *take_x, char **details);

/** A whole call of one message each.  Returns: the status; @answer NULL unless that is OK. */
int client_call(client *self, const char *path, GBytes *bytes, const bp_message *response,
                json_t **answer);

/** What a message is on the wire, from JSON.  Returns: (transfer full) */
GBytes *message_of(const bp_message *message, const char *json);
/** An empty one, and one whose only member is an ID.  Returns: (transfer full) */
GBytes *nothing(void);
GBytes *id_message(const char *id);

/** A whole call that succeeds.  Returns: (transfer full) */
json_t *ask(client *who, const char *path, GBytes *take_message, const bp_message *response);
/** One that ends with that status; what it says contains the text. */
void assert_refused(client *who, const char *path, GBytes *take_message, int code,
                    const char *text);

#endif
