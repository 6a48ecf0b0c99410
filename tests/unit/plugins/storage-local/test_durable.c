/* SPDX-License-Identifier: Apache-2.0
 *
 * storage-local: which directories are synced for a name that has to survive power loss.  Each is,
 * always, where the file system does not tell when a directory was born.
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugins/storage-local/durable.h"
#include "tests/unit/plugins/storage-local/local_test.h"

static bool
tells_birth(void)
{
    struct statx st;
    return statx(AT_FDCWD, lt_root, 0, STATX_BTIME, &st) == 0 && (st.stx_mask & STATX_BTIME) != 0;
}

/* @all: directories of the key, the root too.  @fewer: those that are enough. */
static void
writes(struct bp_storage *store, const char *key, uint64_t all, uint64_t fewer)
{
    uint64_t before = atomic_load(&bp_local_synced_dirs);
    ASSERT_OK(lt_write(store, key, "x", BP_WRITE_DURABLE));
    uint64_t synced = atomic_load(&bp_local_synced_dirs) - before;
    ck_assert_msg(synced == (tells_birth() ? fewer : all), "%s: %u directories", key,
                  (unsigned)synced);
}

START_TEST(test_sync_parents__new_directories_and_their_first_old_one)
{
    writes(lt_store, "a/b/1", 3, 3);
    writes(lt_store, "a/b/2", 3, 1);
    writes(lt_store, "a/c/1", 3, 2);
    writes(lt_store, "a/b/2", 3, 1); /* replaced */
    writes(lt_store, "d/1", 2, 2);
    writes(lt_store, "1", 1, 1);
}
END_TEST

START_TEST(test_sync_parents__directory_that_was_made_again)
{
    writes(lt_store, "a/b/1", 3, 3);
    ASSERT_OK(lt_remove(lt_store, "a/b/1")); /* takes a and a/b along */
    writes(lt_store, "a/b/1", 3, 3);
    g_autofree char *object = lt_path("a/b/1");
    g_autofree char *dir = lt_path("a/b");
    ck_assert_int_eq(unlink(object), 0);
    ck_assert_int_eq(rmdir(dir), 0);
    ck_assert_int_eq(mkdir(dir, 0755), 0); /* by somebody else, perhaps with the same number */
    writes(lt_store, "a/b/1", 3, 2);
}
END_TEST

START_TEST(test_sync_parents__each_instance_for_itself)
{
    struct bp_storage *other = lt_open(NULL);
    writes(lt_store, "a/b/1", 3, 3);
    writes(other, "a/b/2", 3, 3);
    writes(other, "a/b/3", 3, 1);
    lt_ops->close(other);
}
END_TEST

LT_MAIN("durable", test_sync_parents__new_directories_and_their_first_old_one,
        test_sync_parents__directory_that_was_made_again,
        test_sync_parents__each_instance_for_itself)
