/* SPDX-License-Identifier: Apache-2.0
 *
 * A capture from plan to documents against a scripted server and files in a directory: what is
 * named, what is counted, and everything that must not pass for a success.
 */
#include <stdio.h>

#include "capture_fixture.h"
#include "plugins/source-milvus/document.h"

static int32_t
on_unit(void *ctx, const struct bp_unit *unit)
{
    (void)ctx;
    g_ptr_array_add(seen, g_strdup_printf("%s %s %s", unit->kind, unit->id, unit->name));
    return 0;
}

static int32_t
wants_no_collection(void *ctx, const struct bp_unit *unit)
{
    (void)ctx;
    return strcmp(unit->kind, "collection") != 0;
}

START_TEST(test_plan__tells_the_tree)
{
    struct bp_op op = fake_op();
    struct bp_unit_sink sink = {.struct_size = sizeof(sink), .unit = on_unit};
    open_source();
    ASSERT_OK(milvus_source_plan(source, &op, NULL, &sink, &problem), problem);
    ck_assert_uint_eq(seen->len, 4);
    ck_assert(has_seen("database database/default default"));
    ck_assert(has_seen("collection collection/1000 books"));
    ck_assert(has_seen("partition partition/2001 old"));
}
END_TEST

START_TEST(test_plan__does_no_work_for_what_nobody_wants)
{
    struct bp_op op = fake_op();
    struct bp_unit_filter filter = {.struct_size = sizeof(filter), .wants = wants_no_collection};
    struct bp_unit_sink sink = {.struct_size = sizeof(sink), .unit = on_unit};
    open_source();
    ASSERT_OK(milvus_source_plan(source, &op, &filter, &sink, &problem), problem);
    ck_assert_uint_eq(seen->len, 1);
    ck_assert_uint_eq(fake_milvus_calls(fake, "ShowPartitions"), 0);
    ASSERT_OK(begin_run(0), problem);
    bp_status status = milvus_unit_begin(run, &op, &unit_args, &problem);
    ASSERT_FAILED(status, problem, BP_ERR_INVALID, "not part of this run");
}
END_TEST

START_TEST(test_unit_begin__unknown_flags)
{
    struct bp_op op = fake_op();
    const struct bp_unit_args newer = {.struct_size = sizeof newer, .flags = 1, .unit_id = UNIT};
    open_source();
    ASSERT_OK(begin_run(0), problem);
    bp_status status = milvus_unit_begin(run, &op, &newer, &problem);
    ASSERT_FAILED(status, problem, BP_ERR_INVALID, "unknown flags 0x1 of unit collection/1000");
}
END_TEST

START_TEST(test_items__insert_and_delete_logs)
{
    const struct fixture_segment segments[] = {{3000, FIXTURE_PARTITION, 10, 4, 0, 0},
                                               {3001, FIXTURE_PARTITION + 1, 5, 4, 0, 0},
                                               {3002, FIXTURE_PARTITION, 99, 2, 0, 0},
                                               {3003, FIXTURE_PARTITION, 99, 6, 0, 0},
                                               {3004, FIXTURE_PARTITION, 0, 4, 0, 0}};
    fixture_segments(fake, 0, segments, G_N_ELEMENTS(segments));
    fixture_insert_logs(dir, "", &segments[0], 2);
    fixture_insert_logs(dir, "", &segments[1], 1);
    fixture_delta_log(dir, "", &segments[1], 3);
    ASSERT_OK(begin_unit(), problem);
    ASSERT_OK(list_all(), problem);
    ck_assert_ptr_null(next_token);
    ck_assert_uint_eq(seen->len, 8 + 4 + 1);
    ck_assert(has_seen("binlogs/insert_log/1000/2000/3000/3000/101/602 < "
                       "data:insert_log/1000/2000/3000/101/602 10 v-602"));

    struct bp_op op = fake_op();
    struct bp_proof proof = {.struct_size = sizeof(proof)};
    ASSERT_OK(milvus_unit_prove(run, &op, UNIT, &proof, &problem), problem);
    ck_assert_uint_eq(proof.high, 15);
    ck_assert_uint_eq(proof.low, 12);
    ck_assert_uint_eq(fake_milvus_calls(fake, "Flush"), 1);
    ck_assert_uint_eq(fake_milvus_calls(fake, "GetFlushState"), 2);
}
END_TEST

START_TEST(test_items__a_file_that_is_no_delete_log_is_an_error)
{
    const struct fixture_segment segment = {3000, FIXTURE_PARTITION, 10, 4, 0, 0};
    fixture_segments(fake, 0, &segment, 1);
    fixture_insert_logs(dir, "", &segment, 1);
    fake_dir_put(dir, "delta_log/1000/2000/4000/note.txt", "of no segment");
    ASSERT_OK(begin_unit(), problem);
    ASSERT_OK(list_all(), problem);
    fake_dir_put(dir, "delta_log/1000/2000/3000/note.txt", "x");
    struct bp_op op = fake_op();
    bp_status status = milvus_unit_refresh(run, &op, &unit_args, &problem);
    ASSERT_FAILED(status, problem, BP_ERR_CORRUPT, "3000/note.txt is no log file of Milvus");
}
END_TEST

START_TEST(test_items__below_a_prefix)
{
    const struct fixture_segment segment = {3000, FIXTURE_PARTITION, 10, 4, 0, 0};
    fake_config_free(settings);
    settings = fake_config_new("address", fake_milvus_address(fake), "storage", "data",
                               "storage_prefix", "/files", NULL);
    fixture_segments(fake, 0, &segment, 1);
    fixture_insert_logs(dir, "files/", &segment, 1);
    fixture_delta_log(dir, "files/", &segment, 2);
    ASSERT_OK(begin_unit(), problem);
    ASSERT_OK(list_all(), problem);
    ck_assert_uint_eq(seen->len, 4 + 1);
    ck_assert(has_seen("binlogs/insert_log/1000/2000/3000/3000/0/500 < "
                       "data:files/insert_log/1000/2000/3000/0/500 10 v-500"));
}
END_TEST

START_TEST(test_items__l0_segments_have_deletes_only)
{
    const struct fixture_segment segments[] = {{3000, FIXTURE_PARTITION, 10, 4, 2, 2},
                                               {3001, FIXTURE_PARTITION, 4, 4, 1, 0},
                                               {3002, -1, 4, 4, 1, 0}};
    fixture_segments(fake, 0, segments, G_N_ELEMENTS(segments));
    fixture_insert_logs(dir, "", &segments[0], 1);
    fixture_delta_log(dir, "", &segments[1], 4);
    fixture_delta_log(dir, "", &segments[2], 2);
    ASSERT_OK(begin_unit(), problem);
    ASSERT_OK(list_all(), problem);
    ck_assert_uint_eq(seen->len, 4 + 2);

    struct bp_op op = fake_op();
    struct bp_proof proof = {.struct_size = sizeof(proof)};
    ASSERT_OK(milvus_unit_prove(run, &op, UNIT, &proof, &problem), problem);
    ck_assert_uint_eq(proof.high, 10);
    ck_assert_uint_eq(proof.low, 4);
}
END_TEST

/* Without a flush, as there is nothing to wait for. */
START_TEST(test_items__pages_end_with_a_segment)
{
    struct bp_op op = fake_op();
    struct fixture_segment segments[4];
    for (int i = 0; i < 4; i++) {
        segments[i] = (struct fixture_segment){3000 + i, FIXTURE_PARTITION, 1, 4, 0, 0};
        fixture_insert_logs(dir, "", &segments[i], 100);
    }
    fixture_segments(fake, 0, segments, G_N_ELEMENTS(segments));
    open_source();
    ASSERT_OK(begin_run(BP_RUN_DRY), problem);
    ASSERT_OK(milvus_unit_begin(run, &op, &unit_args, &problem), problem);
    ASSERT_OK(list_items(NULL), problem);
    ck_assert_uint_eq(seen->len, 1200);
    ck_assert_ptr_nonnull(next_token);
    g_autofree char *token = g_strdup(next_token);
    ASSERT_OK(list_items(token), problem);
    ck_assert_uint_eq(seen->len, 1600);
    ck_assert_ptr_null(next_token);

    ASSERT_OK(milvus_unit_refresh(run, &op, &unit_args, &problem), problem);
    bp_status status = list_items(token);
    ASSERT_FAILED(status, problem, BP_ERR_INVALID, "not of this generation");
}
END_TEST

START_TEST(test_items__rows_without_files_are_an_error)
{
    const struct fixture_segment segment = {3000, FIXTURE_PARTITION, 10, 4, 0, 0};
    fixture_segments(fake, 0, &segment, 1);
    fake_dir_put(dir, "insert_log/77/1/2/0/3", "x");
    ASSERT_OK(begin_unit(), problem);
    bp_status status = list_all();
    ASSERT_FAILED(status, problem, BP_ERR_CORRUPT,
                  "collection default.books: segment 3000 has 10 rows but no insert logs");
    ck_assert_ptr_nonnull(strstr(problem.message, "storage data"));
    ck_assert_ptr_nonnull(strstr(problem.message, "insert_log/1000/ nothing"));
    ck_assert_ptr_nonnull(strstr(problem.message, "settings storage and storage_prefix"));
    ck_assert_uint_eq(seen->len, 0);
}
END_TEST

START_TEST(test_items__a_segment_compacted_away_is_stale)
{
    const struct fixture_segment old = {3000, FIXTURE_PARTITION, 10, 4, 0, 0};
    const struct fixture_segment merged = {3001, FIXTURE_PARTITION, 10, 4, 0, 0};
    fixture_segments(fake, 2, &old, 1);
    fixture_segments(fake, 0, &merged, 1);
    fixture_insert_logs(dir, "", &merged, 1);
    ASSERT_OK(begin_unit(), problem);
    bp_status status = list_all();
    ASSERT_FAILED(status, problem, BP_ERR_STALE, "segment 3000 was compacted away");
    struct bp_op op = fake_op();
    ASSERT_OK(milvus_unit_refresh(run, &op, &unit_args, &problem), problem);
    ASSERT_OK(list_all(), problem);
    ck_assert_uint_eq(seen->len, 4);
}
END_TEST

START_TEST(test_items__fields_must_have_equally_many_files)
{
    const struct fixture_segment segment = {3000, FIXTURE_PARTITION, 10, 4, 0, 0};
    fixture_segments(fake, 0, &segment, 1);
    fixture_insert_logs(dir, "", &segment, 2);
    g_autofree char *one = g_strconcat(dir, "/insert_log/1000/2000/3000/101/601", NULL);
    ck_assert_int_eq(remove(one), 0);
    ASSERT_OK(begin_unit(), problem);
    bp_status status = list_all();
    ASSERT_FAILED(status, problem, BP_ERR_CORRUPT,
                  "has 1 log files for field 101 and 2 for field 0");
}
END_TEST

START_TEST(test_items__a_file_that_is_no_log_is_an_error)
{
    const struct fixture_segment segment = {3000, FIXTURE_PARTITION, 10, 4, 0, 0};
    fixture_segments(fake, 0, &segment, 1);
    fixture_insert_logs(dir, "", &segment, 1);
    fake_dir_put(dir, "insert_log/1000/2000/3000/100/note.txt", "x");
    ASSERT_OK(begin_unit(), problem);
    bp_status status = list_all();
    ASSERT_FAILED(status, problem, BP_ERR_CORRUPT, "100/note.txt is no log file of Milvus");
}
END_TEST

START_TEST(test_items__storage_v3_is_refused)
{
    const struct fixture_segment segment = {3000, FIXTURE_PARTITION, 10, 4, 2, 3};
    fixture_segments(fake, 0, &segment, 1);
    ASSERT_OK(begin_unit(), problem);
    bp_status status = list_all();
    ASSERT_FAILED(status, problem, BP_ERR_UNSUPPORTED, "segment 3000 is stored in format 3");
}
END_TEST

START_TEST(test_begin__partition_dropped_meanwhile)
{
    const struct fixture_segment segment = {3000, 4711, 10, 4, 0, 0};
    fixture_segments(fake, 0, &segment, 1);
    ASSERT_OK(begin_unit(), problem);
    ASSERT_OK(list_all(), problem);
    ck_assert_uint_eq(seen->len, 0);
    ck_assert_ptr_nonnull(strstr(fake_host_log(), "its partition 4711 is gone"));
}
END_TEST

START_TEST(test_begin__needs_a_storage)
{
    fake_config_free(settings);
    settings = fake_config_new("address", fake_milvus_address(fake), NULL);
    open_source();
    bp_status status = begin_run(0);
    ASSERT_FAILED(status, problem, BP_ERR_INVALID, "setting storage");
    ASSERT_OK(begin_run(BP_RUN_WITHOUT_ITEMS), problem);
}
END_TEST

START_TEST(test_begin__refuses_unknown_flags)
{
    open_source();
    bp_status status = begin_run(UINT32_C(1) << 31);
    ASSERT_FAILED(status, problem, BP_ERR_INVALID, "unknown flags");
}
END_TEST

static int32_t
on_document(void *ctx, const char *key, uint32_t flags)
{
    (void)ctx;
    g_ptr_array_add(seen, g_strdup_printf("%s %u", key, flags));
    return 0;
}

static int32_t
on_bytes(void *ctx, const void *bytes, size_t n)
{
    g_string_append_len(ctx, bytes, (gssize)n);
    return 0;
}

static int32_t
on_end(void *ctx)
{
    (void)ctx;
    return 0;
}

START_TEST(test_documents__hold_what_ended_well)
{
    g_autoptr(GString) text = g_string_new(NULL);
    struct bp_document_sink sink = {.struct_size = sizeof(sink),
                                    .ctx = text,
                                    .begin = on_document,
                                    .write = on_bytes,
                                    .end = on_end};
    struct bp_op op = fake_op();
    fixture_segments(fake, 0, NULL, 0);
    ASSERT_OK(begin_unit(), problem);
    ASSERT_OK(list_all(), problem);
    ASSERT_OK(milvus_run_documents(run, &op, &sink, &problem), problem);
    ck_assert_ptr_null(strstr(text->str, "books"));
    ASSERT_OK(milvus_unit_end(run, &op, UNIT, BP_OUTCOME_DONE, &problem), problem);
    g_ptr_array_set_size(seen, 0);
    g_string_truncate(text, 0);
    ASSERT_OK(milvus_run_documents(run, &op, &sink, &problem), problem);
    ck_assert_ptr_nonnull(strstr(text->str, "\"collection_name\":\"books\""));
    ck_assert_ptr_nonnull(strstr(text->str, "\"milvus_version\":\"v2.3.5\""));
    ck_assert_ptr_nonnull(strstr(text->str, "library"));
    ck_assert_uint_eq(seen->len, 5);
    ck_assert_str_eq(seen->pdata[4], MILVUS_DOC_BACKUP " 1");
}
END_TEST

WIRE_MAIN("capture", capture_setup, capture_teardown, test_plan__tells_the_tree,
          test_plan__does_no_work_for_what_nobody_wants, test_unit_begin__unknown_flags,
          test_items__insert_and_delete_logs, test_items__a_file_that_is_no_delete_log_is_an_error,
          test_items__below_a_prefix, test_items__l0_segments_have_deletes_only,
          test_items__pages_end_with_a_segment, test_items__rows_without_files_are_an_error,
          test_items__a_segment_compacted_away_is_stale,
          test_items__fields_must_have_equally_many_files,
          test_items__a_file_that_is_no_log_is_an_error, test_items__storage_v3_is_refused,
          test_begin__partition_dropped_meanwhile, test_begin__needs_a_storage,
          test_begin__refuses_unknown_flags, test_documents__hold_what_ended_well)
