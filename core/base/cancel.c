/* SPDX-License-Identifier: Apache-2.0
 *
 * See cancel.h.
 */
#include "core/base/cancel.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/error.h"

#include "sdk/lib/ban.h"

struct bp_cancel {
    atomic_bool set;
    atomic_int signal;
    int event;               /* written by trigger */
    int fd;                  /* what others poll: `event`, or an epoll over it and the parent's */
    const bp_cancel *parent; /* or NULL */
    bp_cancel *grace;        /* for what undoes, or NULL */

    /* Of one that is a grace: no event, but a timer, which a signal starts. */
    gint64 grace_ns;     /* 0 = it is none */
    atomic_llong due_ns; /* monotonic; 0 = no signal yet */
};

static int
checked_fd(int fd, const char *what)
{
    if (fd < 0) {
        g_error("%s: %s", what, g_strerror(errno));
    }
    return fd;
}

bp_cancel *
bp_cancel_new(void)
{
    bp_cancel *cancel = g_new0(bp_cancel, 1);
    cancel->event = checked_fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
    cancel->fd = cancel->event;
    return cancel;
}

bp_cancel *
bp_cancel_new_child(const bp_cancel *parent)
{
    bp_cancel *cancel = bp_cancel_new();
    if (parent != NULL) {
        cancel->parent = parent;
        cancel->fd = checked_fd(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
        struct epoll_event readable = {.events = EPOLLIN};
        checked_fd(epoll_ctl(cancel->fd, EPOLL_CTL_ADD, cancel->event, &readable), "epoll_ctl");
        checked_fd(epoll_ctl(cancel->fd, EPOLL_CTL_ADD, parent->fd, &readable), "epoll_ctl");
    }
    return cancel;
}

void
bp_cancel_set_grace(bp_cancel *cancel, gint64 ns)
{
    bp_cancel *grace = g_new0(bp_cancel, 1);
    grace->event =
        checked_fd(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), "timerfd");
    grace->fd = grace->event;
    grace->grace_ns = ns;
    cancel->grace = grace;
}

const bp_cancel *
bp_cancel_grace(const bp_cancel *cancel)
{
    for (; cancel != NULL; cancel = cancel->parent) {
        if (cancel->grace_ns != 0) {
            return cancel;
        }
        if (cancel->grace != NULL) {
            return cancel->grace;
        }
    }
    return NULL;
}

void
bp_cancel_free(bp_cancel *cancel)
{
    if (cancel == NULL) {
        return;
    }
    bp_cancel_free(cancel->grace);
    if (cancel->fd != cancel->event) {
        close(cancel->fd);
    }
    close(cancel->event);
    g_free(cancel);
}

/* By the first signal; perhaps inside of its handler. */
static void
start_grace(bp_cancel *grace)
{
    long long none = 0;
    gint64 due_ns = bp_clock_mono_ns() + grace->grace_ns;
    if (atomic_compare_exchange_strong(&grace->due_ns, &none, due_ns)) {
        struct itimerspec due = {.it_value = {.tv_sec = (time_t)(due_ns / BP_NS_PER_S),
                                              .tv_nsec = (long)(due_ns % BP_NS_PER_S)}};
        (void)timerfd_settime(grace->fd, TFD_TIMER_ABSTIME, &due, NULL); /* a valid time */
    }
}

static bool
is_over(const bp_cancel *grace)
{
    gint64 due_ns = atomic_load(&grace->due_ns);
    return due_ns != 0 && bp_clock_mono_ns() >= due_ns;
}

void
bp_cancel_trigger(bp_cancel *cancel, int signal)
{
    int saved = errno;
    int none = 0;
    atomic_compare_exchange_strong(&cancel->signal, &none, signal);
    atomic_store(&cancel->set, true);
    uint64_t one = 1;
    ssize_t ignored = write(cancel->event, &one, sizeof one); /* full = already readable */
    (void)ignored;
    if (signal != 0 && cancel->grace != NULL) {
        start_grace(cancel->grace);
    }
    errno = saved;
}

bool
bp_cancel_is_set(const bp_cancel *cancel)
{
    for (; cancel != NULL; cancel = cancel->parent) {
        if (atomic_load_explicit(&cancel->set, memory_order_relaxed) || is_over(cancel)) {
            return true;
        }
    }
    return false;
}

int
bp_cancel_signal(const bp_cancel *cancel)
{
    for (; cancel != NULL; cancel = cancel->parent) {
        int signal = atomic_load(&cancel->signal);
        if (signal != 0) {
            return signal;
        }
    }
    return 0;
}

int
bp_cancel_fd(const bp_cancel *cancel)
{
    return cancel != NULL ? cancel->fd : -1;
}

bool
bp_cancel_sleep_ns(const bp_cancel *cancel, gint64 ns)
{
    gint64 until = bp_clock_mono_ns() + ns;
    struct pollfd wait = {.fd = bp_cancel_fd(cancel), .events = POLLIN};
    while (!bp_cancel_is_set(cancel)) {
        gint64 left = until - bp_clock_mono_ns();
        if (left <= 0) {
            return true;
        }
        struct timespec timeout = {.tv_sec = (time_t)(left / BP_NS_PER_S),
                                   .tv_nsec = (long)(left % BP_NS_PER_S)};
        (void)ppoll(&wait, 1, &timeout, NULL); /* every outcome is judged by the loop */
    }
    return false;
}

bool
bp_cancel_check(const bp_cancel *cancel, GError **error)
{
    if (bp_cancel_is_set(cancel)) {
        bp_set_error(error, BP_ERR_CANCELLED, "cancelled");
        return false;
    }
    return true;
}
