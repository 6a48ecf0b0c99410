/* SPDX-License-Identifier: Apache-2.0
 *
 * Listing.
 */
#include "sdk/lib/errors.h"
#include "tests/unit/plugins/storage-azure/azure_test.h"

#define PAGE(entries, marker)                                                                \
    AZ_OK("Content-Type: application/xml\r\n",                                               \
          "\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults>"       \
          "<Prefix>p/</Prefix><Blobs>" entries "</Blobs><NextMarker>" marker "</NextMarker>" \
          "</EnumerationResults>")
#define BLOB(name, size)                                                                       \
    "<Blob><Name>" name "</Name><Properties><Last-Modified>Tue, 24 Nov 2026 10:00:00 GMT"      \
    "</Last-Modified><Etag>0x8D1</Etag><Content-Length>" size "</Content-Length><Content-MD5>" \
    "1B2M2Y8AsgTpgAmY7PhCfg==</Content-MD5><BlobType>BlockBlob</BlobType>"                     \
    "<AccessTier>Hot</AccessTier></Properties></Blob>"

struct taken {
    GString *text;
    char token[64];
    struct bp_object_meta last;
    int stop_after;
};

static int32_t
take_entry(void *ctx, const char *key, const struct bp_object_meta *meta)
{
    struct taken *taken = ctx;
    g_string_append_printf(taken->text, "%s:%d ", key, (int)meta->size);
    taken->last = *meta;
    return taken->stop_after > 0 && --taken->stop_after == 0;
}

static int32_t
take_prefix(void *ctx, const char *prefix)
{
    struct taken *taken = ctx;
    g_string_append_printf(taken->text, "%s ", prefix);
    return 0;
}

static int32_t
take_next(void *ctx, const char *token)
{
    struct taken *taken = ctx;
    g_strlcpy(taken->token, token, sizeof(taken->token));
    return 0;
}

static struct taken taken;

static bp_status
list(const struct bp_list_args *args)
{
    const struct bp_list_sink sink = {.struct_size = sizeof(sink),
                                      .ctx = &taken,
                                      .entry = take_entry,
                                      .prefix = take_prefix,
                                      .next = take_next};
    if (taken.text != NULL) {
        g_string_free(taken.text, TRUE);
    }
    taken.text = g_string_new(NULL);
    taken.token[0] = '\0';
    bp_error_init(&az_error);
    return az_ops->list(az_store, &bp_fake.op, args, &sink, &az_error);
}

START_TEST(test_list__facts_and_marker)
{
    const struct bp_httpd_step steps[] = {
        AZ_STEP(PAGE(BLOB("p/d/a &amp; b ", "3") BLOB("p/d/c", "4"), "2!88!x--"))};
    const struct bp_list_args args = {
        .struct_size = sizeof(args), .prefix = "d/", .max = 2, .token = "1 &m"};
    az_start(steps, NULL);
    ASSERT_OK(list(&args));
    ck_assert_str_eq(taken.text->str, "d/a & b :3 d/c:4 ");
    ck_assert_str_eq(taken.token, "2!88!x--");
    ck_assert_str_eq(taken.last.etag, "0x8D1");
    ck_assert_int_eq(taken.last.mtime_ns, INT64_C(1795514400000000000));
    ck_assert_str_eq(taken.last.storage_class, "Hot");
    ck_assert_uint_eq(taken.last.checksum.kind, BP_CHECKSUM_MD5);
    ASSERT_SENT(0,
                "GET /acct/box?restype=container&comp=list&maxresults=2&prefix=p%2Fd%2F"
                "&marker=1%20%26m HTTP/1.1\r\n",
                NULL);
}
END_TEST

START_TEST(test_list__groups)
{
    const struct bp_httpd_step steps[] = {
        AZ_STEP(PAGE("<BlobPrefix><Name>p/a/</Name></BlobPrefix>" BLOB("p/b", "1"), ""))};
    const struct bp_list_args args = {.struct_size = sizeof(args), .prefix = "", .delimiter = '/'};
    az_start(steps, NULL);
    ASSERT_OK(list(&args));
    ck_assert_str_eq(taken.text->str, "a/ b:1 ");
    ck_assert_str_eq(taken.token, "");
    ASSERT_SENT(0,
                "GET /acct/box?restype=container&comp=list&maxresults=5000&prefix=p%2F"
                "&delimiter=%2F HTTP/1.1\r\n",
                NULL);
}
END_TEST

START_TEST(test_list__encoded_names)
{
    const struct bp_httpd_step steps[] = {
        AZ_STEP(PAGE("<BlobPrefix><Name Encoded=\"true\">p/%EF%BF%BF%2F</Name></BlobPrefix>"
                     "<Blob><Name Encoded=\"true\">p/a%EF%BF%BEb%20%25</Name><Properties>"
                     "<Content-Length>1</Content-Length></Properties></Blob>"
                     "<Blob><Name Encoded=\"false\">p/c%20</Name><Properties>"
                     "<Content-Length>2</Content-Length></Properties></Blob>",
                     ""))};
    const struct bp_list_args args = {.struct_size = sizeof(args), .prefix = ""};
    az_start(steps, NULL);
    ASSERT_OK(list(&args));
    ck_assert_str_eq(taken.text->str, "\xEF\xBF\xBF/ a\xEF\xBF\xBE"
                                      "b %:1 c%20:2 ");
}
END_TEST

START_TEST(test_list__encoded_names_that_are_no_keys)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(
        PAGE("<Blob><Name Encoded=\"true\">p/a%00b</Name><Properties/></Blob>"
             "<Blob><Name Encoded=\"true\">p/a%1Fb</Name><Properties/></Blob>"
             "<Blob><Name Encoded=\"true\">p/a%FFb</Name><Properties/></Blob>"
             "<Blob><Name Encoded=\"true\">p/a%</Name><Properties/></Blob>" BLOB("p/d", "4"),
             ""))};
    const struct bp_list_args args = {.struct_size = sizeof(args), .prefix = ""};
    az_start(steps, NULL);
    ASSERT_OK(list(&args));
    ck_assert_str_eq(taken.text->str, "d:4 ");
}
END_TEST

START_TEST(test_list__what_is_no_key_is_left_out)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(PAGE(
        BLOB("p/a//b", "1") BLOB("p/dir/", "0") BLOB("q/x", "1") BLOB(
            "p/c", "2") "<Blob><Name>p/d</Name><Properties><ResourceType>directory</ResourceType>"
                        "</Properties></Blob>",
        ""))};
    const struct bp_list_args args = {.struct_size = sizeof(args), .prefix = ""};
    az_start(steps, NULL);
    ASSERT_OK(list(&args));
    ck_assert_str_eq(taken.text->str, "c:2 ");
    ck_assert_ptr_nonnull(strstr(bp_fake.last_log, "\"a//b\" is left out"));
}
END_TEST

START_TEST(test_list__stopped_by_its_reader)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(PAGE(BLOB("p/a", "1") BLOB("p/b", "1"), ""))};
    const struct bp_list_args args = {.struct_size = sizeof(args), .prefix = ""};
    az_start(steps, NULL);
    taken.stop_after = 1;
    ASSERT_FAILED(list(&args), BP_ERR_CANCELLED, "stopped by its reader");
    ck_assert_str_eq(taken.text->str, "a:1 ");
}
END_TEST

START_TEST(test_list__missing_container)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(AZ_REFUSED("404 no", "ContainerNotFound", "no"))};
    const struct bp_list_args args = {.struct_size = sizeof(args), .prefix = ""};
    az_start(steps, NULL);
    ASSERT_FAILED(list(&args), BP_ERR_NOT_FOUND, "container box of account acct: cannot list it");
}
END_TEST

START_TEST(test_list__container_that_will_be_made_is_empty)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(AZ_REFUSED("404 no", "ContainerNotFound", "no"))};
    const struct bp_list_args args = {.struct_size = sizeof(args), .prefix = ""};
    az_start(steps, "create_container", "true", NULL);
    ASSERT_OK(list(&args));
    ck_assert_str_eq(taken.text->str, "");
}
END_TEST

START_TEST(test_list__answer_of_something_else)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(AZ_OK("", "<html>")), AZ_STEP(AZ_OK("", "<a/>"))};
    const struct bp_list_args args = {.struct_size = sizeof(args), .prefix = ""};
    az_start(steps, NULL);
    ASSERT_FAILED(list(&args), BP_ERR_RETRYABLE,
                  "container box of account acct: cannot list it: the answer cannot be understood");
    ASSERT_FAILED(list(&args), BP_ERR_PERMANENT, "the server's answer is no listing");
}
END_TEST

START_TEST(test_list__in_circles)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(PAGE("", "m"))};
    const struct bp_list_args args = {.struct_size = sizeof(args), .prefix = "", .token = "m"};
    az_start(steps, NULL);
    ASSERT_FAILED(list(&args), BP_ERR_PERMANENT, "container box: the server lists it in circles");
}
END_TEST

START_TEST(test_list__bad_arguments)
{
    const struct bp_httpd_step steps[] = {AZ_STEP(PAGE("", ""))};
    az_start(steps, NULL);
    struct bp_list_args args = {.struct_size = sizeof(args), .prefix = "", .flags = 1};
    ASSERT_FAILED(list(&args), BP_ERR_INVALID, "unknown flags");
    args = (struct bp_list_args){.struct_size = sizeof(args), .prefix = "/x"};
    ASSERT_FAILED(list(&args), BP_ERR_INVALID, "prefix \"/x\"");
    args = (struct bp_list_args){.struct_size = sizeof(args), .prefix = "", .delimiter = ':'};
    ASSERT_FAILED(list(&args), BP_ERR_INVALID, "delimiter");
    args = (struct bp_list_args){.struct_size = sizeof(args), .prefix = "", .start_after = "a"};
    ASSERT_FAILED(list(&args), BP_ERR_UNSUPPORTED, "start_after");
    ck_assert_uint_eq(az_requests(), 0);
}
END_TEST

AZ_MAIN("azure list", test_list__facts_and_marker, test_list__groups, test_list__encoded_names,
        test_list__encoded_names_that_are_no_keys, test_list__what_is_no_key_is_left_out,
        test_list__stopped_by_its_reader, test_list__missing_container,
        test_list__container_that_will_be_made_is_empty, test_list__answer_of_something_else,
        test_list__in_circles, test_list__bad_arguments)
