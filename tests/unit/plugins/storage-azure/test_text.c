/* SPDX-License-Identifier: Apache-2.0
 *
 * Text forms.
 */
#include "plugins/storage-azure/text.h"

#include "tests/unit/plugins/storage-azure/azure_test.h"

START_TEST(test_encode__all_but_unreserved)
{
    g_autofree char *name = bp_azure_encode("a/b c+%\xC3\xBC~-._", false);
    g_autofree char *path = bp_azure_encode("a/b c+%\xC3\xBC~-._", true);
    ck_assert_str_eq(name, "a%2Fb%20c%2B%25%C3%BC~-._");
    ck_assert_str_eq(path, "a/b%20c%2B%25%C3%BC~-._");
}
END_TEST

START_TEST(test_http_date__both_ways)
{
    char text[BP_AZURE_TIME];
    bp_azure_http_date(1136214245, text);
    ck_assert_str_eq(text, "Mon, 02 Jan 2006 15:04:05 GMT");
    ck_assert_int_eq(bp_azure_parse_http_date(text), INT64_C(1136214245000000000));
}
END_TEST

START_TEST(test_parse_http_date__what_is_none)
{
    static const char *const texts[] = {NULL,
                                        "",
                                        "yesterday",
                                        "Mon, 02 Foo 2006 15:04:05 GMT",
                                        "Mon, xx Jan 2006 15:04:05 GMT",
                                        "Mon, 02 Jan 2006"};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        ck_assert_int_eq(bp_azure_parse_http_date(texts[i]), 0);
    }
}
END_TEST

START_TEST(test_iso_date__both_ways)
{
    char text[BP_AZURE_TIME];
    bp_azure_iso_date(1136214245, text);
    ck_assert_str_eq(text, "2006-01-02T15:04:05Z");
    ck_assert_int_eq(bp_azure_parse_iso_date(text), 1136214245);
    ck_assert_int_eq(bp_azure_parse_iso_date("soon"), 0);
    ck_assert_int_eq(bp_azure_parse_iso_date(NULL), 0);
}
END_TEST

START_TEST(test_redact__each_signature)
{
    char text[] = "GET http://h/c?sp=r&sig=abc%2F123&st=1 and 'x?sig=zz' sig=";
    bp_azure_redact(text);
    ck_assert_str_eq(text, "GET http://h/c?sp=r&sig=*********&st=1 and 'x?sig=**' sig=");
}
END_TEST

START_TEST(test_parse_md5__only_of_16_bytes)
{
    uint8_t md5[16];
    ck_assert(bp_azure_parse_md5("1B2M2Y8AsgTpgAmY7PhCfg==", md5));
    ck_assert_int_eq(md5[0], 0xD4);
    ck_assert_int_eq(md5[15], 0x7E);
    ck_assert(!bp_azure_parse_md5(NULL, md5));
    ck_assert(!bp_azure_parse_md5("", md5));
    ck_assert(!bp_azure_parse_md5("1B2M2Y8A", md5));
}
END_TEST

START_TEST(test_plain_etag__quotes_and_weakness_go)
{
    char etag[128];
    static const char *const texts[] = {"\"0x8D\"", "0x8D", "W/\"0x8D\""};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        bp_azure_plain_etag(texts[i], etag);
        ck_assert_str_eq(etag, "0x8D");
    }
    bp_azure_plain_etag(NULL, etag);
    ck_assert_str_eq(etag, "");
}
END_TEST

AZ_MAIN("azure text", test_encode__all_but_unreserved, test_http_date__both_ways,
        test_parse_http_date__what_is_none, test_iso_date__both_ways, test_redact__each_signature,
        test_parse_md5__only_of_16_bytes, test_plain_etag__quotes_and_weakness_go)
