/* SPDX-License-Identifier: Apache-2.0
 *
 * storage-local: settings, info, space, probe; and what happens without rights or room.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sdk/lib/errors.h"
#include "tests/unit/plugins/storage-local/local_test.h"

static bp_status
probe(struct bp_storage *store, uint32_t need, const char *prefix)
{
    const struct bp_probe_args args = {
        .struct_size = sizeof(args),
        .need = need,
        .prefix = prefix,
    };
    bp_error_init(&lt_error);
    return lt_ops->probe(store, &bp_fake.op, &args, &lt_error);
}

static const struct {
    const char *key, *value, *text;
} bad_settings[] = {
    {"root", "relative/path", "root: \"relative/path\" is not an absolute path"},
    {"file_mode", "rw-r--r--", "file_mode: \"rw-r--r--\" is not an octal mode"},
    {"file_mode", "0444", "file_mode: 0444 would lock out the owner"},
    {"dir_mode", "0600", "dir_mode: 0600 would lock out the owner"},
    {"dir_mode", "77777", "dir_mode: \"77777\" is not an octal mode"},
    {"owner", "no-such-user-here", "owner: there is no user \"no-such-user-here\""},
    {"owner", ":no-such-group-here", "owner: there is no group \"no-such-group-here\""},
    {"owner", "99999999999", "owner: there is no user"},
    {"server_user", "no-such-user-here", "server_user: there is no user"},
};

START_TEST(test_open__bad_settings_name_the_key)
{
    for (size_t i = 0; i < G_N_ELEMENTS(bad_settings); i++) {
        ck_assert_ptr_null(lt_open(bad_settings[i].key, bad_settings[i].value, NULL));
        ASSERT_FAILED(lt_error.cls, BP_ERR_INVALID, bad_settings[i].text);
    }
}
END_TEST

START_TEST(test_open__good_owners)
{
    static const char *const owners[] = {"root", "root:root", ":root", "0:0", "12345", ""};
    for (size_t i = 0; i < G_N_ELEMENTS(owners); i++) {
        struct bp_storage *store = lt_open("owner", owners[i], NULL);
        ck_assert_ptr_nonnull(store);
        lt_ops->close(store);
    }
}
END_TEST

START_TEST(test_open__does_no_io)
{
    struct bp_storage *store = lt_open("root", "/nonexistent/place", NULL);
    ck_assert_ptr_nonnull(store);
    ASSERT_OK(lt_sync(store));
    ASSERT_OK(lt_remove(store, "k"));
    ASSERT_FAILED(lt_stat(store, "k", NULL), BP_ERR_NOT_FOUND,
                  "root directory /nonexistent/place: No such file");
    lt_ops->close(store);
}
END_TEST

START_TEST(test_info__facts)
{
    struct bp_storage_info info = {.struct_size = sizeof(info)};
    struct bp_storage *store = lt_open("root", "/srv/x//", "server_root", "/var/lib/y", NULL);
    ASSERT_OK(lt_ops->info(store, &info, &lt_error));
    lt_ops->close(store);
    ck_assert_str_eq(info.local_root, "/srv/x/");
    ck_assert_str_eq(info.server_root, "/var/lib/y/");
    ck_assert_str_eq(info.identity, "local:/srv/x");
    ck_assert_str_eq(info.copy_scope, "local");
    ck_assert_uint_eq(info.struct_size, sizeof(info));
    uint64_t required = BP_STORE_RANGE_READ | BP_STORE_ATOMIC_REPLACE | BP_STORE_LIST_SORTED;
    ck_assert_uint_eq(info.caps & required, required);
    ck_assert_uint_eq(info.caps & BP_STORE_KEY_IS_PREFIX, 0);
    ASSERT_OK(lt_ops->info(lt_store, &info, &lt_error));
    ck_assert_str_eq(info.server_root, "");
}
END_TEST

START_TEST(test_info__identity_of_any_root_is_whole)
{
    struct bp_storage_info info = {.struct_size = sizeof(info)};
    g_autofree char *name = g_strnfill(999, 'x');
    g_autofree char *root = g_strconcat("/", name, NULL);
    g_autofree char *identity = g_strconcat("local:", root, NULL);
    struct bp_storage *store = lt_open("root", root, NULL);
    ASSERT_OK(lt_ops->info(store, &info, &lt_error));
    lt_ops->close(store);
    ck_assert_str_eq(info.identity, identity);
    store = lt_open("root", "/", NULL);
    ASSERT_OK(lt_ops->info(store, &info, &lt_error));
    lt_ops->close(store);
    ck_assert_str_eq(info.identity, "local:");
}
END_TEST

START_TEST(test_space__numbers)
{
    struct bp_space space = {.struct_size = sizeof(space)};
    ASSERT_OK(lt_ops->space(lt_store, &bp_fake.op, &space, &lt_error));
    ck_assert_uint_gt(space.total, 0);
    ck_assert_uint_le(space.available, space.total);
    /* What is kept back for root is not in use: near enough, since others write meanwhile. */
    struct statvfs fs;
    ck_assert_int_eq(statvfs(lt_root, &fs), 0);
    uint64_t in_use = ((uint64_t)fs.f_blocks - fs.f_bfree) * fs.f_frsize;
    ck_assert_uint_le(space.total - space.available, in_use + ((uint64_t)1 << 30));
}
END_TEST

START_TEST(test_space__is_not_needed_for_links)
{
    struct bp_space space = {.struct_size = sizeof(space)};
    struct bp_storage *store = lt_open("root", lt_root, "link", "true", NULL);
    ASSERT_OK(lt_ops->space(store, &bp_fake.op, &space, &lt_error));
    ck_assert_uint_gt(space.total, 0);
    ck_assert_uint_eq(space.available, BP_UNKNOWN);
    lt_ops->close(store);
}
END_TEST

START_TEST(test_space__of_a_root_to_come)
{
    struct bp_space space = {.struct_size = sizeof(space)};
    g_autofree char *path = lt_path("not/yet/there");
    struct bp_storage *store = lt_open("root", path, NULL);
    ASSERT_OK(lt_ops->space(store, &bp_fake.op, &space, &lt_error));
    ck_assert_uint_gt(space.total, 0);
    ck_assert(!lt_has_file("not"));
    lt_ops->close(store);
    store = lt_open("root", path, "create_root", "false", NULL);
    ASSERT_FAILED(lt_ops->space(store, &bp_fake.op, &space, &lt_error), BP_ERR_NOT_FOUND,
                  "not/yet/there: No such file");
    lt_ops->close(store);
}
END_TEST

START_TEST(test_probe__all_rights)
{
    uint32_t all = BP_NEED_LIST | BP_NEED_READ | BP_NEED_WRITE | BP_NEED_EXCLUSIVE;
    lt_put_file("a/k", "x");
    ASSERT_OK(probe(lt_store, all, ""));
    ASSERT_OK(probe(lt_store, all, "a/"));
    ASSERT_OK(probe(lt_store, all, "new/place/"));
    g_autofree char *listed = lt_list(lt_store, "", 0, 10, NULL);
    ck_assert_str_eq(listed, "a/k ");
    ck_assert(!lt_has_file("new"));
    ASSERT_FAILED(probe(lt_store, 1 << 12, ""), BP_ERR_INVALID, "unknown flags");
    ASSERT_FAILED(probe(lt_store, BP_NEED_LIST, "../"), BP_ERR_INVALID, "prefix \"../\"");
}
END_TEST

START_TEST(test_probe__missing_root)
{
    ck_assert_int_eq(rmdir(lt_root), 0);
    ASSERT_FAILED(probe(lt_store, BP_NEED_LIST, ""), BP_ERR_NOT_FOUND, "root directory");
    ASSERT_OK(probe(lt_store, BP_NEED_WRITE, ""));
    ck_assert(lt_has_file(""));
}
END_TEST

START_TEST(test_probe__server_may_read)
{
    struct bp_storage *as_nobody = lt_open("server_user", "65534", NULL);
    struct bp_storage *as_root = lt_open("server_user", "0", NULL);
    g_autofree char *dir = lt_path("a");
    g_autofree char *file = lt_path("a/k");
    lt_put_file("a/k", "x");
    ck_assert_int_eq(chmod(dir, 0755), 0);
    ck_assert_int_eq(chmod(file, 0644), 0);
    ASSERT_OK(probe(lt_store, BP_NEED_SERVER_READ, ""));
    ASSERT_OK(probe(as_nobody, BP_NEED_SERVER_READ, "a/"));

    ck_assert_int_eq(chmod(file, 0640), 0);
    ASSERT_FAILED(probe(as_nobody, BP_NEED_SERVER_READ, ""), BP_ERR_DENIED, "cannot read ");
    ck_assert_ptr_nonnull(strstr(lt_error.message, "/a/k (owner "));
    ck_assert_ptr_nonnull(strstr(lt_error.message, "mode 0640): give it the right"));
    ASSERT_FAILED(probe(lt_store, BP_NEED_SERVER_READ, ""), BP_ERR_DENIED,
                  "name the database server's user in server_user, or chmod o+r");
    ASSERT_OK(probe(as_root, BP_NEED_SERVER_READ, ""));

    ck_assert_int_eq(chmod(dir, 0711), 0);
    ASSERT_FAILED(probe(as_nobody, BP_NEED_SERVER_READ, "a/"), BP_ERR_DENIED, "cannot list ");
    ck_assert_ptr_nonnull(strstr(lt_error.message, "chmod o+rx"));
    ck_assert_int_eq(chmod(lt_scratch, 0700), 0);
    ASSERT_FAILED(probe(as_nobody, BP_NEED_SERVER_READ, "b/c/"), BP_ERR_DENIED, "cannot enter ");
    ck_assert_ptr_nonnull(strstr(lt_error.message, lt_scratch));
    lt_ops->close(as_nobody);
    lt_ops->close(as_root);
}
END_TEST

START_TEST(test_probe__server_and_modes_to_come)
{
    struct bp_storage *store =
        lt_open("server_user", "65534", "file_mode", "0600", "dir_mode", "0755", NULL);
    ASSERT_FAILED(probe(store, BP_NEED_SERVER_READ, "x/"), BP_ERR_DENIED,
                  "could not read what is written here: change file_mode 0600");
    lt_ops->close(store);
}
END_TEST

/* Runs `body` as a user without rights, since root may do everything. */
static void
as_nobody(void (*body)(void))
{
    int status;
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        /* A failed assertion would look for Check's parent, so plain exit codes it is. */
        if (setgid(65534) == 0 && setuid(65534) == 0) {
            body();
            _exit(0);
        }
        _exit(99);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "line %d", WEXITSTATUS(status));
}

#define CHILD_CHECK(condition)      \
    do {                            \
        if (!(condition)) {         \
            _exit(__LINE__ & 0xFF); \
        }                           \
    } while (0)

static void
without_rights(void)
{
    struct bp_storage *store = lt_open("link", "false", NULL);
    CHILD_CHECK(store != NULL);
    CHILD_CHECK(probe(store, BP_NEED_LIST, "open/") == BP_OK);
    CHILD_CHECK(probe(store, BP_NEED_WRITE, "") == BP_ERR_DENIED);
    CHILD_CHECK(strstr(lt_error.message, ".bakplane-tmp: Permission denied") != NULL);
    CHILD_CHECK(probe(store, BP_NEED_LIST, "") == BP_ERR_DENIED);
    CHILD_CHECK(strstr(lt_error.message, "/root/closed: Permission denied") != NULL);
    CHILD_CHECK(probe(store, BP_NEED_READ, "open/") == BP_ERR_DENIED);
    CHILD_CHECK(strstr(lt_error.message, "/root/open/secret: Permission denied") != NULL);
    CHILD_CHECK(lt_stat(store, "closed/k", NULL) == BP_ERR_DENIED);
    CHILD_CHECK(lt_read(store, "open/secret") == NULL && lt_error.cls == BP_ERR_DENIED);
    CHILD_CHECK(lt_remove(store, "open/secret") == BP_ERR_DENIED);
    lt_ops->close(store);
}

START_TEST(test_rights__are_named)
{
    if (!lt_is_root()) {
        return;
    }
    g_autofree char *closed = lt_path("closed");
    g_autofree char *secret = lt_path("open/secret");
    lt_put_file("closed/k", "x");
    lt_put_file("open/secret", "x");
    ck_assert_int_eq(chmod(closed, 0700), 0);
    ck_assert_int_eq(chmod(secret, 0600), 0);
    as_nobody(without_rights);
}
END_TEST

/* A file system of 1 MiB, in a mount namespace of a child where that is allowed. */
static void
on_small_disk(void)
{
    static char bytes[600 << 10];
    struct bp_object_meta meta;
    struct bp_storage *store = lt_open("link", "false", NULL);
    const struct bp_write_args args = {sizeof(args), BP_WRITE_DURABLE, "a/1", sizeof(bytes), NULL,
                                       {0}};
    struct bp_write_args more = args;
    more.key = "a/2";
    CHILD_CHECK(lt_write_args(store, &args, bytes, sizeof(bytes), NULL) == BP_OK);
    CHILD_CHECK(lt_write_args(store, &more, bytes, sizeof(bytes), NULL) == BP_ERR_NO_SPACE);
    CHILD_CHECK(strstr(lt_error.message, "root/a/2: No space left on device") != NULL);
    CHILD_CHECK(lt_copy(store, store, "a/1", "a/3", 0, NULL) == BP_ERR_NO_SPACE);
    CHILD_CHECK(lt_copy(store, store, "a/1", "a/3", BP_COPY_NEED_CHECKSUM, NULL) ==
                BP_ERR_NO_SPACE);
    CHILD_CHECK(lt_stat(store, "a/1", &meta) == BP_OK && meta.size == sizeof(bytes));
    CHILD_CHECK(lt_sync(store) == BP_OK);
    CHILD_CHECK(lt_remove(store, "a/1") == BP_OK);
    CHILD_CHECK(lt_write_args(store, &more, bytes, sizeof(bytes), NULL) == BP_OK);
    lt_ops->close(store);
    store = lt_open("link", "false", NULL);
    CHILD_CHECK(mount(NULL, lt_root, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0);
    CHILD_CHECK(lt_write(store, "a/4", "x", 0) == BP_ERR_DENIED);
    CHILD_CHECK(strstr(lt_error.message, "Read-only file system") != NULL);
    CHILD_CHECK(lt_remove(store, "a/2") == BP_ERR_DENIED);
    lt_ops->close(store);
}

START_TEST(test_disk__full_and_read_only)
{
    int status;
    if (!lt_is_root()) {
        return;
    }
    pid_t child = fork();
    if (child == 0) {
        if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
            mount("tmpfs", lt_root, "tmpfs", 0, "size=1m") != 0) {
            _exit(77);
        }
        on_small_disk();
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        fprintf(stderr, "skipped: no mounts allowed here\n");
        return;
    }
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "line %d", WEXITSTATUS(status));
}
END_TEST

LT_MAIN("storage-local/probe", test_open__bad_settings_name_the_key, test_open__good_owners,
        test_open__does_no_io, test_info__facts, test_info__identity_of_any_root_is_whole,
        test_space__numbers, test_space__is_not_needed_for_links, test_space__of_a_root_to_come,
        test_probe__all_rights, test_probe__missing_root, test_probe__server_may_read,
        test_probe__server_and_modes_to_come, test_rights__are_named, test_disk__full_and_read_only)
