/* SPDX-License-Identifier: Apache-2.0
 *
 * Finding, trusting and loading plugins.  A plugin is loaded when somebody names it, once per
 * process, and never unloaded.
 *
 * Trust: the file and every parent directory, after symlinks are resolved, must belong to root or
 * to us and must not be writable by others (root-owned sticky parents such as /tmp are fine); if
 * sha256 sums are configured the file's must be among them.  A plugin runs with all our rights.
 */
#ifndef BP_CORE_PLUGIN_PLUGINS_H
#define BP_CORE_PLUGIN_PLUGINS_H

#include <bakplane/plugin.h>
#include <glib.h>
#include <stdbool.h>

#include "core/config/settings.h"

typedef struct bp_plugins bp_plugins; /* the directories and what was loaded from them */
typedef struct bp_module bp_module;   /* one loaded plugin; lives as long as bp_plugins */

typedef enum { BP_PLUGIN_STORAGE, BP_PLUGIN_SOURCE } bp_plugin_kind;

/** Directories are absolute; searched in order.  `sha256` hex sums, NULL-terminated or NULL. */
bp_plugins *bp_plugins_new(const char *const *dirs, const char *const *sha256);
/** Calls each fini.  All instances are closed by then.  The code stays mapped. */
void bp_plugins_free(bp_plugins *plugins);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_plugins, bp_plugins_free)

/**
 * The module bakplane-<kind>-<name>.so, loaded and initialised now if it was not yet.
 * INVALID (no such plugin: the name is the configuration's) names the directories and what is
 * there; DENIED says which trust rule failed and for which path; UNSUPPORTED names both ABI
 * versions; PERMANENT is a bug of the plugin. Main thread.  Returns: (transfer none) (nullable)
 */
bp_module *bp_plugins_get(bp_plugins *plugins, bp_plugin_kind kind, const char *name,
                          GError **error);

/** One file found by bp_plugins_scan. */
typedef struct bp_plugin_file {
    char *path, *kind, *name;
    bp_module *module; /* NULL when it was refused */
    char *refused;     /* why, or NULL */
} bp_plugin_file;
void bp_plugin_file_free(bp_plugin_file *file);

/** Look at every plugin file in the directories.  Returns: (transfer full) bp_plugin_file* */
GPtrArray *bp_plugins_scan(bp_plugins *plugins);

/** The host's copy of the descriptor: strings, versions, tables. */
const struct bp_plugin *bp_module_descriptor(const bp_module *module);
const char *bp_module_path(const bp_module *module);
const char *bp_module_sha256(const bp_module *module);
bp_key_table bp_module_keys(const bp_module *module);
bp_key_table bp_module_create_keys(const bp_module *module);
bp_key_table bp_module_restore_keys(const bp_module *module);

#endif
