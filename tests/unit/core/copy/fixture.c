/* SPDX-License-Identifier: Apache-2.0
 *
 * See fixture.h.
 */
#include "fixture.h"

#include <stdlib.h>

#include "sdk/lib/ban.h"

fake_clock test_clock;
bp_store *test_src, *test_dst;

static gint64
now_ns(void *ctx G_GNUC_UNUSED)
{
    return test_clock.now_ns;
}

static bool
sleep_ns(void *ctx G_GNUC_UNUSED, const bp_cancel *cancel, gint64 ns)
{
    if (test_clock.n_slept < G_N_ELEMENTS(test_clock.slept)) {
        test_clock.slept[test_clock.n_slept] = ns;
    }
    test_clock.n_slept++;
    test_clock.now_ns += ns;
    return !bp_cancel_is_set(cancel) && test_clock.n_slept != test_clock.cancel_at;
}

static guint32
dice(void *ctx G_GNUC_UNUSED)
{
    return test_clock.random;
}

const bp_retry_env test_env = {now_ns, sleep_ns, dice, NULL};

void
test_clock_start(void)
{
    test_clock = (fake_clock){.now_ns = 1000 * BP_NS_PER_S, .random = G_MAXUINT32 / 2};
}

void
test_stores_open(void)
{
    test_src = fake_store_new("src");
    test_dst = fake_store_new("dst");
}

void
test_stores_close(void)
{
    ck_assert_uint_eq(fake_store_n_open(test_src), 0);
    ck_assert_uint_eq(fake_store_n_open(test_dst), 0);
    bp_store_free(test_src);
    bp_store_free(test_dst);
}

void
test_error_is(GError **error, int cls, const char *text)
{
    ck_assert_ptr_nonnull(*error);
    ck_assert_msg(bp_error_class(*error) == cls, "class %d, wanted %d: %s", bp_error_class(*error),
                  cls, (*error)->message);
    ck_assert_msg(strstr((*error)->message, text) != NULL, "no \"%s\" in \"%s\"", text,
                  (*error)->message);
    g_clear_error(error);
}

GBytes *
test_bytes(gsize n)
{
    guint8 *bytes = g_malloc(n);
    guint32 seed = 12345;
    for (gsize i = 0; i < n; i++) {
        seed = seed * 1664525U + 1013904223U;
        bytes[i] = (guint8)(seed >> 24);
    }
    return g_bytes_new_take(bytes, n);
}

int
test_run(Suite *suite)
{
    bp_base_init();
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
