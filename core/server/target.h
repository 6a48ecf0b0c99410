/* SPDX-License-Identifier: Apache-2.0
 *
 * The target of a request ("/api/v2/jobs/X?limit=5"), taken apart once.  A path is split at its
 * slashes before anything is decoded, and what only serves to look like another path is refused, so
 * that everybody who compares paths sees the same one.  Pure; any thread.
 */
#ifndef BP_CORE_SERVER_TARGET_H
#define BP_CORE_SERVER_TARGET_H

#include <glib.h>

#define BP_TARGET_MAX_PARTS 16
#define BP_TARGET_MAX_PARAMETERS 32

typedef struct bp_http_target {
    GPtrArray *parts;  /* char *, decoded, none empty; "/" has none */
    GHashTable *query; /* char * to char *, decoded */
} bp_http_target;

/**
 * INVALID: not from the root; a part that is empty, "." or ".."; encoded slashes, control
 * characters, bytes that are no UTF-8, broken escapes; a parameter twice; too many of both.
 * Returns: (transfer full) (nullable)
 */
bp_http_target *bp_http_target_parse(const char *text, GError **error);
void bp_http_target_free(bp_http_target *target);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_http_target, bp_http_target_free)

/** Value of a parameter of the query, or NULL.  Lives as long as the target. */
const char *bp_http_target_parameter(const bp_http_target *target, const char *name);

#endif
