/* SPDX-License-Identifier: Apache-2.0
 *
 * Behaves like a server where restore depends on it: numbers of fields, aliases that hold a
 * collection, loaded collections that keep their indexes.
 */
#include "fake_api_internal.h"

#include <inttypes.h>
#include <string.h>

#include "sdk/lib/errors.h"

static void
collection_free(void *data)
{
    struct fake_collection *collection = data;
    milvus_collection_free(collection->is);
    g_array_unref(collection->segments);
    g_free(collection);
}

struct milvus_api *
fake_api_new(const char *version)
{
    struct milvus_api *api = g_new0(struct milvus_api, 1);
    struct milvus_version parsed;
    g_assert_true(milvus_version_parse(version, &parsed));
    api->version = g_strdup(version);
    api->features = milvus_features(&parsed);
    api->databases = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_hash_table_add(api->databases, g_strdup("default"));
    api->collections = g_ptr_array_new_with_free_func(collection_free);
    api->log = g_string_new(NULL);
    api->next_id = 1000;
    return api;
}

void
fake_api_free(struct milvus_api *api)
{
    fake_api_rest(NULL);
    g_free(api->version);
    g_hash_table_unref(api->databases);
    g_ptr_array_unref(api->collections);
    g_string_free(api->log, TRUE);
    g_free(api->fail_method);
    g_free(api->fail_message);
    g_free(api);
}

const char *
fake_api_log(const struct milvus_api *api)
{
    return api->log->str;
}

void
fake_api_slow(struct milvus_api *api, int looks)
{
    api->slow = looks;
}

void
fake_api_add_database(struct milvus_api *api, const char *name)
{
    g_hash_table_add(api->databases, g_strdup(name));
}

void
fake_api_import_answers(struct milvus_api *api, const struct fake_import *answers, size_t n)
{
    memcpy(api->answers, answers, n * sizeof *answers);
    api->n_answers = n;
}

void
fake_api_fail(struct milvus_api *api, const char *method, bp_status cls, const char *message,
              uint32_t flags)
{
    g_free(api->fail_method);
    g_free(api->fail_message);
    api->fail_method = g_strdup(method);
    api->fail_message = g_strdup(message);
    api->fail_class = cls;
    api->fail_flags = flags;
}

bp_status
fake_api__enter(struct milvus_api *api, const char *method, struct bp_error *error)
{
    if (g_strcmp0(api->fail_method, method) != 0) {
        return BP_OK;
    }
    g_clear_pointer(&api->fail_method, g_free);
    (void)bp_fail(error, api->fail_class, "%s", api->fail_message);
    error->flags = api->fail_flags;
    return api->fail_class;
}

bp_status
fake_api__change(struct milvus_api *api, const char *method, const char *object,
                 struct bp_error *error)
{
    bp_status status = fake_api__enter(api, method, error);
    if (status == BP_OK) {
        g_string_append_printf(api->log, "%s %s\n", method, object);
    }
    return status;
}

static bool
has_alias(const struct fake_collection *collection, const char *name)
{
    for (guint i = 0; i < collection->is->aliases->len; i++) {
        if (strcmp(collection->is->aliases->pdata[i], name) == 0) {
            return true;
        }
    }
    return false;
}

struct fake_collection *
fake_api_find(struct milvus_api *api, const char *db, const char *name)
{
    for (guint i = 0; i < api->collections->len; i++) {
        struct fake_collection *collection = api->collections->pdata[i];
        if (strcmp(collection->is->db_name, db) == 0 &&
            (strcmp(collection->is->name, name) == 0 || has_alias(collection, name))) {
            return collection;
        }
    }
    return NULL;
}

static bp_status
find(struct milvus_api *api, const char *db, const char *name, struct fake_collection **out,
     struct bp_error *error)
{
    *out = fake_api_find(api, db, name);
    return *out != NULL ? BP_OK
                        : bp_fail(error, BP_ERR_NOT_FOUND, "can't find collection %s", name);
}

static struct milvus_field *
copy_field(const struct milvus_field *from, int64_t id)
{
    struct milvus_field *field = milvus_field_new(id, from->name, from->data_type);
    field->element_type = from->element_type;
    field->is_primary_key = from->is_primary_key;
    field->is_partition_key = from->is_partition_key;
    field->nullable = from->nullable;
    for (guint i = 0; i < from->type_params->len; i++) {
        const struct milvus_kv *kv = &g_array_index(from->type_params, struct milvus_kv, i);
        milvus_kv_add(field->type_params, kv->key, kv->value);
    }
    return field;
}

static struct milvus_collection *
copy_collection(const struct milvus_collection *from)
{
    struct milvus_collection *made = milvus_collection_new(from->db_name, from->name);
    made->id = from->id;
    made->created_timestamp = from->created_timestamp;
    made->shards_num = from->shards_num;
    made->consistency_level = from->consistency_level;
    made->schema->enable_dynamic_field = from->schema->enable_dynamic_field;
    for (guint i = 0; i < from->schema->fields->len; i++) {
        const struct milvus_field *field = from->schema->fields->pdata[i];
        g_ptr_array_add(made->schema->fields, copy_field(field, field->id));
    }
    for (guint i = 0; i < from->aliases->len; i++) {
        g_ptr_array_add(made->aliases, g_strdup(from->aliases->pdata[i]));
    }
    return made;
}

struct fake_collection *
fake_api_add(struct milvus_api *api, struct milvus_collection *collection)
{
    struct fake_collection *added = g_new0(struct fake_collection, 1);
    added->is = collection;
    added->segments = g_array_new(FALSE, FALSE, sizeof(struct milvus_segment_info));
    added->load_state = MILVUS_LOAD_NOT_LOADED;
    collection->id = ++api->next_id;
    collection->created_timestamp = (uint64_t)collection->id * 7;
    int64_t id = 100;
    for (guint i = 0; i < collection->schema->fields->len; i++) {
        ((struct milvus_field *)collection->schema->fields->pdata[i])->id = id++;
    }
    if (collection->num_partitions > 0) {
        for (int64_t i = 0; i < collection->num_partitions; i++) {
            g_autofree char *name = g_strdup_printf("_default_%" PRId64, i);
            g_ptr_array_add(collection->partitions, milvus_partition_new(1, i + 1, name));
        }
    } else {
        g_ptr_array_add(collection->partitions, milvus_partition_new(1, 1, "_default"));
    }
    g_ptr_array_add(api->collections, added);
    return added;
}

/* --- api.h ----------------------------------------------------------------------------------- */

const char *
milvus_api_address(const struct milvus_api *api)
{
    (void)api;
    return "127.0.0.1:19530";
}

bp_status
milvus_api_connect(struct milvus_api *api, const struct bp_op *op, struct bp_error *error)
{
    (void)op;
    return fake_api__enter(api, "Connect", error);
}

const char *
milvus_api_version(const struct milvus_api *api)
{
    return api->version;
}

bool
milvus_api_can(const struct milvus_api *api, enum milvus_feature feature)
{
    return (api->features & (UINT64_C(1) << feature)) != 0;
}

bp_status
milvus_api_list_databases(struct milvus_api *api, const struct bp_op *op, GPtrArray *databases,
                          struct bp_error *error)
{
    (void)op;
    GHashTableIter iter;
    void *name;
    g_hash_table_iter_init(&iter, api->databases);
    while (g_hash_table_iter_next(&iter, &name, NULL)) {
        g_ptr_array_add(databases, milvus_database_new(name));
    }
    return fake_api__enter(api, "ListDatabases", error);
}

bp_status
milvus_api_create_database(struct milvus_api *api, const struct bp_op *op,
                           const struct milvus_database *database, struct bp_error *error)
{
    (void)op;
    g_autofree char *text = g_strdup_printf("%s/%u", database->name, database->properties->len);
    bp_status status = fake_api__change(api, "CreateDatabase", text, error);
    if (status == BP_OK) {
        fake_api_add_database(api, database->name);
    }
    return status;
}

bp_status
milvus_api_describe_collection(struct milvus_api *api, const struct bp_op *op, const char *db,
                               const char *name, struct milvus_collection **out,
                               struct bp_error *error)
{
    (void)op;
    struct fake_collection *collection = NULL;
    bp_status status = fake_api__enter(api, "DescribeCollection", error);
    if (status == BP_OK) {
        status = find(api, db, name, &collection, error);
    }
    if (status == BP_OK) {
        *out = copy_collection(collection->is);
    }
    return status;
}

bp_status
milvus_api_create_collection(struct milvus_api *api, const struct bp_op *op,
                             const struct milvus_collection *from, struct bp_error *error)
{
    (void)op;
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, "%s.%s shards %" PRId32 " partitions %" PRId64 " fields",
                           from->db_name, from->name, from->shards_num, from->num_partitions);
    for (guint i = 0; i < from->schema->fields->len; i++) {
        g_string_append_printf(text, " %s",
                               ((struct milvus_field *)from->schema->fields->pdata[i])->name);
    }
    for (guint i = 0; i < from->properties->len; i++) {
        const struct milvus_kv *kv = &g_array_index(from->properties, struct milvus_kv, i);
        g_string_append_printf(text, " %s=%s", kv->key, kv->value);
    }
    bp_status status = fake_api__change(api, "CreateCollection", text->str, error);
    if (status == BP_OK) {
        struct milvus_collection *made = copy_collection(from);
        made->num_partitions = from->num_partitions;
        (void)fake_api_add(api, made);
    }
    return status;
}

bp_status
milvus_api_add_field(struct milvus_api *api, const struct bp_op *op, const char *db,
                     const char *name, const struct milvus_field *field, struct bp_error *error)
{
    (void)op;
    struct fake_collection *collection = NULL;
    bp_status status = fake_api__change(api, "AddCollectionField", field->name, error);
    if (status == BP_OK) {
        status = find(api, db, name, &collection, error);
    }
    if (status == BP_OK) {
        GPtrArray *fields = collection->is->schema->fields;
        int64_t id = 100 + (int64_t)fields->len + collection->is->schema->enable_dynamic_field;
        g_ptr_array_add(fields, copy_field(field, id));
    }
    return status;
}

bp_status
milvus_api_drop_collection(struct milvus_api *api, const struct bp_op *op, const char *db,
                           const char *name, struct bp_error *error)
{
    (void)op;
    struct fake_collection *collection = NULL;
    bp_status status = find(api, db, name, &collection, error);
    if (status == BP_OK && collection->is->aliases->len > 0) {
        return bp_fail(error, BP_ERR_PERMANENT, "aliases point to %s", name);
    }
    status = status == BP_OK ? fake_api__change(api, "DropCollection", name, error) : status;
    if (status == BP_OK) {
        g_ptr_array_remove(api->collections, collection);
    }
    return status;
}

bp_status
milvus_api_alter_collection(struct milvus_api *api, const struct bp_op *op, const char *db,
                            const char *name, const GArray *properties, struct bp_error *error)
{
    (void)op;
    (void)db;
    g_autoptr(GString) text = g_string_new(name);
    for (guint i = 0; i < properties->len; i++) {
        const struct milvus_kv *kv = &g_array_index(properties, struct milvus_kv, i);
        g_string_append_printf(text, " %s=%s", kv->key, kv->value);
    }
    return fake_api__change(api, "AlterCollection", text->str, error);
}

bp_status
milvus_api_list_partitions(struct milvus_api *api, const struct bp_op *op,
                           const struct milvus_collection *named, GPtrArray *partitions,
                           struct bp_error *error)
{
    (void)op;
    struct fake_collection *collection = NULL;
    bp_status status = find(api, named->db_name, named->name, &collection, error);
    for (guint i = 0; status == BP_OK && i < collection->is->partitions->len; i++) {
        const struct milvus_partition *partition = collection->is->partitions->pdata[i];
        g_ptr_array_add(partitions, milvus_partition_new(1, partition->id, partition->name));
    }
    return status;
}

bp_status
milvus_api_create_partition(struct milvus_api *api, const struct bp_op *op, const char *db,
                            const char *name, const char *partition, struct bp_error *error)
{
    (void)op;
    struct fake_collection *collection = NULL;
    bp_status status = fake_api__change(api, "CreatePartition", partition, error);
    if (status == BP_OK) {
        status = find(api, db, name, &collection, error);
    }
    if (status == BP_OK) {
        g_ptr_array_add(collection->is->partitions,
                        milvus_partition_new(1, ++api->next_id, partition));
    }
    return status;
}

bp_status
milvus_api_list_indexes(struct milvus_api *api, const struct bp_op *op, const char *db,
                        const char *name, GPtrArray *indexes, struct bp_error *error)
{
    (void)op;
    struct fake_collection *collection = NULL;
    bp_status status = find(api, db, name, &collection, error);
    for (guint i = 0; status == BP_OK && i < collection->is->indexes->len; i++) {
        const struct milvus_index *index = collection->is->indexes->pdata[i];
        g_ptr_array_add(indexes, milvus_index_new(index->field_name, index->name));
    }
    return status;
}

bp_status
milvus_api_index_progress(struct milvus_api *api, const struct bp_op *op, const char *db,
                          const char *name, struct milvus_index_progress *out,
                          struct bp_error *error)
{
    (void)op;
    struct fake_collection *collection = NULL;
    bp_status status = find(api, db, name, &collection, error);
    if (status == BP_OK) {
        out->n_indexes = collection->is->indexes->len;
        out->n_failed = collection->builds_fail;
        out->n_unfinished = api->slow > 0 ? out->n_indexes : 0;
        (void)g_strlcpy(out->failed, "vec_idx: out of memory", sizeof out->failed);
        api->slow -= api->slow > 0;
    }
    return status;
}

bp_status
milvus_api_create_index(struct milvus_api *api, const struct bp_op *op, const char *db,
                        const char *name, const struct milvus_index *index, struct bp_error *error)
{
    (void)op;
    struct fake_collection *collection = NULL;
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, "%s:'%s'", index->field_name, index->name);
    for (guint i = 0; i < index->params->len; i++) {
        const struct milvus_kv *kv = &g_array_index(index->params, struct milvus_kv, i);
        g_string_append_printf(text, " %s=%s", kv->key, kv->value);
    }
    bp_status status = fake_api__change(api, "CreateIndex", text->str, error);
    if (status == BP_OK) {
        status = find(api, db, name, &collection, error);
    }
    if (status == BP_OK) {
        g_ptr_array_add(collection->is->indexes, milvus_index_new(index->field_name, index->name));
    }
    return status;
}

bp_status
milvus_api_drop_index(struct milvus_api *api, const struct bp_op *op, const char *db,
                      const char *name, const struct milvus_index *index, struct bp_error *error)
{
    (void)op;
    struct fake_collection *collection = NULL;
    bp_status status = find(api, db, name, &collection, error);
    if (status == BP_OK && collection->load_state == MILVUS_LOAD_LOADED) {
        return bp_fail(error, BP_ERR_PERMANENT, "index cannot be dropped, collection is loaded");
    }
    return status == BP_OK ? fake_api__change(api, "DropIndex", index->name, error) : status;
}

bp_status
milvus_api_list_segments(struct milvus_api *api, const struct bp_op *op, const char *db,
                         const char *name, GArray *segments, struct bp_error *error)
{
    (void)op;
    struct fake_collection *collection = NULL;
    bp_status status = find(api, db, name, &collection, error);
    if (status == BP_OK && collection->segments->len > 0) {
        g_array_append_vals(segments, collection->segments->data, collection->segments->len);
    }
    return status;
}

bp_status
milvus_api_load_state(struct milvus_api *api, const struct bp_op *op,
                      const struct milvus_load_query *query, enum milvus_load_state *out,
                      struct bp_error *error)
{
    (void)op;
    struct fake_collection *collection = NULL;
    bp_status status = find(api, query->db, query->collection, &collection, error);
    if (status == BP_OK) {
        *out = collection->load_state;
    }
    return status;
}

bp_status
milvus_api_load_progress(struct milvus_api *api, const struct bp_op *op,
                         const struct milvus_load_query *query, int64_t *out,
                         struct bp_error *error)
{
    (void)op;
    struct fake_collection *collection = NULL;
    bp_status status = find(api, query->db, query->collection, &collection, error);
    *out = api->slow > 0 ? 40 : 100;
    api->slow -= api->slow > 0;
    return status;
}

bp_status
milvus_api_load(struct milvus_api *api, const struct bp_op *op, const struct milvus_load *load,
                struct bp_error *error)
{
    (void)op;
    struct fake_collection *collection = NULL;
    const char *method = load->partitions != NULL ? "LoadPartitions" : "LoadCollection";
    g_autofree char *text = g_strdup_printf("%s x%" PRId32, load->collection, load->replicas);
    bp_status status = fake_api__change(api, method, text, error);
    if (status == BP_OK) {
        status = find(api, load->db, load->collection, &collection, error);
    }
    if (status == BP_OK) {
        collection->load_state = MILVUS_LOAD_LOADED;
    }
    return status;
}

bp_status
milvus_api_release(struct milvus_api *api, const struct bp_op *op, const char *db, const char *name,
                   struct bp_error *error)
{
    (void)op;
    struct fake_collection *collection = NULL;
    bp_status status = fake_api__change(api, "ReleaseCollection", name, error);
    if (status == BP_OK) {
        status = find(api, db, name, &collection, error);
    }
    if (status == BP_OK) {
        collection->load_state = MILVUS_LOAD_NOT_LOADED;
    }
    return status;
}

bp_status
milvus_api_create_alias(struct milvus_api *api, const struct bp_op *op, const char *db,
                        const char *name, const char *alias, struct bp_error *error)
{
    (void)op;
    struct fake_collection *collection = NULL;
    bp_status status = fake_api__change(api, "CreateAlias", alias, error);
    if (status == BP_OK) {
        status = find(api, db, name, &collection, error);
    }
    if (status == BP_OK) {
        g_ptr_array_add(collection->is->aliases, g_strdup(alias));
    }
    return status;
}

bp_status
milvus_api_drop_alias(struct milvus_api *api, const struct bp_op *op, const char *db,
                      const char *alias, struct bp_error *error)
{
    (void)op;
    struct fake_collection *collection = NULL;
    bp_status status = find(api, db, alias, &collection, error);
    for (guint i = 0; status == BP_OK && i < collection->is->aliases->len; i++) {
        if (strcmp(collection->is->aliases->pdata[i], alias) == 0) {
            status = fake_api__change(api, "DropAlias", alias, error);
            g_ptr_array_remove_index(collection->is->aliases, i);
            break;
        }
    }
    return status;
}
