/* SPDX-License-Identifier: Apache-2.0
 *
 * core/plugin/store_read: streams, whole objects, and readers that break their promises.
 */
#include "core/plugin/store.h"
#include "tests/harness/suite.h"
#include "tests/harness/test_ops.h"

static bp_store *store;

static void
setup(void)
{
    test_ops_reset();
    test_ops_seed("s", "k", "hello world");
    store = test_ops_open("data", "s");
}

static void
teardown(void)
{
    bp_store_free(store);
    ck_assert_uint_eq(test_ops_open_handles(), 0);
}

static bp_store_reader *
open_for_reading(bp_store_read_params params, GError **error)
{
    return bp_store_read_open(store, NULL, &params, NULL, error);
}

START_TEST(test_read__from_an_offset_to_the_end)
{
    g_autoptr(GError) error = NULL;
    bp_store_read_params params = {.key = "k", .offset = 6};
    struct bp_object_meta meta;
    char buffer[32];
    gsize n = 0;
    bp_store_reader *reader = bp_store_read_open(store, NULL, &params, &meta, &error);
    ASSERT_FINE(reader != NULL, error);
    ck_assert_uint_eq(meta.size, 11);
    ASSERT_FINE(bp_store_read(reader, NULL, buffer, 3, &n, &error), error);
    ck_assert_uint_eq(n, 3);
    ck_assert_mem_eq(buffer, "wor", 3);
    ASSERT_FINE(bp_store_read(reader, NULL, buffer, sizeof buffer, &n, &error), error);
    ck_assert_uint_eq(n, 2);
    ASSERT_FINE(bp_store_read(reader, NULL, buffer, sizeof buffer, &n, &error), error);
    ck_assert_uint_eq(n, 0);
    bp_store_read_close(reader);
}
END_TEST

START_TEST(test_read__no_more_than_was_wanted)
{
    g_autoptr(GError) error = NULL;
    bp_store_read_params params = {.key = "k", .offset = 2, .length = 3};
    struct bp_object_meta meta;
    char buffer[32];
    gsize n = 0;
    bp_store_reader *reader = bp_store_read_open(store, NULL, &params, &meta, &error);
    ASSERT_FINE(reader != NULL, error);
    ck_assert_uint_eq(meta.size, 11); /* of the object */
    ASSERT_FINE(bp_store_read(reader, NULL, buffer, sizeof buffer, &n, &error), error);
    ck_assert_uint_eq(n, 3);
    ck_assert_mem_eq(buffer, "llo", 3);
    ASSERT_FINE(bp_store_read(reader, NULL, buffer, sizeof buffer, &n, &error), error);
    ck_assert_uint_eq(n, 0);
    bp_store_read_close(reader);
    params = (bp_store_read_params){.key = "k", .offset = 6, .length = G_MAXUINT64};
    reader = bp_store_read_open(store, NULL, &params, NULL, &error);
    ASSERT_FINE(bp_store_read(reader, NULL, buffer, sizeof buffer, &n, &error), error);
    ck_assert_uint_eq(n, 5);
    bp_store_read_close(reader);
}
END_TEST

START_TEST(test_read_open__errors_pass_through)
{
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(open_for_reading((bp_store_read_params){.key = "k", .offset = 12}, &error));
    ASSERT_ERROR(error, BP_ERR_RANGE, "storage data: k ends before the offset");
    ck_assert_ptr_null(open_for_reading((bp_store_read_params){.key = "none"}, &error));
    ASSERT_ERROR(error, BP_ERR_NOT_FOUND, "there is no object none");
    ck_assert_ptr_null(
        open_for_reading((bp_store_read_params){.key = "k", .if_match = "v0"}, &error));
    ASSERT_ERROR(error, BP_ERR_EXISTS, "k is another version");
}
END_TEST

static void
expect_read_failure(test_lie lie, int cls, const char *message)
{
    g_autoptr(GError) error = NULL;
    char buffer[64];
    gsize n = 1;
    test_ops_set_lie(lie);
    bp_store_reader *reader = open_for_reading((bp_store_read_params){.key = "k"}, &error);
    ASSERT_FINE(reader != NULL, error);
    bool fine = true;
    for (guint i = 0; i < 3 && fine; i++) {
        fine = bp_store_read(reader, NULL, buffer, sizeof buffer, &n, &error);
    }
    ck_assert(!fine);
    ck_assert_uint_eq(n, 0);
    ASSERT_ERROR(error, cls, message);
    bp_store_read_close(reader);
}

START_TEST(test_read__lies)
{
    expect_read_failure(TEST_LIE_READ_TOO_MUCH, BP_ERR_PERMANENT,
                        "plugin bug: memory read: answered 65 bytes into room for 64");
    expect_read_failure(TEST_LIE_READ_LONGER, BP_ERR_PERMANENT,
                        "k is longer than the 10 bytes announced");
    expect_read_failure(TEST_LIE_READ_SHORTER, BP_ERR_RETRYABLE, "k ended after 11 of 21 bytes");
}
END_TEST

START_TEST(test_read_open__no_handle)
{
    g_autoptr(GError) error = NULL;
    test_ops_set_lie(TEST_LIE_NO_HANDLE);
    ck_assert_ptr_null(open_for_reading((bp_store_read_params){.key = "k"}, &error));
    ASSERT_ERROR(error, BP_ERR_PERMANENT, "plugin bug: memory read_open: answered no reader");
}
END_TEST

START_TEST(test_get__whole_object)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) bytes = bp_store_get(store, NULL, "k", 11, &error);
    ASSERT_FINE(bytes != NULL, error);
    ck_assert_uint_eq(g_bytes_get_size(bytes), 11);
    ck_assert_str_eq(g_bytes_get_data(bytes, NULL), "hello world"); /* terminated */
}
END_TEST

START_TEST(test_get__too_large)
{
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(bp_store_get(store, NULL, "k", 10, &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "storage data: k has 11 bytes, at most 10 are expected");
}
END_TEST

START_TEST(test_get__empty_object)
{
    g_autoptr(GError) error = NULL;
    test_ops_seed("s", "empty", "");
    g_autoptr(GBytes) bytes = bp_store_get(store, NULL, "empty", 0, &error);
    ASSERT_FINE(bytes != NULL, error);
    ck_assert_uint_eq(g_bytes_get_size(bytes), 0);
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/plugin/store_read", setup, teardown,
                     test_read__from_an_offset_to_the_end, test_read__no_more_than_was_wanted,
                     test_read_open__errors_pass_through, test_read__lies,
                     test_read_open__no_handle, test_get__whole_object, test_get__too_large,
                     test_get__empty_object);
}
