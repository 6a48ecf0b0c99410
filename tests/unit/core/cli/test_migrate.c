/* SPDX-License-Identifier: Apache-2.0
 *
 * core/cli/migrate: the file that the built program writes, or does not leave behind.
 */
#include <sys/wait.h>

#include "core/base/error.h"
#include "tests/harness/suite.h"

#define LONG_NAME 250 /* fits, and that of a temporary file beside it does not */

static char *root, *theirs, *result;
static char *err; /* of the last run */

static void
setup(void)
{
    g_autoptr(GError) error = NULL;
    static const char text[] = "milvus: {password: hush}\nminio: {backupRootPath: b}\n";
    root = g_dir_make_tmp("migrate-XXXXXX", &error);
    ASSERT_FINE(root != NULL, error);
    theirs = g_build_filename(root, "backup.yaml", NULL);
    result = g_build_filename(root, "ours.yaml", NULL);
    ASSERT_FINE(g_file_set_contents(theirs, text, -1, &error), error);
}

static void
teardown(void)
{
    const char *argv[] = {"rm", "-rf", root, NULL};
    (void)g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL,
                       NULL);
    g_clear_pointer(&root, g_free);
    g_clear_pointer(&theirs, g_free);
    g_clear_pointer(&result, g_free);
    g_clear_pointer(&err, g_free);
}

/* Exit code of config migrate with one or two words more. */
static int
migrate(const char *word, const char *value)
{
    const char *argv[] = {g_getenv("BAKPLANE_BIN"),
                          "--config",
                          theirs,
                          "config",
                          "migrate",
                          "--output",
                          result,
                          word,
                          value,
                          NULL};
    g_autoptr(GError) error = NULL;
    int status = 0;
    g_clear_pointer(&err, g_free);
    ASSERT_FINE(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL,
                             NULL, &err, &status, &error),
                error);
    ck_assert_msg(WIFEXITED(status), "killed by signal %d: %s", WTERMSIG(status), err);
    return WEXITSTATUS(status);
}

/* Where only the first step of writing works. */
static void
take_long_name(void)
{
    g_autofree char *name = g_strnfill(LONG_NAME, 'n');
    g_free(result);
    result = g_build_filename(root, name, NULL);
}

static guint
files(void)
{
    g_autoptr(GDir) dir = g_dir_open(root, 0, NULL);
    guint n = 0;
    while (g_dir_read_name(dir) != NULL) {
        n++;
    }
    return n;
}

START_TEST(test_bp_migrate_run__failed_write_leaves_nothing)
{
    take_long_name();
    ck_assert_int_eq(migrate("--to", "v2"), 1);
    ck_assert_ptr_nonnull(strstr(err, "File name too long"));
    ck_assert_uint_eq(files(), 1);
}
END_TEST

START_TEST(test_bp_migrate_run__failed_write_leaves_the_file_that_was_there)
{
    g_autofree char *text = NULL;
    take_long_name();
    ck_assert(g_file_set_contents_full(result, "mine", -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
    ck_assert_int_eq(migrate(NULL, NULL), 1);
    ck_assert_ptr_nonnull(strstr(err, "hint: replace it by --force"));
    ck_assert_int_eq(migrate("--force", NULL), 1);
    ck_assert_uint_eq(files(), 2);
    ck_assert(g_file_get_contents(result, &text, NULL, NULL));
    ck_assert_str_eq(text, "mine");
}
END_TEST

START_TEST(test_bp_migrate_run__what_yaml_cannot_hold_is_not_written)
{
    g_setenv("MINIO_BUCKET_NAME", "hu\xffsh", TRUE);
    ck_assert_int_eq(migrate(NULL, NULL), 2);
    ck_assert_ptr_nonnull(
        strstr(err, "storages.milvus.bucket (environment MINIO_BUCKET_NAME): the value"));
    ck_assert_int_eq(migrate("--to", "v2"), 2);
    ck_assert_ptr_nonnull(strstr(err, "milvus.storage.bucketName (environment "));
    ck_assert_uint_eq(files(), 1);
    g_unsetenv("MINIO_BUCKET_NAME");
}
END_TEST

int
main(void)
{
    return RUN_SUITE("cli/migrate", setup, teardown,
                     test_bp_migrate_run__failed_write_leaves_nothing,
                     test_bp_migrate_run__failed_write_leaves_the_file_that_was_there,
                     test_bp_migrate_run__what_yaml_cannot_hold_is_not_written);
}
