/* SPDX-License-Identifier: Apache-2.0
 *
 * One check, in a process of its own: what it was given, how it ends, and the plugin under test.
 *
 * A check ends by returning, which is a pass, or by one of the functions that do not return.  Those
 * end the process at once, from any thread: nothing has to be given back after a failure.
 */
#ifndef BAKPLANE_TESTKIT_KIT_H
#define BAKPLANE_TESTKIT_KIT_H

#include <bakplane/plugin.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "sdk/testkit/host.h"
#include "sdk/testkit/node.h"
#include "sdk/testkit/options.h"

struct bp_kit;

/** One check of the table. */
struct bp_kit_check {
    const char *name;     /**< section.what */
    const char *contract; /**< what the plugin is held to; one sentence */
    void (*run)(struct bp_kit *kit);
    uint64_t caps;    /**< needs all of these, else it is skipped */
    const char *hook; /**< needs this entry below `hooks` of the config file, else skipped */
    unsigned times;   /**< it may take so many times --timeout; 0 = 1 */
};

/** Which call of the plugin runs; shared with the process that watches. */
struct bp_kit_step {
    char call[32];
    char on[256];
};

struct bp_kit {
    const struct bp_kit_options *options;
    const struct bp_kit_node *config; /**< the whole file */
    const struct bp_kit_check *check;
    const char *run_prefix; /**< of all keys of this run of the program */
    const char *prefix;     /**< of the keys of this check; ends in '/' */
    int report_fd;
    struct bp_kit_step *step;
    bool in_crowd; /**< several threads: single steps are not told */

    /* Set by bp_kit_load: the plugin's tables, copied into ours. */
    const struct bp_host *host;
    const struct bp_plugin *told; /**< the plugin's own */
    struct bp_plugin plugin;
    struct bp_config_key *keys;
    struct bp_storage_ops ops;
    struct bp_source_ops source;
};

/** The contract is broken; say how. */
_Noreturn void bp_kit_fail(const struct bp_kit *kit, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/** It cannot be checked here; say why. */
_Noreturn void bp_kit_skip(const struct bp_kit *kit, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/** The config file is of no use: the whole run ends. */
_Noreturn void bp_kit_bail(const struct bp_kit *kit, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/** A comment in the output. */
void bp_kit_note(const struct bp_kit *kit, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** What runs now, for the report should the process end here. */
void bp_kit_step(const struct bp_kit *kit, const char *call, const char *on);

/** Maps the file and takes the descriptor; fails the check where that is not possible. */
void bp_kit_load(struct bp_kit *kit, enum bp_kit_host_shape shape);
/** The same, and init, where this has not been done in this process. */
void bp_kit_start(struct bp_kit *kit);
/** The entry of the file, or NULL with text in *why. */
bp_status (*bp_kit_entry(const struct bp_kit *kit, const char **why))(const struct bp_host *host,
                                                                      const struct bp_plugin **out,
                                                                      struct bp_error *error);

/** An entry below `hooks` of the config file, or NULL. */
const struct bp_kit_node *bp_kit_hook(const struct bp_kit *kit, const char *name);

/** A key of this check's own; lives as long as the process. */
const char *bp_kit_key(const struct bp_kit *kit, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
