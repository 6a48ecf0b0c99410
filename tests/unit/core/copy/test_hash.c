/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading one object whole for its checksum.
 */
#include "core/copy/copy.h"
#include "fixture.h"

#include "sdk/lib/checksum.h"

#include "sdk/lib/ban.h"

static bp_call call;
static bp_copy_hash_params params;

static void
setup(void)
{
    test_clock_start();
    test_stores_open();
    call = (bp_call){.cancel = NULL};
    params = (bp_copy_hash_params){.store = test_src,
                                   .call = &call,
                                   .key = "a",
                                   .buffer_bytes = 3,
                                   .attempts = 2,
                                   .max_delay_ns = 1,
                                   .kind = BP_CHECKSUM_CRC32C};
    fake_store_set_text(test_src, "a", "123456789");
}

static void
teardown(void)
{
    test_stores_close();
}

static void
assert_sum(void)
{
    struct bp_checksum sum;
    guint64 size;
    char hex[BP_CHECKSUM_HEX_MAX];
    ck_assert(bp_copy_hash(&params, &sum, &size, NULL));
    bp_checksum_to_hex(&sum, hex);
    ck_assert_str_eq(hex, "e3069283");
    ck_assert_uint_eq(size, 9);
}

static void
assert_fails(int cls, const char *text)
{
    struct bp_checksum sum;
    guint64 size;
    GError *error = NULL;
    ck_assert(!bp_copy_hash(&params, &sum, &size, &error));
    test_error_is(&error, cls, text);
}

START_TEST(test_copy_hash__whole_object)
{
    assert_sum();
}
END_TEST

START_TEST(test_copy_hash__default_buffer)
{
    params.buffer_bytes = 0;
    assert_sum();
}
END_TEST

START_TEST(test_copy_hash__broken_read)
{
    fake_store_add_fault(
        test_src, &(fake_fault){.op = FAKE_READ, .skip = 2, .times = 1, .cls = BP_ERR_RETRYABLE});
    assert_sum();
}
END_TEST

START_TEST(test_copy_hash__gives_up)
{
    fake_store_add_fault(test_src, &(fake_fault){.op = FAKE_READ, .cls = BP_ERR_RETRYABLE});
    assert_fails(BP_ERR_RETRYABLE, "fake src: read a: injected (tried 2 times)");
}
END_TEST

START_TEST(test_copy_hash__missing_object)
{
    params.key = "nothing";
    assert_fails(BP_ERR_NOT_FOUND, "fake src: read_open nothing: no such object");
}
END_TEST

START_TEST(test_copy_hash__unknown_kind)
{
    params.kind = BP_CHECKSUM_NONE;
    assert_fails(BP_ERR_INVALID, "object a: no such kind of checksum: 0");
}
END_TEST

START_TEST(test_copy_hash__cancelled)
{
    g_autoptr(bp_cancel) cancel = bp_cancel_new();
    bp_cancel_trigger(cancel, 0);
    call.cancel = cancel;
    assert_fails(BP_ERR_CANCELLED, "cancelled");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("copy/hash");
    TCase *tc = tcase_create("hash");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_copy_hash__whole_object);
    tcase_add_test(tc, test_copy_hash__default_buffer);
    tcase_add_test(tc, test_copy_hash__broken_read);
    tcase_add_test(tc, test_copy_hash__gives_up);
    tcase_add_test(tc, test_copy_hash__missing_object);
    tcase_add_test(tc, test_copy_hash__unknown_kind);
    tcase_add_test(tc, test_copy_hash__cancelled);
    suite_add_tcase(suite, tc);
    return test_run(suite);
}
