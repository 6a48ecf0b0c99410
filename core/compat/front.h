/* SPDX-License-Identifier: Apache-2.0
 *
 * This program under another tool's name: that tool's command lines in, our own out, and results
 * in that tool's shapes.  The command line knows a front by this table alone.
 *
 * Main thread only.
 */
#ifndef BP_CORE_COMPAT_FRONT_H
#define BP_CORE_COMPAT_FRONT_H

#include <jansson.h>

#include "core/config/config.h"

/** What a command line is read with. */
typedef struct bp_front_in {
    const char *const *argv;    /* as main got it, NULL-terminated */
    const char *const *environ; /* "NAME=value", NULL-terminated */
    bool terminal;              /* somebody looks at standard error */
} bp_front_in;

/** A command line that was understood: either `words`, or `text` to print and be done. */
typedef struct bp_front_call {
    const char *command;        /* of the other tool, e.g. "get"; static */
    char **words;               /* as main would get them, NULL-terminated */
    const char *const *environ; /* as it came in; borrowed */
    char *text;
    bool detail;         /* get: with everything */
    GPtrArray *warnings; /* char * */
} bp_front_call;
void bp_front_call_clear(bp_front_call *call);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(bp_front_call, bp_front_call_clear)

/** A result to print. */
typedef struct bp_front_result {
    const bp_front_call *call;
    const json_t *json;           /* of our verb */
    const bp_config_tree *config; /* or NULL */
    bool done;                    /* success; else failed or not provable */
} bp_front_result;

typedef struct bp_front {
    const char *name; /* of the other tool's program */
    /**
     * Errors: INVALID or UNSUPPORTED for the line itself; NOT_FOUND when there is no configuration
     * file.
     */
    bool (*translate)(const bp_front_in *in, bp_front_call *out, GError **error);
    /** For standard output; NULL = as our own verb shows it.  Returns: (transfer full) (nullable)
     */
    char *(*show)(const bp_front_result *result);
    const bp_config_dialect *dialect; /* how its configuration is read */
} bp_front;

/** milvus-backup, with the commands and options of 0.4, 0.5 and 0.6 and the defaults of 0.5. */
extern const bp_front bp_compat_front;

#endif
