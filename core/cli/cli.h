/* SPDX-License-Identifier: Apache-2.0
 *
 * The command line: global options, commands, exit codes.  Results go to stdout, all else to
 * stderr.
 */
#ifndef BP_CORE_CLI_CLI_H
#define BP_CORE_CLI_CLI_H

#include "core/cli/output.h"
#include "core/compat/front.h"
#include "core/verb/verb.h"

/** Exit codes, documented in bakplane(1). */
enum bp_exit {
    BP_EXIT_DONE = 0,
    BP_EXIT_FAILED = 1,
    BP_EXIT_USAGE = 2,     /* usage or configuration */
    BP_EXIT_DIFFERENT = 3, /* finished, with differences or something that cannot be proven */
};

/** What was said before or after the command, for every command. */
typedef struct bp_globals {
    char *config;
    char **sets;
    char *report;
    char *progress; /* auto, bar, plain, json, none */
    char *log_format;
    gboolean json, quiet;
    gint verbose; /* how often -v was given */
} bp_globals;

/** Which keys of the configuration are flags of a command, with the source's own or without. */
typedef enum {
    BP_OPTIONS_NONE,
    BP_OPTIONS_CREATE,
    BP_OPTIONS_COPY, /* some of create's, none of the source's */
    BP_OPTIONS_RESTORE,
} bp_option_source;

typedef struct bp_command bp_command;

/** One run of the program. */
typedef struct bp_cli {
    const bp_command *command;
    bp_globals globals;
    bp_output output;        /* colors and progress, decided once */
    bp_config_tree *config;  /* NULL for commands that need none */
    GError *config_error;    /* why it could not be read */
    bp_workspace *workspace; /* likewise */
    bp_cancel *cancel;
    bp_monitor *monitor;
    const bp_front *front; /* the tool whose name the program goes by, or NULL */
    bp_front_call call;    /* then: what it was called for */
    GPtrArray *overrides;  /* char*, "key=value" from generated flags, NULL-terminated */
    char **args;           /* what is left: words of the command */
} bp_cli;

struct bp_command {
    const char *name, *words, *summary; /* words: positional ones, for the usage line, or NULL */
    const char *description;            /* for --help and the manual */
    const GOptionEntry *entries;        /* own options, ended by {0}, or NULL */
    bp_option_source source;            /* generated options */
    bool needs_config;
    /** Reads its options' variables and does it.  `result` is printed by the caller. */
    bp_verb_outcome (*run)(bp_cli *cli, const bp_verb *verb, GError **error);
    /** `result` as text for people.  Returns: (transfer full) */
    char *(*show)(const json_t *result, bool color);
};

/* One file each. */
extern const bp_command bp_command_create, bp_command_copy, bp_command_restore, bp_command_list,
    bp_command_get, bp_command_delete, bp_command_prune, bp_command_verify, bp_command_check,
    bp_command_job, bp_command_server, bp_command_plugin, bp_command_config,
    bp_command_install_alias, bp_command_version;

/** All of them, in the order of the help, NULL-terminated. */
extern const bp_command *const bp_commands[];

/** Section of the configuration that its flags stand for; NULL = it has none. */
const char *bp_command_section(const bp_command *command);
/** Keys of that section that are its flags. */
bp_key_table bp_command_core_keys(const bp_command *command);
/** The same of the source's plugin.  Returns: false when the command takes none */
bool bp_command_source_keys(const bp_command *command, const bp_module *module, bp_key_table *out);

/** Run the program; `argv` as main got it.  Returns: the exit code. */
int bp_cli_main(int argc, char **argv, bp_cancel *cancel);

#endif
