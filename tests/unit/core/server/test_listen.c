/* SPDX-License-Identifier: Apache-2.0
 *
 * core/server/listen
 */
#include "core/server/listen.h"

#include <sys/socket.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/thread.h"
#include "tests/harness/suite.h"

START_TEST(test_listen__port_of_the_system)
{
    g_autoptr(GError) error = NULL;
    guint16 port = 0;
    int fd = bp_listen("127.0.0.1", &port, &error);
    ASSERT_FINE(fd >= 0, error);
    ck_assert_uint_gt(port, 0);
    ck_assert_int_eq(bp_listen("127.0.0.1", &port, &error), -1);
    ASSERT_ERROR(error, BP_ERR_EXISTS, "of 127.0.0.1 is taken by another program");
    close(fd);
}
END_TEST

START_TEST(test_listen__no_address)
{
    static const char *const addresses[] = {"", "localhost", "127.1", "[::1]", "*", "::1%lo"};
    for (gsize i = 0; i < G_N_ELEMENTS(addresses); i++) {
        g_autoptr(GError) error = NULL;
        guint16 port = 0;
        ck_assert_int_eq(bp_listen(addresses[i], &port, &error), -1);
        ASSERT_ERROR(error, BP_ERR_INVALID, "is no address to listen on");
    }
}
END_TEST

START_TEST(test_is_loopback__by_address)
{
    ck_assert(bp_listen_is_loopback("127.0.0.1"));
    ck_assert(bp_listen_is_loopback("127.3.2.1"));
    ck_assert(bp_listen_is_loopback("::1"));
    ck_assert(!bp_listen_is_loopback("0.0.0.0"));
    ck_assert(!bp_listen_is_loopback("::"));
    ck_assert(!bp_listen_is_loopback("128.0.0.1"));
    ck_assert(!bp_listen_is_loopback("::ffff:127.0.0.1")); /* listens on more than it seems */
    ck_assert(!bp_listen_is_loopback("localhost"));
}
END_TEST

/* Ends each connection that somebody ends, once it was told to. */
static void *
serve_one(void *ctx)
{
    char scrap[16];
    int fd = accept(*(int *)ctx, NULL, NULL);
    while (recv(fd, scrap, sizeof scrap, 0) > 0) {
    }
    close(fd);
    return NULL;
}

START_TEST(test_answers__who_ends_when_we_do)
{
    pthread_t thread;
    guint16 port = 0;
    int fd = bp_listen("127.0.0.1", &port, NULL);
    bp_thread_start(&thread, serve_one, &fd);
    ck_assert(bp_listen_answers("127.0.0.1", port, 60 * BP_NS_PER_S));
    pthread_join(thread, NULL);
    close(fd);
}
END_TEST

START_TEST(test_answers__nobody_takes_it)
{
    guint16 port = 0;
    int fd = bp_listen("127.0.0.1", &port, NULL);
    ck_assert(!bp_listen_answers("127.0.0.1", port, BP_NS_PER_MS));
    close(fd);
    ck_assert(!bp_listen_answers("127.0.0.1", port, 60 * BP_NS_PER_S)); /* refused, at once */
    ck_assert(!bp_listen_answers("localhost", port, 60 * BP_NS_PER_S));
}
END_TEST

int
main(void)
{
    return RUN_SUITE("server/listen", NULL, NULL, test_listen__port_of_the_system,
                     test_listen__no_address, test_is_loopback__by_address,
                     test_answers__who_ends_when_we_do, test_answers__nobody_takes_it);
}
