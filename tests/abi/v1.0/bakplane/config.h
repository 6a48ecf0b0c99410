/* SPDX-License-Identifier: Apache-2.0
 *
 * Declared settings.  A plugin lists its keys in one table; the host checks values against it,
 * resolves secrets from files or the environment, makes CLI flags and manual pages from it, and
 * hands the plugin a read-only view.
 *
 * Hosts differ, and some are tests: `open` looks once more whether each required setting is there,
 * and answers BP_ERR_INVALID with its name where it is not.
 */
#ifndef BAKPLANE_CONFIG_H
#define BAKPLANE_CONFIG_H

#include <bakplane/abi.h>

/** Type of a key.  The host has checked the text before the plugin sees it. */
enum bp_config_type {
    BP_CONFIG_STRING = 0,
    BP_CONFIG_INT = 1,      /**< decimal, within [min, max] */
    BP_CONFIG_BOOL = 2,     /**< "true" or "false" */
    BP_CONFIG_SIZE = 3,     /**< bytes; written 64MiB, 1G …; handed over as decimal bytes */
    BP_CONFIG_DURATION = 4, /**< written 250ms, 30s, 5m, 2h, 7d; handed over as decimal ms */
    BP_CONFIG_CHOICE = 5,   /**< one of `choices` */
    BP_CONFIG_PATH = 6      /**< path on this machine; handed over absolute */
};

#define BP_CONFIG_REQUIRED UINT32_C(1) /**< must be given; `open` checks it again */
#define BP_CONFIG_SECRET UINT32_C(2)   /**< never printed, never accepted on a command line */
#define BP_CONFIG_LIST UINT32_C(4)     /**< several values; config_count, config_at */

/**
 * One declared key.  Tables of these are arrays, so the stride travels beside the table and a
 * host or plugin of another minor steps correctly.  All text is static.
 */
struct bp_config_key {
    const char *name;    /**< [a-z][a-z0-9_]*, unique in its table */
    uint32_t type;       /**< enum bp_config_type; a type unknown to the host: load refused */
    uint32_t flags;      /**< BP_CONFIG_…; a bit unknown to the host: load refused */
    const char *def;     /**< default as text, or NULL for "not set" */
    int64_t min, max;    /**< for INT, SIZE, DURATION; both 0 = only what the type allows */
    const char *choices; /**< for CHOICE: "auto|yes|no"; for SIZE and DURATION: words that stand
                              for 0 ("unlimited", "none") whatever `min` says, or NULL */
    const char *unit;    /**< for people: "bytes", "ms", or NULL */
    const char *alias;   /**< older or other tool's spelling still accepted, or NULL */
    const char *flag;    /**< create/restore keys: spelling of the CLI flag, or NULL = name */
    const char *help;    /**< one sentence, starts in lower case, no full stop */
};

/**
 * The host's view of one instance's values, or of one job's options.  Opaque.  Valid, with all
 * texts that come from it, for the call that it came with: what is needed later is copied.
 */
struct bp_config;

#endif
