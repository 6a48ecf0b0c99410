/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of bp_config_tree, for the files of core/config only.
 */
#ifndef BP_CORE_CONFIG_TREE_H
#define BP_CORE_CONFIG_TREE_H

#include "core/config/config.h"

#define BP_CONFIG_ENV_PREFIX "BAKPLANE__"

/** Strongest first.  Flags belong to one section only and come in with its params. */
enum { BP_LAYER_SET, BP_LAYER_ENV, BP_LAYER_FILE, BP_N_LAYERS };

struct bp_config_tree {
    char *path;     /* absolute, or NULL = no file */
    char *base_dir; /* relative paths of the file start here */
    bool readable_by_all;
    bp_node *layers[BP_N_LAYERS]; /* maps, never NULL */
    char **environ;
    GPtrArray *warnings;
    const bp_config_dialect *dialect; /* that the file was in, or NULL */
    bp_node *foreign;                 /* the file in that dialect */
    char **storages;
};

/** --set: INVALID unless each is KEY=VALUE.  `sets` may be NULL.  Returns: (nullable) */
bp_node *bp_config__layer_from_sets(const char *const *sets, GError **error);
/** All BAKPLANE__… variables that are not empty.  Returns: (nullable) */
bp_node *bp_config__layer_from_environ(const char *const *environ, GError **error);
/** In the environment '-' of a storage's name is '_': give the storages of `layer` their names. */
void bp_config__name_storages(bp_node *layer, char **names);

/** Unknown sections, shape of the core's own sections, names of storages and references. */
bool bp_config__check(const bp_config_tree *tree, GError **error);
/** "source", "backup" …: it has keys of its own. */
bool bp_config__is_section(const char *name);
/** As bp_config_section, but only the keys of the tables are looked at and none is required. */
bool bp_config__check_known_keys(const bp_config_tree *tree, const bp_config_section_params *params,
                                 GError **error);
/** Addresses can be listened on; files of TLS come together.  INVALID names the key. */
bool bp_config__check_server(const bp_config_tree *tree, const bp_settings *settings,
                             GError **error);
/** INVALID unless a storage of this name is configured. */
bool bp_config__check_storage(const bp_config_tree *tree, const char *name, GError **error);

/** Name of the environment variable for a key's path.  Returns: (transfer full) */
char *bp_config__env_name(const char *path);

/** Value in an environment block, or NULL. */
const char *bp_config__getenv(const char *const *environ, const char *name);

/** A node's place in messages.  Returns: (transfer full) */
char *bp_config__where(const bp_config_tree *tree, const bp_node *node);

#endif
