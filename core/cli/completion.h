/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands and options in the words of three shells, for this program and for the other tool whose
 * name it may have.  Used while building, by bakplane-man.
 */
#ifndef BP_CORE_CLI_COMPLETION_H
#define BP_CORE_CLI_COMPLETION_H

#include "core/cli/manual.h"

/** A command, with what may follow it. */
typedef struct bp_completed {
    const char *name, *summary; /* static */
    char *words;                /* that it knows besides options, with blanks between, or "" */
    GPtrArray *options;         /* bp_option* */
} bp_completed;

/** Without options.  @take_words: owned from now on.  Returns: (transfer full) */
bp_completed *bp_completed_new(const char *name, const char *summary, char *take_words);
void bp_completed_free(bp_completed *self);

/** This program's commands, with the options of every source plugin.  Returns: bp_completed* */
GPtrArray *bp_completion_commands(const bp_manual *manual);
/** The other tool's, as far as they are not refused and have an effect.  Returns: bp_completed* */
GPtrArray *bp_completion_front_commands(void);

/** "create restore …".  Returns: (transfer full) */
char *bp_completion_names(const GPtrArray *commands);

void bp_completion_bash(const GPtrArray *commands, GString *out);
void bp_completion_zsh(const GPtrArray *commands, GString *out);
void bp_completion_zsh_commands(const GPtrArray *commands, GString *out);
void bp_completion_fish(const char *program, const GPtrArray *commands, GString *out);

#endif
