/* SPDX-License-Identifier: Apache-2.0
 *
 * The schema of a collection to create.  Log files are matched to fields by number, and a server
 * numbers fields itself: 100, 101, … in the order of the request, then the hidden dynamic field,
 * then struct fields each followed by their own.  So the order is chosen to give the same numbers,
 * and where no order does, nothing is created.
 */
#include <inttypes.h>
#include <string.h>

#include "restore_state.h"
#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

#define FIRST_FIELD_ID INT64_C(100)

#define PROPERTY_TTL "collection.ttl.seconds"
#define PROPERTY_UNCHECKED "disable_func_runtime_check"

static int
compare_fields(const void *a, const void *b)
{
    const struct milvus_field *x = *(struct milvus_field *const *)a;
    const struct milvus_field *y = *(struct milvus_field *const *)b;
    return x->id < y->id ? -1 : x->id > y->id;
}

static int
compare_struct_fields(const void *a, const void *b)
{
    const struct milvus_struct_field *x = *(struct milvus_struct_field *const *)a;
    const struct milvus_struct_field *y = *(struct milvus_struct_field *const *)b;
    return x->id < y->id ? -1 : x->id > y->id;
}

/* The server makes the dynamic field itself; some backups list it nevertheless. */
static GPtrArray *
sorted_user_fields(const struct milvus_schema *schema)
{
    GPtrArray *fields = g_ptr_array_new();
    for (guint i = 0; i < schema->fields->len; i++) {
        struct milvus_field *field = schema->fields->pdata[i];
        if (!field->is_dynamic) {
            g_ptr_array_add(fields, field);
        }
    }
    g_ptr_array_sort(fields, compare_fields);
    return fields;
}

/* How many of the sorted fields the collection had from its beginning. */
static guint
count_first_fields(const GPtrArray *fields)
{
    guint n = 0;
    while (n < fields->len &&
           ((struct milvus_field *)fields->pdata[n])->id == FIRST_FIELD_ID + (int64_t)n) {
        n++;
    }
    return n;
}

static bp_status
renumbered(const struct milvus_target *target, const char *name, const int64_t ids[2],
           struct bp_error *error)
{
    return bp_fail(error, BP_ERR_UNSUPPORTED,
                   "collection %s.%s: field %s has number %" PRId64 " in the backup's files, but "
                   "the server would number it %" PRId64 " (fields were dropped from the original)",
                   target->db, target->name, name, ids[0], ids[1]);
}

static bp_status
check_struct_numbers(const struct milvus_target *target, const GPtrArray *structs, int64_t *next,
                     struct bp_error *error)
{
    for (guint i = 0; i < structs->len; i++) {
        const struct milvus_struct_field *parent = structs->pdata[i];
        const int64_t ids[2] = {parent->id, (*next)++};
        if (ids[0] != ids[1]) {
            return renumbered(target, parent->name, ids, error);
        }
        for (guint k = 0; k < parent->fields->len; k++) {
            const struct milvus_field *field = parent->fields->pdata[k];
            const int64_t sub_ids[2] = {field->id, (*next)++};
            if (sub_ids[0] != sub_ids[1]) {
                return renumbered(target, field->name, sub_ids, error);
            }
        }
    }
    return BP_OK;
}

/* Fields behind the first gap were added later, if the numbers of all others explain the gap. */
static bp_status
check_numbers(const struct bp_restore *restore, const struct milvus_target *target,
              const GPtrArray *fields, const GPtrArray *structs, struct bp_error *error)
{
    guint n_first = count_first_fields(fields);
    int64_t next = FIRST_FIELD_ID + n_first;
    if (target->from->schema->enable_dynamic_field) {
        next++;
    }
    bp_status status = check_struct_numbers(target, structs, &next, error);
    for (guint i = n_first; i < fields->len && status == BP_OK; i++) {
        const struct milvus_field *field = fields->pdata[i];
        const int64_t ids[2] = {field->id, next++};
        if (ids[0] != ids[1]) {
            status = renumbered(target, field->name, ids, error);
        } else if (!milvus_api_can(restore->api, MILVUS_CAN_ADD_FIELD)) {
            status = bp_fail(error, BP_ERR_UNSUPPORTED,
                             "collection %s.%s: field %s was added after the collection was made; "
                             "only Milvus %s and later can %s",
                             target->db, target->name, field->name,
                             milvus_feature_since(MILVUS_CAN_ADD_FIELD),
                             milvus_feature_text(MILVUS_CAN_ADD_FIELD));
        }
    }
    return status;
}

/* Partitions of a collection with partition key are made by the server: _default_0, _default_1 … */
static bp_status
count_key_partitions(const struct milvus_target *target, int64_t *out, struct bp_error *error)
{
    const struct milvus_collection *from = target->from;
    bool has_key = false;
    for (guint i = 0; i < from->schema->fields->len; i++) {
        has_key |= ((struct milvus_field *)from->schema->fields->pdata[i])->is_partition_key;
    }
    *out = 0;
    if (!has_key) {
        return BP_OK;
    }
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < from->partitions->len; i++) {
        g_hash_table_add(names, ((struct milvus_partition *)from->partitions->pdata[i])->name);
    }
    for (guint i = 0; i < from->partitions->len; i++) {
        g_autofree char *name = g_strdup_printf("_default_%u", i);
        if (!g_hash_table_contains(names, name)) {
            return bp_fail(error, BP_ERR_CORRUPT,
                           "collection %s.%s: the backup lacks partition %s of a collection with "
                           "partition key, whose partitions are numbered without gaps",
                           target->db, target->name, name);
        }
    }
    *out = from->partitions->len;
    return BP_OK;
}

static void
set_property(GArray *properties, const struct milvus_kv *kv)
{
    for (guint i = 0; i < properties->len; i++) {
        struct milvus_kv *old = &g_array_index(properties, struct milvus_kv, i);
        if (g_strcmp0(old->key, kv->key) == 0) {
            g_free(old->value);
            old->value = g_strdup(kv->value);
            return;
        }
    }
    milvus_kv_add(properties, kv->key, kv->value);
}

/* Imported rows keep their old timestamps: a time to live set now could expire them at once. */
static void
add_properties(GArray *properties, const GArray *from)
{
    for (guint i = 0; i < from->len; i++) {
        const struct milvus_kv *kv = &g_array_index(from, struct milvus_kv, i);
        if (g_strcmp0(kv->key, PROPERTY_TTL) != 0) {
            set_property(properties, kv);
        }
    }
}

static void
borrow(GPtrArray *out, const GPtrArray *from)
{
    g_ptr_array_set_free_func(out, NULL);
    for (guint i = 0; i < from->len; i++) {
        g_ptr_array_add(out, from->pdata[i]);
    }
}

static void
fill_schema(struct milvus_schema *out, const struct milvus_schema *from)
{
    out->description = g_strdup(from->description);
    out->auto_id = from->auto_id;
    out->enable_dynamic_field = from->enable_dynamic_field;
    out->enable_namespace = from->enable_namespace;
    out->raw = from->raw != NULL ? g_bytes_ref(from->raw) : NULL;
    borrow(out->functions, from->functions);
    borrow(out->struct_fields, from->struct_fields);
    g_ptr_array_sort(out->struct_fields, compare_struct_fields);
}

bp_status
milvus_blueprint_make(const struct bp_restore *restore, const struct milvus_target *target,
                      struct milvus_blueprint *out, struct bp_error *error)
{
    const struct milvus_collection *from = target->from;
    g_autoptr(GPtrArray) fields = sorted_user_fields(from->schema);
    g_autoptr(milvus_collection) made = milvus_collection_new(target->db, target->name);
    made->schema->name = g_strdup(target->name);
    fill_schema(made->schema, from->schema);
    bp_status status = check_numbers(restore, target, fields, made->schema->struct_fields, error);
    if (status == BP_OK) {
        status = count_key_partitions(target, &made->num_partitions, error);
    }
    if (status != BP_OK) {
        return status;
    }
    uint32_t max_shards = restore->options.max_shards;
    int32_t shards = MAX(1, from->shards_num);
    made->shards_num = max_shards > 0 ? MIN(shards, (int32_t)max_shards) : shards;
    made->consistency_level = from->consistency_level;
    add_properties(made->properties, from->schema->properties);
    add_properties(made->properties, from->properties);
    if (from->schema->functions->len > 0 &&
        milvus_api_can(restore->api, MILVUS_CAN_FUNCTION_UNCHECKED)) {
        const struct milvus_kv unchecked = {.key = (char *)PROPERTY_UNCHECKED,
                                            .value = (char *)"true"};
        set_property(made->properties, &unchecked);
    }

    guint n_first = count_first_fields(fields);
    g_ptr_array_set_free_func(made->schema->fields, NULL);
    out->late_fields = g_ptr_array_new();
    for (guint i = 0; i < fields->len; i++) {
        g_ptr_array_add(i < n_first ? made->schema->fields : out->late_fields, fields->pdata[i]);
    }
    out->collection = g_steal_pointer(&made);
    return BP_OK;
}

void
milvus_blueprint_clear(struct milvus_blueprint *blueprint)
{
    g_clear_pointer(&blueprint->collection, milvus_collection_free);
    g_clear_pointer(&blueprint->late_fields, g_ptr_array_unref);
}

static const struct milvus_field *
field_named(const GPtrArray *fields, const char *name)
{
    for (guint i = 0; i < fields->len; i++) {
        const struct milvus_field *field = fields->pdata[i];
        if (!field->is_dynamic && g_strcmp0(field->name, name) == 0) {
            return field;
        }
    }
    return NULL;
}

static bp_status
compare_field(const struct milvus_field *wanted, const struct milvus_field *actual,
              struct bp_error *error)
{
    const char *dim = milvus_kv_get(wanted->type_params, "dim");
    if (actual == NULL) {
        return bp_fail(error, BP_ERR_PERMANENT, "field %s of the backup does not exist",
                       wanted->name);
    }
    if (actual->id != wanted->id) {
        return bp_fail(error, BP_ERR_PERMANENT,
                       "field %s has number %" PRId64 ", but %" PRId64 " in the backup's files",
                       wanted->name, actual->id, wanted->id);
    }
    if (actual->data_type != wanted->data_type || actual->element_type != wanted->element_type) {
        return bp_fail(error, BP_ERR_PERMANENT,
                       "field %s has data type %" PRId32 ", but %" PRId32 " in the backup",
                       wanted->name, actual->data_type, wanted->data_type);
    }
    if (actual->is_primary_key != wanted->is_primary_key) {
        return bp_fail(error, BP_ERR_PERMANENT, "field %s differs in being the primary key",
                       wanted->name);
    }
    if (dim != NULL && g_strcmp0(dim, milvus_kv_get(actual->type_params, "dim")) != 0) {
        return bp_fail(error, BP_ERR_PERMANENT, "field %s has not dimension %s as in the backup",
                       wanted->name, dim);
    }
    return BP_OK;
}

static bp_status
compare_lists(const GPtrArray *wanted, const GPtrArray *actual, struct bp_error *error)
{
    bp_status status = BP_OK;
    for (guint i = 0; i < wanted->len && status == BP_OK; i++) {
        const struct milvus_field *field = wanted->pdata[i];
        if (!field->is_dynamic) {
            status = compare_field(field, field_named(actual, field->name), error);
        }
    }
    for (guint i = 0; i < actual->len && status == BP_OK; i++) {
        const struct milvus_field *field = actual->pdata[i];
        bool may_miss = field->is_dynamic || field->nullable || field->default_value != NULL;
        if (!may_miss && field_named(wanted, field->name) == NULL) {
            status = bp_fail(error, BP_ERR_PERMANENT, "field %s is not in the backup", field->name);
        }
    }
    return status;
}

bp_status
milvus_schema_compare(const struct milvus_schema *backup, const struct milvus_schema *actual,
                      struct bp_error *error)
{
    if (backup->enable_dynamic_field != actual->enable_dynamic_field) {
        return bp_fail(error, BP_ERR_PERMANENT, "it %s dynamic fields, unlike the backup",
                       actual->enable_dynamic_field ? "has" : "has no");
    }
    bp_status status = compare_lists(backup->fields, actual->fields, error);
    for (guint i = 0; i < backup->struct_fields->len && status == BP_OK; i++) {
        const struct milvus_struct_field *wanted = backup->struct_fields->pdata[i];
        const struct milvus_struct_field *found = NULL;
        for (guint k = 0; k < actual->struct_fields->len && found == NULL; k++) {
            const struct milvus_struct_field *candidate = actual->struct_fields->pdata[k];
            found = g_strcmp0(candidate->name, wanted->name) == 0 ? candidate : NULL;
        }
        status = found != NULL
                     ? compare_lists(wanted->fields, found->fields, error)
                     : bp_fail(error, BP_ERR_PERMANENT,
                               "struct field %s of the backup does not exist", wanted->name);
    }
    return status;
}

int32_t
milvus_schema_type_of(const struct milvus_schema *schema, const char *field_name)
{
    const struct milvus_field *field = field_named(schema->fields, field_name);
    for (guint i = 0; i < schema->struct_fields->len && field == NULL; i++) {
        const struct milvus_struct_field *parent = schema->struct_fields->pdata[i];
        for (guint k = 0; k < parent->fields->len && field == NULL; k++) {
            const struct milvus_field *child = parent->fields->pdata[k];
            g_autofree char *name = g_strdup_printf("%s[%s]", parent->name, child->name);
            field = g_strcmp0(name, field_name) == 0 ? child : NULL;
        }
    }
    return field != NULL ? field->data_type : 0;
}
