/* SPDX-License-Identifier: Apache-2.0
 *
 * storage-s3: signatures.  The expected ones are the worked examples of "Signature Calculations"
 * in Amazon's S3 API reference.
 */
#include "plugins/storage-s3/sign.h"

#include <check.h>

#include "tests/unit/plugins/storage-s3/s3_test.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static GPtrArray *headers;

static struct bp_s3_signing
example(const char *method, const char *path, const char *query, const char *payload)
{
    headers = g_ptr_array_new_with_free_func(g_free);
    return (struct bp_s3_signing){
        .dialect = &bp_s3_dialect_aws,
        .method = method,
        .host = "examplebucket.s3.amazonaws.com",
        .path = path,
        .query = query,
        .region = "us-east-1",
        .access_key = "AKIAIOSFODNN7EXAMPLE",
        .secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        .payload = payload,
        .stamp = "20130524T000000Z",
    };
}

static void
add(const char *line)
{
    g_ptr_array_add(headers, g_strdup(line));
}

/* The Authorization header is the last one. */
static void
expect(const struct bp_s3_signing *signing, const char *wanted)
{
    bp_s3_sign(signing, headers, NULL);
    ck_assert_str_eq(g_ptr_array_index(headers, headers->len - 1), wanted);
    g_ptr_array_unref(headers);
}

#define AUTHORIZATION(names, signature)                                                  \
    "Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1" \
    "/s3/aws4_request, SignedHeaders=" names ", Signature=" signature

START_TEST(test_sign__get_object)
{
    struct bp_s3_signing signing = example("GET", "/test.txt", "", EMPTY);
    add("Range: bytes=0-9");
    expect(&signing,
           AUTHORIZATION("host;range;x-amz-content-sha256;x-amz-date",
                         "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"));
}
END_TEST

START_TEST(test_sign__put_object)
{
    char hash[BP_S3_SHA256_HEX];
    bp_s3_sha256_hex("Welcome to Amazon S3.", 21, hash);
    struct bp_s3_signing signing = example("PUT", "/test%24file.text", "", hash);
    add("Date: Fri, 24 May 2013 00:00:00 GMT");
    add("x-amz-storage-class: REDUCED_REDUNDANCY");
    expect(&signing,
           AUTHORIZATION("date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
                         "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"));
}
END_TEST

START_TEST(test_sign__get_bucket_lifecycle)
{
    struct bp_s3_signing signing = example("GET", "/", "lifecycle=", EMPTY);
    expect(&signing,
           AUTHORIZATION("host;x-amz-content-sha256;x-amz-date",
                         "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"));
}
END_TEST

START_TEST(test_sign__list_objects)
{
    const char *const pairs[] = {"prefix", "J", "max-keys", "2"};
    g_autoptr(GPtrArray) query = g_ptr_array_new();
    for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++) {
        g_ptr_array_add(query, (void *)pairs[i]);
    }
    g_autofree char *text = bp_s3_query(query);
    ck_assert_str_eq(text, "max-keys=2&prefix=J");
    struct bp_s3_signing signing = example("GET", "/", text, EMPTY);
    expect(&signing,
           AUTHORIZATION("host;x-amz-content-sha256;x-amz-date",
                         "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"));
}
END_TEST

static struct bp_s3_seed
begin_chunks(const char *payload, const char *trailer)
{
    struct bp_s3_seed seed;
    struct bp_s3_signing signing = example("PUT", "/examplebucket/chunkObject.txt", "", payload);
    signing.host = "s3.amazonaws.com";
    add("x-amz-storage-class: REDUCED_REDUNDANCY");
    add("Content-Encoding: aws-chunked");
    add("x-amz-decoded-content-length: 66560");
    add(trailer != NULL ? trailer : "Content-Length: 66824");
    bp_s3_sign(&signing, headers, &seed);
    g_ptr_array_unref(headers);
    return seed;
}

static void
expect_chunk(struct bp_s3_seed *seed, size_t n, const char *wanted)
{
    g_autofree char *bytes = g_strnfill(n, 'a');
    bp_s3_sign_chunk(seed, bytes, n);
    ck_assert_str_eq(seed->previous, wanted);
}

START_TEST(test_sign_chunk__example)
{
    struct bp_s3_seed seed = begin_chunks(BP_S3_CHUNKED, NULL);
    ck_assert_str_eq(seed.previous,
                     "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
    expect_chunk(&seed, 65536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648");
    expect_chunk(&seed, 1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497");
    expect_chunk(&seed, 0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9");
}
END_TEST

START_TEST(test_sign_trailer__example)
{
    struct bp_s3_seed seed =
        begin_chunks(BP_S3_CHUNKED_TRAILER, "x-amz-trailer: x-amz-checksum-crc32c");
    ck_assert_str_eq(seed.previous,
                     "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e");
    expect_chunk(&seed, 65536, "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2");
    expect_chunk(&seed, 1024, "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7");
    expect_chunk(&seed, 0, "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992");
    bp_s3_sign_trailer(&seed, "x-amz-checksum-crc32c:sOO8/Q==\n");
    ck_assert_str_eq(seed.previous,
                     "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435");
}
END_TEST

START_TEST(test_sign__headers_sort_by_name_alone)
{
    struct bp_s3_signing signing = example("PUT", "/k", "", EMPTY);
    add("x-amz-copy-source-if-match: \"e\"");
    add("x-amz-copy-source:   /a   b ");
    bp_s3_sign(&signing, headers, NULL);
    const char *last = g_ptr_array_index(headers, headers->len - 1);
    ck_assert_ptr_nonnull(strstr(last, "SignedHeaders=host;x-amz-content-sha256;x-amz-copy-source;"
                                       "x-amz-copy-source-if-match;x-amz-date,"));
    g_ptr_array_unref(headers);
}
END_TEST

START_TEST(test_sign__google_has_words_of_its_own)
{
    struct bp_s3_signing signing = example("GET", "/k", "", EMPTY);
    signing.dialect = &bp_s3_dialect_goog;
    signing.region = "auto";
    bp_s3_sign(&signing, headers, NULL);
    ck_assert_str_eq(g_ptr_array_index(headers, 0), "x-goog-date: 20130524T000000Z");
    const char *last = g_ptr_array_index(headers, headers->len - 1);
    ck_assert_int_eq(strncmp(last,
                             "Authorization: GOOG4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/"
                             "20130524/auto/storage/goog4_request, SignedHeaders=host;x-goog-"
                             "content-sha256;x-goog-date, Signature=",
                             160),
                     0);
    g_ptr_array_unref(headers);
}
END_TEST

START_TEST(test_query__sorts_by_name_then_value)
{
    static const char *const pairs[] = {"b", "2", "a-", "x", "a", "ü /", "b", "1", "uploads", NULL};
    g_autoptr(GPtrArray) query = g_ptr_array_new();
    for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++) {
        g_ptr_array_add(query, (void *)pairs[i]);
    }
    g_autofree char *text = bp_s3_query(query);
    ck_assert_str_eq(text, "a=%C3%BC%20%2F&a-=x&b=1&b=2&uploads=");
    g_autofree char *none = bp_s3_query(NULL);
    ck_assert_str_eq(none, "");
}
END_TEST

START_TEST(test_stamp__utc)
{
    char stamp[BP_S3_STAMP];
    bp_s3_stamp(1369353600, stamp);
    ck_assert_str_eq(stamp, "20130524T000000Z");
}
END_TEST

ST_MAIN("storage-s3 sign", test_sign__get_object, test_sign__put_object,
        test_sign__get_bucket_lifecycle, test_sign__list_objects, test_sign_chunk__example,
        test_sign_trailer__example, test_sign__headers_sort_by_name_alone,
        test_sign__google_has_words_of_its_own, test_query__sorts_by_name_then_value,
        test_stamp__utc)
