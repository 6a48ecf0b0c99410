/* SPDX-License-Identifier: Apache-2.0
 *
 * storage-s3: who knows checksums, and the checksums of parts.
 */
#include "plugins/storage-s3/sums.h"

#include "plugins/storage-s3/crypto.h"
#include "tests/unit/plugins/storage-s3/s3_test.h"

#define LARGE 70000 /* is streamed */
#define DONE st_answer(200, "ETag: \"e\"\r\n", "")
#define ECHO st_answer(200, "ETag: \"e\"\r\nx-amz-checksum-crc32c: yZRlqg==\r\n", "")
#define BEGUN st_answer(200, "", "<R><UploadId>u1</UploadId></R>")
#define WHOLE st_answer(200, "", "<R><ETag>\"w-2\"</ETag></R>")
#define HEAD "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\nETag: \"w-2\"\r\n\r\n"

static bp_status
write_large(struct st_script *script)
{
    g_autofree char *bytes = g_strnfill(LARGE, 'x');
    const struct bp_write_args args = {.struct_size = sizeof(args), .key = "k", .size = LARGE};
    return st_write_args(script->store, &args, bytes, LARGE, LARGE, NULL);
}

static int32_t
take_id(void *ctx, const char *text)
{
    g_strlcpy(ctx, text, BP_TOKEN_MAX + 1);
    return 0;
}

static bp_status
begin(struct st_script *script, uint32_t flags, char id[BP_TOKEN_MAX + 1])
{
    const struct bp_text_sink sink = {.struct_size = sizeof(sink), .ctx = id, .text = take_id};
    const struct bp_write_args args = {
        .struct_size = sizeof(args), .flags = flags, .key = "k", .size = 9};
    return st_ops->part_begin(script->store, &bp_fake.op, &args, &sink, &st_error);
}

static bp_status
put_part(struct st_script *script, const char *id, const char *bytes, size_t n,
         struct bp_object_meta *meta)
{
    struct bp_writer *writer = NULL;
    const struct bp_part_args args = {
        .struct_size = sizeof(args), .key = "k", .upload = id, .number = 1, .size = n};
    bp_status status = st_ops->part_open(script->store, &bp_fake.op, &args, &writer, &st_error);
    if (status == BP_OK) {
        ASSERT_OK(st_ops->write(writer, &bp_fake.op, bytes, n, &st_error));
        meta->struct_size = sizeof(*meta);
        status = st_ops->write_commit(writer, &bp_fake.op, meta, &st_error);
    }
    return status;
}

static bp_status
complete(struct st_script *script, const char *id, const char *etag)
{
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    const struct bp_part parts[] = {{1, 0, etag}};
    const struct bp_complete_args args = {.struct_size = sizeof(args),
                                          .key = "k",
                                          .upload = id,
                                          .size = 9,
                                          .parts = parts,
                                          .part_stride = sizeof(parts[0]),
                                          .n_parts = 1};
    return st_ops->part_complete(script->store, &bp_fake.op, &args, &meta, &st_error);
}

#define ASSERT_HAS(script, i, text) \
    ck_assert_ptr_nonnull(strstr(st_request(&(script), (i)), (text)))
#define ASSERT_HAS_NOT(script, i, text) \
    ck_assert_ptr_null(strstr(st_request(&(script), (i)), (text)))

START_TEST(test_learn__store_that_repeats_it_knows_it)
{
    char id[BP_TOKEN_MAX + 1];
    struct st_script script;
    const struct bp_httpd_step steps[] = {
        {.reply = DONE}, {.reply = ECHO}, {.reply = DONE}, {.reply = BEGUN}};
    st_begin(&script, steps);
    ASSERT_OK(write_large(&script)); /* nothing is known yet */
    ASSERT_OK(st_write(script.store, "k", "hello world", 0));
    ASSERT_OK(write_large(&script));
    ASSERT_OK(begin(&script, 0, id));
    ck_assert_str_eq(id, "crc32c:u1");
    ASSERT_HAS_NOT(script, 0, "x-amz-trailer");
    ASSERT_HAS(script, 1, "x-amz-checksum-crc32c: yZRlqg==\r\n");
    ASSERT_HAS(script, 2, "x-amz-trailer: x-amz-checksum-crc32c\r\n");
    ASSERT_HAS(script, 3, "x-amz-checksum-algorithm: CRC32C\r\n");
    st_end(&script);
}
END_TEST

START_TEST(test_learn__store_that_says_nothing_does_not)
{
    char id[BP_TOKEN_MAX + 1];
    struct st_script script;
    const struct bp_httpd_step steps[] = {
        {.reply = DONE}, {.reply = DONE}, {.reply = DONE}, {.reply = BEGUN}};
    st_begin(&script, steps);
    ASSERT_OK(st_write(script.store, "k", "hello world", 0));
    ASSERT_OK(st_write(script.store, "k", "hello world", 0));
    ASSERT_OK(write_large(&script));
    ASSERT_OK(begin(&script, 0, id));
    ck_assert_str_eq(id, "u1");
    ASSERT_HAS(script, 0, "x-amz-checksum-crc32c: ");
    ASSERT_HAS_NOT(script, 1, "x-amz-checksum-");
    ASSERT_HAS_NOT(script, 2, "x-amz-trailer");
    ASSERT_HAS_NOT(script, 3, "x-amz-checksum-");
    st_end(&script);
}
END_TEST

static bp_status
write_with_sha256(struct st_script *script)
{
    struct bp_write_args args = {.struct_size = sizeof(args), .key = "k", .size = 11};
    bp_s3_sum(BP_CHECKSUM_SHA256, "hello world", 11, &args.checksum);
    return st_write_args(script->store, &args, "hello world", 11, 11, NULL);
}

/* The caller's checksum goes along instead of ours, and comes back. */
START_TEST(test_learn__of_the_kind_that_was_sent)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {
        {.reply = st_answer(200,
                            "ETag: \"e\"\r\nx-amz-checksum-sha256: "
                            "uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=\r\n",
                            "")},
        {.reply = DONE}};
    st_begin(&script, steps);
    ASSERT_OK(write_with_sha256(&script));
    ASSERT_OK(write_large(&script));
    ASSERT_HAS(script, 0,
               "x-amz-checksum-sha256: uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=\r\n");
    ASSERT_HAS(script, 1, "x-amz-trailer: x-amz-checksum-crc32c\r\n");
    st_end(&script);
}
END_TEST

/* What a store computes for itself, it has not compared. */
START_TEST(test_learn__another_kind_is_none)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {
        {.reply = st_answer(200, "ETag: \"e\"\r\nx-amz-checksum-crc64nvme: AAAAAAAAAAA=\r\n", "")},
        {.reply = DONE}};
    st_begin(&script, steps);
    ASSERT_OK(st_write(script.store, "k", "hello world", 0));
    ASSERT_OK(write_large(&script));
    ASSERT_HAS_NOT(script, 1, "x-amz-trailer");
    st_end(&script);
}
END_TEST

START_TEST(test_learn__another_value_is_another_body)
{
    static const size_t sizes[] = {11, LARGE};
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        struct st_script script;
        struct bp_object_meta meta;
        const struct bp_httpd_step steps[] = {
            {.reply = st_answer(200, "ETag: \"e\"\r\nx-amz-checksum-crc32c: AAAAAA==\r\n", "")},
            {.reply = st_answer(200, "ETag: \"e\"\r\nx-amz-checksum-crc32c: AAAAAA==\r\n", "")}};
        g_autofree char *bytes = g_strnfill(sizes[i], 'x');
        const struct bp_write_args args = {
            .struct_size = sizeof(args), .key = "k", .size = sizes[i]};
        st_begin(&script, steps, "provider", "minio");
        ASSERT_FAILED(st_write_args(script.store, &args, bytes, sizes[i], sizes[i], NULL),
                      BP_ERR_RETRYABLE,
                      "object k: the store got bytes with another crc32c than was sent");
        ck_assert_uint_eq(st_error.flags, 0);
        ASSERT_FAILED(put_part(&script, "crc32c:u1", bytes, sizes[i], &meta), BP_ERR_RETRYABLE,
                      "another crc32c");
        st_end(&script);
    }
}
END_TEST

START_TEST(test_learn__not_where_the_settings_decide)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {{.reply = ECHO}, {.reply = DONE}};
    st_begin(&script, steps, "checksum", "none");
    ASSERT_OK(st_write(script.store, "k", "hello world", 0));
    ASSERT_OK(write_large(&script));
    ASSERT_HAS_NOT(script, 0, "x-amz-checksum-");
    ASSERT_HAS_NOT(script, 1, "x-amz-trailer");
    st_end(&script);
}
END_TEST

START_TEST(test_refused__goes_on_without)
{
    static const char *const codes[] = {"NotImplemented", "InvalidArgument", "InvalidRequest"};
    for (size_t i = 0; i < G_N_ELEMENTS(codes); i++) {
        struct st_script script;
        const struct bp_httpd_step steps[] = {{.reply = st_refusal(400, codes[i])},
                                              {.reply = DONE},
                                              {.reply = st_refusal(400, codes[i])}};
        st_begin(&script, steps, "checksum", "crc32c");
        ASSERT_FAILED(write_large(&script), BP_ERR_RETRYABLE, codes[i]);
        ck_assert_ptr_nonnull(strstr(bp_fake.last_log, "the store refuses checksums"));
        ASSERT_OK(write_large(&script));
        ck_assert_int_ne(write_large(&script), BP_ERR_RETRYABLE); /* it was something else */
        ASSERT_HAS(script, 0, "x-amz-trailer");
        ASSERT_HAS_NOT(script, 1, "x-amz-trailer");
        st_end(&script);
    }
}
END_TEST

START_TEST(test_refused__vague_words_of_who_knows_them)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {{.reply = st_refusal(400, "InvalidArgument")},
                                          {.reply = DONE}};
    st_begin(&script, steps, "provider", "minio");
    ASSERT_FAILED(write_large(&script), BP_ERR_INVALID, "InvalidArgument");
    ASSERT_OK(write_large(&script));
    ASSERT_HAS(script, 1, "x-amz-trailer");
    st_end(&script);
}
END_TEST

START_TEST(test_parts__from_begin_to_end)
{
    static const size_t sizes[] = {9, LARGE};
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        char id[BP_TOKEN_MAX + 1];
        struct st_script script;
        struct bp_checksum sum;
        struct bp_object_meta meta;
        g_autofree char *bytes = g_strnfill(sizes[i], 'x');
        const struct bp_httpd_step steps[] = {
            {.reply = BEGUN}, {.reply = DONE}, {.reply = WHOLE}, {.reply = HEAD}};
        st_begin(&script, steps, "provider", "minio");
        ASSERT_OK(begin(&script, 0, id));
        ASSERT_OK(put_part(&script, id, bytes, sizes[i], &meta));
        bp_s3_sum(BP_CHECKSUM_CRC32C, bytes, sizes[i], &sum);
        g_autofree char *value = g_base64_encode(sum.value, 4);
        g_autofree char *etag = g_strconcat("e crc32c:", value, NULL);
        ck_assert_str_eq(meta.etag, etag);
        ASSERT_OK(complete(&script, id, meta.etag));
        g_autofree char *part =
            g_strdup_printf("<Part><PartNumber>1</PartNumber><ETag>&quot;e&quot;"
                            "</ETag><ChecksumCRC32C>%s</ChecksumCRC32C></Part>",
                            value);
        g_autofree char *header = g_strdup_printf("x-amz-checksum-crc32c: %s\r\n", value);
        ASSERT_HAS(script, 0, "x-amz-checksum-type: FULL_OBJECT\r\n");
        ASSERT_HAS(script, 1, "PUT /bkt/k?partNumber=1&uploadId=u1 ");
        ASSERT_HAS(script, 1,
                   sizes[i] == LARGE ? "x-amz-trailer: x-amz-checksum-crc32c\r\n" : header);
        ASSERT_HAS(script, 2, "POST /bkt/k?uploadId=u1 ");
        ASSERT_HAS(script, 2, part);
        st_end(&script);
    }
}
END_TEST

START_TEST(test_parts__sha256_cannot_be_joined)
{
    char id[BP_TOKEN_MAX + 1];
    struct st_script script;
    struct bp_object_meta meta;
    const struct bp_httpd_step steps[] = {
        {.reply = BEGUN}, {.reply = DONE}, {.reply = WHOLE}, {.reply = HEAD}};
    st_begin(&script, steps, "provider", "minio", "checksum", "sha256");
    ASSERT_OK(begin(&script, 0, id));
    ck_assert_str_eq(id, "sha256:u1");
    ASSERT_OK(put_part(&script, id, "hello world", 11, &meta));
    ck_assert_str_eq(meta.etag, "e sha256:uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=");
    ASSERT_OK(complete(&script, id, meta.etag));
    ASSERT_HAS(script, 0, "x-amz-checksum-algorithm: SHA256\r\n");
    ASSERT_HAS_NOT(script, 0, "x-amz-checksum-type");
    ASSERT_HAS(script, 2, "<ChecksumSHA256>uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=");
    st_end(&script);
}
END_TEST

START_TEST(test_parts__of_an_upload_without)
{
    struct st_script script;
    struct bp_object_meta meta;
    const struct bp_httpd_step steps[] = {{.reply = DONE}, {.reply = DONE}};
    g_autofree char *bytes = g_strnfill(LARGE, 'x');
    st_begin(&script, steps, "provider", "minio");
    ASSERT_OK(put_part(&script, "u1", "hello world", 11, &meta));
    ck_assert_str_eq(meta.etag, "e");
    ASSERT_OK(put_part(&script, "u1", bytes, LARGE, &meta));
    ck_assert_str_eq(meta.etag, "e");
    ASSERT_HAS_NOT(script, 0, "x-amz-checksum-");
    ASSERT_HAS_NOT(script, 1, "x-amz-trailer");
    st_end(&script);
}
END_TEST

START_TEST(test_parts__aborted_by_the_stores_id)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {{.reply = st_answer(204, "", "")}};
    st_begin(&script, steps);
    ASSERT_OK(st_ops->part_abort(script.store, &bp_fake.op, "k", "crc32c:u1", &st_error));
    ASSERT_HAS(script, 0, "DELETE /bkt/k?uploadId=u1 ");
    st_end(&script);
}
END_TEST

/* MinIO refuses a copied part in an upload with checksums; Amazon computes one. */
START_TEST(test_parts__copied)
{
    char id[BP_TOKEN_MAX + 1];
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    static const char *const providers[] = {"minio", "s3", "aws"};
    for (size_t i = 0; i < G_N_ELEMENTS(providers); i++) {
        struct st_script script;
        bool computes = strcmp(providers[i], "aws") == 0;
        const struct bp_httpd_step steps[] = {
            {.reply = BEGUN},
            {.reply = st_answer(200, "",
                                "<CopyPartResult><ETag>\"p\"</ETag><ChecksumCRC32C>yZRlqg=="
                                "</ChecksumCRC32C></CopyPartResult>")}};
        st_begin(&script, steps, "provider", providers[i]);
        ASSERT_OK(begin(&script, BP_WRITE_PARTS_COPIED, id));
        ck_assert_str_eq(id, computes ? "crc32c:u1" : "u1");
        const struct bp_part_args args = {.struct_size = sizeof(args),
                                          .key = "k",
                                          .upload = id,
                                          .number = 1,
                                          .size = 11,
                                          .src = script.store,
                                          .src_key = "a"};
        ASSERT_OK(st_ops->part_copy(script.store, &bp_fake.op, &args, &meta, &st_error));
        ck_assert_int_eq(meta.checksum.kind, BP_CHECKSUM_NONE); /* it is the part's */
        ck_assert_str_eq(meta.etag, computes ? "p crc32c:yZRlqg==" : "p");
        ASSERT_HAS(script, 1, "uploadId=u1 ");
        st_end(&script);
    }
}
END_TEST

START_TEST(test_part_note__only_where_there_is_room)
{
    struct bp_checksum sum;
    char etag[BP_HTTP_ETAG] = "";
    bp_s3_sum(BP_CHECKSUM_SHA256, "", 0, &sum);
    bp_s3_part_note(etag, &sum);
    ck_assert_str_eq(etag, ""); /* no ETag, no part */
    memset(etag, 'e', sizeof(etag) - 1);
    etag[100] = '\0';
    bp_s3_part_note(etag, &sum);
    ck_assert_uint_eq(strlen(etag), 100);
    etag[70] = '\0';
    bp_s3_part_note(etag, &sum);
    ck_assert_uint_eq(strlen(etag), 70 + 1 + 7 + 44);
}
END_TEST

ST_MAIN("storage-s3 sums", test_learn__store_that_repeats_it_knows_it,
        test_learn__store_that_says_nothing_does_not, test_learn__of_the_kind_that_was_sent,
        test_learn__another_kind_is_none, test_learn__another_value_is_another_body,
        test_learn__not_where_the_settings_decide, test_refused__goes_on_without,
        test_refused__vague_words_of_who_knows_them, test_parts__from_begin_to_end,
        test_parts__sha256_cannot_be_joined, test_parts__of_an_upload_without,
        test_parts__aborted_by_the_stores_id, test_parts__copied,
        test_part_note__only_where_there_is_room)
