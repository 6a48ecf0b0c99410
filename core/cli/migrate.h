/* SPDX-License-Identifier: Apache-2.0
 *
 * bakplane config migrate: another tool's configuration as a file of ours.
 */
#ifndef BP_CORE_CLI_MIGRATE_H
#define BP_CORE_CLI_MIGRATE_H

#include "core/cli/cli.h"

typedef struct bp_migrate_params {
    const char *to;     /* "native", "v2", or NULL = native */
    const char *output; /* file, readable by its owner alone; NULL or "-" = the result's text */
    bool force;         /* it may replace one that is there */
    bool strict;        /* fail when something would be lost */
} bp_migrate_params;

/** Errors: INVALID for a native file or what `strict` refuses; EXISTS. */
bp_verb_outcome bp_migrate_run(const bp_cli *cli, const bp_verb *verb,
                               const bp_migrate_params *params, GError **error);

#endif
