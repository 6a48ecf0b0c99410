/* SPDX-License-Identifier: Apache-2.0
 *
 * Stores of the second dialect.  For core/compat only.
 */
#ifndef BP_CORE_COMPAT_CONFIG_V2_STORES_H
#define BP_CORE_COMPAT_CONFIG_V2_STORES_H

#include "core/compat/translate.h"

/** milvus.storage, or backup.storage, which takes what it does not say from the other. */
void bp_v2_put_store(const bp_translation *t, bool is_backup);

/** A problem unless it is 1 to 65535. */
void bp_v2_check_port(const bp_translation *t, const char *name);

#endif
