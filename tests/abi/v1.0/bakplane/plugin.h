/* SPDX-License-Identifier: Apache-2.0
 *
 * The plugin's descriptor and its one exported symbol.  Include this from a plugin.
 *
 * A plugin is one shared object named bakplane-<kind>-<name>.so.  It exports bp_plugin_entry_v1
 * and nothing else, has no undefined bp_* symbol, is loaded once and never unloaded.  It leaves
 * process state alone: signals, working directory, umask, locale, environment, stdio, fork.
 */
#ifndef BAKPLANE_PLUGIN_H
#define BAKPLANE_PLUGIN_H

#include <bakplane/abi.h>
#include <bakplane/config.h>
#include <bakplane/error.h>
#include <bakplane/host.h>
#include <bakplane/op.h>
#include <bakplane/source.h>
#include <bakplane/storage.h>

/** bp_plugin.thread_model.  open, close, init and fini are always alone; unknown counts as 0. */
enum bp_thread_model {
    BP_THREADS_ONE = 0,      /**< one call at a time in the whole plugin */
    BP_THREADS_INSTANCE = 1, /**< one call at a time per instance */
    BP_THREADS_PARALLEL = 2  /**< any, but never two on one reader, writer, unit or target (items of
                                  a unit are read meanwhile: source.h) */
};

/** Static in the plugin; read once by the host, which copies what it understands. */
struct bp_plugin {
    uint32_t struct_size;
    uint16_t abi_major, abi_minor; /**< BP_ABI_MAJOR, BP_ABI_MINOR of the headers it saw */
    uint16_t min_host_minor;       /**< refuses hosts older than this minor */
    uint16_t thread_model;         /**< enum bp_thread_model */
    uint32_t max_parallel;         /**< most calls at once per instance; 0 = no wish */
    const char *name;              /**< [a-z][a-z0-9-]*, at most 31 bytes */
    const char *version, *summary, *license;
    const struct bp_config_key *keys;     /**< settings of an instance */
    uint32_t key_stride, n_keys;          /**< sizeof(struct bp_config_key), number of keys */
    const struct bp_storage_ops *storage; /**< exactly one of the two in minor 0 */
    const struct bp_source_ops *source;
    /**
     * Once, on one thread, before any other call and alone: libraries that have to be started.
     * A failure is for good, and nothing else is called then, fini neither.  May be NULL.
     */
    bp_status (*init)(const struct bp_host *host, struct bp_error *error);
    /** Once, after the last close, if init succeeded.  May be NULL. */
    void (*fini)(void);
};

#if defined(__GNUC__)
#define BP_PLUGIN_EXPORT __attribute__((visibility("default")))
#else
#define BP_PLUGIN_EXPORT
#endif

BP_BEGIN_DECLS

/**
 * The entry: returns the descriptor's address.  No I/O, no threads, no allocation, callable
 * twice; `plugin list` calls it for every file it finds.
 */
BP_PLUGIN_EXPORT bp_status bp_plugin_entry_v1(const struct bp_host *host,
                                              const struct bp_plugin **out, struct bp_error *error);

BP_END_DECLS

/** Name of the entry, for dlsym. */
#define BP_PLUGIN_ENTRY "bp_plugin_entry_v1"

#endif
