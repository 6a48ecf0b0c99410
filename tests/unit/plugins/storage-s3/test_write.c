/* SPDX-License-Identifier: Apache-2.0
 *
 * storage-s3: writing.
 */
#include "plugins/storage-s3/write.h"

#include <stdio.h>
#include <time.h>

#include "sdk/lib/checksum.h"
#include "sdk/lib/crc32c.h"
#include "tests/unit/plugins/storage-s3/s3_test.h"

#define DONE st_answer(200, "ETag: \"new\"\r\n", "")

static char *
filler(size_t n)
{
    char *bytes = g_malloc(n + 1);
    for (size_t i = 0; i < n; i++) {
        bytes[i] = (char)('a' + i % 23);
    }
    bytes[n] = '\0';
    return bytes;
}

START_TEST(test_write__small_in_one_piece)
{
    struct st_script script;
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    const struct bp_httpd_step steps[] = {{.reply = DONE}};
    const struct bp_write_args args = {.struct_size = sizeof(args), .key = "a b", .size = 11};
    st_begin(&script, steps, "prefix", "root", "storage_class", "STANDARD_IA", "sse", "kms",
             "kms_key", "arn:key", "checksum", "crc32c");
    ASSERT_OK(st_write_args(script.store, &args, "hello world", 11, 4, &meta));
    ck_assert_uint_eq(meta.size, 11);
    ck_assert_str_eq(meta.etag, "new");
    const char *request = st_request(&script, 0);
    ck_assert_int_eq(strncmp(request, "PUT /bkt/root/a%20b HTTP/1.1\r\n", 30), 0);
    ck_assert_ptr_nonnull(strstr(request, "x-amz-content-sha256: b94d27b9934d3e08a52e52d7da7dabfac4"
                                          "84efe37a5380ee9088f7ace2efcde9\r\n"));
    ck_assert_ptr_nonnull(strstr(request, "x-amz-storage-class: STANDARD_IA\r\n"));
    ck_assert_ptr_nonnull(strstr(request, "x-amz-server-side-encryption: aws:kms\r\n"));
    ck_assert_ptr_nonnull(strstr(request, "x-amz-server-side-encryption-aws-kms-key-id: arn:key"));
    ck_assert_ptr_nonnull(strstr(request, "x-amz-checksum-crc32c: yZRlqg==\r\n"));
    ck_assert_ptr_nonnull(strstr(request, "\r\n\r\nhello world"));
    st_end(&script);
}
END_TEST

/* Takes the chunks apart and gives their content. */
static char *
unchunk(const char *body, size_t *chunks)
{
    GString *out = g_string_new(NULL);
    for (*chunks = 0;; ++*chunks) {
        char *end;
        unsigned long n = strtoul(body, &end, 16);
        ck_assert_int_eq(strncmp(end, ";chunk-signature=", 17), 0);
        body = strstr(end, "\r\n") + 2;
        ck_assert_int_eq(body - end, 17 + 64 + 2);
        g_string_append_len(out, body, (gssize)n);
        ck_assert_int_eq(strncmp(body + n, "\r\n", 2), 0);
        body += n + 2;
        if (n == 0) {
            ck_assert_str_eq(body, "");
            return g_string_free(out, FALSE);
        }
    }
}

START_TEST(test_write__streamed_in_signed_chunks)
{
    static const size_t sizes[] = {65537, 262144, 262145, 600000, 1048576};
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        size_t body_size, chunks;
        struct st_script script;
        const struct bp_httpd_step steps[] = {{.reply = DONE}};
        g_autofree char *bytes = filler(sizes[i]);
        const struct bp_write_args args = {
            .struct_size = sizeof(args), .key = "k", .size = sizes[i]};
        st_begin(&script, steps);
        ASSERT_OK(st_write_args(script.store, &args, bytes, sizes[i], 100000, NULL));
        const char *request = st_request(&script, 0);
        ck_assert_ptr_nonnull(strstr(request, "x-amz-content-sha256: " BP_S3_CHUNKED "\r\n"));
        ck_assert_ptr_nonnull(strstr(request, "Content-Encoding: aws-chunked\r\n"));
        g_autofree char *decoded =
            g_strdup_printf("x-amz-decoded-content-length: %zu\r\n", sizes[i]);
        ck_assert_ptr_nonnull(strstr(request, decoded));
        const char *body = bp_httpd_body(script.server, 0, &body_size);
        ck_assert_uint_eq(body_size, bp_s3_body_length(sizes[i], true, BP_CHECKSUM_NONE));
        g_autofree char *content = unchunk(body, &chunks);
        ck_assert_str_eq(content, bytes);
        ck_assert_uint_eq(chunks, (sizes[i] + BP_S3_CHUNK - 1) / BP_S3_CHUNK);
        st_end(&script);
    }
}
END_TEST

START_TEST(test_write__streamed_as_it_is)
{
    size_t body_size;
    struct st_script script;
    const struct bp_httpd_step steps[] = {{.reply = DONE}};
    g_autofree char *bytes = filler(200000);
    const struct bp_write_args args = {.struct_size = sizeof(args), .key = "k", .size = 200000};
    st_begin(&script, steps, "payload", "unsigned", "provider", "minio", "checksum", "none");
    ASSERT_OK(st_write_args(script.store, &args, bytes, 200000, 70000, NULL));
    ck_assert_ptr_nonnull(strstr(st_request(&script, 0), "x-amz-content-sha256: UNSIGNED-PAYLOAD"));
    ck_assert_str_eq(bp_httpd_body(script.server, 0, &body_size), bytes);
    st_end(&script);
}
END_TEST

START_TEST(test_write__checksum_behind_the_body)
{
    static const char *const payloads[] = {"unsigned", "signed"};
    for (size_t i = 0; i < G_N_ELEMENTS(payloads); i++) {
        size_t body_size;
        struct st_script script;
        const struct bp_httpd_step steps[] = {{.reply = DONE}};
        g_autofree char *bytes = filler(70000);
        const struct bp_write_args args = {.struct_size = sizeof(args), .key = "k", .size = 70000};
        st_begin(&script, steps, "payload", payloads[i], "provider", "minio");
        ASSERT_OK(st_write_args(script.store, &args, bytes, 70000, 70000, NULL));
        const char *request = st_request(&script, 0);
        ck_assert_ptr_nonnull(strstr(request, "x-amz-trailer: x-amz-checksum-crc32c\r\n"));
        const char *body = bp_httpd_body(script.server, 0, &body_size);
        ck_assert_uint_eq(body_size, bp_s3_body_length(70000, i == 1, BP_CHECKSUM_CRC32C));
        uint32_t crc = GUINT32_TO_BE(bp_crc32c(0, bytes, 70000));
        g_autofree char *sum = g_base64_encode((const guchar *)&crc, sizeof(crc));
        g_autofree char *trailer = g_strdup_printf("\r\nx-amz-checksum-crc32c:%s\r\n", sum);
        const char *found = strstr(body, trailer);
        ck_assert_ptr_nonnull(found);
        ck_assert_int_eq(strstr(found, "x-amz-trailer-signature:") != NULL, i == 1);
        st_end(&script);
    }
}
END_TEST

START_TEST(test_write__callers_checksum)
{
    struct st_script script;
    struct bp_checksum sum;
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    const struct bp_httpd_step steps[] = {{.reply = DONE}};
    ck_assert_int_eq(
        bp_checksum_from_hex(&sum, BP_CHECKSUM_CRC32C, BP_CHECKSUM_BY_HOST, "e3069283"), 0);
    const struct bp_write_args args = {
        .struct_size = sizeof(args), .key = "k", .size = 9, .checksum = sum};
    st_begin(&script, steps, "checksum", "sha256");
    ASSERT_FAILED(st_write_args(script.store, &args, "123456780", 9, 9, NULL), BP_ERR_CORRUPT,
                  "object k: what was written does not have the announced crc32c checksum");
    ASSERT_OK(st_write_args(script.store, &args, "123456789", 9, 9, &meta));
    ck_assert(bp_checksum_equal(&meta.checksum, &sum));
    ck_assert_ptr_nonnull(strstr(st_request(&script, 0), "x-amz-checksum-crc32c: 4waSgw==\r\n"));
    st_end(&script);
}
END_TEST

START_TEST(test_write__size_must_agree)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {{.reply = DONE}};
    const struct bp_write_args args = {.struct_size = sizeof(args), .key = "k", .size = 6};
    st_begin(&script, steps);
    ASSERT_FAILED(st_write_args(script.store, &args, "12345", 5, 5, NULL), BP_ERR_INVALID,
                  "object k: 6 bytes were announced, 5 written");
    ASSERT_FAILED(st_write_args(script.store, &args, "1234567", 7, 7, NULL), BP_ERR_INVALID,
                  "more than the announced 6 bytes");
    ck_assert_str_eq(st_request(&script, 0), "");
    st_end(&script);
}
END_TEST

static bp_status
write_conditionally(struct bp_storage *store, uint32_t flags, const char *if_match)
{
    const struct bp_write_args args = {
        .struct_size = sizeof(args), .flags = flags, .key = "k", .size = 1, .if_match = if_match};
    return st_write_args(store, &args, "x", 1, 1, NULL);
}

START_TEST(test_condition__headers_by_provider)
{
    static const char *const cases[][2] = {
        {"s3", "\r\nIf-None-Match: *\r\n"},
        {"minio", "\r\nIf-None-Match: *\r\n"},
        {"gcp", "\r\nx-goog-if-generation-match: 0\r\n"},
        {"aliyun", "\r\nx-oss-forbid-overwrite: true\r\n"},
        {"tencent", "\r\nx-cos-forbid-overwrite: true\r\n"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct st_script script;
        const struct bp_httpd_step steps[] = {{.reply = st_answer(404, "", "")}, {.reply = DONE}};
        st_begin(&script, steps, "provider", cases[i][0]);
        ASSERT_OK(write_conditionally(script.store, BP_WRITE_IF_NONE_MATCH, NULL));
        ck_assert_ptr_nonnull(strstr(st_request(&script, 1), cases[i][1]));
        st_end(&script);
    }
}
END_TEST

START_TEST(test_condition__taken)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {{.reply = st_answer(200, "", "")},
                                          {.reply = st_answer(404, "", "")},
                                          {.reply = st_refusal(412, "PreconditionFailed")},
                                          {.reply = st_answer(404, "", "")},
                                          {.reply = st_refusal(409, "FileAlreadyExists")},
                                          {.reply = st_answer(404, "", "")},
                                          {.reply = st_refusal(409, "ConditionalRequestConflict")}};
    st_begin(&script, steps);
    ASSERT_FAILED(write_conditionally(script.store, BP_WRITE_IF_NONE_MATCH, NULL), BP_ERR_EXISTS,
                  "object k exists already");
    for (int i = 0; i < 2; i++) {
        ASSERT_FAILED(write_conditionally(script.store, BP_WRITE_IF_NONE_MATCH, NULL),
                      BP_ERR_EXISTS, "cannot write s3://bkt/k");
    }
    ASSERT_FAILED(write_conditionally(script.store, BP_WRITE_IF_NONE_MATCH, NULL), BP_ERR_RETRYABLE,
                  "ConditionalRequestConflict");
    st_end(&script);
}
END_TEST

START_TEST(test_condition__if_match)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {{.reply = DONE}};
    st_begin(&script, steps);
    ASSERT_OK(write_conditionally(script.store, 0, "v1"));
    ASSERT_FAILED(write_conditionally(script.store, BP_WRITE_IF_NONE_MATCH, "v1"), BP_ERR_INVALID,
                  "exclude each other");
    ck_assert_ptr_nonnull(strstr(st_request(&script, 0), "If-Match: \"v1\"\r\n"));
    st_end(&script);
}
END_TEST

START_TEST(test_condition__if_match_where_nothing_is)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {{.reply = st_refusal(404, "NoSuchKey")},
                                          {.reply = st_refusal(404, "NoSuchBucket")}};
    st_begin(&script, steps);
    ASSERT_FAILED(write_conditionally(script.store, 0, "v1"), BP_ERR_EXISTS, "NoSuchKey");
    ASSERT_FAILED(write_conditionally(script.store, 0, "v1"), BP_ERR_NOT_FOUND, "NoSuchBucket");
    st_end(&script);
}
END_TEST

START_TEST(test_condition__unsupported)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {{.reply = st_answer(404, "", "")}};
    st_begin(&script, steps, "conditional_writes", "false");
    ASSERT_FAILED(write_conditionally(script.store, 0, "v1"), BP_ERR_UNSUPPORTED,
                  "as conditional_writes says");
    ASSERT_FAILED(write_conditionally(script.store, BP_WRITE_IF_NONE_MATCH, NULL),
                  BP_ERR_UNSUPPORTED, "no conditional writes");
    st_end(&script);
}
END_TEST

START_TEST(test_write__refused_before_the_end)
{
    struct st_script script;
    size_t n = (size_t)4 << 20;
    g_autofree char *bytes = filler(n);
    const struct bp_write_args args = {.struct_size = sizeof(args), .key = "k", .size = n};
    const struct bp_httpd_step steps[] = {
        {.manner = BP_HTTPD_EARLY, .reply = st_refusal(507, "XMinioStorageFull")}};
    st_begin(&script, steps);
    ASSERT_FAILED(st_write_args(script.store, &args, bytes, n, 65536, NULL), BP_ERR_NO_SPACE,
                  "XMinioStorageFull");
    st_end(&script);
}
END_TEST

START_TEST(test_abort__leaves_the_body_incomplete)
{
    struct st_script script;
    struct bp_writer *writer;
    g_autofree char *bytes = filler(100000);
    const struct bp_write_args args = {.struct_size = sizeof(args), .key = "k", .size = 100000};
    const struct bp_httpd_step steps[] = {{.reply = DONE}};
    size_t got;
    st_begin(&script, steps, "payload", "unsigned", "provider", "minio", "checksum", "none");
    ASSERT_OK(st_ops->write_open(script.store, &bp_fake.op, &args, &writer, &st_error));
    ASSERT_OK(st_ops->write(writer, &bp_fake.op, bytes, 100000, &st_error));
    st_ops->write_abort(writer, &bp_fake.op);
    (void)st_request(&script, 0);
    (void)bp_httpd_body(script.server, 0, &got);
    ck_assert_uint_lt(got, 100000);
    st_end(&script);
}
END_TEST

/* Where a body that is cut short becomes an object, it is sent only when all of it is there. */
START_TEST(test_write__kept_where_the_store_takes_half)
{
    size_t body_size;
    struct st_script script;
    const struct bp_httpd_step steps[] = {{.reply = DONE}};
    g_autofree char *bytes = filler(200000);
    struct bp_writer *writer;
    const struct bp_write_args args = {.struct_size = sizeof(args), .key = "k", .size = 200000};
    st_begin(&script, steps, "payload", "unsigned");
    ASSERT_OK(st_ops->write_open(script.store, &bp_fake.op, &args, &writer, &st_error));
    ASSERT_OK(st_ops->write(writer, &bp_fake.op, bytes, 200000, &st_error));
    ck_assert_uint_eq(bp_httpd_connections(script.server), 0);
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    ASSERT_OK(st_ops->write_commit(writer, &bp_fake.op, &meta, &st_error));
    ck_assert_ptr_nonnull(strstr(st_request(&script, 0), "x-amz-content-sha256: UNSIGNED-PAYLOAD"));
    ck_assert_str_eq(bp_httpd_body(script.server, 0, &body_size), bytes);
    st_end(&script);
}
END_TEST

#define XML(text) st_answer(200, "", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>" text)

START_TEST(test_unknown__becomes_an_upload_in_parts)
{
    struct st_script script;
    size_t n = ((size_t)8 << 20) + 5;
    g_autofree char *bytes = filler(n);
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    const struct bp_write_args args = {
        .struct_size = sizeof(args), .flags = 0, .key = "k", .size = BP_UNKNOWN};
    const struct bp_httpd_step steps[] = {
        {.reply = XML("<R><UploadId>up/1</UploadId></R>")},
        {.reply = st_answer(200, "ETag: \"p1\"\r\n", "")},
        {.reply = st_answer(200, "ETag: \"p2\"\r\n", "")},
        {.reply = XML("<CompleteMultipartUploadResult><ETag>\"w-2\"</ETag>"
                      "</CompleteMultipartUploadResult>")},
        {.reply = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 8388613\r\n"
                  "ETag: \"w-2\"\r\n\r\n"}};
    st_begin(&script, steps);
    ASSERT_OK(st_write_args(script.store, &args, bytes, n, (size_t)1 << 20, &meta));
    ck_assert_uint_eq(meta.size, n);
    ck_assert_ptr_nonnull(strstr(st_request(&script, 0), "POST /bkt/k?uploads= "));
    ck_assert_ptr_nonnull(strstr(st_request(&script, 1), "?partNumber=1&uploadId=up%2F1 "));
    ck_assert_ptr_nonnull(
        strstr(st_request(&script, 3),
               "<Part><PartNumber>1</PartNumber><ETag>&quot;p1&quot;</ETag></Part><Part>"
               "<PartNumber>2</PartNumber><ETag>&quot;p2&quot;</ETag></Part>"));
    st_end(&script);
}
END_TEST

START_TEST(test_unknown__failure_aborts_the_upload)
{
    struct st_script script;
    size_t n = (size_t)9 << 20;
    g_autofree char *bytes = filler(n);
    const struct bp_write_args args = {.struct_size = sizeof(args), .key = "k", .size = BP_UNKNOWN};
    const struct bp_httpd_step steps[] = {
        {.reply = XML("<R><UploadId>up1</UploadId></R>")},
        {.reply = st_answer(200, "ETag: \"p1\"\r\n", "")},
        {.reply = st_answer(200, "ETag: \"p2\"\r\n", "")},
        {.reply = XML("<Error><Code>InternalError</Code><Message>after all</Message></Error>")},
        {.reply = st_answer(204, "", "")}};
    st_begin(&script, steps);
    ASSERT_FAILED(st_write_args(script.store, &args, bytes, n, n, NULL), BP_ERR_RETRYABLE,
                  "cannot put together s3://bkt/k");
    ck_assert_ptr_nonnull(strstr(st_request(&script, 4), "DELETE /bkt/k?uploadId=up1 "));
    st_end(&script);
}
END_TEST

static int32_t
is_over(const struct bp_op *op)
{
    return op == &bp_fake.op && atomic_load(&bp_fake.cancelled);
}

/* A cancel reaches the commit, and not what undoes it. */
START_TEST(test_unknown__cancel_aborts_the_upload)
{
    struct st_script script;
    struct bp_writer *writer;
    size_t n = (size_t)9 << 20;
    g_autofree char *bytes = filler(n);
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    const struct bp_write_args args = {.struct_size = sizeof(args), .key = "k", .size = BP_UNKNOWN};
    const struct bp_httpd_step steps[] = {{.reply = XML("<R><UploadId>up1</UploadId></R>")},
                                          {.reply = st_answer(200, "ETag: \"p1\"\r\n", "")},
                                          {.reply = st_answer(204, "", "")}};
    int32_t (*usual)(const struct bp_op *) = bp_fake.host.cancelled;
    bp_fake.host.cancelled = is_over;
    st_begin(&script, steps);
    ASSERT_OK(st_ops->write_open(script.store, &bp_fake.op, &args, &writer, &st_error));
    ASSERT_OK(st_ops->write(writer, &bp_fake.op, bytes, n, &st_error));
    atomic_store(&bp_fake.cancelled, 1);
    ASSERT_FAILED(st_ops->write_commit(writer, &bp_fake.op, &meta, &st_error), BP_ERR_CANCELLED,
                  "cancelled");
    ck_assert_ptr_nonnull(strstr(st_request(&script, 2), "DELETE /bkt/k?uploadId=up1 "));
    st_end(&script);
    bp_fake.host.cancelled = usual;
}
END_TEST

/* A host that gives up after some seconds is not kept waiting by a store that says nothing. */
START_TEST(test_unknown__abort_ends_with_its_operation)
{
    struct st_script script;
    struct bp_writer *writer;
    struct timespec before, now;
    struct bp_op undo = bp_fake.op;
    size_t n = (size_t)9 << 20;
    g_autofree char *bytes = filler(n);
    const struct bp_write_args args = {.struct_size = sizeof(args), .key = "k", .size = BP_UNKNOWN};
    const struct bp_httpd_step steps[] = {{.reply = XML("<R><UploadId>up1</UploadId></R>")},
                                          {.reply = st_answer(200, "ETag: \"p1\"\r\n", "")},
                                          {.manner = BP_HTTPD_STALL}};
    st_begin(&script, steps);
    ASSERT_OK(st_ops->write_open(script.store, &bp_fake.op, &args, &writer, &st_error));
    ASSERT_OK(st_ops->write(writer, &bp_fake.op, bytes, n, &st_error));
    clock_gettime(CLOCK_MONOTONIC, &before);
    undo.deadline_ns = (int64_t)before.tv_sec * 1000000000 + before.tv_nsec + 50000000;
    st_ops->write_abort(writer, &undo);
    clock_gettime(CLOCK_MONOTONIC, &now);
    ck_assert_int_lt(now.tv_sec - before.tv_sec, 30);
    ck_assert_ptr_nonnull(strstr(bp_fake.last_log, "upload up1 of k stays behind"));
    st_end(&script);
}
END_TEST

START_TEST(test_unknown__small_needs_no_parts)
{
    struct st_script script;
    const struct bp_write_args args = {.struct_size = sizeof(args), .key = "k", .size = BP_UNKNOWN};
    const struct bp_httpd_step steps[] = {{.reply = DONE}};
    st_begin(&script, steps);
    ASSERT_OK(st_write_args(script.store, &args, "abc", 3, 1, NULL));
    ck_assert_ptr_nonnull(strstr(st_request(&script, 0), "\r\n\r\nabc"));
    st_end(&script);
}
END_TEST

START_TEST(test_gather__parts_grow_within_memory)
{
    struct bp_storage *store = st_open("bucket", "bkt", "endpoint", "h", "memory", "67108864");
    ck_assert_uint_eq(bp_s3_gather_room(store, 0), 8 << 20);
    ck_assert_uint_eq(bp_s3_gather_room(store, 999), 8 << 20);
    ck_assert_uint_eq(bp_s3_gather_room(store, 1000), 16 << 20);
    ck_assert_uint_eq(bp_s3_gather_room(store, 9999), 32 << 20);
    st_ops->close(store);
}
END_TEST

START_TEST(test_memory__is_bounded_and_given_back)
{
    struct bp_storage *store = st_open("bucket", "bkt", "endpoint", "h", "memory", "16777216");
    ASSERT_OK(bp_s3_memory_take(store, &bp_fake.op, 10 << 20, &st_error));
    atomic_store(&bp_fake.cancel_after, 1);
    ck_assert_int_eq(bp_s3_memory_take(store, &bp_fake.op, 10 << 20, &st_error), BP_ERR_CANCELLED);
    bp_fake_reset();
    bp_s3_memory_give(store, 10 << 20);
    ASSERT_OK(bp_s3_memory_take(store, &bp_fake.op, 100 << 20, &st_error));
    bp_s3_memory_give(store, 100 << 20);
    st_ops->close(store);
}
END_TEST

START_TEST(test_write__without_memory)
{
    struct bp_storage *store = st_open("bucket", "bkt", "endpoint", "http://127.0.0.1:1",
                                       "access_key", "a", "secret_key", "s");
    atomic_store(&bp_fake.fail_alloc, 1);
    ASSERT_FAILED(st_write(store, "k", "x", 0), BP_ERR_NOMEM, "object k: no memory for 1 bytes");
    st_ops->close(store);
}
END_TEST

ST_MAIN("storage-s3 write", test_write__small_in_one_piece, test_write__streamed_in_signed_chunks,
        test_write__streamed_as_it_is, test_write__checksum_behind_the_body,
        test_write__callers_checksum, test_write__size_must_agree,
        test_condition__headers_by_provider, test_condition__taken, test_condition__if_match,
        test_condition__if_match_where_nothing_is, test_condition__unsupported,
        test_write__refused_before_the_end, test_abort__leaves_the_body_incomplete,
        test_write__kept_where_the_store_takes_half, test_unknown__becomes_an_upload_in_parts,
        test_unknown__failure_aborts_the_upload, test_unknown__cancel_aborts_the_upload,
        test_unknown__abort_ends_with_its_operation, test_unknown__small_needs_no_parts,
        test_gather__parts_grow_within_memory, test_memory__is_bounded_and_given_back,
        test_write__without_memory)
