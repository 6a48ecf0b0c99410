/* SPDX-License-Identifier: Apache-2.0
 *
 * The command line of bakplane-server.  `bakplane server` passes its own on
 * (core/cli/cmd_server.c).
 */
#ifndef BP_CORE_DAEMON_OPTIONS_H
#define BP_CORE_DAEMON_OPTIONS_H

#include <glib.h>
#include <stdbool.h>

typedef struct bp_daemon_options {
    char *config;     /* NULL = looked for */
    char **sets;      /* or NULL */
    char *port;       /* or NULL */
    char *dialect;    /* another tool's, that the file is in whatever it looks like; or NULL */
    char *log_format; /* or NULL */
    gboolean insecure, quiet, version;
    gint verbose; /* how often -v was given */
} bp_daemon_options;

/** --help is printed here, and ends the program.  INVALID */
bool bp_daemon_options_parse(int argc, char **argv, bp_daemon_options *out, GError **error);
void bp_daemon_options_clear(bp_daemon_options *options);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(bp_daemon_options, bp_daemon_options_clear)

#endif
