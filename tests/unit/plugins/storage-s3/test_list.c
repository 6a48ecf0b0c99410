/* SPDX-License-Identifier: Apache-2.0
 *
 * storage-s3: listing.
 */
#include "plugins/storage-s3/list.h"

#include "tests/unit/plugins/storage-s3/s3_test.h"

#define PAGE(inside)                                                                  \
    st_answer(200, "",                                                                \
              "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3/\">" inside \
              "</ListBucketResult>")
#define KEY(name)                                                                 \
    "<Contents><Key>" name "</Key><Size>3</Size><ETag>\"e\"</ETag><LastModified>" \
    "2009-10-12T17:50:30.000Z</LastModified></Contents>"

START_TEST(test_list__pages_by_token)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {
        {.reply = PAGE("<IsTruncated>true</IsTruncated><NextContinuationToken>a/b+c="
                       "</NextContinuationToken><EncodingType>url</EncodingType>" KEY("p/a%2Bb")
                           KEY("p/c+d"))},
        {.reply = PAGE("<IsTruncated>false</IsTruncated>" KEY("p/z"))}};
    st_begin(&script, steps, "prefix", "p");
    g_autofree char *list = st_list(script.store, "", 0, 2, NULL);
    ck_assert_msg(list != NULL, "%s", st_error.message);
    ck_assert_str_eq(list, "a+b c d z ");
    ck_assert_ptr_nonnull(strstr(st_request(&script, 0), "GET /bkt?encoding-type=url&list-type=2&"
                                                         "max-keys=2&prefix=p%2F "));
    ck_assert_ptr_nonnull(strstr(st_request(&script, 1), "continuation-token=a%2Fb%2Bc%3D&"));
    st_end(&script);
}
END_TEST

START_TEST(test_list__groups)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {
        {.reply = PAGE(KEY("x") "<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes>"
                                "<CommonPrefixes><Prefix>b/</Prefix></CommonPrefixes>")}};
    st_begin(&script, steps);
    g_autofree char *list = st_list(script.store, "", '/', 100, NULL);
    ck_assert_str_eq(list, "x a/ b/ ");
    ck_assert_ptr_nonnull(strstr(st_request(&script, 0), "delimiter=%2F&"));
    st_end(&script);
}
END_TEST

START_TEST(test_list__names_that_are_no_keys_are_left_out)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {
        {.reply = PAGE(KEY("dir/") KEY("/rooted") KEY("a//b") KEY("fine") KEY("../up"))}};
    st_begin(&script, steps);
    g_autofree char *list = st_list(script.store, "", 0, 100, NULL);
    ck_assert_str_eq(list, "fine ");
    ck_assert_ptr_nonnull(strstr(bp_fake.last_log, "3 objects in bucket bkt are left out"));
    st_end(&script);
}
END_TEST

START_TEST(test_list__start_after)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {{.reply = PAGE("")}, {.reply = PAGE(KEY("b/x"))}};
    st_begin(&script, steps, "prefix", "");
    g_autofree char *inside = st_list(script.store, "b/", 0, 100, "b/c");
    g_autofree char *before = st_list(script.store, "b/", 0, 100, "a");
    ck_assert_str_eq(before, "b/x ");
    g_autofree char *behind = st_list(script.store, "b/", 0, 100, "c"); /* without a request */
    ck_assert_str_eq(behind, "");
    ck_assert_ptr_nonnull(strstr(st_request(&script, 0), "&start-after=b%2Fc "));
    ck_assert_ptr_null(strstr(st_request(&script, 1), "start-after"));
    st_end(&script);
}
END_TEST

START_TEST(test_list__goes_on_without_a_token)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {
        {.reply = PAGE("<IsTruncated>true</IsTruncated>" KEY("a") KEY("b"))},
        {.reply = PAGE("<IsTruncated>true</IsTruncated><CommonPrefixes><Prefix>c/</Prefix>"
                       "</CommonPrefixes>")},
        {.reply = PAGE(KEY("d"))}};
    st_begin(&script, steps);
    g_autofree char *list = st_list(script.store, "", '/', 2, NULL);
    ck_assert_str_eq(list, "a b c/ d ");
    ck_assert_ptr_nonnull(strstr(st_request(&script, 1), "&start-after=b "));
    ck_assert_ptr_nonnull(strstr(st_request(&script, 2), "&start-after=c0 "));
    st_end(&script);
}
END_TEST

/* One that takes no notice of where to go on would be listed for ever. */
START_TEST(test_list__in_circles)
{
    static const char *const pages[] = {
        "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>x"
        "</NextContinuationToken>" KEY("a") "</ListBucketResult>",
        "<ListBucketResult><IsTruncated>true</IsTruncated>" KEY("a") "</ListBucketResult>"};
    for (size_t i = 0; i < G_N_ELEMENTS(pages); i++) {
        struct st_script script;
        const struct bp_httpd_step steps[] = {{.reply = st_answer(200, "", pages[i]), .times = 3}};
        st_begin(&script, steps);
        ck_assert_ptr_null(st_list(script.store, "", 0, 1, NULL));
        ck_assert_int_eq(st_error.cls, BP_ERR_PERMANENT);
        ck_assert_str_eq(st_error.message, "the store lists bucket bkt in circles");
        st_end(&script);
    }
}
END_TEST

START_TEST(test_list__broken_answers)
{
    static const struct {
        const char *body, *text;
        bp_status cls;
    } cases[] = {
        {"", "answered a listing with nothing", BP_ERR_RETRYABLE},
        {"<ListBucketResult>", "cannot be understood", BP_ERR_RETRYABLE},
        {"<ListBucketResult><Contents><Key>k</Key></Contents></ListBucketResult>",
         "without name or size", BP_ERR_RETRYABLE},
        {"<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
         "without saying how it goes on", BP_ERR_PERMANENT},
        {"<html><body>log in first</body></html>", "answer is <html>, not a listing",
         BP_ERR_RETRYABLE},
        {"<Error><Code>SlowDown</Code></Error>", "SlowDown", BP_ERR_THROTTLED},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct st_script script;
        const struct bp_httpd_step steps[] = {{.reply = st_answer(200, "", cases[i].body)}};
        st_begin(&script, steps);
        ck_assert_ptr_null(st_list(script.store, "", 0, 100, NULL));
        ck_assert_int_eq(st_error.cls, cases[i].cls);
        ck_assert_msg(strstr(st_error.message, cases[i].text) != NULL, "%s", st_error.message);
        st_end(&script);
    }
}
END_TEST

START_TEST(test_list__missing_bucket)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {{.reply = st_refusal(404, "NoSuchBucket")}};
    st_begin(&script, steps);
    ck_assert_ptr_null(st_list(script.store, "", 0, 100, NULL));
    ck_assert_int_eq(st_error.cls, BP_ERR_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(st_error.message, "cannot list s3://bkt/ at http://127.0.0.1:"));
    ck_assert_ptr_nonnull(strstr(st_error.message, "check bucket and endpoint"));
    st_end(&script);
}
END_TEST

START_TEST(test_list__foreign_token)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {{.reply = PAGE("")}};
    const struct bp_list_args args = {.struct_size = sizeof(args), .prefix = "", .token = "x"};
    const struct bp_list_sink sink = {.struct_size = sizeof(sink)};
    st_begin(&script, steps);
    ASSERT_FAILED(st_ops->list(script.store, &bp_fake.op, &args, &sink, &st_error), BP_ERR_INVALID,
                  "not one of ours");
    st_end(&script);
}
END_TEST

static int32_t
refuse_entry(void *ctx, const char *key, const struct bp_object_meta *meta)
{
    (void)ctx;
    (void)key;
    (void)meta;
    return 1;
}

START_TEST(test_list__stopped_by_its_reader)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {{.reply = PAGE(KEY("a") KEY("b"))}};
    const struct bp_list_args args = {.struct_size = sizeof(args), .prefix = ""};
    const struct bp_list_sink sink = {.struct_size = sizeof(sink), .entry = refuse_entry};
    st_begin(&script, steps);
    ASSERT_FAILED(st_ops->list(script.store, &bp_fake.op, &args, &sink, &st_error),
                  BP_ERR_CANCELLED, "stopped by its reader");
    st_end(&script);
}
END_TEST

START_TEST(test_decode__query_form)
{
    char text[] = "a%2Fb+c%zz%";
    bp_s3_decode(text);
    ck_assert_str_eq(text, "a/b c%zz%");
}
END_TEST

ST_MAIN("storage-s3 list", test_list__pages_by_token, test_list__groups,
        test_list__names_that_are_no_keys_are_left_out, test_list__start_after,
        test_list__goes_on_without_a_token, test_list__in_circles, test_list__broken_answers,
        test_list__missing_bucket, test_list__foreign_token, test_list__stopped_by_its_reader,
        test_decode__query_form)
