/* SPDX-License-Identifier: Apache-2.0
 *
 * From flags to a request (core/jobs/request.h), and running it.
 */
#ifndef BP_CORE_CLI_ASK_H
#define BP_CORE_CLI_ASK_H

#include "core/cli/cli.h"

/** Returns: (transfer full) */
json_t *bp_ask_new(const char *verb);
/** NULL is left out; "" is said. */
void bp_ask_text(json_t *request, const char *key, const char *value);
/** FALSE is left out. */
void bp_ask_switch(json_t *request, const char *key, gboolean value);
/** What generated flags said. */
void bp_ask_settings(json_t *request, const bp_cli *cli);

/** Run it as a job of this machine, as core/jobs/run.h says.  Frees the request. */
bp_verb_outcome bp_ask_run(const bp_cli *cli, const bp_verb *verb, json_t *take_request,
                           GError **error);

#endif
