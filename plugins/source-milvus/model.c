/* SPDX-License-Identifier: Apache-2.0
 *
 * Construction and destruction of the model, and the names and sizes derived from it.
 */
#include "model.h"

#include <inttypes.h>
#include <string.h>

static void
kv_clear(void *element)
{
    struct milvus_kv *kv = element;
    g_free(kv->key);
    g_free(kv->value);
}

GArray *
milvus_kv_list_new(void)
{
    GArray *list = g_array_new(FALSE, FALSE, sizeof(struct milvus_kv));
    g_array_set_clear_func(list, kv_clear);
    return list;
}

void
milvus_kv_add(GArray *list, const char *key, const char *value)
{
    struct milvus_kv kv = {.key = g_strdup(key), .value = g_strdup(value)};
    g_array_append_val(list, kv);
}

const char *
milvus_kv_get(const GArray *list, const char *key)
{
    for (guint i = list->len; i > 0; i--) {
        const struct milvus_kv *kv = &g_array_index(list, struct milvus_kv, i - 1);
        if (g_strcmp0(kv->key, key) == 0) {
            return kv->value != NULL ? kv->value : "";
        }
    }
    return NULL;
}

static GPtrArray *
list_of(GDestroyNotify free_element)
{
    return g_ptr_array_new_with_free_func(free_element);
}

struct milvus_field *
milvus_field_new(int64_t id, const char *name, int32_t data_type)
{
    struct milvus_field *field = g_new0(struct milvus_field, 1);
    field->id = id;
    field->name = g_strdup(name);
    field->data_type = data_type;
    field->type_params = milvus_kv_list_new();
    field->index_params = milvus_kv_list_new();
    return field;
}

void
milvus_field_free(struct milvus_field *field)
{
    if (field == NULL) {
        return;
    }
    g_free(field->name);
    g_free(field->description);
    g_array_unref(field->type_params);
    g_array_unref(field->index_params);
    g_clear_pointer(&field->default_value, g_bytes_unref);
    g_free(field->external_field);
    g_free(field);
}

struct milvus_function *
milvus_function_new(void)
{
    struct milvus_function *function = g_new0(struct milvus_function, 1);
    function->input_names = list_of(g_free);
    function->output_names = list_of(g_free);
    function->input_ids = g_array_new(FALSE, FALSE, sizeof(int64_t));
    function->output_ids = g_array_new(FALSE, FALSE, sizeof(int64_t));
    function->params = milvus_kv_list_new();
    return function;
}

void
milvus_function_free(struct milvus_function *function)
{
    if (function == NULL) {
        return;
    }
    g_free(function->name);
    g_free(function->description);
    g_ptr_array_unref(function->input_names);
    g_ptr_array_unref(function->output_names);
    g_array_unref(function->input_ids);
    g_array_unref(function->output_ids);
    g_array_unref(function->params);
    g_free(function);
}

struct milvus_struct_field *
milvus_struct_field_new(void)
{
    struct milvus_struct_field *field = g_new0(struct milvus_struct_field, 1);
    field->fields = list_of((GDestroyNotify)milvus_field_free);
    field->type_params = milvus_kv_list_new();
    return field;
}

void
milvus_struct_field_free(struct milvus_struct_field *field)
{
    if (field == NULL) {
        return;
    }
    g_free(field->name);
    g_free(field->description);
    g_ptr_array_unref(field->fields);
    g_array_unref(field->type_params);
    g_free(field);
}

struct milvus_schema *
milvus_schema_new(void)
{
    struct milvus_schema *schema = g_new0(struct milvus_schema, 1);
    schema->fields = list_of((GDestroyNotify)milvus_field_free);
    schema->functions = list_of((GDestroyNotify)milvus_function_free);
    schema->struct_fields = list_of((GDestroyNotify)milvus_struct_field_free);
    schema->properties = milvus_kv_list_new();
    return schema;
}

void
milvus_schema_free(struct milvus_schema *schema)
{
    if (schema == NULL) {
        return;
    }
    g_free(schema->name);
    g_free(schema->description);
    g_free(schema->external_source);
    g_ptr_array_unref(schema->fields);
    g_ptr_array_unref(schema->functions);
    g_ptr_array_unref(schema->struct_fields);
    g_array_unref(schema->properties);
    g_clear_pointer(&schema->raw, g_bytes_unref);
    g_free(schema);
}

struct milvus_index *
milvus_index_new(const char *field_name, const char *name)
{
    struct milvus_index *index = g_new0(struct milvus_index, 1);
    index->field_name = g_strdup(field_name);
    index->name = g_strdup(name);
    index->params = milvus_kv_list_new();
    return index;
}

void
milvus_index_free(struct milvus_index *index)
{
    if (index == NULL) {
        return;
    }
    g_free(index->field_name);
    g_free(index->name);
    g_array_unref(index->params);
    g_free(index);
}

struct milvus_segment *
milvus_segment_new(int64_t collection_id, int64_t partition_id, int64_t id)
{
    struct milvus_segment *segment = g_new0(struct milvus_segment, 1);
    segment->id = id;
    segment->collection_id = collection_id;
    segment->partition_id = partition_id;
    segment->group_id = partition_id == MILVUS_ALL_PARTITIONS ? 0 : id;
    segment->delta_rows = MILVUS_COUNT_UNKNOWN;
    segment->insert_logs = g_array_new(FALSE, FALSE, sizeof(struct milvus_log));
    segment->delta_logs = g_array_new(FALSE, FALSE, sizeof(struct milvus_log));
    return segment;
}

void
milvus_segment_free(struct milvus_segment *segment)
{
    if (segment == NULL) {
        return;
    }
    g_free(segment->channel);
    g_array_unref(segment->insert_logs);
    g_array_unref(segment->delta_logs);
    g_free(segment);
}

struct milvus_partition *
milvus_partition_new(int64_t collection_id, int64_t id, const char *name)
{
    struct milvus_partition *partition = g_new0(struct milvus_partition, 1);
    partition->id = id;
    partition->collection_id = collection_id;
    partition->name = g_strdup(name);
    partition->segments = list_of((GDestroyNotify)milvus_segment_free);
    return partition;
}

void
milvus_partition_free(struct milvus_partition *partition)
{
    if (partition == NULL) {
        return;
    }
    g_free(partition->name);
    g_ptr_array_unref(partition->segments);
    g_free(partition);
}

static void
checkpoint_clear(void *element)
{
    struct milvus_checkpoint *checkpoint = element;
    g_free(checkpoint->channel);
    g_clear_pointer(&checkpoint->position, g_bytes_unref);
}

struct milvus_collection *
milvus_collection_new(const char *db_name, const char *name)
{
    struct milvus_collection *collection = g_new0(struct milvus_collection, 1);
    bool named = db_name != NULL && db_name[0] != '\0';
    collection->db_name = g_strdup(named ? db_name : "default");
    collection->name = g_strdup(name);
    collection->schema = milvus_schema_new();
    collection->properties = milvus_kv_list_new();
    collection->indexes = list_of((GDestroyNotify)milvus_index_free);
    collection->aliases = list_of(g_free);
    collection->partitions = list_of((GDestroyNotify)milvus_partition_free);
    collection->l0_segments = list_of((GDestroyNotify)milvus_segment_free);
    collection->virtual_channels = list_of(g_free);
    collection->physical_channels = list_of(g_free);
    collection->checkpoints = g_array_new(FALSE, FALSE, sizeof(struct milvus_checkpoint));
    g_array_set_clear_func(collection->checkpoints, checkpoint_clear);
    return collection;
}

void
milvus_collection_free(struct milvus_collection *collection)
{
    if (collection == NULL) {
        return;
    }
    g_free(collection->db_name);
    g_free(collection->name);
    milvus_schema_free(collection->schema);
    g_array_unref(collection->properties);
    g_ptr_array_unref(collection->indexes);
    g_ptr_array_unref(collection->aliases);
    g_ptr_array_unref(collection->partitions);
    g_ptr_array_unref(collection->l0_segments);
    g_ptr_array_unref(collection->virtual_channels);
    g_ptr_array_unref(collection->physical_channels);
    g_array_unref(collection->checkpoints);
    g_free(collection);
}

struct milvus_database *
milvus_database_new(const char *name)
{
    struct milvus_database *database = g_new0(struct milvus_database, 1);
    database->name = g_strdup(name);
    database->properties = milvus_kv_list_new();
    return database;
}

void
milvus_database_free(struct milvus_database *database)
{
    if (database == NULL) {
        return;
    }
    g_free(database->name);
    g_array_unref(database->properties);
    g_free(database);
}

struct milvus_backup *
milvus_backup_new(void)
{
    struct milvus_backup *backup = g_new0(struct milvus_backup, 1);
    backup->databases = list_of((GDestroyNotify)milvus_database_free);
    backup->collections = list_of((GDestroyNotify)milvus_collection_free);
    return backup;
}

void
milvus_backup_free(struct milvus_backup *backup)
{
    if (backup == NULL) {
        return;
    }
    g_free(backup->id);
    g_free(backup->name);
    g_free(backup->server_version);
    g_free(backup->format);
    g_free(backup->log_root);
    g_ptr_array_unref(backup->databases);
    g_ptr_array_unref(backup->collections);
    g_free(backup);
}

void
milvus_log_add(GArray *logs, int64_t field_id, int64_t log_id, int64_t size)
{
    struct milvus_log log = {.field_id = field_id, .log_id = log_id, .size = size};
    g_array_append_val(logs, log);
}

static int
compare_logs(const void *a, const void *b)
{
    const struct milvus_log *x = a;
    const struct milvus_log *y = b;
    if (x->field_id != y->field_id) {
        return x->field_id < y->field_id ? -1 : 1;
    }
    return x->log_id < y->log_id ? -1 : x->log_id > y->log_id;
}

void
milvus_logs_sort(GArray *logs)
{
    g_array_sort(logs, compare_logs);
    guint kept = 0;
    for (guint i = 0; i < logs->len; i++) {
        struct milvus_log *all = (struct milvus_log *)logs->data;
        if (kept == 0 || compare_logs(&all[kept - 1], &all[i]) != 0) {
            all[kept++] = all[i];
        }
    }
    g_array_set_size(logs, kept);
}

void
milvus_checkpoint_add(struct milvus_collection *collection, const char *channel, GBytes *position)
{
    struct milvus_checkpoint checkpoint = {.channel = g_strdup(channel),
                                           .position = g_bytes_ref(position)};
    g_array_append_val(collection->checkpoints, checkpoint);
}

bool
milvus_type_is_vector(int32_t data_type)
{
    return data_type >= MILVUS_TYPE_VECTOR_FIRST && data_type <= MILVUS_TYPE_VECTOR_LAST;
}

static int64_t
logs_size(const GArray *logs)
{
    int64_t sum = 0;
    for (guint i = 0; i < logs->len; i++) {
        sum += g_array_index(logs, struct milvus_log, i).size;
    }
    return sum;
}

static int64_t
segments_size(const GPtrArray *segments)
{
    int64_t sum = 0;
    for (guint i = 0; i < segments->len; i++) {
        sum += milvus_segment_size(segments->pdata[i]);
    }
    return sum;
}

int64_t
milvus_segment_size(const struct milvus_segment *segment)
{
    return logs_size(segment->insert_logs) + logs_size(segment->delta_logs);
}

int64_t
milvus_partition_size(const struct milvus_partition *partition)
{
    return segments_size(partition->segments);
}

int64_t
milvus_collection_size(const struct milvus_collection *collection)
{
    int64_t sum = segments_size(collection->l0_segments);
    for (guint i = 0; i < collection->partitions->len; i++) {
        sum += milvus_partition_size(collection->partitions->pdata[i]);
    }
    return sum;
}

static const char *const load_states[] = {
    [MILVUS_LOAD_NOT_EXIST] = "NotExist",
    [MILVUS_LOAD_NOT_LOADED] = "NotLoad",
    [MILVUS_LOAD_LOADING] = "Loading",
    [MILVUS_LOAD_LOADED] = "Loaded",
};

const char *
milvus_load_state_text(enum milvus_load_state state)
{
    return load_states[state];
}

enum milvus_load_state
milvus_load_state_parse(const char *text)
{
    for (guint i = 0; i < G_N_ELEMENTS(load_states); i++) {
        if (g_strcmp0(text, load_states[i]) == 0) {
            return (enum milvus_load_state)i;
        }
    }
    return MILVUS_LOAD_NOT_EXIST;
}
