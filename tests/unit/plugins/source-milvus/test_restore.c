/* SPDX-License-Identifier: Apache-2.0
 *
 * An empty target is made, and its bytes find their place.
 */
#include <stdlib.h>
#include <string.h>

#include "restore_fixture.h"

static struct milvus_field *
add_field(int64_t id, const char *name, int32_t type)
{
    struct milvus_field *field = milvus_field_new(id, name, type);
    g_ptr_array_add(fx.docs->schema->fields, field);
    return field;
}

static struct milvus_partition *
partition(guint i)
{
    return fx.docs->partitions->pdata[i];
}

static void
server_2_6(void)
{
    fixture_server("v2.6.1");
    g_free(fx.backup->server_version);
    fx.backup->server_version = g_strdup("v2.6.1");
}

static void
begin_and_prepare(void)
{
    ck_assert_msg(fixture_begin(0) == BP_OK, "%s", fx.error.message);
    ck_assert_msg(fixture_prepare() == BP_OK, "%s", fx.error.message);
}

/* --- begin --------------------------------------------------------------------------------------
 */

START_TEST(test_begin__nobody_counted)
{
    fx.pair_flags = BP_PROOF_UNPROVABLE;
    ck_assert_msg(fixture_begin(0) == BP_OK, "%s", fx.error.message);
    const struct milvus_target *target = fx.restore->targets->pdata[0];
    ck_assert_uint_eq(target->low, 0);
    ck_assert_uint_eq(target->high, BP_UNKNOWN);
}
END_TEST

START_TEST(test_begin__unknown_flags_of_a_unit)
{
    fx.pair_flags = 4;
    assert_failed(fixture_begin(0), BP_ERR_INVALID, "unknown flags 0x4 of unit collection/500");
}
END_TEST

/* --- prepare ------------------------------------------------------------------------------------
 */

START_TEST(test_prepare__fields_by_number_and_no_ttl)
{
    begin_and_prepare();
    ck_assert_str_eq(fake_api_log(fx.api),
                     "CreateCollection default.docs shards 4 partitions 0 fields id vec "
                     "mmap.enabled=true\nCreatePartition p1\n");
    assert_told("identity collection 1001 created 7007\n");
}
END_TEST

START_TEST(test_prepare__max_shards)
{
    fixture_option("max_shards", "2");
    begin_and_prepare();
    assert_called("CreateCollection default.docs shards 2 ");
}
END_TEST

START_TEST(test_prepare__collection_properties_win)
{
    milvus_kv_add(fx.docs->schema->properties, "mmap.enabled", "false");
    milvus_kv_add(fx.docs->schema->properties, "timezone", "UTC");
    begin_and_prepare();
    assert_called("fields id vec mmap.enabled=true timezone=UTC\n");
}
END_TEST

START_TEST(test_prepare__dynamic_field_is_not_requested)
{
    fx.docs->schema->enable_dynamic_field = true;
    add_field(102, "$meta", MILVUS_TYPE_JSON)->is_dynamic = true;
    begin_and_prepare();
    assert_called("fields id vec mmap.enabled");
}
END_TEST

START_TEST(test_prepare__late_fields_are_added)
{
    server_2_6();
    fx.docs->schema->enable_dynamic_field = true; /* has number 102 */
    add_field(104, "later2", MILVUS_TYPE_JSON)->nullable = true;
    add_field(103, "later1", MILVUS_TYPE_JSON)->nullable = true;
    begin_and_prepare();
    assert_called("fields id vec mmap.enabled=true\nAddCollectionField later1\n"
                  "AddCollectionField later2\n");
}
END_TEST

START_TEST(test_prepare__late_fields_need_2_6)
{
    fx.docs->schema->enable_dynamic_field = true;
    add_field(103, "later", MILVUS_TYPE_JSON);
    assert_failed(fixture_begin(0), BP_ERR_UNSUPPORTED,
                  "field later was added after the collection was made; only Milvus 2.6.0");
}
END_TEST

START_TEST(test_prepare__numbers_that_no_server_gives)
{
    server_2_6();
    add_field(105, "gap", MILVUS_TYPE_JSON);
    assert_failed(fixture_begin(0), BP_ERR_UNSUPPORTED,
                  "field gap has number 105 in the backup's files, but the server would number it "
                  "102");
}
END_TEST

START_TEST(test_prepare__partition_key)
{
    struct milvus_field *key = add_field(102, "tenant", MILVUS_TYPE_VARCHAR);
    key->is_partition_key = true;
    for (guint i = 0; i < 2; i++) {
        g_free(partition(i)->name);
        partition(i)->name = g_strdup_printf("_default_%u", i);
    }
    begin_and_prepare();
    assert_called("CreateCollection default.docs shards 4 partitions 2 fields id vec tenant");
    assert_not_called("CreatePartition");
}
END_TEST

START_TEST(test_prepare__partition_key_with_a_gap)
{
    add_field(102, "tenant", MILVUS_TYPE_VARCHAR)->is_partition_key = true;
    g_free(partition(0)->name);
    partition(0)->name = g_strdup("_default_0");
    assert_failed(fixture_begin(0), BP_ERR_CORRUPT,
                  "the backup lacks partition _default_1 of a collection with partition key");
}
END_TEST

START_TEST(test_prepare__drops_aliases_first)
{
    struct milvus_collection *old = fixture_same_collection("docs");
    g_ptr_array_add(old->aliases, g_strdup("a1"));
    fake_api_add(fx.api, old);
    fixture_option("drop_exist_collection", "true");
    begin_and_prepare();
    assert_called("DropAlias a1\nDropCollection docs\nCreateCollection ");
    assert_told("note 0 alias-dropped: alias a1 of the dropped collection default.docs is gone");
}
END_TEST

static void
begin_over_running_imports(uint32_t imports, int looks)
{
    fake_api_add(fx.api, fixture_same_collection("docs"));
    fixture_option("drop_exist_collection", "true");
    fake_api_running(fx.api, imports, looks);
    ck_assert_msg(fixture_begin(0) == BP_OK, "%s", fx.error.message);
}

START_TEST(test_prepare__waits_for_imports_of_an_earlier_run)
{
    begin_over_running_imports(2, 5);
    ck_assert_msg(fixture_prepare() == BP_OK, "%s", fx.error.message);
    assert_called("DropCollection docs\nCreateCollection ");
}
END_TEST

START_TEST(test_prepare__imports_that_do_not_end_say_when_they_will)
{
    begin_over_running_imports(1, 1000);
    fx.prepare_until_ns = 1;
    assert_failed(
        fixture_prepare(), BP_ERR_TIMEOUT,
        "collection default.docs: 1 import of an earlier run has not ended: Milvus gives");
    assert_not_called("DropCollection");
}
END_TEST

START_TEST(test_prepare__failure_leaves_nothing)
{
    ck_assert_int_eq(fixture_begin(0), BP_OK);
    fake_api_fail(fx.api, "CreatePartition", BP_ERR_PERMANENT, "too many partitions", 0);
    assert_failed(fixture_prepare(), BP_ERR_PERMANENT, "too many partitions");
    assert_called("DropCollection docs\n");
    ck_assert_ptr_null(fake_api_find(fx.api, "default", "docs"));
    ck_assert_msg(fixture_prepare() == BP_OK, "%s", fx.error.message);
}
END_TEST

START_TEST(test_prepare__used_collection_is_not_ours)
{
    fake_api_add(fx.api, fixture_same_collection("docs"));
    fixture_option("skip_create_collection", "true");
    begin_and_prepare();
    assert_not_told("identity");
    ck_assert_str_eq(fake_api_log(fx.api), "CreatePartition p1\n");
}
END_TEST

/* --- place --------------------------------------------------------------------------------------
 */

START_TEST(test_place__in_place_at_server_root)
{
    fixture_until_placed();
    assert_told("in place binlogs/insert_log/500/\nin place binlogs/delta_log/500/\n");
    ck_assert_uint_eq(fx.restore->targets->len, 1);
}
END_TEST

START_TEST(test_place__loopback_sees_what_we_see)
{
    fx.view.server_root[0] = '\0';
    (void)g_strlcpy(fx.view.local_root, "/local/", sizeof fx.view.local_root);
    fixture_until_placed();
    bool all_started;
    ck_assert_int_eq(fixture_step(4, &all_started), BP_OK);
    assert_called("[/local/binlogs/insert_log/500/501/]");
}
END_TEST

/* Both before a collection of that name would be dropped. */
START_TEST(test_place__in_place_is_not_possible)
{
    (void)g_strlcpy(fx.view.kind, "s3", sizeof fx.view.kind);
    (void)g_strlcpy(fx.view.server_root, "b1/", sizeof fx.view.server_root);
    fixture_option("placement", "in_place");
    fixture_option("drop_exist_collection", "true");
    fake_api_add(fx.api, fixture_same_collection("docs"));
    assert_failed(fixture_begin(0), BP_ERR_INVALID,
                  "collection default.docs: Milvus cannot read the backup where it is: it is not "
                  "the store that this Milvus reads");
    ck_assert_str_eq(fake_api_log(fx.api), "");
}
END_TEST

START_TEST(test_place__nowhere_to_stage)
{
    (void)g_strlcpy(fx.view.kind, "s3", sizeof fx.view.kind);
    (void)g_strlcpy(fx.view.server_root, "b1/", sizeof fx.view.server_root);
    fixture_option("drop_exist_collection", "true");
    fake_api_add(fx.api, fixture_same_collection("docs"));
    assert_failed(fixture_begin(0), BP_ERR_INVALID, "setting storage does not say where");
    ck_assert_str_eq(fake_api_log(fx.api), "");
}
END_TEST

START_TEST(test_place__staging_in_a_place_the_server_does_not_know)
{
    struct bp_storage_view view = {.struct_size = sizeof view};
    (void)g_strlcpy(view.kind, "local", sizeof view.kind);
    fx.source.config.storage = g_strdup("data");
    fake_host_add_storage("data", fx.dir, &view);
    fixture_option("placement", "stage");
    assert_failed(fixture_begin(0), BP_ERR_INVALID,
                  "storage data cannot be used for staging: Milvus runs on another machine");
}
END_TEST

START_TEST(test_place__unreadable_for_the_servers_user)
{
    fx.view.flags = BP_VIEW_SERVER_DENIED;
    fixture_option("placement", "in_place");
    assert_failed(fixture_begin(0), BP_ERR_INVALID,
                  "the user that Milvus runs as may not read its directory");
}
END_TEST

START_TEST(test_place__nothing_to_read_needs_no_place)
{
    for (guint i = 0; i < 2; i++) {
        g_ptr_array_set_size(partition(i)->segments, 0);
    }
    (void)g_strlcpy(fx.view.kind, "s3", sizeof fx.view.kind);
    ck_assert_msg(fixture_begin(0) == BP_OK, "%s", fx.error.message);
}
END_TEST

static void
add_staging(const char *kind, const char *server_root)
{
    struct bp_storage_view view = {.struct_size = sizeof view};
    (void)g_strlcpy(view.kind, kind, sizeof view.kind);
    (void)g_strlcpy(view.server_root, server_root, sizeof view.server_root);
    fx.source.config.storage = g_strdup("data");
    fake_host_add_storage("data", fx.dir, &view);
}

START_TEST(test_place__object_store_that_the_server_reads)
{
    (void)g_strlcpy(fx.view.kind, "s3", sizeof fx.view.kind);
    (void)g_strlcpy(fx.view.server_root, "backup/b1/", sizeof fx.view.server_root);
    fx.view.flags = BP_VIEW_SERVER_READS;
    fixture_until_placed();
    bool all_started;
    ck_assert_int_eq(fixture_step(4, &all_started), BP_OK);
    assert_called("[backup/b1/binlogs/insert_log/500/501/]");
}
END_TEST

/* Such a server answers "completed, 0 rows" for a path on a file system. */
START_TEST(test_place__files_are_not_for_a_server_on_an_object_store)
{
    add_staging("s3", "files/");
    fixture_until_placed();
    assert_not_told("in place");
    bool all_started;
    ck_assert_int_eq(fixture_step(1, &all_started), BP_OK);
    assert_called("[files/restore-temp-run-1/0/binlogs/insert_log/500/501/]");
}
END_TEST

START_TEST(test_place__files_cannot_be_read_there_in_place)
{
    add_staging("s3", "files/");
    fixture_option("placement", "in_place");
    assert_failed(fixture_begin(0), BP_ERR_INVALID,
                  "it keeps its own data in an object store, and reads nothing else");
}
END_TEST

/* Another plugin than ours may hold files; a server at loopback need not see them by that path. */
START_TEST(test_place__files_of_another_plugin)
{
    (void)g_strlcpy(fx.view.kind, "nfs", sizeof fx.view.kind);
    fx.view.server_root[0] = '\0';
    (void)g_strlcpy(fx.view.local_root, "/mnt/b1/", sizeof fx.view.local_root);
    fx.view.flags = BP_VIEW_SERVER_READS; /* the same objects, which is not the same path */
    add_staging("local", "/var/lib/milvus/");
    fixture_until_placed();
    assert_told("stage binlogs/insert_log/500/501/600/600/0/610");
    bool all_started;
    ck_assert_int_eq(fixture_step(4, &all_started), BP_OK);
    assert_called("[/var/lib/milvus/restore-temp-run-1/0/binlogs/insert_log/500/501/]");
}
END_TEST

START_TEST(test_place__files_of_another_plugin_where_the_server_sees_them)
{
    (void)g_strlcpy(fx.view.kind, "nfs", sizeof fx.view.kind);
    (void)g_strlcpy(fx.view.server_root, "/theirs/", sizeof fx.view.server_root);
    add_staging("nfs", "/var/lib/milvus/");
    fixture_until_placed();
    bool all_started;
    ck_assert_int_eq(fixture_step(4, &all_started), BP_OK);
    assert_called("[/theirs/binlogs/insert_log/500/501/]");
}
END_TEST

START_TEST(test_place__staged_below_the_declared_prefix)
{
    add_staging("local", "/var/lib/milvus/");
    fixture_option("placement", "stage");
    fixture_until_placed();
    assert_told("stage binlogs/insert_log/500/501/600/600/0/610 -> data "
                "restore-temp-run-1/0/binlogs/insert_log/500/501/600/600/0/610\n");
    assert_told("stage binlogs/delta_log/500/501/650/650/670 -> data "
                "restore-temp-run-1/0/binlogs/delta_log/500/501/650/650/670\n");
    bool all_started;
    ck_assert_int_eq(fixture_step(1, &all_started), BP_OK);
    assert_called("[/var/lib/milvus/restore-temp-run-1/0/binlogs/insert_log/500/501/]");
}
END_TEST

START_TEST(test_place__foreign_files_are_staged_around)
{
    add_staging("local", "/var/lib/milvus/");
    fake_dir_put(fx.dir, "binlogs/insert_log/500/501/600/600/0/999", "abc");
    fixture_until_placed();
    assert_told("stage binlogs/insert_log/500/501/600/600/0/610");
    assert_not_told("999");
}
END_TEST

START_TEST(test_place__other_segments_do_not_matter)
{
    fake_dir_put(fx.dir, "binlogs/insert_log/500/501/900/900/0/999", "abc");
    fixture_until_placed();
    assert_told("in place");
    bool all_started;
    ck_assert_int_eq(fixture_step(4, &all_started), BP_OK);
    assert_called("Import _default [/srv/b/binlogs/insert_log/500/501/600/] [] backup");
    assert_called("Import _default [/srv/b/binlogs/insert_log/500/501/650/] "
                  "[/srv/b/binlogs/delta_log/500/501/650/] backup");
    assert_called("Import p1 [/srv/b/binlogs/insert_log/500/502/] [] backup");
}
END_TEST

static void
add_tests(TCase *tcase)
{
    tcase_add_test(tcase, test_begin__nobody_counted);
    tcase_add_test(tcase, test_begin__unknown_flags_of_a_unit);
    tcase_add_test(tcase, test_prepare__fields_by_number_and_no_ttl);
    tcase_add_test(tcase, test_prepare__max_shards);
    tcase_add_test(tcase, test_prepare__collection_properties_win);
    tcase_add_test(tcase, test_prepare__dynamic_field_is_not_requested);
    tcase_add_test(tcase, test_prepare__late_fields_are_added);
    tcase_add_test(tcase, test_prepare__late_fields_need_2_6);
    tcase_add_test(tcase, test_prepare__numbers_that_no_server_gives);
    tcase_add_test(tcase, test_prepare__partition_key);
    tcase_add_test(tcase, test_prepare__partition_key_with_a_gap);
    tcase_add_test(tcase, test_prepare__drops_aliases_first);
    tcase_add_test(tcase, test_prepare__waits_for_imports_of_an_earlier_run);
    tcase_add_test(tcase, test_prepare__imports_that_do_not_end_say_when_they_will);
    tcase_add_test(tcase, test_prepare__failure_leaves_nothing);
    tcase_add_test(tcase, test_prepare__used_collection_is_not_ours);
    tcase_add_test(tcase, test_place__in_place_at_server_root);
    tcase_add_test(tcase, test_place__files_are_not_for_a_server_on_an_object_store);
    tcase_add_test(tcase, test_place__files_cannot_be_read_there_in_place);
    tcase_add_test(tcase, test_place__files_of_another_plugin);
    tcase_add_test(tcase, test_place__files_of_another_plugin_where_the_server_sees_them);
    tcase_add_test(tcase, test_place__loopback_sees_what_we_see);
    tcase_add_test(tcase, test_place__in_place_is_not_possible);
    tcase_add_test(tcase, test_place__nowhere_to_stage);
    tcase_add_test(tcase, test_place__staging_in_a_place_the_server_does_not_know);
    tcase_add_test(tcase, test_place__unreadable_for_the_servers_user);
    tcase_add_test(tcase, test_place__nothing_to_read_needs_no_place);
    tcase_add_test(tcase, test_place__object_store_that_the_server_reads);
    tcase_add_test(tcase, test_place__staged_below_the_declared_prefix);
    tcase_add_test(tcase, test_place__foreign_files_are_staged_around);
    tcase_add_test(tcase, test_place__other_segments_do_not_matter);
}

int
main(void)
{
    Suite *suite = suite_create("restore");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, fixture_setup, fixture_teardown);
    add_tests(tcase);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
