/* SPDX-License-Identifier: Apache-2.0
 *
 * The section `minio` of the first dialect: two stores.  For core/compat only.
 */
#ifndef BP_CORE_COMPAT_CONFIG_V1_STORES_H
#define BP_CORE_COMPAT_CONFIG_V1_STORES_H

#include "core/compat/config_v1_keys.h"

/* Names of the two storages that come out. */
#define BP_V1_MILVUS_STORE "milvus"
#define BP_V1_BACKUP_STORE "backup"

/** "host:port", "[v6]:port".  `port` may be NULL or "".  Returns: (transfer full) */
char *bp_v1_join_address(const char *host, const char *port);

/**
 * Put both storages into `out`.  INVALID for an unknown provider or a bad boolean, UNSUPPORTED
 * for one that bakplane lacks.
 */
bool bp_v1_translate_stores(const bp_v1_said *said, const bp_config_foreign *in, bp_node *out,
                            GError **error);

#endif
