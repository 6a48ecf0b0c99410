/* SPDX-License-Identifier: Apache-2.0
 *
 * The documents: golden ones of the Go tool, our own round trip, and hostile input.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_host.h"
#include "plugins/source-milvus/document.h"
#include "plugins/source-milvus/json_reader.h"
#include "plugins/source-milvus/layout.h"

static char *dir;
static struct bp_error error;

static void
setup(void)
{
    fake_host_reset();
    dir = fake_dir_new();
    fake_host_add_storage("b", dir, NULL);
    error = fake_error();
}

static void
teardown(void)
{
    fake_dir_remove(dir);
}

static bp_status
read_back(struct milvus_backup **out, enum milvus_writer *writer)
{
    struct bp_op op = fake_op();
    return milvus_documents_read(fake_host(), &op, "b", out, writer, &error);
}

static bp_status
read_golden(const char *name, struct milvus_backup **out, enum milvus_writer *writer)
{
    g_autofree char *path = g_build_filename(BAKPLANE_TEST_GOLDEN, name, NULL);
    fake_host_add_storage("b", path, NULL);
    return read_back(out, writer);
}

static struct milvus_collection *
collection_named(const struct milvus_backup *backup, const char *name)
{
    for (guint i = 0; i < backup->collections->len; i++) {
        struct milvus_collection *collection = backup->collections->pdata[i];
        if (strcmp(collection->name, name) == 0) {
            return collection;
        }
    }
    return NULL;
}

static int64_t
rows_of(const struct milvus_collection *collection)
{
    int64_t sum = 0;
    for (guint i = 0; i < collection->partitions->len; i++) {
        const struct milvus_partition *partition = collection->partitions->pdata[i];
        for (guint k = 0; k < partition->segments->len; k++) {
            sum += ((struct milvus_segment *)partition->segments->pdata[k])->num_rows;
        }
    }
    return sum;
}

static void
assert_golden(const struct milvus_backup *backup)
{
    ck_assert_uint_eq(backup->collections->len, 3);
    ck_assert_str_eq(backup->server_version, "v2.3.5-lite");
    const struct milvus_collection *articles = collection_named(backup, "articles");
    ck_assert_ptr_nonnull(articles);
    ck_assert_int_eq(articles->id, 470643041033135877);
    ck_assert_str_eq(articles->db_name, "default");
    ck_assert_int_eq(rows_of(articles), 300);
    ck_assert_uint_eq(articles->partitions->len, 3);
    ck_assert_int_eq(articles->load_state, MILVUS_LOAD_LOADED);
    ck_assert(articles->schema->enable_dynamic_field);
    ck_assert_uint_eq(articles->indexes->len, 2);
    const struct milvus_index *index = articles->indexes->pdata[0];
    ck_assert_str_eq(milvus_kv_get(index->params, "params"), "{\"M\":16,\"efConstruction\":100}");
    const struct milvus_collection *items = collection_named(backup, "items");
    ck_assert_str_eq(items->db_name, "shop");
    ck_assert_int_eq(rows_of(items), 200);
    ck_assert_uint_eq(items->partitions->len, 4);
    ck_assert_uint_eq(items->schema->fields->len, 10);
    ck_assert_int_eq(((struct milvus_field *)items->schema->fields->pdata[3])->element_type, 4);
}

START_TEST(test_documents_read__golden_057)
{
    g_autoptr(milvus_backup) backup = NULL;
    enum milvus_writer writer;
    ck_assert_int_eq(read_golden("g_057", &backup, &writer), BP_OK);
    ck_assert_int_eq(writer, MILVUS_WRITER_05);
    assert_golden(backup);
    const struct milvus_collection *articles = collection_named(backup, "articles");
    ck_assert_str_eq(milvus_kv_get(articles->properties, "collection.ttl.seconds"), "864000");
    ck_assert_uint_eq(backup->databases->len, 2);
}
END_TEST

START_TEST(test_documents_read__golden_0430_with_delta_ids_as_fields)
{
    g_autoptr(milvus_backup) backup = NULL;
    enum milvus_writer writer;
    ck_assert_int_eq(read_golden("g_0430", &backup, &writer), BP_OK);
    ck_assert_int_eq(writer, MILVUS_WRITER_04);
    assert_golden(backup);
    const struct milvus_collection *articles = collection_named(backup, "articles");
    const struct milvus_partition *first = articles->partitions->pdata[0];
    const struct milvus_segment *segment = first->segments->pdata[0];
    ck_assert_uint_eq(segment->delta_logs->len, 1);
    const struct milvus_log *log = &g_array_index(segment->delta_logs, struct milvus_log, 0);
    ck_assert_int_eq(log->field_id, 0);
    ck_assert_int_eq(log->log_id, 470643041032932977);
    ck_assert_int_eq(log->size, 682);
}
END_TEST

static void
copy_golden(const char *name, const char *key)
{
    g_autofree char *path = g_build_filename(BAKPLANE_TEST_GOLDEN, name, key, NULL);
    g_autofree char *text = NULL;
    ck_assert(g_file_get_contents(path, &text, NULL, NULL));
    fake_dir_put(dir, key, text);
}

START_TEST(test_documents_read__joins_levelled_files)
{
    copy_golden("g_057", MILVUS_DOC_BACKUP);
    copy_golden("g_057", MILVUS_DOC_COLLECTION);
    copy_golden("g_057", MILVUS_DOC_PARTITION);
    copy_golden("g_057", MILVUS_DOC_SEGMENT);
    g_autoptr(milvus_backup) backup = NULL;
    ck_assert_int_eq(read_back(&backup, NULL), BP_OK);
    assert_golden(backup);
}
END_TEST

START_TEST(test_documents_read__levelled_file_missing)
{
    copy_golden("g_057", MILVUS_DOC_BACKUP);
    copy_golden("g_057", MILVUS_DOC_COLLECTION);
    copy_golden("g_057", MILVUS_DOC_PARTITION);
    g_autoptr(milvus_backup) backup = NULL;
    ck_assert_int_eq(read_back(&backup, NULL), BP_ERR_CORRUPT);
    ck_assert_str_eq(error.message, "meta/segment_meta.json is missing although "
                                    "meta/backup_meta.json exists: the backup is not complete");
}
END_TEST

START_TEST(test_documents_read__nothing_there)
{
    g_autoptr(milvus_backup) backup = NULL;
    ck_assert_int_eq(read_back(&backup, NULL), BP_ERR_NOT_FOUND);
    ck_assert_str_eq(error.message,
                     "neither meta/full_meta.json nor meta/backup_meta.json is there");
}
END_TEST

START_TEST(test_documents_read__broken_full_meta_is_no_reason_to_join)
{
    copy_golden("g_057", MILVUS_DOC_BACKUP);
    copy_golden("g_057", MILVUS_DOC_COLLECTION);
    copy_golden("g_057", MILVUS_DOC_PARTITION);
    copy_golden("g_057", MILVUS_DOC_SEGMENT);
    fake_dir_put(dir, MILVUS_DOC_FULL, "{\"name\":\"x\",");
    g_autoptr(milvus_backup) backup = NULL;
    ck_assert_int_eq(read_back(&backup, NULL), BP_ERR_CORRUPT);
    ck_assert(g_str_has_prefix(error.message, "meta/full_meta.json: not valid JSON"));
}
END_TEST

#define ONE_COLLECTION(members)                                                            \
    "{\"collection_backups\":[{\"collection_id\":1,\"collection_name\":\"c\",\"schema\":{" \
    "\"fields\":[{\"fieldID\":100,\"name\":\"id\",\"data_type\":5}]}" members "}]}"

struct bad_case {
    const char *text;
    bp_status cls;
    const char *message;
};

static const struct bad_case bad_cases[] = {
    {"", BP_ERR_CORRUPT, "not valid JSON"},
    {"[]", BP_ERR_CORRUPT, "not a JSON object"},
    {"{\"state_code\":3,\"errorMessage\":\"boom\"}", BP_ERR_CORRUPT,
     "says of itself that it failed (state 3: boom)"},
    {"{\"state_code\":\"SUCCESS\"}", BP_ERR_CORRUPT, "\"state_code\" is not a 64-bit integer"},
    {"{\"start_time\":1.5}", BP_ERR_CORRUPT, "\"start_time\" is not a 64-bit integer"},
    {"{\"start_time\":99999999999999999999}", BP_ERR_CORRUPT, "\"start_time\" is not a 64-bit"},
    {"{\"name\":7}", BP_ERR_CORRUPT, "\"name\" is not a string"},
    {"{\"collection_backups\":{}}", BP_ERR_CORRUPT, "\"collection_backups\" is not a list"},
    {"{\"collection_backups\":[1]}", BP_ERR_CORRUPT, "element 0 of \"collection_backups\""},
    {"{\"collection_backups\":[{}]}", BP_ERR_CORRUPT, "a collection has no id or no name"},
    {"{\"collection_backups\":[{\"collection_id\":1,\"collection_name\":\"c\"}]}", BP_ERR_CORRUPT,
     "collection \"c\" has no schema"},
    {"{\"collection_backups\":[{\"collection_id\":-1,\"collection_name\":\"c\"}]}", BP_ERR_CORRUPT,
     "\"collection_id\" is negative"},
    {ONE_COLLECTION(",\"shards_num\":4294967296"), BP_ERR_CORRUPT, "\"shards_num\" is beyond 32"},
    {ONE_COLLECTION(",\"has_index\":true,\"index_infos\":[{}]"), BP_ERR_CORRUPT,
     "an index names no field"},
    {ONE_COLLECTION(",\"channel_checkpoints\":{\"a\":\"?\"}"), BP_ERR_CORRUPT,
     "\"a\" is not base64"},
    {ONE_COLLECTION(",\"partition_backups\":[{\"partition_id\":2,\"partition_name\":\"p\"}]"),
     BP_ERR_CORRUPT, "partition 2 of collection default.c is listed twice or in another"},
    {ONE_COLLECTION(",\"l0_segments\":[{\"segment_id\":3,\"collection_id\":1,"
                    "\"partition_id\":-2}]"),
     BP_ERR_CORRUPT, "segment 3 has no valid ids"},
    {ONE_COLLECTION(",\"l0_segments\":[{\"segment_id\":3,\"collection_id\":1,\"partition_id\":-1},"
                    "{\"segment_id\":3,\"collection_id\":1,\"partition_id\":-1}]"),
     BP_ERR_CORRUPT, "segment 3 of collection default.c is listed twice"},
    {"{\"format\":\"snapshot\",\"collection_backups\":[{}]}", BP_ERR_UNSUPPORTED,
     "this is a snapshot that Milvus 3 exported itself"},
    {"{\"format\":\"zip\"}", BP_ERR_UNSUPPORTED, "backup format \"zip\" is not known here"},
};

START_TEST(test_documents_read__refuses)
{
    const struct bad_case *bad = &bad_cases[_i];
    fake_dir_put(dir, MILVUS_DOC_FULL, bad->text);
    g_autoptr(milvus_backup) backup = NULL;
    ck_assert_msg(read_back(&backup, NULL) == bad->cls, "%s -> %d %s", bad->text, error.cls,
                  error.message);
    ck_assert_msg(strstr(error.message, bad->message) != NULL, "%s", error.message);
    ck_assert_msg(g_str_has_prefix(error.message, "meta/full_meta.json: "), "%s", error.message);
    ck_assert_ptr_null(backup);
}
END_TEST

START_TEST(test_documents_read__accepts_strange_but_legal)
{
    fake_dir_put(dir, MILVUS_DOC_FULL,
                 "\n{ \"collection_backups\" : [ { \"schema\":{\"fields\":[{\"name\":\"id\","
                 "\"fieldID\":\"100\",\"data_type\":77,\"unknown\":[{}]}]},"
                 "\"backup_timestamp\":18446744073709551615,\"collection_name\":\"c\","
                 "\"collection_id\":\"470643041033135877\",\"db_name\":null,"
                 "\"l0_segments\":[{\"segment_id\":3,\"collection_id\":470643041033135877,"
                 "\"partition_id\":-1,\"deltalogs\":[{},{\"binlogs\":[{\"log_id\":9}]}]}] } ],"
                 "\"size\":\"a hint\", \"x\":123456789012345678901234567890 }");
    g_autoptr(milvus_backup) backup = NULL;
    ck_assert_msg(read_back(&backup, NULL) == BP_OK, "%s", error.message);
    const struct milvus_collection *collection = backup->collections->pdata[0];
    ck_assert_uint_eq(collection->backup_timestamp, UINT64_MAX);
    ck_assert_int_eq(collection->id, 470643041033135877);
    ck_assert_str_eq(collection->db_name, "default");
    ck_assert_int_eq(((struct milvus_field *)collection->schema->fields->pdata[0])->data_type, 77);
    const struct milvus_segment *segment = collection->l0_segments->pdata[0];
    ck_assert_uint_eq(segment->delta_logs->len, 1);
}
END_TEST

START_TEST(test_documents_read__directory_listed_as_log_is_not_believed)
{
    fake_dir_put(
        dir, MILVUS_DOC_FULL,
        ONE_COLLECTION(
            ",\"partition_backups\":[{\"partition_id\":2,\"partition_name\":\"p\","
            "\"collection_id\":1,\"segment_backups\":[{\"segment_id\":3,\"collection_id\":1,"
            "\"partition_id\":2,\"binlogs\":[{\"fieldID\":1,\"binlogs\":["
            "{\"log_path\":\"data/insert_log/1/2/3/1/7\",\"log_size\":5},"
            "{\"log_path\":\"data/insert_log/1/2/3/100/8\",\"log_size\":5},"
            "{\"log_path\":\"data/insert_log/1/2/3/1\",\"log_size\":4096}]}]}]}]"));
    g_autoptr(milvus_backup) backup = NULL;
    ck_assert_msg(read_back(&backup, NULL) == BP_OK, "%s", error.message);
    const struct milvus_collection *collection = backup->collections->pdata[0];
    const struct milvus_partition *partition = collection->partitions->pdata[0];
    const struct milvus_segment *segment = partition->segments->pdata[0];
    ck_assert(segment->trust_files);
    ck_assert_uint_eq(segment->insert_logs->len, 1);
}
END_TEST

START_TEST(test_documents_read__cancelled)
{
    copy_golden("g_057", MILVUS_DOC_FULL);
    fake_host_cancel_after(1);
    g_autoptr(milvus_backup) backup = NULL;
    ck_assert_int_eq(read_back(&backup, NULL), BP_ERR_CANCELLED);
}
END_TEST

START_TEST(test_json_load__size_is_capped)
{
    fake_dir_put(dir, "x.json", "{\"a\":\"0123456789\"}");
    struct bp_op op = fake_op();
    json_t *root = NULL;
    const struct milvus_json_file file = {
        .host = fake_host(), .op = &op, .ref = "b", .key = "x.json", .max_bytes = 8};
    ck_assert_int_eq(milvus_json_load(&file, &root, &error), BP_ERR_CORRUPT);
    ck_assert_str_eq(error.message, "x.json: larger than 8 bytes, which no document is");
}
END_TEST

/* --- writing ------------------------------------------------------------------------------- */

struct capture {
    GString *current;
    GString *order;
    char *key;
    int stop_at; /* write number that is refused; -1 = none */
};

static int32_t
on_begin(void *ctx, const char *key, uint32_t flags)
{
    struct capture *capture = ctx;
    capture->current = g_string_new(NULL);
    capture->key = g_strdup(key);
    g_string_append_printf(capture->order, "%s%s ", key, flags & BP_DOCUMENT_COMMIT ? "!" : "");
    return 0;
}

static int32_t
on_write(void *ctx, const void *bytes, size_t n)
{
    struct capture *capture = ctx;
    if (capture->stop_at == 0) {
        return 1;
    }
    g_string_append_len(capture->current, bytes, (gssize)n);
    return 0;
}

static int32_t
on_end(void *ctx)
{
    struct capture *capture = ctx;
    fake_dir_put(dir, capture->key, capture->current->str);
    g_string_free(capture->current, TRUE);
    g_free(capture->key);
    return 0;
}

static struct milvus_segment *
sample_segment(struct milvus_collection *collection, int64_t partition_id, int64_t id)
{
    struct milvus_segment *segment = milvus_segment_new(collection->id, partition_id, id);
    segment->num_rows = 10;
    segment->delta_rows = 2;
    milvus_log_add(segment->delta_logs, 0, id + 9, 33);
    return segment;
}

static struct milvus_backup *
sample(void)
{
    struct milvus_backup *backup = milvus_backup_new();
    backup->id = g_strdup("uuid");
    backup->name = g_strdup("b1");
    backup->start_ms = 1000;
    backup->server_version = g_strdup("v2.6.1");
    backup->log_root = g_strdup("/data");
    g_ptr_array_add(backup->databases, milvus_database_new("empty_db"));
    struct milvus_collection *collection = milvus_collection_new("", "wörter<&>\"\x01");
    collection->id = 470643041033135877;
    collection->shards_num = 2;
    collection->consistency_level = 2;
    collection->replica_number = 3;
    collection->load_state = MILVUS_LOAD_LOADED;
    collection->backup_timestamp = 470643041033135877;
    collection->created_timestamp = UINT64_MAX;
    collection->schema->description = g_strdup("bad \xff utf-8");
    collection->schema->raw = g_bytes_new("\x00\xffraw", 5);
    struct milvus_field *field = milvus_field_new(100, "id", MILVUS_TYPE_INT64);
    field->nullable = true;
    field->default_value = g_bytes_new("\x18\x00", 2);
    milvus_kv_add(field->type_params, "dim", "8");
    milvus_kv_add(field->type_params, "dim", "9");
    g_ptr_array_add(collection->schema->fields, field);
    struct milvus_index *index = milvus_index_new("id", "i");
    milvus_kv_add(index->params, "metric_type", "L2");
    milvus_kv_add(index->params, "index_type", "HNSW");
    milvus_kv_add(index->params, "index_type", "FLAT");
    g_ptr_array_add(collection->indexes, index);
    g_ptr_array_add(collection->aliases, g_strdup("news"));
    g_autoptr(GBytes) position = g_bytes_new("pos", 3);
    milvus_checkpoint_add(collection, "ch_1v0", position);
    struct milvus_partition *partition = milvus_partition_new(collection->id, 5, "p");
    struct milvus_segment *segment = sample_segment(collection, 5, 6);
    segment->storage_version = 2;
    segment->channel = g_strdup("ch_1v0");
    milvus_log_add(segment->insert_logs, 100, 8, 20);
    milvus_log_add(segment->insert_logs, 0, 7, 10);
    g_ptr_array_add(partition->segments, segment);
    g_ptr_array_add(collection->partitions, partition);
    struct milvus_segment *l0 = sample_segment(collection, MILVUS_ALL_PARTITIONS, 40);
    l0->is_l0 = true;
    g_ptr_array_add(collection->l0_segments, l0);
    g_ptr_array_add(backup->collections, collection);
    return backup;
}

static bp_status
write_sample(struct capture *capture)
{
    g_autoptr(milvus_backup) backup = sample();
    const struct bp_document_sink sink = {.struct_size = sizeof sink,
                                          .ctx = capture,
                                          .begin = on_begin,
                                          .write = on_write,
                                          .end = on_end};
    return milvus_documents_write(backup, &sink, &error);
}

static void
assert_sample(const struct milvus_backup *backup)
{
    const struct milvus_collection *collection = backup->collections->pdata[0];
    ck_assert_str_eq(collection->name, "wörter<&>\"\x01");
    ck_assert_str_eq(collection->db_name, "default");
    ck_assert_str_eq(collection->schema->description, "bad \xef\xbf\xbd utf-8");
    ck_assert_uint_eq(collection->created_timestamp, UINT64_MAX);
    ck_assert_int_eq(collection->replica_number, 3);
    ck_assert_str_eq(collection->aliases->pdata[0], "news");
    g_autoptr(GBytes) raw = g_bytes_new("\x00\xffraw", 5);
    ck_assert(g_bytes_equal(collection->schema->raw, raw));
    const struct milvus_field *field = collection->schema->fields->pdata[0];
    ck_assert(field->nullable);
    ck_assert_uint_eq(field->type_params->len, 2);
    g_autoptr(GBytes) value = g_bytes_new("\x18\x00", 2);
    ck_assert(g_bytes_equal(field->default_value, value));
    const struct milvus_index *index = collection->indexes->pdata[0];
    ck_assert_uint_eq(index->params->len, 2);
    ck_assert_str_eq(milvus_kv_get(index->params, "index_type"), "FLAT");
    const struct milvus_segment *l0 = collection->l0_segments->pdata[0];
    ck_assert(l0->is_l0);
    ck_assert_int_eq(l0->group_id, 0);
    const struct milvus_partition *partition = collection->partitions->pdata[0];
    const struct milvus_segment *segment = partition->segments->pdata[0];
    ck_assert_int_eq(segment->group_id, 6);
    ck_assert_int_eq(segment->delta_rows, 2);
    ck_assert_int_eq(segment->storage_version, 2);
    ck_assert_uint_eq(segment->insert_logs->len, 2);
    ck_assert_int_eq(milvus_segment_size(segment), 63);
    ck_assert(!segment->trust_files);
}

START_TEST(test_documents_write__order_and_round_trip)
{
    struct capture capture = {.order = g_string_new(NULL), .stop_at = -1};
    ck_assert_int_eq(write_sample(&capture), BP_OK);
    ck_assert_str_eq(capture.order->str,
                     "meta/collection_meta.json meta/partition_meta.json meta/segment_meta.json "
                     "meta/full_meta.json meta/backup_meta.json! ");
    g_string_free(capture.order, TRUE);
    g_autoptr(milvus_backup) backup = NULL;
    enum milvus_writer writer;
    ck_assert_msg(read_back(&backup, &writer) == BP_OK, "%s", error.message);
    ck_assert_int_eq(writer, MILVUS_WRITER_OURS);
    ck_assert_str_eq(backup->log_root, "/data");
    ck_assert_str_eq(((struct milvus_database *)backup->databases->pdata[0])->name, "empty_db");
    assert_sample(backup);
}
END_TEST

START_TEST(test_documents_write__levelled_files_say_the_same)
{
    struct capture capture = {.order = g_string_new(NULL), .stop_at = -1};
    ck_assert_int_eq(write_sample(&capture), BP_OK);
    g_string_free(capture.order, TRUE);
    g_autofree char *full = g_build_filename(dir, MILVUS_DOC_FULL, NULL);
    ck_assert_int_eq(remove(full), 0);
    g_autoptr(milvus_backup) backup = NULL;
    ck_assert_msg(read_back(&backup, NULL) == BP_OK, "%s", error.message);
    assert_sample(backup);
}
END_TEST

START_TEST(test_documents_write__encoding_of_the_go_tool)
{
    struct capture capture = {.order = g_string_new(NULL), .stop_at = -1};
    ck_assert_int_eq(write_sample(&capture), BP_OK);
    g_string_free(capture.order, TRUE);
    g_autofree char *path = g_build_filename(dir, MILVUS_DOC_FULL, NULL);
    g_autofree char *text = NULL;
    ck_assert(g_file_get_contents(path, &text, NULL, NULL));
    ck_assert_ptr_nonnull(strstr(text, "w\xc3\xb6rter\\u003c\\u0026\\u003e\\\"\\u0001"));
    ck_assert_ptr_nonnull(strstr(text, "{\"segment_id\":6,\"collection_id\":470643041033135877,"
                                       "\"partition_id\":5,\"num_of_rows\":10,\"binlogs\":[{"
                                       "\"binlogs\":[{\"log_path\":\"/data/insert_log/"
                                       "470643041033135877/5/6/0/7\",\"log_size\":10,\"log_id\":7}"
                                       "]},{\"fieldID\":100,"));
    ck_assert_ptr_nonnull(
        strstr(text, "\"params\":{\"index_type\":\"FLAT\",\"metric_type\":\"L2\"}"));
    ck_assert_ptr_null(strchr(text, '\n'));
    g_autofree char *head = g_build_filename(dir, MILVUS_DOC_BACKUP, NULL);
    g_autofree char *head_text = NULL;
    ck_assert(g_file_get_contents(head, &head_text, NULL, NULL));
    ck_assert_str_eq(head_text,
                     "{\"id\":\"uuid\",\"state_code\":2,\"start_time\":1000,\"progress\":100,"
                     "\"name\":\"b1\",\"size\":96,\"milvus_version\":\"v2.6.1\"}");
}
END_TEST

START_TEST(test_documents_write__sink_stops)
{
    struct capture capture = {.order = g_string_new(NULL), .stop_at = 0};
    ck_assert_int_eq(write_sample(&capture), BP_ERR_CANCELLED);
    ck_assert_str_eq(error.message, "writing the documents was stopped");
    ck_assert_str_eq(capture.order->str, "meta/collection_meta.json ");
    g_string_free(capture.order, TRUE);
    g_string_free(capture.current, TRUE);
    g_free(capture.key);
}
END_TEST

/* Damage at any place is either harmless or an error, never a crash. */
START_TEST(test_documents_read__survives_damage)
{
    g_autofree char *path = g_build_filename(BAKPLANE_TEST_GOLDEN, "g_057", MILVUS_DOC_FULL, NULL);
    g_autofree char *text = NULL;
    gsize n = 0;
    ck_assert(g_file_get_contents(path, &text, &n, NULL));
    g_autoptr(GRand) rand = g_rand_new_with_seed(7);
    static const char bytes[] = "\"{}[],:-0x\\9\x80n";
    for (int round = 0; round < 100; round++) {
        g_autofree char *damaged = g_strdup(text);
        for (int k = g_rand_int_range(rand, 1, 4); k > 0; k--) {
            damaged[g_rand_int_range(rand, 0, (int)n)] =
                bytes[g_rand_int_range(rand, 0, (int)sizeof bytes - 1)];
        }
        fake_dir_put(dir, MILVUS_DOC_FULL, damaged);
        g_autoptr(milvus_backup) backup = NULL;
        error = fake_error();
        bp_status status = read_back(&backup, NULL);
        ck_assert(status == BP_OK || status == BP_ERR_CORRUPT || status == BP_ERR_UNSUPPORTED);
        ck_assert((status == BP_OK) == (backup != NULL));
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("document");
    TCase *reading = tcase_create("read");
    tcase_add_checked_fixture(reading, setup, teardown);
    tcase_add_test(reading, test_documents_read__golden_057);
    tcase_add_test(reading, test_documents_read__golden_0430_with_delta_ids_as_fields);
    tcase_add_test(reading, test_documents_read__joins_levelled_files);
    tcase_add_test(reading, test_documents_read__levelled_file_missing);
    tcase_add_test(reading, test_documents_read__nothing_there);
    tcase_add_test(reading, test_documents_read__broken_full_meta_is_no_reason_to_join);
    tcase_add_loop_test(reading, test_documents_read__refuses, 0, G_N_ELEMENTS(bad_cases));
    tcase_add_test(reading, test_documents_read__accepts_strange_but_legal);
    tcase_add_test(reading, test_documents_read__directory_listed_as_log_is_not_believed);
    tcase_add_test(reading, test_documents_read__cancelled);
    tcase_add_test(reading, test_documents_read__survives_damage);
    tcase_add_test(reading, test_json_load__size_is_capped);
    suite_add_tcase(suite, reading);
    TCase *writing = tcase_create("write");
    tcase_add_checked_fixture(writing, setup, teardown);
    tcase_add_test(writing, test_documents_write__order_and_round_trip);
    tcase_add_test(writing, test_documents_write__levelled_files_say_the_same);
    tcase_add_test(writing, test_documents_write__encoding_of_the_go_tool);
    tcase_add_test(writing, test_documents_write__sink_stops);
    suite_add_tcase(suite, writing);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
