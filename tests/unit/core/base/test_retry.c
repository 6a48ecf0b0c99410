/* SPDX-License-Identifier: Apache-2.0
 *
 * core/base/retry: what is tried again, how long the waits are, and when it gives up.  Clock,
 * sleep and dice are scripted: no test waits.
 */
#include "core/base/retry.h"

#include <check.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/init.h"
#include "core/base/retry_internal.h"

#include "sdk/lib/errors.h"

typedef struct {
    /* What the world does. */
    int cls[64]; /* of each attempt in turn; BP_OK = success */
    guint64 retry_after_ms;
    const char *hint;
    gint64 attempt_takes_ns;
    guint cancel_in_sleep; /* 1 = the first sleep is cancelled */
    /* What was seen. */
    guint tries, sleeps;
    gint64 now_ns, slept_ns[64];
} world;

static gint64
now(void *ctx)
{
    return ((world *)ctx)->now_ns;
}

static bool
sleep_for(void *ctx, const bp_cancel *cancel G_GNUC_UNUSED, gint64 ns)
{
    world *w = ctx;
    w->slept_ns[w->sleeps++] = ns;
    w->now_ns += ns;
    return w->sleeps != w->cancel_in_sleep;
}

static guint32
highest(void *ctx G_GNUC_UNUSED)
{
    return G_MAXUINT32;
}

static bool
attempt(void *ctx, GError **error)
{
    world *w = ctx;
    int cls = w->cls[w->tries++];
    w->now_ns += w->attempt_takes_ns;
    if (cls == BP_OK) {
        return true;
    }
    struct bp_error raw;
    bp_error_init(&raw);
    (void)bp_fail(&raw, cls, "object a/b: broken");
    raw.retry_after_ms = w->retry_after_ms;
    bp_set_error_from_plugin(error, &raw);
    if (w->hint != NULL) {
        bp_error_add_hint(error, "%s", w->hint);
    }
    return false;
}

static void
fill(world *w, int cls)
{
    for (guint i = 0; i < G_N_ELEMENTS(w->cls); i++) {
        w->cls[i] = cls;
    }
}

static bool
run(world *w, const bp_retry_params *params, GError **error)
{
    bp_retry_env env = {.now_ns = now, .sleep_ns = sleep_for, .random = highest, .ctx = w};
    return bp_retry__with(&env, params, attempt, w, error);
}

START_TEST(test_retry__first_success)
{
    world w = {0};
    bp_retry_params params = {.attempts = 5};
    g_autoptr(GError) error = NULL;
    ck_assert(run(&w, &params, &error));
    ck_assert_uint_eq(w.tries, 1);
    ck_assert_uint_eq(w.sleeps, 0);
}
END_TEST

START_TEST(test_retry__succeeds_after_failures)
{
    world w = {.cls = {BP_ERR_RETRYABLE, BP_ERR_TIMEOUT, BP_OK}};
    bp_retry_params params = {.attempts = 3, .max_delay_ns = 10 * BP_NS_PER_S};
    g_autoptr(GError) error = NULL;
    ck_assert(run(&w, &params, &error));
    ck_assert_ptr_null(error);
    ck_assert_uint_eq(w.tries, 3);
    ck_assert_int_eq(w.slept_ns[0], 100 * BP_NS_PER_MS);
    ck_assert_int_eq(w.slept_ns[1], 200 * BP_NS_PER_MS);
}
END_TEST

START_TEST(test_count__what_was_tried_again)
{
    world w = {.cls = {BP_ERR_RETRYABLE, BP_ERR_THROTTLED, BP_ERR_RETRYABLE, BP_ERR_DENIED}};
    bp_retry_params params = {.attempts = 5};
    guint64 retryable = bp_retry_count(BP_ERR_RETRYABLE);
    guint64 throttled = bp_retry_count(BP_ERR_THROTTLED);
    ck_assert(!run(&w, &params, NULL));
    ck_assert_uint_eq(bp_retry_count(BP_ERR_RETRYABLE) - retryable, 2);
    ck_assert_uint_eq(bp_retry_count(BP_ERR_THROTTLED) - throttled, 1);
    ck_assert_uint_eq(bp_retry_count(BP_ERR_DENIED), 0);
    ck_assert_uint_eq(bp_retry_count(99), 0);
}
END_TEST

START_TEST(test_retry__attempts_run_out)
{
    world w = {0};
    fill(&w, BP_ERR_RETRYABLE);
    bp_retry_params params = {.attempts = 4};
    g_autoptr(GError) error = NULL;
    ck_assert(!run(&w, &params, &error));
    ck_assert_uint_eq(w.tries, 4);
    ck_assert(bp_error_is(error, BP_ERR_RETRYABLE));
    ck_assert_str_eq(error->message, "object a/b: broken (tried 4 times)");
}
END_TEST

START_TEST(test_retry__hint_stays_last)
{
    world w = {.hint = "look there"};
    fill(&w, BP_ERR_TIMEOUT);
    bp_retry_params params = {.attempts = 2};
    g_autoptr(GError) error = NULL;
    ck_assert(!run(&w, &params, &error));
    ck_assert_str_eq(error->message, "object a/b: broken (tried 2 times)\nhint: look there");
}
END_TEST

static const int final_classes[] = {
    BP_ERR_AUTH,    BP_ERR_DENIED,      BP_ERR_NOT_FOUND, BP_ERR_EXISTS,  BP_ERR_RANGE,
    BP_ERR_INVALID, BP_ERR_UNSUPPORTED, BP_ERR_NO_SPACE,  BP_ERR_CORRUPT, BP_ERR_STALE,
    BP_ERR_NOMEM,   BP_ERR_PERMANENT,   BP_ERR_CANCELLED};

START_TEST(test_retry__final_classes_are_tried_once)
{
    world w = {0};
    fill(&w, final_classes[_i]);
    bp_retry_params params = {.attempts = 5};
    g_autoptr(GError) error = NULL;
    ck_assert(!run(&w, &params, &error));
    ck_assert_uint_eq(w.tries, 1);
    ck_assert(bp_error_is(error, final_classes[_i]));
    ck_assert_str_eq(error->message, "object a/b: broken");
}
END_TEST

START_TEST(test_retry__throttled_obeys_the_wish)
{
    world w = {.cls = {BP_ERR_THROTTLED, BP_OK}, .retry_after_ms = 7000};
    bp_retry_params params = {.attempts = 1, .max_delay_ns = BP_NS_PER_S};
    g_autoptr(GError) error = NULL;
    ck_assert(run(&w, &params, &error));
    ck_assert_int_eq(w.slept_ns[0], 7 * BP_NS_PER_S);
}
END_TEST

START_TEST(test_retry__throttled_without_deadline)
{
    world w = {0};
    fill(&w, BP_ERR_THROTTLED);
    bp_retry_params params = {.attempts = 3};
    g_autoptr(GError) error = NULL;
    ck_assert(!run(&w, &params, &error));
    ck_assert_uint_eq(w.tries, 12);
    ck_assert(g_str_has_suffix(error->message, "(tried 12 times)"));
}
END_TEST

START_TEST(test_retry__throttled_until_deadline)
{
    world w = {.retry_after_ms = 1000};
    fill(&w, BP_ERR_THROTTLED);
    bp_retry_params params = {.attempts = 1, .max_delay_ns = 1, .deadline_ns = 10 * BP_NS_PER_S};
    g_autoptr(GError) error = NULL;
    ck_assert(!run(&w, &params, &error));
    ck_assert_uint_eq(w.tries, 10);
    ck_assert_int_lt(w.now_ns, params.deadline_ns);
}
END_TEST

START_TEST(test_retry__timeout_ends_with_the_deadline)
{
    world w = {.attempt_takes_ns = 4 * BP_NS_PER_S};
    fill(&w, BP_ERR_TIMEOUT);
    bp_retry_params params = {.attempts = 50, .deadline_ns = 10 * BP_NS_PER_S};
    g_autoptr(GError) error = NULL;
    ck_assert(!run(&w, &params, &error));
    ck_assert_uint_eq(w.tries, 3);
    ck_assert(bp_error_is(error, BP_ERR_TIMEOUT));
}
END_TEST

START_TEST(test_retry__cancelled_before)
{
    g_autoptr(bp_cancel) cancel = bp_cancel_new();
    bp_cancel_trigger(cancel, 2);
    world w = {0};
    bp_retry_params params = {.cancel = cancel, .attempts = 3};
    g_autoptr(GError) error = NULL;
    ck_assert(!run(&w, &params, &error));
    ck_assert_uint_eq(w.tries, 0);
    ck_assert(bp_error_is(error, BP_ERR_CANCELLED));
    ck_assert_str_eq(error->message, "cancelled");
}
END_TEST

START_TEST(test_retry__cancelled_in_sleep_keeps_the_reason)
{
    world w = {.cancel_in_sleep = 2};
    fill(&w, BP_ERR_RETRYABLE);
    bp_retry_params params = {.attempts = 9};
    g_autoptr(GError) error = NULL;
    ck_assert(!run(&w, &params, &error));
    ck_assert_uint_eq(w.tries, 2);
    ck_assert(bp_error_is(error, BP_ERR_CANCELLED));
    ck_assert_str_eq(error->message,
                     "cancelled while waiting to try again: object a/b: broken (tried 2 times)");
}
END_TEST

START_TEST(test_retry__no_error_wanted)
{
    world w = {0};
    fill(&w, BP_ERR_RETRYABLE);
    bp_retry_params params = {.attempts = 2};
    ck_assert(!run(&w, &params, NULL));
    ck_assert_uint_eq(w.tries, 2);
}
END_TEST

START_TEST(test_retry__system_environment)
{
    world w = {.cls = {BP_OK}};
    bp_retry_params params = {.attempts = 1};
    g_autoptr(GError) error = NULL;
    ck_assert(bp_retry(&params, attempt, &w, &error));
    ck_assert_int_gt(bp_retry_env_system.now_ns(NULL), 0);
    ck_assert(bp_retry_env_system.sleep_ns(NULL, NULL, 0));
    guint32 any = 0;
    for (int i = 0; i < 8; i++) {
        any |= bp_retry_env_system.random(NULL);
    }
    ck_assert_uint_ne(any, 0);
}
END_TEST

START_TEST(test_delay__doubles_up_to_the_cap)
{
    gint64 cap = 5 * BP_NS_PER_S;
    gint64 expected = 100 * BP_NS_PER_MS;
    for (guint n = 1; n < 100; n++) {
        ck_assert_int_eq(bp_retry_delay_ns(n, cap, G_MAXUINT32), MIN(expected, cap));
        expected = MIN(expected * 2, cap);
    }
    ck_assert_int_eq(bp_retry_delay_ns(1000, 0, G_MAXUINT32), 30 * BP_NS_PER_S);
}
END_TEST

START_TEST(test_delay__full_jitter)
{
    ck_assert_int_eq(bp_retry_delay_ns(3, BP_NS_PER_S, 0), 0);
    gint64 half = bp_retry_delay_ns(3, BP_NS_PER_S, G_MAXUINT32 / 2);
    ck_assert_int_gt(half, 199 * BP_NS_PER_MS);
    ck_assert_int_lt(half, 201 * BP_NS_PER_MS);
}
END_TEST

static Suite *
retry_suite(void)
{
    Suite *suite = suite_create("core/base/retry");
    TCase *tcase = tcase_create("retry");
    tcase_add_test(tcase, test_retry__first_success);
    tcase_add_test(tcase, test_retry__succeeds_after_failures);
    tcase_add_test(tcase, test_count__what_was_tried_again);
    tcase_add_test(tcase, test_retry__attempts_run_out);
    tcase_add_test(tcase, test_retry__hint_stays_last);
    tcase_add_loop_test(tcase, test_retry__final_classes_are_tried_once, 0,
                        (int)G_N_ELEMENTS(final_classes));
    tcase_add_test(tcase, test_retry__throttled_obeys_the_wish);
    tcase_add_test(tcase, test_retry__throttled_without_deadline);
    tcase_add_test(tcase, test_retry__throttled_until_deadline);
    tcase_add_test(tcase, test_retry__timeout_ends_with_the_deadline);
    tcase_add_test(tcase, test_retry__cancelled_before);
    tcase_add_test(tcase, test_retry__cancelled_in_sleep_keeps_the_reason);
    tcase_add_test(tcase, test_retry__no_error_wanted);
    tcase_add_test(tcase, test_retry__system_environment);
    tcase_add_test(tcase, test_delay__doubles_up_to_the_cap);
    tcase_add_test(tcase, test_delay__full_jitter);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    bp_base_init();
    SRunner *runner = srunner_create(retry_suite());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
