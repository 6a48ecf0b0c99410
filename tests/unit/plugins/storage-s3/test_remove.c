/* SPDX-License-Identifier: Apache-2.0
 *
 * storage-s3: removing, what was left behind, trying rights.
 */
#include "tests/unit/plugins/storage-s3/s3_test.h"

START_TEST(test_remove__missing_is_fine_a_missing_bucket_is_not)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {{.reply = st_answer(204, "", "")},
                                          {.reply = st_refusal(404, "NoSuchKey")},
                                          {.reply = st_refusal(404, "NoSuchBucket")},
                                          {.reply = st_refusal(403, "AccessDenied")}};
    st_begin(&script, steps);
    ASSERT_OK(st_remove(script.store, "k"));
    ASSERT_OK(st_remove(script.store, "k"));
    ASSERT_FAILED(st_remove(script.store, "k"), BP_ERR_NOT_FOUND, "NoSuchBucket");
    ASSERT_FAILED(st_remove(script.store, "k"), BP_ERR_DENIED, "cannot remove s3://bkt/k");
    st_end(&script);
}
END_TEST

START_TEST(test_remove__version_is_looked_at_where_delete_does_not)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {{.reply = st_answer(200, "ETag: \"v2\"\r\n", "")},
                                          {.reply = st_answer(200, "ETag: \"v1\"\r\n", "")},
                                          {.reply = st_answer(204, "", "")}};
    st_begin(&script, steps);
    ASSERT_FAILED(st_ops->remove(script.store, &bp_fake.op, "k", "v1", &st_error), BP_ERR_EXISTS,
                  "its version is v2, not v1");
    ASSERT_OK(st_ops->remove(script.store, &bp_fake.op, "k", "v1", &st_error));
    ck_assert_int_eq(strncmp(st_request(&script, 2), "DELETE /bkt/k ", 14), 0);
    st_end(&script);
}
END_TEST

START_TEST(test_remove__version_goes_along_on_aws)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {{.reply = st_refusal(412, "PreconditionFailed")}};
    st_begin(&script, steps, "provider", "aws");
    ck_assert_int_eq(st_ops->remove(script.store, &bp_fake.op, "k", "v1", &st_error),
                     BP_ERR_EXISTS);
    ck_assert_ptr_nonnull(strstr(st_request(&script, 0), "If-Match: \"v1\"\r\n"));
    st_end(&script);
}
END_TEST

static const char *const keys[] = {"a&b", "c", "d", "e"};

START_TEST(test_remove_many__outcome_of_each)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {
        {.reply = st_answer(
             200, "",
             "<DeleteResult><Deleted><Key>p/a&amp;b</Key></Deleted>"
             "<Error><Key>p/c</Key><Code>AccessDenied</Code><Message>no.</Message></Error>"
             "<Error><Key>p/d</Key><Code>NoSuchKey</Code></Error>"
             "<Deleted><Key>foreign</Key></Deleted></DeleteResult>")}};
    st_begin(&script, steps, "prefix", "p");
    g_autofree char *outcome = st_remove_many(script.store, keys, 4);
    ck_assert_msg(outcome != NULL, "%s", st_error.message);
    ck_assert_str_eq(outcome, "a&b c:6 d e:3 ");
    const char *request = st_request(&script, 0);
    ck_assert_ptr_nonnull(strstr(request, "POST /bkt?delete= "));
    ck_assert_ptr_nonnull(strstr(request, "<Delete><Object><Key>p/a&amp;b</Key></Object>"));
    g_autoptr(GChecksum) md5 = g_checksum_new(G_CHECKSUM_MD5);
    g_checksum_update(md5, (const guchar *)strstr(request, "<Delete>"), -1);
    guint8 raw[16];
    gsize n = sizeof(raw);
    g_checksum_get_digest(md5, raw, &n);
    g_autofree char *base64 = g_base64_encode(raw, n);
    ck_assert_ptr_nonnull(strstr(request, base64));
    st_end(&script);
}
END_TEST

START_TEST(test_remove_many__one_by_one_where_there_is_no_other_way)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {{.reply = st_refusal(501, "NotImplemented")},
                                          {.reply = st_answer(204, "", "")},
                                          {.reply = st_refusal(403, "AccessDenied")},
                                          {.reply = st_answer(204, "", "")}};
    st_begin(&script, steps);
    g_autofree char *outcome = st_remove_many(script.store, keys, 2);
    ck_assert_msg(outcome != NULL, "%s", st_error.message);
    ck_assert_str_eq(outcome, "a&b c:6 ");
    g_autofree char *later = st_remove_many(script.store, keys, 1);
    ck_assert_str_eq(later, "a&b "); /* not tried a second time */
    st_end(&script);
}
END_TEST

/* XML cannot hold them, and a store would refuse all the others with them. */
START_TEST(test_remove_many__one_by_one_with_keys_that_are_no_xml)
{
    struct st_script script;
    static const char *const odd[] = {"a\xEF\xBF\xBE", "b\xEF\xBF\xBF"};
    const struct bp_httpd_step steps[] = {{.reply = st_answer(204, "", ""), .times = 2},
                                          {.reply = st_refusal(503, "SlowDown")}};
    st_begin(&script, steps);
    g_autofree char *outcome = st_remove_many(script.store, odd, 2);
    ck_assert_str_eq(outcome, "a\xEF\xBF\xBE b\xEF\xBF\xBF ");
    ck_assert_ptr_null(st_remove_many(script.store, keys, 2)); /* which are sent together again */
    ck_assert_int_eq(strncmp(st_request(&script, 1), "DELETE /bkt/b%EF%BF%BF ", 23), 0);
    ck_assert_int_eq(strncmp(st_request(&script, 2), "POST /bkt?delete= ", 18), 0);
    st_end(&script);
}
END_TEST

START_TEST(test_remove_many__fails_as_a_whole)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {{.reply = st_refusal(503, "SlowDown")},
                                          {.reply = st_refusal(501, "NotImplemented")},
                                          {.reply = st_answer(204, "", "")},
                                          {.reply = st_refusal(400, "ExpiredToken")}};
    st_begin(&script, steps);
    ck_assert_ptr_null(st_remove_many(script.store, keys, 2));
    ck_assert_int_eq(st_error.cls, BP_ERR_THROTTLED);
    ck_assert_ptr_null(st_remove_many(script.store, keys, 2));
    ck_assert_int_eq(st_error.cls, BP_ERR_AUTH);
    ck_assert_str_eq(st_error.code, "ExpiredToken");
    st_end(&script);
}
END_TEST

static int32_t
take_upload(void *ctx, const char *key, const char *extra, int64_t started_ns,
            const struct bp_error *error)
{
    g_string_append_printf(ctx, "%s=%s%s%s ", key, extra, started_ns != 0 ? "" : "?",
                           error != NULL ? "!" : "");
    return 0;
}

#define UPLOAD(key, id, time)                                                                \
    "<Upload><Key>" key "</Key><UploadId>" id "</UploadId><Initiated>" time "</Initiated></" \
    "Upload>"
#define UPLOADS(inside) \
    st_answer(200, "", "<ListMultipartUploadsResult>" inside "</ListMultipartUploadsResult>")
#define OLD "2009-10-12T17:50:30.000Z"

START_TEST(test_uploads__pages_within_the_prefix)
{
    struct st_script script;
    g_autoptr(GString) found = g_string_new(NULL);
    const struct bp_key_sink sink = {.struct_size = sizeof(sink), .ctx = found, .key = take_upload};
    const struct bp_httpd_step steps[] = {
        {.reply = UPLOADS("<EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>"
                          "<NextKeyMarker>p/a%2Bb</NextKeyMarker><NextUploadIdMarker>1"
                          "</NextUploadIdMarker>" UPLOAD("p/a%2Bb", "1", OLD)
                              UPLOAD("other", "9", OLD))},
        {.reply = UPLOADS(UPLOAD("p/ac", "2", ""))}};
    st_begin(&script, steps, "prefix", "p");
    ASSERT_OK(st_ops->uploads_list(script.store, &bp_fake.op, "a", &sink, &st_error));
    ck_assert_str_eq(found->str, "a+b=1 ac=2? ");
    ck_assert_ptr_nonnull(strstr(st_request(&script, 1), "key-marker=p%2Fa%2Bb&"));
    ck_assert_ptr_nonnull(strstr(st_request(&script, 1), "upload-id-marker=1&"));
    st_end(&script);
}
END_TEST

START_TEST(test_uploads_abort__old_ones_only)
{
    struct st_script script;
    g_autoptr(GString) found = g_string_new(NULL);
    const struct bp_key_sink sink = {.struct_size = sizeof(sink), .ctx = found, .key = take_upload};
    const struct bp_httpd_step steps[] = {
        {.reply = UPLOADS(UPLOAD("old", "1", OLD) UPLOAD("unknown", "2", "") UPLOAD(
             "young", "3", "2029-10-12T17:50:30.000Z") UPLOAD("old2", "4", OLD))},
        {.reply = st_answer(204, "", "")},
        {.reply = st_refusal(403, "AccessDenied")}};
    st_begin(&script, steps);
    ASSERT_OK(st_ops->uploads_abort(script.store, &bp_fake.op, "", INT64_C(1767225600000000000),
                                    &sink, &st_error));
    ck_assert_str_eq(found->str, "old=1 old2=4! ");
    st_end(&script);
}
END_TEST

START_TEST(test_uploads__in_circles)
{
    struct st_script script;
    g_autoptr(GString) found = g_string_new(NULL);
    const struct bp_key_sink sink = {.struct_size = sizeof(sink), .ctx = found, .key = take_upload};
    const char *page = UPLOADS("<IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker>");
    const struct bp_httpd_step steps[] = {{.reply = page}, {.reply = page}};
    st_begin(&script, steps);
    ASSERT_FAILED(st_ops->uploads_list(script.store, &bp_fake.op, "", &sink, &st_error),
                  BP_ERR_PERMANENT, "in circles");
    st_end(&script);
}
END_TEST

/* An upload that is not seen is one that nobody ends. */
START_TEST(test_uploads__broken_answers)
{
    const struct {
        const char *reply, *text;
        bp_status cls;
    } cases[] = {
        {st_answer(200, "", ""), "with nothing", BP_ERR_RETRYABLE},
        {st_answer(200, "", "<html/>"), "answer is <html>, not a listing", BP_ERR_RETRYABLE},
        {UPLOADS("<IsTruncated>true</IsTruncated>"), "without saying how it goes on",
         BP_ERR_PERMANENT},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct st_script script;
        const struct bp_key_sink sink = {.struct_size = sizeof(sink), .key = take_upload};
        const struct bp_httpd_step steps[] = {{.reply = cases[i].reply}};
        st_begin(&script, steps);
        ASSERT_FAILED(st_ops->uploads_list(script.store, &bp_fake.op, "", &sink, &st_error),
                      cases[i].cls, cases[i].text);
        st_end(&script);
    }
}
END_TEST

#define EMPTY_LIST st_answer(200, "", "<ListBucketResult/>")
#define FINE st_answer(200, "ETag: \"e\"\r\n", "")

START_TEST(test_probe__exactly_what_is_needed)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {
        {.reply = EMPTY_LIST},
        {.reply = FINE},
        {.reply = st_answer(206, "Content-Range: bytes 0-0/15\r\n", "b")},
        {.reply = st_answer(204, "", "")}};
    st_begin(&script, steps);
    ASSERT_OK(st_probe(script.store, BP_NEED_LIST | BP_NEED_READ | BP_NEED_WRITE, "x/"));
    ck_assert_ptr_nonnull(strstr(st_request(&script, 0), "&max-keys=1&prefix=x%2F "));
    ck_assert_int_eq(strncmp(st_request(&script, 1), "PUT /bkt/x/.bakplane-probe-", 27), 0);
    ck_assert_int_eq(strncmp(st_request(&script, 3), "DELETE /bkt/x/.bakplane-probe-", 30), 0);
    st_end(&script);
}
END_TEST

START_TEST(test_probe__names_the_missing_right_and_cleans_up)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {{.reply = FINE},
                                          {.reply = st_refusal(403, "AccessDenied")}};
    st_begin(&script, steps);
    ASSERT_FAILED(st_probe(script.store, BP_NEED_WRITE, ""), BP_ERR_DENIED,
                  "cannot remove s3://bkt/.bakplane-probe-");
    st_end(&script);
}
END_TEST

START_TEST(test_probe__finds_out_who_ignores_conditions)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {{.reply = FINE},
                                          {.reply = FINE},
                                          {.reply = st_answer(204, "", "")},
                                          {.reply = FINE},
                                          {.reply = st_refusal(412, "PreconditionFailed")},
                                          {.reply = st_answer(204, "", "")}};
    st_begin(&script, steps);
    ASSERT_FAILED(st_probe(script.store, BP_NEED_EXCLUSIVE, ""), BP_ERR_UNSUPPORTED,
                  "set conditional_writes: false for this storage and lock: advisory");
    ASSERT_OK(st_probe(script.store, BP_NEED_EXCLUSIVE, ""));
    ck_assert_int_eq(strncmp(st_request(&script, 2), "DELETE ", 7), 0);
    st_end(&script);
}
END_TEST

START_TEST(test_probe__makes_the_bucket_only_when_told)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {{.reply = st_refusal(404, "NoSuchBucket")},
                                          {.reply = st_answer(200, "", "")},
                                          {.reply = FINE},
                                          {.reply = st_answer(204, "", "")}};
    st_begin(&script, steps, "create_bucket", "true");
    ASSERT_OK(st_probe(script.store, BP_NEED_WRITE, ""));
    ck_assert_int_eq(strncmp(st_request(&script, 1), "PUT /bkt HTTP", 13), 0);
    ck_assert_ptr_nonnull(
        strstr(st_request(&script, 1), "<LocationConstraint>r1</LocationConstraint>"));
    st_end(&script);

    const struct bp_httpd_step missing[] = {{.reply = st_refusal(404, "NoSuchBucket")}};
    st_begin(&script, missing);
    ASSERT_FAILED(st_probe(script.store, BP_NEED_WRITE, ""), BP_ERR_NOT_FOUND,
                  "or set create_bucket: true");
    st_end(&script);
}
END_TEST

START_TEST(test_probe__cannot_speak_for_the_server)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {{.reply = FINE}};
    st_begin(&script, steps);
    ASSERT_FAILED(st_probe(script.store, BP_NEED_SERVER_READ, ""), BP_ERR_UNSUPPORTED,
                  "cannot be seen from here");
    ASSERT_FAILED(st_probe(script.store, 1u << 30, ""), BP_ERR_INVALID, "unknown flags");
    st_end(&script);
}
END_TEST

ST_MAIN("storage-s3 remove", test_remove__missing_is_fine_a_missing_bucket_is_not,
        test_remove__version_is_looked_at_where_delete_does_not,
        test_remove__version_goes_along_on_aws, test_remove_many__outcome_of_each,
        test_remove_many__one_by_one_where_there_is_no_other_way,
        test_remove_many__one_by_one_with_keys_that_are_no_xml, test_remove_many__fails_as_a_whole,
        test_uploads__pages_within_the_prefix, test_uploads_abort__old_ones_only,
        test_uploads__in_circles, test_uploads__broken_answers, test_probe__exactly_what_is_needed,
        test_probe__names_the_missing_right_and_cleans_up,
        test_probe__finds_out_who_ignores_conditions, test_probe__makes_the_bucket_only_when_told,
        test_probe__cannot_speak_for_the_server)
