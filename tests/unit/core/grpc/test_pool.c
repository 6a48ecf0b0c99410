/* SPDX-License-Identifier: Apache-2.0
 *
 * core/grpc/pool: what fits, and what is left when the system has no more threads.
 */
#include "core/grpc/pool.h"

#include "core/base/fault.h"
#include "core/base/thread.h"
#include "tests/harness/suite.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool is_released; /* all three are guarded by lock */
static guint n_begun, n_done;

static void
setup(void)
{
    is_released = false;
    n_begun = n_done = 0;
}

/* Until it is released. */
static void
hold(void *ctx)
{
    (void)ctx;
    BP_LOCK_GUARD(&lock);
    n_begun++;
    pthread_cond_broadcast(&changed);
    while (!is_released) {
        pthread_cond_wait(&changed, &lock);
    }
    n_done++;
    pthread_cond_broadcast(&changed);
}

static void
await_begun(guint wanted)
{
    BP_LOCK_GUARD(&lock);
    while (n_begun < wanted) {
        pthread_cond_wait(&changed, &lock); /* the suite has a timeout */
    }
}

static void
release_and_await(guint wanted)
{
    BP_LOCK_GUARD(&lock);
    is_released = true;
    pthread_cond_broadcast(&changed);
    while (n_done < wanted) {
        pthread_cond_wait(&changed, &lock);
    }
}

START_TEST(test_push__no_more_than_fits)
{
    bp_grpc_pool *pool = bp_grpc_pool_new(2, 1);
    ck_assert(bp_grpc_pool_push(pool, hold, NULL));
    ck_assert(bp_grpc_pool_push(pool, hold, NULL));
    await_begun(2);
    ck_assert(bp_grpc_pool_push(pool, hold, NULL)); /* waits */
    ck_assert(!bp_grpc_pool_push(pool, hold, NULL));
    release_and_await(3);
    bp_grpc_pool_free(pool);
    ck_assert_uint_eq(n_done, 3);
}
END_TEST

#if BP_FAULTS

static void
refuse_threads(bool refused)
{
    g_autoptr(GError) error = NULL;
    ASSERT_FINE(bp_fault_load(refused ? "thread.start::class=retryable" : "", &error), error);
}

START_TEST(test_push__refused_without_any_thread)
{
    bp_grpc_pool *pool = bp_grpc_pool_new(2, 8);
    refuse_threads(true);
    ck_assert(!bp_grpc_pool_push(pool, hold, NULL));
    ck_assert(!bp_grpc_pool_push(pool, hold, NULL));
    refuse_threads(false);
    ck_assert(bp_grpc_pool_push(pool, hold, NULL));
    release_and_await(1);
    bp_grpc_pool_free(pool);
    ck_assert_uint_eq(n_begun, 1); /* what was refused was not kept */
}
END_TEST

START_TEST(test_push__waits_for_the_threads_there_are)
{
    bp_grpc_pool *pool = bp_grpc_pool_new(2, 1);
    ck_assert(bp_grpc_pool_push(pool, hold, NULL));
    await_begun(1);
    refuse_threads(true);
    ck_assert(bp_grpc_pool_push(pool, hold, NULL));
    ck_assert(!bp_grpc_pool_push(pool, hold, NULL));
    release_and_await(2);
    bp_grpc_pool_free(pool);
    refuse_threads(false);
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/grpc/pool", setup, NULL, test_push__no_more_than_fits,
                     test_push__refused_without_any_thread,
                     test_push__waits_for_the_threads_there_are);
}

#else

int
main(void)
{
    return RUN_SUITE("core/grpc/pool", setup, NULL, test_push__no_more_than_fits);
}

#endif
