/* SPDX-License-Identifier: Apache-2.0
 *
 * sdk/http/range: what is asked for, what is answered, and reading it.
 */
#include "sdk/http/range.h"

#include <stdio.h>

#include "http_fixture.h"

static struct bp_http_body body;
static uint64_t size;

#define ARGS(first, n)                                                                           \
    (struct bp_read_args)                                                                        \
    {                                                                                            \
        .struct_size = sizeof(struct bp_read_args), .key = "k", .offset = (first), .length = (n) \
    }

static bp_status
open_body(uint64_t offset, uint64_t length)
{
    int status = 0;
    const struct bp_read_args args = ARGS(offset, length);
    ASSERT_OK(fixture_begin(NULL));
    ASSERT_OK(bp_http_head(fix.x, &bp_fake.op, &status, &fix.error));
    return bp_http_body_open(&body, fix.x, &args, &size, &fix.error);
}

/* Reads in pieces of two bytes to the end. */
static bp_status
read_all(char *out)
{
    size_t n = 0;
    bp_status status = BP_OK;
    do {
        status = bp_http_body_read(&body, &bp_fake.op, out, 2, &n, &fix.error);
        out += n;
    } while (status == BP_OK && n > 0);
    *out = '\0';
    return status;
}

static const struct {
    uint64_t offset, length;
    const char *text;
} ranges[] = {
    {0, BP_UNKNOWN, ""},
    {5, BP_UNKNOWN, "bytes=5-"},
    {0, 1, "bytes=0-0"},
    {5, 5, "bytes=5-9"},
    {2, UINT64_MAX - 1, "bytes=2-18446744073709551615"},
    {3, UINT64_MAX - 1, "bytes=3-"},
};

START_TEST(test_range__header)
{
    char text[BP_HTTP_RANGE];
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        const struct bp_read_args args = ARGS(ranges[i].offset, ranges[i].length);
        bp_http_range(&args, text);
        ck_assert_str_eq(text, ranges[i].text);
    }
}
END_TEST

START_TEST(test_body__whole)
{
    char text[16];
    SERVE({.reply = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"});
    ASSERT_OK(open_body(0, BP_UNKNOWN));
    ck_assert_uint_eq(size, 5);
    ASSERT_OK(read_all(text));
    ck_assert_str_eq(text, "hello");
}
END_TEST

START_TEST(test_body__range)
{
    char text[16];
    SERVE({.reply = "HTTP/1.1 206 Partial\r\nContent-Range: bytes 2-4/10\r\n"
                    "Content-Length: 3\r\n\r\nllo"});
    ASSERT_OK(open_body(2, 3));
    ck_assert_uint_eq(size, 10);
    ASSERT_OK(read_all(text));
    ck_assert_str_eq(text, "llo");
}
END_TEST

START_TEST(test_body__object_ends_before_the_range_does)
{
    SERVE({.reply = "HTTP/1.1 206 Partial\r\nContent-Range: bytes 8-9/10\r\n"
                    "Content-Length: 2\r\n\r\nab"});
    ASSERT_OK(open_body(8, 100));
    ck_assert_uint_eq(body.left, 2);
}
END_TEST

START_TEST(test_body__nothing_behind_the_end)
{
    char text[16];
    SERVE({.reply = "HTTP/1.1 206 Partial\r\nContent-Range: bytes 0--1/0\r\n"
                    "Content-Length: 0\r\n\r\n"});
    ASSERT_OK(open_body(0, 10));
    ck_assert_uint_eq(size, 0);
    ASSERT_OK(read_all(text));
    ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(test_body__no_size)
{
    SERVE({.reply = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"});
    ASSERT_FAILED(open_body(0, BP_UNKNOWN), BP_ERR_RETRYABLE, 0,
                  "object k: the server does not tell its size");
}
END_TEST

static const char *const wrong[] = {
    "bytes 3-4/10", "bytes 2-5/10", "bytes 2-1/10",  "bytes 2-4/4",
    "bytes 2-4/*",  "bytes 2-4",    "octets 2-4/10", "bytes 2-4/999999999999999999999999",
};
#define N_WRONG (sizeof(wrong) / sizeof(wrong[0]))

START_TEST(test_body__other_bytes_than_asked_for)
{
    char replies[N_WRONG][200];
    struct bp_httpd_step steps[N_WRONG];
    for (size_t i = 0; i < N_WRONG; i++) {
        snprintf(replies[i], sizeof(replies[i]),
                 "HTTP/1.1 206 Partial\r\nContent-Range: %s\r\nContent-Length: 0\r\n\r\n",
                 wrong[i]);
        steps[i] = (struct bp_httpd_step){.reply = replies[i]};
    }
    fix.server = bp_httpd_start(steps, N_WRONG);
    for (size_t i = 0; i < N_WRONG; i++) {
        ASSERT_FAILED(open_body(2, 3), BP_ERR_PERMANENT, 0, wrong[i]);
        bp_http_end(fix.x);
        fix.x = NULL;
    }
}
END_TEST

START_TEST(test_body__range_that_was_ignored)
{
    SERVE({.reply = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"});
    ASSERT_FAILED(open_body(2, BP_UNKNOWN), BP_ERR_PERMANENT, 0,
                  "object k: asked for bytes from 2 on, the server sends \"all\"");
}
END_TEST

static const char *const parts[] = {"bytes 0-4/10", "bytes 5-9/10", "bytes 0-4/*", "none"};
#define N_PARTS (sizeof(parts) / sizeof(parts[0]))

START_TEST(test_body__part_instead_of_the_whole)
{
    char replies[N_PARTS + 1][200];
    struct bp_httpd_step steps[N_PARTS + 1];
    for (size_t i = 0; i <= N_PARTS; i++) {
        snprintf(replies[i], sizeof(replies[i]),
                 "HTTP/1.1 206 Partial\r\nContent-Range: %s\r\nContent-Length: 5\r\n\r\nhello",
                 i < N_PARTS ? parts[i] : "bytes 0-4/5");
        steps[i] = (struct bp_httpd_step){.reply = replies[i]};
    }
    fix.server = bp_httpd_start(steps, N_PARTS + 1);
    for (size_t i = 0; i < N_PARTS; i++) {
        ASSERT_FAILED(open_body(0, BP_UNKNOWN), BP_ERR_PERMANENT, 0, parts[i]);
        bp_http_end(fix.x);
        fix.x = NULL;
    }
    ASSERT_OK(open_body(0, BP_UNKNOWN));
    ck_assert_uint_eq(size, 5);
}
END_TEST

START_TEST(test_body__cut_short)
{
    char text[16];
    SERVE({.reply = "HTTP/1.1 206 Partial\r\nContent-Range: bytes 0-4/10\r\n"
                    "Content-Length: 3\r\n\r\nhel"});
    ASSERT_OK(open_body(0, 5));
    ASSERT_FAILED(read_all(text), BP_ERR_RETRYABLE, 0,
                  "object k: the answer ended 2 bytes too early");
}
END_TEST

START_TEST(test_body__edges)
{
    size_t n = 7;
    char text[4];
    body = (struct bp_http_body){.key = "k"};
    ASSERT_OK(bp_http_body_read(&body, &bp_fake.op, text, sizeof(text), &n, &fix.error));
    ck_assert_uint_eq(n, 0);
    body.left = 1;
    ASSERT_FAILED(bp_http_body_read(&body, &bp_fake.op, text, 0, &n, &fix.error), BP_ERR_INVALID, 0,
                  "object k: read into an empty buffer");
}
END_TEST

FIXTURE_MAIN("sdk/http/range", test_range__header, test_body__whole, test_body__range,
             test_body__object_ends_before_the_range_does, test_body__nothing_behind_the_end,
             test_body__no_size, test_body__other_bytes_than_asked_for,
             test_body__range_that_was_ignored, test_body__part_instead_of_the_whole,
             test_body__cut_short, test_body__edges)
