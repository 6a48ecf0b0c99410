/* SPDX-License-Identifier: Apache-2.0
 *
 * Thin layer over pthreads: scope guard, condition variables on the monotonic clock.  pthreads
 * and not GThread, because ThreadSanitizer can see them.  Lock order, and who joins which thread:
 * README.md beside this file.
 */
#ifndef BP_CORE_BASE_THREAD_H
#define BP_CORE_BASE_THREAD_H

#include <glib.h>
#include <pthread.h>
#include <stdbool.h>

static inline void
bp_lock_guard__end(pthread_mutex_t **lock)
{
    pthread_mutex_unlock(*lock);
}

static inline pthread_mutex_t *
bp_lock_guard__begin(pthread_mutex_t *lock)
{
    pthread_mutex_lock(lock);
    return lock;
}

/** Holds `lock` until the end of the enclosing block.  Once per block. */
#define BP_LOCK_GUARD(lock)                                                                     \
    __attribute__((cleanup(bp_lock_guard__end), unused)) pthread_mutex_t *bp_lock_guard__held = \
        bp_lock_guard__begin(lock)

/** Init a condition variable that waits on CLOCK_MONOTONIC. */
void bp_cond_init(pthread_cond_t *cond);

/** Wait until signalled or `deadline_ns` (CLOCK_MONOTONIC); false at the deadline. */
bool bp_cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, gint64 deadline_ns);

/** Start a thread with all signals blocked; aborts the process when the system refuses one. */
void bp_thread_start(pthread_t *thread, void *(*run)(void *), void *ctx);

/** The same for who can do without: RETRYABLE when the system refuses one. */
bool bp_thread_try_start(pthread_t *thread, void *(*run)(void *), void *ctx, GError **error);

#endif
