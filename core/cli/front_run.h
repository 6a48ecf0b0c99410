/* SPDX-License-Identifier: Apache-2.0
 *
 * The program under another tool's name: its command line becomes ours, its results are printed in
 * that tool's shapes.
 */
#ifndef BP_CORE_CLI_FRONT_RUN_H
#define BP_CORE_CLI_FRONT_RUN_H

#include "core/cli/cli.h"

/** The front that goes by the last part of this path, or NULL. */
const bp_front *bp_front_named(const char *argv0);

/**
 * Translate argv into cli->call.  Returns: true when cli->call.words are to be run; else everything
 * has been printed and `*code` is the exit code.
 */
bool bp_front_take(bp_cli *cli, char **argv, int *code);

/** Returns: (transfer full) what to print of a result; NULL = the command's own text */
char *bp_front_text(const bp_cli *cli, const json_t *result, bp_verb_outcome outcome);

#endif
