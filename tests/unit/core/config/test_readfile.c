/* SPDX-License-Identifier: Apache-2.0
 *
 * core/config/readfile: small files, and files that are not.
 */
#include "core/config/readfile.h"

#include "fixture.h"

START_TEST(test_bp_small_file_read__reads_all)
{
    g_autofree char *path = fixture_file("f", "twelve bytes");
    g_auto(bp_small_file) file = {0};
    GError *error = NULL;
    ck_assert(bp_small_file_read(path, "file", 12, &file, &error));
    ck_assert_uint_eq(file.size, 12);
    ck_assert_str_eq(file.text, "twelve bytes");
    ck_assert_uint_eq(file.stat.st_mode & 0777, 0600);
}
END_TEST

START_TEST(test_bp_small_file_read__refuses_one_byte_too_many)
{
    g_autofree char *path = fixture_file("f", "twelve bytes");
    g_auto(bp_small_file) file = {0};
    GError *error = NULL;
    ck_assert(!bp_small_file_read(path, "secret file", 11, &file, &error));
    assert_error(error, BP_ERR_INVALID, "/f: larger than 11 bytes");
}
END_TEST

START_TEST(test_bp_small_file_read__missing)
{
    g_autofree char *path = fixture_path("nothing");
    g_auto(bp_small_file) file = {0};
    GError *error = NULL;
    ck_assert(!bp_small_file_read(path, "config file", 10, &file, &error));
    assert_error(error, BP_ERR_NOT_FOUND, "/nothing: No such file");
}
END_TEST

START_TEST(test_bp_small_file_read__a_directory_is_no_file)
{
    g_auto(bp_small_file) file = {0};
    GError *error = NULL;
    ck_assert(!bp_small_file_read(fixture_dir, "config file", 10, &file, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "Is a directory"));
    g_error_free(error);
}
END_TEST

START_TEST(test_bp_small_file_clear__twice_is_fine)
{
    g_autofree char *path = fixture_file("f", "x");
    bp_small_file file;
    ck_assert(bp_small_file_read(path, "file", 12, &file, NULL));
    bp_small_file_clear(&file);
    bp_small_file_clear(&file);
    ck_assert_ptr_null(file.text);
}
END_TEST

int
main(void)
{
    TCase *cases = fixture_cases("readfile");
    tcase_add_test(cases, test_bp_small_file_read__reads_all);
    tcase_add_test(cases, test_bp_small_file_read__refuses_one_byte_too_many);
    tcase_add_test(cases, test_bp_small_file_read__missing);
    tcase_add_test(cases, test_bp_small_file_read__a_directory_is_no_file);
    tcase_add_test(cases, test_bp_small_file_clear__twice_is_fine);
    return fixture_run("readfile", cases);
}
