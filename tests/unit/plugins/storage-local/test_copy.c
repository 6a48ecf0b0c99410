/* SPDX-License-Identifier: Apache-2.0
 *
 * storage-local: copying between instances, checksums, links.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sdk/lib/checksum.h"
#include "sdk/lib/errors.h"
#include "tests/unit/plugins/storage-local/local_test.h"

/* Another root in the same scratch folder, or elsewhere. */
static struct bp_storage *
open_other(const char *root, const char *link)
{
    struct bp_storage *store = lt_open("root", root, "link", link, NULL);
    ck_assert_ptr_nonnull(store);
    return store;
}

static struct stat
stat_of(const char *root, const char *key)
{
    struct stat st;
    g_autofree char *path = g_strconcat(root, "/", key, NULL);
    ck_assert_msg(stat(path, &st) == 0, "%s", path);
    return st;
}

static void
assert_sum(const struct bp_object_meta *meta, const char *hex)
{
    char text[BP_CHECKSUM_HEX_MAX];
    bp_checksum_to_hex(&meta->checksum, text);
    ck_assert_str_eq(text, hex);
}

#define HELLO_XXH3 "b5e9c1ad071b3e7fc779cfaa5e523818"

static char other_root[300];

static struct bp_storage *
other(const char *link)
{
    snprintf(other_root, sizeof(other_root), "%s/other", lt_scratch);
    return open_other(other_root, link);
}

START_TEST(test_copy__bytes_and_checksum)
{
    static const uint32_t flags[] = {BP_COPY_WANT_CHECKSUM, BP_COPY_NEED_CHECKSUM,
                                     BP_COPY_NEED_CHECKSUM | BP_COPY_MAY_LINK};
    struct bp_storage *dst = other("true");
    lt_put_file("a/k", "hello");
    for (size_t i = 0; i < G_N_ELEMENTS(flags); i++) {
        struct bp_object_meta meta = {.struct_size = sizeof(meta)};
        ASSERT_OK(lt_copy(dst, lt_store, "a/k", "b/k", flags[i], &meta));
        ASSERT_FAILED(lt_stat(dst, "b/k", NULL), BP_ERR_NOT_FOUND, "b/k");
        ASSERT_OK(lt_sync(dst));
        g_autofree char *text = lt_read(dst, "b/k");
        ck_assert_str_eq(text, "hello");
        ck_assert_uint_eq(meta.size, 5);
        ck_assert_uint_eq(meta.checksum.by, BP_CHECKSUM_BY_PLUGIN);
        assert_sum(&meta, HELLO_XXH3);
        ASSERT_OK(lt_remove(dst, "b/k"));
    }
    lt_ops->close(dst);
}
END_TEST

START_TEST(test_copy__without_checksum)
{
    struct bp_storage *dst = other("false");
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    lt_put_file("k", "hello");
    lt_put_file("empty", "");
    ASSERT_OK(lt_copy(dst, lt_store, "k", "k", 0, &meta));
    ck_assert_uint_eq(meta.checksum.kind, BP_CHECKSUM_NONE);
    ASSERT_OK(lt_copy(dst, lt_store, "empty", "empty", 0, &meta));
    ASSERT_OK(lt_copy(dst, lt_store, "empty", "empty2", BP_COPY_NEED_CHECKSUM, &meta));
    ASSERT_OK(lt_sync(dst));
    g_autofree char *text = lt_read(dst, "k");
    ck_assert_str_eq(text, "hello");
    g_autofree char *empty = lt_read(dst, "empty");
    ck_assert_str_eq(empty, "");
    lt_ops->close(dst);
}
END_TEST

START_TEST(test_copy__link_shares_the_file)
{
    struct bp_storage *dst = other("true");
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    lt_put_file("k", "hello");
    ASSERT_OK(lt_copy(dst, lt_store, "k", "x/k", BP_COPY_MAY_LINK | BP_COPY_WANT_CHECKSUM, &meta));
    ck_assert_uint_eq(meta.checksum.kind, BP_CHECKSUM_NONE);
    ASSERT_OK(lt_sync(dst));
    struct stat a = stat_of(lt_root, "k"), b = stat_of(other_root, "x/k");
    ck_assert_uint_eq(a.st_ino, b.st_ino);
    ck_assert_uint_eq(a.st_nlink, 2);
    /* Once more over itself: rename does nothing then, and the temporary name must go. */
    ASSERT_OK(lt_copy(dst, lt_store, "k", "x/k", BP_COPY_MAY_LINK, &meta));
    ASSERT_OK(lt_sync(dst));
    ck_assert_uint_eq(stat_of(lt_root, "k").st_nlink, 2);
    lt_ops->close(dst);
}
END_TEST

START_TEST(test_copy__link_leaves_the_version_alone)
{
    struct bp_storage *dst = other("true");
    struct bp_object_meta before, after;
    lt_put_file("k", "hello");
    ASSERT_OK(lt_stat(lt_store, "k", &before));
    ASSERT_OK(lt_copy(dst, lt_store, "k", "k", BP_COPY_MAY_LINK, NULL));
    ASSERT_OK(lt_sync(dst));
    ASSERT_OK(lt_stat(lt_store, "k", &after));
    ck_assert_str_eq(before.etag, after.etag);
    lt_ops->close(dst);
}
END_TEST

START_TEST(test_link__replaces_another_object)
{
    struct bp_storage *dst = other("true");
    lt_put_file("k", "hello");
    ASSERT_OK(lt_write(dst, "x/k", "older", BP_WRITE_DURABLE));
    ASSERT_OK(lt_write(dst, "x/k", "waiting", 0));
    ASSERT_OK(lt_copy(dst, lt_store, "k", "x/k", BP_COPY_MAY_LINK, NULL));
    ASSERT_OK(lt_sync(dst));
    g_autofree char *text = lt_read(dst, "x/k");
    ck_assert_str_eq(text, "hello");
    ck_assert_uint_eq(stat_of(lt_root, "k").st_nlink, 2);
    lt_ops->close(dst);
}
END_TEST

START_TEST(test_link__exclusive)
{
    struct bp_storage *dst = other("true");
    uint32_t flags = BP_COPY_MAY_LINK | BP_COPY_IF_NONE_MATCH;
    lt_put_file("k", "hello");
    ASSERT_OK(lt_copy(dst, lt_store, "k", "x/k", flags, NULL));
    ASSERT_FAILED(lt_copy(dst, lt_store, "k", "x/k", flags, NULL), BP_ERR_EXISTS,
                  "x/k exists already");
    ASSERT_OK(lt_write(dst, "x/w", "waiting", 0));
    ASSERT_FAILED(lt_copy(dst, lt_store, "k", "x/w", flags, NULL), BP_ERR_EXISTS,
                  "x/w exists already");
    lt_ops->close(dst);
}
END_TEST

START_TEST(test_link__directories_that_were_open_come_and_go)
{
    struct bp_storage *dst = other("true");
    for (int round = 0; round < 3; round++) {
        lt_put_file("a/k", "hello");
        ASSERT_OK(lt_copy(dst, lt_store, "a/k", "x/y/k", BP_COPY_MAY_LINK, NULL));
        ck_assert_uint_eq(stat_of(other_root, "x/y/k").st_nlink, 2);
        ASSERT_OK(lt_remove(lt_store, "a/k"));
        ASSERT_OK(lt_remove(dst, "x/y/k"));
        ck_assert(!lt_has_file("a"));
    }
    ASSERT_FAILED(lt_copy(dst, lt_store, "a/k", "x/y/k", BP_COPY_MAY_LINK, NULL), BP_ERR_NOT_FOUND,
                  "a/k: No such file");
    lt_ops->close(dst);
}
END_TEST

START_TEST(test_link__no_symbolic_links_and_wrong_versions)
{
    struct bp_storage *dst = other("true");
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    struct bp_copy_args args = {sizeof(args), BP_COPY_MAY_LINK, lt_store, "k", "x/k", NULL, 4};
    g_autofree char *link = lt_path("link");
    lt_put_file("k", "hello");
    ck_assert_int_eq(symlink("k", link), 0);
    ASSERT_FAILED(lt_copy(dst, lt_store, "link", "x/k", BP_COPY_MAY_LINK, NULL), BP_ERR_DENIED,
                  "/link is a symbolic link");
    ASSERT_FAILED(lt_ops->copy(dst, &bp_fake.op, &args, &meta, &lt_error), BP_ERR_EXISTS,
                  "it has 5 bytes, not 4");
    args.size = BP_UNKNOWN;
    args.src_if_match = "1-2-3";
    ASSERT_FAILED(lt_ops->copy(dst, &bp_fake.op, &args, &meta, &lt_error), BP_ERR_EXISTS,
                  "its version is");
    /* What had been linked before it was looked at is gone again. */
    ck_assert_uint_eq(stat_of(lt_root, "k").st_nlink, 1);
    ASSERT_FAILED(lt_ops->stat(dst, &bp_fake.op, "x/k", &meta, &lt_error), BP_ERR_NOT_FOUND, "x/k");
    lt_ops->close(dst);
}
END_TEST

START_TEST(test_link__directory_in_the_way)
{
    struct bp_storage *dst = other("true");
    lt_put_file("k", "hello");
    ASSERT_OK(lt_write(dst, "x/k/below", "", BP_WRITE_DURABLE));
    ASSERT_OK(lt_copy(dst, lt_store, "k", "x/k", BP_COPY_MAY_LINK, NULL));
    ASSERT_FAILED(lt_sync(dst), BP_ERR_INVALID, "x/k: it is a directory");
    lt_ops->close(dst);
}
END_TEST

START_TEST(test_copy__no_link_unless_allowed_on_both_sides)
{
    struct bp_storage *with = other("true");
    lt_put_file("k", "hello");
    ASSERT_OK(lt_copy(with, lt_store, "k", "1", 0, NULL));
    ASSERT_OK(lt_copy(lt_store, lt_store, "k", "2", BP_COPY_MAY_LINK, NULL));
    ASSERT_OK(lt_sync(with));
    ASSERT_OK(lt_sync(lt_store));
    ck_assert_uint_eq(stat_of(lt_root, "k").st_nlink, 1);
    lt_ops->close(with);
}
END_TEST

START_TEST(test_copy__to_another_file_system)
{
    char root[] = "/dev/shm/bp-local-XXXXXX";
    struct stat here, there;
    if (mkdtemp(root) == NULL || stat(root, &there) != 0 || stat(lt_root, &here) != 0 ||
        here.st_dev == there.st_dev) {
        fprintf(stderr, "skipped: no second file system at /dev/shm\n");
        rmdir(root);
        return;
    }
    static const uint32_t flags[] = {0, BP_COPY_MAY_LINK, BP_COPY_WANT_CHECKSUM};
    struct bp_storage *dst = open_other(root, "true");
    lt_put_file("k", "hello");
    for (size_t i = 0; i < G_N_ELEMENTS(flags); i++) {
        ASSERT_OK(lt_copy(dst, lt_store, "k", "d/k", flags[i], NULL));
        ASSERT_OK(lt_sync(dst));
        g_autofree char *text = lt_read(dst, "d/k");
        ck_assert_str_eq(text, "hello");
    }
    ASSERT_OK(lt_remove(dst, "d/k"));
    lt_ops->close(dst);
    ck_assert_int_eq(rmdir(root), 0);
}
END_TEST

START_TEST(test_copy__large_with_progress)
{
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    size_t size = (9 << 20) + 17;
    g_autofree char *bytes = g_malloc(size);
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (char)(i * 7 + i / 4096);
    }
    g_autofree char *path = lt_path("big");
    ck_assert(g_file_set_contents(path, bytes, (gssize)size, NULL));
    for (int need = 0; need < 2; need++) {
        atomic_store(&bp_fake.progress_calls, 0);
        ASSERT_OK(
            lt_copy(lt_store, lt_store, "big", "copy", need ? BP_COPY_NEED_CHECKSUM : 0, &meta));
        ASSERT_OK(lt_sync(lt_store));
        g_autofree char *copied = lt_read(lt_store, "copy");
        ck_assert_int_eq(memcmp(copied, bytes, size), 0);
        ck_assert_uint_ge(atomic_load(&bp_fake.progress_calls), need ? 10 : 0);
    }
}
END_TEST

START_TEST(test_copy__if_none_match)
{
    lt_put_file("k", "hello");
    lt_put_file("taken", "old");
    ASSERT_FAILED(lt_copy(lt_store, lt_store, "k", "taken", BP_COPY_IF_NONE_MATCH, NULL),
                  BP_ERR_EXISTS, "taken exists already");
    ASSERT_OK(lt_copy(lt_store, lt_store, "k", "free", BP_COPY_IF_NONE_MATCH, NULL));
    ck_assert(lt_has_file("free"));
}
END_TEST

START_TEST(test_copy__source_conditions)
{
    struct bp_object_meta meta = {.struct_size = sizeof(meta)}, seen;
    struct bp_copy_args args = {sizeof(args), 0, lt_store, "k", "to", NULL, 5};
    lt_put_file("k", "hello");
    ASSERT_OK(lt_stat(lt_store, "k", &seen));
    args.src_if_match = seen.etag;
    ASSERT_OK(lt_ops->copy(lt_store, &bp_fake.op, &args, &meta, &lt_error));
    args.size = 6;
    ASSERT_FAILED(lt_ops->copy(lt_store, &bp_fake.op, &args, &meta, &lt_error), BP_ERR_EXISTS,
                  "object k: it has 5 bytes, not 6");
    lt_put_file("k", "other");
    ASSERT_FAILED(lt_ops->copy(lt_store, &bp_fake.op, &args, &meta, &lt_error), BP_ERR_EXISTS,
                  "its version is");
    ASSERT_FAILED(lt_copy(lt_store, lt_store, "none", "to", 0, NULL), BP_ERR_NOT_FOUND,
                  "root/none: No such file");
    ASSERT_FAILED(lt_copy(lt_store, lt_store, "k", "to", 64, NULL), BP_ERR_INVALID,
                  "unknown flags 0x40");
}
END_TEST

/* The source grows while it is copied: the host is asked before each piece. */
static char *growing;

static int32_t
grow(const struct bp_op *op)
{
    (void)op;
    int fd = open(growing, O_WRONLY | O_APPEND);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, "+", 1), 1);
    close(fd);
    return 0;
}

START_TEST(test_copy__source_changes_meanwhile)
{
    struct bp_object_meta meta = {.struct_size = sizeof(meta)}, seen;
    struct bp_copy_args args = {sizeof(args), BP_COPY_NEED_CHECKSUM, lt_store, "k", "to", NULL,
                                BP_UNKNOWN};
    lt_put_file("k", "hello");
    ASSERT_OK(lt_stat(lt_store, "k", &seen));
    growing = lt_path("k");
    int32_t (*asked)(const struct bp_op *) = bp_fake.host.cancelled;
    bp_fake.host.cancelled = grow;
    ASSERT_FAILED(lt_ops->copy(lt_store, &bp_fake.op, &args, &meta, &lt_error), BP_ERR_RETRYABLE,
                  "k changed while it was copied");
    bp_fake.host.cancelled = asked;
    g_free(growing);
    ASSERT_OK(lt_sync(lt_store));
    ck_assert(!lt_has_file("to"));
}
END_TEST

START_TEST(test_copy__no_memory_and_cancel)
{
    lt_put_file("k", "hello");
    atomic_store(&bp_fake.fail_alloc, 1);
    ASSERT_FAILED(lt_copy(lt_store, lt_store, "k", "to", BP_COPY_NEED_CHECKSUM, NULL), BP_ERR_NOMEM,
                  "object to: no memory for a buffer of 5 bytes");
    for (int after = 1; after < 4; after++) {
        atomic_store(&bp_fake.cancelled, 0);
        atomic_store(&bp_fake.cancel_after, after);
        bp_status status = lt_copy(lt_store, lt_store, "k", "to", BP_COPY_NEED_CHECKSUM, NULL);
        ck_assert(status == BP_ERR_CANCELLED || status == BP_OK);
    }
    atomic_store(&bp_fake.cancel_after, 0);
    atomic_store(&bp_fake.cancelled, 0);
}
END_TEST

LT_MAIN("storage-local/copy", test_copy__bytes_and_checksum, test_copy__without_checksum,
        test_copy__link_shares_the_file, test_copy__link_leaves_the_version_alone,
        test_link__replaces_another_object, test_link__exclusive,
        test_link__directories_that_were_open_come_and_go,
        test_link__no_symbolic_links_and_wrong_versions, test_link__directory_in_the_way,
        test_copy__no_link_unless_allowed_on_both_sides, test_copy__to_another_file_system,
        test_copy__large_with_progress, test_copy__if_none_match, test_copy__source_conditions,
        test_copy__source_changes_meanwhile, test_copy__no_memory_and_cancel)
