/* SPDX-License-Identifier: Apache-2.0
 *
 * Uploads in parts, streamed and from server to server.
 */
#include "sdk/lib/errors.h"
#include "tests/unit/plugins/storage-azure/azure_test.h"

static char upload[64];

static int32_t
take_id(void *ctx, const char *text)
{
    (void)ctx;
    g_strlcpy(upload, text, sizeof(upload));
    return 0;
}

static bp_status
begin(uint64_t size)
{
    const struct bp_text_sink sink = {.struct_size = sizeof(sink), .text = take_id};
    const struct bp_write_args args = {.struct_size = sizeof(args), .key = "k", .size = size};
    bp_error_init(&az_error);
    return az_ops->part_begin(az_store, &bp_fake.op, &args, &sink, &az_error);
}

static struct bp_part_args
part_args(uint32_t number, uint64_t size)
{
    return (struct bp_part_args){.struct_size = sizeof(struct bp_part_args),
                                 .key = "k",
                                 .upload = upload,
                                 .number = number,
                                 .size = size};
}

static bp_status
put_part(const struct bp_part_args *args, const char *bytes, struct bp_object_meta *meta)
{
    struct bp_writer *writer;
    meta->struct_size = sizeof(*meta);
    bp_error_init(&az_error);
    bp_status status = az_ops->part_open(az_store, &bp_fake.op, args, &writer, &az_error);
    if (status == BP_OK) {
        status = az_ops->write(writer, &bp_fake.op, bytes, args->size, &az_error);
        ck_assert_int_eq(status, BP_OK);
        status = az_ops->write_commit(writer, &bp_fake.op, meta, &az_error);
    }
    return status;
}

static bp_status
complete(const struct bp_part *parts, uint32_t n, uint64_t size, struct bp_object_meta *meta)
{
    const struct bp_complete_args args = {.struct_size = sizeof(args),
                                          .key = "k",
                                          .upload = upload,
                                          .size = size,
                                          .parts = parts,
                                          .part_stride = sizeof(*parts),
                                          .n_parts = n};
    meta->struct_size = sizeof(*meta);
    bp_error_init(&az_error);
    return az_ops->part_complete(az_store, &bp_fake.op, &args, meta, &az_error);
}

START_TEST(test_parts__out_of_order_put_together_in_order)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(AZ_CREATED("")), AZ_STEP(AZ_CREATED("")),
                                          AZ_STEP(AZ_CREATED(AZ_ETAG))};
    struct bp_object_meta first, second, whole;
    az_start(steps, NULL);
    ASSERT_OK(begin(8));
    struct bp_part_args args = part_args(2, 3);
    ASSERT_OK(put_part(&args, "lo!", &second));
    args = part_args(1, 5);
    ASSERT_OK(put_part(&args, "hello", &first));
    const struct bp_part parts[] = {{1, 0, first.etag}, {2, 0, second.etag}};
    ASSERT_OK(complete(parts, 2, 8, &whole));
    ck_assert_uint_eq(whole.size, 8);
    ck_assert_str_eq(whole.etag, "0x8D1");

    /* The list names the second request's block first. */
    const char *id_at = strstr(az_request(1), "blockid=") + strlen("blockid=");
    g_autofree char *escaped = g_strndup(id_at, strcspn(id_at, " &"));
    g_autofree char *id = g_uri_unescape_string(escaped, NULL);
    g_autofree char *latest = g_strdup_printf("<BlockList><Latest>%s</Latest><Latest>", id);
    ASSERT_SENT(2, "PUT /acct/box/p/k?comp=blocklist ", latest, NULL);
    ASSERT_SENT(0, "PUT /acct/box/p/k?comp=block&blockid=", "\r\n\r\nlo!", NULL);
}
END_TEST

START_TEST(test_parts__an_attempt_has_ids_of_its_own)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(AZ_CREATED("")), AZ_STEP(AZ_CREATED(""))};
    struct bp_object_meta first, second;
    az_start(steps, NULL);
    ASSERT_OK(begin(5));
    const struct bp_part_args args = part_args(1, 5);
    ASSERT_OK(put_part(&args, "hello", &first));
    ASSERT_OK(put_part(&args, "hello", &second));
    ck_assert_str_ne(first.etag, second.etag);
}
END_TEST

START_TEST(test_parts__large_part_is_many_blocks)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(AZ_CREATED("")), AZ_STEP(AZ_CREATED("")),
                                          AZ_STEP(AZ_CREATED(AZ_ETAG))};
    static char bytes[100000];
    struct bp_object_meta part, whole;
    az_start(steps, "block_size", "65536", NULL);
    ASSERT_OK(begin(sizeof(bytes)));
    const struct bp_part_args args = part_args(1, sizeof(bytes));
    memset(bytes, 'x', sizeof(bytes));
    ASSERT_OK(put_part(&args, bytes, &part));
    const struct bp_part parts[] = {{1, 0, part.etag}};
    ASSERT_OK(complete(parts, 1, sizeof(bytes), &whole));
    ASSERT_SENT(0, "PUT ", "Content-Length: 65536\r\n", NULL);
    ASSERT_SENT(1, "PUT ", "Content-Length: 34464\r\n", NULL);
}
END_TEST

START_TEST(test_parts__refused_without_a_request)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(AZ_CREATED(""))};
    struct bp_object_meta meta;
    az_start(steps, NULL);
    ASSERT_OK(begin(5));
    struct bp_part_args args = part_args(0, 5);
    ASSERT_FAILED(put_part(&args, "hello", &meta), BP_ERR_INVALID, "part 0 has no valid number");
    args = part_args(9001, 5);
    ASSERT_FAILED(put_part(&args, "hello", &meta), BP_ERR_INVALID, "part 9001 has no valid number");
    args = part_args(1, 5);
    args.upload = "somebody else's";
    ASSERT_FAILED(put_part(&args, "hello", &meta), BP_ERR_NOT_FOUND, "there is no upload");
    static const char *const etags[] = {
        "", "0x8D1", "1-2-3", "00000a-1-5-x", "00000a-1-5-wz", "00000a-c351-5-w"};
    for (size_t i = 0; i < G_N_ELEMENTS(etags); i++) {
        const struct bp_part part = {1, 0, etags[i]};
        ASSERT_FAILED(complete(&part, 1, 5, &meta), BP_ERR_INVALID, "not one of ours");
    }
    const struct bp_part swapped[] = {{2, 0, "00000a-1-5-w"}, {1, 0, "00000a-1-5-w"}};
    ASSERT_FAILED(complete(swapped, 2, 10, &meta), BP_ERR_INVALID, "part 1 is out of order");
    const struct bp_part one = {1, 0, "00000a-1-5-w"};
    ASSERT_FAILED(complete(&one, 1, 6, &meta), BP_ERR_INVALID, "5 bytes together, not 6");
    ck_assert_uint_eq(az_requests(), 0);
}
END_TEST

/* That all parts will be copied is a word of part_begin; it changes nothing here. */
START_TEST(test_parts__flag_of_the_beginning)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(AZ_CREATED(""))};
    const struct bp_text_sink sink = {.struct_size = sizeof(sink), .text = take_id};
    const struct bp_write_args args = {
        .struct_size = sizeof(args), .flags = BP_WRITE_PARTS_COPIED, .key = "k", .size = 5};
    struct bp_writer *writer;
    az_start(steps, NULL);
    bp_error_init(&az_error);
    ASSERT_OK(az_ops->part_begin(az_store, &bp_fake.op, &args, &sink, &az_error));
    ASSERT_FAILED(az_ops->write_open(az_store, &bp_fake.op, &args, &writer, &az_error),
                  BP_ERR_INVALID, "unknown flags");
    struct bp_part_args part = part_args(1, 5);
    part.flags = BP_WRITE_PARTS_COPIED;
    ASSERT_FAILED(az_ops->part_open(az_store, &bp_fake.op, &part, &writer, &az_error),
                  BP_ERR_INVALID, "unknown flags");
    ck_assert_uint_eq(az_requests(), 0);
}
END_TEST

START_TEST(test_parts__blocks_gone_meanwhile)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(AZ_REFUSED("400 no", "InvalidBlockList", "no"))};
    struct bp_object_meta meta;
    az_start(steps, NULL);
    ASSERT_OK(begin(5));
    const struct bp_part one = {1, 0, "00000a-1-5-w"};
    ASSERT_FAILED(complete(&one, 1, 5, &meta), BP_ERR_NOT_FOUND, "its uploaded blocks are gone");
}
END_TEST

START_TEST(test_part_copy__range_of_a_version)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(AZ_CREATED("")), AZ_STEP(AZ_CREATED(AZ_ETAG)),
                                          AZ_STEP(AZ_HEAD("5", ""))};
    struct bp_object_meta part = {.struct_size = sizeof(part)}, whole;
    az_start(steps, NULL);
    ASSERT_OK(begin(5));
    struct bp_part_args args = part_args(1, 5);
    args.offset = 100;
    args.src = az_store;
    args.src_key = "s";
    args.src_if_match = "0x8D7";
    ASSERT_OK(az_ops->part_copy(az_store, &bp_fake.op, &args, &part, &az_error));
    const struct bp_part parts[] = {{1, 0, part.etag}};
    ASSERT_OK(complete(parts, 1, 5, &whole));
    ck_assert_uint_eq(whole.size, 5);
    ASSERT_SENT(
        0, "PUT /acct/box/p/k?comp=block&blockid=", "x-ms-source-range: bytes=100-104\r\n",
        "x-ms-source-if-match: \"0x8D7\"\r\n", "Content-Length: 0\r\n",
        "x-ms-copy-source: http://127.0.0.1:", "/acct/box/p/s?sv=2021-12-02&sr=b&sp=r&st=", NULL);
    ASSERT_SENT(2, "HEAD ", NULL); /* what went from server to server is looked at */
}
END_TEST

START_TEST(test_part_copy__source_cannot_be_verified)
{
    const struct bp_httpd_step steps[] = {
        AZ_STEP(AZ_REFUSED("403 no", "CannotVerifyCopySource", "no")),
        AZ_STEP(AZ_REFUSED("401 no", "CannotVerifyCopySource", "no")),
        AZ_STEP(AZ_REFUSED("501 no", "NotImplemented", "no")),
        AZ_STEP(AZ_REFUSED("412 no", "CannotVerifyCopySource", "no")),
        AZ_STEP(AZ_REFUSED("404 no", "CannotVerifyCopySource", "no"))};
    static const bp_status classes[] = {BP_ERR_UNSUPPORTED, BP_ERR_UNSUPPORTED, BP_ERR_UNSUPPORTED,
                                        BP_ERR_EXISTS, BP_ERR_NOT_FOUND};
    struct bp_object_meta part = {.struct_size = sizeof(part)};
    az_start(steps, NULL);
    ASSERT_OK(begin(5));
    struct bp_part_args args = part_args(1, 5);
    args.src = az_store;
    args.src_key = "s";
    for (size_t i = 0; i < G_N_ELEMENTS(classes); i++) {
        bp_error_init(&az_error);
        ASSERT_FAILED(az_ops->part_copy(az_store, &bp_fake.op, &args, &part, &az_error), classes[i],
                      "object k: cannot copy a block to it");
    }
}
END_TEST

AZ_MAIN("azure parts", test_parts__out_of_order_put_together_in_order,
        test_parts__an_attempt_has_ids_of_its_own, test_parts__large_part_is_many_blocks,
        test_parts__refused_without_a_request, test_parts__flag_of_the_beginning,
        test_parts__blocks_gone_meanwhile, test_part_copy__range_of_a_version,
        test_part_copy__source_cannot_be_verified)
