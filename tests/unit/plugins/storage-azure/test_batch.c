/* SPDX-License-Identifier: Apache-2.0
 *
 * The form of batches: what is sent, and what is understood of answers.
 */
#include "plugins/storage-azure/batch.h"

#include "tests/unit/plugins/storage-azure/azure_test.h"

START_TEST(test_boundary__of_a_type)
{
    static const char *const types[][2] = {
        {"multipart/mixed; boundary=batchresponse_1", "batchresponse_1"},
        {"multipart/mixed; boundary=\"a b\"", "a"},
        {"multipart/mixed; boundary=\"ab\"; charset=x", "ab"},
        {"multipart/mixed", NULL}};
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        g_autofree char *boundary = bp_azure_batch_boundary(types[i][0]);
        ck_assert_pstr_eq(boundary, types[i][1]);
    }
    ck_assert_ptr_null(bp_azure_batch_boundary(NULL));
}
END_TEST

START_TEST(test_body__of_two)
{
    g_autoptr(GString) body = g_string_new(NULL);
    bp_azure_batch_part(body, "b", 0);
    g_string_append(body, "one\r\n\r\n");
    bp_azure_batch_part(body, "b", 11);
    g_string_append(body, "two\r\n\r\n");
    bp_azure_batch_end(body, "b");
    ck_assert_str_eq(body->str, "--b\r\nContent-Type: application/http\r\n"
                                "Content-Transfer-Encoding: binary\r\nContent-ID: 0\r\n\r\n"
                                "one\r\n\r\n"
                                "--b\r\nContent-Type: application/http\r\n"
                                "Content-Transfer-Encoding: binary\r\nContent-ID: 11\r\n\r\n"
                                "two\r\n\r\n"
                                "--b--\r\n");
}
END_TEST

/* As the reference shows it. */
#define ANSWERS                                                                             \
    "--b\r\nContent-Type: application/http\r\nContent-ID: 1\r\n\r\n"                        \
    "HTTP/1.1 202 Accepted\r\nx-ms-request-id: r-1\r\nx-ms-version: 2018-11-09\r\n\r\n"     \
    "--b\r\nContent-Type: application/http\r\ncontent-id: 0\r\n\r\n"                        \
    "HTTP/1.1 404 The specified blob does not exist.\r\nx-ms-error-code: BlobNotFound\r\n"  \
    "Content-Type: application/xml\r\n\r\n\xEF\xBB\xBF<?xml version=\"1.0\"?>\n<Error>"     \
    "<Code>BlobNotFound</Code><Message>gone\nRequestId:2</Message></Error>\r\n"             \
    "--b\r\nContent-Type: application/http\n\nHTTP/1.1 503 busy\nRetry-After: 3\n\n<Error>" \
    "<Code>ServerBusy</Code><Message>busy</Message></Error>\n--b--"

START_TEST(test_answers__in_any_order)
{
    const char *at = ANSWERS;
    struct bp_azure_part_answer answer;
    ck_assert(bp_azure_batch_next(&at, "b", &answer));
    ck_assert_int_eq(answer.number, 1);
    ck_assert_int_eq(answer.status, 202);
    ck_assert_str_eq(answer.request_id, "r-1");
    ck_assert_ptr_null(answer.code);
    bp_azure_part_answer_clear(&answer);
    ck_assert(bp_azure_batch_next(&at, "b", &answer));
    ck_assert_int_eq(answer.number, 0);
    ck_assert_int_eq(answer.status, 404);
    ck_assert_str_eq(answer.code, "BlobNotFound");
    ck_assert_str_eq(answer.message, "gone\nRequestId:2");
    bp_azure_part_answer_clear(&answer);
    ck_assert(bp_azure_batch_next(&at, "b", &answer));
    ck_assert_int_eq(answer.number, -1);
    ck_assert_int_eq(answer.status, 503);
    ck_assert_str_eq(answer.code, "ServerBusy");
    ck_assert_uint_eq(answer.retry_after_s, 3);
    bp_azure_part_answer_clear(&answer);
    ck_assert(!bp_azure_batch_next(&at, "b", &answer));
}
END_TEST

START_TEST(test_answers__that_are_none)
{
    static const char *const texts[] = {"", "--b--",
                                        "--c\r\nContent-ID: 0\r\n\r\nHTTP/1.1 202 x\r\n"};
    struct bp_azure_part_answer answer;
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        const char *at = texts[i];
        ck_assert(!bp_azure_batch_next(&at, "b", &answer));
    }
    /* Cut at each place: no success that was not there. */
    for (size_t n = strlen("--b"); n < strlen(ANSWERS); n++) {
        g_autofree char *text = g_strndup(ANSWERS, n);
        const char *at = text;
        while (bp_azure_batch_next(&at, "b", &answer)) {
            ck_assert(answer.status / 100 != 2 || strstr(text, "HTTP/1.1 202") != NULL);
            bp_azure_part_answer_clear(&answer);
        }
    }
}
END_TEST

AZ_MAIN("azure batch", test_boundary__of_a_type, test_body__of_two, test_answers__in_any_order,
        test_answers__that_are_none)
