/* SPDX-License-Identifier: Apache-2.0
 *
 * Collections and their aliases.
 */
#include <string.h>

#include "api_internal.h"
#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

/* The many calls that name a collection and nothing else. */
static bp_status
call_on(struct milvus_api *api, const struct bp_op *op, struct milvus_request *request,
        const char *collection, milvus_answer **answer, struct bp_error *error)
{
    Mv__CollectionRequest message = MV__COLLECTION_REQUEST__INIT;
    message.db_name = milvus_api__db(request->db);
    message.collection_name = milvus_api__text(collection);
    g_autofree char *object = milvus_api__collection_text(request->db, collection);
    request->object = object;
    request->message = &message.base;
    bp_status status = milvus_api__call(api, op, request, answer, error);
    request->object = NULL;
    request->message = NULL;
    return status;
}

bp_status
milvus_api_list_collections(struct milvus_api *api, const struct bp_op *op, const char *db,
                            GPtrArray *collections, struct bp_error *error)
{
    Mv__ShowCollectionsRequest message = MV__SHOW_COLLECTIONS_REQUEST__INIT;
    message.db_name = milvus_api__db(db);
    const char *shown = message.db_name != NULL ? message.db_name : MILVUS_DEFAULT_DATABASE;
    g_autofree char *object = g_strdup_printf("database %s", shown);
    struct milvus_request request = {.method = "ShowCollections",
                                     .object = object,
                                     .db = db,
                                     .message = &message.base,
                                     .answer = &mv__show_collections_response__descriptor};
    g_autoptr(milvus_answer) answer = NULL;
    bp_status status = milvus_api__call(api, op, &request, &answer, error);
    if (status != BP_OK) {
        return status;
    }
    const Mv__ShowCollectionsResponse *response = (const Mv__ShowCollectionsResponse *)answer;
    if (response->n_collection_ids != response->n_collection_names) {
        return bp_fail(error, BP_ERR_CORRUPT, "milvus %s: %s: %zu collection ids for %zu names",
                       milvus_api_address(api), object, response->n_collection_ids,
                       response->n_collection_names);
    }
    for (size_t i = 0; i < response->n_collection_ids; i++) {
        struct milvus_collection *collection =
            milvus_collection_new(shown, response->collection_names[i]);
        collection->id = response->collection_ids[i];
        g_ptr_array_add(collections, collection);
    }
    return BP_OK;
}

static bool
has_partition_key(const struct milvus_schema *schema)
{
    for (guint i = 0; i < schema->fields->len; i++) {
        const struct milvus_field *field = schema->fields->pdata[i];
        if (field->is_partition_key) {
            return true;
        }
    }
    return false;
}

static void
fill_collection(struct milvus_collection *collection, const Mv__DescribeCollectionResponse *wire)
{
    collection->id = wire->collection_id;
    collection->db_id = wire->db_id;
    collection->shards_num = wire->shards_num;
    collection->consistency_level = wire->consistency_level;
    if (has_partition_key(collection->schema)) {
        collection->num_partitions = wire->num_partitions;
    }
    collection->created_timestamp = wire->created_timestamp;
    milvus_api__kv_unpack(collection->properties, wire->n_properties, wire->properties);
    milvus_api__texts(collection->aliases, wire->n_aliases, wire->aliases);
    milvus_api__texts(collection->virtual_channels, wire->n_virtual_channel_names,
                      wire->virtual_channel_names);
    milvus_api__texts(collection->physical_channels, wire->n_physical_channel_names,
                      wire->physical_channel_names);
}

bp_status
milvus_api_describe_collection(struct milvus_api *api, const struct bp_op *op, const char *db,
                               const char *collection, struct milvus_collection **out,
                               struct bp_error *error)
{
    struct milvus_request request = {.method = "DescribeCollection",
                                     .db = db,
                                     .answer = &mv__describe_collection_response__descriptor};
    g_autoptr(milvus_answer) answer = NULL;
    bp_status status = call_on(api, op, &request, collection, &answer, error);
    if (status != BP_OK) {
        return status;
    }
    const Mv__DescribeCollectionResponse *wire = (const Mv__DescribeCollectionResponse *)answer;
    struct milvus_schema *schema = milvus_schema_unpack(wire->schema.data, wire->schema.len);
    if (schema == NULL || schema->fields->len == 0) {
        milvus_schema_free(schema);
        return bp_fail(error, BP_ERR_CORRUPT,
                       "milvus %s: DescribeCollection %s: the schema of %zu bytes is not readable",
                       milvus_api_address(api), collection, wire->schema.len);
    }
    /* Asked by an alias, 2.2 and 2.3 answer the alias in collection_name (tried on both); the
     * schema always bears the real name. */
    const char *name = schema->name;
    if (name == NULL || name[0] == '\0') {
        name = wire->collection_name;
    }
    if (name == NULL || name[0] == '\0') {
        name = collection;
    }
    const char *sent = milvus_api__db(db);
    struct milvus_collection *found =
        milvus_collection_new(sent != NULL ? sent : MILVUS_DEFAULT_DATABASE, name);
    milvus_schema_free(found->schema);
    found->schema = schema;
    fill_collection(found, wire);
    *out = found;
    return BP_OK;
}

static ProtobufCBinaryData
binary_of(GBytes *bytes)
{
    gsize n = 0;
    const void *data = g_bytes_get_data(bytes, &n);
    return (ProtobufCBinaryData){.len = n, .data = (uint8_t *)data};
}

bp_status
milvus_api_create_collection(struct milvus_api *api, const struct bp_op *op,
                             const struct milvus_collection *collection, struct bp_error *error)
{
    g_autoptr(milvus_arena) arena = milvus_arena_new();
    g_autoptr(GBytes) schema = milvus_schema_pack(collection->schema, collection->name);
    Mv__CreateCollectionRequest message = MV__CREATE_COLLECTION_REQUEST__INIT;
    message.db_name = milvus_api__db(collection->db_name);
    message.collection_name = collection->name;
    message.has_schema = true;
    message.schema = binary_of(schema);
    message.has_shards_num = collection->shards_num != 0;
    message.shards_num = collection->shards_num;
    message.has_consistency_level = collection->consistency_level != 0;
    message.consistency_level = collection->consistency_level;
    message.properties = milvus_api__kv_pack(arena, collection->properties, &message.n_properties);
    if (has_partition_key(collection->schema) && collection->num_partitions > 0) {
        message.has_num_partitions = true;
        message.num_partitions = collection->num_partitions;
    }
    g_autofree char *object = milvus_api__collection_text(collection->db_name, collection->name);
    struct milvus_request request = {.method = "CreateCollection",
                                     .object = object,
                                     .db = collection->db_name,
                                     .message = &message.base,
                                     .answer = &mv__status__descriptor};
    return milvus_api__call(api, op, &request, NULL, error);
}

bp_status
milvus_api_add_field(struct milvus_api *api, const struct bp_op *op, const char *db,
                     const char *collection, const struct milvus_field *field,
                     struct bp_error *error)
{
    g_autoptr(GBytes) schema = milvus_field_pack(field);
    Mv__AddCollectionFieldRequest message = MV__ADD_COLLECTION_FIELD_REQUEST__INIT;
    message.db_name = milvus_api__db(db);
    message.collection_name = milvus_api__text(collection);
    message.has_schema = true;
    message.schema = binary_of(schema);
    g_autofree char *where = milvus_api__collection_text(db, collection);
    g_autofree char *object = g_strdup_printf("%s field %s", where, field->name);
    struct milvus_request request = {.method = "AddCollectionField",
                                     .object = object,
                                     .db = db,
                                     .message = &message.base,
                                     .answer = &mv__status__descriptor};
    return milvus_api__call(api, op, &request, NULL, error);
}

bp_status
milvus_api_drop_collection(struct milvus_api *api, const struct bp_op *op, const char *db,
                           const char *collection, struct bp_error *error)
{
    struct milvus_request request = {
        .method = "DropCollection", .db = db, .answer = &mv__status__descriptor};
    return call_on(api, op, &request, collection, NULL, error);
}

bp_status
milvus_api_release(struct milvus_api *api, const struct bp_op *op, const char *db,
                   const char *collection, struct bp_error *error)
{
    struct milvus_request request = {
        .method = "ReleaseCollection", .db = db, .answer = &mv__status__descriptor};
    return call_on(api, op, &request, collection, NULL, error);
}

bp_status
milvus_api_alter_collection(struct milvus_api *api, const struct bp_op *op, const char *db,
                            const char *collection, const GArray *properties,
                            struct bp_error *error)
{
    g_autoptr(milvus_arena) arena = milvus_arena_new();
    Mv__AlterCollectionRequest message = MV__ALTER_COLLECTION_REQUEST__INIT;
    message.db_name = milvus_api__db(db);
    message.collection_name = milvus_api__text(collection);
    message.properties = milvus_api__kv_pack(arena, properties, &message.n_properties);
    g_autofree char *object = milvus_api__collection_text(db, collection);
    struct milvus_request request = {.method = "AlterCollection",
                                     .object = object,
                                     .db = db,
                                     .message = &message.base,
                                     .answer = &mv__status__descriptor};
    return milvus_api__call(api, op, &request, NULL, error);
}

bp_status
milvus_api_create_alias(struct milvus_api *api, const struct bp_op *op, const char *db,
                        const char *collection, const char *alias, struct bp_error *error)
{
    Mv__CreateAliasRequest message = MV__CREATE_ALIAS_REQUEST__INIT;
    message.db_name = milvus_api__db(db);
    message.collection_name = milvus_api__text(collection);
    message.alias = milvus_api__text(alias);
    g_autofree char *where = milvus_api__collection_text(db, collection);
    g_autofree char *object = g_strdup_printf("%s alias %s", where, alias);
    struct milvus_request request = {.method = "CreateAlias",
                                     .object = object,
                                     .db = db,
                                     .message = &message.base,
                                     .answer = &mv__status__descriptor};
    return milvus_api__call(api, op, &request, NULL, error);
}

bp_status
milvus_api_drop_alias(struct milvus_api *api, const struct bp_op *op, const char *db,
                      const char *alias, struct bp_error *error)
{
    Mv__DropAliasRequest message = MV__DROP_ALIAS_REQUEST__INIT;
    message.db_name = milvus_api__db(db);
    message.alias = milvus_api__text(alias);
    g_autofree char *object = g_strdup_printf("alias %s", alias);
    struct milvus_request request = {.method = "DropAlias",
                                     .object = object,
                                     .db = db,
                                     .message = &message.base,
                                     .answer = &mv__status__descriptor};
    return milvus_api__call(api, op, &request, NULL, error);
}
