/* SPDX-License-Identifier: Apache-2.0
 *
 * core/compat/ask_v1: what becomes of requests.  Each field's row in docs/compat.md is tried by
 * tests/unit/core/server/test_v1_page.c.
 */
#include "core/compat/ask_v1.h"

#include "core/base/json.h"
#include "core/compat/messages_v1.h"
#include "tests/unit/core/config/fixture.h"

static bp_config_tree *config;

static void
setup(void)
{
    static const char text[] =
        "source: {plugin: files, storage: data, management: 'http://m:9091'}\n"
        "storages:\n"
        "  data: {plugin: s3, bucket: a-bucket, prefix: files}\n"
        "  backups: {plugin: s3, bucket: a-bucket, prefix: backup}\n"
        "  far: {plugin: s3, bucket: far-bucket, prefix: ''}\n"
        "  blobs: {plugin: azure, container: blobs, prefix: backup}\n"
        "  disk: {plugin: local, root: /srv/backups}\n"
        "backup: {storage: backups}\n";
    static const char *const nothing[] = {NULL};
    GError *error = NULL;
    fixture_setup();
    g_autofree char *path = fixture_file("bakplane.yaml", text);
    bp_config_params params = {.path = path, .environ = nothing};
    config = bp_config_load(&params, &error);
    ck_assert_msg(config != NULL, "%s", error != NULL ? error->message : "");
}

static void
teardown(void)
{
    g_clear_pointer(&config, bp_config_tree_free);
    fixture_teardown();
}

typedef json_t *(*ask_fn)(const json_t *message, const bp_config_tree *config, GError **error);

static json_t *
ask(ask_fn fn, const char *text, GError **error)
{
    const bp_message *message =
        fn == bp_v1_ask_create ? &bp_v1_create_backup_request : &bp_v1_restore_backup_request;
    g_autoptr(json_t) given = json_loads(text, 0, NULL);
    ck_assert_msg(given != NULL, "%s", text);
    g_autoptr(json_t) read = bp_message_read(message, given, error);
    return read != NULL ? fn(read, config, error) : NULL;
}

static void
becomes(ask_fn fn, const char *text, const char *expected)
{
    GError *error = NULL;
    g_autoptr(json_t) request = ask(fn, text, &error);
    ck_assert_msg(request != NULL, "%s: %s", text, error != NULL ? error->message : "");
    g_autofree char *line = bp_json_line(request);
    ck_assert_str_eq(line, expected);
}

static void
is_refused(ask_fn fn, const char *text, int class, const char *why)
{
    GError *error = NULL;
    ck_assert_msg(ask(fn, text, &error) == NULL, "%s", text);
    assert_error(error, class, why);
}

START_TEST(test_create__what_is_saved)
{
    becomes(bp_v1_ask_create, "{}", "{\"verb\":\"create\"}");
    becomes(bp_v1_ask_create,
            "{\"backup_name\":\"b\",\"collection_names\":[\"docs\",\"sales.orders\"]}",
            "{\"verb\":\"create\",\"name\":\"b\",\"collections\":\"docs,sales.orders\"}");
    becomes(bp_v1_ask_create,
            "{\"db_collections\":{\"a\":[],\"b\":[\"c\"],\"d\":null},\"collection_names\":[\"x\"]}",
            "{\"verb\":\"create\",\"database_collections\":"
            "\"{\\\"a\\\":[],\\\"b\\\":[\\\"c\\\"],\\\"d\\\":[]}\"}");
    becomes(bp_v1_ask_create, "{\"db_collections\":\"{\\\"a\\\":[]}\"}",
            "{\"verb\":\"create\",\"database_collections\":\"{\\\"a\\\":[]}\"}");
    becomes(bp_v1_ask_create, "{\"db_collections\":\"{}\"}", "{\"verb\":\"create\"}");
    becomes(bp_v1_ask_create,
            "{\"filter\":{\"a\":{\"colls\":[\"*\"]},\"b\":{\"colls\":[\"c\",\"d\"]},\"e\":{}},"
            "\"db_collections\":{\"x\":[]}}",
            "{\"verb\":\"create\",\"filter\":\"a.*,b.c,b.d,e.\"}");
}
END_TEST

START_TEST(test_create__how)
{
    becomes(bp_v1_ask_create, "{\"force\":true,\"meta_only\":true}",
            "{\"verb\":\"create\",\"settings\":[\"strategy=skip_flush\"],\"meta_only\":true}");
    becomes(bp_v1_ask_create, "{\"strategy\":\"SERIAL_FLUSH\",\"meta_only\":true}",
            "{\"verb\":\"create\",\"settings\":[\"strategy=serial_flush\"]}");
    becomes(bp_v1_ask_create,
            "{\"gc_pause_enable\":true,\"gc_pause_seconds\":7,"
            "\"gc_pause_address\":\"http://m:9091/\"}",
            "{\"verb\":\"create\",\"settings\":[\"gc_pause=auto\"]}");
    becomes(bp_v1_ask_create, "{\"backup_root_path\":\"/backup/\"}", "{\"verb\":\"create\"}");
    becomes(bp_v1_ask_create, "{\"backup_root_path\":\"files\"}",
            "{\"verb\":\"create\",\"storage\":\"data\"}");
}
END_TEST

START_TEST(test_create__refused)
{
    is_refused(bp_v1_ask_create, "{\"backup_name\":\"a b\"}", BP_ERR_INVALID,
               "backup name should not contain whitespace");
    is_refused(bp_v1_ask_create, "{\"backup_name\":\"1a\"}", BP_ERR_INVALID,
               "backup name should start with an underscore or letter");
    is_refused(bp_v1_ask_create, "{\"backup_name\":\"a-b\"}", BP_ERR_INVALID,
               "backup name should only contain numbers, letters and underscores");
    g_autofree char *name = g_strnfill(129, 'a');
    g_autofree char *long_one = g_strdup_printf("{\"backup_name\":\"%s\"}", name);
    is_refused(bp_v1_ask_create, long_one, BP_ERR_INVALID,
               "backup name length should not exceed 128");
    is_refused(bp_v1_ask_create, "{\"collection_names\":[\"a,b\"]}", BP_ERR_INVALID,
               "collection_names: 'a,b' is no name");
    is_refused(bp_v1_ask_create, "{\"db_collections\":[\"a\"]}", BP_ERR_INVALID,
               "db_collections: it has to be an object of lists");
    is_refused(bp_v1_ask_create, "{\"db_collections\":0.5}", BP_ERR_INVALID,
               "db_collections: it has to be an object of lists");
    is_refused(bp_v1_ask_create, "{\"db_collections\":{\"a\":7}}", BP_ERR_INVALID,
               "db_collections: a: it has to be a list of names");
    is_refused(bp_v1_ask_create, "{\"db_collections\":\"{\"}", BP_ERR_INVALID, "db_collections: ");
    is_refused(bp_v1_ask_create, "{\"strategy\":\"bulk_flush\"}", BP_ERR_UNSUPPORTED, "strategy: ");
    is_refused(bp_v1_ask_create, "{\"format\":\"snapshot\"}", BP_ERR_UNSUPPORTED, "format: ");
    is_refused(bp_v1_ask_create, "{\"gc_pause_address\":\"http://evil:1\"}", BP_ERR_INVALID,
               "gc_pause_address: it is not the one that is configured");
    is_refused(bp_v1_ask_create, "{\"backup_root_path\":\"elsewhere\"}", BP_ERR_INVALID,
               "backup_root_path: no storage of the configuration has the bucket 'a-bucket'");
    is_refused(bp_v1_ask_create, "{\"filter\":{\"a,b\":{\"colls\":[\"c\"]}}}", BP_ERR_INVALID,
               "filter: 'a,b' is no name");
}
END_TEST

START_TEST(test_create__no_address_to_pause_at)
{
    static const char *const nothing[] = {NULL};
    GError *error = NULL;
    g_autofree char *path = fixture_file("other.yaml", "source: {plugin: files}\n");
    bp_config_params params = {.path = path, .environ = nothing};
    bp_config_tree_free(config);
    config = bp_config_load(&params, &error);
    ck_assert_ptr_nonnull(config);
    is_refused(bp_v1_ask_create, "{\"gc_pause_enable\":true}", BP_ERR_UNSUPPORTED,
               "gc_pause_enable: no management address is configured");
    becomes(bp_v1_ask_create, "{\"gc_pause_enable\":false}", "{\"verb\":\"create\"}");
}
END_TEST

#define AS_ALWAYS "\"settings\":[\"index=false\",\"load=false\"]"

START_TEST(test_restore__to_where)
{
    becomes(
        bp_v1_ask_restore,
        "{\"backup_name\":\"b\",\"collection_suffix\":\"_x\",\"collection_names\":[\"a\"]}",
        "{\"verb\":\"restore\",\"name\":\"b\",\"collections\":\"a\",\"suffix\":\"_x\"," AS_ALWAYS
        "}");
    becomes(bp_v1_ask_restore,
            "{\"collection_renames\":{\"a\":\"b\",\"c\":\"db.d\",\"e.*\":\"f.*\"}}",
            "{\"verb\":\"restore\",\"rename\":\"a:b,default.c:db.d,e.*:f.*\"," AS_ALWAYS "}");
    becomes(bp_v1_ask_restore,
            "{\"db_collections\":{\"a\":[\"b\"]},"
            "\"db_collections_after_rename\":{\"c\":[],\"d\":[\"e\"]}}",
            "{\"verb\":\"restore\",\"database_collections\":\"{\\\"a\\\":[\\\"b\\\"]}\","
            "\"filter\":\"c.*,d.e\"," AS_ALWAYS "}");
    becomes(bp_v1_ask_restore, "{\"bucket_name\":\"far-bucket\",\"path\":\"/\"}",
            "{\"verb\":\"restore\",\"storage\":\"far\"," AS_ALWAYS "}");
    becomes(bp_v1_ask_restore, "{\"bucket_name\":\"blobs\"}",
            "{\"verb\":\"restore\",\"storage\":\"blobs\"," AS_ALWAYS "}");
}
END_TEST

START_TEST(test_restore__by_a_plan)
{
    becomes(bp_v1_ask_restore,
            "{\"restorePlan\":{\"mapping\":[{\"source\":\"d\",\"target\":\"e\",\"withProp\":true},"
            "{\"source\":\"f\",\"target\":\"g\",\"colls\":[{\"source\":\"a\",\"target\":\"b\"}]}],"
            "\"filter\":{\"g\":{\"colls\":[\"b\"]}}}}",
            "{\"verb\":\"restore\"," AS_ALWAYS ",\"rename\":\"d.*:e.*,f.a:g.b\","
            "\"filter\":\"g.b\"}");
    is_refused(bp_v1_ask_restore,
               "{\"restorePlan\":{\"mapping\":[{\"source\":\"d\",\"target\":\"e\",\"colls\":["
               "{\"source\":\"a\",\"target\":\"b\",\"override\":{\"shardNum\":2}}]}]}}",
               BP_ERR_UNSUPPORTED, "restorePlan: mapping: colls: override: ");
    is_refused(bp_v1_ask_restore, "{\"restorePlan\":{\"mapping\":[{\"source\":\"d\"}]}}",
               BP_ERR_INVALID, "restorePlan: mapping: source and target");
    is_refused(bp_v1_ask_restore,
               "{\"restorePlan\":{\"mapping\":[{\"source\":\"d\",\"target\":\"e\","
               "\"withProp\":false}]}}",
               BP_ERR_UNSUPPORTED, "restorePlan: mapping: withProp: databases come back with");
    is_refused(bp_v1_ask_restore,
               "{\"restorePlan\":{\"mapping\":[{\"source\":\"d\",\"target\":\"e\"},"
               "{\"source\":\"d\",\"target\":\"f\"}]}}",
               BP_ERR_UNSUPPORTED, "restorePlan: mapping: 'd.*' cannot become two");
    is_refused(bp_v1_ask_restore,
               "{\"restorePlan\":{\"mapping\":[]},\"collection_suffix\":\"_x\","
               "\"skipCreateCollection\":true,\"dropExistCollection\":true}",
               BP_ERR_INVALID, "dropExistCollection and skipCreateCollection exclude each other");
}
END_TEST

START_TEST(test_restore__how)
{
    becomes(bp_v1_ask_restore,
            "{\"restoreIndex\":true,\"useAutoIndex\":true,\"dropExistIndex\":true,"
            "\"skipCreateCollection\":true,\"maxShardNum\":4,\"metaOnly\":true}",
            "{\"verb\":\"restore\",\"settings\":[\"index=true\",\"load=false\","
            "\"use_auto_index=true\",\"drop_exist_index=true\",\"skip_create_collection=true\","
            "\"max_shards=4\"],\"meta_only\":true}");
    becomes(bp_v1_ask_restore, "{\"useAutoIndex\":true}", "{\"verb\":\"restore\"," AS_ALWAYS "}");
}
END_TEST

START_TEST(test_restore__refused)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"{\"collection_suffix\":\"-x\"}", "collection_suffix should only contain numbers"},
        {"{\"collection_suffix\":\"x\",\"collection_renames\":{\"a\":\"b\"}}",
         "collection_suffix and collection_renames exclude each other"},
        {"{\"dropExistCollection\":true,\"skipCreateCollection\":true}", "exclude each other"},
        {"{\"collection_renames\":{\"a\":\"b,c\"}}", "collection_renames: 'a' to 'b,c' is no rule"},
        {"{\"collection_renames\":{\"a:b\":\"c\"}}", "collection_renames: "},
        {"{\"collection_renames\":{\"\":\"c\"}}", "collection_renames: "},
        {"{\"maxShardNum\":-1}", "maxShardNum: it is less than 0"},
        {"{\"bucket_name\":\"other\",\"path\":\"backup\"}",
         "bucket_name: no storage of the configuration has the bucket 'other'"},
        {"{\"path\":\"../backup\"}", "path: no storage of the configuration"},
        {"{\"db_collections_after_rename\":\"x\"}", "db_collections_after_rename: "},
        {"{\"db_collections_after_rename\":{\"a,b\":[\"c\"]}}",
         "db_collections_after_rename: 'a,b' is no name"},
        {"{\"restorePlan\":{\"filter\":{\"a,b\":{\"colls\":[\"c\"]}}}}",
         "restorePlan: filter: 'a,b' is no name"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        is_refused(bp_v1_ask_restore, cases[i].text, BP_ERR_INVALID, cases[i].why);
    }
}
END_TEST

START_TEST(test_storage__of_a_disk)
{
    const char *storage = NULL;
    GError *error = NULL;
    ck_assert(bp_v1_ask_storage(config, "", "", &storage, &error) && storage == NULL);
    ck_assert(!bp_v1_ask_storage(config, NULL, "/srv/backups", &storage, &error));
    assert_error(error, BP_ERR_INVALID, "requests name only places that are configured");
}
END_TEST

int
main(void)
{
    TCase *cases = tcase_create("ask_v1");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, test_create__what_is_saved);
    tcase_add_test(cases, test_create__how);
    tcase_add_test(cases, test_create__refused);
    tcase_add_test(cases, test_create__no_address_to_pause_at);
    tcase_add_test(cases, test_restore__to_where);
    tcase_add_test(cases, test_restore__by_a_plan);
    tcase_add_test(cases, test_restore__how);
    tcase_add_test(cases, test_restore__refused);
    tcase_add_test(cases, test_storage__of_a_disk);
    return fixture_run("ask_v1", cases);
}
