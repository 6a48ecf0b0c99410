/* SPDX-License-Identifier: Apache-2.0
 *
 * core/plugin/trust: owners, modes, parents, links, sums.
 */
#include "core/plugin/trust.h"

#include <bakplane/error.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/harness/suite.h"

static char *dir, *file;

static void
setup(void)
{
    dir = g_dir_make_tmp("trust-XXXXXX", NULL);
    file = g_build_filename(dir, "x.so", NULL);
    ck_assert(g_file_set_contents(file, "plugin", -1, NULL));
    ck_assert_int_eq(g_chmod(file, 0755), 0);
}

static void
teardown(void)
{
    (void)g_chmod(dir, 0700);
    (void)g_unlink(file);
    (void)g_rmdir(dir);
    g_free(file);
    g_free(dir);
}

static char *
check(const char *const *allowed, GError **error)
{
    g_autofree char *sum = NULL;
    return bp_trust_check(file, allowed, &sum, error);
}

START_TEST(test_check__trusted_file)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *sum = NULL;
    g_autofree char *real = bp_trust_check(file, NULL, &sum, &error);
    g_autofree char *expected = g_compute_checksum_for_string(G_CHECKSUM_SHA256, "plugin", -1);
    ASSERT_FINE(real != NULL, error);
    ck_assert_str_eq(sum, expected);
    ck_assert(g_path_is_absolute(real));
}
END_TEST

START_TEST(test_check__file_that_others_may_write)
{
    g_autoptr(GError) error = NULL;
    ck_assert_int_eq(g_chmod(file, 0775), 0);
    ck_assert_ptr_null(check(NULL, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "\nhint: chmod go-w "));
    ASSERT_ERROR(error, BP_ERR_DENIED, "others may write to it (mode 0775)");
}
END_TEST

START_TEST(test_check__directory_that_others_may_write)
{
    g_autoptr(GError) error = NULL;
    ck_assert_int_eq(g_chmod(dir, 0777), 0);
    ck_assert_ptr_null(check(NULL, &error));
    ck_assert_ptr_nonnull(strstr(error->message, dir));
    ASSERT_ERROR(error, BP_ERR_DENIED, "others may write to it (mode 0777)");
}
END_TEST

START_TEST(test_check__link_is_resolved_first)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *link = g_build_filename(dir, "link.so", NULL);
    g_autofree char *sum = NULL;
    ck_assert_int_eq(symlink("x.so", link), 0);
    g_autofree char *real = bp_trust_check(link, NULL, &sum, &error);
    ASSERT_FINE(real != NULL, error);
    ck_assert(g_str_has_suffix(real, "/x.so"));
    ck_assert_int_eq(g_unlink(link), 0);
}
END_TEST

/* Whoever may exchange a link says what is loaded, however trusted what it leads to is. */
START_TEST(test_check__link_in_a_directory_that_others_may_write)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *open_dir = g_build_filename(dir, "open", NULL);
    g_autofree char *link = g_build_filename(open_dir, "x.so", NULL);
    g_autofree char *sum = NULL;
    ck_assert_int_eq(g_mkdir(open_dir, 0700), 0);
    ck_assert_int_eq(g_chmod(open_dir, 0777), 0);
    ck_assert_int_eq(symlink(file, link), 0);
    char *real = bp_trust_check(link, NULL, &sum, &error);
    ck_assert_int_eq(g_unlink(link), 0);
    ck_assert_int_eq(g_rmdir(open_dir), 0);
    ck_assert_ptr_null(real);
    ck_assert_ptr_nonnull(strstr(error->message, "\nhint: chmod go-w "));
    ASSERT_ERROR(error, BP_ERR_DENIED, "/open is not trusted: others may write to it (mode 0777)");
}
END_TEST

START_TEST(test_check__link_out_of_the_trusted_directory)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *open_dir = g_build_filename(dir, "open", NULL);
    g_autofree char *target = g_build_filename(open_dir, "x.so", NULL);
    g_autofree char *link = g_build_filename(dir, "link.so", NULL);
    g_autofree char *sum = NULL;
    ck_assert_int_eq(g_mkdir(open_dir, 0700), 0);
    ck_assert(g_file_set_contents(target, "plugin", -1, NULL));
    ck_assert_int_eq(g_chmod(open_dir, 0777), 0);
    ck_assert_int_eq(symlink("./open/../open/x.so", link), 0);
    char *real = bp_trust_check(link, NULL, &sum, &error);
    ck_assert_int_eq(g_unlink(target), 0);
    ck_assert_int_eq(g_rmdir(open_dir), 0);
    ck_assert_int_eq(g_unlink(link), 0);
    ck_assert_ptr_null(real);
    ASSERT_ERROR(error, BP_ERR_DENIED, "/open is not trusted: others may write to it (mode 0777)");
}
END_TEST

START_TEST(test_check__links_on_the_way)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *way = g_build_filename(dir, "way", NULL);
    g_autofree char *through = g_build_filename(way, ".", "x.so", NULL);
    g_autofree char *beside = g_build_filename(way, "..", "x.so", NULL);
    g_autofree char *sum = NULL;
    ck_assert_int_eq(symlink(".", way), 0);
    g_autofree char *real = bp_trust_check(through, NULL, &sum, &error);
    char *none = bp_trust_check(beside, NULL, &sum, NULL); /* above what the link leads to */
    ck_assert_int_eq(g_unlink(way), 0);
    ck_assert_int_eq(symlink("way", way), 0);
    char *loop = bp_trust_check(way, NULL, &sum, &error);
    ck_assert_int_eq(g_unlink(way), 0);
    ck_assert_ptr_nonnull(real);
    ck_assert(g_str_has_suffix(real, "/x.so") && strstr(real, "way") == NULL);
    ck_assert_ptr_null(none);
    ck_assert_ptr_null(loop);
    ck_assert_ptr_nonnull(strstr(error->message, "\nhint: the links lead in a circle"));
    ASSERT_ERROR(error, BP_ERR_INVALID, "cannot resolve ");
}
END_TEST

START_TEST(test_check__no_absolute_path)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *sum = NULL;
    ck_assert_ptr_null(bp_trust_check("plugins/x.so", NULL, &sum, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "\nhint: write the directory in plugins.dirs"));
    ASSERT_ERROR(error, BP_ERR_INVALID, "plugins/x.so is not trusted: it is no absolute path");
}
END_TEST

START_TEST(test_check__no_regular_file)
{
    g_autoptr(GError) error = NULL;
    ck_assert_int_eq(g_unlink(file), 0);
    ck_assert_ptr_null(check(NULL, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "\nhint: install the plugin again"));
    ASSERT_ERROR(error, BP_ERR_NOT_FOUND, "cannot resolve ");
    ck_assert_int_eq(g_mkdir(file, 0755), 0);
    ck_assert_ptr_null(check(NULL, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "\nhint: take it away"));
    ASSERT_ERROR(error, BP_ERR_DENIED, "it is no regular file");
    ck_assert_int_eq(g_rmdir(file), 0);
}
END_TEST

/* A name that no file system takes: what else may go wrong on the way, also for root. */
START_TEST(test_check__path_that_cannot_be_looked_at)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *name = g_strnfill(300, 'x');
    g_autofree char *path = g_build_filename(dir, name, NULL);
    g_autofree char *sum = NULL;
    ck_assert_ptr_null(bp_trust_check(path, NULL, &sum, &error));
    const char *hint = strstr(error->message, "\nhint: namei -l /");
    ck_assert_ptr_nonnull(hint);
    ck_assert_ptr_nonnull(strstr(hint, " shows each step, with its owner and mode"));
    ck_assert_ptr_nonnull(strstr(error->message, "cannot resolve /"));
}
END_TEST

START_TEST(test_check__sums)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, "plugin", -1);
    g_autofree char *upper = g_ascii_strup(sum, -1);
    const char *none[] = {"00", NULL};
    const char *some[] = {"00", upper, NULL};
    ck_assert_ptr_null(check(none, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "\nhint: add that sum, if "));
    ASSERT_ERROR(error, BP_ERR_DENIED, "is none of those in plugins.sha256");
    g_autofree char *real = check(some, &error);
    ASSERT_FINE(real != NULL, error);
}
END_TEST

START_TEST(test_check_mode__table)
{
    static const struct {
        guint32 mode, owner;
        bool fine;
    } cases[] = {
        {S_IFREG | 0755, 0, true},      {S_IFREG | 0755, 1000, true},
        {S_IFREG | 0755, 1001, false},  {S_IFREG | 0757, 1000, false},
        {S_IFREG | 0775, 0, false},     {S_IFDIR | 0755, 0, true},
        {S_IFDIR | 01777, 0, true}, /* /tmp */
        {S_IFDIR | 01777, 1000, false}, {S_IFDIR | 0777, 0, false},
        {S_IFREG | 01777, 0, false}, /* sticky says nothing about a file */
        {S_IFLNK | 0777, 0, true},   /* its directory says who may change it */
        {S_IFLNK | 0777, 1001, false},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        bool fine = bp_trust_check_mode("/p", cases[i].mode, cases[i].owner, 1000, &error);
        ck_assert_msg(fine == cases[i].fine, "case %zu", i);
        ck_assert((error != NULL) != fine);
    }
}
END_TEST

START_TEST(test_check_mode__names_the_owner)
{
    g_autoptr(GError) error = NULL;
    ck_assert(!bp_trust_check_mode("/p", S_IFREG | 0755, 1001, 1000, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "\nhint: chown root /p, if "));
    ASSERT_ERROR(error, BP_ERR_DENIED,
                 "/p is not trusted: it belongs to user 1001, neither to root nor to us");
}
END_TEST

int
main(void)
{
    return RUN_SUITE(
        "core/plugin/trust", setup, teardown, test_check__trusted_file,
        test_check__file_that_others_may_write, test_check__directory_that_others_may_write,
        test_check__link_is_resolved_first, test_check__link_in_a_directory_that_others_may_write,
        test_check__link_out_of_the_trusted_directory, test_check__links_on_the_way,
        test_check__no_absolute_path, test_check__no_regular_file,
        test_check__path_that_cannot_be_looked_at, test_check__sums, test_check_mode__table,
        test_check_mode__names_the_owner);
}
