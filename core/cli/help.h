/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts of --help, from the same lists of options as the manual.
 */
#ifndef BP_CORE_CLI_HELP_H
#define BP_CORE_CLI_HELP_H

#include "core/cli/cli.h"

/** Of one command; @tables as for bp_args_parse.  Returns: (transfer full) */
char *bp_help_command(const bp_command *command, const bp_key_table *tables, gsize n_tables);
/** Of the program.  Returns: (transfer full) */
char *bp_help_overview(void);

#endif
