/* SPDX-License-Identifier: Apache-2.0
 *
 * core/compat/tell_v1: what backups and jobs look like there.
 */
#include "core/compat/tell_v1.h"

#include "core/base/json.h"
#include "tests/harness/suite.h"

#define ENTRY                                                                                      \
    "{\"name\":\"b\",\"status\":\"success\",\"started\":\"2026-11-26T01:00:00.250Z\",\"finished\"" \
    ":\"2026-11-26T01:00:02.000Z\",\"bytes\":7,\"server_version\":\"v2.4.0\"}"
#define STARTED_S G_GINT64_CONSTANT(1795654800)

#define TIMES "\"start_time\":1795654800,\"end_time\":1795654802"

static json_t *
parsed(const char *text)
{
    json_t *value = json_loads(text, 0, NULL);
    ck_assert_msg(value != NULL, "%s", text);
    return value;
}

static json_int_t
number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static json_t *
tell_document(const char *text, const char *id, bool simple, GError **error)
{
    g_autoptr(json_t) entry = parsed(ENTRY);
    bp_v1_told told = {.id = id, .entry = entry, .simple = simple};
    return bp_v1_tell_document(text, strlen(text), &told, error);
}

START_TEST(test_document__is_completed)
{
    /* As 0.5 leaves it: still being made, and without an end. */
    static const char text[] =
        "{\"id\":\"i\",\"state_code\":1,\"start_time\":5,\"name\":\"other\",\"size\":9,"
        "\"rbac_meta\":{\"users\":[]},\"bakplane_log_root\":\"x\",\"collection_backups\":[{"
        "\"collection_name\":\"c\",\"partition_backups\":[{\"partition_id\":1}],"
        "\"l0_segments\":[{\"segment_id\":2}]}]}";
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) info = tell_document(text, NULL, false, &error);
    ASSERT_FINE(info != NULL, error);
    ck_assert_int_eq(number(info, "state_code"), BP_V1_DONE);
    ck_assert_int_eq(number(info, "progress"), 100);
    ck_assert_int_eq(number(info, "start_time"), 5);
    ck_assert_int_eq(number(info, "end_time"), (STARTED_S + 2) * 1000);
    ck_assert_int_eq(number(info, "size"), 9);
    ck_assert_int_eq(number(info, "meta_size"), sizeof text - 1);
    ck_assert_str_eq(bp_json_text(info, "id", ""), "i");
    ck_assert_str_eq(bp_json_text(info, "name", ""), "b");
    ck_assert_ptr_null(json_object_get(info, "rbac_meta"));
    ck_assert_ptr_null(json_object_get(info, "bakplane_log_root"));
    const json_t *one = json_array_get(json_object_get(info, "collection_backups"), 0);
    ck_assert_int_eq(number(one, "state_code"), BP_V1_DONE);
    ck_assert_uint_eq(json_array_size(json_object_get(one, "partition_backups")), 1);
}
END_TEST

START_TEST(test_document__simple_and_with_another_id)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) info =
        tell_document("{\"id\":\"i\",\"collection_backups\":[{\"collection_name\":\"c\","
                      "\"partition_backups\":[{}],\"l0_segments\":[{}]}]}",
                      "job", true, &error);
    ASSERT_FINE(info != NULL, error);
    ck_assert_str_eq(bp_json_text(info, "id", ""), "job");
    const json_t *one = json_array_get(json_object_get(info, "collection_backups"), 0);
    ck_assert_str_eq(bp_json_text(one, "collection_name", ""), "c");
    ck_assert_ptr_null(json_object_get(one, "partition_backups"));
    ck_assert_ptr_null(json_object_get(one, "l0_segments"));
}
END_TEST

START_TEST(test_document__is_none)
{
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(tell_document("[", NULL, false, &error));
    ASSERT_ERROR(error, BP_ERR_CORRUPT, "meta/full_meta.json");
    ck_assert_ptr_null(
        tell_document("{\"collection_backups\":[{\"size\":\"7\"}]}", NULL, false, &error));
    ASSERT_ERROR(error, BP_ERR_CORRUPT, "collection_backups: number 1: size: ");
}
END_TEST

START_TEST(test_entry__of_each_status)
{
    static const struct {
        const char *status;
        bp_v1_state state;
        const char *message;
    } cases[] = {
        {"success", BP_V1_DONE, ""},
        {"foreign", BP_V1_DONE, ""},
        {"running", BP_V1_EXECUTING, ""},
        {"running (stale)", BP_V1_FAILED, "it is running (stale)"},
        {"failed", BP_V1_FAILED, "it is failed"},
        {"incomplete", BP_V1_FAILED, "it is incomplete"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(json_t) entry = parsed(ENTRY);
        bp_json_set_text(entry, "status", cases[i].status);
        bp_v1_told told = {.entry = entry};
        g_autoptr(json_t) info = bp_v1_tell_entry(&told);
        ck_assert_int_eq(number(info, "state_code"), cases[i].state);
        ck_assert_str_eq(bp_json_text(info, "errorMessage", ""), cases[i].message);
        ck_assert_int_eq(number(info, "start_time"), STARTED_S * 1000 + 250);
        ck_assert_int_eq(number(info, "size"), 7);
        ck_assert_str_eq(bp_json_text(info, "milvus_version", ""), "v2.4.0");
    }
}
END_TEST

START_TEST(test_state__of_each_job)
{
    static const struct {
        const char *job;
        bp_v1_state state;
    } cases[] = {
        {"{\"state\":\"queued\"}", BP_V1_INITIAL},
        {"{\"state\":\"running\"}", BP_V1_EXECUTING},
        {"{\"state\":\"cancelling\"}", BP_V1_EXECUTING},
        {"{\"state\":\"succeeded\"}", BP_V1_DONE},
        {"{\"state\":\"different\"}", BP_V1_DONE},
        {"{\"state\":\"failed\"}", BP_V1_FAILED},
        {"{\"state\":\"cancelled\"}", BP_V1_FAILED},
        {"{\"state\":\"unreadable\"}", BP_V1_FAILED},
        {"{\"state\":\"interrupted\",\"origin\":\"cli\"}", BP_V1_FAILED},
        {"{\"state\":\"interrupted\",\"origin\":\"rest-v1\"}", BP_V1_EXECUTING},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(json_t) job = parsed(cases[i].job);
        ck_assert_msg(bp_v1_state_of_job(job) == cases[i].state, "%s", cases[i].job);
    }
}
END_TEST

START_TEST(test_create__as_far_as_it_is)
{
    g_autoptr(json_t) job = parsed("{\"id\":\"j\",\"name\":\"b\",\"state\":\"running\",\"created\":"
                                   "\"2026-11-26T01:00:00.000Z\",\"progress\":{\"bytes_done\":250,"
                                   "\"bytes_total\":1000}}");
    g_autoptr(json_t) info = bp_v1_tell_create(job);
    g_autofree char *line = bp_json_line(info);
    ck_assert_str_eq(line, "{\"id\":\"j\",\"state_code\":1,\"start_time\":1795654800000,"
                           "\"progress\":25,\"name\":\"b\",\"size\":250}");
}
END_TEST

START_TEST(test_create__that_failed)
{
    g_autoptr(json_t) job =
        parsed("{\"id\":\"j\",\"name\":\"b\",\"state\":\"failed\",\"ended\":"
               "\"2026-11-26T01:00:00.000Z\",\"error\":{\"message\":\"no way\",\"hint\":\"go\"}}");
    g_autoptr(json_t) info = bp_v1_tell_create(job);
    g_autofree char *line = bp_json_line(info);
    ck_assert_str_eq(line, "{\"id\":\"j\",\"state_code\":3,\"errorMessage\":\"no way (go)\","
                           "\"end_time\":1795654800000,\"progress\":0,\"name\":\"b\",\"size\":0}");
}
END_TEST

START_TEST(test_restore__with_its_targets)
{
    g_autoptr(json_t) job =
        parsed("{\"id\":\"j\",\"state\":\"failed\",\"created\":\"2026-11-26T01:00:00.900Z\","
               "\"ended\":\"2026-11-26T01:00:02.000Z\",\"error\":{\"message\":\"one "
               "failed\"},\"result\":{\"targets\":["
               "{\"to\":\"d.a\",\"state\":\"complete\"},{\"to\":\"d.b\",\"state\":\"failed\","
               "\"error\":\"why\"},{\"to\":\"c\",\"state\":\"untouched\"}]}}");
    g_autoptr(json_t) task = bp_v1_tell_restore(job, "mine");
    ck_assert_str_eq(bp_json_text(task, "id", ""), "mine");
    ck_assert_int_eq(number(task, "start_time"), STARTED_S); /* in seconds, unlike backups */
    ck_assert_str_eq(bp_json_text(task, "errorMessage", ""), "one failed");
    g_autofree char *line = bp_json_line(json_object_get(task, "collection_restore_tasks"));
    ck_assert_str_eq(
        line, "[{\"id\":\"mine_1\",\"state_code\":2,\"progress\":100," TIMES ",\"target_db_name\":"
              "\"d\",\"target_collection_name\":\"a\"},{\"id\":\"mine_2\",\"state_code\":3,"
              "\"progress\":0," TIMES ",\"errorMessage\":\"why\",\"target_db_name\":\"d\","
              "\"target_collection_name\":\"b\"},{\"id\":\"mine_3\",\"state_code\":0,"
              "\"progress\":0," TIMES ",\"target_collection_name\":\"c\"}]");
}
END_TEST

START_TEST(test_restore__that_cannot_be_proven)
{
    g_autoptr(json_t) job = parsed("{\"state\":\"different\"}");
    g_autoptr(json_t) task = bp_v1_tell_restore(job, "mine");
    ck_assert_int_eq(number(task, "state_code"), BP_V1_DONE);
    ck_assert_str_eq(bp_json_text(task, "errorMessage", ""),
                     "done, but not all of it can be proven");
    g_autoptr(json_t) begun = parsed("{\"state\":\"running\"}");
    g_autoptr(json_t) started = bp_v1_tell_restore(begun, "mine");
    ck_assert_int_eq(number(started, "progress"), 1);
}
END_TEST

int
main(void)
{
    return RUN_SUITE("compat/tell_v1", NULL, NULL, test_document__is_completed,
                     test_document__simple_and_with_another_id, test_document__is_none,
                     test_entry__of_each_status, test_state__of_each_job,
                     test_create__as_far_as_it_is, test_create__that_failed,
                     test_restore__with_its_targets, test_restore__that_cannot_be_proven);
}
