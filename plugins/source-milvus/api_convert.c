/* SPDX-License-Identifier: Apache-2.0
 *
 * Between wire messages and the model.  Requests are built in an arena, so that nothing of them
 * is freed one by one.
 */
#include <string.h>

#include "api_internal.h"

#include "sdk/lib/ban.h"

milvus_arena *
milvus_arena_new(void)
{
    return g_ptr_array_new_with_free_func(g_free);
}

void
milvus_arena_free(milvus_arena *arena)
{
    g_ptr_array_unref(arena);
}

void *
milvus_arena_take(milvus_arena *arena, size_t n, size_t size)
{
    void *memory = g_malloc0_n(MAX(n, 1), size);
    g_ptr_array_add(arena, memory);
    return memory;
}

Mv__KeyValuePair **
milvus_api__kv_pack(milvus_arena *arena, const GArray *list, size_t *n)
{
    size_t count = list != NULL ? list->len : 0;
    Mv__KeyValuePair **pointers = milvus_arena_take(arena, count, sizeof(void *));
    Mv__KeyValuePair *pairs = milvus_arena_take(arena, count, sizeof(*pairs));
    for (size_t i = 0; i < count; i++) {
        const struct milvus_kv *kv = &g_array_index(list, struct milvus_kv, i);
        mv__key_value_pair__init(&pairs[i]);
        pairs[i].key = kv->key;
        pairs[i].value = kv->value;
        pointers[i] = &pairs[i];
    }
    *n = count;
    return pointers;
}

void
milvus_api__kv_unpack(GArray *list, size_t n, Mv__KeyValuePair *const *pairs)
{
    for (size_t i = 0; i < n; i++) {
        milvus_kv_add(list, pairs[i]->key != NULL ? pairs[i]->key : "",
                      pairs[i]->value != NULL ? pairs[i]->value : "");
    }
}

void
milvus_api__texts(GPtrArray *list, size_t n, char *const *texts)
{
    for (size_t i = 0; i < n; i++) {
        g_ptr_array_add(list, g_strdup(texts[i]));
    }
}

static struct milvus_field *
field_from(const Mv__FieldSchema *wire)
{
    struct milvus_field *field = milvus_field_new(wire->field_id, wire->name, wire->data_type);
    field->description = g_strdup(wire->description);
    field->element_type = wire->element_type;
    field->state = wire->state;
    field->is_primary_key = wire->is_primary_key;
    field->auto_id = wire->auto_id;
    field->is_dynamic = wire->is_dynamic;
    field->is_partition_key = wire->is_partition_key;
    field->is_clustering_key = wire->is_clustering_key;
    field->nullable = wire->nullable;
    field->element_nullable = wire->element_nullable;
    field->is_function_output = wire->is_function_output;
    field->external_field = g_strdup(wire->external_field);
    milvus_api__kv_unpack(field->type_params, wire->n_type_params, wire->type_params);
    milvus_api__kv_unpack(field->index_params, wire->n_index_params, wire->index_params);
    if (wire->has_default_value) {
        field->default_value = g_bytes_new(wire->default_value.data, wire->default_value.len);
    }
    return field;
}

static struct milvus_function *
function_from(const Mv__FunctionSchema *wire)
{
    struct milvus_function *function = milvus_function_new();
    function->name = g_strdup(wire->name);
    function->description = g_strdup(wire->description);
    function->id = wire->id;
    function->type = wire->type;
    milvus_api__texts(function->input_names, wire->n_input_field_names, wire->input_field_names);
    milvus_api__texts(function->output_names, wire->n_output_field_names, wire->output_field_names);
    if (wire->n_input_field_ids > 0) {
        g_array_append_vals(function->input_ids, wire->input_field_ids,
                            (guint)wire->n_input_field_ids);
    }
    if (wire->n_output_field_ids > 0) {
        g_array_append_vals(function->output_ids, wire->output_field_ids,
                            (guint)wire->n_output_field_ids);
    }
    milvus_api__kv_unpack(function->params, wire->n_params, wire->params);
    return function;
}

static struct milvus_struct_field *
struct_field_from(const Mv__StructArrayFieldSchema *wire)
{
    struct milvus_struct_field *field = milvus_struct_field_new();
    field->id = wire->field_id;
    field->name = g_strdup(wire->name);
    field->description = g_strdup(wire->description);
    field->nullable = wire->nullable;
    for (size_t i = 0; i < wire->n_fields; i++) {
        g_ptr_array_add(field->fields, field_from(wire->fields[i]));
    }
    milvus_api__kv_unpack(field->type_params, wire->n_type_params, wire->type_params);
    return field;
}

struct milvus_schema *
milvus_schema_unpack(const void *bytes, size_t n)
{
    Mv__CollectionSchema *wire = mv__collection_schema__unpack(NULL, n, bytes);
    if (wire == NULL) {
        return NULL;
    }
    struct milvus_schema *schema = milvus_schema_new();
    schema->name = g_strdup(wire->name);
    schema->description = g_strdup(wire->description);
    schema->auto_id = wire->auto_id;
    schema->enable_dynamic_field = wire->enable_dynamic_field;
    schema->enable_namespace = wire->enable_namespace;
    schema->version = wire->version;
    schema->external_source = g_strdup(wire->external_source);
    for (size_t i = 0; i < wire->n_fields; i++) {
        g_ptr_array_add(schema->fields, field_from(wire->fields[i]));
    }
    for (size_t i = 0; i < wire->n_functions; i++) {
        g_ptr_array_add(schema->functions, function_from(wire->functions[i]));
    }
    for (size_t i = 0; i < wire->n_struct_array_fields; i++) {
        g_ptr_array_add(schema->struct_fields, struct_field_from(wire->struct_array_fields[i]));
    }
    milvus_api__kv_unpack(schema->properties, wire->n_properties, wire->properties);
    schema->raw = g_bytes_new(bytes, n);
    mv__collection_schema__free_unpacked(wire, NULL);
    return schema;
}

/* Zero values are not sent, as proto3 has it. */
#define SET(wire, member, from)             \
    do {                                    \
        (wire)->member = (from);            \
        (wire)->has_##member = (from) != 0; \
    } while (0)

static Mv__FieldSchema *
field_to(milvus_arena *arena, const struct milvus_field *field)
{
    Mv__FieldSchema *wire = milvus_arena_take(arena, 1, sizeof(*wire));
    mv__field_schema__init(wire);
    wire->name = field->name;
    wire->description = field->description;
    wire->external_field = field->external_field;
    SET(wire, field_id, field->id);
    SET(wire, is_primary_key, field->is_primary_key);
    SET(wire, data_type, field->data_type);
    SET(wire, auto_id, field->auto_id);
    SET(wire, element_type, field->element_type);
    SET(wire, is_dynamic, field->is_dynamic);
    SET(wire, is_partition_key, field->is_partition_key);
    SET(wire, is_clustering_key, field->is_clustering_key);
    SET(wire, nullable, field->nullable);
    SET(wire, element_nullable, field->element_nullable);
    SET(wire, is_function_output, field->is_function_output);
    wire->type_params = milvus_api__kv_pack(arena, field->type_params, &wire->n_type_params);
    wire->index_params = milvus_api__kv_pack(arena, field->index_params, &wire->n_index_params);
    if (field->default_value != NULL) {
        gsize n = 0;
        const void *bytes = g_bytes_get_data(field->default_value, &n);
        wire->has_default_value = true;
        wire->default_value = (ProtobufCBinaryData){.len = n, .data = (uint8_t *)bytes};
    }
    return wire;
}

static Mv__FunctionSchema *
function_to(milvus_arena *arena, const struct milvus_function *function)
{
    Mv__FunctionSchema *wire = milvus_arena_take(arena, 1, sizeof(*wire));
    mv__function_schema__init(wire);
    wire->name = function->name;
    wire->description = function->description;
    SET(wire, id, function->id);
    SET(wire, type, function->type);
    wire->n_input_field_names = function->input_names->len;
    wire->input_field_names = (char **)function->input_names->pdata;
    wire->n_output_field_names = function->output_names->len;
    wire->output_field_names = (char **)function->output_names->pdata;
    wire->n_input_field_ids = function->input_ids->len;
    wire->input_field_ids = (int64_t *)(void *)function->input_ids->data;
    wire->n_output_field_ids = function->output_ids->len;
    wire->output_field_ids = (int64_t *)(void *)function->output_ids->data;
    wire->params = milvus_api__kv_pack(arena, function->params, &wire->n_params);
    return wire;
}

static Mv__StructArrayFieldSchema *
struct_field_to(milvus_arena *arena, const struct milvus_struct_field *field)
{
    Mv__StructArrayFieldSchema *wire = milvus_arena_take(arena, 1, sizeof(*wire));
    mv__struct_array_field_schema__init(wire);
    wire->name = field->name;
    wire->description = field->description;
    SET(wire, field_id, field->id);
    SET(wire, nullable, field->nullable);
    wire->n_fields = field->fields->len;
    wire->fields = milvus_arena_take(arena, wire->n_fields, sizeof(void *));
    for (size_t i = 0; i < wire->n_fields; i++) {
        wire->fields[i] = field_to(arena, field->fields->pdata[i]);
    }
    wire->type_params = milvus_api__kv_pack(arena, field->type_params, &wire->n_type_params);
    return wire;
}

static GBytes *
serialize(const ProtobufCMessage *message)
{
    size_t n = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = g_malloc(MAX(n, 1));
    (void)protobuf_c_message_pack(message, bytes);
    return g_bytes_new_take(bytes, n);
}

/* Borrowed until the message is serialized. */
static void
take_unknown(ProtobufCMessage *wire, const ProtobufCMessage *said)
{
    wire->n_unknown_fields = said->n_unknown_fields;
    wire->unknown_fields = said->unknown_fields;
}

static void
take_unknown_of_fields(size_t n, Mv__FieldSchema **wire, size_t n_said, Mv__FieldSchema **said)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < n_said; k++) {
            if (g_strcmp0(wire[i]->name, said[k]->name) == 0) {
                take_unknown(&wire[i]->base, &said[k]->base);
                wire[i]->has_type_schema = said[k]->has_type_schema;
                wire[i]->type_schema = said[k]->type_schema;
            }
        }
    }
}

/* What a newer server said of a schema beyond what we know of goes back to it unread. */
static void
take_unknown_of_schema(Mv__CollectionSchema *wire, const Mv__CollectionSchema *said)
{
    take_unknown(&wire->base, &said->base);
    wire->external_spec = said->external_spec;
    take_unknown_of_fields(wire->n_fields, wire->fields, said->n_fields, said->fields);
    for (size_t i = 0; i < wire->n_functions; i++) {
        for (size_t k = 0; k < said->n_functions; k++) {
            if (g_strcmp0(wire->functions[i]->name, said->functions[k]->name) == 0) {
                take_unknown(&wire->functions[i]->base, &said->functions[k]->base);
            }
        }
    }
    for (size_t i = 0; i < wire->n_struct_array_fields; i++) {
        Mv__StructArrayFieldSchema *ours = wire->struct_array_fields[i];
        for (size_t k = 0; k < said->n_struct_array_fields; k++) {
            Mv__StructArrayFieldSchema *theirs = said->struct_array_fields[k];
            if (g_strcmp0(ours->name, theirs->name) == 0) {
                take_unknown(&ours->base, &theirs->base);
                take_unknown_of_fields(ours->n_fields, ours->fields, theirs->n_fields,
                                       theirs->fields);
            }
        }
    }
}

static void
fill_lists(milvus_arena *arena, const struct milvus_schema *schema, Mv__CollectionSchema *wire)
{
    wire->n_fields = schema->fields->len;
    wire->fields = milvus_arena_take(arena, wire->n_fields, sizeof(void *));
    for (size_t i = 0; i < wire->n_fields; i++) {
        wire->fields[i] = field_to(arena, schema->fields->pdata[i]);
    }
    wire->n_functions = schema->functions->len;
    wire->functions = milvus_arena_take(arena, wire->n_functions, sizeof(void *));
    for (size_t i = 0; i < wire->n_functions; i++) {
        wire->functions[i] = function_to(arena, schema->functions->pdata[i]);
    }
    wire->n_struct_array_fields = schema->struct_fields->len;
    wire->struct_array_fields =
        milvus_arena_take(arena, wire->n_struct_array_fields, sizeof(void *));
    for (size_t i = 0; i < wire->n_struct_array_fields; i++) {
        wire->struct_array_fields[i] = struct_field_to(arena, schema->struct_fields->pdata[i]);
    }
    wire->properties = milvus_api__kv_pack(arena, schema->properties, &wire->n_properties);
}

GBytes *
milvus_schema_pack(const struct milvus_schema *schema, const char *name)
{
    g_autoptr(milvus_arena) arena = milvus_arena_new();
    Mv__CollectionSchema wire = MV__COLLECTION_SCHEMA__INIT;
    Mv__CollectionSchema *said = NULL;
    wire.name = milvus_api__text(name);
    wire.description = schema->description;
    wire.external_source = schema->external_source;
    SET(&wire, auto_id, schema->auto_id);
    SET(&wire, enable_dynamic_field, schema->enable_dynamic_field);
    SET(&wire, enable_namespace, schema->enable_namespace);
    fill_lists(arena, schema, &wire);
    if (schema->raw != NULL) {
        gsize n = 0;
        const uint8_t *bytes = g_bytes_get_data(schema->raw, &n);
        said = mv__collection_schema__unpack(NULL, n, bytes);
    }
    if (said != NULL) {
        take_unknown_of_schema(&wire, said);
    }
    GBytes *packed = serialize(&wire.base);
    mv__collection_schema__free_unpacked(said, NULL);
    return packed;
}

GBytes *
milvus_field_pack(const struct milvus_field *field)
{
    g_autoptr(milvus_arena) arena = milvus_arena_new();
    return serialize(&field_to(arena, field)->base);
}
