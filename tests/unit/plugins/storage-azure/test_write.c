/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing: one request or blocks, nothing before the commit, conditions, checks.
 */
#include "tests/unit/plugins/storage-azure/azure_test.h"

#include "sdk/lib/errors.h"

#define MD5_HEADER "Content-MD5: XUFAKrxLKna5cZ2REBfFkg==\r\n"

static char big[150000];

static struct bp_write_args
args_of(const char *key, uint64_t size)
{
    return (struct bp_write_args){
        .struct_size = sizeof(struct bp_write_args), .key = key, .size = size};
}

START_TEST(test_write__small_goes_at_the_commit)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(AZ_CREATED(AZ_ETAG MD5_HEADER))};
    struct bp_object_meta meta;
    const struct bp_write_args args = args_of("a b", 5);
    az_start(steps, "tier", "cool", NULL);
    ASSERT_OK(az_write(&args, "hello", 5, 0, &meta));
    ck_assert_uint_eq(meta.size, 5);
    ck_assert_str_eq(meta.etag, "0x8D1");
    ck_assert_uint_eq(meta.checksum.kind, BP_CHECKSUM_MD5);
    ASSERT_SENT(0, "PUT /acct/box/p/a%20b HTTP/1.1\r\n", "x-ms-blob-type: BlockBlob\r\n",
                "Content-Length: 5\r\n", MD5_HEADER, "x-ms-access-tier: Cool\r\n", "\r\n\r\nhello",
                NULL);
}
END_TEST

START_TEST(test_write__streamed_holds_the_last_byte_back)
{
    struct bp_writer *writer;
    const struct bp_httpd_step steps[] = {AZ_STEP(AZ_CREATED(AZ_ETAG MD5_HEADER))};
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    const struct bp_write_args args = args_of("k", 5);
    az_start(steps, NULL);
    ASSERT_OK(az_ops->write_open(az_store, &bp_fake.op, &args, &writer, &az_error));
    ASSERT_OK(az_ops->write(writer, &bp_fake.op, "hel", 3, &az_error));
    ASSERT_OK(az_ops->write(writer, &bp_fake.op, "lo", 2, &az_error));
    ASSERT_OK(az_ops->write_commit(writer, &bp_fake.op, &meta, &az_error));
    ck_assert_uint_eq(meta.size, 5);
    ASSERT_SENT(0, "PUT /acct/box/p/k HTTP/1.1\r\n", "Content-Length: 5\r\n", "\r\n\r\nhello",
                NULL);
    ck_assert_ptr_null(strstr(az_request(0), "Content-MD5"));
}
END_TEST

START_TEST(test_write__aborted_never_sends_the_last_byte)
{
    struct bp_writer *writer;
    const struct bp_httpd_step steps[] = {AZ_STEP(AZ_CREATED(""))};
    const struct bp_write_args args = args_of("k", 5);
    az_start(steps, NULL);
    ASSERT_OK(az_ops->write_open(az_store, &bp_fake.op, &args, &writer, &az_error));
    ASSERT_OK(az_ops->write(writer, &bp_fake.op, "hel", 3, &az_error));
    ASSERT_OK(az_ops->write(writer, &bp_fake.op, "lo", 2, &az_error));
    az_ops->write_abort(writer, &bp_fake.op);
    ck_assert_ptr_null(strstr(az_request(0), "hello"));
}
END_TEST

START_TEST(test_write__empty)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(AZ_CREATED(AZ_ETAG))};
    struct bp_object_meta meta;
    const struct bp_write_args args = args_of("k", 0);
    az_start(steps, NULL);
    ASSERT_OK(az_write(&args, "", 0, 0, &meta));
    ck_assert_uint_eq(meta.size, 0);
    ASSERT_SENT(0, "PUT ", "Content-Length: 0\r\n", "Content-MD5: 1B2M2Y8AsgTpgAmY7PhCfg==\r\n",
                NULL);
}
END_TEST

START_TEST(test_write__exclusive)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(AZ_REFUSED("409 exists", "BlobAlreadyExists",
                                                             "The specified blob already exists.")),
                                          AZ_STEP(AZ_REFUSED("412 no", "ConditionNotMet", "no"))};
    struct bp_write_args args = args_of("k", 5);
    args.flags = BP_WRITE_IF_NONE_MATCH | BP_WRITE_DURABLE;
    az_start(steps, NULL);
    ASSERT_FAILED(az_write(&args, "hello", 5, 0, NULL), BP_ERR_EXISTS, "BlobAlreadyExists");
    ASSERT_FAILED(az_write(&args, "hello", 5, 0, NULL), BP_ERR_EXISTS, "ConditionNotMet");
    ASSERT_SENT(0, "PUT ", "If-None-Match: *\r\n", NULL);
}
END_TEST

START_TEST(test_write__only_over_a_version)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(AZ_CREATED(AZ_ETAG))};
    struct bp_write_args args = args_of("k", 5);
    args.if_match = "0x8D0";
    az_start(steps, NULL);
    ASSERT_OK(az_write(&args, "hello", 5, 0, NULL));
    ASSERT_SENT(0, "PUT ", "If-Match: \"0x8D0\"\r\n", NULL);
}
END_TEST

START_TEST(test_write__lost_answer_is_unknown)
{
    const struct bp_httpd_step steps[] = {{.manner = BP_HTTPD_RESET},
                                          AZ_STEP(AZ_REFUSED("500 e", "InternalError", "e"))};
    const struct bp_write_args args = args_of("k", 5);
    az_start(steps, NULL);
    ASSERT_FAILED(az_write(&args, "hello", 5, 0, NULL), BP_ERR_RETRYABLE, "");
    ck_assert((az_error.flags & BP_ERROR_OUTCOME_UNKNOWN) != 0);
    ASSERT_FAILED(az_write(&args, "hello", 5, 0, NULL), BP_ERR_RETRYABLE, "InternalError");
    ck_assert((az_error.flags & BP_ERROR_OUTCOME_UNKNOWN) != 0);
}
END_TEST

/* The server dies with each request that comes over the connection of the one before. */
static const struct bp_httpd_step dead_when_kept[] = {
    {BP_HTTPD_KEEP, .reply = AZ_KEPT}, {.manner = BP_HTTPD_RESET}, AZ_STEP(AZ_CREATED(AZ_ETAG))};

START_TEST(test_write__dead_connection_costs_nothing)
{
    const struct bp_write_args args = args_of("k", 5);
    az_start(dead_when_kept, NULL);
    ASSERT_OK(az_remove("other"));
    ASSERT_OK(az_write(&args, "hello", 5, 0, NULL));
    ck_assert_uint_eq(az_requests(), 3);
}
END_TEST

START_TEST(test_write__conditional_is_never_sent_twice)
{
    for (int i = 0; i < 2; i++) {
        struct bp_write_args args = args_of("k", 5);
        args.flags = i == 0 ? BP_WRITE_IF_NONE_MATCH : 0;
        args.if_match = i == 0 ? NULL : "0x8D0";
        az_start(dead_when_kept, NULL);
        ASSERT_OK(az_remove("other"));
        ASSERT_FAILED(az_write(&args, "hello", 5, 0, NULL), BP_ERR_RETRYABLE, "PUT http://");
        ck_assert((az_error.flags & BP_ERROR_OUTCOME_UNKNOWN) != 0);
        ck_assert_uint_eq(az_requests(), 2);
        az_end();
    }
}
END_TEST

START_TEST(test_write__conditional_list_is_never_sent_twice)
{
    const struct bp_httpd_step steps[] = {{BP_HTTPD_KEEP, .reply = AZ_KEPT, .times = 3},
                                          {.manner = BP_HTTPD_RESET},
                                          AZ_STEP(AZ_CREATED(AZ_ETAG))};
    struct bp_write_args args = args_of("k", 150000);
    args.flags = BP_WRITE_IF_NONE_MATCH;
    az_start(steps, "put_size", "0", "block_size", "65536", NULL);
    ASSERT_FAILED(az_write(&args, big, 150000, 0, NULL), BP_ERR_RETRYABLE, "PUT http://");
    ck_assert((az_error.flags & BP_ERROR_OUTCOME_UNKNOWN) != 0);
    ASSERT_SENT(3, "PUT /acct/box/p/k?comp=blocklist HTTP/1.1\r\n", "If-None-Match: *\r\n", NULL);
    ck_assert_uint_eq(az_requests(), 4);
}
END_TEST

START_TEST(test_write__other_md5_is_removed_again)
{
    const struct bp_httpd_step steps[] = {
        AZ_STEP(AZ_CREATED(AZ_ETAG "Content-MD5: 1B2M2Y8AsgTpgAmY7PhCfg==\r\n")),
        AZ_STEP(AZ_ANSWER("202 Accepted", "Content-Length: 0\r\n", ""))};
    const struct bp_write_args args = args_of("k", 5);
    az_start(steps, NULL);
    ASSERT_FAILED(az_write(&args, "hello", 5, 2, NULL), BP_ERR_CORRUPT, "changed on their way");
    ASSERT_SENT(1, "DELETE /acct/box/p/k HTTP/1.1\r\n", "If-Match: \"0x8D1\"\r\n", NULL);
}
END_TEST

START_TEST(test_write__wanted_checksum)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(AZ_CREATED(AZ_ETAG))};
    struct bp_object_meta meta;
    struct bp_write_args args = args_of("k", 5);
    args.checksum.kind = BP_CHECKSUM_MD5;
    memcpy(args.checksum.value, "\x5D\x41\x40\x2A\xBC\x4B\x2A\x76\xB9\x71\x9D\x91\x10\x17\xC5\x92",
           16);
    az_start(steps, NULL);
    ASSERT_OK(az_write(&args, "hello", 5, 2, &meta));
    ck_assert_uint_eq(meta.checksum.by, BP_CHECKSUM_BY_PLUGIN);
    ASSERT_FAILED(az_write(&args, "hallo", 5, 0, NULL), BP_ERR_CORRUPT,
                  "does not have the announced md5 checksum");
    ASSERT_SENT(0, "PUT ", MD5_HEADER, NULL);
    ck_assert_uint_eq(az_requests(), 1);
}
END_TEST

START_TEST(test_write__refused_before_any_byte)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(AZ_CREATED(""))};
    static const char *const keys[][2] = {{"a\\b", "which Azure takes for '/'"},
                                          {"a./b", "ends in '.', which Azure drops"},
                                          {"a/b.", "ends in '.', which Azure drops"},
                                          {"a\xEF\xBF\xBF", "U+FFFE or U+FFFF"}};
    az_start(steps, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        const struct bp_write_args args = args_of(keys[i][0], 5);
        ASSERT_FAILED(az_write(&args, "hello", 5, 0, NULL), BP_ERR_INVALID, keys[i][1]);
    }
    char deep[2 * 254]; /* as many parts as there may be, without the prefix */
    for (size_t i = 0; i < sizeof(deep); i += 2) {
        deep[i] = 'a';
        deep[i + 1] = i + 2 < sizeof(deep) ? '/' : '\0';
    }
    struct bp_write_args args = args_of(deep, 5);
    ASSERT_FAILED(az_write(&args, "hello", 5, 0, NULL), BP_ERR_INVALID,
                  "has more than 254 parts with the prefix");
    args = args_of("k", 5);
    args.flags = BP_WRITE_IF_NONE_MATCH;
    args.if_match = "0x8D1";
    ASSERT_FAILED(az_write(&args, "hello", 5, 0, NULL), BP_ERR_INVALID, "exclude each other");
    args = args_of("k", 5);
    args.flags = 64;
    ASSERT_FAILED(az_write(&args, "hello", 5, 0, NULL), BP_ERR_INVALID, "unknown flags");
    args = args_of("k", 5);
    args.checksum.kind = BP_CHECKSUM_CRC32C;
    ASSERT_FAILED(az_write(&args, "hello", 5, 0, NULL), BP_ERR_UNSUPPORTED, "not computed");
    args = args_of("k", 4);
    ASSERT_FAILED(az_write(&args, "hello", 5, 0, NULL), BP_ERR_INVALID, "more than the announced");
    ck_assert_uint_eq(az_requests(), 0);
}
END_TEST

START_TEST(test_write__fewer_bytes_than_announced)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(AZ_CREATED(""))};
    const struct bp_write_args args = args_of("k", 6);
    az_start(steps, NULL);
    ASSERT_FAILED(az_write(&args, "hello", 5, 0, NULL), BP_ERR_INVALID,
                  "6 bytes were announced, 5 written");
}
END_TEST

/* blockid="…" of the i-th request, decoded. */
static char *
block_of(size_t i)
{
    gsize n;
    const char *start = strstr(az_request(i), "blockid=");
    ck_assert_ptr_nonnull(start);
    g_autofree char *id = g_strndup(start + 8, strcspn(start + 8, " &"));
    g_autofree char *base64 = g_uri_unescape_string(id, NULL);
    g_autofree guchar *raw = g_base64_decode(base64, &n);
    return g_strndup((char *)raw, n);
}

START_TEST(test_write__blocks_of_a_large_object)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(AZ_CREATED("")), AZ_STEP(AZ_CREATED("")),
                                          AZ_STEP(AZ_CREATED("")), AZ_STEP(AZ_CREATED(AZ_ETAG))};
    struct bp_object_meta meta;
    struct bp_write_args args = args_of("k", 150000);
    args.flags = BP_WRITE_IF_NONE_MATCH;
    az_start(steps, "put_size", "0", "block_size", "2000", NULL);
    memset(big, 'x', sizeof(big));
    ASSERT_OK(az_write(&args, big, 150000, 70000, &meta));
    ck_assert_uint_eq(meta.size, 150000);
    ck_assert_str_eq(meta.etag, "0x8D1");
    g_autofree char *first = block_of(0), *second = block_of(1), *third = block_of(2);
    ck_assert_uint_eq(strlen(first), 40);
    ck_assert_int_eq(strncmp(first, second, 36), 0); /* one writer, one attempt */
    ck_assert_str_eq(first + 36, "0000");
    ck_assert_str_eq(second + 36, "0001");
    ck_assert_str_eq(third + 36, "0002");
    g_autofree char *base64 = g_base64_encode((guchar *)third, 40);
    g_autofree char *latest = g_strdup_printf("<Latest>%s</Latest></BlockList>", base64);
    ASSERT_SENT(3, "PUT /acct/box/p/k?comp=blocklist HTTP/1.1\r\n", "If-None-Match: *\r\n", latest,
                NULL);
    ASSERT_SENT(0, "PUT /acct/box/p/k?comp=block&blockid=", "Content-MD5: ",
                "Content-Length: 65536\r\n", NULL);
}
END_TEST

START_TEST(test_write__unknown_size_in_one_buffer)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(AZ_CREATED(AZ_ETAG))};
    struct bp_object_meta meta;
    const struct bp_write_args args = args_of("k", BP_UNKNOWN);
    az_start(steps, NULL);
    ASSERT_OK(az_write(&args, "hello", 5, 2, &meta));
    ck_assert_uint_eq(meta.size, 5);
    ASSERT_SENT(0, "PUT /acct/box/p/k HTTP/1.1\r\n", MD5_HEADER, "\r\n\r\nhello", NULL);
}
END_TEST

START_TEST(test_write__unknown_size_of_nothing)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(AZ_CREATED(AZ_ETAG))};
    const struct bp_write_args args = args_of("k", BP_UNKNOWN);
    az_start(steps, NULL);
    ASSERT_OK(az_write(&args, "", 0, 0, NULL));
    ASSERT_SENT(0, "PUT ", "Content-Length: 0\r\n", NULL);
}
END_TEST

START_TEST(test_write__no_memory_for_a_block)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(AZ_CREATED(""))};
    const struct bp_write_args args = args_of("k", BP_UNKNOWN);
    az_start(steps, NULL);
    atomic_store(&bp_fake.fail_alloc, 1);
    ASSERT_FAILED(az_write(&args, "hello", 5, 0, NULL), BP_ERR_NOMEM, "no memory for a block");
}
END_TEST

START_TEST(test_remove__missing_is_fine)
{
    const struct bp_httpd_step steps[] = {
        AZ_STEP(AZ_ANSWER("202 Accepted", "Content-Length: 0\r\n", "")),
        AZ_STEP(AZ_REFUSED("404 no", "BlobNotFound", "no")),
        AZ_STEP(AZ_REFUSED("404 no", "ContainerNotFound", "no")),
        AZ_STEP(AZ_REFUSED("409 no", "SnapshotsPresent", "no"))};
    az_start(steps, NULL);
    ASSERT_OK(az_remove("k"));
    ASSERT_OK(az_remove("k"));
    ASSERT_FAILED(az_remove("k"), BP_ERR_NOT_FOUND, "ContainerNotFound");
    ASSERT_FAILED(az_remove("k"), BP_ERR_DENIED, "delete them first");
    ASSERT_SENT(0, "DELETE /acct/box/p/k HTTP/1.1\r\n", NULL);
}
END_TEST

START_TEST(test_remove__version_of_what_is_missing)
{
    const struct bp_httpd_step steps[] = {
        AZ_STEP(AZ_REFUSED("412 no", "ConditionNotMet", "no")),
        AZ_STEP(AZ_ANSWER("404 no", "x-ms-error-code: BlobNotFound\r\n", "")),
        AZ_STEP(AZ_REFUSED("412 no", "ConditionNotMet", "no")), AZ_STEP(AZ_HEAD("5", ""))};
    az_start(steps, NULL);
    ASSERT_OK(az_ops->remove(az_store, &bp_fake.op, "k", "0x8D0", &az_error));
    ASSERT_FAILED(az_ops->remove(az_store, &bp_fake.op, "k", "0x8D0", &az_error), BP_ERR_EXISTS,
                  "ConditionNotMet");
    ASSERT_SENT(0, "DELETE /acct/box/p/k HTTP/1.1\r\n", "If-Match: \"0x8D0\"\r\n", NULL);
}
END_TEST

AZ_MAIN("azure write", test_write__small_goes_at_the_commit,
        test_write__streamed_holds_the_last_byte_back,
        test_write__aborted_never_sends_the_last_byte, test_write__empty, test_write__exclusive,
        test_write__only_over_a_version, test_write__lost_answer_is_unknown,
        test_write__dead_connection_costs_nothing, test_write__conditional_is_never_sent_twice,
        test_write__conditional_list_is_never_sent_twice, test_write__other_md5_is_removed_again,
        test_write__wanted_checksum, test_write__refused_before_any_byte,
        test_write__fewer_bytes_than_announced, test_write__blocks_of_a_large_object,
        test_write__unknown_size_in_one_buffer, test_write__unknown_size_of_nothing,
        test_write__no_memory_for_a_block, test_remove__missing_is_fine,
        test_remove__version_of_what_is_missing)
