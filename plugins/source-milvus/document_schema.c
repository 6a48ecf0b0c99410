/* SPDX-License-Identifier: Apache-2.0
 *
 * Schema, fields and functions from the documents.
 */
#include "document_parse.h"

#include <string.h>

#include "sdk/lib/ban.h"

void
milvus_parse_kv_list(struct milvus_json_reader *reader, const json_t *object, const char *key,
                     GArray *out)
{
    json_t *list = milvus_json_get_objects(reader, object, key);
    size_t i;
    json_t *element;
    json_array_foreach(list, i, element)
    {
        const char *name = milvus_json_get_text(reader, element, "key");
        const char *value = milvus_json_get_text(reader, element, "value");
        milvus_kv_add(out, name != NULL ? name : "", value != NULL ? value : "");
    }
}

static struct milvus_field *
parse_field(struct milvus_json_reader *reader, const json_t *object)
{
    struct milvus_field *field = milvus_field_new(milvus_json_get_i64(reader, object, "fieldID"),
                                                  milvus_json_get_text(reader, object, "name"),
                                                  milvus_json_get_i32(reader, object, "data_type"));
    field->description = g_strdup(milvus_json_get_text(reader, object, "description"));
    field->element_type = milvus_json_get_i32(reader, object, "element_type");
    field->state = milvus_json_get_i32(reader, object, "state");
    field->is_primary_key = milvus_json_get_bool(reader, object, "is_primary_key");
    field->auto_id = milvus_json_get_bool(reader, object, "autoID");
    field->is_dynamic = milvus_json_get_bool(reader, object, "is_dynamic");
    field->is_partition_key = milvus_json_get_bool(reader, object, "is_partition_key");
    field->is_clustering_key = milvus_json_get_bool(reader, object, "is_clustering_key");
    field->nullable = milvus_json_get_bool(reader, object, "nullable");
    field->element_nullable = milvus_json_get_bool(reader, object, "element_nullable");
    field->is_function_output = milvus_json_get_bool(reader, object, "is_function_output");
    field->external_field = g_strdup(milvus_json_get_text(reader, object, "external_field"));
    field->default_value = milvus_json_get_base64(reader, object, "default_value_base64");
    milvus_parse_kv_list(reader, object, "type_params", field->type_params);
    milvus_parse_kv_list(reader, object, "index_params", field->index_params);
    if (field->id <= 0 || field->name == NULL) {
        milvus_json_reject(reader, "a field has no id or no name");
    }
    if (field->default_value == NULL &&
        milvus_json_get_text(reader, object, "default_value_proto") != NULL) {
        /* 0.4.30 and 0.5.7 store these bytes as text, which destroys those above 0x7f. */
        const char *raw = milvus_json_get_text(reader, object, "default_value_proto");
        if (raw != NULL && g_str_is_ascii(raw)) {
            field->default_value = g_bytes_new(raw, strlen(raw));
        }
    }
    return field;
}

static void
parse_fields(struct milvus_json_reader *reader, const json_t *object, GPtrArray *out)
{
    json_t *list = milvus_json_get_objects(reader, object, "fields");
    size_t i;
    json_t *element;
    json_array_foreach(list, i, element)
    {
        g_ptr_array_add(out, parse_field(reader, element));
    }
}

static struct milvus_function *
parse_function(struct milvus_json_reader *reader, const json_t *object)
{
    struct milvus_function *function = milvus_function_new();
    function->name = g_strdup(milvus_json_get_text(reader, object, "name"));
    function->description = g_strdup(milvus_json_get_text(reader, object, "description"));
    function->id = milvus_json_get_i64(reader, object, "id");
    function->type = milvus_json_get_i32(reader, object, "type");
    milvus_json_get_texts(reader, object, "input_field_names", function->input_names);
    milvus_json_get_texts(reader, object, "output_field_names", function->output_names);
    milvus_json_get_ids(reader, object, "input_field_ids", function->input_ids);
    milvus_json_get_ids(reader, object, "output_field_ids", function->output_ids);
    milvus_parse_kv_list(reader, object, "params", function->params);
    return function;
}

static struct milvus_struct_field *
parse_struct_field(struct milvus_json_reader *reader, const json_t *object)
{
    struct milvus_struct_field *field = milvus_struct_field_new();
    field->id = milvus_json_get_i64(reader, object, "fieldID");
    field->name = g_strdup(milvus_json_get_text(reader, object, "name"));
    field->description = g_strdup(milvus_json_get_text(reader, object, "description"));
    field->nullable = milvus_json_get_bool(reader, object, "nullable");
    parse_fields(reader, object, field->fields);
    milvus_parse_kv_list(reader, object, "type_params", field->type_params);
    return field;
}

struct milvus_schema *
milvus_parse_schema(struct milvus_json_reader *reader, const json_t *object)
{
    struct milvus_schema *schema = milvus_schema_new();
    schema->name = g_strdup(milvus_json_get_text(reader, object, "name"));
    schema->description = g_strdup(milvus_json_get_text(reader, object, "description"));
    schema->auto_id = milvus_json_get_bool(reader, object, "autoID");
    schema->enable_dynamic_field = milvus_json_get_bool(reader, object, "enable_dynamic_field");
    schema->enable_namespace = milvus_json_get_bool(reader, object, "enable_namespace");
    schema->version = milvus_json_get_i32(reader, object, "version");
    schema->external_source = g_strdup(milvus_json_get_text(reader, object, "external_source"));
    parse_fields(reader, object, schema->fields);
    milvus_parse_kv_list(reader, object, "properties", schema->properties);

    size_t i;
    json_t *element;
    json_t *functions = milvus_json_get_objects(reader, object, "functions");
    json_array_foreach(functions, i, element)
    {
        g_ptr_array_add(schema->functions, parse_function(reader, element));
    }
    json_t *structs = milvus_json_get_objects(reader, object, "struct_array_fields");
    json_array_foreach(structs, i, element)
    {
        g_ptr_array_add(schema->struct_fields, parse_struct_field(reader, element));
    }
    if (schema->fields->len == 0) {
        milvus_json_reject(reader, "schema \"%s\" has no fields",
                           schema->name != NULL ? schema->name : "");
    }
    return schema;
}
