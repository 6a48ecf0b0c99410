/* SPDX-License-Identifier: Apache-2.0
 *
 * Signatures.  The texts to sign are the examples of the REST reference; hundreds more are compared
 * with Microsoft's client in tests/integration/test_azure_sign.py.
 */
#include "plugins/storage-azure/sign.h"

#include "tests/unit/plugins/storage-azure/azure_test.h"

static GArray *headers, *query;

static char *
to_sign(const char *method, const char *path, uint64_t length)
{
    const struct bp_azure_signable what = {.method = method,
                                           .account = "myaccount",
                                           .path = path,
                                           .headers = headers,
                                           .query = query,
                                           .content_length = length};
    char *text = bp_azure_string_to_sign(&what);
    g_array_unref(headers);
    g_array_unref(query);
    return text;
}

static void
begin(void)
{
    headers = bp_azure_pairs_new();
    query = bp_azure_pairs_new();
}

START_TEST(test_string_to_sign__get_container_metadata)
{
    begin();
    bp_azure_pairs_add(headers, "x-ms-version", g_strdup("2015-02-21"));
    bp_azure_pairs_add(headers, "x-ms-date", g_strdup("Fri, 26 Jun 2015 23:39:12 GMT"));
    bp_azure_pairs_add(query, "restype", g_strdup("container"));
    bp_azure_pairs_add(query, "timeout", g_strdup("20"));
    bp_azure_pairs_add(query, "comp", g_strdup("metadata"));
    g_autofree char *text = to_sign("GET", "/mycontainer", 0);
    ck_assert_str_eq(text, "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\n"
                           "x-ms-version:2015-02-21\n/myaccount/mycontainer\ncomp:metadata\n"
                           "restype:container\ntimeout:20");
}
END_TEST

START_TEST(test_string_to_sign__list_blobs)
{
    begin();
    bp_azure_pairs_add(query, "restype", g_strdup("container"));
    bp_azure_pairs_add(query, "comp", g_strdup("list"));
    bp_azure_pairs_add(query, "include", g_strdup("metadata,snapshots,uncommittedblobs"));
    g_autofree char *text = to_sign("GET", "/mycontainer", 0);
    ck_assert(g_str_has_suffix(text, "/myaccount/mycontainer\ncomp:list\n"
                                     "include:metadata,snapshots,uncommittedblobs\n"
                                     "restype:container"));
}
END_TEST

START_TEST(test_string_to_sign__each_header_has_its_line)
{
    begin();
    bp_azure_pairs_add(headers, "Content-MD5", g_strdup("MD5"));
    bp_azure_pairs_add(headers, "content-type", g_strdup("text/plain; charset=UTF-8"));
    bp_azure_pairs_add(headers, "If-None-Match", g_strdup("*"));
    bp_azure_pairs_add(headers, "If-Match", g_strdup("\"e\""));
    bp_azure_pairs_add(headers, "Range", g_strdup("bytes=0-1"));
    bp_azure_pairs_add(headers, "x-ms-blob-type", g_strdup(" BlockBlob "));
    g_autofree char *text = to_sign("PUT", "/mycontainer/a%20b", 11);
    ck_assert_str_eq(text,
                     "PUT\n\n\n11\nMD5\ntext/plain; charset=UTF-8\n\n\n\"e\"\n*\n\nbytes=0-1\n"
                     "x-ms-blob-type:BlockBlob\n/myaccount/mycontainer/a%20b");
}
END_TEST

START_TEST(test_string_to_sign__a_name_that_begins_another_comes_first)
{
    begin();
    bp_azure_pairs_add(headers, "x-ms-copy-source-authorization", g_strdup("Bearer t"));
    bp_azure_pairs_add(headers, "X-MS-Copy-Source", g_strdup("https://h/c"));
    g_autofree char *text = to_sign("PUT", "/c", 0);
    ck_assert_ptr_nonnull(strstr(text, "\nx-ms-copy-source:https://h/c\n"
                                       "x-ms-copy-source-authorization:Bearer t\n"));
}
END_TEST

START_TEST(test_signature__known_value)
{
    /* RFC 4231 has no key in base64; this is openssl's answer for the same. */
    bp_secret *key = bp_secret_new("a2V5");
    g_autofree char *signature =
        bp_azure_signature(key, "The quick brown fox jumps over the lazy dog");
    ck_assert_str_eq(signature, "97yD9DBThCSxMpjmqm+xQ+9NWaFJRhdZl0edvC0aPNg=");
    bp_secret_free(key);
}
END_TEST

START_TEST(test_sas__names_and_encodes)
{
    bp_secret *key = bp_secret_new(AZ_KEY);
    const struct bp_azure_sas_params params = {.account = "acct",
                                               .container = "box",
                                               .blob = "a b/\xC3\xBC",
                                               .permissions = "r",
                                               .start = 1136214245,
                                               .expiry = 1136217845,
                                               .protocol = "https,http",
                                               .key = key};
    g_autofree char *sas = bp_azure_sas(&params);
    /* Made by azure-storage-blob 12 for the version of ours. */
    ck_assert_str_eq(sas, "sv=2021-12-02&sr=b&sp=r&st=2006-01-02T15%3A04%3A05Z"
                          "&se=2006-01-02T16%3A04%3A05Z&spr=https%2Chttp&sig="
                          "o0QbdLBp8wRSEPEwjQ%2FAU6w7MGeLAoqIx1IBd5qNe7g%3D");
    bp_secret_free(key);
}
END_TEST

START_TEST(test_sas__user_delegation)
{
    struct bp_azure_delegation delegation = {.oid = (char *)"oid-1",
                                             .tid = (char *)"tid-1",
                                             .start = (char *)"2006-01-01T00:00:00Z",
                                             .expiry = (char *)"2006-01-03T00:00:00Z",
                                             .service = (char *)"b",
                                             .version = (char *)"2021-12-02",
                                             .value = bp_secret_new(AZ_KEY)};
    const struct bp_azure_sas_params params = {.account = "acct",
                                               .container = "box",
                                               .blob = "a b/\xC3\xBC",
                                               .permissions = "r",
                                               .start = 1136214245,
                                               .expiry = 1136217845,
                                               .protocol = "https",
                                               .delegation = &delegation};
    g_autofree char *sas = bp_azure_sas(&params);
    /* Made by azure-storage-blob 12.14, whose version has the same lines to sign as ours. */
    ck_assert_str_eq(sas, "sv=2021-12-02&sr=b&sp=r&st=2006-01-02T15%3A04%3A05Z"
                          "&se=2006-01-02T16%3A04%3A05Z&spr=https&skoid=oid-1&sktid=tid-1"
                          "&skt=2006-01-01T00%3A00%3A00Z&ske=2006-01-03T00%3A00%3A00Z&sks=b"
                          "&skv=2021-12-02&sig=YTRz3UUl6T8cIeRnIb2ut%2B7zCww3cj1hzEjXh5gEras%3D");
    bp_secret_free(delegation.value);
}
END_TEST

AZ_MAIN("azure sign", test_string_to_sign__get_container_metadata, test_string_to_sign__list_blobs,
        test_string_to_sign__each_header_has_its_line,
        test_string_to_sign__a_name_that_begins_another_comes_first, test_signature__known_value,
        test_sas__names_and_encodes, test_sas__user_delegation)
