/* SPDX-License-Identifier: Apache-2.0
 *
 * The reading side: resuming, seeking, and attempts that start over with progress.
 */
#include "core/copy/intake.h"
#include "fixture.h"

#include "sdk/lib/ban.h"

#define MIB (1024 * 1024)

static bp_call call;
static bp_copy_retry retry;
static bp_intake_params params;

static void
setup(void)
{
    test_clock_start();
    test_stores_open();
    call = (bp_call){.cancel = NULL};
    retry =
        (bp_copy_retry){.env = &test_env, .params = {.attempts = 2, .max_delay_ns = BP_NS_PER_S}};
    params = (bp_intake_params){.src = test_src, .key = "a", .call = &call, .retry = &retry};
    fake_store_set_text(test_src, "a", "0123456789");
}

static void
teardown(void)
{
    test_stores_close();
}

START_TEST(test_intake_open__fills_meta)
{
    g_auto(bp_intake) intake;
    bp_intake_init(&intake, &params);
    ck_assert(bp_intake_open(&intake, NULL));
    ck_assert_uint_eq(intake.meta.size, 10);
    ck_assert_str_eq(intake.meta.etag, "v1");
    ck_assert(bp_intake_open(&intake, NULL)); /* again does nothing */
    ck_assert_uint_eq(fake_store_calls(test_src, FAKE_READ_OPEN), 1);
}
END_TEST

START_TEST(test_intake_read_full__to_the_end)
{
    g_auto(bp_intake) intake;
    bp_intake_init(&intake, &params);
    fake_store_set_read_max(test_src, 3);
    char text[16];
    gsize n;
    ck_assert(bp_intake_read(&intake, text, 8, &n, NULL));
    ck_assert_uint_eq(n, 8);
    ck_assert(bp_intake_read(&intake, text, 8, &n, NULL));
    ck_assert_uint_eq(n, 2);
    ck_assert_mem_eq(text, "89", 2);
    ck_assert(bp_intake_read(&intake, text, 8, &n, NULL));
    ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(test_intake_seek__reads_from_there)
{
    g_auto(bp_intake) intake;
    bp_intake_init(&intake, &params);
    char text[16];
    gsize n;
    ck_assert(bp_intake_read(&intake, text, 8, &n, NULL));
    bp_intake_seek(&intake, 4, BP_UNKNOWN);
    ck_assert(bp_intake_read(&intake, text, 3, &n, NULL));
    ck_assert_mem_eq(text, "456", 3);
}
END_TEST

START_TEST(test_intake_read__wanted_version_is_checked)
{
    params.etag = "v2";
    g_auto(bp_intake) intake;
    bp_intake_init(&intake, &params);
    GError *error = NULL;
    ck_assert(!bp_intake_open(&intake, &error));
    test_error_is(&error, BP_ERR_EXISTS, "another version");
}
END_TEST

/* The source is told what it named, also when it is asked for the rest. */
START_TEST(test_intake_read__rest_of_a_streamed_item)
{
    char text[16];
    gsize n;
    GError *error = NULL;
    params.src = NULL;
    params.run = fake_store_as_run(test_src);
    params.unit_id = "u";
    params.etag = "v1";
    g_auto(bp_intake) intake;
    bp_intake_init(&intake, &params);
    ck_assert(bp_intake_read(&intake, text, 4, &n, NULL));
    bp_intake_seek(&intake, 4, BP_UNKNOWN);
    ck_assert(bp_intake_read(&intake, text, 3, &n, NULL));
    ck_assert_mem_eq(text, "456", 3);
    fake_store_set_text(test_src, "a", "9876543210");
    bp_intake_seek(&intake, 4, BP_UNKNOWN);
    ck_assert(!bp_intake_read(&intake, text, 3, &n, &error));
    test_error_is(&error, BP_ERR_EXISTS, "another version");
}
END_TEST

START_TEST(test_intake_read__progress_gives_new_attempts)
{
    g_autoptr(GBytes) bytes = test_bytes(6 * MIB);
    fake_store_set(test_src, "a", g_bytes_get_data(bytes, NULL), 6 * MIB);
    fake_store_set_read_max(test_src, MIB);
    for (guint i = 0; i < 4; i++) { /* every other read breaks; only two attempts are allowed */
        fake_store_add_fault(
            test_src,
            &(fake_fault){.op = FAKE_READ, .skip = i + 1, .times = 1, .cls = BP_ERR_RETRYABLE});
    }
    g_auto(bp_intake) intake;
    bp_intake_init(&intake, &params);
    g_autofree char *all = g_malloc(6 * MIB);
    gsize n;
    ck_assert(bp_intake_read(&intake, all, 6 * MIB, &n, NULL));
    ck_assert_mem_eq(all, g_bytes_get_data(bytes, NULL), 6 * MIB);
    ck_assert_uint_eq(test_clock.n_slept, 4);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("copy/intake");
    TCase *tc = tcase_create("intake");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_intake_open__fills_meta);
    tcase_add_test(tc, test_intake_read_full__to_the_end);
    tcase_add_test(tc, test_intake_seek__reads_from_there);
    tcase_add_test(tc, test_intake_read__wanted_version_is_checked);
    tcase_add_test(tc, test_intake_read__rest_of_a_streamed_item);
    tcase_add_test(tc, test_intake_read__progress_gives_new_attempts);
    suite_add_tcase(suite, tc);
    return test_run(suite);
}
