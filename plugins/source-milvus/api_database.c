/* SPDX-License-Identifier: Apache-2.0
 *
 * Databases, collections and partitions.
 */
#include <string.h>

#include "api_internal.h"
#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

bp_status
milvus_api_list_databases(struct milvus_api *api, const struct bp_op *op, GPtrArray *databases,
                          struct bp_error *error)
{
    Mv__Empty message = MV__EMPTY__INIT;
    struct milvus_request request = {.method = "ListDatabases",
                                     .message = &message.base,
                                     .answer = &mv__list_databases_response__descriptor};
    g_autoptr(milvus_answer) answer = NULL;
    bp_status status = milvus_api__call(api, op, &request, &answer, error);
    if (status == BP_ERR_UNSUPPORTED) {
        g_ptr_array_add(databases, milvus_database_new(MILVUS_DEFAULT_DATABASE));
        return BP_OK;
    }
    if (status != BP_OK) {
        return status;
    }
    const Mv__ListDatabasesResponse *response = (const Mv__ListDatabasesResponse *)answer;
    for (size_t i = 0; i < response->n_db_names; i++) {
        struct milvus_database *database = milvus_database_new(response->db_names[i]);
        database->id = i < response->n_db_ids ? response->db_ids[i] : 0;
        g_ptr_array_add(databases, database);
    }
    return BP_OK;
}

bp_status
milvus_api_describe_database(struct milvus_api *api, const struct bp_op *op,
                             struct milvus_database *database, struct bp_error *error)
{
    /* The name travels in the request only: a server without the call has no header either. */
    Mv__DescribeDatabaseRequest message = MV__DESCRIBE_DATABASE_REQUEST__INIT;
    message.db_name = database->name;
    g_autofree char *object = g_strdup_printf("database %s", database->name);
    struct milvus_request request = {.method = "DescribeDatabase",
                                     .object = object,
                                     .message = &message.base,
                                     .answer = &mv__describe_database_response__descriptor};
    g_autoptr(milvus_answer) answer = NULL;
    bp_status status = milvus_api__call(api, op, &request, &answer, error);
    if (status == BP_OK) {
        const Mv__DescribeDatabaseResponse *response = (const Mv__DescribeDatabaseResponse *)answer;
        database->id = response->db_id;
        g_array_set_size(database->properties, 0);
        milvus_api__kv_unpack(database->properties, response->n_properties, response->properties);
    }
    return status;
}

bp_status
milvus_api_create_database(struct milvus_api *api, const struct bp_op *op,
                           const struct milvus_database *database, struct bp_error *error)
{
    bp_status status = milvus_api_connect(api, op, error);
    if (status != BP_OK) {
        return status;
    }
    g_autoptr(milvus_arena) arena = milvus_arena_new();
    Mv__CreateDatabaseRequest message = MV__CREATE_DATABASE_REQUEST__INIT;
    message.db_name = database->name;
    if (milvus_api_can(api, MILVUS_CAN_DESCRIBE_DATABASE)) {
        message.properties =
            milvus_api__kv_pack(arena, database->properties, &message.n_properties);
    }
    g_autofree char *object = g_strdup_printf("database %s", database->name);
    struct milvus_request request = {.method = "CreateDatabase",
                                     .object = object,
                                     .message = &message.base,
                                     .answer = &mv__status__descriptor};
    return milvus_api__call(api, op, &request, NULL, error);
}

bp_status
milvus_api_list_partitions(struct milvus_api *api, const struct bp_op *op,
                           const struct milvus_collection *collection, GPtrArray *partitions,
                           struct bp_error *error)
{
    Mv__ShowPartitionsRequest message = MV__SHOW_PARTITIONS_REQUEST__INIT;
    message.db_name = milvus_api__db(collection->db_name);
    message.collection_name = collection->name;
    g_autofree char *object = milvus_api__collection_text(collection->db_name, collection->name);
    struct milvus_request request = {.method = "ShowPartitions",
                                     .object = object,
                                     .db = collection->db_name,
                                     .message = &message.base,
                                     .answer = &mv__show_partitions_response__descriptor};
    g_autoptr(milvus_answer) answer = NULL;
    bp_status status = milvus_api__call(api, op, &request, &answer, error);
    if (status != BP_OK) {
        return status;
    }
    const Mv__ShowPartitionsResponse *response = (const Mv__ShowPartitionsResponse *)answer;
    if (response->n_partition_ids != response->n_partition_names) {
        return bp_fail(error, BP_ERR_CORRUPT, "milvus %s: %s: %zu partition ids for %zu names",
                       milvus_api_address(api), object, response->n_partition_ids,
                       response->n_partition_names);
    }
    for (size_t i = 0; i < response->n_partition_ids; i++) {
        g_ptr_array_add(partitions, milvus_partition_new(collection->id, response->partition_ids[i],
                                                         response->partition_names[i]));
    }
    return BP_OK;
}

bp_status
milvus_api_create_partition(struct milvus_api *api, const struct bp_op *op, const char *db,
                            const char *collection, const char *partition, struct bp_error *error)
{
    Mv__PartitionRequest message = MV__PARTITION_REQUEST__INIT;
    message.db_name = milvus_api__db(db);
    message.collection_name = milvus_api__text(collection);
    message.partition_name = milvus_api__text(partition);
    g_autofree char *where = milvus_api__collection_text(db, collection);
    g_autofree char *object = g_strdup_printf("%s partition %s", where, partition);
    struct milvus_request request = {.method = "CreatePartition",
                                     .object = object,
                                     .db = db,
                                     .message = &message.base,
                                     .answer = &mv__status__descriptor};
    return milvus_api__call(api, op, &request, NULL, error);
}
