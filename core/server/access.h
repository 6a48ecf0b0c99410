/* SPDX-License-Identifier: Apache-2.0
 *
 * Who may ask for what: the guard of a server.
 *
 * - The Host has to be an address, or a name that we go by: a page that has made its own name
 *   point to us (DNS rebinding) cannot ask.
 * - The Origin, where a browser sends one, has to be ourselves or one that is configured.
 * - The token, "Authorization: Bearer TOKEN", has the role that the route wants.  Where nothing is,
 *   nobody learns so without a token.
 *
 * Nothing else in a request is looked at: no cookie, no parameter, no header of a proxy.
 */
#ifndef BP_CORE_SERVER_ACCESS_H
#define BP_CORE_SERVER_ACCESS_H

#include <stdbool.h>

#include "core/server/route.h"
#include "core/server/settings.h"

typedef struct bp_access bp_access;

typedef struct bp_access_token {
    const char *text;
    bp_role role;
} bp_access_token;

typedef struct bp_access_params {
    const char *address; /* that is listened on */
    bool has_tls;
    bool is_open;     /* everybody may do everything: no tokens */
    bool is_insecure; /* even where other machines reach it */
    const bp_access_token *tokens;
    gsize n_tokens;
    const char *const *hosts;   /* names that we go by, NULL-terminated, or NULL */
    const char *const *origins; /* "https://console.example", likewise */
} bp_access_params;

/**
 * Everything is copied, of tokens only a hash.  They are told to bp_log_add_secret.
 * INVALID: neither open nor a token; a token that is easily guessed; open, reachable by other
 * machines and not insecure.  Returns: (transfer full) (nullable)
 */
bp_access *bp_access_new(const bp_access_params *params, GError **error);
/**
 * The same from the settings.  Files of tokens are made where they are not there, in folders which
 * are made, too.  Errors: as bp_access_new and bp_token_from_file, naming the file.
 */
bp_access *bp_access_open(const bp_server_settings *settings, GError **error);
void bp_access_free(bp_access *access);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_access, bp_access_free)

/**
 * The role of a token; BP_ROLE_OPERATE for everybody where there is no authentication.
 * @authorization: "Bearer TOKEN", or NULL.  Any thread.
 */
bp_role bp_access_role(const bp_access *access, const char *authorization);

/** As bp_guard.  Any thread.  Returns: (transfer full) (nullable) */
bp_reply *bp_access_check(const bp_access *access, const bp_http_request *request);

#endif
