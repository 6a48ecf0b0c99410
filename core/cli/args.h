/* SPDX-License-Identifier: Apache-2.0
 *
 * From argv to a command with its options: global flags before or after the command, '_' and '-'
 * alike in names, booleans also as --flag=true, and flags generated from key tables.
 */
#ifndef BP_CORE_CLI_ARGS_H
#define BP_CORE_CLI_ARGS_H

#include "core/cli/cli.h"
#include "core/cli/option.h"

/** The command that argv names, or NULL (then `word` is what stands there, or NULL for none). */
const bp_command *bp_args_command(int argc, char **argv, const char **word);

/**
 * Parse everything.  Options of key tables land in cli->overrides.
 * @tables: keys whose flags exist for this command.
 * INVALID names the flag, with the nearest known one.
 */
bool bp_args_parse(bp_cli *cli, int argc, char **argv, const bp_key_table *tables, gsize n_tables,
                   GError **error);

/** Only the global ones, ignoring everything else: to find the configuration first. */
void bp_args_globals(bp_cli *cli, int argc, char **argv);

/**
 * What may be given to a command, for people: its own options, those of the key tables, and the
 * global ones.  @command: NULL = only the global ones.  Returns: (transfer full) bp_option*
 */
GPtrArray *bp_args_options(const bp_command *command, const bp_key_table *tables, gsize n_tables);

/** Spelling of a key's flag, without dashes: "concurrency-units".  Returns: (transfer full) */
char *bp_args_flag(const struct bp_config_key *key);

#endif
