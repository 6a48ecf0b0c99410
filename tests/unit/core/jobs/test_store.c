/* SPDX-License-Identifier: Apache-2.0
 *
 * core/jobs/store: what others see of jobs that run, ended or were killed.
 */
#include "core/jobs/store.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/jobs/store_internal.h"
#include "tests/unit/core/jobs/jobs_fixture.h"

START_TEST(test_list__there_never_was_a_job)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) list = bp_jobs_list(jobs, NULL, &error);
    ASSERT_FINE(list != NULL, error);
    ck_assert_uint_eq(json_array_size(list), 0);
}
END_TEST

START_TEST(test_list__newest_first_and_by_state)
{
    g_autoptr(bp_ticket) one = jobs_take("a", NULL, NULL);
    g_autoptr(bp_ticket) two = jobs_take("b", NULL, NULL);
    g_autoptr(json_t) result = json_object();
    ck_assert(bp_ticket_finish(one, "succeeded", result, NULL));
    g_autoptr(json_t) all = bp_jobs_list(jobs, NULL, NULL);
    ck_assert_uint_eq(json_array_size(all), 2);
    g_autoptr(json_t) running = bp_jobs_list(jobs, "running", NULL);
    ck_assert_uint_eq(json_array_size(running), 1);
    ck_assert_str_eq(bp_json_text(json_array_get(running, 0), "name", ""), "b");
    const char *first = bp_json_text(json_array_get(all, 0), "id", "");
    ck_assert_int_gt(strcmp(first, bp_json_text(json_array_get(all, 1), "id", "")), 0);
}
END_TEST

START_TEST(test_get__there_is_none)
{
    static const char *const ids[] = {"20261126-014500-8c1f03", "../jobs", "", "lock"};
    for (gsize i = 0; i < G_N_ELEMENTS(ids); i++) {
        g_autoptr(GError) error = NULL;
        ck_assert_ptr_null(bp_jobs_get(jobs, ids[i], &error));
        ASSERT_ERROR(error, BP_ERR_NOT_FOUND, "there is no job");
    }
}
END_TEST

START_TEST(test_get__killed_is_interrupted_at_once)
{
    g_autoptr(GError) error = NULL;
    jobs_child child = jobs_start("b", NULL);
    g_autofree char *id = g_strdup(child.id);
    jobs_state_is(id, "running");
    ck_assert(WIFSIGNALED(jobs_end(&child, SIGKILL)));
    g_autoptr(json_t) job = bp_jobs_get(jobs, id, &error);
    ASSERT_FINE(job != NULL, error);
    ck_assert_str_eq(bp_json_text(job, "state", ""), "interrupted");
    ck_assert_ptr_nonnull(json_object_get(job, "ended"));
    ck_assert_str_eq(bp_json_text(json_object_get(job, "error"), "hint", ""),
                     "create -n b --resume goes on with it");
}
END_TEST

START_TEST(test_settle__the_next_job_puts_it_down)
{
    jobs_child child = jobs_start("b", NULL);
    g_autofree char *id = g_strdup(child.id);
    (void)jobs_end(&child, SIGKILL);
    ck_assert(jobs_exists(id, "lock"));
    g_autoptr(bp_ticket) next = jobs_take("b", NULL, NULL); /* the dead one is in nobody's way */
    ck_assert_ptr_nonnull(next);
    ck_assert(!jobs_exists(id, "lock"));
    jobs_state_is(id, "interrupted");
}
END_TEST

START_TEST(test_record__of_a_newer_version)
{
    const char *id = "20261126-014500-8c1f03";
    g_autoptr(GError) error = NULL;
    jobs_write(id, "record.json", "{\"version\":2,\"state\":\"resting\"}");
    ck_assert_ptr_null(bp_jobs_get(jobs, id, &error));
    ASSERT_ERROR(error, BP_ERR_UNSUPPORTED, "has version 2, this bakplane reads 1");
    g_autoptr(json_t) list = bp_jobs_list(jobs, NULL, NULL);
    ck_assert_str_eq(bp_json_text(json_array_get(list, 0), "state", ""), "unreadable");
    ck_assert_str_eq(bp_json_text(json_array_get(list, 0), "created", ""),
                     "2026-11-26T01:45:00.000Z");
}
END_TEST

START_TEST(test_record__torn)
{
    const char *id = "20261126-014500-8c1f03";
    g_autoptr(GError) error = NULL;
    jobs_write(id, "record.json", "{\"version\":1,\"st");
    ck_assert_ptr_null(bp_jobs_get(jobs, id, &error));
    ASSERT_ERROR(error, BP_ERR_CORRUPT, "record of job 20261126-014500-8c1f03");
}
END_TEST

START_TEST(test_cancel__is_signalled_once)
{
    g_autoptr(GError) error = NULL;
    jobs_child child = jobs_start("b", NULL);
    g_autofree char *id = g_strdup(child.id);
    ASSERT_FINE(bp_jobs_cancel(jobs, id, &error), error);
    int status = jobs_end(&child, 0);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    jobs_state_is(id, "cancelled");
    ck_assert(!bp_jobs_cancel(jobs, id, &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "has ended: cancelled");
}
END_TEST

START_TEST(test_cancel__was_asked_before)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(bp_ticket) ours = jobs_take("b", NULL, NULL);
    const char *id = bp_ticket_id(ours);
    jobs_write(id, "cancel", "told\n");
    jobs_state_is(id, "cancelling");
    ASSERT_FINE(bp_jobs_cancel(jobs, id, &error), error); /* a signal would end this test */
}
END_TEST

START_TEST(test_cancel__who_asked_before_was_killed)
{
    g_autoptr(GError) error = NULL;
    jobs_child child = jobs_start("b", NULL);
    g_autofree char *id = g_strdup(child.id);
    jobs_write(id, "cancel", ""); /* it was killed before it sent the signal */
    ASSERT_FINE(bp_jobs_cancel(jobs, id, &error), error);
    int status = jobs_end(&child, 0);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    jobs_state_is(id, "cancelled");
}
END_TEST

START_TEST(test_cancel__who_asks_is_stopped)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(bp_ticket) ours = jobs_take("b", NULL, NULL);
    g_autofree char *path = jobs_path(bp_ticket_id(ours), NULL);
    bp_lock_wait once = {0};
    int asking = bp_jobs__lock(path, "cancel", &once, &error);
    ASSERT_FINE(asking >= 0, error);
    ck_assert(!bp_jobs_cancel(jobs, bp_ticket_id(ours), &error));
    ASSERT_ERROR(error, BP_ERR_RETRYABLE, "is held by another process");
    ck_assert(jobs_exists(bp_ticket_id(ours), "cancel")); /* it is the other one's */
    close(asking);
}
END_TEST

static void
hint_is(const char *id, const char *hint)
{
    g_autoptr(json_t) job = bp_jobs_get(jobs, id, NULL);
    ck_assert_str_eq(bp_json_text(json_object_get(job, "error"), "hint", ""), hint);
}

/* Its server is down, or has not looked yet: whoever takes it up next is told by the mark. */
START_TEST(test_cancel__interrupted_of_a_server)
{
    const char *id = "20261126-014500-8c1f03";
    g_autoptr(GError) error = NULL;
    jobs_write(
        id, "record.json",
        "{\"version\":1,\"id\":\"20261126-014500-8c1f03\",\"verb\":\"create\",\"name\":\"b\","
        "\"state\":\"running\",\"supervised\":true}");
    g_autoptr(json_t) record = bp_jobs__record(jobs, id, NULL);
    g_autoptr(json_t) worker = bp_jobs__self();
    json_object_set_new(worker, "start", json_integer(1)); /* its number is another's now */
    json_object_set(record, "worker", worker);
    ck_assert(bp_jobs__write_record(jobs, id, record, NULL));
    jobs_write(id, "lock", "");
    jobs_state_is(id, "interrupted");
    hint_is(id, "bakplane server goes on with it");
    ASSERT_FINE(bp_jobs_cancel(jobs, id, &error), error);
    ck_assert(jobs_exists(id, "cancel"));
    hint_is(id, "it was asked to stop: bakplane server puts that down");
}
END_TEST

START_TEST(test_cancel__never_another_process)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(bp_ticket) ours = jobs_take("b", NULL, NULL);
    const char *id = bp_ticket_id(ours);
    g_autoptr(json_t) record = bp_jobs__record(jobs, id, NULL);
    json_object_set_new(json_object_get(record, "worker"), "start", json_integer(1));
    ck_assert(bp_jobs__write_record(jobs, id, record, NULL));
    ck_assert(!bp_jobs_cancel(jobs, id, &error));
    ASSERT_ERROR(error, BP_ERR_NOT_FOUND, "its process is gone");
    ck_assert(!jobs_exists(id, "cancel"));
}
END_TEST

static void
make_ended(const char *id)
{
    g_autofree char *text =
        g_strdup_printf("{\"version\":1,\"id\":\"%s\",\"state\":\"succeeded\"}", id);
    jobs_write(id, "record.json", text);
    jobs_write(id, "result.json", "{}");
}

START_TEST(test_remove_old__keeps_the_newest_and_the_running)
{
    g_autoptr(bp_ticket) live = jobs_take("b", NULL, NULL);
    make_ended("20991126-014500-000001"); /* newer than the one that runs */
    make_ended("20991126-014500-000002");
    bp_jobs__remove_old(jobs, 1, bp_jobs__id_ns("20991126-014501-000000"));
    ck_assert(jobs_exists(bp_ticket_id(live), "record.json"));
    ck_assert(!jobs_exists("20991126-014500-000001", NULL));
    ck_assert(!jobs_exists("20991126-014500-000002", NULL));
}
END_TEST

START_TEST(test_remove_old__by_age)
{
    make_ended("20260801-000000-000001");
    make_ended("20260901-000000-000001");
    bp_jobs__remove_old(jobs, 1000, bp_jobs__id_ns("20261115-000000-000000"));
    ck_assert(!jobs_exists("20260801-000000-000001", NULL));
    ck_assert(jobs_exists("20260901-000000-000001", "record.json"));
}
END_TEST

START_TEST(test_remove_old__a_clock_far_ahead)
{
    for (guint i = 0; i < 10; i++) {
        g_autofree char *id = g_strdup_printf("20261101-000000-00000%u", i);
        make_ended(id);
    }
    bp_jobs__remove_old(jobs, 1000, bp_jobs__id_ns("20991115-000000-000000"));
    g_autoptr(json_t) list = bp_jobs_list(jobs, NULL, NULL);
    ck_assert_uint_eq(json_array_size(list), 10 - BP_JOBS_AGED_AT_ONCE);
    ck_assert(!jobs_exists("20261101-000000-000000", NULL)); /* the oldest went */
}
END_TEST

/* A server's jobs while it is down: one waits for it, one had ended when it was killed. */
START_TEST(test_remove_old__what_waits_for_its_server)
{
    static const char *const states[] = {"queued", "running", "failed"};
    for (guint i = 0; i < G_N_ELEMENTS(states); i++) {
        g_autofree char *id = g_strdup_printf("20260801-000000-00000%u", i);
        g_autofree char *text = g_strdup_printf("{\"version\":1,\"id\":\"%s\",\"state\":\"%s\","
                                                "\"supervised\":true}",
                                                id, states[i]);
        jobs_write(id, "record.json", text);
        jobs_write(id, "lock", "");
    }
    bp_jobs__remove_old(jobs, 1, bp_jobs__id_ns("20261115-000000-000000"));
    ck_assert(jobs_exists("20260801-000000-000000", "record.json"));
    ck_assert(jobs_exists("20260801-000000-000001", "record.json"));
    ck_assert(!jobs_exists("20260801-000000-000002", NULL));
}
END_TEST

START_TEST(test_id__its_time)
{
    gint64 at = bp_jobs__id_ns("20261126-014500-8c1f03");
    g_autofree char *id = bp_jobs__new_id(at);
    ck_assert(g_str_has_prefix(id, "20261126-014500-000"));
    ck_assert_int_eq(bp_jobs__id_ns(id), at);
    ck_assert_int_eq(bp_jobs__id_ns("20261126-014500-8c1f0"), 0);
    ck_assert_int_eq(bp_jobs__id_ns("20261126-014500-8c1f0x"), 0);
    ck_assert_int_eq(bp_jobs__id_ns("20261126x014500-8c1f03"), 0);
}
END_TEST

int
main(void)
{
    return RUN_SUITE(
        "core/jobs/store", jobs_setup, jobs_teardown, test_list__there_never_was_a_job,
        test_list__newest_first_and_by_state, test_get__there_is_none,
        test_get__killed_is_interrupted_at_once, test_settle__the_next_job_puts_it_down,
        test_record__of_a_newer_version, test_record__torn, test_cancel__is_signalled_once,
        test_cancel__was_asked_before, test_cancel__who_asked_before_was_killed,
        test_cancel__who_asks_is_stopped, test_cancel__interrupted_of_a_server,
        test_cancel__never_another_process, test_remove_old__keeps_the_newest_and_the_running,
        test_remove_old__by_age, test_remove_old__a_clock_far_ahead,
        test_remove_old__what_waits_for_its_server, test_id__its_time);
}
