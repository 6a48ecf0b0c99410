/* SPDX-License-Identifier: Apache-2.0
 *
 * Options and settings as people read them: what --help, the manual and the completions are made
 * of.  They come from the tables that the program itself parses with.
 */
#ifndef BP_CORE_CLI_OPTION_H
#define BP_CORE_CLI_OPTION_H

#include "core/config/settings.h"

/** Where an option comes from, in the order of the help. */
typedef enum {
    BP_OPTION_COMMAND, /* the command's own */
    BP_OPTION_SECTION, /* a key of the core's section for this command */
    BP_OPTION_PLUGIN,  /* a key of the source plugin's */
    BP_OPTION_GLOBAL,
    BP_OPTION_N_GROUPS,
} bp_option_group;

typedef struct bp_option {
    bp_option_group group;
    char **names;  /* "-n", "--name"; or a setting and its alias */
    char *value;   /* "NAME", "size|stream|read"; NULL = takes none */
    char *help;    /* one sentence */
    char *details; /* "1 to 1024; default 16", or NULL */
    bool file;     /* the value is a path */
} bp_option;

/** Returns: (transfer full) */
bp_option *bp_option_of_entry(const GOptionEntry *entry, bp_option_group group);
/** @take_names: NULL-terminated, owned from now on.  Returns: (transfer full) */
bp_option *bp_option_of_key(const struct bp_config_key *key, char **take_names,
                            bp_option_group group);
/** The key as a line of the configuration, under its own name.  Returns: (transfer full) */
bp_option *bp_option_of_setting(const struct bp_config_key *key);
void bp_option_free(bp_option *option);

#endif
