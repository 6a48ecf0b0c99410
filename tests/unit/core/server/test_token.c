/* SPDX-License-Identifier: Apache-2.0
 *
 * core/server/token
 */
#include "core/server/token.h"

#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/harness/suite.h"

static char *folder, *path;

static void
setup(void)
{
    folder = g_dir_make_tmp("token-XXXXXX", NULL);
    path = g_build_filename(folder, "token", NULL);
}

static void
teardown(void)
{
    (void)g_remove(path);
    ck_assert_int_eq(g_rmdir(folder), 0); /* nothing else was left */
    g_free(path);
    g_free(folder);
}

static void
put(const char *text, gssize n, int mode)
{
    ck_assert(g_file_set_contents(path, text, n, NULL));
    ck_assert_int_eq(g_chmod(path, mode), 0);
}

START_TEST(test_from_file__made_once)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *first = bp_token_from_file(path, &error);
    ASSERT_FINE(first != NULL, error);
    ck_assert_uint_eq(strlen(first), 64);
    GStatBuf is;
    ck_assert_int_eq(g_stat(path, &is), 0);
    ck_assert_uint_eq(is.st_mode & 07777, 0600);
    g_autofree char *again = bp_token_from_file(path, &error);
    ck_assert_str_eq(again, first);
}
END_TEST

START_TEST(test_from_file__never_the_same)
{
    g_autofree char *first = bp_token_from_file(path, NULL);
    (void)g_remove(path);
    g_autofree char *other = bp_token_from_file(path, NULL);
    ck_assert_str_ne(first, other);
}
END_TEST

START_TEST(test_from_file__of_the_operator)
{
    g_autoptr(GError) error = NULL;
    put("0123456789-abcdef\r\n", -1, 0400);
    g_autofree char *token = bp_token_from_file(path, &error);
    ASSERT_FINE(token != NULL, error);
    ck_assert_str_eq(token, "0123456789-abcdef");
}
END_TEST

START_TEST(test_from_file__others_can_use_it)
{
    static const int modes[] = {0640, 0604, 0620, 0666};
    for (gsize i = 0; i < G_N_ELEMENTS(modes); i++) {
        g_autoptr(GError) error = NULL;
        put("0123456789-abcdef\n", -1, modes[i]);
        ck_assert_ptr_null(bp_token_from_file(path, &error));
        ASSERT_ERROR(error, BP_ERR_DENIED, "others than its owner can use it");
    }
}
END_TEST

START_TEST(test_from_file__not_a_token)
{
    g_autofree char *long_text = g_strnfill(BP_TOKEN_MAX_BYTES + 1, 'x');
    const struct {
        const char *text;
        gssize n;
        const char *why;
    } cases[] = {
        {"", -1, "characters, not 0"},
        {"short\n", -1, "characters, not 5"},
        {"0123456789 abcdef", -1, "no blanks"},
        {"0123456789abcdef\nX: y", -1, "no blanks"},
        {"0123456789abcdef\0z", 18, "a zero byte"},
        {long_text, -1, "characters, not 4097"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        put(cases[i].text, cases[i].n, 0600);
        ck_assert_ptr_null(bp_token_from_file(path, &error));
        ASSERT_ERROR(error, BP_ERR_INVALID, cases[i].why);
    }
}
END_TEST

/* As secrets are mounted in containers. */
START_TEST(test_from_file__behind_a_link)
{
    g_autoptr(GError) error = NULL;
    put("0123456789-abcdef\n", -1, 0400);
    g_autofree char *link = g_build_filename(folder, "link", NULL);
    ck_assert_int_eq(symlink("token", link), 0);
    g_autofree char *token = bp_token_from_file(link, &error);
    ASSERT_FINE(token != NULL, error);
    ck_assert_str_eq(token, "0123456789-abcdef");
    ck_assert_int_eq(chmod(path, 0440), 0);
    ck_assert_ptr_null(bp_token_from_file(link, &error));
    ASSERT_ERROR(error, BP_ERR_DENIED, "others than its owner can use it");
    (void)g_remove(link);
}
END_TEST

START_TEST(test_from_file__link_that_leads_nowhere)
{
    g_autoptr(GError) error = NULL;
    ck_assert_int_eq(symlink("nothing", path), 0);
    ck_assert_ptr_null(bp_token_from_file(path, &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "is a link that leads nowhere");
    ck_assert(!g_file_test(path, G_FILE_TEST_EXISTS)); /* nothing was made where it leads */
}
END_TEST

START_TEST(test_from_file__link_of_somebody_else)
{
    if (geteuid() != 0) {
        return; /* cannot be given away */
    }
    g_autoptr(GError) error = NULL;
    g_autofree char *link = g_build_filename(folder, "link", NULL);
    put("0123456789-abcdef\n", -1, 0400);
    ck_assert_int_eq(symlink("token", link), 0);
    ck_assert_int_eq(lchown(link, 12345, 12345), 0);
    ck_assert_ptr_null(bp_token_from_file(link, &error));
    ASSERT_ERROR(error, BP_ERR_DENIED, "is somebody else's link");
    (void)g_remove(link);
}
END_TEST

START_TEST(test_from_file__no_folder)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *nowhere = g_build_filename(folder, "no", "token", NULL);
    ck_assert_ptr_null(bp_token_from_file(nowhere, &error));
    ASSERT_ERROR(error, BP_ERR_NOT_FOUND, "making token file");
}
END_TEST

int
main(void)
{
    return RUN_SUITE("server/token", setup, teardown, test_from_file__made_once,
                     test_from_file__never_the_same, test_from_file__of_the_operator,
                     test_from_file__others_can_use_it, test_from_file__not_a_token,
                     test_from_file__behind_a_link, test_from_file__link_that_leads_nowhere,
                     test_from_file__link_of_somebody_else, test_from_file__no_folder);
}
