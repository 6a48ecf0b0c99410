/* SPDX-License-Identifier: Apache-2.0
 *
 * Everything a verb works with, opened from the configuration when it is first asked for: plugins,
 * storages, the source, the catalog on the backup storage.
 *
 * Asking is for the main thread; what was got may be used by any.
 */
#ifndef BP_CORE_VERB_WORKSPACE_H
#define BP_CORE_VERB_WORKSPACE_H

#include "core/base/retry.h"
#include "core/catalog/catalog.h"
#include "core/config/config.h"
#include "core/plugin/plugins.h"
#include "core/plugin/refs.h"
#include "core/plugin/source.h"
#include "core/plugin/store.h"

typedef struct bp_workspace bp_workspace;

/** @config: borrowed.  @cancel: borrowed, may be NULL.  Returns: (transfer full) (nullable) */
bp_workspace *bp_workspace_new(const bp_config_tree *config, const bp_cancel *cancel,
                               GError **error);
/**
 * One more of the same configuration, for another thread: it opens its own storages and source, of
 * the same plugins.  @other: outlives it.  Returns: (transfer full)
 */
bp_workspace *bp_workspace_new_beside(bp_workspace *other, const bp_cancel *cancel);
/**
 * Load the plugins of the source and of all storages: afterwards asking is for any thread, as long
 * as each has a workspace of its own.  Main thread.  Errors: as bp_plugins_get.
 */
bool bp_workspace_load_plugins(bp_workspace *workspace, GError **error);
/** Closes all it opened. */
void bp_workspace_free(bp_workspace *workspace);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_workspace, bp_workspace_free)

const bp_config_tree *bp_workspace_config(const bp_workspace *workspace);
bp_plugins *bp_workspace_plugins(bp_workspace *workspace);

/** The call to use for everything: the cancel of all, and all storages as references. */
const bp_call *bp_workspace_call(const bp_workspace *workspace);
/** The same for one verb: another cancel, and the deadline that its `timeout` setting asks for. */
bp_call bp_workspace_verb_call(const bp_workspace *workspace, const bp_cancel *cancel,
                               const bp_settings *settings);
/** References handed to the source; a restore adds the backup to them. */
bp_refs *bp_workspace_refs(bp_workspace *workspace);

/** A configured storage by name.  Returns: (transfer none) (nullable) */
bp_store *bp_workspace_store(bp_workspace *workspace, const char *name, GError **error);
/** The source's plugin, without opening an instance.  Returns: (transfer none) (nullable) */
bp_module *bp_workspace_source_module(bp_workspace *workspace, GError **error);
bp_source_inst *bp_workspace_source(bp_workspace *workspace, GError **error);
/** The source keeps its data on a storage: its plugin has the setting `storage`. */
bool bp_workspace_has_source_store(bp_workspace *workspace);
/** The storage that the source's data lies on (`source.storage`); its name in `name`. */
bp_store *bp_workspace_source_store(bp_workspace *workspace, const char **name, GError **error);

/**
 * Settings of `backup` or `restore` with the source's own options among them.
 * @overrides: "key=value" from flags, NULL-terminated, or NULL.  Returns: (transfer full)
 */
bp_settings *bp_workspace_backup_settings(bp_workspace *workspace, const char *const *overrides,
                                          GError **error);
bp_settings *bp_workspace_restore_settings(bp_workspace *workspace, const char *const *overrides,
                                           GError **error);

/** The catalog on `backup.storage`, or on what was chosen.  `out` lives as long as the workspace.
 */
bool bp_workspace_catalog(bp_workspace *workspace, const bp_catalog **out, GError **error);
/** The same on another storage; INVALID when none is configured by that name. */
bool bp_workspace_catalog_on(bp_workspace *workspace, const char *storage, const bp_catalog **out,
                             GError **error);
/**
 * From now on backups are on that storage, for whoever does not name another; NULL =
 * `backup.storage` again.  INVALID when none is configured by that name.
 */
bool bp_workspace_choose(bp_workspace *workspace, const char *storage, GError **error);
/**
 * What to add to a command so that it works on that storage: "" for `backup.storage`, else
 * " --set backup.storage=NAME".  For hints.  Returns: (transfer full)
 */
char *bp_workspace_words_for(const bp_workspace *workspace, const bp_store *store);

/**
 * The same catalog for a verb that writes: its calls end with the verb's, because of a deadline or
 * a lease that was lost, too.  @out: the caller's; `call` outlives it.  Returns: out
 */
const bp_catalog *bp_workspace_under(bp_catalog *out, const bp_catalog *catalog,
                                     const bp_call *call);

/** How small calls are retried. */
bp_retry_params bp_workspace_retry(const bp_workspace *workspace);
/** The same until `call` is cancelled or its deadline passes. */
bp_retry_params bp_workspace_retry_for(const bp_workspace *workspace, const bp_call *call);

/** bp_store_probe, tried again like other small calls.  @need: BP_NEED_… */
bool bp_workspace_probe(const bp_workspace *workspace, bp_store *store, const bp_call *call,
                        guint32 need, GError **error);

/** Directory for journals of restores; it need not be there.  Returns: (transfer full) */
char *bp_workspace_state_dir(bp_workspace *workspace, GError **error);

#endif
