/* SPDX-License-Identifier: Apache-2.0
 *
 * core/plugin/project: what is written, what is refused, and that nothing is overwritten or left.
 * Whether the project can be built is tested by tests/install.
 */
#include "core/plugin/project.h"

#include <bakplane/error.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/harness/suite.h"

static char *dir;

static void
setup(void)
{
    dir = g_dir_make_tmp("project-XXXXXX", NULL);
}

static void
remove_all(const char *path)
{
    g_autoptr(GDir) opened = g_dir_open(path, 0, NULL);
    const char *name = NULL;
    while (opened != NULL && (name = g_dir_read_name(opened)) != NULL) {
        g_autofree char *inner = g_build_filename(path, name, NULL);
        remove_all(inner);
    }
    (void)g_remove(path);
}

static void
teardown(void)
{
    remove_all(dir);
    g_free(dir);
}

static char *
read_file(const char *folder, const char *file)
{
    char *text = NULL;
    g_autofree char *path = g_build_filename(folder, file, NULL);
    ck_assert_msg(g_file_get_contents(path, &text, NULL, NULL), "no %s", path);
    return text;
}

START_TEST(test_write__every_file_with_the_name)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = bp_project_write(dir, "cold-2", &error);
    ASSERT_FINE(folder != NULL, error);
    ck_assert(g_str_has_suffix(folder, "/bakplane-storage-cold-2"));
    gsize n = 0;
    for (const bp_project_file *file = bp_project_storage; file->path != NULL; file++) {
        g_autofree char *text = read_file(folder, file->path);
        ck_assert_msg(strstr(text, "@NAME@") == NULL, "%s", file->path);
        n++;
    }
    ck_assert_uint_ge(n, 9);
    g_autofree char *plugin = read_file(folder, "plugin.c");
    g_autofree char *test = read_file(folder, "test/check.c");
    g_autofree char *ignored = read_file(folder, ".gitignore");
    ck_assert_ptr_nonnull(strstr(plugin, ".name = \"cold-2\""));
    ck_assert_ptr_nonnull(strstr(test, "\"cold-2\""));
    ck_assert_ptr_nonnull(strstr(ignored, "*.so"));
}
END_TEST

START_TEST(test_write__names)
{
    static const char *const names[] = {"",      "Cold", "2cold",
                                        "-cold", "a/b",  "..",
                                        "a b",   "a_b",  "a-name-that-is-longer-than-31-bytes"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GError) error = NULL;
        ck_assert_ptr_null(bp_project_write(dir, names[i], &error));
        ck_assert_ptr_nonnull(strstr(error->message, "\nhint: 1 to 31 small letters"));
        ASSERT_ERROR(error, BP_ERR_INVALID, "is no name for a plugin");
    }
    ck_assert_int_eq(g_rmdir(dir), 0); /* nothing was written */
}
END_TEST

START_TEST(test_write__never_over_anything)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = bp_project_write(dir, "mine", &error);
    ASSERT_FINE(folder != NULL, error);
    g_autofree char *path = g_build_filename(folder, "plugin.c", NULL);
    ck_assert(g_file_set_contents(path, "changed", -1, NULL));
    ck_assert_ptr_null(bp_project_write(dir, "mine", &error));
    ck_assert_ptr_nonnull(strstr(error->message, "\nhint: nothing is ever overwritten"));
    ASSERT_ERROR(error, BP_ERR_EXISTS, "/bakplane-storage-mine");
    g_autofree char *text = read_file(folder, "plugin.c");
    ck_assert_str_eq(text, "changed");
}
END_TEST

START_TEST(test_write__no_such_parent)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *parent = g_build_filename(dir, "nowhere", NULL);
    ck_assert_ptr_null(bp_project_write(parent, "mine", &error));
    ASSERT_ERROR(error, BP_ERR_NOT_FOUND, "cannot make the folder ");
}
END_TEST

START_TEST(test_write__failure_leaves_nothing)
{
    g_autoptr(GError) error = NULL;
    struct rlimit old, small;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = (struct rlimit){.rlim_cur = 1000, .rlim_max = old.rlim_max};
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    g_autofree char *folder = bp_project_write(dir, "mine", &error);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
    (void)signal(SIGXFSZ, handler);
    ck_assert_ptr_null(folder);
    ASSERT_ERROR(error, BP_ERR_PERMANENT, "cannot write ");
    ck_assert_int_eq(g_rmdir(dir), 0);
}
END_TEST

int
main(void)
{
    return RUN_SUITE("core/plugin/project", setup, teardown, test_write__every_file_with_the_name,
                     test_write__names, test_write__never_over_anything, test_write__no_such_parent,
                     test_write__failure_leaves_nothing);
}
