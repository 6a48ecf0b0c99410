/* SPDX-License-Identifier: Apache-2.0
 *
 * Unit ids and keys, all built from numbers: never by cutting or replacing parts of a path.
 */
#include "layout.h"

#include <inttypes.h>

char *
milvus_unit_id_database(const char *name)
{
    return g_strdup_printf("database/%s", name);
}

char *
milvus_unit_id_collection(int64_t collection_id)
{
    return g_strdup_printf("collection/%" PRId64, collection_id);
}

char *
milvus_unit_id_partition(int64_t partition_id)
{
    return g_strdup_printf("partition/%" PRId64, partition_id);
}

struct milvus_collection *
milvus_backup_find(const struct milvus_backup *backup, const char *unit_id)
{
    for (guint i = 0; i < backup->collections->len; i++) {
        struct milvus_collection *collection = backup->collections->pdata[i];
        g_autofree char *id = milvus_unit_id_collection(collection->id);
        if (g_strcmp0(id, unit_id) == 0) {
            return collection;
        }
    }
    return NULL;
}

char *
milvus_backup_dir_partition(int64_t collection_id, int64_t partition_id, const char *kind)
{
    return g_strdup_printf("binlogs/%s/%" PRId64 "/%" PRId64 "/", kind, collection_id,
                           partition_id);
}

char *
milvus_backup_dir_group(const struct milvus_segment *segment, const char *kind)
{
    if (segment->group_id == 0) {
        return milvus_backup_dir_segment(segment, kind);
    }
    return g_strdup_printf("binlogs/%s/%" PRId64 "/%" PRId64 "/%" PRId64 "/", kind,
                           segment->collection_id, segment->partition_id, segment->group_id);
}

char *
milvus_backup_dir_segment(const struct milvus_segment *segment, const char *kind)
{
    if (segment->group_id == 0) {
        return g_strdup_printf("binlogs/%s/%" PRId64 "/%" PRId64 "/%" PRId64 "/", kind,
                               segment->collection_id, segment->partition_id, segment->id);
    }
    return g_strdup_printf("binlogs/%s/%" PRId64 "/%" PRId64 "/%" PRId64 "/%" PRId64 "/", kind,
                           segment->collection_id, segment->partition_id, segment->group_id,
                           segment->id);
}

char *
milvus_insert_key(const struct milvus_segment *segment, const struct milvus_log *log)
{
    g_autofree char *dir = milvus_backup_dir_segment(segment, MILVUS_INSERT_LOG);
    return g_strdup_printf("%s%" PRId64 "/%" PRId64, dir, log->field_id, log->log_id);
}

char *
milvus_delta_key(const struct milvus_segment *segment, const struct milvus_log *log)
{
    g_autofree char *dir = milvus_backup_dir_segment(segment, MILVUS_DELTA_LOG);
    return g_strdup_printf("%s%" PRId64, dir, log->log_id);
}

char *
milvus_source_insert_key(const struct milvus_segment *segment, const struct milvus_log *log)
{
    return g_strdup_printf(
        MILVUS_INSERT_LOG "/%" PRId64 "/%" PRId64 "/%" PRId64 "/%" PRId64 "/%" PRId64,
        segment->collection_id, segment->partition_id, segment->id, log->field_id, log->log_id);
}

char *
milvus_source_delta_key(const struct milvus_segment *segment, const struct milvus_log *log)
{
    return g_strdup_printf(MILVUS_DELTA_LOG "/%" PRId64 "/%" PRId64 "/%" PRId64 "/%" PRId64,
                           segment->collection_id, segment->partition_id, segment->id, log->log_id);
}
