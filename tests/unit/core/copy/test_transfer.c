/* SPDX-License-Identifier: Apache-2.0
 *
 * Copying one item: which way, what is compared, what is tried again, and whose failure it is.
 */
#include "core/copy/transfer.h"
#include "fixture.h"

#include "sdk/lib/checksum.h"

#include "sdk/lib/ban.h"

static bp_counters counters;
static bp_transfer_env env;
static bp_call call;
static bp_transfer_result result;
static guint8 buffer[64];

static void
setup(void)
{
    test_clock_start();
    test_stores_open();
    bp_counters_init(&counters);
    call = (bp_call){.cancel = NULL};
    env = (bp_transfer_env){
        .params = {.dst = test_dst,
                   .call = &call,
                   .buffer_bytes = sizeof buffer,
                   .attempts = 3,
                   .max_delay_ns = BP_NS_PER_S},
        .call = call,
        .counters = &counters,
        .routes = bp_routes_new(test_dst),
        .retry = {.env = &test_env, .params = {.attempts = 3, .max_delay_ns = BP_NS_PER_S}},
    };
    result = (bp_transfer_result){0};
    fake_store_set_text(test_src, "a", "alpha");
}

static void
teardown(void)
{
    g_free(result.src_etag);
    bp_routes_free(env.routes);
    bp_throttle_free(env.throttle);
    test_stores_close();
}

static void
make_direct(void)
{
    fake_store_facts(test_dst)->caps |= BP_STORE_SERVER_COPY;
    g_strlcpy(fake_store_facts(test_dst)->copy_scope, "disk", 32);
    g_strlcpy(fake_store_facts(test_src)->copy_scope, "disk", 32);
}

static bp_copy_item
item_a(void)
{
    return (bp_copy_item){.src = test_src, .src_key = "a", .dst_key = "b/a", .size = 5};
}

static bool
copy_item(const bp_copy_item *item, GError **error)
{
    g_clear_pointer(&result.src_etag, g_free);
    return bp_transfer_run(&env, item, buffer, &result, error);
}

static bool
copy_a(GError **error)
{
    bp_copy_item item = item_a();
    return copy_item(&item, error);
}

static struct bp_checksum
sum_of(guint32 kind, const char *text)
{
    struct bp_checksum sum;
    g_autoptr(bp_hasher) hasher = bp_hasher_new(kind);
    bp_hasher_update(hasher, text, strlen(text));
    bp_hasher_get(hasher, &sum);
    return sum;
}

static void
assert_own_checksum(const char *text)
{
    struct bp_checksum must = sum_of(BP_CHECKSUM_XXH3_128, text);
    ck_assert(bp_checksum_equal(&result.checksum, &must));
}

START_TEST(test_run__streams_with_checksum)
{
    GError *error = NULL;
    ck_assert(copy_a(&error));
    ck_assert(fake_store_has_text(test_dst, "b/a", "alpha"));
    ck_assert_uint_eq(result.size, 5);
    assert_own_checksum("alpha");
    ck_assert_str_eq(result.src_etag, "v1");
    ck_assert_uint_eq(atomic_load(&counters.bytes_done), 5);
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_COPY), 0);
}
END_TEST

START_TEST(test_run__many_buffers)
{
    g_autoptr(GBytes) bytes = test_bytes(1000);
    fake_store_set(test_src, "big", g_bytes_get_data(bytes, NULL), 1000);
    fake_store_set_read_max(test_src, 7);
    bp_copy_item item = {.src = test_src, .src_key = "big", .dst_key = "big", .size = 1000};
    ck_assert(copy_item(&item, NULL));
    g_autoptr(GBytes) copied = fake_store_content(test_dst, "big");
    ck_assert(g_bytes_equal(copied, bytes));
}
END_TEST

START_TEST(test_run__empty_item)
{
    fake_store_set_text(test_src, "empty", "");
    bp_copy_item item = {.src = test_src, .src_key = "empty", .dst_key = "empty", .size = 0};
    ck_assert(copy_item(&item, NULL));
    ck_assert(fake_store_has_text(test_dst, "empty", ""));
    assert_own_checksum("");
}
END_TEST

START_TEST(test_run__unknown_size)
{
    bp_copy_item item = item_a();
    item.size = BP_UNKNOWN;
    ck_assert(copy_item(&item, NULL));
    ck_assert_uint_eq(result.size, 5);
}
END_TEST

START_TEST(test_run__stream_item)
{
    bp_copy_item item = {.run = fake_store_as_run(test_src),
                         .unit_id = "u",
                         .src_key = "a",
                         .dst_key = "s",
                         .size = BP_UNKNOWN};
    ck_assert(copy_item(&item, NULL));
    ck_assert(fake_store_has_text(test_dst, "s", "alpha"));
    assert_own_checksum("alpha");
}
END_TEST

START_TEST(test_run__stream_item_needs_known_size)
{
    fake_store_facts(test_dst)->caps &= ~BP_STORE_UNKNOWN_SIZE;
    bp_copy_item item = {.run = fake_store_as_run(test_src),
                         .unit_id = "u",
                         .src_key = "a",
                         .dst_key = "s",
                         .size = BP_UNKNOWN};
    GError *error = NULL;
    ck_assert(!copy_item(&item, &error));
    test_error_is(&error, BP_ERR_UNSUPPORTED, "storage dst takes no object without knowing");
}
END_TEST

START_TEST(test_run__no_checksum)
{
    env.params.no_checksum = true;
    ck_assert(copy_a(NULL));
    ck_assert_uint_eq(result.checksum.kind, BP_CHECKSUM_NONE);
}
END_TEST

START_TEST(test_run__source_of_other_size)
{
    bp_copy_item item = item_a();
    item.size = 6;
    GError *error = NULL;
    ck_assert(!copy_item(&item, &error));
    test_error_is(&error, BP_ERR_CORRUPT,
                  "copy of b/a: source object a has 5 bytes, it was named with 6");
    ck_assert_uint_eq(fake_store_n_objects(test_dst), 0);
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_COMMIT), 0);
}
END_TEST

START_TEST(test_run__stream_item_of_other_size)
{
    bp_copy_item item = {.run = fake_store_as_run(test_src),
                         .unit_id = "u",
                         .src_key = "a",
                         .dst_key = "s",
                         .size = 4};
    GError *error = NULL;
    ck_assert(!copy_item(&item, &error));
    test_error_is(&error, BP_ERR_CORRUPT, "source object a has 5 bytes, it was named with 4");
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_ABORT), 1);
}
END_TEST

START_TEST(test_run__destination_of_other_size)
{
    fake_store_set_lie_size(test_dst, -1);
    GError *error = NULL;
    ck_assert(!copy_a(&error));
    test_error_is(&error, BP_ERR_CORRUPT, "the destination holds 4 bytes, the source has 5");
    ck_assert_uint_eq(fake_store_n_objects(test_dst), 0); /* the wrong copy is gone */
}
END_TEST

START_TEST(test_run__wrong_copy_that_stays_keeps_the_error)
{
    fake_store_set_lie_size(test_dst, 2);
    fake_store_add_fault(test_dst, &(fake_fault){.op = FAKE_REMOVE, .cls = BP_ERR_DENIED});
    GError *error = NULL;
    ck_assert(!copy_a(&error));
    test_error_is(&error, BP_ERR_CORRUPT, "the destination holds 7 bytes, the source has 5");
}
END_TEST

static const guint32 kinds[] = {BP_CHECKSUM_XXH3_128, BP_CHECKSUM_SHA256, BP_CHECKSUM_CRC32C,
                                BP_CHECKSUM_MD5};

START_TEST(test_run__named_checksum_agrees)
{
    bp_copy_item item = item_a();
    item.checksum = sum_of(kinds[_i], "alpha");
    ck_assert(copy_item(&item, NULL));
    assert_own_checksum("alpha");
}
END_TEST

START_TEST(test_run__named_checksum_differs)
{
    bp_copy_item item = item_a();
    item.checksum = sum_of(kinds[_i], "alphb");
    GError *error = NULL;
    ck_assert(!copy_item(&item, &error));
    test_error_is(&error, BP_ERR_CORRUPT, "copy of b/a: object b/a: its ");
    ck_assert_uint_eq(fake_store_n_objects(test_dst), 0);
}
END_TEST

START_TEST(test_run__destination_says_other_checksum)
{
    struct bp_checksum lie = sum_of(BP_CHECKSUM_XXH3_128, "omega");
    fake_store_set_lie_checksum(test_dst, &lie);
    GError *error = NULL;
    ck_assert(!copy_a(&error));
    test_error_is(&error, BP_ERR_CORRUPT, "its xxh3-128 is ");
}
END_TEST

START_TEST(test_run__source_gone)
{
    bp_copy_item item = item_a();
    item.src_key = "nothing";
    GError *error = NULL;
    ck_assert(!copy_item(&item, &error));
    test_error_is(&error, BP_ERR_STALE, "source object nothing is gone");
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_WRITE_OPEN), 0);
}
END_TEST

START_TEST(test_run__source_is_another_version)
{
    bp_copy_item item = item_a();
    item.src_etag = "v7";
    GError *error = NULL;
    ck_assert(!copy_item(&item, &error));
    test_error_is(&error, BP_ERR_STALE, "source object a is another version now");
}
END_TEST

START_TEST(test_run__missing_place_at_destination_is_not_stale)
{
    fake_store_add_fault(
        test_dst,
        &(fake_fault){.op = FAKE_WRITE_OPEN, .cls = BP_ERR_NOT_FOUND, .message = "no bucket"});
    GError *error = NULL;
    ck_assert(!copy_a(&error));
    test_error_is(&error, BP_ERR_NOT_FOUND, "copy of b/a: fake dst: write_open b/a: no bucket");
}
END_TEST

START_TEST(test_run__broken_read_goes_on_where_it_stopped)
{
    g_autoptr(GBytes) bytes = test_bytes(1000);
    fake_store_set(test_src, "big", g_bytes_get_data(bytes, NULL), 1000);
    fake_store_add_fault(
        test_src, &(fake_fault){.op = FAKE_READ, .skip = 5, .times = 2, .cls = BP_ERR_RETRYABLE});
    bp_copy_item item = {.src = test_src, .src_key = "big", .dst_key = "big", .size = 1000};
    ck_assert(copy_item(&item, NULL));
    g_autoptr(GBytes) copied = fake_store_content(test_dst, "big");
    ck_assert(g_bytes_equal(copied, bytes));
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_WRITE_OPEN), 1); /* the same writer */
    ck_assert_uint_eq(fake_store_calls(test_src, FAKE_READ_OPEN), 3);
    ck_assert_uint_eq(atomic_load(&counters.bytes_done), 1000);
}
END_TEST

static void
change_source(void *ctx G_GNUC_UNUSED, const char *key G_GNUC_UNUSED)
{
    fake_store_set_text(test_src, "a", "other");
}

START_TEST(test_run__broken_read_never_mixes_versions)
{
    fake_store_set_read_max(test_src, 2);
    fake_store_add_fault(test_src, &(fake_fault){.op = FAKE_READ,
                                                 .skip = 1,
                                                 .times = 1,
                                                 .cls = BP_ERR_RETRYABLE,
                                                 .hook = change_source});
    GError *error = NULL;
    ck_assert(!copy_a(&error));
    test_error_is(&error, BP_ERR_STALE, "source object a is another version now");
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_ABORT), 1);
}
END_TEST

START_TEST(test_run__source_fails_for_good_once)
{
    fake_store_add_fault(test_src, &(fake_fault){.op = FAKE_READ_OPEN, .cls = BP_ERR_RETRYABLE});
    GError *error = NULL;
    ck_assert(!copy_a(&error));
    test_error_is(&error, BP_ERR_RETRYABLE, "(tried 3 times)");
    ck_assert_uint_eq(fake_store_calls(test_src, FAKE_READ_OPEN), 3); /* not 3 times 3 */
}
END_TEST

static const fake_op write_ops[] = {FAKE_WRITE_OPEN, FAKE_WRITE, FAKE_COMMIT};

START_TEST(test_run__failed_write_starts_the_item_again)
{
    fake_store_add_fault(test_dst,
                         &(fake_fault){.op = write_ops[_i], .times = 2, .cls = BP_ERR_RETRYABLE});
    ck_assert(copy_a(NULL));
    ck_assert(fake_store_has_text(test_dst, "b/a", "alpha"));
    assert_own_checksum("alpha");
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_WRITE_OPEN), 3);
    ck_assert_uint_eq(atomic_load(&counters.bytes_done), 5);
}
END_TEST

START_TEST(test_run__failed_write_gives_up)
{
    fake_store_add_fault(test_dst, &(fake_fault){.op = write_ops[_i], .cls = BP_ERR_RETRYABLE});
    GError *error = NULL;
    ck_assert(!copy_a(&error));
    test_error_is(&error, BP_ERR_RETRYABLE, "injected (tried 3 times)");
    ck_assert_uint_eq(atomic_load(&counters.bytes_done), 0);
}
END_TEST

/* What lies there may be an older object of the same size: only writing again tells. */
START_TEST(test_run__unknown_outcome_is_repeated)
{
    fake_store_set_text(test_dst, "b/a", "older");
    fake_store_add_fault(
        test_dst,
        &(fake_fault){.op = FAKE_COMMIT, .times = 1, .cls = BP_ERR_RETRYABLE, .unknown = true});
    fake_store_add_fault(test_dst, &(fake_fault){.op = FAKE_COMMIT,
                                                 .times = 1,
                                                 .cls = BP_ERR_RETRYABLE,
                                                 .takes_effect = true});
    ck_assert(copy_a(NULL));
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_COMMIT), 3);
    ck_assert(fake_store_has_text(test_dst, "b/a", "alpha"));
}
END_TEST

static void
count(void *ctx)
{
    ++*(guint *)ctx;
}

START_TEST(test_run__throttling_is_told)
{
    guint told = 0;
    env.retry.throttled = count;
    env.retry.ctx = &told;
    fake_store_add_fault(test_dst, &(fake_fault){.op = FAKE_WRITE_OPEN,
                                                 .times = 5,
                                                 .cls = BP_ERR_THROTTLED,
                                                 .retry_after_ms = 3000});
    fake_store_add_fault(test_src,
                         &(fake_fault){.op = FAKE_READ_OPEN, .times = 1, .cls = BP_ERR_THROTTLED});
    ck_assert(copy_a(NULL));
    ck_assert_uint_eq(told, 6);
    ck_assert_int_eq(test_clock.slept[1], 3 * BP_NS_PER_S);
}
END_TEST

START_TEST(test_run__cancelled_before)
{
    g_autoptr(bp_cancel) cancel = bp_cancel_new();
    bp_cancel_trigger(cancel, 0);
    env.call.cancel = env.retry.params.cancel = cancel;
    GError *error = NULL;
    ck_assert(!copy_a(&error));
    test_error_is(&error, BP_ERR_CANCELLED, "cancelled");
    ck_assert_uint_eq(fake_store_calls(test_src, FAKE_READ_OPEN), 0);
}
END_TEST

START_TEST(test_run__byte_rate)
{
    env.throttle = bp_throttle_new(1, &test_env);
    ck_assert(copy_a(NULL));
    ck_assert(copy_a(NULL));
    ck_assert_uint_ge(test_clock.now_ns, 1005 * BP_NS_PER_S);
}
END_TEST

/* Direct copies. */

START_TEST(test_run__direct)
{
    make_direct();
    ck_assert(copy_a(NULL));
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_COPY), 1);
    ck_assert_uint_eq(fake_store_calls(test_src, FAKE_READ_OPEN), 0);
    ck_assert(fake_store_has_text(test_dst, "b/a", "alpha"));
    ck_assert_uint_eq(result.checksum.kind, BP_CHECKSUM_NONE);
    ck_assert_uint_eq(atomic_load(&counters.bytes_done), 5);
}
END_TEST

START_TEST(test_run__direct_keeps_the_stores_checksum)
{
    make_direct();
    struct bp_checksum theirs = sum_of(BP_CHECKSUM_SHA256, "alpha");
    theirs.by = BP_CHECKSUM_BY_STORE;
    fake_store_set_lie_checksum(test_dst, &theirs);
    ck_assert(copy_a(NULL));
    ck_assert(bp_checksum_equal(&result.checksum, &theirs));
    ck_assert_uint_eq(result.checksum.by, BP_CHECKSUM_BY_STORE);
}
END_TEST

START_TEST(test_run__direct_with_wrong_checksum)
{
    make_direct();
    struct bp_checksum theirs = sum_of(BP_CHECKSUM_XXH3_128, "omega");
    fake_store_set_lie_checksum(test_dst, &theirs);
    bp_copy_item item = item_a();
    item.checksum = sum_of(BP_CHECKSUM_XXH3_128, "alpha");
    GError *error = NULL;
    ck_assert(!copy_item(&item, &error));
    test_error_is(&error, BP_ERR_CORRUPT, "object b/a: its xxh3-128 is ");
}
END_TEST

START_TEST(test_run__direct_of_unknown_size_asks_the_source)
{
    make_direct();
    bp_copy_item item = item_a();
    item.size = BP_UNKNOWN;
    ck_assert(copy_item(&item, NULL));
    ck_assert_uint_eq(result.size, 5);
    ck_assert_uint_eq(fake_store_calls(test_src, FAKE_STAT), 1);
}
END_TEST

START_TEST(test_run__direct_of_other_size)
{
    make_direct();
    bp_copy_item item = item_a();
    item.size = 9;
    GError *error = NULL;
    ck_assert(!copy_item(&item, &error));
    test_error_is(&error, BP_ERR_CORRUPT, "the destination holds 5 bytes, the source has 9");
}
END_TEST

static const int refusals[] = {BP_ERR_UNSUPPORTED, BP_ERR_DENIED, BP_ERR_AUTH, BP_ERR_NOT_FOUND,
                               BP_ERR_EXISTS};

START_TEST(test_run__refused_direct_copy_streams_from_then_on)
{
    make_direct();
    fake_store_add_fault(test_dst, &(fake_fault){.op = FAKE_COPY, .cls = refusals[_i]});
    ck_assert(copy_a(NULL));
    ck_assert(copy_a(NULL));
    ck_assert(fake_store_has_text(test_dst, "b/a", "alpha"));
    assert_own_checksum("alpha");
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_COPY), 1);
}
END_TEST

START_TEST(test_run__direct_source_gone)
{
    make_direct();
    bp_copy_item item = item_a();
    item.src_key = "nothing";
    GError *error = NULL;
    ck_assert(!copy_item(&item, &error));
    test_error_is(&error, BP_ERR_STALE, "source object nothing is gone");
}
END_TEST

START_TEST(test_run__direct_source_is_another_version)
{
    make_direct();
    bp_copy_item item = item_a();
    item.src_etag = "v9";
    GError *error = NULL;
    ck_assert(!copy_item(&item, &error));
    test_error_is(&error, BP_ERR_STALE, "source object a is another version now");
    ck_assert(copy_a(NULL));
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_COPY), 2); /* the route is still good */
}
END_TEST

START_TEST(test_run__direct_is_retried)
{
    make_direct();
    fake_store_add_fault(test_dst,
                         &(fake_fault){.op = FAKE_COPY, .times = 2, .cls = BP_ERR_RETRYABLE});
    ck_assert(copy_a(NULL));
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_COPY), 3);
    ck_assert_uint_eq(fake_store_calls(test_src, FAKE_READ_OPEN), 0);
}
END_TEST

static void
add_stream_tests(TCase *tc)
{
    tcase_add_test(tc, test_run__streams_with_checksum);
    tcase_add_test(tc, test_run__many_buffers);
    tcase_add_test(tc, test_run__empty_item);
    tcase_add_test(tc, test_run__unknown_size);
    tcase_add_test(tc, test_run__stream_item);
    tcase_add_test(tc, test_run__stream_item_needs_known_size);
    tcase_add_test(tc, test_run__no_checksum);
    tcase_add_test(tc, test_run__source_of_other_size);
    tcase_add_test(tc, test_run__stream_item_of_other_size);
    tcase_add_test(tc, test_run__destination_of_other_size);
    tcase_add_test(tc, test_run__wrong_copy_that_stays_keeps_the_error);
    tcase_add_loop_test(tc, test_run__named_checksum_agrees, 0, G_N_ELEMENTS(kinds));
    tcase_add_loop_test(tc, test_run__named_checksum_differs, 0, G_N_ELEMENTS(kinds));
    tcase_add_test(tc, test_run__destination_says_other_checksum);
    tcase_add_test(tc, test_run__source_gone);
    tcase_add_test(tc, test_run__source_is_another_version);
    tcase_add_test(tc, test_run__missing_place_at_destination_is_not_stale);
    tcase_add_test(tc, test_run__cancelled_before);
    tcase_add_test(tc, test_run__byte_rate);
}

static void
add_retry_tests(TCase *tc)
{
    tcase_add_test(tc, test_run__broken_read_goes_on_where_it_stopped);
    tcase_add_test(tc, test_run__broken_read_never_mixes_versions);
    tcase_add_test(tc, test_run__source_fails_for_good_once);
    tcase_add_loop_test(tc, test_run__failed_write_starts_the_item_again, 0,
                        G_N_ELEMENTS(write_ops));
    tcase_add_loop_test(tc, test_run__failed_write_gives_up, 0, G_N_ELEMENTS(write_ops));
    tcase_add_test(tc, test_run__unknown_outcome_is_repeated);
    tcase_add_test(tc, test_run__throttling_is_told);
}

static void
add_direct_tests(TCase *tc)
{
    tcase_add_test(tc, test_run__direct);
    tcase_add_test(tc, test_run__direct_keeps_the_stores_checksum);
    tcase_add_test(tc, test_run__direct_with_wrong_checksum);
    tcase_add_test(tc, test_run__direct_of_unknown_size_asks_the_source);
    tcase_add_test(tc, test_run__direct_of_other_size);
    tcase_add_loop_test(tc, test_run__refused_direct_copy_streams_from_then_on, 0,
                        G_N_ELEMENTS(refusals));
    tcase_add_test(tc, test_run__direct_source_gone);
    tcase_add_test(tc, test_run__direct_source_is_another_version);
    tcase_add_test(tc, test_run__direct_is_retried);
}

int
main(void)
{
    Suite *suite = suite_create("copy/transfer");
    void (*const adders[])(TCase *) = {add_stream_tests, add_retry_tests, add_direct_tests};
    static const char *const names[] = {"stream", "retry", "direct"};
    for (guint i = 0; i < G_N_ELEMENTS(adders); i++) {
        TCase *tc = tcase_create(names[i]);
        tcase_add_checked_fixture(tc, setup, teardown);
        adders[i](tc);
        suite_add_tcase(suite, tc);
    }
    return test_run(suite);
}
