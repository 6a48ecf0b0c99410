/* SPDX-License-Identifier: Apache-2.0
 *
 * core/server/conns, on pairs of sockets: one end is watched, the other one looks.
 */
#include "core/server/conns.h"

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "tests/unit/core/server/server_fixture.h"

#define SHORT_NS (20 * BP_NS_PER_MS)
#define LONG_NS (1000 * BP_NS_PER_S)

static int ends[2];

static void
setup(void)
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
}

static void
teardown(void)
{
    close(ends[0]);
    close(ends[1]);
}

static bool
is_shut_down_now(void)
{
    struct pollfd end = {.fd = ends[1], .events = POLLIN};
    return poll(&end, 1, 0) == 1;
}

/* Or the test runs into its limit. */
static void
wait_until_shut_down(void)
{
    char byte = 0;
    ck_assert_int_eq(recv(ends[1], &byte, 1, 0), 0);
}

START_TEST(test_set__a_request_that_does_not_come)
{
    bp_conns *conns = bp_conns_new(SHORT_NS, LONG_NS);
    bp_conn *conn = bp_conns_add(conns, ends[0]);
    wait_until_shut_down();
    bp_conns_remove(conns, conn);
    bp_conns_free(conns);
}
END_TEST

START_TEST(test_set__a_request_gets_no_time_for_its_first_line)
{
    bp_conns *conns = bp_conns_new(SHORT_NS, LONG_NS);
    bp_conn *conn = bp_conns_add(conns, ends[0]);
    bp_conns_set(conns, conn, BP_CONN_RECEIVING);
    wait_until_shut_down();
    bp_conns_remove(conns, conn);
    bp_conns_free(conns);
}
END_TEST

START_TEST(test_set__an_answer_that_nobody_takes)
{
    bp_conns *conns = bp_conns_new(LONG_NS, SHORT_NS);
    bp_conn *conn = bp_conns_add(conns, ends[0]);
    bp_conns_set(conns, conn, BP_CONN_WORKING);
    bp_conns_set(conns, conn, BP_CONN_SENDING);
    wait_until_shut_down();
    bp_conns_remove(conns, conn);
    bp_conns_free(conns);
}
END_TEST

/* One that has come to work in time.  On a busy machine a short limit may have passed before, so
 * each try has a longer one. */
static bp_conns *
begin_work(bp_conn **working)
{
    for (gint64 limit_ns = SHORT_NS; limit_ns < LONG_NS; limit_ns *= 2) {
        bp_conns *conns = bp_conns_new(limit_ns, LONG_NS);
        *working = bp_conns_add(conns, ends[0]);
        bp_conns_set(conns, *working, BP_CONN_WORKING);
        if (!is_shut_down_now()) {
            return conns;
        }
        bp_conns_remove(conns, *working);
        bp_conns_free(conns);
        teardown();
        setup();
    }
    ck_abort_msg("a limit of minutes passes at once");
    return NULL;
}

/* Until another one is shut down, whose limit is the same and began later. */
static void
wait_until_late(bp_conns *conns, bp_conn_state state)
{
    int other[2];
    char byte = 0;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, other), 0);
    bp_conn *late = bp_conns_add(conns, other[0]);
    bp_conns_set(conns, late, state);
    ck_assert_int_eq(recv(other[1], &byte, 1, 0), 0);
    bp_conns_remove(conns, late);
    close(other[0]);
    close(other[1]);
}

START_TEST(test_set__work_outlasts_the_limit_of_requests)
{
    bp_conn *working = NULL;
    bp_conns *conns = begin_work(&working);
    wait_until_late(conns, BP_CONN_IDLE);
    ck_assert(!is_shut_down_now());
    bp_conns_remove(conns, working);
    bp_conns_free(conns);
}
END_TEST

START_TEST(test_set__work_outlasts_the_limit_of_answers)
{
    bp_conns *conns = bp_conns_new(LONG_NS, SHORT_NS);
    bp_conn *working = bp_conns_add(conns, ends[0]);
    bp_conns_set(conns, working, BP_CONN_WORKING);
    wait_until_late(conns, BP_CONN_SENDING);
    ck_assert(!is_shut_down_now());
    bp_conns_remove(conns, working);
    bp_conns_free(conns);
}
END_TEST

START_TEST(test_drain__the_idle_at_once_the_busy_later)
{
    bp_conns *conns = bp_conns_new(LONG_NS, LONG_NS);
    bp_conn *idle = bp_conns_add(conns, ends[0]);
    ck_assert(!is_shut_down_now());
    bp_conns_drain(conns, LONG_NS);
    ck_assert(is_shut_down_now());
    bp_conns_remove(conns, idle);
    bp_conns_free(conns);
}
END_TEST

START_TEST(test_drain__not_longer_than_asked)
{
    bp_conns *conns = bp_conns_new(LONG_NS, LONG_NS);
    bp_conn *busy = bp_conns_add(conns, ends[0]);
    bp_conns_set(conns, busy, BP_CONN_WORKING);
    bp_conns_drain(conns, SHORT_NS);
    ck_assert(is_shut_down_now());
    bp_conns_remove(conns, busy);
    bp_conns_free(conns);
}
END_TEST

/* What is idle is shut down when the draining begins. */
static void *
end_it(void *ctx)
{
    gpointer *both = ctx;
    wait_until_shut_down();
    bp_conns_set(both[0], both[1], BP_CONN_IDLE);
    return NULL;
}

START_TEST(test_drain__waits_for_the_busy)
{
    int other[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, other), 0);
    bp_conns *conns = bp_conns_new(LONG_NS, LONG_NS);
    bp_conn *idle = bp_conns_add(conns, ends[0]);
    bp_conn *busy = bp_conns_add(conns, other[0]);
    bp_conns_set(conns, busy, BP_CONN_WORKING);
    gpointer both[] = {conns, busy};
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, end_it, both), 0);
    bp_conns_drain(conns, LONG_NS);
    char byte = 0;
    ck_assert_int_eq(recv(other[1], &byte, 1, MSG_DONTWAIT), 0);
    pthread_join(thread, NULL);
    bp_conns_remove(conns, idle);
    bp_conns_remove(conns, busy);
    bp_conns_free(conns);
    close(other[0]);
    close(other[1]);
}
END_TEST

int
main(void)
{
    return RUN_SUITE(
        "server/conns", setup, teardown, test_set__a_request_that_does_not_come,
        test_set__a_request_gets_no_time_for_its_first_line, test_set__an_answer_that_nobody_takes,
        test_set__work_outlasts_the_limit_of_requests, test_set__work_outlasts_the_limit_of_answers,
        test_drain__the_idle_at_once_the_busy_later, test_drain__not_longer_than_asked,
        test_drain__waits_for_the_busy);
}
