/* SPDX-License-Identifier: Apache-2.0
 *
 * A plugin's settings as the host hands them over: read from the config file, checked against the
 * plugin's table, normalised.  It remembers which keys the plugin asked for.
 */
#ifndef BAKPLANE_TESTKIT_SETTINGS_H
#define BAKPLANE_TESTKIT_SETTINGS_H

#include <bakplane/config.h>
#include <stdbool.h>

#include "sdk/testkit/node.h"

struct bp_kit_settings_params {
    const struct bp_config_key *keys;
    size_t n_keys;
    const struct bp_kit_node *base;  /**< map, or NULL for nothing */
    const struct bp_kit_node *other; /**< map whose values win; "~" takes a key away; or NULL */
    unsigned port;                   /**< what {port} in a value stands for; 0 = it stays */
};

/** NULL, and new text in *why, when a key is unknown or missing, or a value is of no use. */
struct bp_config *bp_kit_settings_new(const struct bp_kit_settings_params *params, char **why);
void bp_kit_settings_free(struct bp_config *config);

/** Sets a key to one value, unchecked; NULL: not set. */
void bp_kit_settings_set(struct bp_config *config, const char *key, const char *text);
/** First value of a key, or NULL; not remembered as asked for. */
const char *bp_kit_settings_peek(const struct bp_config *config, const char *key);
/** Whether the plugin has asked for this key. */
bool bp_kit_settings_asked(const struct bp_config *config, const char *key);

/* The host's functions of these names; any thread. */
const char *bp_kit_config_get(const struct bp_config *config, const char *key);
size_t bp_kit_config_count(const struct bp_config *config, const char *key);
const char *bp_kit_config_at(const struct bp_config *config, const char *key, size_t i);

#endif
