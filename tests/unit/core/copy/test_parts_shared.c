/* SPDX-License-Identifier: Apache-2.0
 *
 * Parts of one object side by side: idle workers join, and what one of them meets ends it for all.
 */
#include "core/base/thread.h"
#include "core/copy/transfer.h"
#include "fixture.h"

#include "sdk/lib/checksum.h"

#include "sdk/lib/ban.h"

#define SIZE 10000
#define PART 300
#define HELPERS 3
#define BUFFER 64

static bp_counters counters;
static bp_transfer_env env;
static bp_cancel *cancel;
static bp_call call;
static bp_transfer_result result;
static guint8 buffers[HELPERS + 1][BUFFER];
static GBytes *content;

/* Parts wait in their first call until so many are at it. */
static pthread_mutex_t meet_lock = PTHREAD_MUTEX_INITIALIZER; /* guards the next two */
static guint here, meet;
static pthread_cond_t met;

static void
no_task(void *ctx, void *task, guint worker)
{
    (void)ctx;
    (void)task;
    (void)worker;
}

static void
no_drop(void *ctx, void *task)
{
    (void)ctx;
    (void)task;
}

static void
setup(void)
{
    test_stores_open();
    bp_counters_init(&counters);
    cancel = bp_cancel_new();
    call = (bp_call){.cancel = cancel};
    fake_store_facts(test_dst)->caps |= BP_STORE_PARTS | BP_STORE_PARTS_PARALLEL;
    fake_store_facts(test_dst)->min_part = 10;
    fake_store_facts(test_dst)->max_part = 500;
    fake_store_facts(test_dst)->max_parts = 1000;
    env = (bp_transfer_env){
        .params = {.dst = test_dst,
                   .call = &call,
                   .buffer_bytes = BUFFER,
                   .part_bytes = PART,
                   .attempts = 3,
                   .max_delay_ns = 1},
        .call = call,
        .counters = &counters,
        .routes = bp_routes_new(test_dst),
        .retry = {.env = &bp_retry_env_system,
                  .params = {.cancel = cancel, .attempts = 3, .max_delay_ns = 1}},
        .pool = bp_pool_new(
            &(bp_pool_params){.workers = HELPERS, .capacity = 1, .run = no_task, .drop = no_drop}),
        .buffers = buffers[0],
    };
    result = (bp_transfer_result){0};
    content = test_bytes(SIZE);
    fake_store_set(test_src, "big", g_bytes_get_data(content, NULL), SIZE);
    bp_cond_init(&met);
    here = 0;
    meet = HELPERS + 1;
}

static void
teardown(void)
{
    bp_pool_free(env.pool);
    ck_assert_uint_eq(fake_store_n_uploads(test_dst), 0);
    g_free(result.src_etag);
    g_bytes_unref(content);
    bp_routes_free(env.routes);
    bp_cancel_free(cancel);
    test_stores_close();
}

static void
wait_for_all(void *ctx G_GNUC_UNUSED, const char *key G_GNUC_UNUSED)
{
    BP_LOCK_GUARD(&meet_lock);
    here++;
    pthread_cond_broadcast(&met);
    while (here < meet) {
        pthread_cond_wait(&met, &meet_lock);
    }
}

static void
meet_in(fake_op op)
{
    fake_store_add_fault(test_dst, &(fake_fault){.op = op, .hook = wait_for_all});
}

static bool
copy_big(GError **error)
{
    bp_copy_item item = {.src = test_src, .src_key = "big", .dst_key = "big", .size = SIZE};
    return bp_transfer_run(&env, &item, buffers[HELPERS], &result, error);
}

static void
assert_copied(void)
{
    g_autoptr(GBytes) copied = fake_store_content(test_dst, "big");
    ck_assert_ptr_nonnull(copied);
    ck_assert(g_bytes_equal(copied, content));
    ck_assert_uint_eq(atomic_load(&counters.bytes_done), SIZE);
}

static struct bp_checksum
content_sum(guint32 kind)
{
    struct bp_checksum sum;
    g_autoptr(bp_hasher) hasher = bp_hasher_new(kind);
    bp_hasher_update(hasher, g_bytes_get_data(content, NULL), SIZE);
    bp_hasher_get(hasher, &sum);
    return sum;
}

static void
make_direct(void)
{
    fake_store_facts(test_dst)->caps |= BP_STORE_SERVER_COPY;
    fake_store_facts(test_dst)->max_copy = 400;
    g_strlcpy(fake_store_facts(test_dst)->copy_scope, "disk", 32);
    g_strlcpy(fake_store_facts(test_src)->copy_scope, "disk", 32);
}

START_TEST(test_parts__idle_workers_join)
{
    meet_in(FAKE_PART_OPEN);
    ck_assert(copy_big(NULL));
    assert_copied();
    ck_assert_uint_ge(fake_store_peak_writers(test_dst), 1);
    ck_assert_uint_ge(here, HELPERS + 1);
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_PART_OPEN), 34);
    ck_assert_uint_eq(fake_store_calls(test_src, FAKE_READ_OPEN), 34); /* each its own piece */
    struct bp_checksum must = content_sum(BP_CHECKSUM_CRC32C);
    ck_assert(bp_checksum_equal(&result.checksum, &must));
    ck_assert_uint_eq(result.checksum.by, BP_CHECKSUM_BY_HOST);
    ck_assert_str_eq(result.src_etag, "v1");
}
END_TEST

START_TEST(test_parts__named_checksum_that_joins)
{
    bp_copy_item item = {.src = test_src,
                         .src_key = "big",
                         .dst_key = "big",
                         .size = SIZE,
                         .checksum = content_sum(BP_CHECKSUM_CRC32C)};
    meet_in(FAKE_PART_OPEN);
    ck_assert(bp_transfer_run(&env, &item, buffers[HELPERS], &result, NULL));
    assert_copied();
    item.checksum.value[0] ^= 1;
    g_clear_pointer(&result.src_etag, g_free);
    GError *error = NULL;
    ck_assert(!bp_transfer_run(&env, &item, buffers[HELPERS], &result, &error));
    test_error_is(&error, BP_ERR_CORRUPT, "object big: its crc32c is ");
    ck_assert_uint_eq(fake_store_n_objects(test_dst), 0);
}
END_TEST

START_TEST(test_parts__other_named_checksum_goes_in_order)
{
    bp_copy_item item = {.src = test_src,
                         .src_key = "big",
                         .dst_key = "big",
                         .size = SIZE,
                         .checksum = content_sum(BP_CHECKSUM_SHA256)};
    ck_assert(bp_transfer_run(&env, &item, buffers[HELPERS], &result, NULL));
    assert_copied();
    ck_assert_uint_eq(fake_store_peak_writers(test_dst), 1);
    ck_assert_uint_eq(fake_store_calls(test_src, FAKE_READ_OPEN), 1); /* one stream */
    struct bp_checksum must = content_sum(BP_CHECKSUM_XXH3_128);
    ck_assert(bp_checksum_equal(&result.checksum, &must));
}
END_TEST

START_TEST(test_parts__in_order_where_the_store_wants_it)
{
    fake_store_facts(test_dst)->caps &= ~BP_STORE_PARTS_PARALLEL;
    ck_assert(copy_big(NULL));
    assert_copied();
    ck_assert_uint_eq(fake_store_peak_writers(test_dst), 1);
    ck_assert_uint_eq(result.checksum.kind, BP_CHECKSUM_XXH3_128);
}
END_TEST

START_TEST(test_parts__sizes_only)
{
    env.params.no_checksum = true;
    meet_in(FAKE_PART_OPEN);
    ck_assert(copy_big(NULL));
    assert_copied();
    ck_assert_uint_eq(result.checksum.kind, BP_CHECKSUM_NONE);
}
END_TEST

START_TEST(test_parts__each_retries_its_own)
{
    env.retry.params.attempts = 5; /* all four failures may hit one part */
    fake_store_add_fault(
        test_dst, &(fake_fault){.op = FAKE_COMMIT, .skip = 5, .times = 2, .cls = BP_ERR_RETRYABLE});
    fake_store_add_fault(
        test_src, &(fake_fault){.op = FAKE_READ, .skip = 50, .times = 2, .cls = BP_ERR_RETRYABLE});
    meet_in(FAKE_PART_OPEN);
    ck_assert(copy_big(NULL));
    assert_copied();
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_PART_OPEN), 36);
    struct bp_checksum must = content_sum(BP_CHECKSUM_CRC32C);
    ck_assert(bp_checksum_equal(&result.checksum, &must));
}
END_TEST

START_TEST(test_parts__first_failure_ends_all)
{
    meet_in(FAKE_PART_OPEN);
    fake_store_add_fault(
        test_dst, &(fake_fault){.op = FAKE_COMMIT, .skip = 4, .times = 1, .cls = BP_ERR_DENIED});
    /* Whatever else comes so far does not get on before that one has been told of. */
    fake_store_add_fault(test_dst, &(fake_fault){.op = FAKE_COMMIT, .skip = 4, .hangs = true});
    GError *error = NULL;
    ck_assert(!copy_big(&error));
    test_error_is(&error, BP_ERR_DENIED, "commit big: injected");
    ck_assert_uint_le(fake_store_calls(test_dst, FAKE_PART_OPEN), 4 + HELPERS + 1);
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_PART_ABORT), 1);
    ck_assert_uint_eq(atomic_load(&counters.bytes_done), 0);
    ck_assert(!bp_cancel_is_set(cancel)); /* other items go on */
}
END_TEST

START_TEST(test_parts__cancelled_in_the_middle)
{
    fake_store_add_fault(test_dst,
                         &(fake_fault){.op = FAKE_COMMIT, .skip = 6, .cls = BP_ERR_CANCELLED});
    meet_in(FAKE_PART_OPEN);
    GError *error = NULL;
    ck_assert(!copy_big(&error));
    test_error_is(&error, BP_ERR_CANCELLED, "");
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_PART_COMPLETE), 0);
}
END_TEST

static void
change_source(void *ctx G_GNUC_UNUSED, const char *key G_GNUC_UNUSED)
{
    fake_store_set(test_src, "big", g_bytes_get_data(content, NULL), SIZE);
}

START_TEST(test_parts__never_of_two_versions)
{
    fake_store_add_fault(
        test_src,
        &(fake_fault){.op = FAKE_READ_OPEN, .skip = 10, .times = 1, .hook = change_source});
    GError *error = NULL;
    ck_assert(!copy_big(&error));
    test_error_is(&error, BP_ERR_STALE, "source object big is another version now");
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_PART_COMPLETE), 0);
}
END_TEST

START_TEST(test_parts__direct_ones_too)
{
    make_direct();
    meet_in(FAKE_PART_COPY);
    ck_assert(copy_big(NULL));
    assert_copied();
    ck_assert_uint_ge(here, HELPERS + 1);
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_PART_COPY), 25);
    ck_assert_uint_eq(fake_store_calls(test_src, FAKE_READ_OPEN), 0);
    ck_assert_uint_eq(result.checksum.kind, BP_CHECKSUM_NONE);
}
END_TEST

START_TEST(test_parts__refused_direct_ones_are_streamed)
{
    make_direct();
    fake_store_add_fault(test_dst, &(fake_fault){.op = FAKE_PART_COPY, .cls = BP_ERR_DENIED});
    ck_assert(copy_big(NULL));
    assert_copied();
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_PART_ABORT), 1);
    struct bp_checksum must = content_sum(BP_CHECKSUM_CRC32C);
    ck_assert(bp_checksum_equal(&result.checksum, &must));
}
END_TEST

/* A task that is at work until `meet` have come. */
static void
long_task(void *ctx G_GNUC_UNUSED, void *task G_GNUC_UNUSED, guint worker G_GNUC_UNUSED)
{
    wait_for_all(NULL, NULL);
}

START_TEST(test_parts__few_only_with_idle_workers)
{
    bp_pool_free(env.pool);
    env.pool = bp_pool_new(
        &(bp_pool_params){.workers = 1, .capacity = 1, .run = long_task, .drop = no_drop});
    env.params.part_bytes = SIZE / 3;
    env.params.few_whole = true;
    meet = 2;
    ck_assert(bp_pool_submit(env.pool, NULL));
    ck_assert(bp_pool_submit(env.pool, NULL)); /* has room when the first is at work */
    ck_assert(bp_pool_is_busy(env.pool));
    ck_assert(copy_big(NULL));
    assert_copied();
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_PART_OPEN), 0);
    wait_for_all(NULL, NULL); /* the second of those who meet */
    bp_pool_drain(env.pool);
    ck_assert(!bp_pool_is_busy(env.pool));
    atomic_store(&counters.bytes_done, 0);
    g_clear_pointer(&result.src_etag, g_free);
    ck_assert(copy_big(NULL));
    assert_copied();
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_PART_OPEN), 20);
}
END_TEST

START_TEST(test_parts__many_in_any_case)
{
    bp_pool_free(env.pool);
    env.pool = bp_pool_new(
        &(bp_pool_params){.workers = 1, .capacity = 1, .run = long_task, .drop = no_drop});
    env.params.part_bytes = SIZE / 4;
    env.params.few_whole = true;
    meet = 2;
    ck_assert(bp_pool_submit(env.pool, NULL));
    ck_assert(bp_pool_submit(env.pool, NULL));
    ck_assert(copy_big(NULL));
    assert_copied();
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_PART_OPEN), 20);
    wait_for_all(NULL, NULL);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("copy/parts_shared");
    TCase *tc = tcase_create("parts_shared");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_parts__idle_workers_join);
    tcase_add_test(tc, test_parts__named_checksum_that_joins);
    tcase_add_test(tc, test_parts__other_named_checksum_goes_in_order);
    tcase_add_test(tc, test_parts__in_order_where_the_store_wants_it);
    tcase_add_test(tc, test_parts__sizes_only);
    tcase_add_test(tc, test_parts__each_retries_its_own);
    tcase_add_test(tc, test_parts__first_failure_ends_all);
    tcase_add_test(tc, test_parts__cancelled_in_the_middle);
    tcase_add_test(tc, test_parts__never_of_two_versions);
    tcase_add_test(tc, test_parts__direct_ones_too);
    tcase_add_test(tc, test_parts__refused_direct_ones_are_streamed);
    tcase_add_test(tc, test_parts__few_only_with_idle_workers);
    tcase_add_test(tc, test_parts__many_in_any_case);
    suite_add_tcase(suite, tc);
    return test_run(suite);
}
