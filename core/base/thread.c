/* SPDX-License-Identifier: Apache-2.0
 *
 * See thread.h.
 */
#include "core/base/thread.h"

#include <errno.h>
#include <signal.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/fault.h"

#include "sdk/lib/ban.h"

void
bp_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
}

bool
bp_cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, gint64 deadline_ns)
{
    struct timespec until = {.tv_sec = (time_t)(deadline_ns / BP_NS_PER_S),
                             .tv_nsec = (long)(deadline_ns % BP_NS_PER_S)};
    return pthread_cond_timedwait(cond, lock, &until) != ETIMEDOUT;
}

/* Returns: 0, or an errno */
static int
start(pthread_t *thread, void *(*run)(void *), void *ctx)
{
    /* Signals belong to the main thread: workers must not be the ones that are interrupted. */
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int failed = pthread_create(thread, NULL, run, ctx);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return failed;
}

void
bp_thread_start(pthread_t *thread, void *(*run)(void *), void *ctx)
{
    int failed = start(thread, run, ctx);
    if (failed != 0) {
        g_error("cannot start a thread: %s", g_strerror(failed));
    }
}

bool
bp_thread_try_start(pthread_t *thread, void *(*run)(void *), void *ctx, GError **error)
{
    if (!bp_fault_point("thread.start", error)) {
        return false;
    }
    int failed = start(thread, run, ctx);
    if (failed != 0) {
        bp_set_error(error, BP_ERR_RETRYABLE, "cannot start a thread: %s", g_strerror(failed));
        bp_error_add_hint(error,
                          "the service (TasksMax=) or its user (ulimit -u) may have no more");
    }
    return failed == 0;
}
