/* SPDX-License-Identifier: Apache-2.0
 *
 * sdk/lib/errors: class, text and cutting of filled errors.
 */
#include "sdk/lib/errors.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/lib/key.h"

START_TEST(test_fail__fills_class_and_message)
{
    struct bp_error error;
    bp_error_init(&error);
    bp_status status = bp_fail(&error, BP_ERR_NOT_FOUND, "object %s: %d", "a/b", 7);
    ck_assert_int_eq(status, BP_ERR_NOT_FOUND);
    ck_assert_int_eq(error.cls, BP_ERR_NOT_FOUND);
    ck_assert_str_eq(error.message, "object a/b: 7");
    ck_assert_uint_eq(error.struct_size, sizeof(error));
    ck_assert_int_eq(error.sys_errno, 0);
}
END_TEST

START_TEST(test_fail__forgets_the_previous_failure)
{
    struct bp_error error;
    bp_error_init(&error);
    error.flags = BP_ERROR_OUTCOME_UNKNOWN;
    error.remote_status = 503;
    strcpy(error.code, "SlowDown");
    bp_fail(&error, BP_ERR_INVALID, "x");
    ck_assert_uint_eq(error.flags, 0);
    ck_assert_int_eq(error.remote_status, 0);
    ck_assert_str_eq(error.code, "");
}
END_TEST

START_TEST(test_fail__never_answers_ok)
{
    struct bp_error error;
    bp_error_init(&error);
    ck_assert_int_eq(bp_fail(&error, BP_OK, "x"), BP_ERR_PERMANENT);
    ck_assert_int_eq(error.cls, BP_ERR_PERMANENT);
}
END_TEST

START_TEST(test_fail__message_is_one_line)
{
    struct bp_error error;
    bp_error_init(&error);
    bp_fail(&error, BP_ERR_DENIED, "file %s", "a\nb\x7f");
    ck_assert_str_eq(error.message, "file a?b?");
}
END_TEST

START_TEST(test_fail__cuts_between_characters)
{
    struct bp_error error;
    char longer[800];
    for (size_t shift = 0; shift < 4; shift++) {
        memset(longer, 'x', shift);
        for (size_t i = shift; i + 4 < sizeof(longer); i += 4) {
            memcpy(longer + i, "\xF0\x9F\x98\x80", 4);
        }
        longer[shift + 4 * 190] = '\0';
        bp_error_init(&error);
        bp_fail(&error, BP_ERR_INVALID, "%s", longer);
        size_t len = strlen(error.message);
        ck_assert_uint_gt(len, sizeof(error.message) - 6);
        ck_assert_int_eq(bp_utf8_check(error.message), 0);
    }
}
END_TEST

static const char *
long_key(char key[1025], char letter)
{
    memset(key, letter, 1024);
    memcpy(key, "db/coll/", 8);
    memcpy(key + 1014, "/part-0001", 11);
    return key;
}

START_TEST(test_fail__reason_stays_behind_a_long_key)
{
    struct bp_error error;
    char key[1025];
    bp_error_init(&error);
    bp_fail(&error, BP_ERR_RETRYABLE, "cannot read %s: the connection was reset",
            long_key(key, 'k'));
    const char *end = "/part-0001: the connection was reset";
    size_t len = strlen(error.message);
    ck_assert_uint_eq(len, sizeof(error.message) - 1);
    ck_assert_int_eq(strncmp(error.message, "cannot read db/coll/kkk", 23), 0);
    ck_assert_ptr_nonnull(strstr(error.message, "k\xE2\x80\xA6k"));
    ck_assert_str_eq(error.message + len - strlen(end), end);
}
END_TEST

START_TEST(test_fail__reason_stays_behind_two_long_keys)
{
    struct bp_error error;
    char from[1025], to[1025];
    bp_error_init(&error);
    bp_fail(&error, BP_ERR_DENIED, "cannot copy %s to %s: access denied", long_key(from, 'f'),
            long_key(to, 't'));
    ck_assert_ptr_nonnull(strstr(error.message, "cannot copy db/coll/fff"));
    ck_assert_ptr_nonnull(strstr(error.message, "f/part-0001 to db/coll/ttt"));
    ck_assert_ptr_nonnull(strstr(error.message, "t/part-0001: access denied"));
}
END_TEST

START_TEST(test_fail__reason_stays_behind_many_words)
{
    struct bp_error error;
    char key[1025];
    for (size_t i = 0; i < 1024; i++) {
        key[i] = i % 8 == 7 ? ' ' : 'w';
    }
    key[1024] = '\0';
    bp_error_init(&error);
    bp_fail(&error, BP_ERR_DENIED, "cannot read %s: access denied", key);
    ck_assert_int_eq(strncmp(error.message, "cannot read www", 15), 0);
    ck_assert_ptr_nonnull(strstr(error.message, ": access denied"));
}
END_TEST

START_TEST(test_fail__message_beyond_all_measure)
{
    struct bp_error error;
    static char longer[9000];
    for (size_t shift = 0; shift < 4; shift++) {
        memset(longer, 'x', shift);
        for (size_t i = shift; i + 4 < sizeof(longer); i += 4) {
            memcpy(longer + i, "\xF0\x9F\x98\x80", 4);
        }
        bp_error_init(&error);
        bp_fail(&error, BP_ERR_INVALID, "%s", longer);
        ck_assert_int_eq(bp_utf8_check(error.message), 0);
        bp_fail_errno(&error, EACCES, "%s", longer);
        ck_assert_int_eq(bp_utf8_check(error.message), 0);
        ck_assert_ptr_nonnull(strstr(error.message, ": Permission denied"));
    }
}
END_TEST

START_TEST(test_fail_errno__class_number_and_reason)
{
    struct bp_error error;
    bp_error_init(&error);
    bp_status status = bp_fail_errno(&error, ENOSPC, "write %s", "/srv/x");
    ck_assert_int_eq(status, BP_ERR_NO_SPACE);
    ck_assert_int_eq(error.sys_errno, ENOSPC);
    ck_assert_str_eq(error.message, "write /srv/x: No space left on device");
}
END_TEST

START_TEST(test_fail_errno__keeps_the_reason_when_cut)
{
    struct bp_error error;
    char longer[1000];
    memset(longer, 'p', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    bp_error_init(&error);
    bp_fail_errno(&error, EACCES, "open %s", longer);
    const char *reason = ": Permission denied";
    size_t len = strlen(error.message);
    ck_assert_uint_lt(len, sizeof(error.message));
    ck_assert_str_eq(error.message + len - strlen(reason), reason);
}
END_TEST

static const struct {
    int errnum;
    bp_status cls;
} classes[] = {
    {ENOSPC, BP_ERR_NO_SPACE},   {EDQUOT, BP_ERR_NO_SPACE},        {EACCES, BP_ERR_DENIED},
    {EPERM, BP_ERR_DENIED},      {EROFS, BP_ERR_DENIED},           {ENOENT, BP_ERR_NOT_FOUND},
    {ENOTDIR, BP_ERR_NOT_FOUND}, {EEXIST, BP_ERR_EXISTS},          {ENAMETOOLONG, BP_ERR_INVALID},
    {EINVAL, BP_ERR_INVALID},    {ENOMEM, BP_ERR_NOMEM},           {ESTALE, BP_ERR_RETRYABLE},
    {EIO, BP_ERR_RETRYABLE},     {EMFILE, BP_ERR_RETRYABLE},       {ECONNRESET, BP_ERR_RETRYABLE},
    {EXDEV, BP_ERR_UNSUPPORTED}, {EOPNOTSUPP, BP_ERR_UNSUPPORTED}, {ECANCELED, BP_ERR_CANCELLED},
    {EBADF, BP_ERR_PERMANENT},
};

START_TEST(test_errno_class__table)
{
    ck_assert_int_eq(bp_errno_class(classes[_i].errnum), classes[_i].cls);
}
END_TEST

START_TEST(test_class_name__all_have_one)
{
    for (bp_status cls = BP_OK; cls < BP_ERR_CLASS_END; cls++) {
        ck_assert_ptr_nonnull(bp_class_name(cls));
        ck_assert_str_ne(bp_class_name(cls), "unknown");
    }
    ck_assert_str_eq(bp_class_name(BP_ERR_NO_SPACE), "no-space");
    ck_assert_str_eq(bp_class_name(-1), "unknown");
    ck_assert_str_eq(bp_class_name(BP_ERR_CLASS_END), "unknown");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("sdk/lib/errors");
    TCase *tcase = tcase_create("errors");
    tcase_add_test(tcase, test_fail__fills_class_and_message);
    tcase_add_test(tcase, test_fail__forgets_the_previous_failure);
    tcase_add_test(tcase, test_fail__never_answers_ok);
    tcase_add_test(tcase, test_fail__message_is_one_line);
    tcase_add_test(tcase, test_fail__cuts_between_characters);
    tcase_add_test(tcase, test_fail__reason_stays_behind_a_long_key);
    tcase_add_test(tcase, test_fail__reason_stays_behind_two_long_keys);
    tcase_add_test(tcase, test_fail__reason_stays_behind_many_words);
    tcase_add_test(tcase, test_fail__message_beyond_all_measure);
    tcase_add_test(tcase, test_fail_errno__class_number_and_reason);
    tcase_add_test(tcase, test_fail_errno__keeps_the_reason_when_cut);
    tcase_add_loop_test(tcase, test_errno_class__table, 0, sizeof(classes) / sizeof(classes[0]));
    tcase_add_test(tcase, test_class_name__all_have_one);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
