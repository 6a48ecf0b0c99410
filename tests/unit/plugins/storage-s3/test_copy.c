/* SPDX-License-Identifier: Apache-2.0
 *
 * storage-s3: copies within the store, whole and in parts; putting parts together.
 */
#include "tests/unit/plugins/storage-s3/s3_test.h"

#define MD5 "e59ff97941044f85df5297e1c302d260"
#define COPIED(etag)                                                               \
    st_answer(200, "",                                                             \
              "<?xml version=\"1.0\"?><CopyObjectResult><ETag>\"" etag "\"</ETag>" \
              "<LastModified>2009-10-12T17:50:30.000Z</LastModified></CopyObjectResult>")
#define SIZE(n, etag) \
    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " n "\r\nETag: \"" etag "\"\r\n\r\n"

START_TEST(test_copy__etag_carried_over_proves_the_size)
{
    struct st_script script;
    struct bp_object_meta meta;
    const struct bp_httpd_step steps[] = {{.reply = COPIED(MD5)}};
    st_begin(&script, steps, "prefix", "r");
    ASSERT_OK(st_copy(script.store, script.store, "a b", "dst", MD5, 42, &meta));
    ck_assert_uint_eq(meta.size, 42);
    ck_assert_str_eq(meta.etag, MD5);
    ck_assert_uint_eq(meta.checksum.kind, BP_CHECKSUM_NONE); /* who knows what s3 calls an ETag */
    const char *request = st_request(&script, 0);
    ck_assert_int_eq(strncmp(request, "PUT /bkt/r/dst ", 15), 0);
    ck_assert_ptr_nonnull(strstr(request, "x-amz-copy-source: /bkt/r/a%20b\r\n"));
    ck_assert_ptr_nonnull(strstr(request, "x-amz-copy-source-if-match: \"" MD5 "\"\r\n"));
    ck_assert_ptr_nonnull(strstr(request, "x-amz-metadata-directive: REPLACE\r\n"));
    st_end(&script);
}
END_TEST

START_TEST(test_copy__md5_where_the_etag_is_one)
{
    struct st_script script;
    struct bp_object_meta meta;
    const struct bp_httpd_step steps[] = {{.reply = COPIED(MD5)}};
    st_begin(&script, steps, "provider", "minio");
    ASSERT_OK(st_copy(script.store, script.store, "a", "dst", MD5, 42, &meta));
    ck_assert_uint_eq(meta.checksum.kind, BP_CHECKSUM_MD5);
    ck_assert_uint_eq(meta.checksum.by, BP_CHECKSUM_BY_STORE);
    ck_assert_uint_eq(meta.checksum.value[0], 0xe5);
    st_end(&script);
}
END_TEST

START_TEST(test_copy__other_etags_are_asked_about)
{
    struct st_script script;
    struct bp_object_meta meta;
    const struct bp_httpd_step steps[] = {
        {.reply = COPIED("x-2")},       {.reply = SIZE("42", "x-2")}, {.reply = COPIED("other")},
        {.reply = SIZE("41", "other")}, {.reply = COPIED(MD5)},       {.reply = SIZE("5", MD5)}};
    st_begin(&script, steps);
    ASSERT_OK(st_copy(script.store, script.store, "a", "dst", "x-2", 42, &meta));
    ck_assert_uint_eq(meta.size, 42);
    ASSERT_OK(st_copy(script.store, script.store, "a", "dst", MD5, 42, &meta));
    ck_assert_uint_eq(meta.size, 41); /* the core compares */
    ASSERT_OK(st_copy(script.store, script.store, "a", "dst", NULL, BP_UNKNOWN, &meta));
    ck_assert_uint_eq(meta.size, 5);
    ck_assert_int_eq(strncmp(st_request(&script, 1), "HEAD /bkt/dst ", 14), 0);
    st_end(&script);
}
END_TEST

START_TEST(test_copy__error_in_a_success)
{
    struct st_script script;
    struct bp_object_meta meta;
    const struct bp_httpd_step steps[] = {
        {.reply = st_answer(200, "",
                            "  \r\n<?xml version=\"1.0\"?><Error><Code>SlowDown</Code>"
                            "<Message>m</Message><RequestId>R2</RequestId></Error>")},
        {.reply = st_answer(200, "", "<Error><Code>Unheard</Code></Error>")}};
    st_begin(&script, steps);
    ASSERT_FAILED(st_copy(script.store, script.store, "a", "dst", MD5, 42, &meta), BP_ERR_THROTTLED,
                  "cannot copy to s3://bkt/dst");
    ck_assert_str_eq(st_error.request_id, "R2");
    ASSERT_FAILED(st_copy(script.store, script.store, "a", "dst", MD5, 42, &meta), BP_ERR_RETRYABLE,
                  "Unheard");
    st_end(&script);
}
END_TEST

/* What is there may be an older object: nothing is looked at. */
START_TEST(test_copy__success_that_says_nothing)
{
    static const char *const bodies[] = {"", " \r\n", "<html><body>fine</body></html>"};
    for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
        struct st_script script;
        struct bp_object_meta meta;
        const struct bp_httpd_step steps[] = {{.reply = st_answer(200, "", bodies[i])},
                                              {.reply = SIZE("42", MD5)}};
        st_begin(&script, steps);
        ASSERT_FAILED(st_copy(script.store, script.store, "a", "dst", MD5, 42, &meta),
                      BP_ERR_RETRYABLE, "object dst: the store began to answer and does not say");
        ck_assert_uint_eq(st_error.flags, BP_ERROR_OUTCOME_UNKNOWN);
        (void)st_request(&script, 0);
        ck_assert_uint_eq(bp_httpd_requests(script.server), 1);
        st_end(&script);
    }
}
END_TEST

START_TEST(test_copy__source_changed_or_gone)
{
    struct st_script script;
    struct bp_object_meta meta;
    const struct bp_httpd_step steps[] = {{.reply = st_refusal(412, "PreconditionFailed")},
                                          {.reply = st_refusal(404, "NoSuchKey")}};
    st_begin(&script, steps);
    ck_assert_int_eq(st_copy(script.store, script.store, "a", "dst", MD5, 42, &meta),
                     BP_ERR_EXISTS);
    ck_assert_int_eq(st_copy(script.store, script.store, "a", "dst", MD5, 42, &meta),
                     BP_ERR_NOT_FOUND);
    st_end(&script);
}
END_TEST

START_TEST(test_copy__only_within_one_store)
{
    struct st_script script;
    struct bp_object_meta meta;
    const struct bp_httpd_step steps[] = {{.reply = COPIED(MD5)}};
    st_begin(&script, steps);
    struct bp_storage *other = st_open("bucket", "bkt", "endpoint", "http://elsewhere:9000");
    ASSERT_FAILED(st_copy(script.store, other, "a", "dst", MD5, 42, &meta), BP_ERR_UNSUPPORTED,
                  "cannot copy from s3:http://elsewhere:9000 by itself");
    st_ops->close(other);
    st_end(&script);
}
END_TEST

START_TEST(test_copy__computed_checksum)
{
    struct st_script script;
    struct bp_object_meta meta;
    const struct bp_httpd_step steps[] = {
        {.reply = st_answer(200, "",
                            "<CopyObjectResult><ETag>\"" MD5 "\"</ETag><ChecksumCRC32C>"
                            "4waSgw==</ChecksumCRC32C><ChecksumType>FULL_OBJECT"
                            "</ChecksumType></CopyObjectResult>")}};
    st_begin(&script, steps, "provider", "aws", "style", "path");
    ASSERT_OK(st_copy(script.store, script.store, "a", "dst", MD5, 42, &meta));
    ck_assert_uint_eq(meta.checksum.kind, BP_CHECKSUM_CRC32C);
    ck_assert_ptr_nonnull(strstr(st_request(&script, 0), "x-amz-checksum-algorithm: CRC32C\r\n"));
    st_end(&script);
}
END_TEST

START_TEST(test_part_copy__range)
{
    struct st_script script;
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    const struct bp_httpd_step steps[] = {
        {.reply = st_answer(200, "", "<CopyPartResult><ETag>\"p\"</ETag></CopyPartResult>")},
        {.reply = st_answer(200, "", "<Error><Code>InternalError</Code></Error>")},
        {.reply = st_answer(200, "", "")}};
    st_begin(&script, steps);
    const struct bp_part_args args = {.struct_size = sizeof(args),
                                      .key = "dst",
                                      .upload = "u",
                                      .number = 3,
                                      .offset = 200,
                                      .size = 100,
                                      .src = script.store,
                                      .src_key = "a",
                                      .src_if_match = "v"};
    ASSERT_OK(st_ops->part_copy(script.store, &bp_fake.op, &args, &meta, &st_error));
    ck_assert_uint_eq(meta.size, 100);
    ck_assert_str_eq(meta.etag, "p");
    ASSERT_FAILED(st_ops->part_copy(script.store, &bp_fake.op, &args, &meta, &st_error),
                  BP_ERR_RETRYABLE, "cannot copy a part of s3://bkt/dst");
    ASSERT_FAILED(st_ops->part_copy(script.store, &bp_fake.op, &args, &meta, &st_error),
                  BP_ERR_RETRYABLE, "gave part 3 no ETag");
    const char *request = st_request(&script, 0);
    ck_assert_ptr_nonnull(strstr(request, "PUT /bkt/dst?partNumber=3&uploadId=u "));
    ck_assert_ptr_nonnull(strstr(request, "x-amz-copy-source-range: bytes=200-299\r\n"));
    ck_assert_ptr_nonnull(strstr(request, "x-amz-copy-source-if-match: \"v\"\r\n"));
    st_end(&script);
}
END_TEST

static bp_status
complete(struct bp_storage *store, uint32_t flags, struct bp_object_meta *meta)
{
    const struct bp_part parts[] = {{1, 0, "e&1"}, {2, 0, "e2"}};
    const struct bp_complete_args args = {.struct_size = sizeof(args),
                                          .flags = flags,
                                          .key = "k",
                                          .upload = "u",
                                          .size = 10,
                                          .parts = parts,
                                          .part_stride = sizeof(parts[0]),
                                          .n_parts = 2};
    meta->struct_size = sizeof(*meta);
    return st_ops->part_complete(store, &bp_fake.op, &args, meta, &st_error);
}
#define WHOLE st_answer(200, "", "<R><ETag>\"w-2\"</ETag></R>")

START_TEST(test_complete__tells_what_is_there)
{
    struct st_script script;
    struct bp_object_meta meta;
    const struct bp_httpd_step steps[] = {{.reply = WHOLE}, {.reply = SIZE("10", "w-2")}};
    st_begin(&script, steps);
    ASSERT_OK(complete(script.store, BP_WRITE_IF_NONE_MATCH, &meta));
    ck_assert_uint_eq(meta.size, 10);
    ck_assert_ptr_nonnull(strstr(st_request(&script, 0), "If-None-Match: *\r\n"));
    ck_assert_ptr_nonnull(strstr(st_request(&script, 0), "<ETag>&quot;e&amp;1&quot;</ETag>"));
    st_end(&script);
}
END_TEST

START_TEST(test_complete__failures)
{
    struct st_script script;
    struct bp_object_meta meta;
    const struct bp_httpd_step steps[] = {
        {.reply = st_answer(200, "", " \n <Error><Code>InternalError</Code></Error>")},
        {.reply = st_refusal(400, "InvalidPart")},
        {.reply = st_refusal(412, "PreconditionFailed")},
        {.reply = WHOLE},
        {.reply = st_refusal(503, "SlowDown")},
        {.reply = WHOLE},
        {.reply = SIZE("10", "newer")}};
    st_begin(&script, steps);
    ASSERT_FAILED(complete(script.store, 0, &meta), BP_ERR_RETRYABLE, "cannot put together");
    ASSERT_FAILED(complete(script.store, 0, &meta), BP_ERR_INVALID, "InvalidPart");
    ASSERT_FAILED(complete(script.store, 0, &meta), BP_ERR_EXISTS, "PreconditionFailed");
    ck_assert_int_eq(complete(script.store, 0, &meta), BP_ERR_THROTTLED);
    ck_assert_uint_eq(st_error.flags, BP_ERROR_OUTCOME_UNKNOWN);
    ASSERT_FAILED(complete(script.store, 0, &meta), BP_ERR_RETRYABLE, "replaced at once by newer");
    st_end(&script);
}
END_TEST

/* Else nobody could tell whether it is the object or the upload that is not there. */
START_TEST(test_complete__version_that_is_gone)
{
    struct st_script script;
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    const struct bp_part part = {.number = 1, .etag = "e1"};
    const struct bp_complete_args args = {.struct_size = sizeof(args),
                                          .key = "dst",
                                          .upload = "u",
                                          .if_match = "v1",
                                          .parts = &part,
                                          .part_stride = sizeof(part),
                                          .n_parts = 1};
    const struct bp_httpd_step steps[] = {{.reply = st_refusal(404, "NoSuchKey")},
                                          {.reply = st_refusal(404, "NoSuchUpload")}};
    st_begin(&script, steps);
    ASSERT_FAILED(st_ops->part_complete(script.store, &bp_fake.op, &args, &meta, &st_error),
                  BP_ERR_EXISTS, "NoSuchKey");
    ASSERT_FAILED(st_ops->part_complete(script.store, &bp_fake.op, &args, &meta, &st_error),
                  BP_ERR_NOT_FOUND, "NoSuchUpload");
    st_end(&script);
}
END_TEST

START_TEST(test_complete__success_that_says_nothing)
{
    struct st_script script;
    struct bp_object_meta meta;
    const struct bp_httpd_step steps[] = {{.reply = st_answer(200, "", " \n \n")},
                                          {.reply = SIZE("10", "older")}};
    st_begin(&script, steps);
    ASSERT_FAILED(complete(script.store, 0, &meta), BP_ERR_RETRYABLE,
                  "does not say that it is done");
    ck_assert_uint_eq(st_error.flags, BP_ERROR_OUTCOME_UNKNOWN);
    (void)st_request(&script, 0);
    ck_assert_uint_eq(bp_httpd_requests(script.server), 1);
    st_end(&script);
}
END_TEST

START_TEST(test_part_abort__of_one_that_is_gone)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {{.reply = st_answer(204, "", "")},
                                          {.reply = st_refusal(404, "NoSuchUpload")},
                                          {.reply = st_refusal(403, "AccessDenied")}};
    st_begin(&script, steps);
    ASSERT_OK(st_ops->part_abort(script.store, &bp_fake.op, "k", "u", &st_error));
    ASSERT_OK(st_ops->part_abort(script.store, &bp_fake.op, "k", "u", &st_error));
    ASSERT_FAILED(st_ops->part_abort(script.store, &bp_fake.op, "k", "u", &st_error), BP_ERR_DENIED,
                  "cannot abort the upload of s3://bkt/k");
    st_end(&script);
}
END_TEST

static int32_t
refuse_text(void *ctx, const char *text)
{
    (void)ctx;
    ck_assert_str_eq(text, "u1");
    return 1;
}

START_TEST(test_part_begin__needs_an_id_and_a_receiver)
{
    struct st_script script;
    const struct bp_write_args args = {.struct_size = sizeof(args), .key = "k", .size = 10};
    const struct bp_text_sink sink = {.struct_size = sizeof(sink), .text = refuse_text};
    const struct bp_httpd_step steps[] = {
        {.reply = st_answer(200, "", "<R><UploadId/></R>")},
        {.reply = st_answer(200, "", "<R><UploadId>u1</UploadId></R>")}};
    st_begin(&script, steps, "sse", "s3");
    ASSERT_FAILED(st_ops->part_begin(script.store, &bp_fake.op, &args, &sink, &st_error),
                  BP_ERR_PERMANENT, "gave the upload no id");
    ASSERT_FAILED(st_ops->part_begin(script.store, &bp_fake.op, &args, &sink, &st_error),
                  BP_ERR_CANCELLED, "stopped by the receiver");
    ck_assert_ptr_nonnull(
        strstr(st_request(&script, 1), "x-amz-server-side-encryption: AES256\r\n"));
    st_end(&script);
}
END_TEST

ST_MAIN("storage-s3 copy", test_copy__etag_carried_over_proves_the_size,
        test_copy__md5_where_the_etag_is_one, test_copy__other_etags_are_asked_about,
        test_copy__error_in_a_success, test_copy__success_that_says_nothing,
        test_copy__source_changed_or_gone, test_copy__only_within_one_store,
        test_copy__computed_checksum, test_part_copy__range, test_complete__tells_what_is_there,
        test_complete__failures, test_complete__version_that_is_gone,
        test_complete__success_that_says_nothing, test_part_abort__of_one_that_is_gone,
        test_part_begin__needs_an_id_and_a_receiver)
