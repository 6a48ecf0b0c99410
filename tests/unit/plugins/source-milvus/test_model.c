/* SPDX-License-Identifier: Apache-2.0
 *
 * The model's lists and sums, and the keys built from it.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/source-milvus/layout.h"

START_TEST(test_kv_get__last_of_several_wins)
{
    g_autoptr(GArray) list = milvus_kv_list_new();
    ck_assert_ptr_null(milvus_kv_get(list, "a"));
    milvus_kv_add(list, "a", "1");
    milvus_kv_add(list, "b", NULL);
    milvus_kv_add(list, "a", "2");
    ck_assert_str_eq(milvus_kv_get(list, "a"), "2");
    ck_assert_str_eq(milvus_kv_get(list, "b"), "");
    ck_assert_uint_eq(list->len, 3);
}
END_TEST

START_TEST(test_logs_sort__orders_and_drops_repetitions)
{
    g_autoptr(milvus_segment) segment = milvus_segment_new(1, 2, 3);
    const int64_t ids[][2] = {{101, 5}, {0, 9}, {101, 4}, {101, 5}, {0, 9}};
    for (size_t i = 0; i < G_N_ELEMENTS(ids); i++) {
        milvus_log_add(segment->insert_logs, ids[i][0], ids[i][1], 10);
    }
    milvus_logs_sort(segment->insert_logs);
    ck_assert_uint_eq(segment->insert_logs->len, 3);
    ck_assert_int_eq(g_array_index(segment->insert_logs, struct milvus_log, 0).log_id, 9);
    ck_assert_int_eq(g_array_index(segment->insert_logs, struct milvus_log, 1).log_id, 4);
    ck_assert_int_eq(milvus_segment_size(segment), 30);
}
END_TEST

START_TEST(test_sizes__collection_counts_its_l0)
{
    g_autoptr(milvus_collection) collection = milvus_collection_new(NULL, "c");
    ck_assert_str_eq(collection->db_name, "default");
    struct milvus_partition *partition = milvus_partition_new(1, 2, "p");
    struct milvus_segment *segment = milvus_segment_new(1, 2, 3);
    milvus_log_add(segment->insert_logs, 0, 4, 100);
    milvus_log_add(segment->delta_logs, 0, 5, 20);
    g_ptr_array_add(partition->segments, segment);
    g_ptr_array_add(collection->partitions, partition);
    struct milvus_segment *l0 = milvus_segment_new(1, MILVUS_ALL_PARTITIONS, 6);
    milvus_log_add(l0->delta_logs, 0, 7, 3);
    g_ptr_array_add(collection->l0_segments, l0);
    ck_assert_int_eq(milvus_partition_size(partition), 120);
    ck_assert_int_eq(milvus_collection_size(collection), 123);
}
END_TEST

START_TEST(test_keys__with_and_without_group)
{
    g_autoptr(milvus_segment) segment = milvus_segment_new(1, 2, 3);
    const struct milvus_log log = {.field_id = 100, .log_id = 9};
    g_autofree char *insert = milvus_insert_key(segment, &log);
    g_autofree char *delta = milvus_delta_key(segment, &log);
    g_autofree char *group = milvus_backup_dir_group(segment, MILVUS_INSERT_LOG);
    ck_assert_str_eq(insert, "binlogs/insert_log/1/2/3/3/100/9");
    ck_assert_str_eq(delta, "binlogs/delta_log/1/2/3/3/9");
    ck_assert_str_eq(group, "binlogs/insert_log/1/2/3/");
    g_autofree char *source = milvus_source_insert_key(segment, &log);
    g_autofree char *source_delta = milvus_source_delta_key(segment, &log);
    ck_assert_str_eq(source, "insert_log/1/2/3/100/9");
    ck_assert_str_eq(source_delta, "delta_log/1/2/3/9");
    segment->group_id = 0;
    g_autofree char *old = milvus_insert_key(segment, &log);
    g_autofree char *old_group = milvus_backup_dir_group(segment, MILVUS_INSERT_LOG);
    ck_assert_str_eq(old, "binlogs/insert_log/1/2/3/100/9");
    ck_assert_str_eq(old_group, "binlogs/insert_log/1/2/3/");
}
END_TEST

START_TEST(test_keys__l0_of_all_partitions)
{
    g_autoptr(milvus_segment) segment = milvus_segment_new(1, MILVUS_ALL_PARTITIONS, 3);
    const struct milvus_log log = {.log_id = 9};
    g_autofree char *key = milvus_delta_key(segment, &log);
    ck_assert_str_eq(key, "binlogs/delta_log/1/-1/3/9");
}
END_TEST

START_TEST(test_unit_ids__find_the_collection)
{
    g_autoptr(milvus_backup) backup = milvus_backup_new();
    struct milvus_collection *collection = milvus_collection_new("db", "c");
    collection->id = 470643041033135877;
    g_ptr_array_add(backup->collections, collection);
    ck_assert_ptr_eq(milvus_backup_find(backup, "collection/470643041033135877"), collection);
    ck_assert_ptr_null(milvus_backup_find(backup, "collection/47064304103313587"));
    ck_assert_ptr_null(milvus_backup_find(backup, "database/db"));
}
END_TEST

START_TEST(test_load_state__text_and_back)
{
    for (int state = MILVUS_LOAD_NOT_EXIST; state <= MILVUS_LOAD_LOADED; state++) {
        const char *text = milvus_load_state_text((enum milvus_load_state)state);
        ck_assert_int_eq(milvus_load_state_parse(text), state);
    }
    ck_assert_int_eq(milvus_load_state_parse("?"), MILVUS_LOAD_NOT_EXIST);
    ck_assert_int_eq(milvus_load_state_parse(NULL), MILVUS_LOAD_NOT_EXIST);
}
END_TEST

START_TEST(test_type_is_vector__bounds)
{
    ck_assert(!milvus_type_is_vector(99));
    ck_assert(milvus_type_is_vector(100));
    ck_assert(milvus_type_is_vector(106));
    ck_assert(!milvus_type_is_vector(107));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("model");
    TCase *tcase = tcase_create("model");
    tcase_add_test(tcase, test_kv_get__last_of_several_wins);
    tcase_add_test(tcase, test_logs_sort__orders_and_drops_repetitions);
    tcase_add_test(tcase, test_sizes__collection_counts_its_l0);
    tcase_add_test(tcase, test_keys__with_and_without_group);
    tcase_add_test(tcase, test_keys__l0_of_all_partitions);
    tcase_add_test(tcase, test_unit_ids__find_the_collection);
    tcase_add_test(tcase, test_load_state__text_and_back);
    tcase_add_test(tcase, test_type_is_vector__bounds);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
