/* SPDX-License-Identifier: Apache-2.0
 *
 * core/base/fault: rules, and when they strike.
 */
#include "core/base/fault.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness/suite.h"

#if BP_FAULTS

static void
teardown(void)
{
    ck_assert(bp_fault_load("", NULL));
}

static void
load(const char *rules)
{
    g_autoptr(GError) error = NULL;
    ASSERT_FINE(bp_fault_load(rules, &error), error);
}

/* Which of ten calls fail, as text: "..x......." */
static char *
pattern(const char *name, const char *where)
{
    char *marks = g_strnfill(10, '.');
    for (guint i = 0; i < 10; i++) {
        if (!bp_fault_call(name, where, BP_FAULT_BEFORE, NULL, NULL)) {
            marks[i] = 'x';
        }
    }
    return marks;
}

START_TEST(test_point__class_and_message)
{
    g_autoptr(GError) error = NULL;
    load("catalog.seal::class=no-space");
    ASSERT_FINE(bp_fault_point("catalog.lease", &error), error);
    ck_assert(!bp_fault_point("catalog.seal", &error));
    ck_assert(!bp_error_outcome_unknown(error));
    ASSERT_ERROR(error, BP_ERR_NO_SPACE, "injected fault at catalog.seal");
}
END_TEST

START_TEST(test_when__nth_from_and_all)
{
    static const struct {
        const char *rule, *marks;
    } cases[] = {
        {"a.b::nth=3:class=auth", "..x......."},
        {"a.b::from=8:class=auth", ".......xxx"},
        {"a.b::class=auth", "xxxxxxxxxx"},
        {"a.*:b?ckups:nth=1:class=auth", "x........."},
        {"a.b:other:class=auth", ".........."},
        {"a.b::nth=2:class=auth;a.b::nth=4:class=auth", ".x.x......"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        load(cases[i].rule);
        g_autofree char *marks = pattern("a.b", "backups");
        ck_assert_str_eq(marks, cases[i].marks);
    }
}
END_TEST

START_TEST(test_rate__same_in_every_run)
{
    guint failed = 0;
    for (guint run = 0; run < 2; run++) {
        guint now = 0;
        load("a.b::rate=0.25:class=retryable");
        for (guint i = 0; i < 1000; i++) {
            now += !bp_fault_point("a.b", NULL);
        }
        ck_assert_uint_gt(now, 150);
        ck_assert_uint_lt(now, 350);
        ck_assert(run == 0 || now == failed);
        failed = now;
    }
}
END_TEST

START_TEST(test_effects__are_told_and_do_not_fail)
{
    g_autoptr(GError) error = NULL;
    bp_fault_effect effect = {0};
    load("a.b::short;a.b::corrupt:nth=2;a.b::delay=1ms");
    ASSERT_FINE(bp_fault_call("a.b", "x", BP_FAULT_BEFORE, &effect, &error), error);
    ck_assert(effect.cut && !effect.corrupt);
    ASSERT_FINE(bp_fault_call("a.b", "x", BP_FAULT_BEFORE, &effect, &error), error);
    ck_assert(effect.cut && effect.corrupt);
}
END_TEST

START_TEST(test_after__has_an_unknown_outcome)
{
    g_autoptr(GError) error = NULL;
    load("a.b::after:class=timeout");
    ASSERT_FINE(bp_fault_call("a.b", "x", BP_FAULT_BEFORE, NULL, &error), error);
    ck_assert(!bp_fault_call("a.b", "x", BP_FAULT_AFTER, NULL, &error));
    ck_assert(bp_error_outcome_unknown(error));
    ASSERT_ERROR(error, BP_ERR_TIMEOUT, "injected fault at a.b of x");
}
END_TEST

START_TEST(test_abort__kills_the_process)
{
    int status = 0;
    load("a.b::nth=2:abort");
    pid_t child = fork();
    if (child == 0) {
        bool alive = bp_fault_point("a.b", NULL) && bp_fault_point("a.b", NULL);
        _exit(alive ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGKILL);
}
END_TEST

START_TEST(test_load__unreadable_rules)
{
    static const struct {
        const char *rules, *message;
    } cases[] = {
        {"a.b", "BP_FAULT rule \"a.b\" has no action"},
        {"a.b::nth=1", "has no action"},
        {"a.b::class=bad", "cannot read \"class=bad\""},
        {"a.b::class=ok", "cannot read \"class=ok\""},
        {"a.b::nth=x:abort", "cannot read \"nth=x\""},
        {"a.b::rate=2:abort", "cannot read \"rate=2\""},
        {"a.b::explode", "cannot read \"explode\""},
        {"a.b::", "cannot read \"\""},
        {"a.b::delay=soon", "cannot read \"delay=soon\""},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        ck_assert(!bp_fault_load(cases[i].rules, &error));
        ASSERT_ERROR(error, BP_ERR_INVALID, cases[i].message);
    }
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/base/fault", NULL, teardown, test_point__class_and_message,
                     test_when__nth_from_and_all, test_rate__same_in_every_run,
                     test_effects__are_told_and_do_not_fail, test_after__has_an_unknown_outcome,
                     test_abort__kills_the_process, test_load__unreadable_rules);
}

#else

START_TEST(test_point__compiled_out)
{
    ck_assert(bp_fault_point("any", NULL));
    ck_assert(bp_fault_call("any", "x", BP_FAULT_AFTER, NULL, NULL));
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/base/fault", NULL, NULL, test_point__compiled_out);
}

#endif
