/* SPDX-License-Identifier: Apache-2.0
 *
 * OAuth tokens: fetched with a client's secret, a federated token or from this machine's managed
 * identity, kept, and renewed five minutes before they end.
 *
 * Any thread.  One at a time fetches; the others go on with the old token while it lasts, else they
 * wait.
 */
#ifndef BAKPLANE_STORAGE_AZURE_TOKEN_H
#define BAKPLANE_STORAGE_AZURE_TOKEN_H

#include <bakplane/host.h>

#include "plugins/storage-azure/config.h"
#include "sdk/http/client.h"

struct bp_azure_tokens;

/** Borrows host, settings and client. */
struct bp_azure_tokens *bp_azure_tokens_new(const struct bp_host *host,
                                            const struct bp_azure_config *set,
                                            bp_http_client *client);
void bp_azure_tokens_free(struct bp_azure_tokens *tokens);

/** Another clock than CLOCK_MONOTONIC, for tests; before any thread asks for a token. */
void bp_azure_tokens_set_clock(struct bp_azure_tokens *tokens, int64_t (*clock)(void));

/**
 * A copy of the present token (bp_secret_free), and its generation for bp_azure_tokens_reject.
 * Errors: AUTH (refused; names the setting), RETRYABLE, THROTTLED, TIMEOUT, CANCELLED, INVALID.
 */
bp_status bp_azure_tokens_get(struct bp_azure_tokens *tokens, const struct bp_op *op,
                              bp_secret **out, uint64_t *generation, struct bp_error *error);

/** The service refused the token of that generation: the next call fetches another. */
void bp_azure_tokens_reject(struct bp_azure_tokens *tokens, uint64_t generation);

#endif
