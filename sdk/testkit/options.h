/* SPDX-License-Identifier: Apache-2.0
 *
 * The command line of bakplane-plugin-test.
 */
#ifndef BAKPLANE_TESTKIT_OPTIONS_H
#define BAKPLANE_TESTKIT_OPTIONS_H

#include <stdbool.h>

/** Exit codes; the manual lists them. */
enum bp_kit_exit { BP_KIT_PASSED = 0, BP_KIT_FAILED = 1, BP_KIT_USAGE = 2 };

enum bp_kit_kind { BP_KIT_STORAGE = 0, BP_KIT_SOURCE = 1 };

struct bp_kit_options {
    const char *plugin; /**< as given */
    const char *config;
    const char *trust; /**< directory in which the plugin must be trusted, or NULL */
    const char *only;  /**< names and patterns, separated by commas, or NULL */
    enum bp_kit_kind kind;
    bool list;
    unsigned timeout_s; /**< of one check */
};

/**
 * Reads the command line.  False: the program is over, with *exit_code, and what there is to say
 * has been said.
 */
bool bp_kit_options_parse(struct bp_kit_options *options, int argc, char **argv, int *exit_code);

/** Whether --only names this check, or is not given. */
bool bp_kit_options_want(const struct bp_kit_options *options, const char *check);

#endif
