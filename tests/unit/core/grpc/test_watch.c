/* SPDX-License-Identifier: Apache-2.0
 *
 * core/grpc/watch: clients that are slow.
 */
#include "core/base/clock.h"
#include "core/grpc/internal.h"
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

int
main(void)
{
    return RUN_SUITE("grpc_watch", rig_setup, rig_teardown,
                     test_watch__a_message_that_does_not_come,
                     test_watch__half_a_minute_for_a_message,
                     test_watch__who_waits_for_a_job_has_no_limit);
}
