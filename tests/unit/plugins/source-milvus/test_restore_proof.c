/* SPDX-License-Identifier: Apache-2.0
 *
 * From placed bytes to proven rows: imports and counting.
 */
#include <stdlib.h>
#include <string.h>

#include "restore_fixture.h"

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
add_staging(const char *kind, const char *server_root)
{
    struct bp_storage_view view = {.struct_size = sizeof view};
    (void)g_strlcpy(view.kind, kind, sizeof view.kind);
    (void)g_strlcpy(view.server_root, server_root, sizeof view.server_root);
    fx.source.config.storage = g_strdup("data");
    fake_host_add_storage("data", fx.dir, &view);
}

/* --- tasks --------------------------------------------------------------------------------------
 */

START_TEST(test_step__whole_partitions_before_2_4)
{
    bool all_started;
    fixture_until_placed();
    ck_assert_int_eq(fixture_step(1, &all_started), BP_OK);
    ck_assert(!all_started);
    ck_assert_int_eq(fixture_step(4, &all_started), BP_OK);
    ck_assert(all_started);
    assert_called("Import _default [/srv/b/binlogs/insert_log/500/501/] "
                  "[/srv/b/binlogs/delta_log/500/501/] backup=true skip_disk_quota_check=true\n"
                  "Import p1 [/srv/b/binlogs/insert_log/500/502/] [] backup=true "
                  "skip_disk_quota_check=true\n");
    assert_told("job 1/_default 27\njob 2/p1 12\n");
}
END_TEST

START_TEST(test_step__groups_from_2_4_on)
{
    bool all_started;
    fixture_server("v2.4.1");
    fixture_until_placed();
    ck_assert_int_eq(fixture_step(9, &all_started), BP_OK);
    assert_called("Import _default [/srv/b/binlogs/insert_log/500/501/600/] backup=true");
    assert_called("Import _default [/srv/b/binlogs/insert_log/500/501/650/] "
                  "[/srv/b/binlogs/delta_log/500/501/650/] backup=true");
    assert_called("Import p1 [/srv/b/binlogs/insert_log/500/502/700/] backup=true");
}
END_TEST

START_TEST(test_step__too_large_for_one_task)
{
    bool all_started;
    fixture_option("max_task_size", "20");
    fixture_until_placed();
    ck_assert_int_eq(fixture_step(9, &all_started), BP_OK);
    assert_called("Import _default [/srv/b/binlogs/insert_log/500/501/600/] []");
    assert_called("Import p1 [/srv/b/binlogs/insert_log/500/502/] []");
}
END_TEST

START_TEST(test_step__shared_group_is_imported_once)
{
    bool all_started;
    fixture_server("v2.4.1");
    for (guint i = 0; i < 2; i++) {
        ((struct milvus_segment *)partition(0)->segments->pdata[i])->group_id = 1;
    }
    fixture_until_placed();
    ck_assert_int_eq(fixture_step(9, &all_started), BP_OK);
    const char *first = strstr(fake_api_log(fx.api), "/500/501/1/]");
    ck_assert_ptr_nonnull(first);
    assert_called("Import _default [/srv/b/binlogs/insert_log/500/501/1/] "
                  "[/srv/b/binlogs/delta_log/500/501/1/]");
    ck_assert_ptr_null(strstr(first + 40, "insert_log/500/501/1/]"));
}
END_TEST

START_TEST(test_step__old_layout_without_groups)
{
    bool all_started;
    fixture_server("v2.4.1");
    for (guint i = 0; i < 2; i++) {
        ((struct milvus_segment *)partition(0)->segments->pdata[i])->group_id = 0;
    }
    fixture_until_placed();
    ck_assert_int_eq(fixture_step(9, &all_started), BP_OK);
    assert_called("Import _default [/srv/b/binlogs/insert_log/500/501/] "
                  "[/srv/b/binlogs/delta_log/500/501/] backup=true");
}
END_TEST

START_TEST(test_step__old_layout_is_staged_with_groups)
{
    bool all_started;
    fixture_server("v2.4.1");
    add_staging("local", "/m/");
    fixture_option("placement", "stage");
    ((struct milvus_segment *)partition(1)->segments->pdata[0])->group_id = 0;
    fixture_until_placed();
    assert_told("stage binlogs/insert_log/500/502/700/0/710 -> data "
                "restore-temp-run-1/0/binlogs/insert_log/500/502/700/700/0/710\n");
    ck_assert_int_eq(fixture_step(9, &all_started), BP_OK);
    assert_called("[/m/restore-temp-run-1/0/binlogs/insert_log/500/502/700/]");
}
END_TEST

START_TEST(test_step__storage_version_is_passed)
{
    bool all_started;
    server_2_6();
    ((struct milvus_segment *)partition(1)->segments->pdata[0])->storage_version = 2;
    fixture_until_placed();
    ck_assert_int_eq(fixture_step(9, &all_started), BP_OK);
    assert_called("Import p1 [/srv/b/binlogs/insert_log/500/502/700/] backup=true "
                  "skip_disk_quota_check=true storage_version=2\n");
}
END_TEST

static void
add_l0(void)
{
    struct milvus_segment *l0 = milvus_segment_new(DOCS_ID, MILVUS_ALL_PARTITIONS, 800);
    l0->is_l0 = true;
    milvus_log_add(l0->delta_logs, 0, 801, 3);
    g_ptr_array_add(fx.docs->l0_segments, l0);
    g_free(fx.backup->server_version);
    fx.backup->server_version = g_strdup("v2.4.1");
    fixture_server("v2.4.1");
}

START_TEST(test_step__l0_waits_for_the_data)
{
    static const struct fake_import done = {.phase = MILVUS_IMPORT_COMPLETED, .rows = 8};
    bool all_started;
    add_l0();
    fake_api_import_answers(fx.api, &done, 1);
    fixture_until_placed();
    ck_assert_int_eq(fixture_step(9, &all_started), BP_OK);
    ck_assert(!all_started);
    assert_not_called("l0_import");
    fixture_import_all();
    assert_called("Import  [/srv/b/binlogs/delta_log/500/-1/800/] l0_import=true");
}
END_TEST

START_TEST(test_step__rest_takes_many_directories)
{
    static const struct fake_import answers[] = {{.phase = MILVUS_IMPORT_COMPLETED, .rows = 18},
                                                 {.phase = MILVUS_IMPORT_COMPLETED, .rows = 5},
                                                 {.phase = MILVUS_IMPORT_COMPLETED, .rows = 0}};
    struct bp_proof proof;
    add_l0();
    fake_api_rest(fx.api);
    fake_api_import_answers(fx.api, answers, 3);
    fixture_until_placed();
    fixture_import_all();
    assert_called("Import over REST _default [/srv/b/binlogs/insert_log/500/501/600/|] "
                  "[/srv/b/binlogs/insert_log/500/501/650/|/srv/b/binlogs/delta_log/500/501/650/]\n"
                  "Import over REST p1 [/srv/b/binlogs/insert_log/500/502/700/|]\n"
                  "Import over REST  [|/srv/b/binlogs/delta_log/500/-1/800/]\n");
    assert_told("job 1/_default 27\n");
    ck_assert_msg(fixture_prove(&proof) == BP_OK, "%s", fx.error.message);
    ck_assert_uint_eq(proof.found, 23);
}
END_TEST

START_TEST(test_step__rest_keeps_channels_apart)
{
    bool all_started;
    fixture_server("v2.6.1");
    fake_api_rest(fx.api);
    for (guint i = 0; i < 2; i++) {
        struct milvus_segment *segment = partition(0)->segments->pdata[i];
        segment->channel = g_strdup_printf("dml_%u", i);
    }
    fixture_until_placed();
    ck_assert_int_eq(fixture_step(9, &all_started), BP_OK);
    assert_called("Import over REST _default [/srv/b/binlogs/insert_log/500/501/600/|]\n");
}
END_TEST

START_TEST(test_step__unknown_outcome_is_not_repeated)
{
    bool all_started;
    fixture_until_placed();
    fake_api_fail(fx.api, "Import", BP_ERR_RETRYABLE, "reset", BP_ERROR_OUTCOME_UNKNOWN);
    assert_failed(fixture_step(1, &all_started), BP_ERR_PERMANENT,
                  "it is not known whether the server began an import");
}
END_TEST

START_TEST(test_step__throttled_is_put_off)
{
    bool all_started;
    fixture_until_placed();
    fake_api_fail(fx.api, "Import", BP_ERR_THROTTLED, "rate limit exceeded", 0);
    ck_assert_int_eq(fixture_step(9, &all_started), BP_OK);
    ck_assert(!all_started);
    ck_assert_uint_eq(fx.tokens->len, 0);
    ck_assert_int_eq(fixture_step(9, &all_started), BP_OK);
    ck_assert(all_started);
}
END_TEST

START_TEST(test_step__throttled_for_too_long)
{
    bool all_started;
    fixture_option("stall_timeout", "0");
    fixture_until_placed();
    fake_api_fail(fx.api, "Import", BP_ERR_THROTTLED, "rate limit exceeded", 0);
    assert_failed(fixture_step(9, &all_started), BP_ERR_THROTTLED, "rate limit exceeded");
}
END_TEST

/* --- jobs and proof -----------------------------------------------------------------------------
 */

static const struct fake_import good[] = {
    {.phase = MILVUS_IMPORT_COMPLETED, .rows = 18, .polls = 2},
    {.phase = MILVUS_IMPORT_COMPLETED, .rows = 5}};

START_TEST(test_poll__progress_then_done)
{
    struct bp_job_state state;
    bool all_started;
    fake_api_import_answers(fx.api, good, 2);
    fixture_until_placed();
    ck_assert_int_eq(fixture_step(9, &all_started), BP_OK);
    ck_assert_int_eq(fixture_poll("1/_default", &state), BP_OK);
    ck_assert_uint_eq(state.phase, BP_JOB_RUNNING);
    ck_assert_uint_eq(state.total, 27);
    ck_assert_uint_eq(state.done, 13);
    ck_assert_int_eq(fixture_poll("1/_default", &state), BP_OK);
    ck_assert_int_eq(fixture_poll("1/_default", &state), BP_OK);
    ck_assert_uint_eq(state.phase, BP_JOB_DONE);
}
END_TEST

START_TEST(test_poll__failed_with_the_servers_words)
{
    static const struct fake_import failed = {.phase = MILVUS_IMPORT_FAILED,
                                              .reason = "unsupported file type: '…/'"};
    struct bp_job_state state;
    bool all_started;
    fake_api_import_answers(fx.api, &failed, 1);
    fixture_until_placed();
    ck_assert_int_eq(fixture_step(9, &all_started), BP_OK);
    ck_assert_int_eq(fixture_poll("2/p1", &state), BP_OK);
    ck_assert_uint_eq(state.phase, BP_JOB_FAILED);
    ck_assert_str_eq(state.reason,
                     "the server failed to import /srv/b/binlogs/insert_log/500/502/ into "
                     "partition p1: unsupported file type: '…/'");
}
END_TEST

START_TEST(test_poll__completed_with_nothing)
{
    static const struct fake_import empty = {.phase = MILVUS_IMPORT_COMPLETED, .rows = 0};
    struct bp_job_state state;
    bool all_started;
    fake_api_import_answers(fx.api, &empty, 1);
    fixture_until_placed();
    ck_assert_int_eq(fixture_step(9, &all_started), BP_OK);
    ck_assert_int_eq(fixture_poll(_i == 0 ? "1/_default" : "2/p1", &state), BP_OK);
    ck_assert_uint_eq(state.phase, BP_JOB_FAILED);
    ck_assert_ptr_nonnull(strstr(state.reason, _i == 0 ? "0 of 20 rows: it sees nothing in /srv/b"
                                                       : "0 of 5 rows: it sees nothing in /srv/b"));
}
END_TEST

START_TEST(test_poll__deletes_may_take_all_rows)
{
    static const struct fake_import empty = {.phase = MILVUS_IMPORT_COMPLETED, .rows = 0};
    struct bp_job_state state;
    bool all_started;
    fake_api_import_answers(fx.api, &empty, 1);
    struct milvus_segment *second = partition(0)->segments->pdata[1];
    second->delta_rows = _i == 0 ? 20 : MILVUS_COUNT_UNKNOWN;
    fixture_until_placed();
    ck_assert_int_eq(fixture_step(9, &all_started), BP_OK);
    ck_assert_int_eq(fixture_poll("1/_default", &state), BP_OK);
    ck_assert_uint_eq(state.phase, BP_JOB_DONE);
}
END_TEST

START_TEST(test_poll__stalled)
{
    static const struct fake_import slow = {.phase = MILVUS_IMPORT_COMPLETED, .polls = 99};
    struct bp_job_state state;
    bool all_started;
    fake_api_import_answers(fx.api, &slow, 1);
    fixture_option("stall_timeout", "0");
    fixture_until_placed();
    ck_assert_int_eq(fixture_step(9, &all_started), BP_OK);
    ck_assert_int_eq(fixture_poll("1/_default", &state), BP_OK);
    ((struct milvus_task *)((struct milvus_target *)fx.restore->targets->pdata[0])->tasks->pdata[0])
        ->moved_at_us -= 2000000;
    ck_assert_int_eq(fixture_poll("1/_default", &state), BP_OK);
    ck_assert_uint_eq(state.phase, BP_JOB_FAILED);
    ck_assert_ptr_nonnull(strstr(state.reason, "made no progress for 2 s (at 50 %)"));
}
END_TEST

START_TEST(test_poll__token_of_nobody)
{
    struct bp_job_state state;
    fixture_until_placed();
    assert_failed(fixture_poll("77/p", &state), BP_ERR_INVALID,
                  "job 77/p is not one of collection default.docs");
    assert_failed(fixture_poll("x", &state), BP_ERR_INVALID, "job x is not one");
}
END_TEST

START_TEST(test_prove__sum_of_jobs_and_segments)
{
    struct bp_proof proof;
    fake_api_import_answers(fx.api, good, 2);
    fixture_until_placed();
    fixture_import_all();
    ck_assert_msg(fixture_prove(&proof) == BP_OK, "%s", fx.error.message);
    ck_assert_uint_eq(proof.found, 23);
    ck_assert_str_eq(proof.note, "rows that the imports reported and the new segments hold");
}
END_TEST

START_TEST(test_prove__segments_hold_less)
{
    static const struct fake_import lying = {
        .phase = MILVUS_IMPORT_COMPLETED, .rows = 12, .missing_rows = 1};
    struct bp_proof proof;
    fake_api_import_answers(fx.api, &lying, 1);
    fixture_until_placed();
    fixture_import_all();
    assert_failed(fixture_prove(&proof), BP_ERR_CORRUPT,
                  "the server reported 24 imported rows, but its segments hold 22");
}
END_TEST

START_TEST(test_prove__earlier_rows_do_not_count)
{
    struct bp_proof proof;
    struct fake_collection *there = fake_api_add(fx.api, fixture_same_collection("docs"));
    const struct milvus_segment_info old = {
        .id = 1, .num_rows = 1000, .state = MILVUS_SEGMENT_FLUSHED};
    g_array_append_val(there->segments, old);
    fake_api_import_answers(fx.api, good, 2);
    fixture_option("skip_create_collection", "true");
    fixture_until_placed();
    fixture_import_all();
    ck_assert_msg(fixture_prove(&proof) == BP_OK, "%s", fx.error.message);
    ck_assert_uint_eq(proof.found, 23);
}
END_TEST

START_TEST(test_prove__unfinished_job)
{
    struct bp_proof proof;
    fixture_until_placed();
    assert_failed(fixture_prove(&proof), BP_ERR_PERMANENT, "import job 0 has not finished");
}
END_TEST

START_TEST(test_prove__old_server_loses_reinserted_keys)
{
    static const struct fake_import fewer = {.phase = MILVUS_IMPORT_COMPLETED, .rows = 9};
    struct bp_proof proof;
    fixture_server("v2.2.16");
    g_free(fx.backup->server_version);
    fx.backup->server_version = g_strdup("v2.2.16");
    fake_api_import_answers(fx.api, &fewer, 1);
    fixture_until_placed();
    fixture_import_all();
    ck_assert_int_eq(fixture_prove(&proof), BP_OK);
    ck_assert_uint_eq(proof.found, 18);
    ck_assert_ptr_nonnull(strstr(proof.note, "Milvus v2.2.16 loses keys that were deleted"));
}
END_TEST

START_TEST(test_without_items__no_rows)
{
    struct bp_proof proof;
    bool all_started;
    ck_assert_int_eq(fixture_begin(BP_RESTORE_WITHOUT_ITEMS), BP_OK);
    ck_assert_int_eq(fixture_prepare(), BP_OK);
    ck_assert_int_eq(fixture_place(), BP_OK);
    ck_assert_int_eq(fixture_step(9, &all_started), BP_OK);
    ck_assert(all_started);
    assert_not_called("Import");
    assert_not_told("place");
    ck_assert_int_eq(fixture_prove(&proof), BP_OK);
    ck_assert_uint_eq(proof.flags, BP_PROOF_UNPROVABLE);
}
END_TEST

static void
add_tests(TCase *tcase)
{
    tcase_add_test(tcase, test_step__whole_partitions_before_2_4);
    tcase_add_test(tcase, test_step__groups_from_2_4_on);
    tcase_add_test(tcase, test_step__too_large_for_one_task);
    tcase_add_test(tcase, test_step__shared_group_is_imported_once);
    tcase_add_test(tcase, test_step__old_layout_without_groups);
    tcase_add_test(tcase, test_step__old_layout_is_staged_with_groups);
    tcase_add_test(tcase, test_step__storage_version_is_passed);
    tcase_add_test(tcase, test_step__l0_waits_for_the_data);
    tcase_add_test(tcase, test_step__rest_takes_many_directories);
    tcase_add_test(tcase, test_step__rest_keeps_channels_apart);
    tcase_add_test(tcase, test_step__unknown_outcome_is_not_repeated);
    tcase_add_test(tcase, test_step__throttled_is_put_off);
    tcase_add_test(tcase, test_step__throttled_for_too_long);
    tcase_add_test(tcase, test_poll__progress_then_done);
    tcase_add_test(tcase, test_poll__failed_with_the_servers_words);
    tcase_add_loop_test(tcase, test_poll__completed_with_nothing, 0, 2);
    tcase_add_loop_test(tcase, test_poll__deletes_may_take_all_rows, 0, 2);
    tcase_add_test(tcase, test_poll__stalled);
    tcase_add_test(tcase, test_poll__token_of_nobody);
    tcase_add_test(tcase, test_prove__sum_of_jobs_and_segments);
    tcase_add_test(tcase, test_prove__segments_hold_less);
    tcase_add_test(tcase, test_prove__earlier_rows_do_not_count);
    tcase_add_test(tcase, test_prove__unfinished_job);
    tcase_add_test(tcase, test_prove__old_server_loses_reinserted_keys);
    tcase_add_test(tcase, test_without_items__no_rows);
}

int
main(void)
{
    Suite *suite = suite_create("restore_proof");
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
