/* SPDX-License-Identifier: Apache-2.0
 *
 * What is named before, while and after the server flushes.
 */
#include "capture_fixture.h"

/* They belong to rows whose new versions are in no segment of this backup.  Each segment fills a
 * page, so that the last one is looked at long after the flush. */
START_TEST(test_items__deletes_that_come_after_the_flush_stay_out)
{
    struct fixture_segment segments[3];
    for (int i = 0; i < 3; i++) {
        segments[i] = (struct fixture_segment){3000 + i, FIXTURE_PARTITION, 10, 4, 0, 0};
        fixture_insert_logs(dir, "", &segments[i], 250);
    }
    const struct fixture_segment dropped = {3009, FIXTURE_PARTITION, 10, 4, 0, 0};
    fixture_segments(fake, 0, segments, G_N_ELEMENTS(segments));
    fixture_delta_log(dir, "", &dropped, 3);
    ASSERT_OK(begin_unit(), problem);
    ASSERT_OK(list_items(NULL), problem);
    fixture_delta_log(dir, "", &segments[0], 3);
    ASSERT_OK(list_items("flushed"), problem);
    fixture_delta_log(dir, "", &segments[2], 4);
    g_autofree char *last = g_strdup(next_token);
    ASSERT_OK(list_items(last), problem);
    ck_assert_ptr_null(next_token);
    ck_assert_uint_eq(seen->len, 3 * 1000 + 1);
    for (guint i = 0; i < seen->len; i++) {
        const char *line = seen->pdata[i];
        bool is_delta = strstr(line, "delta_log/") != NULL;
        ck_assert(!is_delta || (g_str_has_prefix(line, "binlogs/delta_log/1000/2000/3000/3000/900 "
                                                       "< data:delta_log/1000/2000/3000/900 ") &&
                                g_str_has_suffix(line, " v-900")));
    }

    struct bp_op op = fake_op();
    struct bp_proof proof = {.struct_size = sizeof(proof)};
    ASSERT_OK(milvus_unit_prove(run, &op, UNIT, &proof, &problem), problem);
    ck_assert_uint_eq(proof.high, 30);
    ck_assert_uint_eq(proof.low, 27);
}
END_TEST

/* The files of one segment at once, its deletes and another segment when the flush is done. */
START_TEST(test_items__what_was_there_before_the_flush_comes_first)
{
    const struct fixture_segment segments[] = {{3000, FIXTURE_PARTITION, 10, 4, 0, 0},
                                               {3001, FIXTURE_PARTITION, 5, 4, 0, 0}};
    fixture_segments(fake, 1, segments, 1);
    fixture_segments(fake, 0, segments, 2);
    fixture_insert_logs(dir, "", &segments[0], 2);
    ASSERT_OK(begin_unit(), problem);
    ASSERT_OK(list_items(NULL), problem);
    ck_assert_uint_eq(seen->len, 8);
    ck_assert_uint_eq(fake_milvus_calls(fake, "GetFlushState"), 0);
    fixture_insert_logs(dir, "", &segments[1], 1);
    fixture_delta_log(dir, "", &segments[0], 3);
    for (int times = 0; times < 2; times++) { /* a page may be asked for again */
        g_ptr_array_set_size(seen, 8);
        ASSERT_OK(list_items("flushed"), problem);
        ck_assert_uint_eq(seen->len, 8 + 1 + 4);
        ck_assert_ptr_null(next_token);
    }
    g_autoptr(GHashTable) once = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < seen->len; i++) {
        ck_assert(g_hash_table_add(once, seen->pdata[i]));
    }
}
END_TEST

START_TEST(test_items__segments_merged_during_the_flush_are_stale)
{
    const struct fixture_segment old = {3000, FIXTURE_PARTITION, 10, 4, 0, 0};
    const struct fixture_segment merged = {3001, FIXTURE_PARTITION, 10, 4, 0, 0};
    fixture_segments(fake, 1, &old, 1);
    fixture_segments(fake, 0, &merged, 1);
    fixture_insert_logs(dir, "", &old, 1);
    fixture_insert_logs(dir, "", &merged, 1);
    ASSERT_OK(begin_unit(), problem);
    bp_status status = list_all();
    ASSERT_FAILED(status, problem, BP_ERR_STALE, "compacted away while it was flushed");
    struct bp_op op = fake_op();
    ASSERT_OK(milvus_unit_refresh(run, &op, &unit_args, &problem), problem);
    g_ptr_array_set_size(seen, 0);
    ASSERT_OK(list_all(), problem);
    ck_assert_uint_eq(seen->len, 4);
    ck_assert(has_seen("binlogs/insert_log/1000/2000/3001/3001/0/500 < "
                       "data:insert_log/1000/2000/3001/0/500 10 v-500"));
}
END_TEST

/* What is looked at again is flushed again, and named after the flush. */
START_TEST(test_items__refreshed_are_flushed_again)
{
    const struct fixture_segment segment = {3000, FIXTURE_PARTITION, 10, 4, 0, 0};
    fixture_segments(fake, 0, &segment, 1);
    fixture_insert_logs(dir, "", &segment, 1);
    ASSERT_OK(begin_unit(), problem);
    struct bp_op op = fake_op();
    bp_status status = milvus_unit_end(run, &op, UNIT, BP_OUTCOME_DONE, &problem);
    ASSERT_FAILED(status, problem, BP_ERR_INVALID, "not all of its items were asked for");
    ASSERT_OK(list_items(NULL), problem);
    ASSERT_OK(milvus_unit_refresh(run, &op, &unit_args, &problem), problem);
    ck_assert_uint_eq(fake_milvus_calls(fake, "Flush"), 2);
    guint looks = fake_milvus_calls(fake, "GetFlushState");
    ck_assert_uint_gt(looks, 0);
    g_ptr_array_set_size(seen, 0);
    ASSERT_OK(list_all(), problem);
    ck_assert_uint_eq(seen->len, 4);
    ck_assert_uint_eq(fake_milvus_calls(fake, "GetFlushState"), looks);
    ASSERT_OK(milvus_unit_end(run, &op, UNIT, BP_OUTCOME_DONE, &problem), problem);
}
END_TEST

/* Whoever asks again after a failure must not take what is half listed for all. */
START_TEST(test_items__listing_after_the_flush_fails_once)
{
    const struct fixture_segment segment = {3000, FIXTURE_PARTITION, 10, 4, 0, 0};
    fixture_segments(fake, 1, NULL, 0);
    fixture_insert_logs(dir, "", &segment, 1);
    ASSERT_OK(begin_unit(), problem);
    ASSERT_OK(list_items(NULL), problem);
    fixture_fail(fake, "GetPersistentSegmentInfo", 1, 65535, 1, "busy");
    fixture_segments(fake, 0, &segment, 1);
    ck_assert_int_ne(list_items("flushed"), BP_OK);
    ASSERT_OK(list_items("flushed"), problem);
    ck_assert_uint_eq(seen->len, 4);
}
END_TEST

START_TEST(test_begin__rate_limit_comes_through)
{
    fake_milvus_forget(fake, "Flush");
    fixture_fail(fake, "Flush", 0, 8, 49, "rate limit exceeded[rate=0.1]");
    bp_status status = begin_unit();
    ASSERT_FAILED(status, problem, BP_ERR_THROTTLED, "Flush collection default.books");
    ck_assert_uint_eq(problem.retry_after_ms, 10000);
    ck_assert_uint_eq(fake_milvus_calls(fake, "Flush"), 1);
}
END_TEST

START_TEST(test_items__flush_that_never_ends)
{
    fake_milvus_forget(fake, "GetFlushState");
    Mv__GetFlushStateResponse never = MV__GET_FLUSH_STATE_RESPONSE__INIT;
    fake_milvus_answer(fake, "GetFlushState", 0, &never.base);
    fixture_segments(fake, 0, NULL, 0);
    ASSERT_OK(begin_unit(), problem);
    bp_status status = list_all();
    ASSERT_FAILED(status, problem, BP_ERR_TIMEOUT, "collection default.books: not flushed after");
}
END_TEST

START_TEST(test_items__wait_for_flushing_segments)
{
    const struct fixture_segment flushing = {3000, FIXTURE_PARTITION, 10, 5, 0, 0};
    const struct fixture_segment flushed = {3000, FIXTURE_PARTITION, 10, 4, 0, 0};
    fixture_segments(fake, 2, &flushing, 1);
    fixture_segments(fake, 0, &flushed, 1);
    fixture_insert_logs(dir, "", &flushed, 1);
    ASSERT_OK(begin_unit(), problem);
    ASSERT_OK(list_all(), problem);
    ck_assert_uint_eq(fake_milvus_calls(fake, "GetPersistentSegmentInfo"), 3);
    ck_assert_uint_eq(seen->len, 4);
}
END_TEST

START_TEST(test_run__dry_changes_nothing)
{
    const struct fixture_segment segment = {3000, FIXTURE_PARTITION, 10, 4, 0, 0};
    struct bp_op op = fake_op();
    fixture_segments(fake, 0, &segment, 1);
    fixture_insert_logs(dir, "", &segment, 1);
    open_source();
    ASSERT_OK(begin_run(BP_RUN_DRY), problem);
    ASSERT_OK(milvus_unit_begin(run, &op, &unit_args, &problem), problem);
    ASSERT_OK(list_all(), problem);
    ck_assert_uint_eq(seen->len, 4);
    ck_assert_uint_eq(fake_milvus_calls(fake, "Flush"), 0);
}
END_TEST

WIRE_MAIN("capture_flush", capture_setup, capture_teardown,
          test_items__deletes_that_come_after_the_flush_stay_out,
          test_items__what_was_there_before_the_flush_comes_first,
          test_items__segments_merged_during_the_flush_are_stale,
          test_items__refreshed_are_flushed_again, test_items__listing_after_the_flush_fails_once,
          test_begin__rate_limit_comes_through, test_items__flush_that_never_ends,
          test_items__wait_for_flushing_segments, test_run__dry_changes_nothing)
