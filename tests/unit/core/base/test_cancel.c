/* SPDX-License-Identifier: Apache-2.0
 *
 * core/base/cancel: flag, descriptor, sleep, parents.
 */
#include "core/base/cancel.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>

#include "core/base/clock.h"
#include "tests/harness/suite.h"

static bp_cancel *cancel;

static void
setup(void)
{
    cancel = bp_cancel_new();
}

static void
teardown(void)
{
    bp_cancel_free(cancel);
}

static bool
is_readable(const bp_cancel *of)
{
    struct pollfd wait = {.fd = bp_cancel_fd(of), .events = POLLIN};
    return poll(&wait, 1, 0) == 1;
}

START_TEST(test_trigger__sets_flag_and_descriptor)
{
    g_autoptr(GError) error = NULL;
    ck_assert(!bp_cancel_is_set(cancel) && !is_readable(cancel));
    ck_assert(bp_cancel_check(cancel, &error));
    bp_cancel_trigger(cancel, SIGINT);
    ck_assert(bp_cancel_is_set(cancel) && is_readable(cancel));
    ck_assert(!bp_cancel_check(cancel, &error));
    ASSERT_ERROR(error, BP_ERR_CANCELLED, "cancelled");
}
END_TEST

START_TEST(test_trigger__first_signal_stays_and_errno_too)
{
    errno = ENOENT;
    bp_cancel_trigger(cancel, SIGTERM);
    bp_cancel_trigger(cancel, SIGINT);
    ck_assert_int_eq(bp_cancel_signal(cancel), SIGTERM);
    ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(test_null__is_never_cancelled)
{
    g_autoptr(GError) error = NULL;
    ck_assert(!bp_cancel_is_set(NULL));
    ck_assert(bp_cancel_check(NULL, &error));
    ck_assert_int_eq(bp_cancel_fd(NULL), -1);
    ck_assert_int_eq(bp_cancel_signal(NULL), 0);
    ck_assert(bp_cancel_sleep_ns(NULL, 1000));
    bp_cancel_free(NULL);
}
END_TEST

START_TEST(test_sleep__ends_at_once_when_cancelled)
{
    gint64 before = bp_clock_mono_ns();
    ck_assert(bp_cancel_sleep_ns(cancel, 1000));
    bp_cancel_trigger(cancel, 0);
    ck_assert(!bp_cancel_sleep_ns(cancel, 3600 * BP_NS_PER_S));
    ck_assert_int_lt(bp_clock_mono_ns() - before, 60 * BP_NS_PER_S);
}
END_TEST

START_TEST(test_child__follows_its_parent_only)
{
    g_autoptr(bp_cancel) one = bp_cancel_new_child(cancel);
    g_autoptr(bp_cancel) other = bp_cancel_new_child(cancel);
    g_autoptr(bp_cancel) orphan = bp_cancel_new_child(NULL);
    bp_cancel_trigger(one, 0);
    ck_assert(bp_cancel_is_set(one) && is_readable(one));
    ck_assert(!bp_cancel_is_set(cancel) && !is_readable(cancel));
    ck_assert(!bp_cancel_is_set(other) && !is_readable(other));
    bp_cancel_trigger(cancel, SIGTERM);
    ck_assert(bp_cancel_is_set(other) && is_readable(other));
    ck_assert_int_eq(bp_cancel_signal(other), SIGTERM);
    ck_assert(!bp_cancel_is_set(orphan));
}
END_TEST

START_TEST(test_grace__ends_after_a_signal_only)
{
    bp_cancel_set_grace(cancel, 1);
    g_autoptr(bp_cancel) child = bp_cancel_new_child(cancel);
    const bp_cancel *grace = bp_cancel_grace(child);
    bp_cancel_trigger(child, 0); /* the job stops itself: nobody waits */
    bp_cancel_trigger(cancel, 0);
    ck_assert(bp_cancel_sleep_ns(grace, 1000));
    ck_assert(!bp_cancel_is_set(grace));
    bp_cancel_trigger(cancel, SIGINT);
    ck_assert(!bp_cancel_sleep_ns(grace, 3600 * BP_NS_PER_S));
    ck_assert(bp_cancel_is_set(grace) && is_readable(grace));
}
END_TEST

START_TEST(test_grace__lasts_a_while)
{
    bp_cancel_set_grace(cancel, 3600 * BP_NS_PER_S);
    bp_cancel_trigger(cancel, SIGINT);
    const bp_cancel *grace = bp_cancel_grace(cancel);
    ck_assert(bp_cancel_is_set(cancel));
    ck_assert(!bp_cancel_is_set(grace) && !is_readable(grace));
    ck_assert_ptr_eq(bp_cancel_grace(grace), grace); /* what undoes may have to undo */
}
END_TEST

START_TEST(test_grace__there_may_be_none)
{
    ck_assert_ptr_null(bp_cancel_grace(NULL));
    ck_assert_ptr_null(bp_cancel_grace(cancel));
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/base/cancel", setup, teardown, test_trigger__sets_flag_and_descriptor,
                     test_trigger__first_signal_stays_and_errno_too, test_null__is_never_cancelled,
                     test_sleep__ends_at_once_when_cancelled, test_child__follows_its_parent_only,
                     test_grace__ends_after_a_signal_only, test_grace__lasts_a_while,
                     test_grace__there_may_be_none);
}
