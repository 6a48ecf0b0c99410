/* SPDX-License-Identifier: Apache-2.0
 *
 * core/base/thread: guard, monotonic condition, threads without signals.
 */
#include "core/base/thread.h"

#include <signal.h>

#include "core/base/clock.h"
#include "tests/harness/suite.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static guint count; /* guarded by lock */

static void
setup(void)
{
    bp_cond_init(&changed);
    count = 0;
}

static void
teardown(void)
{
    pthread_cond_destroy(&changed);
}

static void
add_one(bool early)
{
    BP_LOCK_GUARD(&lock);
    count++;
    if (early) {
        return; /* the guard lets go on every way out */
    }
    pthread_cond_broadcast(&changed);
}

static void *
add_many(void *ctx)
{
    (void)ctx;
    for (guint i = 0; i < 1000; i++) {
        add_one(i % 2 == 0);
    }
    return NULL;
}

START_TEST(test_guard__excludes_others)
{
    pthread_t threads[4];
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++) {
        bp_thread_start(&threads[i], add_many, NULL);
    }
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++) {
        pthread_join(threads[i], NULL);
    }
    ck_assert_uint_eq(count, 4000);
    ck_assert_int_eq(pthread_mutex_trylock(&lock), 0);
    pthread_mutex_unlock(&lock);
}
END_TEST

START_TEST(test_wait__until_a_time_that_is_over)
{
    BP_LOCK_GUARD(&lock);
    ck_assert(!bp_cond_wait_until(&changed, &lock, bp_clock_mono_ns() - 1));
}
END_TEST

START_TEST(test_wait__until_signalled)
{
    pthread_t thread;
    gint64 deadline = bp_clock_mono_ns() + 60 * BP_NS_PER_S;
    bool in_time = true;
    bp_thread_start(&thread, add_many, NULL);
    pthread_mutex_lock(&lock);
    while (count < 1000 && in_time) {
        in_time = bp_cond_wait_until(&changed, &lock, deadline);
    }
    pthread_mutex_unlock(&lock);
    ck_assert(in_time);
    pthread_join(thread, NULL);
}
END_TEST

static void *
read_mask(void *ctx)
{
    pthread_sigmask(SIG_SETMASK, NULL, ctx);
    return NULL;
}

START_TEST(test_start__threads_get_no_signals)
{
    sigset_t inside, outside;
    pthread_t thread;
    sigemptyset(&inside);
    bp_thread_start(&thread, read_mask, &inside);
    pthread_join(thread, NULL);
    pthread_sigmask(SIG_SETMASK, NULL, &outside);
    ck_assert_int_eq(sigismember(&inside, SIGINT), 1);
    ck_assert_int_eq(sigismember(&inside, SIGTERM), 1);
    ck_assert_int_eq(sigismember(&outside, SIGINT), 0);
}
END_TEST

START_TEST(test_try_start__as_start)
{
    g_autoptr(GError) error = NULL;
    sigset_t inside;
    pthread_t thread;
    sigemptyset(&inside);
    ASSERT_FINE(bp_thread_try_start(&thread, read_mask, &inside, &error), error);
    pthread_join(thread, NULL);
    ck_assert_int_eq(sigismember(&inside, SIGTERM), 1);
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/base/thread", setup, teardown, test_guard__excludes_others,
                     test_wait__until_a_time_that_is_over, test_wait__until_signalled,
                     test_start__threads_get_no_signals, test_try_start__as_start);
}
