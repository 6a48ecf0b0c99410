/* SPDX-License-Identifier: Apache-2.0
 *
 * Finding and ending unfinished uploads.
 */
#include "sdk/lib/errors.h"
#include "tests/unit/plugins/storage-azure/azure_test.h"

#define OURS "6553f100aaaaaaaaaaaaaaaa" /* 2023-11-14 22:13:20 */
#define OURS_NS INT64_C(1700000000000000000)
/* Base64 of OURS and 16 digits, and of another upload's, and another program's. */
#define BLOCK(id) "<Block><Name>" id "</Name><Size>4</Size></Block>"
#define OUR_BLOCK BLOCK("NjU1M2YxMDBhYWFhYWFhYWFhYWFhYWFhMDAwMDAxMDAwMDBhMDAwMA==")
#define OUR_SECOND BLOCK("NjU1M2YxMDBhYWFhYWFhYWFhYWFhYWFhMDAwMDAxMDAwMDBhMDAwMQ==")
#define FOREIGN BLOCK("YmxvY2sx")
#define BLOCKS(blocks)                                                                          \
    AZ_OK("", "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList><UncommittedBlocks>" blocks \
              "</UncommittedBlocks></BlockList>")
#define DONE AZ_ANSWER("202 Accepted", "Content-Length: 0\r\n", "")
#define LISTING(blobs) \
    AZ_OK("", "<EnumerationResults><Blobs>" blobs "</Blobs><NextMarker/></EnumerationResults>")
#define BLOB(name, size)                                                               \
    "<Blob><Name>" name "</Name><Properties><Content-Length>" size "</Content-Length>" \
    "</Properties></Blob>"

static bp_status
abort_it(const char *upload)
{
    bp_error_init(&az_error);
    return az_ops->part_abort(az_store, &bp_fake.op, "k", upload, &az_error);
}

START_TEST(test_abort__empty_object_comes_and_goes)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(BLOCKS(OUR_BLOCK OUR_SECOND)),
                                          AZ_STEP(AZ_CREATED(AZ_ETAG)), AZ_STEP(DONE)};
    az_start(steps, NULL);
    ASSERT_OK(abort_it(OURS "-1"));
    ASSERT_SENT(0, "GET /acct/box/p/k?comp=blocklist&blocklisttype=uncommitted ", NULL);
    ASSERT_SENT(1, "PUT /acct/box/p/k?comp=blocklist ", "If-None-Match: *\r\n",
                "<BlockList></BlockList>", NULL);
    ASSERT_SENT(2, "DELETE /acct/box/p/k ", "If-Match: \"0x8D1\"\r\n", NULL);
}
END_TEST

START_TEST(test_abort__object_that_exists_is_spared)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(BLOCKS(OUR_BLOCK)),
                                          AZ_STEP(AZ_REFUSED("409 no", "BlobAlreadyExists", "no"))};
    az_start(steps, NULL);
    ASSERT_OK(abort_it(OURS));
    ck_assert_uint_eq(az_requests(), 2);
}
END_TEST

START_TEST(test_abort__blocks_of_others_are_spared)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(BLOCKS(OUR_BLOCK FOREIGN))};
    az_start(steps, NULL);
    ASSERT_OK(abort_it(OURS));
    ck_assert_uint_eq(az_requests(), 1);
}
END_TEST

START_TEST(test_abort__nothing_left)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(AZ_REFUSED("404 no", "BlobNotFound", "no")),
                                          AZ_STEP(BLOCKS(""))};
    az_start(steps, NULL);
    ASSERT_OK(abort_it(OURS));
    ASSERT_OK(abort_it(OURS));
    ASSERT_OK(abort_it("no id of ours"));
    ck_assert_uint_eq(az_requests(), 2);
}
END_TEST

static GString *found;

static int32_t
take_upload(void *ctx, const char *key, const char *extra, int64_t started_ns,
            const struct bp_error *error)
{
    (void)ctx;
    g_string_append_printf(found, "%s %s %d %s;", key, extra, started_ns == OURS_NS,
                           error == NULL ? "" : error->message);
    return 0;
}

static const struct bp_key_sink sink = {.struct_size = sizeof(sink), .key = take_upload};

START_TEST(test_list__only_ours)
{
    const struct bp_httpd_step steps[] = {
        AZ_STEP(LISTING(BLOB("p/d/k", "0") BLOB("p/d/full", "7") BLOB("p/d/other", "")
                            BLOB("p/d/empty", "0"))),
        AZ_STEP(BLOCKS(OUR_BLOCK FOREIGN OUR_SECOND)), AZ_STEP(BLOCKS(FOREIGN)),
        AZ_STEP(AZ_REFUSED("404 no", "BlobNotFound", "no"))};
    az_start(steps, NULL);
    found = g_string_new(NULL);
    ASSERT_OK(az_ops->uploads_list(az_store, &bp_fake.op, "d/", &sink, &az_error));
    ck_assert_str_eq(found->str, "d/k " OURS " 1 ;");
    ASSERT_SENT(0,
                "GET /acct/box?restype=container&comp=list&maxresults=5000&prefix=p%2Fd%2F"
                "&include=uncommittedblobs ",
                NULL);
    ASSERT_SENT(1, "GET /acct/box/p/d/k?comp=blocklist", NULL);
    g_string_free(found, TRUE);
}
END_TEST

/* An upload that is not seen is one that nobody ends. */
START_TEST(test_list__broken_answers)
{
    static const struct {
        const char *reply, *text;
        bp_status cls;
    } cases[] = {
        {AZ_OK("", "<html/>"), "the server's answer is no listing", BP_ERR_PERMANENT},
        {AZ_OK("", "<html>"), "the answer cannot be understood", BP_ERR_RETRYABLE},
    };
    const char *again = AZ_OK("", "<EnumerationResults><Blobs/><NextMarker>m</NextMarker>"
                                  "</EnumerationResults>");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const struct bp_httpd_step steps[] = {AZ_STEP(cases[i].reply)};
        az_start(steps, NULL);
        ASSERT_FAILED(az_ops->uploads_list(az_store, &bp_fake.op, "", &sink, &az_error),
                      cases[i].cls, cases[i].text);
        az_end();
    }
    const struct bp_httpd_step steps[] = {AZ_STEP(again), AZ_STEP(again)};
    az_start(steps, NULL);
    ASSERT_FAILED(az_ops->uploads_list(az_store, &bp_fake.op, "", &sink, &az_error),
                  BP_ERR_PERMANENT, "the server lists it in circles");
}
END_TEST

START_TEST(test_abort_many__those_that_are_old)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(LISTING(BLOB("p/k", "0"))),
                                          AZ_STEP(BLOCKS(OUR_BLOCK)),
                                          AZ_STEP(LISTING(BLOB("p/k", "0"))),
                                          AZ_STEP(BLOCKS(OUR_BLOCK)),
                                          AZ_STEP(BLOCKS(OUR_BLOCK)),
                                          AZ_STEP(AZ_CREATED(AZ_ETAG)),
                                          AZ_STEP(DONE)};
    az_start(steps, NULL);
    found = g_string_new(NULL);
    ASSERT_OK(az_ops->uploads_abort(az_store, &bp_fake.op, "", OURS_NS, &sink, &az_error));
    ck_assert_str_eq(found->str, "");
    ASSERT_OK(az_ops->uploads_abort(az_store, &bp_fake.op, "", INT64_MAX, &sink, &az_error));
    ck_assert_str_eq(found->str, "k " OURS " 1 ;");
    ck_assert_uint_eq(az_requests(), 7);
    g_string_free(found, TRUE);
}
END_TEST

AZ_MAIN("azure uploads", test_abort__empty_object_comes_and_goes,
        test_abort__object_that_exists_is_spared, test_abort__blocks_of_others_are_spared,
        test_abort__nothing_left, test_list__only_ours, test_list__broken_answers,
        test_abort_many__those_that_are_old)
