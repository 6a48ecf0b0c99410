/* SPDX-License-Identifier: Apache-2.0
 *
 * Manual pages and shell completions: prose comes from templates, everything that the program
 * could contradict from its own tables.  Used while building, by bakplane-man.
 *
 * In a template a line "@WORD …" is replaced:
 *
 *     @COMMAND name          head, NAME, SYNOPSIS and DESCRIPTION of a command
 *     @OPTIONS name          its options, with those of the source plugins
 *     @GLOBALS  @COMMANDS    options of every command; the commands
 *     @SETTINGS section      keys of backup, restore, plugins, log, server or top
 *     @PLUGIN name what      keys of a plugin: settings, create or restore
 *     @BASH  @ZSH  @FISH     what a shell wants to know of each command
 *     @ZSH-COMMANDS          the commands for zsh
 *
 * and anywhere @VERSION@ and @COMMAND-NAMES@.  "alias" behind a shell's word means the commands of
 * the other tool, whose name is @ALIAS@ and whose commands are @ALIAS-COMMAND-NAMES@.
 */
#ifndef BP_CORE_CLI_MANUAL_H
#define BP_CORE_CLI_MANUAL_H

#include "core/cli/cli.h"
#include "core/cli/option.h"

typedef struct bp_manual {
    GPtrArray *modules; /* bp_module*: plugins to describe */
    const char *version;
} bp_manual;

/** Returns: (transfer full) (nullable), INVALID for a line that means nothing */
char *bp_manual_fill(const bp_manual *manual, const char *text, GError **error);

/** All options of a command, those of every source plugin included.  Returns: (transfer full) */
GPtrArray *bp_manual_options(const bp_manual *manual, const bp_command *command);

#endif
