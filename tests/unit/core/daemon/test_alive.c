/* SPDX-License-Identifier: Apache-2.0
 *
 * core/daemon/alive, on a port of the loopback device.
 */
#include "core/daemon/alive.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/thread.h"
#include "core/server/listen.h"
#include "tests/harness/suite.h"

#define PATIENCE_NS (60 * BP_NS_PER_S)

static int fd; /* that listens */
static bp_alive what;

static void
setup(void)
{
    g_autoptr(GError) error = NULL;
    what = (bp_alive){
        .looked_ns = bp_clock_mono_ns(), .address = "127.0.0.1", .answer_ns = PATIENCE_NS};
    fd = bp_listen(what.address, &what.port, &error);
    ASSERT_FINE(fd >= 0, error);
}

static void
teardown(void)
{
    close(fd);
}

/* Ends each connection that somebody ends, until nobody listens any more. */
static void *
serve(void *ctx)
{
    char scrap[16];
    int one = -1;
    (void)ctx;
    while ((one = accept(fd, NULL, NULL)) >= 0) {
        while (recv(one, scrap, sizeof scrap, 0) > 0) {
        }
        close(one);
    }
    return NULL;
}

/* What is said while the port answers. */
static bool
check_served(void)
{
    pthread_t thread;
    bp_thread_start(&thread, serve, NULL);
    bool alive = bp_alive_check(&what);
    (void)shutdown(fd, SHUT_RDWR); /* wakes accept */
    pthread_join(thread, NULL);
    return alive;
}

START_TEST(test_check__all_is_well)
{
    ck_assert(check_served());
}
END_TEST

START_TEST(test_check__a_supervisor_that_is_slow)
{
    what.looked_ns -= BP_ALIVE_LOOK_NS / 2;
    ck_assert(check_served());
}
END_TEST

START_TEST(test_check__a_supervisor_that_does_not_look)
{
    what.looked_ns -= BP_ALIVE_LOOK_NS;
    ck_assert(!check_served());
}
END_TEST

/* The system takes connections for a port whose thread hangs: nobody ends them. */
START_TEST(test_check__a_port_that_is_deaf)
{
    what.answer_ns = BP_NS_PER_MS;
    ck_assert(!bp_alive_check(&what));
}
END_TEST

START_TEST(test_check__a_port_where_nobody_listens)
{
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof where;
    int bound = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); /* so nobody else takes the port */
    ck_assert_int_eq(bind(bound, (struct sockaddr *)&where, n), 0);
    ck_assert_int_eq(getsockname(bound, (struct sockaddr *)&where, &n), 0);
    what.port = ntohs(where.sin_port);
    ck_assert(!bp_alive_check(&what));
    close(bound);
}
END_TEST

int
main(void)
{
    return RUN_SUITE("daemon/alive", setup, teardown, test_check__all_is_well,
                     test_check__a_supervisor_that_is_slow,
                     test_check__a_supervisor_that_does_not_look, test_check__a_port_that_is_deaf,
                     test_check__a_port_where_nobody_listens);
}
