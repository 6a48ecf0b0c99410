/* SPDX-License-Identifier: Apache-2.0
 *
 * The work queue: bounds, limits, and its end.
 */
#include "core/copy/pool.h"

#include <stdatomic.h>

#include "core/base/thread.h"
#include "fixture.h"

#include "sdk/lib/ban.h"

/* Tasks are numbers; with `gate` closed they wait for it while they run. */
typedef struct {
    pthread_mutex_t lock; /* guards gate_open, running, peak */
    pthread_cond_t moved;
    bool gate_open;
    guint running, peak;
    atomic_uint ran, dropped, wrong_worker;
    guint workers;
} work;

static void
run(void *ctx, void *task, guint worker)
{
    work *w = ctx;
    if (task == NULL || worker >= w->workers) {
        atomic_fetch_add(&w->wrong_worker, 1);
    }
    BP_LOCK_GUARD(&w->lock);
    w->running++;
    w->peak = MAX(w->peak, w->running);
    pthread_cond_broadcast(&w->moved);
    while (!w->gate_open) {
        pthread_cond_wait(&w->moved, &w->lock);
    }
    w->running--;
    atomic_fetch_add(&w->ran, 1);
}

static void
drop(void *ctx, void *task G_GNUC_UNUSED)
{
    atomic_fetch_add(&((work *)ctx)->dropped, 1);
}

static bp_pool *
start(work *w, guint workers, guint capacity, bool gate_open)
{
    memset(w, 0, sizeof *w);
    pthread_mutex_init(&w->lock, NULL);
    bp_cond_init(&w->moved);
    w->gate_open = gate_open;
    w->workers = workers;
    return bp_pool_new(&(bp_pool_params){
        .workers = workers, .capacity = capacity, .run = run, .drop = drop, .ctx = w});
}

static void
wait_running(work *w, guint n)
{
    BP_LOCK_GUARD(&w->lock);
    while (w->running < n) {
        pthread_cond_wait(&w->moved, &w->lock);
    }
}

static void
open_gate(work *w)
{
    BP_LOCK_GUARD(&w->lock);
    w->gate_open = true;
    pthread_cond_broadcast(&w->moved);
}

static char tasks[1000];

static void *
task_no(guint i)
{
    return &tasks[i];
}

START_TEST(test_pool_submit__runs_all)
{
    work w;
    bp_pool *pool = start(&w, 4, 3, true);
    for (guint i = 0; i < 1000; i++) {
        ck_assert(bp_pool_submit(pool, task_no(i)));
    }
    bp_pool_drain(pool);
    ck_assert_uint_eq(atomic_load(&w.ran), 1000);
    bp_pool_free(pool);
    ck_assert_uint_eq(atomic_load(&w.dropped), 0);
    ck_assert_uint_eq(atomic_load(&w.wrong_worker), 0);
}
END_TEST

static void *
submit_one(void *pool)
{
    bool ok = bp_pool_submit(pool, task_no(99));
    return ok ? pool : NULL;
}

START_TEST(test_pool_submit__blocks_while_full)
{
    work w;
    bp_pool *pool = start(&w, 1, 1, false);
    ck_assert(bp_pool_submit(pool, task_no(0)));
    wait_running(&w, 1);
    ck_assert(bp_pool_submit(pool, task_no(1))); /* waits in the queue, which is full now */
    pthread_t other;
    bp_thread_start(&other, submit_one, pool);
    open_gate(&w);
    void *answer;
    pthread_join(other, &answer);
    ck_assert_ptr_eq(answer, pool);
    bp_pool_drain(pool);
    ck_assert_uint_eq(atomic_load(&w.ran), 3);
    bp_pool_free(pool);
}
END_TEST

START_TEST(test_pool_stop__drops_what_waits)
{
    work w;
    bp_pool *pool = start(&w, 1, 8, false);
    ck_assert(bp_pool_submit(pool, task_no(0)));
    wait_running(&w, 1);
    for (guint i = 0; i < 8; i++) {
        ck_assert(bp_pool_submit(pool, task_no(i)));
    }
    pthread_t other;
    bp_thread_start(&other, submit_one, pool); /* blocked, or comes after the stop */
    bp_pool_stop(pool);
    void *answer;
    pthread_join(other, &answer);
    ck_assert_ptr_null(answer);
    ck_assert_uint_eq(atomic_load(&w.dropped), 9);
    ck_assert(!bp_pool_submit(pool, task_no(0)));
    open_gate(&w);
    bp_pool_drain(pool);
    ck_assert_uint_eq(atomic_load(&w.ran), 1);
    bp_pool_free(pool);
    ck_assert_uint_eq(atomic_load(&w.dropped), 10);
}
END_TEST

START_TEST(test_pool_limit__bounds_what_runs)
{
    work w;
    bp_pool *pool = start(&w, 4, 100, true);
    bp_pool_limit(pool, 2);
    for (guint i = 0; i < 200; i++) {
        ck_assert(bp_pool_submit(pool, task_no(i)));
    }
    bp_pool_drain(pool);
    ck_assert_uint_le(w.peak, 2);
    ck_assert_uint_eq(atomic_load(&w.ran), 200);
    bp_pool_free(pool);
}
END_TEST

START_TEST(test_pool_limit__raised_again)
{
    work w;
    bp_pool *pool = start(&w, 4, 100, false);
    bp_pool_limit(pool, 0); /* at least one */
    for (guint i = 0; i < 4; i++) {
        ck_assert(bp_pool_submit(pool, task_no(i)));
    }
    wait_running(&w, 1);
    bp_pool_limit(pool, 99); /* at most all */
    wait_running(&w, 4);
    open_gate(&w);
    bp_pool_drain(pool);
    ck_assert_uint_eq(w.peak, 4);
    bp_pool_free(pool);
}
END_TEST

/* Pieces of a share; with its gate closed each waits in the piece. */
typedef struct {
    work *w;
    atomic_int left; /* pieces */
} shared;

static bool
piece(void *ctx, guint worker)
{
    shared *s = ctx;
    if (atomic_fetch_sub(&s->left, 1) <= 0) {
        return false;
    }
    run(s->w, s, worker);
    return true;
}

START_TEST(test_pool_offer__idle_workers_join)
{
    work w;
    bp_pool *pool = start(&w, 4, 8, false);
    shared s = {.w = &w, .left = 100};
    bp_pool_share share = {.piece = piece, .ctx = &s};
    bp_pool_offer(pool, &share);
    wait_running(&w, 4);
    open_gate(&w);
    bp_pool_withdraw(pool, &share);
    ck_assert_uint_eq(w.running, 0);
    ck_assert_uint_le(atomic_load(&w.ran), 100);
    ck_assert_uint_eq(w.peak, 4);
    bp_pool_free(pool);
    ck_assert_uint_eq(atomic_load(&w.wrong_worker), 0);
}
END_TEST

START_TEST(test_pool_offer__until_there_is_no_more)
{
    work w;
    bp_pool *pool = start(&w, 4, 8, true);
    shared s = {.w = &w, .left = 10};
    bp_pool_share share = {.piece = piece, .ctx = &s};
    bp_pool_offer(pool, &share);
    bp_pool_drain(pool); /* may come before any of them joined */
    ck_assert(bp_pool_submit(pool, task_no(0)));
    bp_pool_withdraw(pool, &share);
    bp_pool_drain(pool);
    ck_assert_uint_le(atomic_load(&w.ran), 11);
    bp_pool_free(pool);
}
END_TEST

START_TEST(test_pool_offer__several_and_within_the_limit)
{
    work w;
    bp_pool *pool = start(&w, 4, 8, true);
    shared s[3];
    bp_pool_share shares[3];
    bp_pool_limit(pool, 2);
    for (guint i = 0; i < 3; i++) {
        s[i] = (shared){.w = &w, .left = 50};
        shares[i] = (bp_pool_share){.piece = piece, .ctx = &s[i]};
        bp_pool_offer(pool, &shares[i]);
    }
    bp_pool_withdraw(pool, &shares[1]);
    bp_pool_withdraw(pool, &shares[0]);
    bp_pool_withdraw(pool, &shares[2]);
    ck_assert_uint_le(w.peak, 2);
    bp_pool_free(pool);
}
END_TEST

START_TEST(test_pool_offer__nobody_joins_after_a_stop)
{
    work w;
    bp_pool *pool = start(&w, 4, 8, true);
    shared s = {.w = &w, .left = 50};
    bp_pool_share share = {.piece = piece, .ctx = &s};
    bp_pool_stop(pool);
    bp_pool_offer(pool, &share);
    bp_pool_withdraw(pool, &share);
    ck_assert_uint_eq(atomic_load(&w.ran), 0);
    bp_pool_free(pool);
}
END_TEST

START_TEST(test_pool_free__null)
{
    bp_pool_free(NULL);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("copy/pool");
    TCase *tc = tcase_create("pool");
    tcase_add_test(tc, test_pool_submit__runs_all);
    tcase_add_test(tc, test_pool_submit__blocks_while_full);
    tcase_add_test(tc, test_pool_stop__drops_what_waits);
    tcase_add_test(tc, test_pool_limit__bounds_what_runs);
    tcase_add_test(tc, test_pool_limit__raised_again);
    tcase_add_test(tc, test_pool_offer__idle_workers_join);
    tcase_add_test(tc, test_pool_offer__until_there_is_no_more);
    tcase_add_test(tc, test_pool_offer__several_and_within_the_limit);
    tcase_add_test(tc, test_pool_offer__nobody_joins_after_a_stop);
    tcase_add_test(tc, test_pool_free__null);
    suite_add_tcase(suite, tc);
    return test_run(suite);
}
