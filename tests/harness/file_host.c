/* SPDX-License-Identifier: Apache-2.0
 *
 * Listings walk the whole tree and sort; that is enough for tests.
 */
#include "file_host.h"

#include <bakplane/storage.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sdk/lib/errors.h"
#include "sdk/lib/parse.h"

#include "sdk/lib/ban.h"

struct file_host {
    pthread_mutex_t lock; /* guards log */
    GString *log;
    GHashTable *storages; /* ref -> root, ends in '/' */
    _Atomic bool cancelled, skip_sleeps;
};

struct bp_config {
    GHashTable *values;
};

static file_host *
host_of(const struct bp_op *op)
{
    return op != NULL ? (file_host *)(uintptr_t)op->host_private : NULL;
}

static void
on_log(const struct bp_op *op, int32_t level, const char *message)
{
    file_host *host = host_of(op);
    if (host != NULL) {
        (void)pthread_mutex_lock(&host->lock);
        g_string_append_printf(host->log, "%d %s\n", level, message);
        (void)pthread_mutex_unlock(&host->lock);
    }
}

static int32_t
on_log_enabled(const struct bp_op *op, int32_t level)
{
    (void)op;
    return level <= BP_LOG_DEBUG;
}

static void *
on_alloc(const struct bp_op *op, size_t size)
{
    (void)op;
    return g_try_malloc(size);
}

static void *
on_realloc(const struct bp_op *op, void *memory, size_t size)
{
    (void)op;
    return g_try_realloc(memory, size);
}

static const char *
on_config_get(const struct bp_config *config, const char *key)
{
    return config != NULL ? g_hash_table_lookup(config->values, key) : NULL;
}

static size_t
on_config_count(const struct bp_config *config, const char *key)
{
    return on_config_get(config, key) != NULL ? 1 : 0;
}

static const char *
on_config_at(const struct bp_config *config, const char *key, size_t i)
{
    return i == 0 ? on_config_get(config, key) : NULL;
}

static int32_t
on_cancelled(const struct bp_op *op)
{
    const file_host *host = host_of(op);
    return host != NULL && atomic_load(&host->cancelled) ? 1 : 0;
}

static int32_t
on_cancel_fd(const struct bp_op *op)
{
    (void)op;
    return -1;
}

static bp_status
on_sleep(const struct bp_op *op, uint64_t ns)
{
    const file_host *host = host_of(op);
    if (on_cancelled(op) != 0) {
        return BP_ERR_CANCELLED;
    }
    if (host != NULL && atomic_load(&host->skip_sleeps)) {
        return BP_OK;
    }
    struct timespec pause = {.tv_sec = (time_t)(ns / 1000000000),
                             .tv_nsec = (long)(ns % 1000000000)};
    (void)nanosleep(&pause, NULL);
    return on_cancelled(op) != 0 ? BP_ERR_CANCELLED : BP_OK;
}

static void
on_progress(const struct bp_op *op, uint64_t done, uint64_t total)
{
    (void)op;
    (void)done;
    (void)total;
}

static const char *
root_of(const struct bp_op *op, const char *ref, struct bp_error *error)
{
    const file_host *host = host_of(op);
    const char *root =
        host != NULL && ref != NULL ? g_hash_table_lookup(host->storages, ref) : NULL;
    if (root == NULL) {
        (void)bp_fail(error, BP_ERR_NOT_FOUND, "storage %s: not configured", ref);
    }
    return root;
}

static bp_status
on_storage_info(const struct bp_op *op, const char *ref, struct bp_storage_view *out,
                struct bp_error *error)
{
    const char *root = root_of(op, ref, error);
    if (root == NULL) {
        return error->cls;
    }
    g_strlcpy(out->kind, "local", sizeof(out->kind));
    g_strlcpy(out->identity, root, sizeof(out->identity));
    g_strlcpy(out->local_root, root, sizeof(out->local_root));
    g_strlcpy(out->server_root, root, sizeof(out->server_root));
    out->flags = BP_VIEW_SERVER_READS;
    return BP_OK;
}

/* Keys of all files below `dir` (a key prefix ending in '/' or ""). */
static void
walk(const char *root, const char *dir, GPtrArray *keys)
{
    g_autofree char *path = g_build_filename(root, dir, NULL);
    GDir *handle = g_dir_open(path, 0, NULL);
    const char *name = NULL;
    while (handle != NULL && (name = g_dir_read_name(handle)) != NULL) {
        g_autofree char *key = g_strconcat(dir, name, NULL);
        g_autofree char *file = g_build_filename(root, key, NULL);
        if (g_file_test(file, G_FILE_TEST_IS_DIR)) {
            g_autofree char *sub = g_strconcat(key, "/", NULL);
            walk(root, sub, keys);
        } else {
            g_ptr_array_add(keys, g_steal_pointer(&key));
        }
    }
    if (handle != NULL) {
        g_dir_close(handle);
    }
}

static gint
by_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

struct page {
    const char *root;
    const struct bp_list_args *args;
    const struct bp_list_sink *sink;
    uint32_t n;
    char *group; /* last prefix told */
};

/* Non-zero when the sink stops. */
static int32_t
tell_key(struct page *page, const char *key)
{
    const char *rest = key + strlen(page->args->prefix);
    const char *cut = page->args->delimiter != 0 ? strchr(rest, page->args->delimiter) : NULL;
    if (cut != NULL) {
        g_autofree char *group = g_strndup(key, (gsize)(cut - key) + 1);
        if (g_strcmp0(group, page->group) == 0) {
            return 0;
        }
        g_free(page->group);
        page->group = g_strdup(group);
        page->n++;
        return page->sink->prefix(page->sink->ctx, group);
    }
    struct stat file = {0};
    g_autofree char *path = g_build_filename(page->root, key, NULL);
    if (stat(path, &file) != 0) {
        return 0;
    }
    struct bp_object_meta meta = {.struct_size = sizeof(meta), .size = (uint64_t)file.st_size};
    page->n++;
    return page->sink->entry(page->sink->ctx, key, &meta);
}

static bp_status
on_storage_list(const struct bp_op *op, const char *ref, const struct bp_list_args *args,
                const struct bp_list_sink *sink, struct bp_error *error)
{
    const char *root = root_of(op, ref, error);
    if (root == NULL) {
        return error->cls;
    }
    /* The walk begins at the last whole directory of the prefix. */
    const char *slash = strrchr(args->prefix, '/');
    g_autofree char *dir =
        slash != NULL ? g_strndup(args->prefix, (gsize)(slash - args->prefix) + 1) : g_strdup("");
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
    walk(root, dir, keys);
    g_ptr_array_sort(keys, by_text);
    struct page page = {.root = root, .args = args, .sink = sink};
    int32_t stopped = 0;
    for (guint i = 0; stopped == 0 && i < keys->len; i++) {
        const char *key = keys->pdata[i];
        if (!g_str_has_prefix(key, args->prefix) ||
            (args->token != NULL && strcmp(key, args->token) <= 0)) {
            continue;
        }
        stopped = tell_key(&page, key);
        if (stopped == 0 && page.n >= args->max && i + 1 < keys->len && args->delimiter == 0) {
            stopped = sink->next(sink->ctx, key);
            break;
        }
    }
    g_free(page.group);
    return stopped != 0 ? bp_fail(error, BP_ERR_CANCELLED, "list: stopped by the sink") : BP_OK;
}

static bp_status
on_storage_stat(const struct bp_op *op, const char *ref, const char *key,
                struct bp_object_meta *out, struct bp_error *error)
{
    const char *root = root_of(op, ref, error);
    if (root == NULL) {
        return error->cls;
    }
    struct stat file = {0};
    g_autofree char *path = g_build_filename(root, key, NULL);
    if (stat(path, &file) != 0) {
        return bp_fail_errno(error, errno, "stat %s", key);
    }
    out->size = (uint64_t)file.st_size;
    return BP_OK;
}

static bp_status
on_storage_read_small(const struct bp_op *op, const char *ref, const char *key, uint64_t offset,
                      void *buffer, size_t cap, size_t *n, struct bp_error *error)
{
    const char *root = root_of(op, ref, error);
    if (root == NULL) {
        return error->cls;
    }
    g_autofree char *path = g_build_filename(root, key, NULL);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? pread(fd, buffer, cap, (off_t)offset) : -1;
    int failure = errno;
    if (fd >= 0) {
        (void)close(fd);
    }
    if (got < 0) {
        return bp_fail_errno(error, failure, "read %s", key);
    }
    *n = (size_t)got;
    return BP_OK;
}

static bp_status
on_storage_write_small(const struct bp_op *op, const char *ref, const char *key, const void *bytes,
                       size_t n, struct bp_error *error)
{
    const char *root = root_of(op, ref, error);
    if (root == NULL) {
        return error->cls;
    }
    g_autofree char *path = g_build_filename(root, key, NULL);
    g_autofree char *dir = g_path_get_dirname(path);
    if (g_mkdir_with_parents(dir, 0755) != 0 ||
        !g_file_set_contents(path, bytes, (gssize)n, NULL)) {
        return bp_fail(error, BP_ERR_PERMANENT, "write %s: failed", key);
    }
    return BP_OK;
}

static bp_status
on_storage_remove(const struct bp_op *op, const char *ref, const char *key, struct bp_error *error)
{
    const char *root = root_of(op, ref, error);
    if (root == NULL) {
        return error->cls;
    }
    g_autofree char *path = g_build_filename(root, key, NULL);
    if (unlink(path) != 0 && errno != ENOENT) {
        return bp_fail_errno(error, errno, "remove %s", key);
    }
    return BP_OK;
}

static const struct bp_host table = {
    .struct_size = sizeof(table),
    .abi_major = BP_ABI_MAJOR,
    .abi_minor = BP_ABI_MINOR,
    .host_version = "test",
    .log = on_log,
    .log_enabled = on_log_enabled,
    .alloc = on_alloc,
    .realloc = on_realloc,
    .free = g_free,
    .config_get = on_config_get,
    .config_count = on_config_count,
    .config_at = on_config_at,
    .cancelled = on_cancelled,
    .cancel_fd = on_cancel_fd,
    .sleep = on_sleep,
    .progress = on_progress,
    .storage_info = on_storage_info,
    .storage_list = on_storage_list,
    .storage_stat = on_storage_stat,
    .storage_read_small = on_storage_read_small,
    .storage_write_small = on_storage_write_small,
    .storage_remove = on_storage_remove,
};

const struct bp_host *
file_host_table(void)
{
    return &table;
}

file_host *
file_host_new(void)
{
    file_host *host = g_new0(file_host, 1);
    (void)pthread_mutex_init(&host->lock, NULL);
    host->log = g_string_new(NULL);
    host->storages = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return host;
}

void
file_host_free(file_host *host)
{
    (void)pthread_mutex_destroy(&host->lock);
    g_string_free(host->log, TRUE);
    g_hash_table_unref(host->storages);
    g_free(host);
}

struct bp_op
file_host_op(const file_host *host)
{
    return (struct bp_op){.struct_size = sizeof(struct bp_op), .host_private = host};
}

void
file_host_add_storage(file_host *host, const char *ref, const char *root)
{
    char *path = g_str_has_suffix(root, "/") ? g_strdup(root) : g_strconcat(root, "/", NULL);
    (void)g_hash_table_replace(host->storages, g_strdup(ref), path);
}

void
file_host_cancel(file_host *host, bool cancelled)
{
    atomic_store(&host->cancelled, cancelled);
}

void
file_host_skip_sleeps(file_host *host, bool skip)
{
    atomic_store(&host->skip_sleeps, skip);
}

const char *
file_host_log(file_host *host)
{
    return host->log->str;
}

void
file_host_config_set(struct bp_config *config, const char *pair)
{
    const char *equals = strchr(pair, '=');
    g_assert(equals != NULL);
    (void)g_hash_table_replace(config->values, g_strndup(pair, (gsize)(equals - pair)),
                               g_strdup(equals + 1));
}

struct bp_config *
file_host_config_new(const char *pair, ...)
{
    struct bp_config *config = g_new0(struct bp_config, 1);
    config->values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    va_list pairs;
    va_start(pairs, pair);
    for (; pair != NULL; pair = va_arg(pairs, const char *)) {
        file_host_config_set(config, pair);
    }
    va_end(pairs);
    return config;
}

void
file_host_config_free(struct bp_config *config)
{
    g_hash_table_unref(config->values);
    g_free(config);
}
