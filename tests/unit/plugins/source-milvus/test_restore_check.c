/* SPDX-License-Identifier: Apache-2.0
 *
 * What restore_begin finds before anything is touched.
 */
#include <stdio.h>
#include <stdlib.h>

#include "restore_fixture.h"

/* --- options ---------------------------------------------------------------------------------- */

START_TEST(test_options__contradictions)
{
    fixture_option("skip_create_collection", "true");
    fixture_option("drop_exist_collection", "true");
    assert_failed(fixture_begin(0), BP_ERR_INVALID,
                  "skip_create_collection and drop_exist_collection contradict each other");
}
END_TEST

START_TEST(test_options__auto_index_without_index)
{
    fixture_option("index", "false");
    fixture_option("use_auto_index", "true");
    assert_failed(fixture_begin(0), BP_ERR_INVALID, "use_auto_index needs indexes");
}
END_TEST

START_TEST(test_begin__unknown_flag)
{
    assert_failed(fixture_begin(UINT32_C(0x80)), BP_ERR_INVALID, "unknown flag in 0x80");
}
END_TEST

/* --- conflict table: exists x skip_create x drop_exist ------------------------------------------
 */

struct conflict {
    const char *option;
    const char *said; /* message of the error, or note of the dry run */
    bp_status cls;
    bool exists;
};

static const struct conflict conflicts[] = {
    {NULL, "collection default.docs exists already", BP_ERR_EXISTS, true},
    {"drop_exist_collection", "note 0 would-replace: collection default.docs would be", BP_OK,
     true},
    {"skip_create_collection", "note 0 would-use: collection default.docs exists", BP_OK, true},
    {"skip_create_collection", "collection default.docs does not exist", BP_ERR_NOT_FOUND, false},
    {"drop_exist_collection", "note 0 would-create: collection default.docs", BP_OK, false},
    {NULL, "note 0 would-create: collection default.docs", BP_OK, false},
};

START_TEST(test_conflicts__table)
{
    const struct conflict *conflict = &conflicts[_i];
    if (conflict->exists) {
        fake_api_add(fx.api, fixture_same_collection("docs"));
    }
    if (conflict->option != NULL) {
        fixture_option(conflict->option, "true");
    }
    bp_status status = fixture_begin(BP_RESTORE_DRY_RUN);
    if (conflict->cls == BP_OK) {
        ck_assert_msg(status == BP_OK, "%s", fx.error.message);
        assert_told(conflict->said);
    } else {
        assert_failed(status, conflict->cls, conflict->said);
    }
    ck_assert_str_eq(fake_api_log(fx.api), "");
}
END_TEST

START_TEST(test_conflicts__name_is_an_alias)
{
    struct milvus_collection *other = fixture_same_collection("other");
    g_ptr_array_add(other->aliases, g_strdup("docs"));
    fake_api_add(fx.api, other);
    fixture_option("drop_exist_collection", "true");
    assert_failed(fixture_begin(0), BP_ERR_EXISTS, "that name is an alias of other");
}
END_TEST

START_TEST(test_conflicts__interrupted_restore_is_replaced)
{
    struct fake_collection *half = fake_api_add(fx.api, fixture_same_collection("docs"));
    g_autofree char *identity = milvus_target_identity(half->is);
    fx.ours = identity;
    ck_assert_msg(fixture_begin(0) == BP_OK, "%s", fx.error.message);
    ck_assert_int_eq(fixture_prepare(), BP_OK);
    assert_called("DropCollection docs\nCreateCollection default.docs");
}
END_TEST

START_TEST(test_conflicts__what_an_interrupted_restore_completed_stays)
{
    struct fake_collection *whole = fake_api_add(fx.api, fixture_same_collection("docs"));
    g_autofree char *identity = milvus_target_identity(whole->is);
    fx.done = identity;
    fixture_option("drop_exist_collection", "true");
    ck_assert_msg(fixture_begin(0) == BP_OK, "%s", fx.error.message);
    ck_assert_int_eq(fixture_prepare(), BP_OK);
    ck_assert_str_eq(fake_api_log(fx.api), "");
}
END_TEST

START_TEST(test_conflicts__same_number_of_another_server_is_not_ours)
{
    struct fake_collection *found = fake_api_add(fx.api, fixture_same_collection("docs"));
    g_autofree char *identity = milvus_target_identity(found->is);
    found->is->created_timestamp++;
    fx.ours = identity;
    assert_failed(fixture_begin(0), BP_ERR_EXISTS, "exists already");
}
END_TEST

START_TEST(test_conflicts__used_collection_must_fit)
{
    struct milvus_collection *other = fixture_same_collection("docs");
    struct milvus_field *vec = other->schema->fields->pdata[1];
    g_array_set_size(vec->type_params, 0);
    milvus_kv_add(vec->type_params, "dim", "8");
    fake_api_add(fx.api, other);
    fixture_option("skip_create_collection", "true");
    assert_failed(fixture_begin(0), BP_ERR_PERMANENT,
                  "collection default.docs: field vec has not dimension 4 as in the backup");
}
END_TEST

/* --- server ------------------------------------------------------------------------------------
 */

START_TEST(test_version__older_server_is_refused)
{
    fixture_server("v2.2.16");
    assert_failed(fixture_begin(0), BP_ERR_UNSUPPORTED,
                  "the backup is of Milvus v2.3.5, the server at 127.0.0.1:19530 is v2.2.16");
    ck_assert_str_eq(fake_api_log(fx.api), "");
}
END_TEST

START_TEST(test_version__force)
{
    fixture_server("v2.2.16");
    ck_assert_msg(fixture_begin(BP_RESTORE_FORCE) == BP_OK, "%s", fx.error.message);
    assert_told("note 1 older-server: ");
    assert_told("note 1 reinserted-keys: Milvus v2.2.16 loses keys");
}
END_TEST

START_TEST(test_version__argument_wins_over_documents)
{
    fx.version = "v2.4.0";
    assert_failed(fixture_begin(0), BP_ERR_UNSUPPORTED, "the backup is of Milvus v2.4.0");
}
END_TEST

START_TEST(test_features__l0_needs_2_4)
{
    struct milvus_segment *l0 = milvus_segment_new(DOCS_ID, MILVUS_ALL_PARTITIONS, 800);
    l0->is_l0 = true;
    milvus_log_add(l0->delta_logs, 0, 801, 3);
    g_ptr_array_add(fx.docs->l0_segments, l0);
    g_free(fx.backup->server_version);
    fx.backup->server_version = g_strdup("v2.4.1");
    assert_failed(fixture_begin(BP_RESTORE_FORCE), BP_ERR_UNSUPPORTED,
                  "collection default.docs needs a Milvus that can import L0 segments: 2.4.0");
}
END_TEST

START_TEST(test_features__nullable_needs_2_5)
{
    ((struct milvus_field *)fx.docs->schema->fields->pdata[0])->nullable = true;
    assert_failed(fixture_begin(0), BP_ERR_UNSUPPORTED, "2.5.0 or later; the server is v2.3.5");
}
END_TEST

START_TEST(test_features__loaded_collection_takes_no_l0)
{
    fixture_server("v2.4.1");
    struct milvus_segment *l0 = milvus_segment_new(DOCS_ID, MILVUS_ALL_PARTITIONS, 800);
    l0->is_l0 = true;
    milvus_log_add(l0->delta_logs, 0, 801, 3);
    g_ptr_array_add(fx.docs->l0_segments, l0);
    g_free(fx.backup->server_version);
    fx.backup->server_version = g_strdup("v2.4.1");
    fake_api_add(fx.api, fixture_same_collection("docs"))->load_state = MILVUS_LOAD_LOADED;
    fixture_option("skip_create_collection", "true");
    assert_failed(fixture_begin(0), BP_ERR_PERMANENT,
                  "collection default.docs is loaded, and the server imports deletes only into");
}
END_TEST

START_TEST(test_begin__connection_fails)
{
    fake_api_fail(fx.api, "Connect", BP_ERR_RETRYABLE, "127.0.0.1:19530: refused", 0);
    assert_failed(fixture_begin(0), BP_ERR_RETRYABLE, "127.0.0.1:19530: refused");
}
END_TEST

START_TEST(test_begin__missing_file_is_found_before_anything)
{
    fixture_option("drop_exist_collection", "true");
    fake_api_add(fx.api, fixture_same_collection("docs"));
    ck_assert_int_eq(fixture_begin(BP_RESTORE_DRY_RUN), BP_OK);
    struct bp_op op = fake_op();
    ck_assert_int_eq(milvus_restore_end(fx.restore, &op, BP_OUTCOME_DONE, &fx.error), BP_OK);
    fx.restore = NULL;
    g_autofree char *path =
        g_build_filename(fx.dir, "binlogs/insert_log/500/501/600/600/100/612", NULL);
    ck_assert_int_eq(remove(path), 0);
    assert_failed(fixture_begin(0), BP_ERR_CORRUPT,
                  "binlogs/insert_log/500/501/600/600/100/612 (missing)");
    ck_assert_str_eq(fake_api_log(fx.api), "");
}
END_TEST

START_TEST(test_begin__unit_not_in_documents)
{
    fx.docs->id = 501;
    for (guint i = 0; i < fx.docs->partitions->len; i++) {
        struct milvus_partition *partition = fx.docs->partitions->pdata[i];
        partition->collection_id = 501;
        g_ptr_array_set_size(partition->segments, 0);
    }
    ((struct milvus_partition *)fx.docs->partitions->pdata[0])->id = 777;
    assert_failed(fixture_begin(0), BP_ERR_CORRUPT,
                  "the documents of the backup do not name unit collection/500");
}
END_TEST

/* --- databases -----------------------------------------------------------------------------------
 */

static void
add_database_to_backup(void)
{
    struct milvus_database *database = milvus_database_new("shop");
    milvus_kv_add(database->properties, "database.replica.number", "2");
    milvus_kv_add(database->properties, "cipher.key", "secret");
    g_ptr_array_add(fx.backup->databases, database);
    fx.target_db = "shop";
}

START_TEST(test_databases__missing_one_is_made_without_its_keys)
{
    add_database_to_backup();
    ck_assert_msg(fixture_begin(0) == BP_OK, "%s", fx.error.message);
    ck_assert_str_eq(fake_api_log(fx.api), "CreateDatabase shop/1\n");
}
END_TEST

START_TEST(test_databases__refused_properties_are_left_out)
{
    add_database_to_backup();
    fake_api_fail(fx.api, "CreateDatabase", BP_ERR_INVALID, "no such resource group", 0);
    ck_assert_msg(fixture_begin(0) == BP_OK, "%s", fx.error.message);
    ck_assert_str_eq(fake_api_log(fx.api), "CreateDatabase shop/0\n");
    assert_told(
        "note 1 database-properties: database shop was made without its properties: no such");
}
END_TEST

START_TEST(test_databases__dry_run_makes_none)
{
    add_database_to_backup();
    ck_assert_msg(fixture_begin(BP_RESTORE_DRY_RUN) == BP_OK, "%s", fx.error.message);
    assert_told("note 0 would-create: database shop would be created");
    ck_assert_str_eq(fake_api_log(fx.api), "");
}
END_TEST

START_TEST(test_databases__server_without)
{
    fixture_server("v2.2.5");
    fx.target_db = "shop";
    assert_failed(fixture_begin(BP_RESTORE_FORCE), BP_ERR_UNSUPPORTED,
                  "database shop cannot be made: Milvus v2.2.5");
}
END_TEST

START_TEST(test_begin__info)
{
    fx.source.config.storage = g_strdup("data");
    fake_host_add_storage("data", fx.dir, &fx.view);
    ck_assert_int_eq(fixture_begin(0), BP_OK);
    ck_assert_uint_eq(fx.info.max_jobs, 4);
    ck_assert_str_eq(fx.info.staging_ref, "data");
    ck_assert_str_eq(fx.info.staging_prefix, "restore-temp-run-1/");
}
END_TEST

START_TEST(test_begin__cancelled_anywhere)
{
    ck_assert_int_eq(fixture_begin(BP_RESTORE_DRY_RUN), BP_OK);
    struct bp_op op = fake_op();
    ck_assert_int_eq(milvus_restore_end(fx.restore, &op, BP_OUTCOME_DONE, &fx.error), BP_OK);
    fx.restore = NULL;
    fake_host_cancel_after((unsigned)_i + 1);
    ck_assert_int_eq(fixture_begin(0), BP_ERR_CANCELLED);
    ck_assert_str_eq(fake_api_log(fx.api), "");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("restore_check");
    TCase *tcase = tcase_create("check");
    tcase_add_checked_fixture(tcase, fixture_setup, fixture_teardown);
    tcase_add_test(tcase, test_options__contradictions);
    tcase_add_test(tcase, test_options__auto_index_without_index);
    tcase_add_test(tcase, test_begin__unknown_flag);
    tcase_add_loop_test(tcase, test_conflicts__table, 0, G_N_ELEMENTS(conflicts));
    tcase_add_test(tcase, test_conflicts__name_is_an_alias);
    tcase_add_test(tcase, test_conflicts__interrupted_restore_is_replaced);
    tcase_add_test(tcase, test_conflicts__what_an_interrupted_restore_completed_stays);
    tcase_add_test(tcase, test_conflicts__same_number_of_another_server_is_not_ours);
    tcase_add_test(tcase, test_conflicts__used_collection_must_fit);
    tcase_add_test(tcase, test_version__older_server_is_refused);
    tcase_add_test(tcase, test_version__force);
    tcase_add_test(tcase, test_version__argument_wins_over_documents);
    tcase_add_test(tcase, test_features__l0_needs_2_4);
    tcase_add_test(tcase, test_features__nullable_needs_2_5);
    tcase_add_test(tcase, test_features__loaded_collection_takes_no_l0);
    tcase_add_test(tcase, test_begin__connection_fails);
    tcase_add_test(tcase, test_begin__missing_file_is_found_before_anything);
    tcase_add_test(tcase, test_begin__unit_not_in_documents);
    tcase_add_test(tcase, test_databases__missing_one_is_made_without_its_keys);
    tcase_add_test(tcase, test_databases__refused_properties_are_left_out);
    tcase_add_test(tcase, test_databases__dry_run_makes_none);
    tcase_add_test(tcase, test_databases__server_without);
    tcase_add_test(tcase, test_begin__info);
    tcase_add_loop_test(tcase, test_begin__cancelled_anywhere, 0, 6);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
