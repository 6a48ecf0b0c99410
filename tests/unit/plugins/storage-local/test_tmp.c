/* SPDX-License-Identifier: Apache-2.0
 *
 * storage-local: leftovers of killed runs, the barrier under load, many threads.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plugins/storage-local/publish.h"
#include "tests/unit/plugins/storage-local/local_test.h"

static unsigned
count_in(const char *key)
{
    unsigned n = 0;
    g_autofree char *path = lt_path(key);
    GDir *dir = g_dir_open(path, 0, NULL);
    while (dir != NULL && g_dir_read_name(dir) != NULL) {
        n++;
    }
    g_clear_pointer(&dir, g_dir_close);
    return n;
}

/* Writes one object, begins a second one, and is killed. */
static void
write_and_die(bool before_sync)
{
    int status;
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        struct bp_storage *store = lt_open("link", "false", NULL);
        struct bp_writer *writer;
        const struct bp_write_args args = {sizeof(args), 0, "half", BP_UNKNOWN, NULL, {0}};
        if (lt_write(store, "k", "new", 0) != BP_OK || (!before_sync && lt_sync(store) != BP_OK) ||
            lt_ops->write_open(store, &bp_fake.op, &args, &writer, &lt_error) != BP_OK ||
            lt_ops->write(writer, &bp_fake.op, "half", 4, &lt_error) != BP_OK) {
            _exit(1);
        }
        kill(getpid(), SIGKILL);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

START_TEST(test_kill__leaves_the_old_content)
{
    ASSERT_OK(lt_write(lt_store, "k", "old", BP_WRITE_DURABLE));
    write_and_die(true);
    g_autofree char *text = lt_read(lt_store, "k");
    ck_assert_str_eq(text, "old");
    write_and_die(false);
    g_autofree char *published = lt_read(lt_store, "k");
    ck_assert_str_eq(published, "new");
    ck_assert(!lt_has_file("half"));
    struct bp_storage *next = lt_open("link", "false", NULL);
    ASSERT_OK(lt_write(next, "n", "x", 0));
    lt_ops->close(next);
    ck_assert_uint_eq(count_in(".bakplane-tmp"), 1);
}
END_TEST

START_TEST(test_sweep__removes_dead_spares_living)
{
    ASSERT_OK(lt_write(lt_store, "k", "x", 0));
    ck_assert_uint_eq(count_in(".bakplane-tmp"), 1);
    write_and_die(true);
    ck_assert_uint_eq(count_in(".bakplane-tmp"), 2);
    struct bp_storage *next = lt_open("link", "false", NULL);
    ASSERT_OK(lt_write(next, "n", "x", 0));
    ck_assert_uint_eq(count_in(".bakplane-tmp"), 2);
    ASSERT_OK(lt_sync(lt_store));
    ck_assert(lt_has_file("k"));
    lt_ops->close(next);
    ck_assert(!lt_has_file("n"));
    ck_assert_uint_eq(count_in(".bakplane-tmp"), 1);
}
END_TEST

START_TEST(test_sweep__odd_things_in_our_folder)
{
    g_autofree char *empty = lt_path(".bakplane-tmp/killed-early");
    g_autofree char *link = lt_path(".bakplane-tmp/link");
    lt_put_file(".bakplane-tmp/a-file", "");
    lt_put_file(".bakplane-tmp/no-lock/file", "");
    ck_assert_int_eq(mkdir(empty, 0755), 0);
    ck_assert_int_eq(symlink("..", link), 0);
    lt_put_file("precious", "x");
    ASSERT_OK(lt_write(lt_store, "k", "x", BP_WRITE_DURABLE));
    ck_assert(!lt_has_file(".bakplane-tmp/killed-early"));
    ck_assert(lt_has_file(".bakplane-tmp/no-lock/file"));
    ck_assert(lt_has_file("precious"));
    static const char *const left[] = {".bakplane-tmp/no-lock/file", ".bakplane-tmp/no-lock",
                                       ".bakplane-tmp/a-file", ".bakplane-tmp/link"};
    for (size_t i = 0; i < G_N_ELEMENTS(left); i++) {
        g_autofree char *path = lt_path(left[i]);
        ck_assert_int_eq(remove(path), 0);
    }
}
END_TEST

START_TEST(test_close__drops_what_was_never_synced)
{
    struct bp_storage *store = lt_open("link", "false", NULL);
    ASSERT_OK(lt_write(store, "k", "x", 0));
    lt_ops->close(store);
    ck_assert(!lt_has_file("k"));
    ck_assert(!lt_has_file(".bakplane-tmp"));
}
END_TEST

START_TEST(test_sync__without_writes)
{
    ASSERT_OK(lt_sync(lt_store));
    ASSERT_OK(lt_write(lt_store, "k", "x", 0));
    atomic_store(&bp_fake.cancelled, 1);
    ASSERT_FAILED(lt_sync(lt_store), BP_ERR_CANCELLED, "cancelled");
    atomic_store(&bp_fake.cancelled, 0);
    ASSERT_OK(lt_sync(lt_store));
    ck_assert(lt_has_file("k"));
}
END_TEST

START_TEST(test_sync__temporary_files_taken_away)
{
    ASSERT_OK(lt_write(lt_store, "k", "x", 0));
    g_autofree char *tmp = lt_path(".bakplane-tmp");
    g_autofree char *command = g_strconcat("/bin/sh -c 'rm -f ", tmp, "/*/[0-9]*'", NULL);
    ck_assert(g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL));
    ASSERT_FAILED(lt_sync(lt_store), BP_ERR_RETRYABLE, "cannot write ");
}
END_TEST

/* Threads that write, replace, list, copy and remove a few keys, with barriers in between. */
#define THREADS 16
#define ROUNDS 40

static bool
plausible(bp_status status)
{
    return status == BP_OK || status == BP_ERR_NOT_FOUND || status == BP_ERR_EXISTS ||
           status == BP_ERR_RETRYABLE;
}

static int32_t
ignore_entry(void *ctx, const char *key, const struct bp_object_meta *meta)
{
    (void)ctx;
    (void)meta;
    return strncmp(key, "h/", 2) != 0;
}

static bp_status
write_quietly(const char *key, const char *text, uint32_t flags, struct bp_error *error)
{
    struct bp_writer *writer;
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    const struct bp_write_args args = {sizeof(args), flags, key, strlen(text), NULL, {0}};
    bp_status status = lt_ops->write_open(lt_store, &bp_fake.op, &args, &writer, error);
    if (status == BP_OK) {
        status = lt_ops->write(writer, &bp_fake.op, text, strlen(text), error);
        if (status != BP_OK) {
            lt_ops->write_abort(writer, &bp_fake.op);
            return status;
        }
        status = lt_ops->write_commit(writer, &bp_fake.op, &meta, error);
    }
    return status;
}

static bp_status
one_call(unsigned kind, const char *key, const char *other, struct bp_error *error)
{
    struct bp_object_meta meta = {.struct_size = sizeof(meta)};
    const struct bp_copy_args copy = {
        .struct_size = sizeof(copy),
        .flags = kind % 2 == 0 ? BP_COPY_NEED_CHECKSUM : 0,
        .src = lt_store,
        .src_key = key,
        .dst_key = other,
        .size = BP_UNKNOWN,
    };
    const struct bp_list_sink sink = {sizeof(sink), 0, NULL, ignore_entry, NULL, NULL};
    const struct bp_list_args list = {.struct_size = sizeof(list), .prefix = "h/", .max = 4000};
    switch (kind % 8) {
    case 0:
        return lt_ops->remove(lt_store, &bp_fake.op, key, NULL, error);
    case 1:
        return write_quietly(key, "durable", BP_WRITE_DURABLE, error);
    case 2:
        return write_quietly(key, "exclusive", BP_WRITE_IF_NONE_MATCH, error);
    case 3:
        return lt_ops->sync(lt_store, &bp_fake.op, error);
    case 4:
        return lt_ops->copy(lt_store, &bp_fake.op, &copy, &meta, error);
    case 5:
        return lt_ops->list(lt_store, &bp_fake.op, &list, &sink, error);
    case 6:
        return lt_ops->stat(lt_store, &bp_fake.op, key, &meta, error);
    default:
        return write_quietly(key, "waiting", 0, error);
    }
}

static void *
hammer(void *number)
{
    unsigned seed = GPOINTER_TO_UINT(number);
    for (unsigned round = 0; round < ROUNDS; round++) {
        char key[32], other[32];
        struct bp_error error = {.struct_size = sizeof(error)};
        seed = seed * 1103515245u + 12345u;
        snprintf(key, sizeof(key), "h/%u/%u", seed >> 16 & 1, seed >> 17 & 3);
        snprintf(other, sizeof(other), "h/%u/%u", seed >> 20 & 1, seed >> 21 & 3);
        if (!plausible(one_call(seed >> 24, key, other, &error))) {
            fprintf(stderr, "%s\n", error.message);
            return GINT_TO_POINTER(1);
        }
    }
    return NULL;
}

START_TEST(test_threads__hammer)
{
    pthread_t thread[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_create(&thread[i], NULL, hammer, GUINT_TO_POINTER(i * 77 + 1)), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        void *failed;
        pthread_join(thread[i], &failed);
        ck_assert_ptr_null(failed);
    }
    ASSERT_OK(lt_sync(lt_store));
    g_autofree char *listed = lt_list(lt_store, "", 0, 100, NULL);
    g_auto(GStrv) keys = g_strsplit(listed, " ", -1);
    for (char **key = keys; **key != '\0'; key++) {
        g_autofree char *text = lt_read(lt_store, *key);
        ck_assert_msg(text != NULL &&
                          (strcmp(text, "durable") == 0 || strcmp(text, "exclusive") == 0 ||
                           strcmp(text, "waiting") == 0),
                      "%s: \"%s\"", *key, text);
    }
}
END_TEST

static _Atomic int winners;

static void *
race(void *number)
{
    struct bp_error error = {.struct_size = sizeof(error)};
    char text[16];
    snprintf(text, sizeof(text), "%u", GPOINTER_TO_UINT(number));
    if (write_quietly("race/lock", text, BP_WRITE_IF_NONE_MATCH, &error) == BP_OK) {
        atomic_fetch_add(&winners, 1);
    }
    return NULL;
}

START_TEST(test_threads__one_winner)
{
    pthread_t thread[THREADS];
    atomic_store(&winners, 0);
    for (unsigned i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_create(&thread[i], NULL, race, GUINT_TO_POINTER(i)), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
    }
    ck_assert_int_eq(atomic_load(&winners), 1);
}
END_TEST

static unsigned
open_descriptors(void)
{
    unsigned n = 0;
    GDir *dir = g_dir_open("/proc/self/fd", 0, NULL);
    while (g_dir_read_name(dir) != NULL) {
        n++;
    }
    g_dir_close(dir);
    return n;
}

START_TEST(test_close__gives_back_descriptors)
{
    unsigned before = open_descriptors();
    struct bp_storage *store = lt_open("link", "true", NULL);
    ASSERT_OK(lt_write(store, "a/k", "x", BP_WRITE_DURABLE));
    ASSERT_OK(lt_write(store, "a/l", "x", BP_WRITE_IF_NONE_MATCH));
    ASSERT_OK(lt_copy(store, store, "a/k", "b/k", BP_COPY_MAY_LINK, NULL));
    ASSERT_OK(lt_copy(store, store, "a/k", "b/m", BP_COPY_NEED_CHECKSUM, NULL));
    ASSERT_OK(lt_sync(store));
    g_autofree char *listed = lt_list(store, "", 0, 1, NULL);
    ck_assert_str_eq(listed, "a/k a/l b/k b/m ");
    ASSERT_FAILED(lt_copy(store, store, "none", "b/m", 0, NULL), BP_ERR_NOT_FOUND, "none");
    ASSERT_OK(lt_remove(store, "a/k"));
    lt_ops->close(store);
    ck_assert_uint_eq(open_descriptors(), before);
}
END_TEST

LT_MAIN("storage-local/tmp", test_kill__leaves_the_old_content,
        test_sweep__removes_dead_spares_living, test_sweep__odd_things_in_our_folder,
        test_close__drops_what_was_never_synced, test_sync__without_writes,
        test_sync__temporary_files_taken_away, test_threads__hammer, test_threads__one_winner,
        test_close__gives_back_descriptors)
