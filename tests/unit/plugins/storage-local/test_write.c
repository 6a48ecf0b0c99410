/* SPDX-License-Identifier: Apache-2.0
 *
 * storage-local: writing, publishing, conditions.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugins/storage-local/publish.h"
#include "sdk/lib/checksum.h"
#include "sdk/lib/errors.h"
#include "tests/unit/plugins/storage-local/local_test.h"

START_TEST(test_commit__visible_after_sync_only)
{
    ASSERT_OK(lt_write(lt_store, "a/b/c", "hello", 0));
    ASSERT_FAILED(lt_stat(lt_store, "a/b/c", NULL), BP_ERR_NOT_FOUND, "root/a/b/c");
    ASSERT_OK(lt_sync(lt_store));
    g_autofree char *text = lt_read(lt_store, "a/b/c");
    ck_assert_str_eq(text, "hello");
}
END_TEST

START_TEST(test_commit__durable_is_visible_at_once)
{
    struct bp_object_meta meta = {.struct_size = sizeof(meta)}, seen;
    const struct bp_write_args args = {sizeof(args), BP_WRITE_DURABLE, "x/y", BP_UNKNOWN, NULL,
                                       {0}};
    ASSERT_OK(lt_write_args(lt_store, &args, "12345", 5, &meta));
    ASSERT_OK(lt_stat(lt_store, "x/y", &seen));
    ck_assert_uint_eq(meta.size, 5);
    ck_assert_str_eq(meta.etag, seen.etag);
    ck_assert_int_eq(meta.mtime_ns, seen.mtime_ns);
}
END_TEST

START_TEST(test_commit__etag_survives_the_barrier)
{
    struct bp_object_meta meta = {.struct_size = sizeof(meta)}, seen;
    const struct bp_write_args args = {sizeof(args), 0, "x/y", 5, NULL, {0}};
    ASSERT_OK(lt_write_args(lt_store, &args, "12345", 5, &meta));
    ASSERT_OK(lt_sync(lt_store));
    ASSERT_OK(lt_stat(lt_store, "x/y", &seen));
    ck_assert_str_eq(meta.etag, seen.etag);
}
END_TEST

START_TEST(test_commit__replaces)
{
    ASSERT_OK(lt_write(lt_store, "k", "old", BP_WRITE_DURABLE));
    ASSERT_OK(lt_write(lt_store, "k", "new", 0));
    g_autofree char *before = lt_read(lt_store, "k");
    ck_assert_str_eq(before, "old");
    ASSERT_OK(lt_sync(lt_store));
    g_autofree char *after = lt_read(lt_store, "k");
    ck_assert_str_eq(after, "new");
}
END_TEST

START_TEST(test_commit__last_of_several_wins)
{
    ASSERT_OK(lt_write(lt_store, "k", "one", 0));
    ASSERT_OK(lt_write(lt_store, "k", "two", 0));
    ASSERT_OK(lt_write(lt_store, "k", "three", BP_WRITE_DURABLE));
    ASSERT_OK(lt_sync(lt_store));
    g_autofree char *text = lt_read(lt_store, "k");
    ck_assert_str_eq(text, "three");
}
END_TEST

START_TEST(test_commit__size_must_agree)
{
    const struct bp_write_args args = {sizeof(args), 0, "k", 6, NULL, {0}};
    ASSERT_FAILED(lt_write_args(lt_store, &args, "12345", 5, NULL), BP_ERR_INVALID,
                  "object k: 6 bytes were announced, 5 written");
    ASSERT_FAILED(lt_write_args(lt_store, &args, "1234567", 7, NULL), BP_ERR_INVALID,
                  "more than the announced 6");
    ASSERT_OK(lt_sync(lt_store));
    ck_assert(!lt_has_file("k"));
}
END_TEST

static const struct {
    uint32_t kind;
    const char *hex; /* of "hello" */
} sums[] = {
    {BP_CHECKSUM_XXH3_128, "b5e9c1ad071b3e7fc779cfaa5e523818"},
    {BP_CHECKSUM_SHA256, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"},
    {BP_CHECKSUM_MD5, "5d41402abc4b2a76b9719d911017c592"},
};

START_TEST(test_commit__checksums)
{
    for (size_t i = 0; i < G_N_ELEMENTS(sums); i++) {
        struct bp_write_args args = {sizeof(args), BP_WRITE_DURABLE, "sum", 5, NULL, {0}};
        struct bp_object_meta meta = {.struct_size = sizeof(meta)};
        bp_checksum_from_hex(&args.checksum, sums[i].kind, BP_CHECKSUM_BY_HOST, sums[i].hex);
        ASSERT_OK(lt_write_args(lt_store, &args, "hello", 5, &meta));
        ck_assert(bp_checksum_equal(&meta.checksum, &args.checksum));
        ck_assert_uint_eq(meta.checksum.by, BP_CHECKSUM_BY_PLUGIN);
        ASSERT_OK(lt_remove(lt_store, "sum"));
        ASSERT_FAILED(lt_write_args(lt_store, &args, "hellO", 5, &meta), BP_ERR_CORRUPT,
                      bp_checksum_kind_name(sums[i].kind));
        ck_assert(!lt_has_file("sum"));
    }
}
END_TEST

START_TEST(test_open__unknown_checksum_kind)
{
    struct bp_write_args args = {sizeof(args), 0, "k", 5, NULL, {.kind = BP_CHECKSUM_CRC32C}};
    ASSERT_FAILED(lt_write_args(lt_store, &args, "hello", 5, NULL), BP_ERR_UNSUPPORTED,
                  "not computed here");
}
END_TEST

START_TEST(test_open__unknown_flags_are_refused)
{
    ASSERT_FAILED(lt_write(lt_store, "k", "x", UINT32_C(1) << 20), BP_ERR_INVALID,
                  "unknown flags 0x100000");
}
END_TEST

START_TEST(test_exclusive__one_winner)
{
    ASSERT_OK(lt_write(lt_store, "lock", "mine", BP_WRITE_IF_NONE_MATCH));
    ASSERT_FAILED(lt_write(lt_store, "lock", "yours", BP_WRITE_IF_NONE_MATCH), BP_ERR_EXISTS,
                  "object lock exists already");
    g_autofree char *text = lt_read(lt_store, "lock");
    ck_assert_str_eq(text, "mine");
}
END_TEST

static void
exclusive_race(void)
{
    struct bp_writer *writer[2];
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    const struct bp_write_args args = {sizeof(args), BP_WRITE_IF_NONE_MATCH | BP_WRITE_DURABLE,
                                       "race/lock",  BP_UNKNOWN,
                                       NULL,         {0}};
    for (int i = 0; i < 2; i++) {
        ASSERT_OK(lt_ops->write_open(lt_store, &bp_fake.op, &args, &writer[i], &lt_error));
        ASSERT_OK(lt_ops->write(writer[i], &bp_fake.op, i == 0 ? "0" : "1", 1, &lt_error));
    }
    ASSERT_OK(lt_ops->write_commit(writer[1], &bp_fake.op, &meta, &lt_error));
    ASSERT_FAILED(lt_ops->write_commit(writer[0], &bp_fake.op, &meta, &lt_error), BP_ERR_EXISTS,
                  "race/lock exists already");
    g_autofree char *text = lt_read(lt_store, "race/lock");
    ck_assert_str_eq(text, "1");
}

START_TEST(test_exclusive__decided_at_commit)
{
    exclusive_race();
}
END_TEST

START_TEST(test_exclusive__by_link_where_rename_cannot)
{
    bp_local_no_noreplace = true;
    exclusive_race();
    bp_local_no_noreplace = false;
}
END_TEST

START_TEST(test_exclusive__a_waiting_write_counts)
{
    ASSERT_OK(lt_write(lt_store, "k", "first", 0));
    ASSERT_FAILED(lt_write(lt_store, "k", "second", BP_WRITE_IF_NONE_MATCH), BP_ERR_EXISTS,
                  "object k exists already");
    ASSERT_OK(lt_sync(lt_store));
    g_autofree char *text = lt_read(lt_store, "k");
    ck_assert_str_eq(text, "first");
}
END_TEST

START_TEST(test_overtake__a_failed_one_changes_nothing)
{
    lt_put_file("k/in/the/way", "");
    ASSERT_OK(lt_write(lt_store, "k", "first", 0));
    ASSERT_FAILED(lt_write(lt_store, "k", "second", BP_WRITE_DURABLE), BP_ERR_INVALID,
                  "a directory that holds other objects");
    ASSERT_OK(lt_remove(lt_store, "k/in/the/way"));
    ck_assert(!lt_has_file("k"));
    ASSERT_OK(lt_sync(lt_store));
    g_autofree char *text = lt_read(lt_store, "k");
    ck_assert_str_eq(text, "first");
}
END_TEST

START_TEST(test_if_match__replaces_only_that_version)
{
    struct bp_object_meta first, second = {.struct_size = sizeof(second)};
    ASSERT_OK(lt_write(lt_store, "lease", "one", BP_WRITE_DURABLE));
    ASSERT_OK(lt_stat(lt_store, "lease", &first));
    const struct bp_write_args args = {sizeof(args), BP_WRITE_DURABLE, "lease",
                                       BP_UNKNOWN,   first.etag,       {0}};
    ASSERT_OK(lt_write_args(lt_store, &args, "two", 3, &second));
    ck_assert_str_ne(first.etag, second.etag);
    ASSERT_FAILED(lt_write_args(lt_store, &args, "three", 5, NULL), BP_ERR_EXISTS,
                  "object lease: its version is");
    g_autofree char *text = lt_read(lt_store, "lease");
    ck_assert_str_eq(text, "two");
}
END_TEST

START_TEST(test_if_match__missing_object)
{
    const struct bp_write_args args = {sizeof(args), 0, "lease", BP_UNKNOWN, "1-2-3", {0}};
    ASSERT_FAILED(lt_write_args(lt_store, &args, "x", 1, NULL), BP_ERR_EXISTS, "it is gone");
    const struct bp_write_args both = {
        sizeof(both), BP_WRITE_IF_NONE_MATCH, "lease", BP_UNKNOWN, "1-2-3", {0}};
    ASSERT_FAILED(lt_write_args(lt_store, &both, "x", 1, NULL), BP_ERR_INVALID, "exclude");
}
END_TEST

START_TEST(test_abort__leaves_nothing)
{
    struct bp_writer *writer;
    const struct bp_write_args args = {sizeof(args), 0, "k", BP_UNKNOWN, NULL, {0}};
    ASSERT_OK(lt_ops->write_open(lt_store, &bp_fake.op, &args, &writer, &lt_error));
    ASSERT_OK(lt_ops->write(writer, &bp_fake.op, "x", 1, &lt_error));
    atomic_store(&bp_fake.cancelled, 1);
    lt_ops->write_abort(writer, &bp_fake.op);
    atomic_store(&bp_fake.cancelled, 0);
    ASSERT_OK(lt_sync(lt_store));
    g_autofree char *listed = lt_list(lt_store, "", 0, 10, NULL);
    ck_assert_str_eq(listed, "");
}
END_TEST

START_TEST(test_write__sizes_around_the_chunk)
{
    static const size_t sizes[] = {0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 5 << 20};
    g_autofree char *bytes = g_malloc(5 << 20);
    memset(bytes, 'b', 5 << 20);
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        struct bp_object_meta meta;
        const struct bp_write_args args = {sizeof(args), BP_WRITE_DURABLE, "sized", sizes[i], NULL,
                                           {0}};
        ASSERT_OK(lt_write_args(lt_store, &args, bytes, sizes[i], NULL));
        ASSERT_OK(lt_stat(lt_store, "sized", &meta));
        ck_assert_uint_eq(meta.size, sizes[i]);
    }
}
END_TEST

START_TEST(test_write__cancelled_and_late)
{
    struct bp_writer *writer;
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    const struct bp_write_args args = {sizeof(args), 0, "k", BP_UNKNOWN, NULL, {0}};
    ASSERT_OK(lt_ops->write_open(lt_store, &bp_fake.op, &args, &writer, &lt_error));
    atomic_store(&bp_fake.cancelled, 1);
    ASSERT_FAILED(lt_ops->write(writer, &bp_fake.op, "x", 1, &lt_error), BP_ERR_CANCELLED,
                  "cancelled");
    ASSERT_FAILED(lt_ops->write_commit(writer, &bp_fake.op, &meta, &lt_error), BP_ERR_CANCELLED,
                  "cancelled");
    ASSERT_FAILED(lt_write(lt_store, "k", "x", 0), BP_ERR_CANCELLED, "cancelled");
    atomic_store(&bp_fake.cancelled, 0);
    bp_fake.op.deadline_ns = 1;
    ASSERT_FAILED(lt_write(lt_store, "k", "x", 0), BP_ERR_TIMEOUT, "deadline");
}
END_TEST

START_TEST(test_write__odd_keys)
{
    static const char *const keys[] = {"with space/100%+&#?",
                                       "\xE4\xB8\xAD\xE6\x96\x87/\xC3\xBC",
                                       "..a/...",
                                       "-rf/*",
                                       "back\\slash",
                                       ".bakplane-tmpx"};
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        ASSERT_OK(lt_write(lt_store, keys[i], keys[i], BP_WRITE_DURABLE));
        g_autofree char *text = lt_read(lt_store, keys[i]);
        ck_assert_str_eq(text, keys[i]);
    }
}
END_TEST

START_TEST(test_write__longest_key)
{
    char key[BP_KEY_MAX + 1];
    for (size_t i = 0; i < BP_KEY_MAX; i++) {
        key[i] = i % 200 == 199 ? '/' : 'k';
    }
    key[BP_KEY_MAX] = '\0';
    ASSERT_OK(lt_write(lt_store, key, "long", BP_WRITE_DURABLE));
    g_autofree char *listed = lt_list(lt_store, "", 0, 10, NULL);
    ck_assert_int_eq(strncmp(listed, key, BP_KEY_MAX), 0);
    memset(key, 'k', 300);
    key[300] = '\0';
    ASSERT_FAILED(lt_write(lt_store, key, "x", BP_WRITE_DURABLE), BP_ERR_INVALID,
                  "File name too long");
}
END_TEST

START_TEST(test_write__key_and_prefix_exclude_each_other)
{
    ASSERT_OK(lt_write(lt_store, "a/b", "x", BP_WRITE_DURABLE));
    ASSERT_FAILED(lt_write(lt_store, "a", "x", BP_WRITE_DURABLE), BP_ERR_INVALID,
                  "a directory that holds other objects");
    ASSERT_FAILED(lt_write(lt_store, "a/b/c", "x", BP_WRITE_DURABLE), BP_ERR_INVALID,
                  "/a/b is not a directory");
    ASSERT_FAILED(lt_stat(lt_store, "a/b/c", NULL), BP_ERR_NOT_FOUND, "/a/b is not a directory");
    ASSERT_FAILED(lt_stat(lt_store, "a", NULL), BP_ERR_NOT_FOUND, "it is a directory");
}
END_TEST

START_TEST(test_write__empty_directory_gives_way)
{
    g_autofree char *dir = lt_path("d");
    ck_assert_int_eq(mkdir(dir, 0755), 0);
    ASSERT_OK(lt_write(lt_store, "d", "now a file", 0));
    ASSERT_OK(lt_sync(lt_store));
    g_autofree char *text = lt_read(lt_store, "d");
    ck_assert_str_eq(text, "now a file");
}
END_TEST

START_TEST(test_write__modes)
{
    struct stat st;
    struct bp_storage *store = lt_open("file_mode", "0664", "dir_mode", "2770", NULL);
    ASSERT_OK(lt_write(store, "m/f", "x", BP_WRITE_DURABLE));
    lt_ops->close(store);
    g_autofree char *file = lt_path("m/f");
    g_autofree char *dir = lt_path("m");
    ck_assert_int_eq(stat(file, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0664);
    ck_assert_int_eq(stat(dir, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 02770);
}
END_TEST

START_TEST(test_write__owner)
{
    struct stat st;
    if (!lt_is_root()) {
        return;
    }
    struct bp_storage *store = lt_open("owner", "4711:4712", NULL);
    ASSERT_OK(lt_write(store, "o/f", "x", BP_WRITE_DURABLE));
    lt_ops->close(store);
    g_autofree char *file = lt_path("o/f");
    g_autofree char *dir = lt_path("o");
    ck_assert_int_eq(stat(file, &st), 0);
    ck_assert_uint_eq(st.st_uid, 4711);
    ck_assert_uint_eq(st.st_gid, 4712);
    ck_assert_int_eq(stat(dir, &st), 0);
    ck_assert_uint_eq(st.st_uid, 4711);
}
END_TEST

START_TEST(test_remove__missing_is_fine_and_directories_go)
{
    ASSERT_OK(lt_write(lt_store, "a/b/c/d", "x", BP_WRITE_DURABLE));
    ASSERT_OK(lt_write(lt_store, "a/e", "x", BP_WRITE_DURABLE));
    ASSERT_OK(lt_remove(lt_store, "a/b/c/nothing"));
    ASSERT_OK(lt_remove(lt_store, "no/such/key"));
    ASSERT_OK(lt_remove(lt_store, "a/e/below"));
    ASSERT_OK(lt_remove(lt_store, "a/b"));
    ck_assert(lt_has_file("a/b/c/d"));
    ASSERT_OK(lt_remove(lt_store, "a/b/c/d"));
    ck_assert(!lt_has_file("a/b"));
    ASSERT_OK(lt_remove(lt_store, "a/e"));
    ck_assert(!lt_has_file("a"));
    ck_assert(lt_has_file(""));
}
END_TEST

START_TEST(test_remove__overtakes_a_waiting_write)
{
    ASSERT_OK(lt_write(lt_store, "k", "x", 0));
    ASSERT_OK(lt_remove(lt_store, "k"));
    ASSERT_OK(lt_sync(lt_store));
    ck_assert(!lt_has_file("k"));
}
END_TEST

START_TEST(test_remove__if_match)
{
    struct bp_object_meta meta;
    ASSERT_OK(lt_write(lt_store, "k", "one", BP_WRITE_DURABLE));
    ASSERT_OK(lt_stat(lt_store, "k", &meta));
    ASSERT_OK(lt_write(lt_store, "k", "two", BP_WRITE_DURABLE));
    ASSERT_FAILED(lt_ops->remove(lt_store, &bp_fake.op, "k", meta.etag, &lt_error), BP_ERR_EXISTS,
                  "its version is");
    ASSERT_OK(lt_stat(lt_store, "k", &meta));
    ASSERT_OK(lt_ops->remove(lt_store, &bp_fake.op, "k", meta.etag, &lt_error));
    ck_assert(!lt_has_file("k"));
    ASSERT_OK(lt_ops->remove(lt_store, &bp_fake.op, "k", meta.etag, &lt_error));
}
END_TEST

static int32_t
count_outcome(void *ctx, const char *key, const char *extra, int64_t started,
              const struct bp_error *error)
{
    int *counts = ctx;
    (void)key;
    (void)extra;
    (void)started;
    counts[error == NULL ? 0 : 1]++;
    return 0;
}

START_TEST(test_remove_many__tells_each_outcome)
{
    static const char *const keys[] = {"a", "missing", "../bad", "b/c"};
    int counts[2] = {0, 0};
    const struct bp_key_sink sink = {sizeof(sink), 0, counts, count_outcome};
    ASSERT_OK(lt_write(lt_store, "a", "x", BP_WRITE_DURABLE));
    ASSERT_OK(lt_write(lt_store, "b/c", "x", BP_WRITE_DURABLE));
    ASSERT_OK(lt_ops->remove_many(lt_store, &bp_fake.op, keys, 4, &sink, &lt_error));
    ck_assert_int_eq(counts[0], 3);
    ck_assert_int_eq(counts[1], 1);
    g_autofree char *listed = lt_list(lt_store, "", 0, 10, NULL);
    ck_assert_str_eq(listed, "");
}
END_TEST

LT_MAIN("storage-local/write", test_commit__visible_after_sync_only,
        test_commit__durable_is_visible_at_once, test_commit__etag_survives_the_barrier,
        test_commit__replaces, test_commit__last_of_several_wins, test_commit__size_must_agree,
        test_commit__checksums, test_open__unknown_checksum_kind,
        test_open__unknown_flags_are_refused, test_exclusive__one_winner,
        test_exclusive__decided_at_commit, test_exclusive__by_link_where_rename_cannot,
        test_exclusive__a_waiting_write_counts, test_overtake__a_failed_one_changes_nothing,
        test_if_match__replaces_only_that_version, test_if_match__missing_object,
        test_abort__leaves_nothing, test_write__sizes_around_the_chunk,
        test_write__cancelled_and_late, test_write__odd_keys, test_write__longest_key,
        test_write__key_and_prefix_exclude_each_other, test_write__empty_directory_gives_way,
        test_write__modes, test_write__owner, test_remove__missing_is_fine_and_directories_go,
        test_remove__overtakes_a_waiting_write, test_remove__if_match,
        test_remove_many__tells_each_outcome)
