/* SPDX-License-Identifier: Apache-2.0
 *
 * milvus-backup's configuration, in both of its dialects: backup.yaml as 0.4 and 0.5 read it, and
 * with configVersion: v2 as 0.6 does, each with the environment variables of its own.
 *
 * Becomes: source {plugin: milvus}, storages "milvus" (where Milvus keeps its data) and "backup",
 * sections backup and restore.  Keys without effect here and unknown keys are warnings, as those
 * files carry keys for things that we do not have.  What is wrong is reported all together.
 */
#ifndef BP_CORE_COMPAT_DIALECT_H
#define BP_CORE_COMPAT_DIALECT_H

#include "core/config/config.h"

/**
 * Recognised by a section milvus, minio, cloud or http, or by configVersion, without any of
 * source and storages.  UNSUPPORTED for stores that bakplane lacks.
 */
extern const bp_config_dialect bp_compat_config;

/** The same, of any file (or none at all, then v2) that does not look like a native one. */
extern const bp_config_dialect bp_compat_config_assumed;

#endif
