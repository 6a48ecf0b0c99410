/* SPDX-License-Identifier: Apache-2.0
 *
 * core/grpc/watch: clients that are slow.
 */
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/grpc/internal.h"
#include "core/grpc/messages.h"
#include "core/jobs/ticket.h"
#include "tests/unit/core/grpc/grpc_fixture.h"

#define SHORT_NS (20 * BP_NS_PER_MS)

/* A call whose message does not come. */
static void
wait_until_cut(void)
{
    g_autofree char *details = NULL;
    exchange *x = exchange_open(boss, V1 "CreateBackup");
    ck_assert_ptr_null(exchange_next(x, &bp_v1_backup_info_response));
    int code = exchange_end(x, &details);
    ck_assert_msg(code == GRPC_STATUS_DEADLINE_EXCEEDED &&
                      strstr(details, "no message has come for 20 ms") != NULL,
                  "%d, %s", code, details);
}

START_TEST(test_watch__a_message_that_does_not_come)
{
    bp_grpc_params params = rig_params();
    params.receive_ns = SHORT_NS;
    rig_start_again(&params);
    wait_until_cut();
    ck_assert_int_eq(atomic_load(&n_waiting), 0);
}
END_TEST

START_TEST(test_watch__half_a_minute_for_a_message)
{
    BP_LOCK_GUARD(&server->lock);
    ck_assert_int_eq(server->receive_ns, 30 * BP_NS_PER_S);
}
END_TEST

static void
limit_messages(void)
{
    BP_LOCK_GUARD(&server->lock);
    server->receive_ns = SHORT_NS; /* from now on: a busy machine would be late with the first */
}

START_TEST(test_watch__who_waits_for_a_job_has_no_limit)
{
    g_autoptr(GBytes) message = nothing();
    exchange *waiting = exchange_begin(boss, V1 "CreateBackup", message);
    rig_wait_for(&n_waiting, 1);
    limit_messages();
    wait_until_cut(); /* which came later */
    rig_stop();
    g_autoptr(json_t) answer = exchange_next(waiting, &bp_v1_backup_info_response);
    ck_assert_str_eq(bp_json_text(answer, "msg", ""), "its job goes on");
    ck_assert_int_eq(exchange_end(waiting, NULL), GRPC_STATUS_OK);
}
END_TEST

/* The last of what a stream tells, and how much it tells until then.  Returns: (transfer full) */
static json_t *
read_to_the_end(exchange *take_stream, guint *n)
{
    json_t *last = NULL;
    for (json_t *next = exchange_next(take_stream, &bp_grpc_job); next != NULL;
         next = exchange_next(take_stream, &bp_grpc_job)) {
        json_decref(last);
        last = next;
        ++*n;
    }
    ck_assert_int_eq(exchange_end(take_stream, NULL), GRPC_STATUS_OK);
    ck_assert_ptr_nonnull(last);
    return last;
}

/* A job tells of so many items; this stream is read until it does, too. */
static void
change(bp_ticket *ticket, int items, exchange *stream)
{
    g_autoptr(json_t) numbers = json_pack("{s:s,s:i}", "phase", "copy", "items_done", items);
    ck_assert(bp_ticket_progress(ticket, numbers, NULL));
    guint64 told = 0;
    while (told < (guint64)items) {
        g_autoptr(json_t) next = exchange_next(stream, &bp_grpc_job);
        ck_assert_ptr_nonnull(next);
        told = bp_json_u64(json_object_get(next, "progress"), "items_done", 0);
    }
}

/* What is on its way, what was newest when that was through, and the end. */
START_TEST(test_watch__who_does_not_read_misses_what_was_in_between)
{
    enum { CHANGES = 5, MOST_LEFT = 3 };
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) request = json_pack("{s:s,s:s}", "verb", "create", "name", "b");
    bp_ticket_params of_job = {
        .jobs = bp_service_jobs(rig_params().service), .request = request, .origin = "test"};
    g_autoptr(bp_ticket) ticket = bp_ticket_take(&of_job, &error);
    ASSERT_FINE(ticket != NULL, error);
    g_autoptr(GBytes) message = id_message(bp_ticket_id(ticket));
    client *slow = client_new_slow(bp_grpc_port(server), READ);
    exchange *unread = exchange_begin(slow, JOBS "Watch", message);
    json_decref(exchange_next(unread, &bp_grpc_job));
    exchange *beside = exchange_begin(reader, JOBS "Watch", message);
    for (int i = 1; i <= CHANGES; i++) {
        change(ticket, i, beside);
    }
    g_autoptr(json_t) result = json_pack("{s:s}", "outcome", "done");
    ASSERT_FINE(bp_ticket_finish(ticket, "succeeded", result, &error), error);
    guint told = 0;
    guint left = 0;
    g_autoptr(json_t) end = read_to_the_end(beside, &told);
    g_autoptr(json_t) late = read_to_the_end(unread, &left);
    ck_assert_str_eq(bp_json_text(late, "state", ""), "succeeded");
    ck_assert(json_equal(late, end));
    ck_assert_uint_le(left, MOST_LEFT);
    client_free(slow);
}
END_TEST

int
main(void)
{
    return RUN_SUITE(
        "grpc_watch", rig_setup, rig_teardown, test_watch__a_message_that_does_not_come,
        test_watch__half_a_minute_for_a_message, test_watch__who_waits_for_a_job_has_no_limit,
        test_watch__who_does_not_read_misses_what_was_in_between);
}
