/* SPDX-License-Identifier: Apache-2.0
 *
 * core/server/access_files: who is let in, by the settings.
 */
#include <glib/gstdio.h>

#include "core/server/access.h"
#include "tests/harness/suite.h"

static char *folder, *operate, *look;
static bp_server_settings settings;

static void
setup(void)
{
    folder = g_dir_make_tmp("access-XXXXXX", NULL);
    operate = g_build_filename(folder, "server", "token", NULL);
    look = g_build_filename(folder, "read", NULL);
    settings = (bp_server_settings){.listen = {.host = (char *)"127.0.0.1", .port = 0},
                                    .token_file = operate};
}

static void
teardown(void)
{
    g_autofree char *below = g_path_get_dirname(operate);
    (void)g_remove(operate);
    (void)g_remove(look);
    (void)g_rmdir(below);
    ck_assert_int_eq(g_rmdir(folder), 0);
    g_free(operate);
    g_free(look);
    g_free(folder);
}

static bp_role
role_with(const bp_access *access, const char *path)
{
    g_autofree char *token = NULL;
    ck_assert(g_file_get_contents(path, &token, NULL, NULL));
    g_autofree char *header = g_strconcat("Bearer ", g_strstrip(token), NULL);
    return bp_access_role(access, header);
}

START_TEST(test_open__makes_the_tokens)
{
    g_autoptr(GError) error = NULL;
    settings.read_token_file = look;
    g_autoptr(bp_access) access = bp_access_open(&settings, &error);
    ASSERT_FINE(access != NULL, error);
    ck_assert_int_eq(role_with(access, operate), BP_ROLE_OPERATE);
    ck_assert_int_eq(role_with(access, look), BP_ROLE_READ);
    ck_assert_int_eq(bp_access_role(access, "Bearer 0123456789abcdef"), BP_ROLE_NONE);
    ck_assert_int_eq(bp_access_role(access, NULL), BP_ROLE_NONE);
}
END_TEST

START_TEST(test_open__only_one_is_wanted)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(bp_access) access = bp_access_open(&settings, &error);
    ASSERT_FINE(access != NULL, error);
    ck_assert_int_eq(role_with(access, operate), BP_ROLE_OPERATE);
    ck_assert(!g_file_test(look, G_FILE_TEST_EXISTS));
}
END_TEST

START_TEST(test_open__a_token_that_others_can_read)
{
    g_autoptr(GError) error = NULL;
    settings.read_token_file = look;
    ck_assert(g_file_set_contents(look, "0123456789abcdef", -1, NULL));
    ck_assert_int_eq(g_chmod(look, 0640), 0);
    ck_assert_ptr_null(bp_access_open(&settings, &error));
    ASSERT_ERROR(error, BP_ERR_DENIED, look);
}
END_TEST

START_TEST(test_open__one_token_for_both_roles)
{
    g_autoptr(GError) error = NULL;
    settings.read_token_file = operate;
    ck_assert_ptr_null(bp_access_open(&settings, &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "the same token as server.token_file");
}
END_TEST

START_TEST(test_open__everybody)
{
    g_autoptr(GError) error = NULL;
    settings.is_open = true;
    settings.token_file = NULL;
    g_autoptr(bp_access) access = bp_access_open(&settings, &error);
    ASSERT_FINE(access != NULL, error);
    ck_assert_int_eq(bp_access_role(access, NULL), BP_ROLE_OPERATE);
    settings.listen.host = (char *)"0.0.0.0";
    ck_assert_ptr_null(bp_access_open(&settings, &error));
    ASSERT_ERROR(error, BP_ERR_INVALID, "say --insecure");
}
END_TEST

int
main(void)
{
    return RUN_SUITE("server/access_files", setup, teardown, test_open__makes_the_tokens,
                     test_open__only_one_is_wanted, test_open__a_token_that_others_can_read,
                     test_open__one_token_for_both_roles, test_open__everybody);
}
