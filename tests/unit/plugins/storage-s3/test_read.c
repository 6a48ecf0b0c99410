/* SPDX-License-Identifier: Apache-2.0
 *
 * storage-s3: reading.
 */
#include "tests/unit/plugins/storage-s3/s3_test.h"

START_TEST(test_read__range_and_version_go_along)
{
    size_t n;
    struct st_script script;
    struct bp_object_meta meta;
    const struct bp_httpd_step steps[] = {
        {.reply = st_answer(206, "Content-Range: bytes 2-4/10\r\nETag: \"v1\"\r\n", "cde")}};
    st_begin(&script, steps);
    g_autofree char *text = st_read_range(script.store, "k", 2, 3, "v1", &meta, &n);
    ck_assert_msg(text != NULL, "%s", st_error.message);
    ck_assert_str_eq(text, "cde");
    ck_assert_uint_eq(meta.size, 10);
    ck_assert_str_eq(meta.etag, "v1");
    ck_assert_ptr_nonnull(strstr(st_request(&script, 0), "Range: bytes=2-4\r\n"));
    ck_assert_ptr_nonnull(strstr(st_request(&script, 0), "If-Match: \"v1\"\r\n"));
    st_end(&script);
}
END_TEST

START_TEST(test_read__another_version)
{
    size_t n;
    struct st_script script;
    struct bp_object_meta meta;
    const struct bp_httpd_step steps[] = {
        {.reply = st_refusal(412, "PreconditionFailed")},
        {.reply = st_answer(200, "ETag: \"v2\"\r\n", "ignores conditions")}};
    st_begin(&script, steps);
    ck_assert_ptr_null(st_read_range(script.store, "k", 0, BP_UNKNOWN, "v1", &meta, &n));
    ck_assert_int_eq(st_error.cls, BP_ERR_EXISTS);
    ck_assert_ptr_null(st_read_range(script.store, "k", 0, BP_UNKNOWN, "v1", &meta, &n));
    ck_assert_int_eq(st_error.cls, BP_ERR_EXISTS);
    ck_assert_ptr_nonnull(strstr(st_error.message, "its version is v2, not v1"));
    st_end(&script);
}
END_TEST

START_TEST(test_read__wrong_range_is_refused)
{
    static const char *const heads[] = {"Content-Range: bytes 0-3/10\r\n", "",
                                        "Content-Range: bytes 2-9/8\r\n",
                                        "Content-Range: bytes 2-9/10\r\n"};
    for (size_t i = 0; i < G_N_ELEMENTS(heads); i++) {
        size_t n;
        struct st_script script;
        struct bp_object_meta meta;
        const struct bp_httpd_step steps[] = {{.reply = st_answer(206, heads[i], "abcdefgh")}};
        st_begin(&script, steps);
        ck_assert_ptr_null(st_read_range(script.store, "k", 2, 3, NULL, &meta, &n));
        ck_assert_int_eq(st_error.cls, BP_ERR_PERMANENT);
        ck_assert_ptr_nonnull(strstr(st_error.message, "asked for bytes from 2 on"));
        st_end(&script);
    }
}
END_TEST

START_TEST(test_read__cut_body)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {
        {.reply = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\nETag: \"e\"\r\n\r\nonly this"}};
    st_begin(&script, steps);
    ck_assert_ptr_null(st_read(script.store, "k"));
    ck_assert_int_eq(st_error.cls, BP_ERR_RETRYABLE);
    st_end(&script);
}
END_TEST

START_TEST(test_read__beyond_the_end)
{
    size_t n;
    struct st_script script;
    struct bp_object_meta meta;
    const char *size = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 10\r\n\r\n";
    const struct bp_httpd_step steps[] = {{.reply = st_refusal(416, "InvalidRange")},
                                          {.reply = size},
                                          {.reply = st_refusal(416, "InvalidRange")},
                                          {.reply = size}};
    st_begin(&script, steps);
    g_autofree char *end = st_read_range(script.store, "k", 10, BP_UNKNOWN, NULL, &meta, &n);
    ck_assert_msg(end != NULL, "%s", st_error.message);
    ck_assert_uint_eq(n, 0);
    ck_assert_uint_eq(meta.size, 10);
    ck_assert_ptr_null(st_read_range(script.store, "k", 11, BP_UNKNOWN, NULL, &meta, &n));
    ck_assert_int_eq(st_error.cls, BP_ERR_RANGE);
    ck_assert_ptr_nonnull(strstr(st_error.message, "offset 11 is beyond its end at 10"));
    st_end(&script);
}
END_TEST

START_TEST(test_read__closed_early)
{
    struct st_script script;
    struct bp_reader *reader;
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    const struct bp_read_args args = {
        .struct_size = sizeof(args), .key = "k", .length = BP_UNKNOWN};
    const struct bp_httpd_step steps[] = {{.reply = st_answer(200, "", "0123456789")}};
    st_begin(&script, steps);
    ASSERT_OK(st_ops->read_open(script.store, &bp_fake.op, &args, &meta, &reader, &st_error));
    st_ops->read_close(reader);
    ck_assert_uint_eq(meta.size, 10);
    st_end(&script);
}
END_TEST

ST_MAIN("storage-s3 read", test_read__range_and_version_go_along, test_read__another_version,
        test_read__wrong_range_is_refused, test_read__cut_body, test_read__beyond_the_end,
        test_read__closed_early)
