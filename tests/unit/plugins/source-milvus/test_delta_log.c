/* SPDX-License-Identifier: Apache-2.0
 *
 * Counting deletes: both kinds of files, large ones, and every way in which one can be broken.
 */
#include "plugins/source-milvus/delta_log.h"

#include <stdlib.h>

#include "delta_fixture.h"
#include "plugins/source-milvus/parquet.h"
#include "wire_test.h"

static char *dir;

static void
setup(void)
{
    fake_host_reset();
    dir = fake_dir_new();
    fake_host_add_storage("data", dir, NULL);
}

static void
teardown(void)
{
    fake_dir_remove(dir);
}

static bp_status
count(const GByteArray *bytes, int64_t *rows, struct bp_error *error)
{
    g_autofree char *path = g_build_filename(dir, "log", NULL);
    struct bp_op op = fake_op();
    *error = fake_error();
    ck_assert(g_file_set_contents(path, (const char *)bytes->data, bytes->len, NULL));
    struct milvus_object log = {.ref = "data", .key = "log", .size = bytes->len};
    return milvus_delta_log_rows(fake_host(), &op, &log, rows, error);
}

START_TEST(test_rows__of_a_binlog)
{
    g_autoptr(GByteArray) bytes = delta_log_new(7, 0);
    struct bp_error error;
    int64_t rows = -1;
    ASSERT_OK(count(bytes, &rows, &error), error);
    ck_assert_int_eq(rows, 7);
}
END_TEST

START_TEST(test_rows__of_several_events)
{
    g_autoptr(GByteArray) bytes = delta_log_new(7, 10);
    const uint8_t times[16] = {0};
    guint at = delta_event_begin(bytes, 2);
    g_byte_array_append(bytes, times, sizeof(times));
    put_parquet(bytes, 100, 3);
    delta_event_end(bytes, at);
    struct bp_error error;
    int64_t rows = -1;
    ASSERT_OK(count(bytes, &rows, &error), error);
    ck_assert_int_eq(rows, 107);
}
END_TEST

START_TEST(test_rows__of_bare_parquet)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    put_parquet(bytes, 3, 0);
    struct bp_error error;
    int64_t rows = -1;
    ASSERT_OK(count(bytes, &rows, &error), error);
    ck_assert_int_eq(rows, 3);
}
END_TEST

START_TEST(test_rows__of_a_file_larger_than_one_read)
{
    g_autoptr(GByteArray) bytes = delta_log_new(90, 300000);
    struct bp_error error;
    int64_t rows = -1;
    ASSERT_OK(count(bytes, &rows, &error), error);
    ck_assert_int_eq(rows, 90);
}
END_TEST

START_TEST(test_rows__every_cut_is_noticed)
{
    g_autoptr(GByteArray) whole = delta_log_new(7, 5);
    for (guint n = 0; n < whole->len; n++) {
        g_autoptr(GByteArray) cut = g_byte_array_new();
        g_byte_array_append(cut, whole->data, n);
        struct bp_error error;
        int64_t rows = -1;
        /* Cut right behind the descriptor, it is a log of no deletes. */
        if (count(cut, &rows, &error) == BP_OK) {
            ck_assert_int_eq(rows, 0);
        } else {
            ck_assert_msg(error.cls == BP_ERR_CORRUPT, "%u: %s", n, error.message);
            ck_assert_ptr_nonnull(strstr(error.message, "delta log log"));
        }
    }
}
END_TEST

START_TEST(test_rows__changed_bytes_never_hang_or_crash)
{
    g_autoptr(GByteArray) whole = delta_log_new(7, 5);
    for (guint i = 0; i < whole->len; i++) {
        g_autoptr(GByteArray) bad = g_byte_array_new();
        g_byte_array_append(bad, whole->data, whole->len);
        bad->data[i] ^= 0xff;
        struct bp_error error;
        int64_t rows = -1;
        bp_status status = count(bad, &rows, &error);
        ck_assert(status == BP_OK || status == BP_ERR_CORRUPT);
    }
}
END_TEST

START_TEST(test_rows__neither_binlog_nor_parquet)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    g_byte_array_append(bytes, (const guint8 *)"hello world", 11);
    struct bp_error error;
    int64_t rows = -1;
    bp_status status = count(bytes, &rows, &error);
    ASSERT_FAILED(status, error, BP_ERR_CORRUPT, "neither a binlog nor Parquet");
}
END_TEST

START_TEST(test_rows__missing_file)
{
    struct bp_error error = fake_error();
    struct bp_op op = fake_op();
    int64_t rows = -1;
    struct milvus_object gone = {.ref = "data", .key = "gone", .size = 10};
    bp_status status = milvus_delta_log_rows(fake_host(), &op, &gone, &rows, &error);
    ASSERT_FAILED(status, error, BP_ERR_NOT_FOUND, "gone");
}
END_TEST

START_TEST(test_parquet__depth_is_bounded)
{
    /* A list of lists of lists …: each byte opens one more. */
    uint8_t nested[4096];
    memset(nested, 0x19, sizeof(nested));
    int64_t rows = -1;
    ck_assert(!milvus_parquet_rows(nested, sizeof(nested), &rows));
}
END_TEST

START_TEST(test_parquet__all_types_are_skipped)
{
    const uint8_t footer[] = {0x11, 0x12, /* 1: true, 2: false */
                              0x01, 0x14, /* long form, field 10: true */
                              0x13, 0x7f, /* 11: byte */
                              0x17, 1,    2,    3,    4,   5,    6, 7, 8, /* 12: double */
                              0x1b, 0x01, 0x81, 0x01, 'k', 0x01, /* 13: map of 1 binary to bool */
                              0x1a, 0x21, 0x01, 0x02,            /* 14: set of 2 bools */
                              0x1b, 0x00,                        /* 15: empty map */
                              0x06, 0x06, 0x54,                  /* long form, field 3: i64 42 */
                              0x00};
    int64_t rows = -1;
    ck_assert(milvus_parquet_rows(footer, sizeof(footer), &rows));
    ck_assert_int_eq(rows, 42);
    ck_assert(!milvus_parquet_rows(footer, sizeof(footer) - 3, &rows));
}
END_TEST

WIRE_MAIN("delta_log", setup, teardown, test_rows__of_a_binlog, test_rows__of_several_events,
          test_rows__of_bare_parquet, test_rows__of_a_file_larger_than_one_read,
          test_rows__every_cut_is_noticed, test_rows__changed_bytes_never_hang_or_crash,
          test_rows__neither_binlog_nor_parquet, test_rows__missing_file,
          test_parquet__depth_is_bounded, test_parquet__all_types_are_skipped)
