/* SPDX-License-Identifier: Apache-2.0
 *
 * sdk/http/xml: what is read, and what is refused.
 */
#include "sdk/http/xml.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/lib/errors.h"

static bp_xml *xml;
static struct bp_error error;

static bp_status
parse(const char *text)
{
    bp_xml_free(xml);
    bp_error_init(&error);
    return bp_xml_parse(text, strlen(text), &xml, &error);
}

static void
teardown(void)
{
    bp_xml_free(xml);
    xml = NULL;
}

#define ASSERT_PARSED(text) ck_assert_msg(parse(text) == BP_OK, "%s", error.message)

#define ASSERT_REFUSED(text, why)                                                                 \
    do {                                                                                          \
        bp_status status_ = parse(text);                                                          \
        ck_assert_msg(status_ == BP_ERR_CORRUPT && strstr(error.message, (why)) != NULL, "%d %s", \
                      status_, error.message);                                                    \
        ck_assert_ptr_null(xml);                                                                  \
    } while (0)

#define LIST                                                                      \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- a page -->"                 \
    "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\n"      \
    "  <IsTruncated>false</IsTruncated><Marker/>\n"                               \
    "  <Contents><Key>a&amp;b &lt;\xC3\xA4&gt; </Key><Size>5</Size></Contents>\n" \
    "  <Contents><Key><![CDATA[<c>]]>&#x64;</Key><Size>6</Size></Contents>\n"     \
    "</ListBucketResult>\n"

START_TEST(test_parse__list_of_objects)
{
    ASSERT_PARSED(LIST);
    const bp_xml_node *root = bp_xml_root(xml);
    ck_assert_str_eq(bp_xml_name(root), "ListBucketResult");
    ck_assert_str_eq(bp_xml_text(root, "IsTruncated"), "false");
    ck_assert_str_eq(bp_xml_text(root, "Marker"), "");
    ck_assert_ptr_null(bp_xml_text(root, "NextMarker"));
    const bp_xml_node *entry = bp_xml_first(root, "Contents");
    ck_assert_str_eq(bp_xml_text(entry, "Key"), "a&b <\xC3\xA4> ");
    ck_assert_str_eq(bp_xml_text(entry, "Size"), "5");
    entry = bp_xml_next(entry, "Contents");
    ck_assert_str_eq(bp_xml_text(entry, "Key"), "<c>d");
    ck_assert_ptr_null(bp_xml_next(entry, "Contents"));
    ck_assert_ptr_null(bp_xml_first(entry, "Owner"));
}
END_TEST

START_TEST(test_parse__any_name_and_prefixes)
{
    ASSERT_PARSED("<a:r xmlns:a=\"urn:a\"> <a:x>1</a:x><!-- - --><?go on?><y>2</y></a:r>");
    const bp_xml_node *root = bp_xml_root(xml);
    ck_assert_str_eq(bp_xml_name(root), "r");
    const bp_xml_node *child = bp_xml_first(root, NULL);
    ck_assert_str_eq(bp_xml_name(child), "x");
    ck_assert_str_eq(bp_xml_own_text(child), "1");
    child = bp_xml_next(child, NULL);
    ck_assert_str_eq(bp_xml_name(child), "y");
    ck_assert_ptr_null(bp_xml_next(child, NULL));
}
END_TEST

START_TEST(test_attribute__values)
{
    ASSERT_PARSED(
        "<r xmlns:a=\"urn:a\" one=\"1\" two='a&amp;b &lt;&#x63;&gt;' a:three=\"3\" no=\"\">"
        "<x/></r>");
    const bp_xml_node *root = bp_xml_root(xml);
    ck_assert_str_eq(bp_xml_attribute(root, "one"), "1");
    ck_assert_str_eq(bp_xml_attribute(root, "two"), "a&b <c>");
    ck_assert_str_eq(bp_xml_attribute(root, "three"), "3");
    ck_assert_str_eq(bp_xml_attribute(root, "no"), "");
    ck_assert_ptr_null(bp_xml_attribute(root, "four"));
    ck_assert_ptr_null(bp_xml_attribute(bp_xml_first(root, "x"), "one"));
}
END_TEST

START_TEST(test_parse__comments_do_not_cut_texts)
{
    ASSERT_PARSED("<r>one<!-- - --> and<?go?> two</r>");
    ck_assert_str_eq(bp_xml_own_text(bp_xml_root(xml)), "one and two");
}
END_TEST

START_TEST(test_parse__byte_order_mark)
{
    ASSERT_PARSED("\xEF\xBB\xBF<r>1</r>"); /* Azure sends one */
    ck_assert_str_eq(bp_xml_own_text(bp_xml_root(xml)), "1");
}
END_TEST

START_TEST(test_parse__not_well_formed)
{
    ASSERT_REFUSED("<a>\n<b></a>", "XML line 2: ");
    ASSERT_REFUSED("<a/><b/>", "XML line 1: ");
    ASSERT_REFUSED("<a>\x01</a>", "XML line 1: ");
    ASSERT_REFUSED("<a>\xFF</a>", "XML line 1: ");
    ASSERT_REFUSED("{\"a\": 1}", "XML line 1: ");
    ASSERT_REFUSED("<a>&unknown;</a>", "XML line 1: ");
}
END_TEST

START_TEST(test_parse__cut)
{
    for (size_t n = 0; n < strlen(LIST) - 1; n++) {
        bp_error_init(&error);
        bp_status status = bp_xml_parse(LIST, n, &xml, &error);
        ck_assert_msg(status == BP_ERR_CORRUPT, "%zu bytes: %d", n, status);
    }
}
END_TEST

START_TEST(test_parse__document_types)
{
    ASSERT_REFUSED("<!DOCTYPE a><a/>", "document type");
    ASSERT_REFUSED("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", "document type");
    ASSERT_REFUSED("<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", "document type");
    ASSERT_REFUSED("<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>",
                   "document type");
    ASSERT_REFUSED("<!DOCTYPE a [<!ENTITY % p SYSTEM \"http://127.0.0.1:1/\"> %p;]><a/>",
                   "document type");
}
END_TEST

START_TEST(test_parse__depth)
{
    static char text[20000];
    size_t n = 0;
    for (int i = 0; i < 200; i++, n += 3) {
        memcpy(text + n, "<a>", 3);
    }
    for (int i = 0; i < 200; i++, n += 4) {
        memcpy(text + n, "</a>", 4);
    }
    ASSERT_PARSED(text);
    for (n = 0; n < 6000; n += 3) {
        memcpy(text + n, "<a>", 3);
    }
    ASSERT_REFUSED(text, "depth");
}
END_TEST

/* "<r>", as many of a tag as fit, "</r>". */
static char *
repeat(const char *tag, size_t times)
{
    size_t len = strlen(tag);
    char *text = malloc(len * times + sizeof("<r></r>"));
    ck_assert_ptr_nonnull(text);
    memcpy(text, "<r>", 3);
    for (size_t i = 0; i < times; i++) {
        memcpy(text + 3 + i * len, tag, len);
    }
    memcpy(text + 3 + len * times, "</r>", sizeof("</r>"));
    return text;
}

START_TEST(test_parse__number_of_elements)
{
    char *text = repeat("<a/>", 400000);
    ASSERT_REFUSED(text, "XML of more than 400000 elements");
    free(text);
    text = repeat("<a b='' c='' d=''/>", 100000);
    ASSERT_REFUSED(text, "XML of more than 400000 elements");
    free(text);
}
END_TEST

START_TEST(test_parse__prints_nothing)
{
    FILE *was = stderr;
    char printed[1000] = "";
    /* libxml2 writes to the C library's stream. */
    FILE *trap = fmemopen(printed, sizeof(printed), "w");
    ck_assert_ptr_nonnull(trap);
    stderr = trap;
    bp_status status = parse("<a><b></a>");
    stderr = was;
    (void)fclose(trap);
    ck_assert_int_eq(status, BP_ERR_CORRUPT);
    ck_assert_str_eq(printed, "");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("sdk/http/xml");
    TCase *tcase = tcase_create("xml");
    tcase_add_checked_fixture(tcase, NULL, teardown);
    tcase_add_test(tcase, test_parse__list_of_objects);
    tcase_add_test(tcase, test_parse__any_name_and_prefixes);
    tcase_add_test(tcase, test_attribute__values);
    tcase_add_test(tcase, test_parse__comments_do_not_cut_texts);
    tcase_add_test(tcase, test_parse__byte_order_mark);
    tcase_add_test(tcase, test_parse__not_well_formed);
    tcase_add_test(tcase, test_parse__cut);
    tcase_add_test(tcase, test_parse__document_types);
    tcase_add_test(tcase, test_parse__depth);
    tcase_add_test(tcase, test_parse__number_of_elements);
    tcase_add_test(tcase, test_parse__prints_nothing);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
