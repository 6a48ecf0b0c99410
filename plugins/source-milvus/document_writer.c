/* SPDX-License-Identifier: Apache-2.0
 *
 * Streams the model as the five documents of milvus-backup.  Only one value at a time is held, so
 * that a million segments need no more memory than one.
 */
#include "document.h"

#include <string.h>

#include "json_writer.h"
#include "layout.h"

#include "sdk/lib/ban.h"

/* What 0.4.x shows as "success"; all others ignore it. */
#define STATE_SUCCESS 2

static void
write_kv_list(struct milvus_json *json, const char *key, const GArray *list)
{
    if (list->len == 0) {
        return;
    }
    milvus_json_open(json, key, '[');
    for (guint i = 0; i < list->len; i++) {
        const struct milvus_kv *kv = &g_array_index(list, struct milvus_kv, i);
        milvus_json_open(json, NULL, '{');
        milvus_json_text_set(json, "key", kv->key);
        milvus_json_text_set(json, "value", kv->value);
        milvus_json_close(json, '}');
    }
    milvus_json_close(json, ']');
}

static void
write_text_list(struct milvus_json *json, const char *key, const GPtrArray *list)
{
    if (list->len == 0) {
        return;
    }
    milvus_json_open(json, key, '[');
    for (guint i = 0; i < list->len; i++) {
        milvus_json_text(json, NULL, list->pdata[i]);
    }
    milvus_json_close(json, ']');
}

static void
write_id_list(struct milvus_json *json, const char *key, const GArray *list)
{
    if (list->len == 0) {
        return;
    }
    milvus_json_open(json, key, '[');
    for (guint i = 0; i < list->len; i++) {
        milvus_json_i64(json, NULL, g_array_index(list, int64_t, i));
    }
    milvus_json_close(json, ']');
}

static void
write_field(struct milvus_json *json, const struct milvus_field *field)
{
    milvus_json_open(json, NULL, '{');
    milvus_json_i64_set(json, "fieldID", field->id);
    milvus_json_text_set(json, "name", field->name);
    milvus_json_bool_set(json, "is_primary_key", field->is_primary_key);
    milvus_json_text_set(json, "description", field->description);
    milvus_json_i64_set(json, "data_type", field->data_type);
    write_kv_list(json, "type_params", field->type_params);
    write_kv_list(json, "index_params", field->index_params);
    milvus_json_bool_set(json, "autoID", field->auto_id);
    milvus_json_i64_set(json, "state", field->state);
    milvus_json_i64_set(json, "element_type", field->element_type);
    milvus_json_bool_set(json, "is_dynamic", field->is_dynamic);
    milvus_json_bool_set(json, "is_partition_key", field->is_partition_key);
    milvus_json_bool_set(json, "nullable", field->nullable);
    milvus_json_bool_set(json, "is_function_output", field->is_function_output);
    milvus_json_bytes_set(json, "default_value_base64", field->default_value);
    milvus_json_bool_set(json, "is_clustering_key", field->is_clustering_key);
    milvus_json_bool_set(json, "element_nullable", field->element_nullable);
    milvus_json_text_set(json, "external_field", field->external_field);
    milvus_json_close(json, '}');
}

static void
write_fields(struct milvus_json *json, const GPtrArray *fields)
{
    if (fields->len == 0) {
        return;
    }
    milvus_json_open(json, "fields", '[');
    for (guint i = 0; i < fields->len; i++) {
        write_field(json, fields->pdata[i]);
    }
    milvus_json_close(json, ']');
}

static void
write_functions(struct milvus_json *json, const GPtrArray *functions)
{
    if (functions->len == 0) {
        return;
    }
    milvus_json_open(json, "functions", '[');
    for (guint i = 0; i < functions->len; i++) {
        const struct milvus_function *function = functions->pdata[i];
        milvus_json_open(json, NULL, '{');
        milvus_json_text_set(json, "name", function->name);
        milvus_json_i64_set(json, "id", function->id);
        milvus_json_text_set(json, "description", function->description);
        milvus_json_i64_set(json, "type", function->type);
        write_text_list(json, "input_field_names", function->input_names);
        write_id_list(json, "input_field_ids", function->input_ids);
        write_text_list(json, "output_field_names", function->output_names);
        write_id_list(json, "output_field_ids", function->output_ids);
        write_kv_list(json, "params", function->params);
        milvus_json_close(json, '}');
    }
    milvus_json_close(json, ']');
}

static void
write_struct_fields(struct milvus_json *json, const GPtrArray *list)
{
    if (list->len == 0) {
        return;
    }
    milvus_json_open(json, "struct_array_fields", '[');
    for (guint i = 0; i < list->len; i++) {
        const struct milvus_struct_field *field = list->pdata[i];
        milvus_json_open(json, NULL, '{');
        milvus_json_i64_set(json, "fieldID", field->id);
        milvus_json_text_set(json, "name", field->name);
        milvus_json_text_set(json, "description", field->description);
        write_fields(json, field->fields);
        write_kv_list(json, "type_params", field->type_params);
        milvus_json_bool_set(json, "nullable", field->nullable);
        milvus_json_close(json, '}');
    }
    milvus_json_close(json, ']');
}

static void
write_schema(struct milvus_json *json, const struct milvus_schema *schema)
{
    milvus_json_open(json, "schema", '{');
    milvus_json_text_set(json, "name", schema->name);
    milvus_json_text_set(json, "description", schema->description);
    milvus_json_bool_set(json, "autoID", schema->auto_id);
    write_fields(json, schema->fields);
    milvus_json_bool_set(json, "enable_dynamic_field", schema->enable_dynamic_field);
    write_kv_list(json, "properties", schema->properties);
    write_functions(json, schema->functions);
    write_struct_fields(json, schema->struct_fields);
    milvus_json_i64_set(json, "version", schema->version);
    milvus_json_text_set(json, "external_source", schema->external_source);
    milvus_json_bool_set(json, "enable_namespace", schema->enable_namespace);
    milvus_json_close(json, '}');
}

/* Where a log lay in the source: for people, and for 0.4.x, which takes the log's id from it. */
static char *
log_path(const struct milvus_backup *backup, const struct milvus_segment *segment,
         const struct milvus_log *log, bool is_delta)
{
    g_autofree char *key =
        is_delta ? milvus_source_delta_key(segment, log) : milvus_source_insert_key(segment, log);
    const char *root = backup->log_root != NULL ? backup->log_root : "";
    if (root[0] == '\0') {
        return g_steal_pointer(&key);
    }
    return g_strconcat(root, g_str_has_suffix(root, "/") ? "" : "/", key, NULL);
}

struct log_list {
    const char *key;
    const GArray *logs;
    bool is_delta;
};

/* One FieldBinlog per field directory; all delta logs share one without fieldID. */
static void
write_logs(struct milvus_json *json, const struct milvus_backup *backup,
           const struct milvus_segment *segment, const struct log_list *list)
{
    if (list->logs->len == 0) {
        return;
    }
    g_autoptr(GArray) sorted = g_array_copy((GArray *)list->logs);
    milvus_logs_sort(sorted);
    milvus_json_open(json, list->key, '[');
    const struct milvus_log *previous = NULL;
    for (guint i = 0; i < sorted->len; i++) {
        const struct milvus_log *log = &g_array_index(sorted, struct milvus_log, i);
        bool is_new = previous == NULL || (!list->is_delta && log->field_id != previous->field_id);
        if (is_new && previous != NULL) {
            milvus_json_close(json, ']');
            milvus_json_close(json, '}');
        }
        if (is_new) {
            milvus_json_open(json, NULL, '{');
            milvus_json_i64_set(json, "fieldID", list->is_delta ? 0 : log->field_id);
            milvus_json_open(json, "binlogs", '[');
        }
        g_autofree char *path = log_path(backup, segment, log, list->is_delta);
        milvus_json_open(json, NULL, '{');
        milvus_json_text_set(json, "log_path", path);
        milvus_json_i64(json, "log_size", log->size);
        milvus_json_i64_set(json, "log_id", log->log_id);
        milvus_json_close(json, '}');
        previous = log;
    }
    milvus_json_close(json, ']');
    milvus_json_close(json, '}');
    milvus_json_close(json, ']');
}

static void
write_segment(struct milvus_json *json, const struct milvus_backup *backup,
              const struct milvus_segment *segment)
{
    const struct log_list inserts = {.key = "binlogs", .logs = segment->insert_logs};
    const struct log_list deltas = {
        .key = "deltalogs", .logs = segment->delta_logs, .is_delta = true};
    milvus_json_open(json, NULL, '{');
    milvus_json_i64_set(json, "segment_id", segment->id);
    milvus_json_i64_set(json, "collection_id", segment->collection_id);
    milvus_json_i64_set(json, "partition_id", segment->partition_id);
    milvus_json_i64_set(json, "num_of_rows", segment->num_rows);
    write_logs(json, backup, segment, &inserts);
    write_logs(json, backup, segment, &deltas);
    milvus_json_i64(json, "size", milvus_segment_size(segment));
    milvus_json_i64_set(json, "group_id", segment->group_id);
    milvus_json_bool_set(json, "backuped", true);
    milvus_json_bool_set(json, "is_l0", segment->is_l0);
    milvus_json_text_set(json, "v_channel", segment->channel);
    milvus_json_i64_set(json, "storage_version", segment->storage_version);
    if (segment->delta_rows != MILVUS_COUNT_UNKNOWN) {
        milvus_json_i64(json, "bakplane_delta_rows", segment->delta_rows);
    }
    milvus_json_close(json, '}');
}

static void
write_segments(struct milvus_json *json, const struct milvus_backup *backup, const char *key,
               const GPtrArray *segments)
{
    if (segments->len == 0) {
        return;
    }
    milvus_json_open(json, key, '[');
    for (guint i = 0; i < segments->len; i++) {
        write_segment(json, backup, segments->pdata[i]);
    }
    milvus_json_close(json, ']');
}

static void
write_partition(struct milvus_json *json, const struct milvus_backup *backup,
                const struct milvus_partition *partition, bool with_segments)
{
    milvus_json_open(json, NULL, '{');
    milvus_json_i64_set(json, "partition_id", partition->id);
    milvus_json_text_set(json, "partition_name", partition->name);
    milvus_json_i64_set(json, "collection_id", partition->collection_id);
    if (with_segments) {
        write_segments(json, backup, "segment_backups", partition->segments);
    }
    milvus_json_i64(json, "size", milvus_partition_size(partition));
    milvus_json_text(json, "load_state", milvus_load_state_text(partition->load_state));
    milvus_json_close(json, '}');
}

static int
compare_kv_keys(const void *a, const void *b)
{
    return strcmp(((const struct milvus_kv *)a)->key, ((const struct milvus_kv *)b)->key);
}

/* A JSON object is a map: sorted keys, and of a repeated key the last value. */
static void
write_index_params(struct milvus_json *json, const GArray *params)
{
    if (params->len == 0) {
        return;
    }
    g_autoptr(GArray) sorted = g_array_new(FALSE, FALSE, sizeof(struct milvus_kv));
    for (guint i = 0; i < params->len; i++) {
        struct milvus_kv kv = g_array_index(params, struct milvus_kv, i);
        if (kv.key != NULL && milvus_kv_get(params, kv.key) == (kv.value != NULL ? kv.value : "")) {
            g_array_append_val(sorted, kv);
        }
    }
    g_array_sort(sorted, compare_kv_keys);
    milvus_json_open(json, "params", '{');
    for (guint i = 0; i < sorted->len; i++) {
        const struct milvus_kv *kv = &g_array_index(sorted, struct milvus_kv, i);
        milvus_json_text(json, kv->key, kv->value);
    }
    milvus_json_close(json, '}');
}

static void
write_indexes(struct milvus_json *json, const GPtrArray *indexes)
{
    if (indexes->len == 0) {
        return;
    }
    milvus_json_open(json, "index_infos", '[');
    for (guint i = 0; i < indexes->len; i++) {
        const struct milvus_index *index = indexes->pdata[i];
        milvus_json_open(json, NULL, '{');
        milvus_json_text_set(json, "field_name", index->field_name);
        milvus_json_text_set(json, "index_name", index->name);
        milvus_json_text_set(json, "index_type", milvus_kv_get(index->params, "index_type"));
        write_index_params(json, index->params);
        milvus_json_i64_set(json, "index_id", index->id);
        milvus_json_close(json, '}');
    }
    milvus_json_close(json, ']');
}

static int
compare_checkpoints(const void *a, const void *b)
{
    return strcmp(((const struct milvus_checkpoint *)a)->channel,
                  ((const struct milvus_checkpoint *)b)->channel);
}

static void
write_checkpoints(struct milvus_json *json, const GArray *checkpoints)
{
    if (checkpoints->len == 0) {
        return;
    }
    g_autoptr(GArray) sorted = g_array_new(FALSE, FALSE, sizeof(struct milvus_checkpoint));
    g_array_append_vals(sorted, checkpoints->data, checkpoints->len);
    g_array_sort(sorted, compare_checkpoints);
    milvus_json_open(json, "channel_checkpoints", '{');
    for (guint i = 0; i < sorted->len; i++) {
        const struct milvus_checkpoint *c = &g_array_index(sorted, struct milvus_checkpoint, i);
        milvus_json_bytes_set(json, c->channel, c->position);
    }
    milvus_json_close(json, '}');
}

/* What the server said of the collection beyond the members that all peers know. */
static void
write_collection_extras(struct milvus_json *json, const struct milvus_collection *collection)
{
    write_kv_list(json, "properties", collection->properties);
    milvus_json_i64_set(json, "db_id", collection->db_id);
    milvus_json_u64_set(json, "created_timestamp", collection->created_timestamp);
    write_text_list(json, "virtual_channel_names", collection->virtual_channels);
    write_text_list(json, "physical_channel_names", collection->physical_channels);
    write_text_list(json, "aliases", collection->aliases);
    milvus_json_i64_set(json, "bakplane_replica_number", collection->replica_number);
    milvus_json_i64_set(json, "bakplane_num_partitions", collection->num_partitions);
    milvus_json_bytes_set(json, "bakplane_schema_base64", collection->schema->raw);
}

static void
write_collection(struct milvus_json *json, const struct milvus_backup *backup,
                 const struct milvus_collection *collection)
{
    milvus_json_open(json, NULL, '{');
    milvus_json_text_set(json, "id", backup->id);
    milvus_json_i64(json, "state_code", 0);
    milvus_json_i64_set(json, "start_time", collection->start_s);
    milvus_json_i64_set(json, "end_time", collection->end_s);
    milvus_json_i64(json, "progress", 0);
    milvus_json_i64_set(json, "collection_id", collection->id);
    milvus_json_text_set(json, "db_name", collection->db_name);
    milvus_json_text_set(json, "collection_name", collection->name);
    write_schema(json, collection->schema);
    milvus_json_i64_set(json, "shards_num", collection->shards_num);
    milvus_json_i64_set(json, "consistency_level", collection->consistency_level);
    if (collection->partitions->len > 0) {
        milvus_json_open(json, "partition_backups", '[');
        for (guint i = 0; i < collection->partitions->len; i++) {
            write_partition(json, backup, collection->partitions->pdata[i], true);
        }
        milvus_json_close(json, ']');
    }
    milvus_json_u64_set(json, "backup_timestamp", collection->backup_timestamp);
    milvus_json_i64(json, "size", milvus_collection_size(collection));
    milvus_json_bool(json, "has_index", collection->indexes->len > 0);
    write_indexes(json, collection->indexes);
    milvus_json_text(json, "load_state", milvus_load_state_text(collection->load_state));
    milvus_json_u64_set(json, "backup_physical_timestamp", collection->backup_physical_timestamp);
    write_checkpoints(json, collection->checkpoints);
    write_segments(json, backup, "l0_segments", collection->l0_segments);
    write_collection_extras(json, collection);
    milvus_json_close(json, '}');
}

static void
write_collections(struct milvus_json *json, const struct milvus_backup *backup, const char *key)
{
    if (backup->collections->len == 0) {
        return;
    }
    milvus_json_open(json, key, '[');
    for (guint i = 0; i < backup->collections->len; i++) {
        write_collection(json, backup, backup->collections->pdata[i]);
    }
    milvus_json_close(json, ']');
}

static void
write_databases(struct milvus_json *json, const GPtrArray *databases)
{
    if (databases->len == 0) {
        return;
    }
    milvus_json_open(json, "database_backups", '[');
    for (guint i = 0; i < databases->len; i++) {
        const struct milvus_database *database = databases->pdata[i];
        milvus_json_open(json, NULL, '{');
        milvus_json_text_set(json, "db_name", database->name);
        milvus_json_i64_set(json, "db_id", database->id);
        write_kv_list(json, "properties", database->properties);
        milvus_json_close(json, '}');
    }
    milvus_json_close(json, ']');
}

static int64_t
backup_size(const struct milvus_backup *backup)
{
    int64_t sum = 0;
    for (guint i = 0; i < backup->collections->len; i++) {
        sum += milvus_collection_size(backup->collections->pdata[i]);
    }
    return sum;
}

static void
write_backup(struct milvus_json *json, const struct milvus_backup *backup, bool with_content)
{
    milvus_json_open(json, NULL, '{');
    milvus_json_text_set(json, "id", backup->id);
    milvus_json_i64(json, "state_code", STATE_SUCCESS);
    milvus_json_i64_set(json, "start_time", backup->start_ms);
    milvus_json_i64_set(json, "end_time", backup->end_ms);
    milvus_json_i64(json, "progress", 100);
    milvus_json_text_set(json, "name", backup->name);
    if (with_content) {
        write_collections(json, backup, "collection_backups");
    }
    milvus_json_i64(json, "size", backup_size(backup));
    milvus_json_text_set(json, "milvus_version", backup->server_version);
    if (with_content) {
        write_databases(json, backup->databases);
        milvus_json_text_set(json, "bakplane_log_root", backup->log_root);
    }
    milvus_json_close(json, '}');
}

static void
write_all_partitions(struct milvus_json *json, const struct milvus_backup *backup)
{
    for (guint i = 0; i < backup->collections->len; i++) {
        const struct milvus_collection *collection = backup->collections->pdata[i];
        for (guint k = 0; k < collection->partitions->len; k++) {
            write_partition(json, backup, collection->partitions->pdata[k], false);
        }
    }
}

static void
write_all_segments(struct milvus_json *json, const struct milvus_backup *backup)
{
    for (guint i = 0; i < backup->collections->len; i++) {
        const struct milvus_collection *collection = backup->collections->pdata[i];
        for (guint k = 0; k < collection->partitions->len; k++) {
            const struct milvus_partition *partition = collection->partitions->pdata[k];
            for (guint s = 0; s < partition->segments->len; s++) {
                write_segment(json, backup, partition->segments->pdata[s]);
            }
        }
    }
}

static void
write_all_collections(struct milvus_json *json, const struct milvus_backup *backup)
{
    for (guint i = 0; i < backup->collections->len; i++) {
        write_collection(json, backup, backup->collections->pdata[i]);
    }
}

static bp_status
write_levelled(const struct milvus_backup *backup, const struct bp_document_sink *sink,
               const char *key,
               void (*write_infos)(struct milvus_json *, const struct milvus_backup *),
               struct bp_error *error)
{
    struct milvus_json json;
    milvus_json_begin(&json, sink, key, 0);
    milvus_json_open(&json, NULL, '{');
    milvus_json_open(&json, "infos", '[');
    write_infos(&json, backup);
    milvus_json_close(&json, ']');
    milvus_json_close(&json, '}');
    return milvus_json_end(&json, error);
}

static bp_status
write_whole(const struct milvus_backup *backup, const struct bp_document_sink *sink,
            const char *key, uint32_t flags, struct bp_error *error)
{
    struct milvus_json json;
    milvus_json_begin(&json, sink, key, flags);
    write_backup(&json, backup, (flags & BP_DOCUMENT_COMMIT) == 0);
    return milvus_json_end(&json, error);
}

bp_status
milvus_documents_write(const struct milvus_backup *backup, const struct bp_document_sink *sink,
                       struct bp_error *error)
{
    bp_status status =
        write_levelled(backup, sink, MILVUS_DOC_COLLECTION, write_all_collections, error);
    if (status == BP_OK) {
        status = write_levelled(backup, sink, MILVUS_DOC_PARTITION, write_all_partitions, error);
    }
    if (status == BP_OK) {
        status = write_levelled(backup, sink, MILVUS_DOC_SEGMENT, write_all_segments, error);
    }
    if (status == BP_OK) {
        status = write_whole(backup, sink, MILVUS_DOC_FULL, 0, error);
    }
    if (status == BP_OK) {
        status = write_whole(backup, sink, MILVUS_DOC_BACKUP, BP_DOCUMENT_COMMIT, error);
    }
    return status;
}
