/* SPDX-License-Identifier: Apache-2.0
 *
 * The keys of the first dialect, and what was said about them.  For core/compat only.
 */
#ifndef BP_CORE_COMPAT_CONFIG_V1_KEYS_H
#define BP_CORE_COMPAT_CONFIG_V1_KEYS_H

#include "core/config/config.h"

/** What somebody said about one key. */
typedef struct bp_v1_value {
    char *text;   /* NULL = nobody said anything, and there is no default */
    char *origin; /* "file /x/backup.yaml:7 (minio.address)", "environment …", "default of …" */
    bool given;   /* not just the default */
} bp_v1_value;
void bp_v1_value_clear(bp_v1_value *value);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(bp_v1_value, bp_v1_value_clear)

typedef struct bp_v1_said bp_v1_said; /* the file, flat; names without regard to case */

/**
 * Read the whole file; warns about unknown keys, and once about all that have no effect.
 * INVALID when a key holds a list or a map where a value belongs.
 * Returns: (transfer full) (nullable)
 */
bp_v1_said *bp_v1_said_new(const bp_config_foreign *in, GError **error);
void bp_v1_said_free(bp_v1_said *said);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_v1_said, bp_v1_said_free)

/**
 * Environment, else file, else default.  A port shaped like a service's URL (Kubernetes sets
 * MILVUS_PORT=tcp://…) does not count and is warned about.
 * @name: must be in the table.
 */
void bp_v1_get(const bp_v1_said *said, const char *name, bp_v1_value *out);

#endif
