/* SPDX-License-Identifier: Apache-2.0
 *
 * After the proof: indexes, properties, aliases, load.
 */
#include <stdlib.h>
#include <string.h>

#include "restore_fixture.h"

static void
begin(void)
{
    ck_assert_msg(fixture_begin(0) == BP_OK, "%s", fx.error.message);
    ck_assert_msg(fixture_prepare() == BP_OK, "%s", fx.error.message);
}

static void
finish(void)
{
    begin();
    ck_assert_msg(fixture_finish() == BP_OK, "%s", fx.error.message);
}

START_TEST(test_finish__all_in_order)
{
    finish();
    const char *log = strstr(fake_api_log(fx.api), "CreateIndex");
    ck_assert_str_eq(log, "CreateIndex vec:'vec_idx' index_type=HNSW metric_type=L2 "
                          "params={\"M\":8}\n"
                          "CreateIndex id:'id_idx' index_type=Trie\n"
                          "CreateAlias news\n"
                          "LoadCollection docs x2\n"
                          "AlterCollection docs collection.ttl.seconds=99\n");
    assert_told("note 0 ttl: collection default.docs: rows older than 99 s expire again");
}
END_TEST

/* --- indexes
 * -------------------------------------------------------------------------------------- */

START_TEST(test_indexes__auto)
{
    fixture_option("use_auto_index", "true");
    finish();
    assert_called("CreateIndex vec:'vec_idx' index_type=AUTOINDEX metric_type=L2\n");
    assert_called("CreateIndex id:'id_idx' index_type=Trie\n");
}
END_TEST

START_TEST(test_indexes__strange_name_is_left_to_the_server)
{
    struct milvus_index *index = fx.docs->indexes->pdata[0];
    g_free(index->name);
    index->name = g_strdup("doc[\"a\"]");
    finish();
    assert_called("CreateIndex id:'' index_type=Trie\n");
}
END_TEST

START_TEST(test_indexes__refused_names_collection_and_field)
{
    begin();
    fake_api_fail(fx.api, "CreateIndex", BP_ERR_INVALID, "metric type not found: COSINE", 0);
    assert_failed(fixture_finish(), BP_ERR_INVALID,
                  "collection default.docs: index vec_idx of field vec: metric type not found");
}
END_TEST

START_TEST(test_indexes__none_wanted)
{
    fixture_option("index", "false");
    finish();
    assert_not_called("CreateIndex");
    assert_not_called("LoadCollection");
    assert_told("note 1 not-loaded: collection default.docs was loaded when it was backed up");
}
END_TEST

START_TEST(test_indexes__of_a_loaded_collection_are_replaced)
{
    struct fake_collection *there = fake_api_add(fx.api, fixture_same_collection("docs"));
    there->load_state = MILVUS_LOAD_LOADED;
    g_ptr_array_add(there->is->indexes, milvus_index_new("vec", "old"));
    fixture_option("skip_create_collection", "true");
    fixture_option("drop_exist_index", "true");
    fixture_option("load", "false");
    finish();
    assert_called("ReleaseCollection docs\nDropIndex old\nCreateIndex vec");
    assert_called("LoadCollection docs");
    assert_told("note 0 released: collection default.docs is released");
    assert_not_called("AlterCollection");
}
END_TEST

START_TEST(test_indexes__are_dropped_where_none_is_wanted)
{
    struct fake_collection *there = fake_api_add(fx.api, fixture_same_collection("docs"));
    there->load_state = MILVUS_LOAD_LOADED;
    g_ptr_array_add(there->is->indexes, milvus_index_new("vec", "old"));
    fixture_option("skip_create_collection", "true");
    fixture_option("drop_exist_index", "true");
    fixture_option("index", "false");
    finish();
    assert_called("ReleaseCollection docs\nDropIndex old");
    assert_not_called("CreateIndex");
    assert_not_called("LoadCollection");
    assert_told("note 1 not-loaded: collection default.docs was loaded; without a vector index");
}
END_TEST

START_TEST(test_indexes__waited_for)
{
    fixture_option("wait", "true");
    begin();
    fake_api_slow(fx.api, 3);
    ck_assert_msg(fixture_finish() == BP_OK, "%s", fx.error.message);
}
END_TEST

START_TEST(test_indexes__wait_ends)
{
    fixture_option("wait", "true");
    fixture_option("wait_timeout", "0");
    begin();
    fake_api_slow(fx.api, 1000000);
    assert_failed(
        fixture_finish(), BP_ERR_PERMANENT,
        "collection default.docs: its rows are restored, but waiting ended after 0 s with "
        "2 of 2 indexes unfinished (wait_timeout)");
}
END_TEST

START_TEST(test_indexes__wait_cancelled)
{
    fixture_option("wait", "true");
    begin();
    fake_api_slow(fx.api, 1000000);
    struct bp_storage_view view = {.struct_size = sizeof view};
    struct bp_op op = fake_op();
    fake_host_cancel_after(1);
    (void)fake_host()->storage_info(&op, "b", &view, &fx.error);
    assert_failed(fixture_finish(), BP_ERR_CANCELLED,
                  "waiting for collection default.docs was interrupted at 2 of 2 indexes");
}
END_TEST

START_TEST(test_indexes__build_fails)
{
    fixture_option("wait", "true");
    begin();
    fake_api_find(fx.api, "default", "docs")->builds_fail = true;
    assert_failed(fixture_finish(), BP_ERR_PERMANENT,
                  "collection default.docs: building index vec_idx: out of memory");
}
END_TEST

/* --- properties
 * ------------------------------------------------------------------------------------ */

START_TEST(test_properties__functions_are_checked_again)
{
    fixture_server("v2.6.8");
    struct milvus_function *function = milvus_function_new();
    function->name = g_strdup("bm25");
    g_ptr_array_add(fx.docs->schema->functions, function);
    finish();
    assert_called("mmap.enabled=true disable_func_runtime_check=true\n");
    assert_called("AlterCollection docs collection.ttl.seconds=99 "
                  "disable_func_runtime_check=false\n");
}
END_TEST

START_TEST(test_properties__none)
{
    g_array_set_size(fx.docs->properties, 0);
    finish();
    assert_not_called("AlterCollection");
}
END_TEST

/* --- aliases
 * --------------------------------------------------------------------------------------- */

static void
add_other_with_alias(const char *alias)
{
    struct milvus_collection *other = fixture_same_collection("other");
    g_ptr_array_add(other->aliases, g_strdup(alias));
    fake_api_add(fx.api, other);
}

START_TEST(test_aliases__taken_one_is_kept_and_told)
{
    add_other_with_alias("news");
    finish();
    assert_not_called("CreateAlias");
    assert_told("note 1 alias-taken: alias news of collection default.docs was not restored: it "
                "points to other\n");
}
END_TEST

START_TEST(test_aliases__taken_in_between)
{
    begin();
    fake_api_fail(fx.api, "CreateAlias", BP_ERR_EXISTS, "alias exists", 0);
    ck_assert_int_eq(fixture_finish(), BP_OK);
    assert_told("note 1 alias-taken: ");
}
END_TEST

START_TEST(test_aliases__already_ours)
{
    struct milvus_collection *same = fixture_same_collection("docs");
    g_ptr_array_add(same->aliases, g_strdup("news"));
    fake_api_add(fx.api, same);
    fixture_option("skip_create_collection", "true");
    finish();
    assert_not_called("CreateAlias");
    assert_not_told("alias-taken");
}
END_TEST

/* --- load
 * ------------------------------------------------------------------------------------------- */

START_TEST(test_load__not_when_it_was_not)
{
    fx.docs->load_state = MILVUS_LOAD_NOT_LOADED;
    finish();
    assert_not_called("LoadCollection");
}
END_TEST

START_TEST(test_load__not_wanted)
{
    fixture_option("load", "false");
    finish();
    assert_not_called("LoadCollection");
}
END_TEST

START_TEST(test_load__without_enough_nodes)
{
    begin();
    fake_api_fail(fx.api, "LoadCollection", BP_ERR_PERMANENT, "no enough nodes", 0);
    ck_assert_msg(fixture_finish() == BP_OK, "%s", fx.error.message);
    assert_called("LoadCollection docs x0\n");
    assert_told("note 1 fewer-replicas: collection default.docs was loaded with one replica "
                "instead of 2: no enough nodes");
}
END_TEST

START_TEST(test_load__waited_for)
{
    fake_api_add(fx.api, fixture_same_collection("docs"));
    fixture_option("skip_create_collection", "true");
    fixture_option("index", "false");
    fixture_option("wait", "true");
    fixture_option("wait_timeout", _i == 0 ? "60000" : "0");
    begin();
    fake_api_slow(fx.api, _i == 0 ? 3 : 1000000);
    bp_status status = fixture_finish();
    assert_called("LoadCollection docs x2\n");
    if (_i == 0) {
        ck_assert_msg(status == BP_OK, "%s", fx.error.message);
    } else {
        assert_failed(status, BP_ERR_PERMANENT, "waiting ended after 0 s with loaded to 40 %");
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("restore_finish");
    TCase *tcase = tcase_create("finish");
    tcase_add_checked_fixture(tcase, fixture_setup, fixture_teardown);
    tcase_add_test(tcase, test_finish__all_in_order);
    tcase_add_test(tcase, test_indexes__auto);
    tcase_add_test(tcase, test_indexes__strange_name_is_left_to_the_server);
    tcase_add_test(tcase, test_indexes__refused_names_collection_and_field);
    tcase_add_test(tcase, test_indexes__none_wanted);
    tcase_add_test(tcase, test_indexes__of_a_loaded_collection_are_replaced);
    tcase_add_test(tcase, test_indexes__are_dropped_where_none_is_wanted);
    tcase_add_test(tcase, test_indexes__waited_for);
    tcase_add_test(tcase, test_indexes__wait_ends);
    tcase_add_test(tcase, test_indexes__wait_cancelled);
    tcase_add_test(tcase, test_indexes__build_fails);
    tcase_add_test(tcase, test_properties__functions_are_checked_again);
    tcase_add_test(tcase, test_properties__none);
    tcase_add_test(tcase, test_aliases__taken_one_is_kept_and_told);
    tcase_add_test(tcase, test_aliases__taken_in_between);
    tcase_add_test(tcase, test_aliases__already_ours);
    tcase_add_test(tcase, test_load__not_when_it_was_not);
    tcase_add_test(tcase, test_load__not_wanted);
    tcase_add_test(tcase, test_load__without_enough_nodes);
    tcase_add_loop_test(tcase, test_load__waited_for, 0, 2);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
