/* SPDX-License-Identifier: Apache-2.0
 *
 * core/plugin/gate and the thread models: how many calls get inside a plugin.
 */
#include "core/plugin/gate.h"

#include <stdatomic.h>

#include "core/base/clock.h"
#include "core/base/thread.h"
#include "core/plugin/module.h"
#include "core/plugin/store.h"
#include "tests/harness/suite.h"
#include "tests/harness/test_ops.h"

#define THREADS 8
#define ROUNDS 50

static bp_gate gate;

static void
setup(void)
{
    test_ops_reset();
    bp_gate_init(&gate, 1);
}

static void
teardown(void)
{
    bp_gate_clear(&gate);
}

START_TEST(test_enter__full_gate_obeys_deadline_and_cancel)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(bp_cancel) cancel = bp_cancel_new();
    ASSERT_FINE(bp_gate_enter(&gate, NULL, &error), error);
    bp_call late = {.deadline_ns = bp_clock_mono_ns() + BP_NS_PER_MS};
    ck_assert(!bp_gate_enter(&gate, &late, &error));
    ASSERT_ERROR(error, BP_ERR_TIMEOUT, "the deadline passed while other calls were running");
    bp_cancel_trigger(cancel, 0);
    bp_call cancelled = {.cancel = cancel};
    ck_assert(!bp_gate_enter(&gate, &cancelled, &error));
    ASSERT_ERROR(error, BP_ERR_CANCELLED, "cancelled");
    bp_gate_leave(&gate);
    ASSERT_FINE(bp_gate_enter(&gate, &late, &error), error); /* free: no need to wait */
    bp_gate_leave(&gate);
}
END_TEST

START_TEST(test_enter_alone__keeps_others_out)
{
    g_autoptr(GError) error = NULL;
    bp_gate wide;
    bp_gate_init(&wide, 0);
    bp_gate_enter_alone(&wide);
    bp_call call = {.deadline_ns = bp_clock_mono_ns()};
    ck_assert(!bp_gate_enter(&wide, &call, &error));
    ASSERT_ERROR(error, BP_ERR_TIMEOUT, "other calls were running");
    bp_gate_leave(&wide);
    ASSERT_FINE(bp_gate_enter(&wide, &call, &error), error);
    bp_gate_leave(&wide);
    bp_gate_clear(&wide);
}
END_TEST

static void *
enter_and_leave(void *ctx)
{
    bp_gate_enter_alone(ctx);
    bp_gate_leave(ctx);
    return NULL;
}

START_TEST(test_enter_alone__comes_before_those_who_come_later)
{
    g_autoptr(GError) error = NULL;
    bp_gate wide;
    bp_gate_init(&wide, 0);
    ASSERT_FINE(bp_gate_enter(&wide, NULL, &error), error);
    pthread_t other;
    bp_thread_start(&other, enter_and_leave, &wide);
    bp_call call = {0};
    do { /* until the other one waits */
        call.deadline_ns = bp_clock_mono_ns() + BP_NS_PER_MS;
        if (bp_gate_enter(&wide, &call, NULL)) {
            bp_gate_leave(&wide);
        } else {
            break;
        }
    } while (true);
    bp_gate_leave(&wide);
    pthread_join(other, NULL);
    ASSERT_FINE(bp_gate_enter(&wide, NULL, &error), error);
    bp_gate_leave(&wide);
    bp_gate_clear(&wide);
}
END_TEST

static void *
hammer(void *ctx)
{
    bp_store *store = ctx;
    for (guint i = 0; i < ROUNDS; i++) {
        g_autoptr(GError) error = NULL;
        struct bp_object_meta meta;
        ck_assert(!bp_store_stat(store, NULL, "none", &meta, &error));
        ck_assert(bp_error_is(error, BP_ERR_NOT_FOUND));
    }
    return NULL;
}

/* Most calls that were inside at once while THREADS use two instances. */
static guint
most_inside(guint16 model, guint32 max_parallel)
{
    g_autoptr(GError) error = NULL;
    struct bp_plugin plugin = test_ops_descriptor();
    plugin.thread_model = model;
    plugin.max_parallel = max_parallel;
    test_ops_reset();
    g_autoptr(bp_module) module = test_ops_load(&plugin, BP_PLUGIN_STORAGE, "memory", &error);
    ASSERT_FINE(module != NULL, error);
    bp_store *stores[2];
    for (guint i = 0; i < 2; i++) {
        stores[i] = bp_store_open(module, "s", NULL, NULL, &error);
    }
    test_ops_set_delay_ns(1);
    pthread_t threads[THREADS];
    for (guint i = 0; i < THREADS; i++) {
        bp_thread_start(&threads[i], hammer, stores[i % 2]);
    }
    for (guint i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    ck_assert_uint_eq(test_ops_calls("stat"), THREADS * ROUNDS);
    bp_store_free(stores[0]);
    bp_store_free(stores[1]);
    return test_ops_most_inside();
}

START_TEST(test_models__limit_what_is_inside)
{
    ck_assert_uint_eq(most_inside(BP_THREADS_ONE, 0), 1);
    ck_assert_uint_eq(most_inside(77, 0), 1); /* unknown: the most careful */
    ck_assert_uint_le(most_inside(BP_THREADS_INSTANCE, 0), 2);
    ck_assert_uint_le(most_inside(BP_THREADS_PARALLEL, 2), 4);
    ck_assert_uint_le(most_inside(BP_THREADS_PARALLEL, 0), THREADS);
}
END_TEST

int
main(void)
{
    return RUN_SUITE(
        "core/plugin/gate", setup, teardown, test_enter__full_gate_obeys_deadline_and_cancel,
        test_enter_alone__keeps_others_out, test_enter_alone__comes_before_those_who_come_later,
        test_models__limit_what_is_inside);
}
