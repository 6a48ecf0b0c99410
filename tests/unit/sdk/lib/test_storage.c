/* SPDX-License-Identifier: Apache-2.0
 *
 * What storage plugins begin and end with.
 */
#include "sdk/lib/storage.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/lib/errors.h"
#include "tests/harness/fake_host.h"
#include "tests/harness/run.h"

static struct bp_error error;

static void
setup(void)
{
    bp_fake_reset();
    bp_error_init(&error);
}

#define ASSERT_FAILED(call, wanted, text)                                           \
    do {                                                                            \
        bp_status status_ = (call);                                                 \
        ck_assert_msg(status_ == (wanted) && strstr(error.message, (text)) != NULL, \
                      "class %d: %s", status_, error.message);                      \
    } while (0)

START_TEST(test_check_op__cancel_and_deadline)
{
    struct bp_op op = bp_fake.op;
    ck_assert_int_eq(bp_check_op(&bp_fake.host, &op, &error), BP_OK);
    op.deadline_ns = 1;
    ASSERT_FAILED(bp_check_op(&bp_fake.host, &op, &error), BP_ERR_TIMEOUT, "the deadline passed");
    atomic_store(&bp_fake.cancelled, 1);
    ASSERT_FAILED(bp_check_op(&bp_fake.host, &op, &error), BP_ERR_CANCELLED, "cancelled");
}
END_TEST

START_TEST(test_undo_op__has_time_of_its_own)
{
    struct bp_op op = bp_fake.op, undo;
    op.deadline_ns = 1;
    op.host_private = &op;
    bp_undo_op(&op, 60000, &undo);
    ck_assert_ptr_null(undo.host_private);
    ck_assert_int_eq(bp_check_op(&bp_fake.host, &undo, &error), BP_OK);
}
END_TEST

/* Of a newer host's it is neither as long nor does it say so: who reads it would read too far. */
START_TEST(test_undo_op__is_of_our_own_size)
{
    struct {
        struct bp_op op;
        uint64_t more;
    } newer = {.op = bp_fake.op, .more = 1};
    struct bp_op undo;
    newer.op.struct_size = sizeof(newer);
    newer.op.flags = 8;
    bp_undo_op(&newer.op, 60000, &undo);
    ck_assert_uint_eq(undo.struct_size, sizeof(undo));
    ck_assert_uint_eq(undo.flags, 0);
}
END_TEST

START_TEST(test_check_flags__unknown_ones)
{
    ck_assert_int_eq(bp_check_flags(3, 7, &error), BP_OK);
    ASSERT_FAILED(bp_check_flags(9, 7, &error), BP_ERR_INVALID, "unknown flags 0x8");
}
END_TEST

START_TEST(test_clear__struct_size_stays)
{
    struct bp_object_meta meta;
    struct bp_storage_info info;
    memset(&meta, 1, sizeof(meta));
    memset(&info, 1, sizeof(info));
    const uint32_t shorter = offsetof(struct bp_object_meta, checksum);
    meta.struct_size = shorter; /* as if the caller knew of no checksum */
    info.struct_size = sizeof(info);
    bp_meta_clear(&meta);
    bp_info_clear(&info);
    ck_assert_uint_eq(meta.struct_size, shorter);
    ck_assert_uint_eq(meta.size, 0);
    ck_assert_str_eq(meta.etag, "");
    ck_assert_uint_eq(meta.checksum.value[0], 1);
    ck_assert_uint_eq(info.struct_size, sizeof(info));
    ck_assert_str_eq(info.place, "");
}
END_TEST

START_TEST(test_put_whole__never_cuts)
{
    char out[8];
    ck_assert_int_eq(bp_put_whole(out, sizeof(out), "%s-%d", "abcd", 1), 0);
    ck_assert_str_eq(out, "abcd-1");
    ck_assert_int_eq(bp_put_whole(out, sizeof(out), "%s-%d", "abcd", 12), -1);
    ck_assert_str_eq(out, "");
    ck_assert_int_eq(bp_put_whole(out, sizeof(out), "%s-%d", "abcd", 123), -1);
    ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(test_put_identity__ends_in_no_slash)
{
    char out[16];
    ck_assert_int_eq(bp_put_identity(out, sizeof(out), "s3:%s/%s", "box", ""), 0);
    ck_assert_str_eq(out, "s3:box");
    ck_assert_int_eq(bp_put_identity(out, sizeof(out), "s3:%s/%s", "box", "a/"), 0);
    ck_assert_str_eq(out, "s3:box/a");
    ck_assert_int_eq(bp_put_identity(out, sizeof(out), "local:%s", "/"), 0);
    ck_assert_str_eq(out, "local:");
    ck_assert_int_eq(bp_put_identity(out, sizeof(out), "s3:%s/%s", "box", "much/too/long"), -1);
    ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(test_check_empty_read__size_decides)
{
    struct bp_read_args args = {.struct_size = sizeof(args), .key = "k", .offset = 5, .length = 1};
    ck_assert_int_eq(bp_check_empty_read(&args, 5, &error), BP_OK);
    ASSERT_FAILED(bp_check_empty_read(&args, 4, &error), BP_ERR_RANGE,
                  "object k: offset 5 is beyond its end at 4");
    ASSERT_FAILED(bp_check_empty_read(&args, 6, &error), BP_ERR_RETRYABLE,
                  "and that it has 6 bytes");
    args.length = 0;
    ck_assert_int_eq(bp_check_empty_read(&args, 6, &error), BP_OK);
}
END_TEST

START_TEST(test_check_list__arguments)
{
    struct bp_list_args args = {.struct_size = sizeof(args), .prefix = "a/b"};
    ck_assert_int_eq(bp_check_list(&args, &error), BP_OK);
    args.delimiter = '/';
    ck_assert_int_eq(bp_check_list(&args, &error), BP_OK);
    args.delimiter = '.';
    ASSERT_FAILED(bp_check_list(&args, &error), BP_ERR_INVALID, "the delimiter can only be '/'");
    args.prefix = "/a";
    ASSERT_FAILED(bp_check_list(&args, &error), BP_ERR_INVALID, "prefix \"/a\": ");
    args.flags = 1;
    ASSERT_FAILED(bp_check_list(&args, &error), BP_ERR_INVALID, "unknown flags 0x1");
}
END_TEST

START_TEST(test_check_written__size_and_checksum)
{
    struct bp_checksum want = {.kind = BP_CHECKSUM_CRC32C, .value = {1, 2, 3, 4}};
    struct bp_checksum sum = want;
    struct bp_written written = {.key = "k", .announced = 9, .written = 9, .want = &want};
    ck_assert_int_eq(bp_check_written(&written, &error), BP_OK);
    written.sum = &sum;
    ck_assert_int_eq(bp_check_written(&written, &error), BP_OK);
    sum.value[3] = 5;
    ASSERT_FAILED(bp_check_written(&written, &error), BP_ERR_CORRUPT,
                  "object k: what was written does not have the announced crc32c checksum");
    written.written = 8;
    ASSERT_FAILED(bp_check_written(&written, &error), BP_ERR_INVALID,
                  "object k: 9 bytes were announced, 8 written");
    written.announced = BP_UNKNOWN;
    written.sum = NULL;
    ck_assert_int_eq(bp_check_written(&written, &error), BP_OK);
}
END_TEST

BP_TEST_MAIN("sdk/lib/storage", setup, NULL, test_check_op__cancel_and_deadline,
             test_undo_op__has_time_of_its_own, test_undo_op__is_of_our_own_size,
             test_check_flags__unknown_ones, test_clear__struct_size_stays,
             test_put_whole__never_cuts, test_put_identity__ends_in_no_slash,
             test_check_empty_read__size_decides, test_check_list__arguments,
             test_check_written__size_and_checksum)
