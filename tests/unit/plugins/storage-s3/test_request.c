/* SPDX-License-Identifier: Apache-2.0
 *
 * storage-s3: requests, regions, what HEAD does not tell.
 */
#include <time.h>

#include "plugins/storage-s3/s3.h"
#include "tests/unit/plugins/storage-s3/s3_test.h"

START_TEST(test_send__follows_the_region_header_once)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {
        {.reply = st_answer(301, "x-amz-bucket-region: eu-west-1\r\n", "")},
        {.reply = st_answer(200, "ETag: \"e\"\r\n", "hello")},
        {.reply = st_answer(200, "ETag: \"e\"\r\n", "again")}};
    st_begin(&script, steps);
    g_autofree char *first = st_read(script.store, "k");
    ck_assert_msg(first != NULL, "%s", st_error.message);
    ck_assert_str_eq(first, "hello");
    g_autofree char *second = st_read(script.store, "k");
    ck_assert_str_eq(second, "again");
    ck_assert_ptr_nonnull(strstr(st_request(&script, 0), "/r1/s3/aws4_request"));
    ck_assert_ptr_nonnull(strstr(st_request(&script, 1), "/eu-west-1/s3/aws4_request"));
    ck_assert_ptr_nonnull(strstr(st_request(&script, 2), "/eu-west-1/s3/aws4_request"));
    ck_assert_ptr_nonnull(strstr(bp_fake.last_log, "is in region eu-west-1, not in r1"));
    st_end(&script);
}
END_TEST

START_TEST(test_send__learns_the_region_from_the_error)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {
        {.reply = st_answer(400, "",
                            "<Error><Code>AuthorizationHeaderMalformed</Code><Message>wrong"
                            "</Message><Region>us-west-2</Region></Error>")},
        {.reply = st_answer(200, "", "")}};
    st_begin(&script, steps);
    ASSERT_OK(st_write(script.store, "k", "small", 0));
    ck_assert_ptr_nonnull(strstr(st_request(&script, 1), "/us-west-2/s3/aws4_request"));
    ck_assert_ptr_nonnull(strstr(st_request(&script, 1), "\r\n\r\nsmall"));
    st_end(&script);
}
END_TEST

START_TEST(test_send__does_not_go_in_circles)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {
        {.reply = st_answer(301, "x-amz-bucket-region: r2\r\n", "")},
        {.reply = st_answer(301, "x-amz-bucket-region: r1\r\n", "")}};
    st_begin(&script, steps);
    ck_assert_ptr_null(st_read(script.store, "k"));
    ck_assert_int_eq(st_error.cls, BP_ERR_RETRYABLE);
    st_end(&script);
}
END_TEST

static struct bp_storage *learner;
static unsigned questions;

/* As another thread would: the first question comes with the commit, the second with its request.
 */
static int32_t
learn_meanwhile(const struct bp_op *op)
{
    if (++questions == 2) {
        (void)bp_s3_learn_region(learner, op, "r2");
    }
    return 0;
}

START_TEST(test_send__repeats_nothing_that_may_have_been_done)
{
    struct st_script script;
    int32_t (*usual)(const struct bp_op *) = bp_fake.host.cancelled;
    const struct bp_httpd_step steps[] = {{.reply = st_refusal(500, "InternalError")},
                                          {.reply = st_refusal(412, "PreconditionFailed")}};
    st_begin(&script, steps);
    struct bp_writer *writer = NULL;
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    const struct bp_write_args args = {
        .struct_size = sizeof(args), .key = "k", .size = 1, .if_match = "v1"};
    ASSERT_OK(st_ops->write_open(script.store, &bp_fake.op, &args, &writer, &st_error));
    ASSERT_OK(st_ops->write(writer, &bp_fake.op, "x", 1, &st_error));
    learner = script.store;
    questions = 0;
    bp_fake.host.cancelled = learn_meanwhile;
    ASSERT_FAILED(st_ops->write_commit(writer, &bp_fake.op, &meta, &st_error), BP_ERR_RETRYABLE,
                  "InternalError");
    bp_fake.host.cancelled = usual;
    ck_assert_uint_eq(st_error.flags, BP_ERROR_OUTCOME_UNKNOWN);
    st_end(&script);
}
END_TEST

START_TEST(test_send__region_that_another_thread_has_learned)
{
    struct st_script script;
    struct bp_writer *writer = NULL;
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    g_autofree char *bytes = g_strnfill(300000, 'x');
    const struct bp_write_args args = {.struct_size = sizeof(args), .key = "k", .size = 300000};
    const struct bp_httpd_step steps[] = {
        {.reply = st_answer(400, "",
                            "<Error><Code>AuthorizationHeaderMalformed</Code><Region>r2</Region>"
                            "</Error>")}};
    st_begin(&script, steps);
    ASSERT_OK(st_ops->write_open(script.store, &bp_fake.op, &args, &writer, &st_error));
    ASSERT_OK(st_ops->write(writer, &bp_fake.op, bytes, 300000, &st_error));
    ck_assert(bp_s3_learn_region(script.store, &bp_fake.op, "r2"));
    ASSERT_FAILED(st_ops->write_commit(writer, &bp_fake.op, &meta, &st_error), BP_ERR_RETRYABLE,
                  "AuthorizationHeaderMalformed");
    st_end(&script);
}
END_TEST

START_TEST(test_send__same_region_says_what_to_change)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {
        {.reply = st_answer(301, "",
                            "<Error><Code>PermanentRedirect</Code><Message>use the right endpoint."
                            "</Message><Endpoint>bkt.s3.example.org</Endpoint></Error>")}};
    st_begin(&script, steps);
    ck_assert_ptr_null(st_read(script.store, "k"));
    ck_assert_int_eq(st_error.cls, BP_ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(st_error.message, "it wants to be addressed as "
                                                   "bkt.s3.example.org: check endpoint"));
    st_end(&script);
}
END_TEST

START_TEST(test_send__a_streamed_body_is_retried_by_the_core)
{
    struct st_script script;
    g_autofree char *bytes = g_strnfill(300000, 'x');
    const struct bp_write_args args = {.struct_size = sizeof(args), .key = "k", .size = 300000};
    const struct bp_httpd_step steps[] = {
        {.reply = st_answer(400, "",
                            "<Error><Code>AuthorizationHeaderMalformed</Code><Region>r9</Region>"
                            "</Error>")},
        {.reply = st_answer(200, "ETag: \"e\"\r\n", "")}};
    st_begin(&script, steps);
    ck_assert_int_eq(st_write_args(script.store, &args, bytes, 300000, 100000, NULL),
                     BP_ERR_RETRYABLE);
    ASSERT_OK(st_write_args(script.store, &args, bytes, 300000, 100000, NULL));
    ck_assert_ptr_nonnull(strstr(st_request(&script, 1), "/r9/s3/aws4_request"));
    st_end(&script);
}
END_TEST

/* 300000 bytes, in signed chunks. */
static bp_status
write_chunks(struct st_script *script)
{
    g_autofree char *bytes = g_strnfill(300000, 'x');
    const struct bp_write_args args = {.struct_size = sizeof(args), .key = "k", .size = 300000};
    return st_write_args(script->store, &args, bytes, 300000, 100000, NULL);
}

#define WRONG_SIGNATURE                                   \
    {                                                     \
        .reply = st_refusal(403, "SignatureDoesNotMatch") \
    }
#define TAKEN                                          \
    {                                                  \
        .reply = st_answer(200, "ETag: \"e\"\r\n", "") \
    }

START_TEST(test_chunks__changed_on_their_way_once_the_keys_worked)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {TAKEN, WRONG_SIGNATURE, TAKEN};
    st_begin(&script, steps);
    ASSERT_OK(write_chunks(&script));
    ASSERT_FAILED(write_chunks(&script), BP_ERR_RETRYABLE,
                  "(SignatureDoesNotMatch); the keys have worked before: the body was changed on "
                  "its way");
    ck_assert_str_eq(st_error.code, "SignatureDoesNotMatch");
    ASSERT_OK(write_chunks(&script));
    st_end(&script);
}
END_TEST

/* MinIO's words for it. */
START_TEST(test_chunks__changed_around_a_chunk)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {
        TAKEN, {.reply = st_refusal(400, "BadRequest")}, {.reply = st_refusal(400, "BadRequest")}};
    st_begin(&script, steps);
    ASSERT_OK(write_chunks(&script));
    ASSERT_FAILED(write_chunks(&script), BP_ERR_RETRYABLE, "the body was changed on its way");
    ASSERT_FAILED(st_write(script.store, "k", "text", 0), BP_ERR_INVALID, "(BadRequest)");
    st_end(&script);
}
END_TEST

START_TEST(test_chunks__keys_that_never_worked)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {WRONG_SIGNATURE};
    st_begin(&script, steps);
    ASSERT_FAILED(write_chunks(&script), BP_ERR_AUTH, "check secret_key");
    st_end(&script);
}
END_TEST

START_TEST(test_chunks__changed_time_and_again)
{
    struct st_script script;
    struct bp_httpd_step steps[20] = {TAKEN};
    for (size_t i = 1; i < G_N_ELEMENTS(steps); i++) {
        steps[i] = (struct bp_httpd_step)WRONG_SIGNATURE;
    }
    steps[3] = (struct bp_httpd_step)TAKEN;
    st_begin(&script, steps);
    for (size_t i = 0; i < 4 + 8; i++) {
        bp_status wanted = i == 0 || i == 3 ? BP_OK : BP_ERR_RETRYABLE;
        ck_assert_int_eq(write_chunks(&script), wanted);
    }
    ASSERT_FAILED(write_chunks(&script), BP_ERR_AUTH, "check secret_key");
    st_end(&script);
}
END_TEST

/* The signature does not depend on such a body: only its hash would be wrong. */
START_TEST(test_small_body__wrong_signature_is_the_keys)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {TAKEN, WRONG_SIGNATURE};
    st_begin(&script, steps);
    ASSERT_OK(st_write(script.store, "k", "text", 0));
    ASSERT_FAILED(st_write(script.store, "k", "text", 0), BP_ERR_AUTH, "check secret_key");
    st_end(&script);
}
END_TEST

START_TEST(test_stat__asks_again_why_it_was_refused)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {{.reply = st_answer(403, "", "")},
                                          {.reply = st_refusal(403, "InvalidAccessKeyId")}};
    st_begin(&script, steps);
    ASSERT_FAILED(st_stat(script.store, "k", NULL), BP_ERR_AUTH,
                  "cannot look at s3://bkt/k at http://127.0.0.1");
    ck_assert_int_eq(strncmp(st_request(&script, 0), "HEAD /bkt/k ", 12), 0);
    ck_assert_int_eq(strncmp(st_request(&script, 1), "GET /bkt/k ", 11), 0);
    st_end(&script);
}
END_TEST

START_TEST(test_stat__long_key_keeps_its_end)
{
    struct st_script script;
    g_autofree char *middle = g_strnfill(600, 'k');
    g_autofree char *key = g_strconcat("db/", middle, "/part-0001", NULL);
    const struct bp_httpd_step steps[] = {{.reply = st_answer(404, "", "")}};
    st_begin(&script, steps);
    ASSERT_FAILED(st_stat(script.store, key, NULL), BP_ERR_NOT_FOUND, "/part-0001 at http://127");
    ck_assert_ptr_nonnull(strstr(st_error.message, "cannot look at s3://bkt/db/kkk"));
    st_end(&script);
}
END_TEST

START_TEST(test_stat__not_found)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {{.reply = st_answer(404, "", "")}};
    st_begin(&script, steps);
    ASSERT_FAILED(st_stat(script.store, "k", NULL), BP_ERR_NOT_FOUND, "not there (status 404)");
    st_end(&script);
}
END_TEST

START_TEST(test_stat__facts)
{
    struct st_script script;
    struct bp_object_meta meta;
    const struct bp_httpd_step steps[] = {
        {.reply = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 123456789012\r\n"
                  "ETag: \"abc-7\"\r\nLast-Modified: Mon, 12 Oct 2009 17:50:30 GMT\r\n"
                  "x-amz-storage-class: STANDARD_IA\r\nx-amz-checksum-crc32c: 4waSgw==\r\n"
                  "x-amz-checksum-type: FULL_OBJECT\r\n\r\n"}};
    st_begin(&script, steps);
    ASSERT_OK(st_stat(script.store, "k", &meta));
    ck_assert_uint_eq(meta.size, UINT64_C(123456789012));
    ck_assert_int_eq(meta.mtime_ns, INT64_C(1255369830000000000));
    ck_assert_str_eq(meta.etag, "abc-7");
    ck_assert_str_eq(meta.storage_class, "STANDARD_IA");
    ck_assert_uint_eq(meta.checksum.kind, BP_CHECKSUM_CRC32C);
    ck_assert_uint_eq(meta.checksum.by, BP_CHECKSUM_BY_STORE);
    st_end(&script);
}
END_TEST

START_TEST(test_stat__a_checksum_of_parts_is_none)
{
    struct st_script script;
    struct bp_object_meta meta;
    const struct bp_httpd_step steps[] = {
        {.reply = st_answer(200,
                            "x-amz-checksum-crc32c: 4waSgw==\r\nx-amz-checksum-type: "
                            "COMPOSITE\r\n",
                            "")}};
    st_begin(&script, steps);
    ASSERT_OK(st_stat(script.store, "k", &meta));
    ck_assert_uint_eq(meta.checksum.kind, BP_CHECKSUM_NONE);
    st_end(&script);
}
END_TEST

/* Older servers do not say what kind it is: the ETag tells that there were parts. */
START_TEST(test_stat__a_checksum_of_unknown_kind)
{
    static const struct {
        const char *headers;
        uint32_t kind;
    } cases[] = {
        {"ETag: \"0123456789abcdef0123456789abcdef-3\"\r\nx-amz-checksum-crc32c: 4waSgw==\r\n",
         BP_CHECKSUM_NONE},
        {"ETag: \"0123456789abcdef0123456789abcdef\"\r\nx-amz-checksum-crc32c: 4waSgw==\r\n",
         BP_CHECKSUM_CRC32C},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct st_script script;
        struct bp_object_meta meta;
        const struct bp_httpd_step steps[] = {{.reply = st_answer(200, cases[i].headers, "")}};
        st_begin(&script, steps);
        ASSERT_OK(st_stat(script.store, "k", &meta));
        ck_assert_uint_eq(meta.checksum.kind, cases[i].kind);
        st_end(&script);
    }
}
END_TEST

START_TEST(test_key__refused_before_any_request)
{
    g_autofree char *prefix = g_strnfill(500, 'p');
    g_autofree char *key = g_strnfill(530, 'k');
    struct bp_storage *store = st_open("bucket", "bkt", "endpoint", "http://127.0.0.1:1", "prefix",
                                       prefix, "access_key", "a", "secret_key", "s");
    ck_assert_msg(store != NULL, "%s", st_error.message);
    ASSERT_FAILED(st_stat(store, key, NULL), BP_ERR_INVALID, "longer than 1024 bytes together");
    ASSERT_FAILED(st_write(store, "a//b", "x", 0), BP_ERR_INVALID, "key \"a//b\"");
    ASSERT_FAILED(st_remove(store, "/a"), BP_ERR_INVALID, "key \"/a\"");
    st_ops->close(store);
}
END_TEST

START_TEST(test_anonymous__signs_nothing)
{
    struct st_script script;
    const struct bp_httpd_step steps[] = {{.reply = st_answer(200, "", "x")}};
    st_begin(&script, steps, "access_key", "", "secret_key", "", "credentials", "anonymous");
    g_autofree char *text = st_read(script.store, "k");
    ck_assert_msg(text != NULL, "%s", st_error.message);
    ck_assert_ptr_null(strstr(st_request(&script, 0), "Authorization"));
    ck_assert_ptr_null(strstr(st_request(&script, 0), "x-amz-"));
    st_end(&script);
}
END_TEST

START_TEST(test_cancel__before_any_request)
{
    struct bp_storage *store = st_open("bucket", "bkt", "endpoint", "http://127.0.0.1:1",
                                       "access_key", "a", "secret_key", "s");
    atomic_store(&bp_fake.cancelled, 1);
    ASSERT_FAILED(st_stat(store, "k", NULL), BP_ERR_CANCELLED, "cancelled");
    atomic_store(&bp_fake.cancelled, 0);
    ASSERT_FAILED(st_stat(store, "k", NULL), BP_ERR_RETRYABLE, "127.0.0.1");
    st_ops->close(store);
}
END_TEST

START_TEST(test_cancel__while_the_store_is_silent)
{
    struct st_script script;
    struct timespec now;
    const struct bp_httpd_step steps[] = {{.manner = BP_HTTPD_STALL}, {.manner = BP_HTTPD_STALL}};
    st_begin(&script, steps);
    atomic_store(&bp_fake.cancel_after, 4);
    ASSERT_FAILED(st_stat(script.store, "k", NULL), BP_ERR_CANCELLED, "");
    bp_fake_reset();
    clock_gettime(CLOCK_MONOTONIC, &now);
    bp_fake.op.deadline_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec + 50000000;
    ASSERT_FAILED(st_stat(script.store, "k", NULL), BP_ERR_TIMEOUT, "");
    bp_fake_reset();
    (void)st_request(&script, 0);
    ck_assert_uint_le(bp_httpd_requests(script.server), 2);
    st_end(&script);
}
END_TEST

START_TEST(test_host__that_has_no_name_per_bucket)
{
    struct bp_storage *store = st_open("bucket", "bkt", "endpoint", "http://nowhere.invalid",
                                       "style", "virtual", "access_key", "a", "secret_key", "s");
    ASSERT_FAILED(st_stat(store, "k", NULL), BP_ERR_RETRYABLE, "or set style: path");
    st_ops->close(store);
}
END_TEST

ST_MAIN("storage-s3 request", test_send__follows_the_region_header_once,
        test_send__learns_the_region_from_the_error, test_send__does_not_go_in_circles,
        test_send__repeats_nothing_that_may_have_been_done,
        test_send__region_that_another_thread_has_learned,
        test_send__same_region_says_what_to_change,
        test_send__a_streamed_body_is_retried_by_the_core,
        test_chunks__changed_on_their_way_once_the_keys_worked, test_chunks__changed_around_a_chunk,
        test_chunks__keys_that_never_worked, test_chunks__changed_time_and_again,
        test_small_body__wrong_signature_is_the_keys, test_stat__asks_again_why_it_was_refused,
        test_stat__long_key_keeps_its_end, test_stat__not_found, test_stat__facts,
        test_stat__a_checksum_of_parts_is_none, test_stat__a_checksum_of_unknown_kind,
        test_key__refused_before_any_request, test_anonymous__signs_nothing,
        test_cancel__before_any_request, test_cancel__while_the_store_is_silent,
        test_host__that_has_no_name_per_bucket)
