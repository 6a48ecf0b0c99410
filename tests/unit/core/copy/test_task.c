/* SPDX-License-Identifier: Apache-2.0
 *
 * A task keeps its own copy of all texts.
 */
#include "core/copy/task.h"
#include "fixture.h"

#include "sdk/lib/ban.h"

START_TEST(test_task_new__copies_texts)
{
    char src[] = "src", etag[] = "e", unit[] = "unit", dst[] = "destination", label[] = "mine";
    bp_copy_item item = {.src_key = src,
                         .src_etag = etag,
                         .unit_id = unit,
                         .dst_key = dst,
                         .size = 9,
                         .tag = 4,
                         .label = label};
    bp_copy_task *task = bp_copy_task_new(NULL, &item);
    memset(src, 'x', sizeof src);
    memset(etag, 'x', sizeof etag);
    memset(unit, 'x', sizeof unit);
    memset(dst, 'x', sizeof dst);
    memset(label, 'x', sizeof label);
    ck_assert_str_eq(task->item.src_key, "src");
    ck_assert_str_eq(task->item.src_etag, "e");
    ck_assert_str_eq(task->item.unit_id, "unit");
    ck_assert_str_eq(task->item.dst_key, "destination");
    ck_assert_uint_eq(task->item.tag, 4);
    ck_assert_str_eq(task->item.label, "mine");
    bp_copy_task_free(task);
}
END_TEST

START_TEST(test_task_new__missing_texts_stay_missing)
{
    bp_copy_item item = {.src_key = "", .dst_key = "d"};
    bp_copy_task *task = bp_copy_task_new(NULL, &item);
    ck_assert_str_eq(task->item.src_key, "");
    ck_assert_ptr_null(task->item.src_etag);
    ck_assert_ptr_null(task->item.unit_id);
    ck_assert_ptr_null(task->item.label);
    bp_copy_task_free(task);
    bp_copy_task_free(NULL);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("copy/task");
    TCase *tc = tcase_create("task");
    tcase_add_test(tc, test_task_new__copies_texts);
    tcase_add_test(tc, test_task_new__missing_texts_stay_missing);
    suite_add_tcase(suite, tc);
    return test_run(suite);
}
