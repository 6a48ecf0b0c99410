/* SPDX-License-Identifier: Apache-2.0
 *
 * Will it fit?  Asked before the first byte is written.
 */
#ifndef BP_CORE_VERB_SPACE_H
#define BP_CORE_VERB_SPACE_H

#include "core/plugin/store.h"

/**
 * NO_SPACE when the store says that fewer than `bytes` (plus a reserve of 1 %) are available,
 * naming both.  A store that cannot say, or unknown bytes, is fine.
 */
bool bp_space_check(bp_store *store, const bp_call *call, guint64 bytes, const char *what,
                    GError **error);

#endif
