/* SPDX-License-Identifier: Apache-2.0
 *
 * The directories are read with GLib; listings are sorted and paged as a store would do it.
 */
#include "fake_host.h"

#include <bakplane/storage.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "sdk/lib/errors.h"
#include <glib/gstdio.h>

struct storage {
    char *root;
    struct bp_storage_view view;
};

static GHashTable *storages;
static GString *log_text;
static unsigned n_calls, cancel_after, page_size = 3;

static void
storage_free(void *data)
{
    struct storage *storage = data;
    g_free(storage->root);
    g_free(storage);
}

void
fake_host_reset(void)
{
    g_clear_pointer(&storages, g_hash_table_unref);
    storages = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, storage_free);
    if (log_text == NULL) {
        log_text = g_string_new(NULL);
    }
    g_string_truncate(log_text, 0);
    n_calls = 0;
    cancel_after = 0;
    page_size = 3;
}

void
fake_host_add_storage(const char *ref, const char *root, const struct bp_storage_view *view)
{
    if (storages == NULL) {
        fake_host_reset();
    }
    struct storage *storage = g_new0(struct storage, 1);
    storage->root = g_strdup(root);
    if (view != NULL) {
        storage->view = *view;
    }
    g_hash_table_replace(storages, g_strdup(ref), storage);
}

void
fake_host_cancel_after(unsigned n)
{
    cancel_after = n;
    n_calls = 0;
}

void
fake_host_page_size(unsigned n)
{
    page_size = n;
}

const char *
fake_host_log(void)
{
    return log_text != NULL ? log_text->str : "";
}

static int32_t
host_cancelled(const struct bp_op *op)
{
    (void)op;
    return cancel_after > 0 && n_calls >= cancel_after;
}

/* NULL and *error set when the call is cancelled or the storage unknown. */
static const struct storage *
enter(const char *ref, struct bp_error *error)
{
    n_calls++;
    if (host_cancelled(NULL)) {
        (void)bp_fail(error, BP_ERR_CANCELLED, "cancelled by the test");
        return NULL;
    }
    const struct storage *storage = storages != NULL ? g_hash_table_lookup(storages, ref) : NULL;
    if (storage == NULL) {
        (void)bp_fail(error, BP_ERR_INVALID, "no storage \"%s\"", ref);
    }
    return storage;
}

static void
host_log(const struct bp_op *op, int32_t level, const char *message)
{
    (void)op;
    if (log_text != NULL) {
        g_string_append_printf(log_text, "%d %s\n", level, message);
    }
    if (g_getenv("FAKE_HOST_VERBOSE") != NULL) {
        (void)fprintf(stderr, "%d %s\n", level, message);
    }
}

static int32_t
host_log_enabled(const struct bp_op *op, int32_t level)
{
    (void)op;
    (void)level;
    return 1;
}

static void *
host_alloc(const struct bp_op *op, size_t size)
{
    (void)op;
    return g_try_malloc(size);
}

static void *
host_realloc(const struct bp_op *op, void *memory, size_t size)
{
    (void)op;
    return g_try_realloc(memory, size);
}

static void
host_free(void *memory)
{
    g_free(memory);
}

static const char *
host_config_get(const struct bp_config *config, const char *key)
{
    return config != NULL ? g_hash_table_lookup(config->values, key) : NULL;
}

static size_t
host_config_count(const struct bp_config *config, const char *key)
{
    return host_config_get(config, key) != NULL ? 1 : 0;
}

static const char *
host_config_at(const struct bp_config *config, const char *key, size_t i)
{
    return i == 0 ? host_config_get(config, key) : NULL;
}

static int32_t
host_cancel_fd(const struct bp_op *op)
{
    (void)op;
    return -1;
}

static bp_status
host_sleep(const struct bp_op *op, uint64_t ns)
{
    if (host_cancelled(op)) {
        return BP_ERR_CANCELLED;
    }
    if (op->deadline_ns != 0 && g_get_monotonic_time() >= op->deadline_ns / 1000) {
        return BP_ERR_TIMEOUT;
    }
    if (g_getenv("FAKE_HOST_SLEEPS") != NULL) {
        const struct timespec pause = {.tv_sec = (time_t)(ns / 1000000000),
                                       .tv_nsec = (long)(ns % 1000000000)};
        (void)nanosleep(&pause, NULL);
    }
    return BP_OK;
}

static void
host_progress(const struct bp_op *op, uint64_t done, uint64_t total)
{
    (void)op;
    (void)done;
    (void)total;
}

static bp_status
host_storage_info(const struct bp_op *op, const char *ref, struct bp_storage_view *out,
                  struct bp_error *error)
{
    (void)op;
    const struct storage *storage = enter(ref, error);
    if (storage == NULL) {
        return error->cls;
    }
    uint32_t size = out->struct_size;
    *out = storage->view;
    out->struct_size = size;
    return BP_OK;
}

static void
walk(const char *root, const char *below, GPtrArray *keys)
{
    g_autofree char *path = g_build_filename(root, below, NULL);
    GDir *dir = g_dir_open(path, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *key =
            below[0] != '\0' ? g_strconcat(below, "/", name, NULL) : g_strdup(name);
        g_autofree char *full = g_build_filename(root, key, NULL);
        if (g_file_test(full, G_FILE_TEST_IS_DIR)) {
            walk(root, key, keys);
        } else {
            g_ptr_array_add(keys, g_steal_pointer(&key));
        }
    }
    if (dir != NULL) {
        g_dir_close(dir);
    }
}

static gint
compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bp_status
host_storage_list(const struct bp_op *op, const char *ref, const struct bp_list_args *args,
                  const struct bp_list_sink *sink, struct bp_error *error)
{
    (void)op;
    const struct storage *storage = enter(ref, error);
    if (storage == NULL) {
        return error->cls;
    }
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
    walk(storage->root, "", keys);
    g_ptr_array_sort(keys, compare_keys);
    unsigned n = 0;
    const char *last = NULL;
    for (guint i = 0; i < keys->len; i++) {
        const char *key = keys->pdata[i];
        if (!g_str_has_prefix(key, args->prefix) ||
            (args->token != NULL && strcmp(key, args->token) <= 0)) {
            continue;
        }
        if (n++ == page_size) {
            return sink->next(sink->ctx, last) != 0 ? BP_ERR_CANCELLED : BP_OK;
        }
        g_autofree char *path = g_build_filename(storage->root, key, NULL);
        GStatBuf st;
        struct bp_object_meta meta = {.struct_size = sizeof meta};
        meta.size = g_stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
        (void)g_snprintf(meta.etag, sizeof meta.etag, "v-%s", strrchr(path, '/') + 1);
        if (sink->entry(sink->ctx, key, &meta) != 0) {
            return bp_fail(error, BP_ERR_CANCELLED, "stopped");
        }
        last = key;
    }
    return BP_OK;
}

static bp_status
host_storage_stat(const struct bp_op *op, const char *ref, const char *key,
                  struct bp_object_meta *out, struct bp_error *error)
{
    (void)op;
    const struct storage *storage = enter(ref, error);
    if (storage == NULL) {
        return error->cls;
    }
    g_autofree char *path = g_build_filename(storage->root, key, NULL);
    GStatBuf st;
    if (g_stat(path, &st) != 0) {
        return bp_fail(error, BP_ERR_NOT_FOUND, "%s: not there", key);
    }
    out->size = (uint64_t)st.st_size;
    return BP_OK;
}

static bp_status
host_storage_read_small(const struct bp_op *op, const char *ref, const struct bp_read_args *args,
                        void *buffer, size_t *n, struct bp_error *error)
{
    const char *key = args->key;
    (void)op;
    const struct storage *storage = enter(ref, error);
    if (storage == NULL) {
        return error->cls;
    }
    g_autofree char *path = g_build_filename(storage->root, key, NULL);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return bp_fail(error, BP_ERR_NOT_FOUND, "%s: not there", key);
    }
    (void)fseek(file, 0, SEEK_END);
    if (args->offset > (uint64_t)ftell(file)) {
        (void)fclose(file);
        return bp_fail(error, BP_ERR_RANGE, "%s: beyond the end", key);
    }
    (void)fseek(file, (long)args->offset, SEEK_SET);
    *n = fread(buffer, 1, args->length, file);
    (void)fclose(file);
    return BP_OK;
}

static bp_status
host_storage_write_small(const struct bp_op *op, const char *ref, const char *key,
                         const void *bytes, size_t n, struct bp_error *error)
{
    (void)op;
    const struct storage *storage = enter(ref, error);
    if (storage == NULL) {
        return error->cls;
    }
    g_autofree char *path = g_build_filename(storage->root, key, NULL);
    g_autofree char *dir = g_path_get_dirname(path);
    (void)g_mkdir_with_parents(dir, 0755);
    return g_file_set_contents(path, bytes, (gssize)n, NULL)
               ? BP_OK
               : bp_fail(error, BP_ERR_PERMANENT, "%s: cannot write", key);
}

static bp_status
host_storage_remove(const struct bp_op *op, const char *ref, const char *key,
                    struct bp_error *error)
{
    (void)op;
    const struct storage *storage = enter(ref, error);
    if (storage == NULL) {
        return error->cls;
    }
    g_autofree char *path = g_build_filename(storage->root, key, NULL);
    (void)g_remove(path);
    return BP_OK;
}

static const struct bp_host host = {
    .struct_size = sizeof host,
    .abi_major = BP_ABI_MAJOR,
    .abi_minor = BP_ABI_MINOR,
    .host_version = "test",
    .log = host_log,
    .log_enabled = host_log_enabled,
    .alloc = host_alloc,
    .realloc = host_realloc,
    .free = host_free,
    .config_get = host_config_get,
    .config_count = host_config_count,
    .config_at = host_config_at,
    .cancelled = host_cancelled,
    .cancel_fd = host_cancel_fd,
    .sleep = host_sleep,
    .progress = host_progress,
    .storage_info = host_storage_info,
    .storage_list = host_storage_list,
    .storage_stat = host_storage_stat,
    .storage_read_small = host_storage_read_small,
    .storage_write_small = host_storage_write_small,
    .storage_remove = host_storage_remove,
};

const struct bp_host *
fake_host(void)
{
    if (storages == NULL) {
        fake_host_reset();
    }
    return &host;
}

struct bp_op
fake_op(void)
{
    return (struct bp_op){.struct_size = sizeof(struct bp_op)};
}

struct bp_error
fake_error(void)
{
    struct bp_error error = {0};
    bp_error_init(&error);
    return error;
}

struct bp_config *
fake_config_new(const char *first_key, ...)
{
    struct bp_config *config = g_new0(struct bp_config, 1);
    config->values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    va_list args;
    va_start(args, first_key);
    for (const char *key = first_key; key != NULL; key = va_arg(args, const char *)) {
        g_hash_table_replace(config->values, g_strdup(key), g_strdup(va_arg(args, const char *)));
    }
    va_end(args);
    return config;
}

void
fake_config_free(struct bp_config *config)
{
    g_hash_table_unref(config->values);
    g_free(config);
}

char *
fake_dir_new(void)
{
    char *dir = g_dir_make_tmp("bakplane-test-XXXXXX", NULL);
    g_assert_nonnull(dir);
    return dir;
}

static void
remove_tree(const char *path)
{
    GDir *dir = g_dir_open(path, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        remove_tree(child);
    }
    if (dir != NULL) {
        g_dir_close(dir);
    }
    (void)g_remove(path);
}

void
fake_dir_remove(char *dir)
{
    remove_tree(dir);
    g_free(dir);
}

void
fake_dir_put(const char *dir, const char *key, const char *text)
{
    g_autofree char *path = g_build_filename(dir, key, NULL);
    g_autofree char *parent = g_path_get_dirname(path);
    g_assert_cmpint(g_mkdir_with_parents(parent, 0755), ==, 0);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}
