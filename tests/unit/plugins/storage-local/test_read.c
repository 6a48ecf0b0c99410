/* SPDX-License-Identifier: Apache-2.0
 *
 * storage-local: reading, and keys that try to leave the root.
 */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugins/storage-local/root.h"
#include "tests/unit/plugins/storage-local/local_test.h"

static bp_status
open_range(const char *key, uint64_t offset, uint64_t length, const char *if_match,
           struct bp_reader **reader)
{
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    const struct bp_read_args args = {sizeof(args), 0, key, offset, length, if_match};
    lt_error.message[0] = '\0';
    return lt_ops->read_open(lt_store, &bp_fake.op, &args, &meta, reader, &lt_error);
}

static const struct {
    uint64_t offset, length;
    const char *text;
} ranges[] = {
    {0, BP_UNKNOWN, "0123456789"}, {0, 3, "012"}, {4, 2, "45"}, {9, 1, "9"},        {9, 100, "9"},
    {10, BP_UNKNOWN, ""},          {3, 0, ""},    {10, 5, ""},  {2, 8, "23456789"},
};

START_TEST(test_read__ranges)
{
    lt_put_file("k", "0123456789");
    for (size_t i = 0; i < G_N_ELEMENTS(ranges); i++) {
        struct bp_reader *reader;
        char buffer[16];
        size_t n, len = 0;
        ASSERT_OK(open_range("k", ranges[i].offset, ranges[i].length, NULL, &reader));
        do {
            ASSERT_OK(lt_ops->read(reader, &bp_fake.op, buffer + len, 4, &n, &lt_error));
            len += n;
        } while (n > 0);
        buffer[len] = '\0';
        ck_assert_str_eq(buffer, ranges[i].text);
        lt_ops->read_close(reader);
    }
}
END_TEST

START_TEST(test_read__beyond_the_end)
{
    struct bp_reader *reader;
    lt_put_file("k", "0123456789");
    ASSERT_FAILED(open_range("k", 11, BP_UNKNOWN, NULL, &reader), BP_ERR_RANGE,
                  "offset 11 is beyond its end at 10");
    ASSERT_FAILED(open_range("none", 11, BP_UNKNOWN, NULL, &reader), BP_ERR_NOT_FOUND,
                  "root/none: No such file");
}
END_TEST

START_TEST(test_read__if_match)
{
    struct bp_reader *reader;
    struct bp_object_meta meta;
    lt_put_file("k", "0123456789");
    ASSERT_OK(lt_stat(lt_store, "k", &meta));
    ASSERT_OK(open_range("k", 0, 5, meta.etag, &reader));
    lt_ops->read_close(reader);
    lt_put_file("k", "changed");
    ASSERT_FAILED(open_range("k", 0, 5, meta.etag, &reader), BP_ERR_EXISTS, "its version is");
}
END_TEST

START_TEST(test_read__shrinks_and_changes_meanwhile)
{
    struct bp_reader *reader;
    char buffer[16];
    size_t n;
    g_autofree char *path = lt_path("k");
    lt_put_file("k", "0123456789");
    ASSERT_OK(open_range("k", 0, BP_UNKNOWN, NULL, &reader));
    ck_assert_int_eq(truncate(path, 3), 0);
    ASSERT_OK(lt_ops->read(reader, &bp_fake.op, buffer, 16, &n, &lt_error));
    ck_assert_uint_eq(n, 3);
    ASSERT_FAILED(lt_ops->read(reader, &bp_fake.op, buffer, 16, &n, &lt_error), BP_ERR_RETRYABLE,
                  "got shorter while it was read: it ends at 3 of 10 bytes");
    lt_ops->read_close(reader);

    ASSERT_OK(open_range("k", 0, BP_UNKNOWN, NULL, &reader));
    ASSERT_OK(lt_ops->read(reader, &bp_fake.op, buffer, 16, &n, &lt_error));
    ck_assert_int_eq(truncate(path, 7), 0);
    ASSERT_FAILED(lt_ops->read(reader, &bp_fake.op, buffer, 16, &n, &lt_error), BP_ERR_RETRYABLE,
                  "changed while it was read");
    lt_ops->read_close(reader);
}
END_TEST

START_TEST(test_read__keeps_the_version_that_was_opened)
{
    struct bp_reader *reader;
    char buffer[16];
    size_t n;
    ASSERT_OK(lt_write(lt_store, "k", "old", BP_WRITE_DURABLE));
    ASSERT_OK(open_range("k", 0, BP_UNKNOWN, NULL, &reader));
    ASSERT_OK(lt_write(lt_store, "k", "newer", BP_WRITE_DURABLE));
    ASSERT_OK(lt_ops->read(reader, &bp_fake.op, buffer, 16, &n, &lt_error));
    ck_assert_mem_eq(buffer, "old", 3);
    lt_ops->read_close(reader);
}
END_TEST

START_TEST(test_read__bad_calls)
{
    struct bp_reader *reader;
    char buffer[4];
    size_t n = 9;
    lt_put_file("k", "0123456789");
    ASSERT_OK(open_range("k", 0, BP_UNKNOWN, NULL, &reader));
    ASSERT_FAILED(lt_ops->read(reader, &bp_fake.op, buffer, 0, &n, &lt_error), BP_ERR_INVALID,
                  "empty buffer");
    ck_assert_uint_eq(n, 0);
    atomic_store(&bp_fake.cancelled, 1);
    ASSERT_FAILED(lt_ops->read(reader, &bp_fake.op, buffer, 4, &n, &lt_error), BP_ERR_CANCELLED,
                  "cancelled");
    lt_ops->read_close(reader);
    atomic_store(&bp_fake.cancelled, 0);
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    const struct bp_read_args args = {sizeof(args), 2, "k", 0, 1, NULL};
    ASSERT_FAILED(lt_ops->read_open(lt_store, &bp_fake.op, &args, &meta, &reader, &lt_error),
                  BP_ERR_INVALID, "unknown flags 0x2");
}
END_TEST

static const char *const hostile[] = {
    "../outside", "a/../../outside", "/etc/passwd",   "a//b", "./a", "a/.", "a/", "",
    "a\nb",       ".bakplane-tmp/x", ".bakplane-tmp", "\xFF", "..",
};

START_TEST(test_keys__hostile_ones_are_refused_everywhere)
{
    for (size_t i = 0; i < G_N_ELEMENTS(hostile); i++) {
        const char *key = hostile[i];
        struct bp_reader *reader;
        ASSERT_FAILED(lt_stat(lt_store, key, NULL), BP_ERR_INVALID, "key \"");
        ASSERT_FAILED(open_range(key, 0, 1, NULL, &reader), BP_ERR_INVALID, "key \"");
        ASSERT_FAILED(lt_write(lt_store, key, "x", 0), BP_ERR_INVALID, "key \"");
        ASSERT_FAILED(lt_remove(lt_store, key), BP_ERR_INVALID, "key \"");
        ASSERT_FAILED(lt_copy(lt_store, lt_store, key, "ok", 0, NULL), BP_ERR_INVALID, "key \"");
        ASSERT_FAILED(lt_copy(lt_store, lt_store, "ok", key, 0, NULL), BP_ERR_INVALID, "key \"");
    }
}
END_TEST

static void
links_are_refused(struct bp_storage *store)
{
    g_autofree char *dir_link = lt_path("d/out");
    g_autofree char *file_link = lt_path("d/file");
    g_autofree char *secret = g_strconcat(lt_scratch, "/secret", NULL);
    lt_put_file("d/real", "x");
    ck_assert(g_file_set_contents(secret, "secret", -1, NULL));
    ck_assert_int_eq(symlink(lt_scratch, dir_link), 0);
    ck_assert_int_eq(symlink(secret, file_link), 0);

    static const char *const keys[] = {"d/out/secret", "d/file", "d/out"};
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        ck_assert_ptr_null(lt_read(store, keys[i]));
        ASSERT_FAILED(lt_error.cls, BP_ERR_DENIED, "is a symbolic link");
        ASSERT_FAILED(lt_stat(store, keys[i], NULL), BP_ERR_DENIED, "is a symbolic link");
        ASSERT_FAILED(lt_write(store, keys[i], "x", BP_WRITE_DURABLE), BP_ERR_DENIED,
                      "is a symbolic link");
        ASSERT_FAILED(lt_remove(store, keys[i]), BP_ERR_DENIED, "is a symbolic link");
        ASSERT_FAILED(lt_copy(store, store, keys[i], "to", 0, NULL), BP_ERR_DENIED,
                      "is a symbolic link");
    }
    ASSERT_OK(lt_write(store, "d/out/new", "x", 0));
    ASSERT_FAILED(lt_sync(store), BP_ERR_DENIED, "/d/out is a symbolic link");
    g_autofree char *text = NULL;
    ck_assert(g_file_get_contents(secret, &text, NULL, NULL));
    ck_assert_str_eq(text, "secret");
    /* Once the obstacle is gone the barrier goes on where it stopped. */
    ck_assert_int_eq(unlink(dir_link), 0);
    ASSERT_OK(lt_sync(store));
    ck_assert(lt_has_file("d/out/new"));
}

START_TEST(test_links__are_refused_and_named)
{
    links_are_refused(lt_store);
}
END_TEST

START_TEST(test_links__without_openat2)
{
    bp_local_no_openat2 = true;
    struct bp_storage *store = lt_open("link", "false", NULL);
    links_are_refused(store);
    lt_ops->close(store);
    bp_local_no_openat2 = false;
}
END_TEST

START_TEST(test_links__the_root_itself_may_be_one)
{
    g_autofree char *link = g_strconcat(lt_scratch, "/link", NULL);
    ck_assert_int_eq(symlink(lt_root, link), 0);
    struct bp_storage *store = lt_open("root", link, NULL);
    ASSERT_OK(lt_write(store, "k", "x", BP_WRITE_DURABLE));
    lt_ops->close(store);
    ck_assert(lt_has_file("k"));
}
END_TEST

LT_MAIN("storage-local/read", test_read__ranges, test_read__beyond_the_end, test_read__if_match,
        test_read__shrinks_and_changes_meanwhile, test_read__keeps_the_version_that_was_opened,
        test_read__bad_calls, test_keys__hostile_ones_are_refused_everywhere,
        test_links__are_refused_and_named, test_links__without_openat2,
        test_links__the_root_itself_may_be_one)
