/* SPDX-License-Identifier: Apache-2.0
 *
 * Collections, partitions and segments from the documents, with the mistakes that known writers
 * made: directories recorded as files, log ids in the place of field ids.
 */
#include "document_parse.h"

#include <string.h>

#include "layout.h"
#include "sdk/lib/parse.h"

#include "sdk/lib/ban.h"

/* The last `n` elements of a path as numbers; false when one is none. */
static bool
path_numbers(const char *path, size_t n, int64_t *out)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    guint len = g_strv_length(parts);
    if (len < n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (bp_parse_i64(parts[len - n + i], &out[i]) != 0) {
            return false;
        }
    }
    return true;
}

/*
 * 0.4.x on local storage lists directories as logs, and logs of fields 10x under field 1 as well.
 * Such an entry is left out, and the segment's files are believed instead of its list.
 */
static void
add_log(struct milvus_json_reader *reader, const json_t *object, int64_t field_id, bool is_delta,
        struct milvus_segment *segment)
{
    const char *path = milvus_json_get_text(reader, object, "log_path");
    int64_t log_id = milvus_json_get_count(reader, object, "log_id");
    int64_t size = milvus_json_get_count(reader, object, "log_size");
    int64_t named[3] = {0}; /* segment, field, log */
    bool has_numbers = path != NULL && path_numbers(path, G_N_ELEMENTS(named), named);
    bool is_plain = path == NULL || is_delta ||
                    (has_numbers && named[0] == segment->id && named[1] == field_id);
    if (log_id == 0 && has_numbers) {
        log_id = named[2];
    }
    if (log_id <= 0 || !is_plain) {
        segment->trust_files = true;
        return;
    }
    milvus_log_add(is_delta ? segment->delta_logs : segment->insert_logs, is_delta ? 0 : field_id,
                   log_id, size);
}

static void
parse_logs(struct milvus_json_reader *reader, const json_t *object, const char *key, bool is_delta,
           struct milvus_segment *segment)
{
    json_t *fields = milvus_json_get_objects(reader, object, key);
    size_t i;
    json_t *field;
    json_array_foreach(fields, i, field)
    {
        int64_t field_id = milvus_json_get_count(reader, field, "fieldID");
        json_t *logs = milvus_json_get_objects(reader, field, "binlogs");
        size_t k;
        json_t *log;
        json_array_foreach(logs, k, log)
        {
            add_log(reader, log, field_id, is_delta, segment);
        }
    }
}

struct milvus_segment *
milvus_parse_segment(struct milvus_json_reader *reader, const json_t *object)
{
    struct milvus_segment *segment =
        milvus_segment_new(milvus_json_get_count(reader, object, "collection_id"),
                           milvus_json_get_i64(reader, object, "partition_id"),
                           milvus_json_get_count(reader, object, "segment_id"));
    segment->num_rows = milvus_json_get_count(reader, object, "num_of_rows");
    segment->group_id = milvus_json_get_count(reader, object, "group_id");
    segment->storage_version = milvus_json_get_count(reader, object, "storage_version");
    segment->is_l0 = milvus_json_get_bool(reader, object, "is_l0");
    segment->channel = g_strdup(milvus_json_get_text(reader, object, "v_channel"));
    if (json_object_get(object, "bakplane_delta_rows") != NULL) {
        segment->delta_rows = milvus_json_get_count(reader, object, "bakplane_delta_rows");
    }
    parse_logs(reader, object, "binlogs", false, segment);
    parse_logs(reader, object, "deltalogs", true, segment);
    if (segment->id == 0 || segment->collection_id == 0 ||
        (segment->partition_id <= 0 && segment->partition_id != MILVUS_ALL_PARTITIONS)) {
        milvus_json_reject(reader, "segment %" G_GINT64_FORMAT " has no valid ids", segment->id);
    }
    return segment;
}

static void
parse_segments(struct milvus_json_reader *reader, const json_t *object, const char *key,
               GPtrArray *out)
{
    json_t *list = milvus_json_get_objects(reader, object, key);
    size_t i;
    json_t *element;
    json_array_foreach(list, i, element)
    {
        g_ptr_array_add(out, milvus_parse_segment(reader, element));
    }
}

struct milvus_partition *
milvus_parse_partition(struct milvus_json_reader *reader, const json_t *object)
{
    struct milvus_partition *partition =
        milvus_partition_new(milvus_json_get_count(reader, object, "collection_id"),
                             milvus_json_get_count(reader, object, "partition_id"),
                             milvus_json_get_text(reader, object, "partition_name"));
    partition->load_state =
        milvus_load_state_parse(milvus_json_get_text(reader, object, "load_state"));
    parse_segments(reader, object, "segment_backups", partition->segments);
    if (partition->id == 0 || partition->name == NULL) {
        milvus_json_reject(reader, "a partition has no id or no name");
    }
    return partition;
}

static struct milvus_index *
parse_index(struct milvus_json_reader *reader, const json_t *object)
{
    struct milvus_index *index =
        milvus_index_new(milvus_json_get_text(reader, object, "field_name"),
                         milvus_json_get_text(reader, object, "index_name"));
    index->id = milvus_json_get_i64(reader, object, "index_id");
    json_t *params = milvus_json_get_object(reader, object, "params");
    const char *key;
    json_t *value;
    json_object_foreach(params, key, value)
    {
        const char *text = milvus_json_get_text(reader, params, key);
        milvus_kv_add(index->params, key, text != NULL ? text : "");
    }
    const char *type = milvus_json_get_text(reader, object, "index_type");
    if (type != NULL && milvus_kv_get(index->params, "index_type") == NULL) {
        milvus_kv_add(index->params, "index_type", type);
    }
    if (index->field_name == NULL) {
        milvus_json_reject(reader, "an index names no field");
    }
    return index;
}

static void
parse_checkpoints(struct milvus_json_reader *reader, const json_t *object,
                  struct milvus_collection *collection)
{
    json_t *map = milvus_json_get_object(reader, object, "channel_checkpoints");
    const char *channel;
    json_t *value;
    json_object_foreach(map, channel, value)
    {
        g_autoptr(GBytes) position = milvus_json_get_base64(reader, map, channel);
        if (position != NULL) {
            milvus_checkpoint_add(collection, channel, position);
        }
    }
}

static void
parse_lists(struct milvus_json_reader *reader, const json_t *object,
            struct milvus_collection *collection)
{
    size_t i;
    json_t *element;
    json_t *partitions = milvus_json_get_objects(reader, object, "partition_backups");
    json_array_foreach(partitions, i, element)
    {
        g_ptr_array_add(collection->partitions, milvus_parse_partition(reader, element));
    }
    json_t *indexes = milvus_json_get_objects(reader, object, "index_infos");
    json_array_foreach(indexes, i, element)
    {
        g_ptr_array_add(collection->indexes, parse_index(reader, element));
    }
    parse_segments(reader, object, "l0_segments", collection->l0_segments);
    parse_checkpoints(reader, object, collection);
    milvus_parse_kv_list(reader, object, "properties", collection->properties);
    milvus_json_get_texts(reader, object, "aliases", collection->aliases);
    milvus_json_get_texts(reader, object, "virtual_channel_names", collection->virtual_channels);
    milvus_json_get_texts(reader, object, "physical_channel_names", collection->physical_channels);
}

struct milvus_collection *
milvus_parse_collection(struct milvus_json_reader *reader, const json_t *object)
{
    struct milvus_collection *collection =
        milvus_collection_new(milvus_json_get_text(reader, object, "db_name"),
                              milvus_json_get_text(reader, object, "collection_name"));
    collection->id = milvus_json_get_count(reader, object, "collection_id");
    collection->db_id = milvus_json_get_i64(reader, object, "db_id");
    collection->shards_num = milvus_json_get_i32(reader, object, "shards_num");
    collection->consistency_level = milvus_json_get_i32(reader, object, "consistency_level");
    collection->replica_number = milvus_json_get_i32(reader, object, "bakplane_replica_number");
    collection->num_partitions = milvus_json_get_count(reader, object, "bakplane_num_partitions");
    collection->load_state =
        milvus_load_state_parse(milvus_json_get_text(reader, object, "load_state"));
    collection->created_timestamp = milvus_json_get_u64(reader, object, "created_timestamp");
    collection->backup_timestamp = milvus_json_get_u64(reader, object, "backup_timestamp");
    collection->backup_physical_timestamp =
        milvus_json_get_u64(reader, object, "backup_physical_timestamp");
    collection->start_s = milvus_json_get_i64(reader, object, "start_time");
    collection->end_s = milvus_json_get_i64(reader, object, "end_time");
    if (collection->id == 0 || collection->name == NULL) {
        milvus_json_reject(reader, "a collection has no id or no name");
    }
    json_t *schema = milvus_json_get_object(reader, object, "schema");
    if (schema == NULL) {
        milvus_json_reject(reader, "collection \"%s\" has no schema",
                           collection->name != NULL ? collection->name : "");
    } else {
        milvus_schema_free(collection->schema);
        collection->schema = milvus_parse_schema(reader, schema);
    }
    collection->schema->raw = milvus_json_get_base64(reader, object, "bakplane_schema_base64");
    parse_lists(reader, object, collection);
    return collection;
}

struct milvus_database *
milvus_parse_database(struct milvus_json_reader *reader, const json_t *object)
{
    const char *name = milvus_json_get_text(reader, object, "db_name");
    struct milvus_database *database = milvus_database_new(name != NULL ? name : "default");
    database->id = milvus_json_get_i64(reader, object, "db_id");
    milvus_parse_kv_list(reader, object, "properties", database->properties);
    return database;
}
