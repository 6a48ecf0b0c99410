/* SPDX-License-Identifier: Apache-2.0
 *
 * Tokens, and the file that holds the one that a server has made for itself.
 */
#ifndef BP_CORE_SERVER_TOKEN_H
#define BP_CORE_SERVER_TOKEN_H

#include <glib.h>
#include <stdbool.h>

#define BP_TOKEN_MIN_BYTES 16
#define BP_TOKEN_MAX_BYTES 4096

/** INVALID: shorter, longer, or with characters that a header cannot carry.  Does not name it. */
bool bp_token_check(const char *token, GError **error);

/**
 * The token in a file, which is made, mode 0600, when it is not there: 256 bits of chance.  Its
 * folder has to be there.  Of two who make it at the same time both get the same.
 * DENIED when others than its owner, us or root, can read or write it, or turn a link that it is;
 * INVALID as bp_token_check, for what is no file and a link that leads nowhere; else by errno.
 * Returns: (transfer full) (nullable); wipe before freeing
 */
char *bp_token_from_file(const char *path, GError **error);

#endif
