/* SPDX-License-Identifier: Apache-2.0
 *
 * sdk/http/text: dates and version tags.
 */
#include "sdk/http/text.h"

#include <check.h>
#include <string.h>

#include "tests/harness/run.h"

START_TEST(test_date__of_today)
{
    ck_assert_int_eq(bp_http_date("Mon, 02 Jan 2006 15:04:05 GMT"), INT64_C(1136214245000000000));
    ck_assert_int_eq(bp_http_date("Thu, 31 Dec 2099 23:59:59 GMT"), INT64_C(4102444799000000000));
}
END_TEST

START_TEST(test_date__what_is_none)
{
    static const char *const texts[] = {NULL,
                                        "",
                                        "yesterday",
                                        "Mon, 02 Foo 2006 15:04:05 GMT",
                                        "Mon, xx Jan 2006 15:04:05 GMT",
                                        "Mon, 02 Jan 2006 15:04:05 CET",
                                        "Mon, 02 Jan 2006 15:04:05",
                                        "Mon, 02 Jan 2006 15:04:05 GMT and more"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        ck_assert_int_eq(bp_http_date(texts[i]), 0);
    }
}
END_TEST

START_TEST(test_etag__quotes_and_weakness_go)
{
    char etag[BP_HTTP_ETAG];
    static const char *const texts[] = {"\"0x8D-2\"", "0x8D-2", "W/\"0x8D-2\""};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        bp_http_etag(texts[i], etag);
        ck_assert_str_eq(etag, "0x8D-2");
    }
    bp_http_etag(NULL, etag);
    ck_assert_str_eq(etag, "");
}
END_TEST

START_TEST(test_etag__is_never_cut)
{
    char text[200], etag[BP_HTTP_ETAG];
    memset(text, 'a', sizeof(text));
    text[BP_HTTP_ETAG - 2] = '\0';
    bp_http_etag(text, etag);
    ck_assert_str_eq(etag, text);
    text[BP_HTTP_ETAG - 2] = 'a';
    text[BP_HTTP_ETAG - 1] = '\0';
    bp_http_etag(text, etag);
    ck_assert_str_eq(etag, "");
}
END_TEST

BP_TEST_MAIN("sdk/http/text", NULL, NULL, test_date__of_today, test_date__what_is_none,
             test_etag__quotes_and_weakness_go, test_etag__is_never_cut)
