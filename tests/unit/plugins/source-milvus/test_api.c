/* SPDX-License-Identifier: Apache-2.0
 *
 * Typed calls: who the server is, where the database travels, what comes back as what, and
 * schemas through the wire and back.
 */
#include "plugins/source-milvus/api.h"

#include <grpc/grpc.h>
#include <grpc/status.h>

#include "plugins/source-milvus/api_internal.h"
#include "server_fixture.h"
#include "wire_test.h"

static fake_milvus *fake;
static struct milvus_config config;
static struct milvus_api *api;
static struct bp_error error;
static struct bp_op op;

static void
setup(void)
{
    grpc_init();
    fake_host_reset();
    fake = fake_milvus_start();
    config = wire_config(fake_milvus_address(fake));
    error = fake_error();
    op = fake_op();
    ASSERT_OK(milvus_api_new(fake_host(), &config, &api, &error), error);
}

static void
teardown(void)
{
    milvus_api_free(api);
    milvus_config_clear(&config);
    fake_milvus_stop(fake);
    grpc_shutdown();
}

static void
answer_ok(const char *method)
{
    Mv__Status fine = MV__STATUS__INIT;
    fake_milvus_answer(fake, method, 0, &fine.base);
}

START_TEST(test_connect__learns_version_and_identifier_once)
{
    fake_milvus_hello(fake, "v2.4.5");
    answer_ok("ReleaseCollection");
    ck_assert_str_eq(milvus_api_version(api), "");
    ck_assert(!milvus_api_can(api, MILVUS_CAN_L0));
    ASSERT_OK(milvus_api_release(api, &op, NULL, "c", &error), error);
    ASSERT_OK(milvus_api_release(api, &op, NULL, "c", &error), error);
    ck_assert_str_eq(milvus_api_version(api), "v2.4.5");
    ck_assert(milvus_api_can(api, MILVUS_CAN_L0));
    ck_assert_uint_eq(fake_milvus_calls(fake, "Connect"), 1);
    ck_assert_uint_eq(fake_milvus_calls(fake, "ReleaseCollection"), 2);
    g_autofree char *identifier = fake_milvus_header(fake, "ReleaseCollection", "identifier");
    ck_assert_str_eq(identifier, "7");
}
END_TEST

START_TEST(test_connect__old_server_without_connect)
{
    Mv__GetVersionResponse version = MV__GET_VERSION_RESPONSE__INIT;
    version.version = milvus_api__text("v2.2.8");
    fake_milvus_answer(fake, "GetVersion", 0, &version.base);
    ASSERT_OK(milvus_api_connect(api, &op, &error), error);
    ck_assert_str_eq(milvus_api_version(api), "v2.2.8");

    g_autoptr(GPtrArray) databases =
        g_ptr_array_new_with_free_func((GDestroyNotify)milvus_database_free);
    ASSERT_OK(milvus_api_list_databases(api, &op, databases, &error), error);
    ck_assert_uint_eq(databases->len, 1);
    ck_assert_str_eq(((struct milvus_database *)databases->pdata[0])->name, "default");

    bp_status status = milvus_api_release(api, &op, "shop", "c", &error);
    ASSERT_FAILED(status, error, BP_ERR_UNSUPPORTED, "v2.2.8 knows no databases");
}
END_TEST

START_TEST(test_connect__something_that_is_no_milvus)
{
    bp_status status = milvus_api_connect(api, &op, &error);
    ASSERT_FAILED(status, error, BP_ERR_INVALID, "is no Milvus");
}
END_TEST

START_TEST(test_connect__a_version_nobody_knows)
{
    Mv__GetVersionResponse version = MV__GET_VERSION_RESPONSE__INIT;
    version.version = milvus_api__text("master-2026");
    fake_milvus_hello(fake, "weird");
    fake_milvus_answer(fake, "GetVersion", 0, &version.base);
    ASSERT_OK(milvus_api_connect(api, &op, &error), error);
    ck_assert(milvus_api_can(api, MILVUS_CAN_STRUCT_FIELDS));
    ck_assert_ptr_nonnull(strstr(fake_host_log(), "\"master-2026\" is no version I know"));
}
END_TEST

START_TEST(test_database__travels_in_header_and_request)
{
    fake_milvus_hello(fake, "v2.3.5");
    answer_ok("DropCollection");
    ASSERT_OK(milvus_api_drop_collection(api, &op, "shop", "items", &error), error);
    g_autofree char *header = fake_milvus_header(fake, "DropCollection", "dbname");
    ck_assert_str_eq(header, "shop");
    g_autoptr(GBytes) bytes = fake_milvus_request(fake, "DropCollection");
    Mv__CollectionRequest *request = mv__collection_request__unpack(NULL, g_bytes_get_size(bytes),
                                                                    g_bytes_get_data(bytes, NULL));
    ck_assert_str_eq(request->db_name, "shop");
    ck_assert_str_eq(request->collection_name, "items");
    mv__collection_request__free_unpacked(request, NULL);

    ASSERT_OK(milvus_api_drop_collection(api, &op, "default", "items", &error), error);
    g_autofree char *none = fake_milvus_header(fake, "DropCollection", "dbname");
    ck_assert_ptr_null(none);
}
END_TEST

START_TEST(test_describe__fills_the_model_and_keeps_the_schema)
{
    fixture_describe(fake, "v2.3.5");
    g_autoptr(milvus_collection) found = NULL;
    ASSERT_OK(milvus_api_describe_collection(api, &op, NULL, "library", &found, &error), error);
    ck_assert_str_eq(found->name, "books");
    ck_assert_str_eq(found->db_name, "default");
    ck_assert_int_eq(found->id, FIXTURE_COLLECTION);
    ck_assert_int_eq(found->shards_num, 2);
    ck_assert_str_eq(found->aliases->pdata[0], "library");
    ck_assert_uint_eq(found->schema->fields->len, 2);
    const struct milvus_field *vector = found->schema->fields->pdata[1];
    ck_assert_str_eq(milvus_kv_get(vector->type_params, "dim"), "8");
    ck_assert_uint_gt(g_bytes_get_size(found->schema->raw), 0);
}
END_TEST

START_TEST(test_describe__an_unreadable_schema)
{
    uint8_t rubbish[] = {0x0a, 0xff, 0xff};
    Mv__DescribeCollectionResponse response = MV__DESCRIBE_COLLECTION_RESPONSE__INIT;
    response.has_schema = true;
    response.schema = (ProtobufCBinaryData){.len = sizeof(rubbish), .data = rubbish};
    fake_milvus_hello(fake, "v2.3.5");
    fake_milvus_answer(fake, "DescribeCollection", 0, &response.base);
    g_autoptr(milvus_collection) found = NULL;
    bp_status status = milvus_api_describe_collection(api, &op, NULL, "c", &found, &error);
    ASSERT_FAILED(status, error, BP_ERR_CORRUPT, "the schema of 3 bytes is not readable");
    ck_assert_ptr_null(found);
}
END_TEST

START_TEST(test_indexes__none_is_no_error_but_no_collection_is)
{
    fake_milvus_hello(fake, "v2.3.5");
    fixture_fail(fake, "DescribeIndex", 1, 700, 25, "index not found[collection=books]");
    fixture_fail(fake, "DescribeIndex", 1, 0, 25, "index not exist");
    fixture_fail(fake, "DescribeIndex", 1, 100, 1, "collection not found[collection=index]");
    g_autoptr(GPtrArray) indexes =
        g_ptr_array_new_with_free_func((GDestroyNotify)milvus_index_free);
    ASSERT_OK(milvus_api_list_indexes(api, &op, NULL, "books", indexes, &error), error);
    ASSERT_OK(milvus_api_list_indexes(api, &op, NULL, "books", indexes, &error), error);
    ck_assert_uint_eq(indexes->len, 0);
    bp_status status = milvus_api_list_indexes(api, &op, NULL, "index", indexes, &error);
    ASSERT_FAILED(status, error, BP_ERR_NOT_FOUND, "collection not found");
}
END_TEST

START_TEST(test_partitions__ids_and_names_must_match)
{
    char *names[] = {milvus_api__text("_default")};
    Mv__ShowPartitionsResponse response = MV__SHOW_PARTITIONS_RESPONSE__INIT;
    response.n_partition_names = 1;
    response.partition_names = names;
    fake_milvus_hello(fake, "v2.3.5");
    fake_milvus_answer(fake, "ShowPartitions", 0, &response.base);
    g_autoptr(milvus_collection) collection = milvus_collection_new(NULL, "c");
    g_autoptr(GPtrArray) partitions =
        g_ptr_array_new_with_free_func((GDestroyNotify)milvus_partition_free);
    bp_status status = milvus_api_list_partitions(api, &op, collection, partitions, &error);
    ASSERT_FAILED(status, error, BP_ERR_CORRUPT, "0 partition ids for 1 names");
}
END_TEST

START_TEST(test_segments__missing_one_is_a_matter_of_time)
{
    fake_milvus_hello(fake, "v2.3.5");
    fixture_fail(fake, "GetPersistentSegmentInfo", 0, 600, 1, "segment not found[segment=5]");
    g_autoptr(GArray) infos = g_array_new(FALSE, FALSE, sizeof(struct milvus_segment_info));
    bp_status status = milvus_api_list_segments(api, &op, NULL, "c", infos, &error);
    ASSERT_FAILED(status, error, BP_ERR_RETRYABLE, "segment not found");
}
END_TEST

START_TEST(test_flush__checkpoints_and_times)
{
    Mv__MsgPosition position = MV__MSG_POSITION__INIT;
    position.has_timestamp = true;
    position.timestamp = 4711;
    uint8_t bytes[32];
    Mv__ChannelCheckpointEntry entry = MV__CHANNEL_CHECKPOINT_ENTRY__INIT;
    Mv__ChannelCheckpointEntry *entries[] = {&entry};
    entry.key = milvus_api__text("dml_0v0");
    entry.has_value = true;
    entry.value.len = protobuf_c_message_pack(&position.base, bytes);
    entry.value.data = bytes;
    Mv__FlushResponse response = MV__FLUSH_RESPONSE__INIT;
    response.n_channel_cps = 1;
    response.channel_cps = entries;
    fake_milvus_hello(fake, "v2.5.0");
    fake_milvus_answer(fake, "Flush", 0, &response.base);
    struct milvus_flush flush = {0};
    ASSERT_OK(milvus_api_flush(api, &op, NULL, "c", &flush, &error), error);
    ck_assert_uint_eq(flush.checkpoints->len, 1);
    ck_assert_uint_eq(flush.checkpoint_max, 4711);
    ck_assert_uint_eq(flush.segments->len, 0);
    milvus_flush_clear(&flush);
}
END_TEST

START_TEST(test_import__sends_two_paths_and_takes_one_task)
{
    int64_t tasks[] = {88, 89};
    Mv__ImportResponse response = MV__IMPORT_RESPONSE__INIT;
    response.n_tasks = 1;
    response.tasks = tasks;
    fake_milvus_hello(fake, "v2.3.5");
    fake_milvus_answer(fake, "Import", 1, &response.base);
    response.n_tasks = 2;
    fake_milvus_answer(fake, "Import", 1, &response.base);
    const char *files[] = {"/data/insert/", "", NULL};
    g_autoptr(GArray) options = milvus_kv_list_new();
    milvus_kv_add(options, "backup", "true");
    struct milvus_import import = {
        .collection = "c", .partition = "p", .files = files, .options = options};
    int64_t task = 0;
    ASSERT_OK(milvus_api_import(api, &op, &import, &task, &error), error);
    ck_assert_int_eq(task, 88);
    g_autoptr(GBytes) bytes = fake_milvus_request(fake, "Import");
    Mv__ImportRequest *request =
        mv__import_request__unpack(NULL, g_bytes_get_size(bytes), g_bytes_get_data(bytes, NULL));
    ck_assert_uint_eq(request->n_files, 2);
    ck_assert_str_eq(request->files[1], "");
    ck_assert_str_eq(request->options[0]->key, "backup");
    mv__import_request__free_unpacked(request, NULL);
    bp_status status = milvus_api_import(api, &op, &import, &task, &error);
    ASSERT_FAILED(status, error, BP_ERR_CORRUPT, "2 tasks in the answer");
}
END_TEST

START_TEST(test_import_state__reads_the_infos)
{
    Mv__KeyValuePair reason = MV__KEY_VALUE_PAIR__INIT;
    Mv__KeyValuePair percent = MV__KEY_VALUE_PAIR__INIT;
    Mv__KeyValuePair *infos[] = {&reason, &percent};
    reason.key = milvus_api__text("failed_reason");
    reason.value = milvus_api__text("no binlog for field:100");
    percent.key = milvus_api__text("progress_percent");
    percent.value = milvus_api__text("90");
    Mv__GetImportStateResponse response = MV__GET_IMPORT_STATE_RESPONSE__INIT;
    response.has_state = response.has_row_count = true;
    response.state = MILVUS_IMPORT_FAILED;
    response.row_count = 12;
    response.n_infos = G_N_ELEMENTS(infos);
    response.infos = infos;
    fake_milvus_hello(fake, "v2.3.5");
    fake_milvus_answer(fake, "GetImportState", 1, &response.base);
    fixture_fail(fake, "GetImportState", 1, 1000, 1, "key not found[key=5]");
    struct milvus_import_state state;
    ASSERT_OK(milvus_api_import_state(api, &op, 5, &state, &error), error);
    ck_assert_int_eq(state.phase, MILVUS_IMPORT_FAILED);
    ck_assert_int_eq(state.rows, 12);
    ck_assert_int_eq(state.percent, 90);
    ck_assert_str_eq(state.reason, "no binlog for field:100");
    bp_status status = milvus_api_import_state(api, &op, 5, &state, &error);
    ASSERT_FAILED(status, error, BP_ERR_NOT_FOUND, "GetImportState task 5");
}
END_TEST

START_TEST(test_load_progress__not_loaded_is_zero)
{
    fake_milvus_hello(fake, "v2.3.5");
    fixture_fail(fake, "GetLoadingProgress", 0, 101, 1, "collection not loaded[collection=c]");
    struct milvus_load_query query = {.collection = "c"};
    int64_t percent = -1;
    ASSERT_OK(milvus_api_load_progress(api, &op, &query, &percent, &error), error);
    ck_assert_int_eq(percent, 0);
}
END_TEST

/* Everything that a schema can hold, there and back. */
START_TEST(test_schema__survives_the_wire)
{
    g_autoptr(milvus_schema) schema = milvus_schema_new();
    struct milvus_field *field = milvus_field_new(100, "id", MILVUS_TYPE_INT64);
    const uint8_t zero[] = {0x18, 0x00}; /* a default value of 0 is not the same as none */
    int64_t id = 100;
    field->is_primary_key = field->auto_id = field->nullable = field->is_clustering_key = true;
    field->default_value = g_bytes_new(zero, sizeof(zero));
    milvus_kv_add(field->type_params, "max_length", "12");
    g_ptr_array_add(schema->fields, field);
    struct milvus_function *function = milvus_function_new();
    function->name = g_strdup("bm25");
    function->type = 1;
    g_ptr_array_add(function->input_names, g_strdup("id"));
    g_array_append_val(function->input_ids, id);
    g_ptr_array_add(schema->functions, function);
    struct milvus_struct_field *record = milvus_struct_field_new();
    record->name = g_strdup("chapters");
    g_ptr_array_add(record->fields, milvus_field_new(102, "title", MILVUS_TYPE_ARRAY));
    g_ptr_array_add(schema->struct_fields, record);
    schema->enable_dynamic_field = schema->enable_namespace = true;
    milvus_kv_add(schema->properties, "a", "b");

    g_autoptr(GBytes) bytes = milvus_schema_pack(schema, "other");
    gsize n = 0;
    const void *data = g_bytes_get_data(bytes, &n);
    g_autoptr(milvus_schema) back = milvus_schema_unpack(data, n);
    ck_assert_str_eq(back->name, "other");
    ck_assert(back->enable_dynamic_field && back->enable_namespace);
    const struct milvus_field *first = back->fields->pdata[0];
    ck_assert(first->is_primary_key && first->auto_id && first->nullable);
    ck_assert(first->is_clustering_key && !first->is_partition_key);
    ck_assert(g_bytes_equal(first->default_value, field->default_value));
    const struct milvus_function *second = back->functions->pdata[0];
    ck_assert_int_eq(g_array_index(second->input_ids, int64_t, 0), 100);
    const struct milvus_struct_field *third = back->struct_fields->pdata[0];
    ck_assert_str_eq(((struct milvus_field *)third->fields->pdata[0])->name, "title");
    ck_assert_str_eq(milvus_kv_get(back->properties, "a"), "b");
    ck_assert(g_bytes_equal(back->raw, bytes));
}
END_TEST

/* A server newer than this program: a member 30 of field "id", a member 20 of the schema. */
START_TEST(test_schema__what_nobody_knows_goes_back)
{
    static const uint8_t said[] = {0x22, 0x07, 0x12, 0x02, 'i',  'd',
                                   0xf0, 0x01, 0x07, 0xa0, 0x01, 0x09};
    g_autoptr(milvus_schema) schema = milvus_schema_unpack(said, sizeof(said));
    g_ptr_array_add(schema->fields, milvus_field_new(101, "later", MILVUS_TYPE_INT64));
    g_autoptr(GBytes) bytes = milvus_schema_pack(schema, "c");
    gsize n = 0;
    const uint8_t *data = g_bytes_get_data(bytes, &n);
    ck_assert_ptr_nonnull(memmem(data, n, said + 2, 7));
    ck_assert_ptr_nonnull(memmem(data, n, said + 9, 3));
    g_autoptr(milvus_schema) back = milvus_schema_unpack(data, n);
    ck_assert_uint_eq(back->fields->len, 2);
}
END_TEST

WIRE_MAIN("api", setup, teardown, test_connect__learns_version_and_identifier_once,
          test_connect__old_server_without_connect, test_connect__something_that_is_no_milvus,
          test_connect__a_version_nobody_knows, test_database__travels_in_header_and_request,
          test_describe__fills_the_model_and_keeps_the_schema, test_describe__an_unreadable_schema,
          test_indexes__none_is_no_error_but_no_collection_is,
          test_partitions__ids_and_names_must_match, test_segments__missing_one_is_a_matter_of_time,
          test_flush__checkpoints_and_times, test_import__sends_two_paths_and_takes_one_task,
          test_import_state__reads_the_infos, test_load_progress__not_loaded_is_zero,
          test_schema__survives_the_wire, test_schema__what_nobody_knows_goes_back)
