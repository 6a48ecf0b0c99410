/* SPDX-License-Identifier: Apache-2.0
 *
 * Tokens from their files.
 */
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/server/access.h"
#include "core/server/token.h"

#include "sdk/lib/ban.h"

static void
wipe(char *text)
{
    if (text != NULL) {
        explicit_bzero(text, strlen(text));
        g_free(text);
    }
}

/* Returns: (transfer full) (nullable); to be wiped */
static char *
read_token(const char *path, GError **error)
{
    g_autofree char *dir = g_path_get_dirname(path);
    if (g_mkdir_with_parents(dir, 0700) != 0) {
        bp_set_error_errno(error, errno, "the folder of token file %s", path);
        return NULL;
    }
    return bp_token_from_file(path, error);
}

static bp_access *
open_with(const bp_server_settings *settings, const bp_access_token *tokens, gsize n,
          GError **error)
{
    bp_access_params params = {.address = settings->listen.host,
                               .has_tls = settings->tls_cert != NULL,
                               .is_open = settings->is_open,
                               .is_insecure = settings->is_insecure,
                               .tokens = tokens,
                               .n_tokens = n,
                               .hosts = (const char *const *)settings->hosts,
                               .origins = (const char *const *)settings->origins};
    return bp_access_new(&params, error);
}

/* Who was given it to look could operate. */
static bool
are_two(const char *operate, const char *look, GError **error)
{
    if (strcmp(operate, look) != 0) {
        return true;
    }
    bp_set_error(error, BP_ERR_INVALID,
                 "server.read_token_file has the same token as server.token_file, which may do "
                 "everything");
    bp_error_add_hint(error, "name another file: the server makes a token for it");
    return false;
}

bp_access *
bp_access_open(const bp_server_settings *settings, GError **error)
{
    if (settings->is_open) {
        return open_with(settings, NULL, 0, error);
    }
    bool has_reader = settings->read_token_file != NULL;
    bp_access *access = NULL;
    char *operate = read_token(settings->token_file, error);
    char *look =
        operate != NULL && has_reader ? read_token(settings->read_token_file, error) : NULL;
    bool is_there = operate != NULL && (look != NULL || !has_reader);
    if (is_there && (!has_reader || are_two(operate, look, error))) {
        bp_access_token tokens[] = {{.text = operate, .role = BP_ROLE_OPERATE},
                                    {.text = look, .role = BP_ROLE_READ}};
        access = open_with(settings, tokens, has_reader ? 2 : 1, error);
    }
    wipe(operate);
    wipe(look);
    return access;
}
