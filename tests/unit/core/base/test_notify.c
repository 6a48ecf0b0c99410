/* SPDX-License-Identifier: Apache-2.0
 *
 * core/base/notify: what arrives at the socket of an init system.
 */
#include "core/base/notify.h"

#include <poll.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/text.h"
#include "core/base/thread.h"
#include "tests/harness/suite.h"

#define PATIENCE_MS 60000

static char *folder, *path;
static int server = -1;

static int
listen_at(const char *text)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    gsize n = strlen(text);
    ck_assert_uint_lt(n, sizeof address.sun_path);
    memcpy(address.sun_path, text, n);
    if (text[0] == '@') {
        address.sun_path[0] = '\0';
    }
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, length), 0);
    return fd;
}

static char *
heard(int patience_ms)
{
    char text[256] = "";
    struct pollfd wait = {.fd = server, .events = POLLIN};
    if (poll(&wait, 1, patience_ms) != 1) {
        return NULL;
    }
    ssize_t n = recv(server, text, sizeof text - 1, 0);
    ck_assert_int_ge(n, 0);
    return g_strdup(text);
}

static void
ignore_line(void *ctx, const char *line)
{
    (void)ctx;
    (void)line;
}

static void
setup(void)
{
    bp_log_set_level(BP_LOG_ERROR);
    folder = g_dir_make_tmp("notify-XXXXXX", NULL);
    path = g_build_filename(folder, "socket", NULL);
    server = listen_at(path);
    g_setenv("NOTIFY_SOCKET", path, TRUE);
    g_unsetenv("WATCHDOG_USEC");
    g_unsetenv("WATCHDOG_PID");
}

static void
teardown(void)
{
    close(server);
    unlink(path);
    rmdir(folder);
    g_free(path);
    g_free(folder);
}

START_TEST(test_send__to_a_path)
{
    g_autoptr(bp_notify) notify = bp_notify_open();
    ck_assert_ptr_nonnull(notify);
    ck_assert_ptr_null(g_getenv("NOTIFY_SOCKET")); /* not for workers */
    bp_notify_send(notify, "READY=1\nSTATUS=serves");
    g_autofree char *text = heard(PATIENCE_MS);
    ck_assert_str_eq(text, "READY=1\nSTATUS=serves");
}
END_TEST

START_TEST(test_send__to_an_abstract_name)
{
    g_autofree char *id = bp_text_uuid();
    g_autofree char *name = g_strconcat("@bakplane-", id, NULL);
    close(server);
    server = listen_at(name);
    g_setenv("NOTIFY_SOCKET", name, TRUE);
    g_autoptr(bp_notify) notify = bp_notify_open();
    bp_notify_send(notify, "STOPPING=1");
    g_autofree char *text = heard(PATIENCE_MS);
    ck_assert_str_eq(text, "STOPPING=1");
}
END_TEST

START_TEST(test_send__nobody_listens)
{
    g_autoptr(bp_notify) notify = bp_notify_open();
    unlink(path);
    bp_notify_send(notify, "READY=1"); /* neither waits nor raises a signal */
    ck_assert_ptr_null(heard(0));
    bp_notify_send(NULL, "READY=1");
}
END_TEST

static void *
read_later(void *ctx)
{
    guint *n = ctx;
    g_autofree char *text = NULL;
    while (g_strcmp0(text, "STOPPING=1") != 0) {
        g_free(text);
        text = heard(PATIENCE_MS);
        ck_assert_ptr_nonnull(text);
        ++*n;
    }
    return NULL;
}

/* More than a queue holds: who sends waits until there is room. */
START_TEST(test_send__a_full_queue)
{
    guint n = 0;
    pthread_t reader;
    g_autoptr(bp_notify) notify = bp_notify_open();
    bp_thread_start(&reader, read_later, &n);
    for (guint i = 0; i < 2000; i++) {
        bp_notify_send(notify, "WATCHDOG=1");
    }
    bp_notify_send(notify, "STOPPING=1");
    pthread_join(reader, NULL);
    ck_assert_uint_eq(n, 2001);
}
END_TEST

START_TEST(test_open__nobody_asked)
{
    g_autofree char *too_long = g_strnfill(200, 'x');
    too_long[0] = '/';
    const char *wrong[] = {"", "vsock:2:1234", "socket", "/", too_long};
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_setenv("NOTIFY_SOCKET", wrong[i], TRUE);
        ck_assert_ptr_null(bp_notify_open());
    }
    ck_assert_ptr_null(bp_notify_open());
    ck_assert(!bp_notify_watch(NULL, NULL, NULL));
}
END_TEST

static atomic_uint asked;

/* Alive, not alive, alive, not alive, alive, and then never again. */
static bool
is_alive_three_times(void *ctx)
{
    (void)ctx;
    guint turn = atomic_fetch_add(&asked, 1);
    return turn % 2 == 0 && turn < 6;
}

START_TEST(test_watch__only_while_alive)
{
    g_setenv("WATCHDOG_USEC", "4000", TRUE);
    bp_notify *notify = bp_notify_open();
    bp_log_set_sink(ignore_line, NULL);
    ck_assert(bp_notify_watch(notify, is_alive_three_times, NULL));
    for (guint i = 0; i < 3; i++) {
        g_autofree char *text = heard(PATIENCE_MS);
        ck_assert_str_eq(text, "WATCHDOG=1");
    }
    while (atomic_load(&asked) < 9) {
        g_usleep(1000);
    }
    bp_notify_close(notify);
    bp_log_set_sink(NULL, NULL);
    ck_assert_ptr_null(heard(0));
}
END_TEST

START_TEST(test_watch__is_for_another_process)
{
    g_setenv("WATCHDOG_USEC", "4000", TRUE);
    g_setenv("WATCHDOG_PID", "1", TRUE);
    g_autoptr(bp_notify) notify = bp_notify_open();
    ck_assert(!bp_notify_watch(notify, is_alive_three_times, NULL));
    ck_assert_ptr_null(g_getenv("WATCHDOG_PID"));
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/base/notify", setup, teardown, test_send__to_a_path,
                     test_send__to_an_abstract_name, test_send__nobody_listens,
                     test_send__a_full_queue, test_open__nobody_asked, test_watch__only_while_alive,
                     test_watch__is_for_another_process);
}
