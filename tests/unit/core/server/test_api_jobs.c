/* SPDX-License-Identifier: Apache-2.0
 *
 * core/server/api_jobs: its handlers, on a supervisor with real workers.
 */
#include "core/server/api_jobs.h"

#include <fcntl.h>
#include <unistd.h>

#include "tests/unit/core/server/api_fixture.h"

START_TEST(test_start__is_done_and_can_be_looked_at)
{
    g_autofree char *path = api_start("POST", API_JOBS, "{\"verb\":\"create\",\"name\":\"b\"}");
    ck_assert(g_str_has_prefix(path, API_JOBS "/2"));
    api_wait_for(path, "succeeded");
    g_autoptr(json_t) found = api_get(path);
    ck_assert_str_eq(bp_json_text(found, "name", ""), "b");
    ck_assert_str_eq(bp_json_text(json_object_get(found, "result"), "outcome", ""), "done");
    g_autofree char *log_path = g_strconcat(path, "/log", NULL);
    g_autoptr(bp_reply) log = api_ask("GET", log_path, NULL);
    ck_assert_uint_eq(log->status, 200);
    ck_assert_str_eq(log->type, "text/plain; charset=utf-8");
    g_autofree char *cancel = g_strconcat(path, "/cancel", NULL);
    ASSERT_REFUSED("POST", cancel, NULL, 409, "has ended: succeeded");
}
END_TEST

START_TEST(test_start__refused)
{
    ASSERT_REFUSED("POST", API_JOBS, "", 400, "the body is not valid JSON");
    ASSERT_REFUSED("POST", API_JOBS, "[]", 400, "the body is not a JSON object");
    ASSERT_REFUSED("POST", API_JOBS, "{\"verb\":\"format\"}", 400, "a job's verb is 'format'");
    ASSERT_REFUSED("POST", API_JOBS, "{\"verb\":\"delete\"}", 400, "needs the name");
    ASSERT_REFUSED("POST", API_JOBS, "{\"verb\":\"create\",\"colour\":1}", 400,
                   "knows no 'colour'");
    ASSERT_REFUSED("POST", API_JOBS, "{\"verb\":\"create\",\"settings\":[\"address=evil:1\"]}", 403,
                   "settings are the configuration's");
    ASSERT_REFUSED("POST", API_JOBS, "{\"verb\":\"verify\",\"name\":\"b\",\"storage\":\"evil\"}",
                   400, "storage: there is no storage 'evil'");
    ASSERT_REFUSED("POST", API_JOBS, "{\"verb\":\"copy\",\"name\":\"b\",\"to\":\"s3://evil\"}", 400,
                   "to: there is no storage 's3://evil'");
    g_autoptr(json_t) page = api_get(API_JOBS);
    ck_assert_uint_eq(json_array_size(json_object_get(page, "jobs")), 0);
}
END_TEST

START_TEST(test_show__there_is_none)
{
    ASSERT_REFUSED("GET", API_JOBS "/20261126-014500-8c1f03", NULL, 404, "there is no job");
    ASSERT_REFUSED("GET", API_JOBS "/lock", NULL, 404, "there is no job");
    ASSERT_REFUSED("GET", API_JOBS "/x/log", NULL, 404, "there is no job");
    ASSERT_REFUSED("POST", API_JOBS "/x/cancel", NULL, 404, "there is no job");
}
END_TEST

START_TEST(test_show__waits_until_it_is_over)
{
    g_autofree char *path = api_start("POST", API_JOBS, "{\"verb\":\"create\",\"name\":\"b\"}");
    g_autofree char *waiting = g_strconcat(path, "?wait=60", NULL);
    g_autoptr(json_t) found = api_get(waiting);
    ck_assert_str_eq(bp_json_text(found, "state", "?"), "succeeded");
    g_autofree char *over = g_strconcat(path, "?wait=61", NULL);
    ASSERT_REFUSED("GET", over, NULL, 400, "wait is a number from 0 to 60");
    g_autofree char *unknown = g_strconcat(path, "?until=1", NULL);
    ASSERT_REFUSED("GET", unknown, NULL, 400, "there is no parameter 'until'");
    ASSERT_REFUSED("GET", API_JOBS "/20261126-014500-8c1f03?wait=60", NULL, 404, "there is no job");
}
END_TEST

START_TEST(test_start__once_for_each_key)
{
    static const char body[] = "{\"verb\":\"create\",\"name\":\"b\"}";
    static const char same[] = "{ \"name\": \"b\", \"verb\": \"create\" }";
    static const char other[] = "{\"verb\":\"create\",\"name\":\"c\"}";
    g_autoptr(bp_reply) first = api_ask_with_key("POST", API_JOBS, body, "k1");
    ck_assert_uint_eq(first->status, 202);
    g_autoptr(bp_reply) again = api_ask_with_key("POST", API_JOBS, same, "k1");
    ck_assert_uint_eq(again->status, 200);
    ck_assert_str_eq(api_header(again, "Location"), api_header(first, "Location"));
    g_autoptr(bp_reply) misused = api_ask_with_key("POST", API_JOBS, other, "k1");
    ck_assert_uint_eq(misused->status, 422);
    ck_assert_ptr_nonnull(strstr(misused->body, "the key belongs to job 2"));
    g_autoptr(bp_reply) broken = api_ask_with_key("POST", API_JOBS, body, "");
    ck_assert_uint_eq(broken->status, 400);
    api_wait_for(api_header(first, "Location"), "succeeded");
    g_autoptr(bp_reply) late = api_ask_with_key("POST", API_JOBS, body, "k1");
    ck_assert_uint_eq(late->status, 200);
    g_autoptr(json_t) page = api_get(API_JOBS);
    ck_assert_uint_eq(json_array_size(json_object_get(page, "jobs")), 1);
    const json_t *job = json_array_get(json_object_get(page, "jobs"), 0);
    ck_assert_str_eq(bp_json_text(job, "origin", "?"), "rest-v2");
}
END_TEST

START_TEST(test_start__another_job_is_at_it)
{
    static const char body[] = "{\"verb\":\"create\",\"name\":\"b\"}";
    for (guint i = 0; i < 320; i++) { /* half a minute, unless it is cancelled */
        g_autofree char *file = g_strdup_printf("data/default/books/more-%u", i);
        verb_write(file, "more");
    }
    g_setenv("BP_FAULT", "storage.write:backups:delay=1s", TRUE); /* of the worker */
    g_autofree char *path = api_start("POST", API_JOBS, body);
    ASSERT_REFUSED("POST", API_JOBS, body, 409, "job 2");
    g_autoptr(bp_reply) keyed = api_ask_with_key("POST", API_JOBS, body, "new");
    ck_assert_uint_eq(keyed->status, 409);
    g_autofree char *cancel = g_strconcat(path, "/cancel", NULL);
    ASSERT_REFUSED("POST", cancel, "{\"force\":true}", 400, "knows no 'force'");
    g_autoptr(bp_reply) cancelled = api_ask("POST", cancel, NULL);
    ck_assert_uint_eq(cancelled->status, 202);
    api_wait_for(path, "cancelled");
    g_unsetenv("BP_FAULT");
}
END_TEST

START_TEST(test_start__busy)
{
    static const char body[] = "{\"verb\":\"create\",\"name\":\"b\"}";
    g_autofree char *lock = g_build_filename(verb_root, "state", "jobs", "lock", NULL);
    int other = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600); /* as another process would */
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    ck_assert_int_eq(fcntl(other, F_OFD_SETLK, &whole), 0);
    g_autoptr(bp_reply) busy = api_ask("POST", API_JOBS, body);
    ck_assert_uint_eq(busy->status, 503);
    ck_assert_str_eq(api_header(busy, "Retry-After"), "1");
    close(other);
    g_autofree char *path = api_start("POST", API_JOBS, body);
    api_wait_for(path, "succeeded");
}
END_TEST

START_TEST(test_list__in_pages)
{
    static const char *const bodies[] = {"{\"verb\":\"create\",\"name\":\"a\"}",
                                         "{\"verb\":\"create\",\"name\":\"b\"}",
                                         "{\"verb\":\"delete\",\"name\":\"none\"}"};
    static const char *const ends[] = {"succeeded", "succeeded", "failed"};
    for (gsize i = 0; i < G_N_ELEMENTS(bodies); i++) {
        g_autofree char *path = api_start("POST", API_JOBS, bodies[i]);
        api_wait_for(path, ends[i]);
    }
    g_autoptr(json_t) first = api_get(API_JOBS "?limit=2");
    const json_t *list = json_object_get(first, "jobs");
    ck_assert_uint_eq(json_array_size(list), 2);
    const char *cursor = bp_json_text(first, "next", "");
    ck_assert_str_eq(cursor, bp_json_text(json_array_get(list, 1), "id", "?"));
    g_autofree char *next = g_strconcat(API_JOBS "?limit=2&cursor=", cursor, NULL);
    g_autoptr(json_t) second = api_get(next);
    ck_assert_uint_eq(json_array_size(json_object_get(second, "jobs")), 1);
    ck_assert_ptr_null(json_object_get(second, "next"));
    g_autoptr(json_t) failed = api_get(API_JOBS "?state=failed");
    ck_assert_uint_eq(json_array_size(json_object_get(failed, "jobs")), 1);
}
END_TEST

START_TEST(test_list__parameters)
{
    ASSERT_REFUSED("GET", API_JOBS "?limit=0", NULL, 400, "limit is a number from 1 to 1000");
    ASSERT_REFUSED("GET", API_JOBS "?limit=1001", NULL, 400, "limit is a number");
    ASSERT_REFUSED("GET", API_JOBS "?limit=", NULL, 400, "limit is a number");
    ASSERT_REFUSED("GET", API_JOBS "?state=resting", NULL, 400, "there is no state 'resting'");
    ASSERT_REFUSED("GET", API_JOBS "?stat=failed", NULL, 400, "there is no parameter 'stat'");
}
END_TEST

int
main(void)
{
    return RUN_SUITE("server/api_jobs", api_setup, api_teardown,
                     test_start__is_done_and_can_be_looked_at, test_start__refused,
                     test_start__once_for_each_key, test_start__another_job_is_at_it,
                     test_start__busy, test_show__there_is_none, test_show__waits_until_it_is_over,
                     test_list__in_pages, test_list__parameters);
}
