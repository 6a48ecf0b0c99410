/* SPDX-License-Identifier: Apache-2.0
 *
 * milvus-backup's configuration, first dialect: backup.yaml as that tool's 0.4 and 0.5 read it,
 * with the environment variables it knows (MILVUS_ADDRESS …; an empty one does not count).
 *
 * Becomes: source {plugin: milvus}, storages "milvus" (where Milvus keeps its data) and "backup",
 * sections backup and restore.  Keys without effect here and unknown keys are warnings, as those
 * files carry keys for things that we do not have.
 */
#ifndef BP_CORE_COMPAT_CONFIG_V1_H
#define BP_CORE_COMPAT_CONFIG_V1_H

#include "core/config/config.h"

/**
 * Recognised by a section milvus, minio, cloud or http, or by configVersion, without any of
 * source and storages.  UNSUPPORTED for configVersion v2 and for stores that bakplane lacks.
 */
extern const bp_config_dialect bp_compat_config_v1;

#endif
