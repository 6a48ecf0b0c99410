/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages are built with the same generated code as the plugin's: what is tested here is not the
 * wire form, which the real servers of the integration tests judge.
 */
#include "server_fixture.h"

#include <inttypes.h>
#include <stdbool.h>

#include "delta_fixture.h"

static char *
text(const char *literal)
{
    return (char *)literal;
}

static void
describe_collection(fake_milvus *fake)
{
    Mv__KeyValuePair dim = MV__KEY_VALUE_PAIR__INIT;
    Mv__KeyValuePair *params[] = {&dim};
    Mv__FieldSchema pk = MV__FIELD_SCHEMA__INIT;
    Mv__FieldSchema vector = MV__FIELD_SCHEMA__INIT;
    Mv__FieldSchema *fields[] = {&pk, &vector};
    Mv__CollectionSchema schema = MV__COLLECTION_SCHEMA__INIT;
    dim.key = text("dim");
    dim.value = text("8");
    pk.has_field_id = pk.has_data_type = pk.has_is_primary_key = true;
    pk.field_id = 100;
    pk.name = text("id");
    pk.data_type = 5;
    pk.is_primary_key = true;
    vector.has_field_id = vector.has_data_type = true;
    vector.field_id = 101;
    vector.name = text("v");
    vector.data_type = 101;
    vector.n_type_params = 1;
    vector.type_params = params;
    schema.name = text("books");
    schema.n_fields = G_N_ELEMENTS(fields);
    schema.fields = fields;

    uint8_t bytes[256];
    char *aliases[] = {text("library")};
    Mv__DescribeCollectionResponse response = MV__DESCRIBE_COLLECTION_RESPONSE__INIT;
    g_assert(protobuf_c_message_get_packed_size(&schema.base) <= sizeof(bytes));
    response.has_schema = response.has_collection_id = response.has_shards_num = true;
    response.schema.len = protobuf_c_message_pack(&schema.base, bytes);
    response.schema.data = bytes;
    response.collection_id = FIXTURE_COLLECTION;
    response.collection_name = text("library"); /* as a server that was asked by the alias */
    response.shards_num = 2;
    response.n_aliases = 1;
    response.aliases = aliases;
    fake_milvus_answer(fake, "DescribeCollection", 0, &response.base);
}

static void
describe_partitions(fake_milvus *fake)
{
    char *names[] = {text("_default"), text("old")};
    int64_t ids[] = {FIXTURE_PARTITION, FIXTURE_PARTITION + 1};
    Mv__ShowPartitionsResponse response = MV__SHOW_PARTITIONS_RESPONSE__INIT;
    response.n_partition_names = response.n_partition_ids = G_N_ELEMENTS(ids);
    response.partition_names = names;
    response.partition_ids = ids;
    fake_milvus_answer(fake, "ShowPartitions", 0, &response.base);
}

void
fixture_describe(fake_milvus *fake, const char *version)
{
    fake_milvus_hello(fake, version);
    char *databases[] = {text("default")};
    Mv__ListDatabasesResponse list = MV__LIST_DATABASES_RESPONSE__INIT;
    list.n_db_names = 1;
    list.db_names = databases;
    fake_milvus_answer(fake, "ListDatabases", 0, &list.base);

    char *names[] = {text("books")};
    int64_t ids[] = {FIXTURE_COLLECTION};
    Mv__ShowCollectionsResponse show = MV__SHOW_COLLECTIONS_RESPONSE__INIT;
    show.n_collection_names = show.n_collection_ids = 1;
    show.collection_names = names;
    show.collection_ids = ids;
    fake_milvus_answer(fake, "ShowCollections", 0, &show.base);

    describe_collection(fake);
    describe_partitions(fake);
    fixture_fail(fake, "DescribeIndex", 0, 700, 25, "index not found[collection=books]");
    Mv__GetLoadStateResponse load = MV__GET_LOAD_STATE_RESPONSE__INIT;
    load.has_state = true;
    load.state = 1;
    fake_milvus_answer(fake, "GetLoadState", 0, &load.base);
}

void
fixture_segments(fake_milvus *fake, guint times, const struct fixture_segment *segments, size_t n)
{
    g_autofree Mv__PersistentSegmentInfo *infos = g_new0(Mv__PersistentSegmentInfo, n + 1);
    g_autofree Mv__PersistentSegmentInfo **pointers = g_new0(Mv__PersistentSegmentInfo *, n + 1);
    Mv__GetPersistentSegmentInfoResponse response = MV__GET_PERSISTENT_SEGMENT_INFO_RESPONSE__INIT;
    for (size_t i = 0; i < n; i++) {
        mv__persistent_segment_info__init(&infos[i]);
        infos[i].has_segment_id = infos[i].has_partition_id = infos[i].has_num_rows = true;
        infos[i].has_state = infos[i].has_level = infos[i].has_storage_version = true;
        infos[i].segment_id = segments[i].id;
        infos[i].partition_id = segments[i].partition;
        infos[i].num_rows = segments[i].rows;
        infos[i].state = segments[i].state;
        infos[i].level = segments[i].level;
        infos[i].storage_version = segments[i].storage_version;
        pointers[i] = &infos[i];
    }
    response.n_infos = n;
    response.infos = pointers;
    fake_milvus_answer(fake, "GetPersistentSegmentInfo", times, &response.base);
}

void
fixture_flush(fake_milvus *fake, int64_t sealed)
{
    Mv__LongArray ids = MV__LONG_ARRAY__INIT;
    Mv__SegmentIDsEntry entry = MV__SEGMENT_IDS_ENTRY__INIT;
    Mv__SegmentIDsEntry *entries[] = {&entry};
    Mv__SealTimeEntry seal = MV__SEAL_TIME_ENTRY__INIT;
    Mv__SealTimeEntry *seals[] = {&seal};
    Mv__FlushResponse flush = MV__FLUSH_RESPONSE__INIT;
    ids.n_data = sealed != 0 ? 1 : 0;
    ids.data = &sealed;
    entry.key = seal.key = text("books");
    entry.value = &ids;
    seal.has_value = true;
    seal.value = 1700000000;
    flush.n_coll_seg_ids = flush.n_coll_seal_times = 1;
    flush.coll_seg_ids = entries;
    flush.coll_seal_times = seals;
    fake_milvus_answer(fake, "Flush", 0, &flush.base);

    Mv__GetFlushStateResponse state = MV__GET_FLUSH_STATE_RESPONSE__INIT;
    fake_milvus_answer(fake, "GetFlushState", 1, &state.base);
    state.has_flushed = true;
    state.flushed = true;
    fake_milvus_answer(fake, "GetFlushState", 0, &state.base);
}

void
fixture_insert_logs(const char *dir, const char *prefix, const struct fixture_segment *segment,
                    int n_logs)
{
    static const int fields[] = {0, 1, 100, 101};
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
        for (int log = 0; log < n_logs; log++) {
            g_autofree char *path = g_strdup_printf(
                "%s/%sinsert_log/%d/%" PRId64 "/%" PRId64 "/%d/%d", dir, prefix, FIXTURE_COLLECTION,
                segment->partition, segment->id, fields[i], 500 + fields[i] + log);
            g_autofree char *parent = g_path_get_dirname(path);
            g_assert(g_mkdir_with_parents(parent, 0755) == 0);
            g_assert(g_file_set_contents(path, "0123456789", 10, NULL));
        }
    }
}

void
fixture_delta_log(const char *dir, const char *prefix, const struct fixture_segment *segment,
                  uint8_t rows)
{
    g_autoptr(GByteArray) bytes = delta_log_new(rows, 0);
    g_autofree char *path =
        g_strdup_printf("%s/%sdelta_log/%d/%" PRId64 "/%" PRId64 "/900", dir, prefix,
                        FIXTURE_COLLECTION, segment->partition, segment->id);
    g_autofree char *parent = g_path_get_dirname(path);
    g_assert(g_mkdir_with_parents(parent, 0755) == 0);
    g_assert(g_file_set_contents(path, (const char *)bytes->data, bytes->len, NULL));
}

void
fixture_fail(fake_milvus *fake, const char *method, guint times, int32_t code, int32_t legacy,
             const char *reason)
{
    Mv__Status status = MV__STATUS__INIT;
    status.has_code = status.has_error_code = true;
    status.code = code;
    status.error_code = legacy;
    status.reason = text(reason);
    /* A status is field 1 of every answer but those that are a status themselves. */
    Mv__StatusOnly answer = MV__STATUS_ONLY__INIT;
    answer.status = &status;
    fake_milvus_answer(fake, method, times, &answer.base);
}
