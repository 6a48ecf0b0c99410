/* SPDX-License-Identifier: Apache-2.0
 *
 * core/base/log: levels, formats, secrets.
 */
#include "core/base/log.h"

#include <errno.h>
#include <jansson.h>

#include "core/base/thread.h"
#include "tests/harness/suite.h"

#define BP_LOG_MODULE "test"

static GString *lines;

static void
catch_line(void *ctx, const char *line)
{
    (void)ctx;
    g_string_append_printf(lines, "%s\n", line);
}

static void
copy_line(void *ctx, const char *line)
{
    g_string_append_printf(ctx, "%s\n", line);
}

static void
setup(void)
{
    lines = g_string_new(NULL);
    bp_log_set_sink(catch_line, NULL);
    bp_log_set_level(BP_LOG_INFO);
    bp_log_set_format(BP_LOG_FORMAT_TEXT);
}

static void
teardown(void)
{
    bp_log_set_sink(NULL, NULL);
    g_string_free(lines, TRUE);
}

START_TEST(test_level__decides)
{
    guint evaluated = 0;
    enum bp_log_level level = BP_LOG_ERROR;
    BP_INFO("shown");
    BP_DEBUG((evaluated++, "hidden"));
    ck_assert_uint_eq(evaluated, 0); /* arguments of what nobody hears are not even made */
    ck_assert_ptr_nonnull(strstr(lines->str, " info  test: shown\n"));
    ck_assert_ptr_null(strstr(lines->str, "hidden"));
    ck_assert(bp_log_level_parse("trace", &level));
    ck_assert_int_eq(level, BP_LOG_TRACE);
    ck_assert(!bp_log_level_parse("loud", &level));
}
END_TEST

START_TEST(test_text__pairs_on_one_line)
{
    BP_WARN("two\nlines", "key", "a/b", "reason", NULL);
    ck_assert_ptr_nonnull(strstr(lines->str, " warn  test: two lines key=a/b"));
    ck_assert_uint_eq(lines->str[strlen(lines->str) - 1], '\n');
    ck_assert_ptr_eq(strchr(lines->str, '\n'), lines->str + strlen(lines->str) - 1);
}
END_TEST

START_TEST(test_json__is_parsed_back)
{
    bp_log_set_format(BP_LOG_FORMAT_JSON);
    BP_ERROR_LOG("it \"failed\"", "key", "ä/b");
    json_t *line = json_loads(lines->str, 0, NULL);
    ck_assert_ptr_nonnull(line);
    ck_assert_str_eq(json_string_value(json_object_get(line, "level")), "error");
    ck_assert_str_eq(json_string_value(json_object_get(line, "module")), "test");
    ck_assert_str_eq(json_string_value(json_object_get(line, "message")), "it \"failed\"");
    ck_assert_str_eq(json_string_value(json_object_get(line, "key")), "ä/b");
    json_decref(line);
}
END_TEST

START_TEST(test_secret__is_blotted_out)
{
    bp_log_add_secret("s3cr3t");
    bp_log_add_secret("s3cr3t-and-more");
    bp_log_add_secret("abc"); /* too short: would blot out half of every text */
    bp_log_add_secret(NULL);
    BP_INFO("login s3cr3t-and-more", "password", "s3cr3t", "word", "abc");
    ck_assert_ptr_nonnull(strstr(lines->str, "login *** password=*** word=abc"));
    g_autofree char *clean = bp_log_redact("x s3cr3t y");
    ck_assert_str_eq(clean, "x *** y");
}
END_TEST

static json_t *
only_line(void)
{
    json_t *line = json_loads(lines->str, 0, NULL);
    ck_assert_msg(line != NULL, "no object: %s", lines->str);
    ck_assert_uint_eq(lines->str[lines->len - 1], '\n');
    ck_assert_ptr_eq(strchr(lines->str, '\n'), lines->str + lines->len - 1);
    return line;
}

START_TEST(test_json__secret_with_a_quote)
{
    bp_log_set_format(BP_LOG_FORMAT_JSON);
    bp_log_add_secret("pass\"word\\n");
    BP_INFO("is pass\"word\\n", "key", "pass\"word\\n/b");
    json_t *line = only_line();
    ck_assert_str_eq(json_string_value(json_object_get(line, "message")), "is ***");
    ck_assert_str_eq(json_string_value(json_object_get(line, "key")), "***/b");
    json_decref(line);
}
END_TEST

START_TEST(test_json__bytes_that_are_no_text)
{
    bp_log_set_format(BP_LOG_FORMAT_JSON);
    BP_INFO("a\xff\nb", "key", "\xfe");
    json_t *line = only_line();
    ck_assert_str_eq(json_string_value(json_object_get(line, "message")), "a\xef\xbf\xbd\nb");
    ck_assert_str_eq(json_string_value(json_object_get(line, "key")), "\xef\xbf\xbd");
    json_decref(line);
}
END_TEST

static void *
speak_on_another_thread(void *ctx)
{
    (void)ctx;
    BP_INFO("other");
    return NULL;
}

START_TEST(test_json__job_and_request)
{
    pthread_t thread;
    bp_log_set_format(BP_LOG_FORMAT_JSON);
    bp_log_set_job("20261126-014500-2e71f3");
    bp_log_set_request("r1");
    BP_INFO("mine", "job_id", "another", "job", "other");
    json_t *line = only_line();
    ck_assert_str_eq(json_string_value(json_object_get(line, "job_id")), "20261126-014500-2e71f3");
    ck_assert_str_eq(json_string_value(json_object_get(line, "request_id")), "r1");
    ck_assert_str_eq(json_string_value(json_object_get(line, "job")), "other");
    json_decref(line);

    g_string_truncate(lines, 0);
    bp_thread_start(&thread, speak_on_another_thread, NULL);
    pthread_join(thread, NULL);
    line = only_line();
    ck_assert_ptr_nonnull(json_object_get(line, "job_id"));
    ck_assert_ptr_null(json_object_get(line, "request_id"));
    json_decref(line);
    bp_log_set_job(NULL);
    bp_log_set_request(NULL);
}
END_TEST

START_TEST(test_text__names_its_job_among_others)
{
    bp_log_set_job("20261126-014500-2e71f3");
    BP_INFO("alone", "key", "a");
    bp_log_set_shared(true);
    BP_INFO("among others", "key", "b");
    bp_log_set_job(NULL);
    BP_INFO("no job");
    bp_log_set_shared(false);
    ck_assert_ptr_nonnull(strstr(lines->str, "test: alone key=a\n"));
    ck_assert_ptr_nonnull(
        strstr(lines->str, "test: among others key=b job_id=20261126-014500-2e71f3\n"));
    ck_assert_ptr_nonnull(strstr(lines->str, "test: no job\n"));
}
END_TEST

START_TEST(test_log__keeps_errno)
{
    errno = ENOSPC;
    BP_INFO("something");
    ck_assert_int_eq(errno, ENOSPC);
}
END_TEST

START_TEST(test_copy__sees_every_line_without_secrets)
{
    GString *copied = g_string_new(NULL);
    bp_log_add_secret("correct horse");
    bp_log_set_copy(copy_line, copied);
    BP_INFO("the correct horse");
    BP_DEBUG("hidden");
    bp_log_set_copy(NULL, NULL);
    BP_INFO("after");
    ck_assert(g_str_has_suffix(copied->str, " info  test: the ***\n"));
    ck_assert_ptr_nonnull(strstr(lines->str, "the ***"));
    g_string_free(copied, TRUE);
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/base/log", setup, teardown, test_level__decides,
                     test_text__pairs_on_one_line, test_json__is_parsed_back,
                     test_secret__is_blotted_out, test_json__secret_with_a_quote,
                     test_json__bytes_that_are_no_text, test_json__job_and_request,
                     test_text__names_its_job_among_others, test_log__keeps_errno,
                     test_copy__sees_every_line_without_secrets);
}
