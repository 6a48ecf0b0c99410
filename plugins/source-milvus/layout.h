/* SPDX-License-Identifier: Apache-2.0
 *
 * Where things lie: the names under which the core knows units, and the keys of logs in a backup
 * and in the source's own storage.
 */
#ifndef BAKPLANE_MILVUS_LAYOUT_H
#define BAKPLANE_MILVUS_LAYOUT_H

#include "model.h"

/** The two kinds of logs, which are also the names of their directories. */
#define MILVUS_INSERT_LOG "insert_log"
#define MILVUS_DELTA_LOG "delta_log"

/*
 * Units of a capture and of the backup it became have the same ids, so that a restore finds the
 * collection by the manifest's unit.
 */
char *milvus_unit_id_database(const char *name);
char *milvus_unit_id_collection(int64_t collection_id);
char *milvus_unit_id_partition(int64_t partition_id);

/** Borrowed collection of a unit id, or NULL. */
struct milvus_collection *milvus_backup_find(const struct milvus_backup *backup,
                                             const char *unit_id);

/**
 * Directories in a backup, ending in '/': everything of a partition, and what one import of the
 * segment has to name (its group, or the segment itself where there is no group level).
 * `kind` is MILVUS_INSERT_LOG or MILVUS_DELTA_LOG.
 */
char *milvus_backup_dir_partition(int64_t collection_id, int64_t partition_id, const char *kind);
char *milvus_backup_dir_group(const struct milvus_segment *segment, const char *kind);
char *milvus_backup_dir_segment(const struct milvus_segment *segment, const char *kind);

/** Key of a log below the backup, e.g. "binlogs/insert_log/C/P/G/S/F/L". */
char *milvus_insert_key(const struct milvus_segment *segment, const struct milvus_log *log);
char *milvus_delta_key(const struct milvus_segment *segment, const struct milvus_log *log);

/** Key of a log in the source's storage below its root path, e.g. "insert_log/C/P/S/F/L". */
char *milvus_source_insert_key(const struct milvus_segment *segment, const struct milvus_log *log);
char *milvus_source_delta_key(const struct milvus_segment *segment, const struct milvus_log *log);

#endif
