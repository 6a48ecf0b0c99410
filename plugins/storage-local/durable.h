/* SPDX-License-Identifier: Apache-2.0
 *
 * A new name survives power loss when its directory was synced, and every directory above that is
 * new as well.  What was synced once is remembered, so that one fsync is enough from then on.
 *
 * Any thread.
 */
#ifndef BAKPLANE_STORAGE_LOCAL_DURABLE_H
#define BAKPLANE_STORAGE_LOCAL_DURABLE_H

#include "plugins/storage-local/local.h"

/** For tests: how many directories were synced. */
extern _Atomic uint64_t bp_local_synced_dirs;

/**
 * fsync of the key's directory, and of those above it until one is reached that is known to be
 * durable itself.  0 or -errno.
 */
int bp_local_sync_parents(struct bp_storage *storage, const char *key);

/** Of one instance.  Returns: (transfer full) */
GHashTable *bp_local_durable_new(void);

#endif
