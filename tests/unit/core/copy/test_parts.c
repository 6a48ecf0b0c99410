/* SPDX-License-Identifier: Apache-2.0
 *
 * Uploads in parts: cutting, retries of single parts, and that nothing is left behind.
 */
#include "core/copy/transfer.h"
#include "fixture.h"

#include "sdk/lib/checksum.h"

#include "sdk/lib/ban.h"

#define SIZE 1000

static bp_counters counters;
static bp_transfer_env env;
static bp_call call;
static bp_transfer_result result;
static guint8 buffer[64];
static GBytes *content;
static guint announced, withdrawn, started, finished;
static guint unheard_begins; /* after so many, one of which nobody heard, it is told again */
static enum { REFUSE_NOTHING, REFUSE_KEY, REFUSE_ID } refuse_record;

static bool
on_upload(void *ctx G_GNUC_UNUSED, const char *key, const char *upload, bool is_finished,
          GError **error)
{
    ck_assert_str_eq(key, "big");
    bool begins = *upload == '\0';
    ck_assert(begins || g_str_has_prefix(upload, "upload-"));
    guint begun = fake_store_calls(test_dst, FAKE_PART_BEGIN);
    ck_assert(!begins || is_finished || begun == 0 || begun == unheard_begins);
    if (begins && refuse_record != REFUSE_KEY) {
        *(is_finished ? &withdrawn : &announced) += 1;
        return true;
    }
    if (refuse_record) {
        bp_set_error(error, BP_ERR_NO_SPACE, "no room for the record");
        return false;
    }
    if (!is_finished) {
        /* Before the first part. */
        ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_PART_OPEN) +
                              fake_store_calls(test_dst, FAKE_PART_COPY),
                          0);
    }
    *(is_finished ? &finished : &started) += 1;
    return true;
}

static void
setup(void)
{
    test_clock_start();
    test_stores_open();
    bp_counters_init(&counters);
    call = (bp_call){.cancel = NULL};
    fake_store_facts(test_dst)->caps |= BP_STORE_PARTS;
    fake_store_facts(test_dst)->min_part = 10;
    fake_store_facts(test_dst)->max_part = 500;
    fake_store_facts(test_dst)->max_parts = 100;
    env = (bp_transfer_env){
        .params = {.dst = test_dst,
                   .call = &call,
                   .buffer_bytes = sizeof buffer,
                   .part_bytes = 300,
                   .attempts = 3,
                   .max_delay_ns = BP_NS_PER_S,
                   .upload = on_upload},
        .call = call,
        .counters = &counters,
        .routes = bp_routes_new(test_dst),
        .retry = {.env = &test_env, .params = {.attempts = 3, .max_delay_ns = BP_NS_PER_S}},
    };
    result = (bp_transfer_result){0};
    announced = withdrawn = started = finished = unheard_begins = 0;
    refuse_record = REFUSE_NOTHING;
    content = test_bytes(SIZE);
    fake_store_set(test_src, "big", g_bytes_get_data(content, NULL), SIZE);
}

static void
teardown(void)
{
    ck_assert_uint_eq(fake_store_n_uploads(test_dst), 0);
    g_free(result.src_etag);
    g_bytes_unref(content);
    bp_routes_free(env.routes);
    test_stores_close();
}

static void
make_direct(void)
{
    fake_store_facts(test_dst)->caps |= BP_STORE_SERVER_COPY;
    fake_store_facts(test_dst)->max_copy = 400;
    g_strlcpy(fake_store_facts(test_dst)->copy_scope, "disk", 32);
    g_strlcpy(fake_store_facts(test_src)->copy_scope, "disk", 32);
}

static bool
copy_big(GError **error)
{
    bp_copy_item item = {.src = test_src, .src_key = "big", .dst_key = "big", .size = SIZE};
    return bp_transfer_run(&env, &item, buffer, &result, error);
}

static void
assert_copied(void)
{
    g_autoptr(GBytes) copied = fake_store_content(test_dst, "big");
    ck_assert_ptr_nonnull(copied);
    ck_assert(g_bytes_equal(copied, content));
    ck_assert_uint_eq(started, 1);
    ck_assert_uint_eq(finished, 1);
    ck_assert_uint_eq(atomic_load(&counters.bytes_done), SIZE);
}

static void
assert_checksum(void)
{
    struct bp_checksum must;
    g_autoptr(bp_hasher) hasher = bp_hasher_new(BP_CHECKSUM_XXH3_128);
    bp_hasher_update(hasher, g_bytes_get_data(content, NULL), SIZE);
    bp_hasher_get(hasher, &must);
    ck_assert(bp_checksum_equal(&must, &result.checksum));
}

START_TEST(test_parts__cut_and_joined)
{
    ck_assert(copy_big(NULL));
    assert_copied();
    assert_checksum();
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_PART_OPEN), 4);
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_WRITE_OPEN), 0);
}
END_TEST

START_TEST(test_parts__no_more_than_the_store_takes)
{
    fake_store_facts(test_dst)->max_parts = 2;
    ck_assert(copy_big(NULL));
    assert_copied();
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_PART_OPEN), 2);
}
END_TEST

START_TEST(test_parts__each_is_opened_by_itself)
{
    bp_copy_item item = {.src = test_src, .src_key = "big", .dst_key = "big", .size = SIZE};
    fake_store_set_text(test_src, "small", "x");
    bp_copy_item small = {.src = test_src, .src_key = "small", .dst_key = "small", .size = 1};
    ck_assert(bp_transfer_run(&env, &item, buffer, &result, NULL));
    ck_assert_str_eq(result.src_etag, "v1");
    /* No stream of the whole object is opened only to learn its version. */
    ck_assert_uint_eq(fake_store_calls(test_src, FAKE_STAT), 1);
    ck_assert_uint_eq(fake_store_calls(test_src, FAKE_READ_OPEN), 1);
    g_clear_pointer(&result.src_etag, g_free);
    ck_assert(bp_transfer_run(&env, &small, buffer, &result, NULL));
    ck_assert_uint_eq(fake_store_calls(test_src, FAKE_STAT), 1);
}
END_TEST

START_TEST(test_parts__source_of_other_size)
{
    bp_copy_item item = {.src = test_src, .src_key = "big", .dst_key = "big", .size = SIZE - 1};
    GError *error = NULL;
    ck_assert(!bp_transfer_run(&env, &item, buffer, &result, &error));
    test_error_is(&error, BP_ERR_CORRUPT, "source object big has 1000 bytes, it was named with 99");
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_PART_BEGIN), 0);
}
END_TEST

/* As large as it may be on S3, with as many parts as it may have. */
START_TEST(test_parts__size_follows_the_object)
{
    guint64 size = G_GUINT64_CONSTANT(100) << 30;
    fake_store_facts(test_dst)->caps |= BP_STORE_SERVER_COPY;
    fake_store_facts(test_dst)->min_part = 5 << 20;
    fake_store_facts(test_dst)->max_part = G_GUINT64_CONSTANT(5) << 30;
    fake_store_facts(test_dst)->max_parts = 10000;
    env.params.part_bytes = BP_COPY_PART_BYTES;
    fake_store_add_fault(test_src, &(fake_fault){.op = FAKE_READ_OPEN, .cls = BP_ERR_NO_SPACE});
    bp_copy_item item = {.run = fake_store_as_run(test_src),
                         .unit_id = "u",
                         .src_key = "big",
                         .dst_key = "big",
                         .size = size};
    GError *error = NULL;
    ck_assert(!bp_transfer_run(&env, &item, buffer, &result, &error));
    test_error_is(&error, BP_ERR_NO_SPACE, "injected");
    /* 100 GiB / 9000 is 11.4 MiB: parts of 12 MiB. */
    ck_assert_uint_eq(fake_store_last_part(test_dst), 12 << 20);
}
END_TEST

START_TEST(test_parts__not_for_small_items)
{
    env.params.part_bytes = SIZE;
    ck_assert(copy_big(NULL));
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_PART_BEGIN), 0);
}
END_TEST

START_TEST(test_parts__a_must_above_the_largest_object)
{
    env.params.part_bytes = 0;
    fake_store_facts(test_dst)->max_object = SIZE - 1;
    ck_assert(copy_big(NULL));
    assert_copied();
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_PART_OPEN), 2); /* by max_part */
}
END_TEST

static const fake_op ops[] = {FAKE_PART_BEGIN, FAKE_PART_OPEN, FAKE_WRITE, FAKE_COMMIT,
                              FAKE_PART_COMPLETE};

START_TEST(test_parts__only_the_failed_step_is_repeated)
{
    fake_store_add_fault(test_dst, &(fake_fault){.op = ops[_i],
                                                 .skip = ops[_i] == FAKE_WRITE ? 7 : 0,
                                                 .times = 2,
                                                 .cls = BP_ERR_RETRYABLE});
    ck_assert(copy_big(NULL));
    assert_copied();
    assert_checksum();
    ck_assert_uint_le(fake_store_calls(test_dst, FAKE_PART_OPEN), 6);
}
END_TEST

START_TEST(test_parts__failure_aborts_the_upload)
{
    fake_store_add_fault(test_dst, &(fake_fault){.op = ops[_i], .cls = BP_ERR_RETRYABLE});
    GError *error = NULL;
    ck_assert(!copy_big(&error));
    test_error_is(&error, BP_ERR_RETRYABLE, "injected (tried 3 times)");
    ck_assert_uint_eq(fake_store_n_objects(test_dst), 0);
    ck_assert_uint_eq(finished, started);
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_PART_BEGIN),
                      ops[_i] == FAKE_PART_BEGIN ? 3 : 1);
}
END_TEST

START_TEST(test_parts__broken_read_in_the_middle)
{
    fake_store_add_fault(
        test_src, &(fake_fault){.op = FAKE_READ, .skip = 7, .times = 1, .cls = BP_ERR_RETRYABLE});
    ck_assert(copy_big(NULL));
    assert_copied();
    assert_checksum();
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_PART_OPEN), 4);
}
END_TEST

START_TEST(test_parts__begun_unheard)
{
    fake_store_add_fault(test_dst, &(fake_fault){.op = FAKE_PART_BEGIN,
                                                 .times = 1,
                                                 .cls = BP_ERR_RETRYABLE,
                                                 .takes_effect = true});
    ck_assert(copy_big(NULL));
    assert_copied();
    ck_assert_uint_eq(fake_store_n_uploads(test_dst), 0);
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_UPLOADS_ABORT), 1);
}
END_TEST

START_TEST(test_parts__unknown_outcome_that_worked)
{
    fake_store_add_fault(test_dst, &(fake_fault){.op = FAKE_PART_COMPLETE,
                                                 .times = 1,
                                                 .cls = BP_ERR_RETRYABLE,
                                                 .takes_effect = true});
    ck_assert(copy_big(NULL)); /* the second attempt finds no upload any more */
    assert_copied();
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_PART_COMPLETE), 2);
}
END_TEST

/* An older object of the same size does not stand for an upload that is still there. */
START_TEST(test_parts__unknown_outcome_that_failed)
{
    g_autofree char *older = g_strnfill(SIZE, 'o');
    fake_store_set_text(test_dst, "big", older);
    fake_store_add_fault(test_dst, &(fake_fault){.op = FAKE_PART_COMPLETE,
                                                 .times = 1,
                                                 .cls = BP_ERR_RETRYABLE,
                                                 .unknown = true});
    ck_assert(copy_big(NULL));
    assert_copied();
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_PART_COMPLETE), 2);
}
END_TEST

START_TEST(test_parts__source_gone_in_the_middle)
{
    fake_store_add_fault(test_src,
                         &(fake_fault){.op = FAKE_READ, .skip = 6, .cls = BP_ERR_NOT_FOUND});
    GError *error = NULL;
    ck_assert(!copy_big(&error));
    test_error_is(&error, BP_ERR_STALE, "source object big is gone");
    ck_assert_uint_eq(finished, 1);
}
END_TEST

START_TEST(test_parts__no_part_without_a_record)
{
    refuse_record = REFUSE_ID;
    GError *error = NULL;
    ck_assert(!copy_big(&error));
    test_error_is(&error, BP_ERR_NO_SPACE, "no room for the record");
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_PART_OPEN), 0);
}
END_TEST

START_TEST(test_parts__no_upload_without_a_record)
{
    refuse_record = REFUSE_KEY;
    GError *error = NULL;
    ck_assert(!copy_big(&error));
    test_error_is(&error, BP_ERR_NO_SPACE, "no room for the record");
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_PART_BEGIN), 0);
}
END_TEST

START_TEST(test_parts__refused_beginning)
{
    fake_store_add_fault(test_dst, &(fake_fault){.op = FAKE_PART_BEGIN, .cls = BP_ERR_DENIED});
    GError *error = NULL;
    ck_assert(!copy_big(&error));
    test_error_is(&error, BP_ERR_DENIED, "injected");
    ck_assert_uint_eq(announced, 1);
    ck_assert_uint_eq(withdrawn, 1);
}
END_TEST

START_TEST(test_parts__begun_unheard_stays_on_record)
{
    fake_store_add_fault(
        test_dst,
        &(fake_fault){.op = FAKE_PART_BEGIN, .cls = BP_ERR_RETRYABLE, .takes_effect = true});
    fake_store_add_fault(test_dst,
                         &(fake_fault){.op = FAKE_UPLOADS_ABORT, .times = 3, .cls = BP_ERR_DENIED});
    GError *error = NULL;
    ck_assert(!copy_big(&error));
    test_error_is(&error, BP_ERR_RETRYABLE, "injected");
    ck_assert_uint_eq(announced, 1);
    ck_assert_uint_eq(withdrawn, 0);
    ck_assert(bp_store_uploads_abort_key(test_dst, &call, "big", NULL)); /* as the next run does */
}
END_TEST

/* The record of the first one stays: the second has its own, which then gets its id. */
START_TEST(test_parts__begun_unheard_before_one_that_works)
{
    unheard_begins = 2;
    fake_store_add_fault(test_dst, &(fake_fault){.op = FAKE_PART_BEGIN,
                                                 .times = 1,
                                                 .cls = BP_ERR_RETRYABLE,
                                                 .takes_effect = true});
    fake_store_add_fault(test_dst,
                         &(fake_fault){.op = FAKE_UPLOADS_ABORT, .times = 1, .cls = BP_ERR_DENIED});
    ck_assert(copy_big(NULL));
    assert_copied();
    ck_assert_uint_eq(announced, 2);
    ck_assert_uint_eq(withdrawn, 0);
    ck_assert_uint_eq(fake_store_n_uploads(test_dst), 1);
    ck_assert(bp_store_uploads_abort_key(test_dst, &call, "big", NULL)); /* as the next run does */
}
END_TEST

/* The server is slower than who did not wait for it, and begins what nobody found. */
START_TEST(test_parts__cancelled_beginning_stays_on_record)
{
    fake_store_add_fault(
        test_dst, &(fake_fault){.op = FAKE_PART_BEGIN, .cls = BP_ERR_CANCELLED, .unknown = true});
    GError *error = NULL;
    ck_assert(!copy_big(&error));
    test_error_is(&error, BP_ERR_CANCELLED, "injected");
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_UPLOADS_ABORT), 1);
    ck_assert_uint_eq(announced, 1);
    ck_assert_uint_eq(withdrawn, 0);
}
END_TEST

START_TEST(test_parts__failed_abort_stays_on_record)
{
    fake_store_add_fault(test_dst, &(fake_fault){.op = FAKE_COMMIT, .cls = BP_ERR_DENIED});
    fake_store_add_fault(test_dst,
                         &(fake_fault){.op = FAKE_PART_ABORT, .times = 1, .cls = BP_ERR_RETRYABLE});
    GError *error = NULL;
    ck_assert(!copy_big(&error));
    test_error_is(&error, BP_ERR_DENIED, "fake dst: commit big");
    ck_assert_uint_eq(started, 1);
    ck_assert_uint_eq(finished, 0);
    ck_assert(bp_store_uploads_abort(test_dst, &call, "", 0, NULL));
}
END_TEST

START_TEST(test_parts__destination_of_other_size)
{
    fake_store_set_lie_size(test_dst, 1);
    GError *error = NULL;
    ck_assert(!copy_big(&error));
    test_error_is(&error, BP_ERR_CORRUPT, "the destination holds 1001 bytes, the source has 1000");
    ck_assert_uint_eq(fake_store_n_objects(test_dst), 0);
}
END_TEST

START_TEST(test_parts__direct_above_max_copy)
{
    make_direct();
    ck_assert(copy_big(NULL));
    assert_copied();
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_PART_COPY), 3); /* of max_copy */
    ck_assert_uint_eq(fake_store_calls(test_src, FAKE_READ_OPEN), 0);
    ck_assert_uint_eq(result.checksum.kind, BP_CHECKSUM_NONE);
    ck_assert_uint_eq(fake_store_begun_flags(test_dst), BP_WRITE_PARTS_COPIED);
}
END_TEST

START_TEST(test_parts__refused_direct_parts_are_streamed)
{
    make_direct();
    env.params.upload = NULL;
    fake_store_add_fault(test_dst, &(fake_fault){.op = FAKE_PART_COPY, .cls = BP_ERR_UNSUPPORTED});
    ck_assert(copy_big(NULL));
    g_autoptr(GBytes) copied = fake_store_content(test_dst, "big");
    ck_assert(g_bytes_equal(copied, content));
    assert_checksum();
    ck_assert_uint_eq(fake_store_begun_flags(test_dst), 0);
}
END_TEST

START_TEST(test_parts__refused_parts_do_not_end_whole_copies)
{
    make_direct();
    env.params.upload = NULL;
    fake_store_add_fault(test_dst, &(fake_fault){.op = FAKE_PART_COPY, .cls = BP_ERR_UNSUPPORTED});
    fake_store_set_text(test_src, "small", "small");
    bp_copy_item small = {.src = test_src, .src_key = "small", .dst_key = "small", .size = 5};
    for (int i = 0; i < 2; i++) {
        ck_assert(copy_big(NULL));
        g_clear_pointer(&result.src_etag, g_free);
    }
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_PART_COPY), 1); /* remembered */
    ck_assert(bp_transfer_run(&env, &small, buffer, &result, NULL));
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_COPY), 1);
}
END_TEST

START_TEST(test_parts__too_large_to_be_copied_and_no_parts)
{
    make_direct();
    fake_store_facts(test_dst)->caps &= ~BP_STORE_PARTS;
    fake_store_set_text(test_src, "small", "small");
    bp_copy_item small = {.src = test_src, .src_key = "small", .dst_key = "small", .size = 5};
    ck_assert(copy_big(NULL));
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_COPY), 0);
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_WRITE_OPEN), 1);
    g_clear_pointer(&result.src_etag, g_free);
    ck_assert(bp_transfer_run(&env, &small, buffer, &result, NULL));
    ck_assert_uint_eq(fake_store_calls(test_dst, FAKE_COPY), 1); /* the route is still good */
}
END_TEST

static void
change_source(void *ctx G_GNUC_UNUSED, const char *key G_GNUC_UNUSED)
{
    fake_store_set(test_src, "big", g_bytes_get_data(content, NULL), SIZE);
}

START_TEST(test_parts__direct_never_mixes_versions)
{
    make_direct();
    fake_store_add_fault(test_dst,
                         &(fake_fault){.op = FAKE_PART_COPY, .skip = 1, .hook = change_source});
    bp_copy_item item = {
        .src = test_src, .src_key = "big", .src_etag = "v1", .dst_key = "big", .size = SIZE};
    GError *error = NULL;
    ck_assert(!bp_transfer_run(&env, &item, buffer, &result, &error));
    test_error_is(&error, BP_ERR_STALE, "source object big is another version now");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("copy/parts");
    TCase *tc = tcase_create("parts");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_parts__cut_and_joined);
    tcase_add_test(tc, test_parts__no_more_than_the_store_takes);
    tcase_add_test(tc, test_parts__each_is_opened_by_itself);
    tcase_add_test(tc, test_parts__source_of_other_size);
    tcase_add_test(tc, test_parts__size_follows_the_object);
    tcase_add_test(tc, test_parts__not_for_small_items);
    tcase_add_test(tc, test_parts__a_must_above_the_largest_object);
    tcase_add_loop_test(tc, test_parts__only_the_failed_step_is_repeated, 0, G_N_ELEMENTS(ops));
    tcase_add_loop_test(tc, test_parts__failure_aborts_the_upload, 0, G_N_ELEMENTS(ops));
    tcase_add_test(tc, test_parts__broken_read_in_the_middle);
    tcase_add_test(tc, test_parts__begun_unheard);
    tcase_add_test(tc, test_parts__no_upload_without_a_record);
    tcase_add_test(tc, test_parts__refused_beginning);
    tcase_add_test(tc, test_parts__begun_unheard_stays_on_record);
    tcase_add_test(tc, test_parts__begun_unheard_before_one_that_works);
    tcase_add_test(tc, test_parts__cancelled_beginning_stays_on_record);
    tcase_add_test(tc, test_parts__unknown_outcome_that_worked);
    tcase_add_test(tc, test_parts__unknown_outcome_that_failed);
    tcase_add_test(tc, test_parts__source_gone_in_the_middle);
    tcase_add_test(tc, test_parts__no_part_without_a_record);
    tcase_add_test(tc, test_parts__failed_abort_stays_on_record);
    tcase_add_test(tc, test_parts__destination_of_other_size);
    tcase_add_test(tc, test_parts__direct_above_max_copy);
    tcase_add_test(tc, test_parts__refused_direct_parts_are_streamed);
    tcase_add_test(tc, test_parts__refused_parts_do_not_end_whole_copies);
    tcase_add_test(tc, test_parts__too_large_to_be_copied_and_no_parts);
    tcase_add_test(tc, test_parts__direct_never_mixes_versions);
    suite_add_tcase(suite, tc);
    return test_run(suite);
}
