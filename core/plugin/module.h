/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside core/plugin: one loaded plugin, with the host's own copies of everything it told.
 */
#ifndef BP_CORE_PLUGIN_MODULE_H
#define BP_CORE_PLUGIN_MODULE_H

#include "core/plugin/gate.h"
#include "core/plugin/plugins.h"

struct bp_module {
    char *path;                  /* symlinks resolved */
    char *sha256;                /* hex */
    struct bp_plugin descriptor; /* text is static in the plugin; tables point to what follows */
    struct bp_storage_ops storage;
    struct bp_source_ops source;
    struct bp_config_key *keys, *create_keys, *restore_keys;
    bp_gate gate; /* of all its instances */
    bool initialised;
    GError *init_error; /* init is called once, so its failure is for good */
};

/** The hint of a refusal for which the plugin's author has to be asked. */
#define BP_MODULE_BUG_HINT "its author has to mend that; until then take the file away"

void bp_module_free(bp_module *module);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_module, bp_module_free)

/** "storage", "source". */
const char *bp_plugin_kind_name(bp_plugin_kind kind);

/** A name of bp_plugin.name's form.  @name: (nullable) */
bool bp_plugin_name_is_valid(const char *name);

/** bp_plugin_kind is offered. */
bool bp_module_offers(const bp_module *module, bp_plugin_kind kind);

/**
 * Map the file (already trusted), ask it for its descriptor, check and copy that.  @name: as in
 * the file's name.  Does not call init.  Returns: (transfer full) (nullable)
 */
bp_module *bp_module_load(const char *path, const char *sha256, bp_plugin_kind kind,
                          const char *name, GError **error);

/** The same for an entry function; for tests.  @path: for messages and bp_module_path. */
typedef bp_status (*bp_entry_fn)(const struct bp_host *, const struct bp_plugin **,
                                 struct bp_error *);
bp_module *bp_module_load_entry(const char *path, bp_entry_fn entry, bp_plugin_kind kind,
                                const char *name, GError **error);

/** Call init unless that was done. */
bool bp_module_init(bp_module *module, GError **error);

/**
 * Check a key table and copy it with the host's stride.  @what: path and table, for messages.
 * PERMANENT; UNSUPPORTED for types and flags that only a newer host knows.
 */
bool bp_module__copy_keys(const struct bp_config_key *from, guint32 stride, guint32 n,
                          const char *what, struct bp_config_key **out, GError **error);

#endif
