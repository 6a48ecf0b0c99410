/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of the copy engine share: a clock that only sleeping moves, two fake storages,
 * and checks of errors.
 */
#ifndef BP_TESTS_UNIT_CORE_COPY_FIXTURE_H
#define BP_TESTS_UNIT_CORE_COPY_FIXTURE_H

#include <check.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/init.h"
#include "core/base/retry_internal.h"
#include "tests/harness/fake_store.h"

/** What the fake clock was asked for.  One thread, unless `now_ns` alone is used. */
typedef struct fake_clock {
    gint64 now_ns;
    gint64 slept[64];
    guint n_slept;
    guint32 random;  /* what the dice always show */
    guint cancel_at; /* this sleep (from 1) is interrupted; 0 = none */
} fake_clock;

extern fake_clock test_clock;
extern const bp_retry_env test_env; /* of that clock */

/** Starts the fake clock; the dice show the middle. */
void test_clock_start(void);

extern bp_store *test_src, *test_dst;
void test_stores_open(void);
void test_stores_close(void);

/** `error` is of class `cls` and its message contains `text`; clears it. */
void test_error_is(GError **error, int cls, const char *text);

/** A text of n bytes, different at each place. */
GBytes *test_bytes(gsize n);

/** Runs the suite and returns the exit status. */
int test_run(Suite *suite);

#endif
