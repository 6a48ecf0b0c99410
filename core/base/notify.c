/* SPDX-License-Identifier: Apache-2.0
 *
 * See notify.h.
 */
#include "core/base/notify.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/thread.h"
#include "sdk/lib/parse.h"

#include "sdk/lib/ban.h"

#define BP_LOG_MODULE "notify"

/* An init system that is busy has a full queue for a moment; one that is stuck must not hold us. */
#define SEND_LIMIT_S 5

struct bp_notify {
    int fd;
    struct sockaddr_un address;
    socklen_t n;        /* bytes of it that count */
    gint64 watchdog_ns; /* 0 = none */
    bool (*is_alive)(void *ctx);
    void *ctx;
    bool watches;
    pthread_t thread;
    pthread_mutex_t lock; /* guards stopping */
    pthread_cond_t wake;
    bool stopping;
};

/* A path, or "@name" in the abstract name space, where a NUL stands for the '@'. */
static bool
take_address(bp_notify *notify, const char *text)
{
    gsize n = strlen(text);
    if ((text[0] != '/' && text[0] != '@') || n < 2 || n > sizeof notify->address.sun_path - 1) {
        return false;
    }
    notify->address.sun_family = AF_UNIX;
    memcpy(notify->address.sun_path, text, n);
    bool is_abstract = text[0] == '@';
    if (is_abstract) {
        notify->address.sun_path[0] = '\0';
    }
    notify->n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (is_abstract ? 0 : 1));
    return true;
}

/* Half of it is our period; one for another process is not for us. */
static gint64
watchdog_ns(void)
{
    const char *time = g_getenv("WATCHDOG_USEC");
    const char *owner = g_getenv("WATCHDOG_PID");
    guint64 us = 0;
    guint64 pid = 0;
    if (time == NULL || bp_parse_u64(time, &us) != 0 || us > G_MAXINT64 / 1000) {
        return 0;
    }
    if (owner != NULL && (bp_parse_u64(owner, &pid) != 0 || pid != (guint64)getpid())) {
        return 0;
    }
    return (gint64)us * 1000;
}

static bp_notify *
open_at(const char *address)
{
    const struct timeval limit = {.tv_sec = SEND_LIMIT_S};
    bp_notify *notify = g_new0(bp_notify, 1);
    notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    notify->watchdog_ns = watchdog_ns();
    pthread_mutex_init(&notify->lock, NULL);
    bp_cond_init(&notify->wake);
    if (notify->fd < 0 || !take_address(notify, address) ||
        setsockopt(notify->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0) {
        BP_WARN("the init system cannot be told how the service is", "socket", address);
        bp_notify_close(notify);
        return NULL;
    }
    return notify;
}

bp_notify *
bp_notify_open(void)
{
    const char *address = g_getenv("NOTIFY_SOCKET");
    bp_notify *notify = address != NULL && address[0] != '\0' ? open_at(address) : NULL;
    g_unsetenv("NOTIFY_SOCKET");
    g_unsetenv("WATCHDOG_USEC");
    g_unsetenv("WATCHDOG_PID");
    return notify;
}

void
bp_notify_send(bp_notify *notify, const char *text)
{
    if (notify == NULL) {
        return;
    }
    ssize_t sent = sendto(notify->fd, text, strlen(text), MSG_NOSIGNAL,
                          (const struct sockaddr *)&notify->address, notify->n);
    if (sent < 0) {
        BP_DEBUG("the init system was not told", "what", text, "reason", g_strerror(errno));
    }
}

static bool
wait_for_turn(bp_notify *notify)
{
    gint64 until_ns = bp_clock_mono_ns() + notify->watchdog_ns / 2;
    BP_LOCK_GUARD(&notify->lock);
    while (!notify->stopping && bp_cond_wait_until(&notify->wake, &notify->lock, until_ns)) {
    }
    return !notify->stopping;
}

static void *
watch(void *ctx)
{
    bp_notify *notify = ctx;
    bool was_alive = true;
    do {
        bool alive = notify->is_alive(notify->ctx);
        if (alive) {
            bp_notify_send(notify, "WATCHDOG=1");
        } else if (was_alive) {
            BP_ERROR_LOG("the service does not get on, and the watchdog is not told otherwise");
        }
        was_alive = alive;
    } while (wait_for_turn(notify));
    return NULL;
}

bool
bp_notify_watch(bp_notify *notify, bool (*is_alive)(void *ctx), void *ctx)
{
    if (notify == NULL || notify->watchdog_ns == 0) {
        return false;
    }
    notify->is_alive = is_alive;
    notify->ctx = ctx;
    notify->watches = true;
    bp_thread_start(&notify->thread, watch, notify);
    return true;
}

void
bp_notify_close(bp_notify *notify)
{
    if (notify == NULL) {
        return;
    }
    if (notify->watches) {
        pthread_mutex_lock(&notify->lock);
        notify->stopping = true;
        pthread_cond_signal(&notify->wake);
        pthread_mutex_unlock(&notify->lock);
        pthread_join(notify->thread, NULL);
    }
    if (notify->fd >= 0) {
        close(notify->fd);
    }
    pthread_cond_destroy(&notify->wake);
    pthread_mutex_destroy(&notify->lock);
    g_free(notify);
}
