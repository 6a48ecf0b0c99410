/* SPDX-License-Identifier: Apache-2.0
 *
 * The descriptor, the life of an instance, and what all operations begin with.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sdk/lib/errors.h"
#include "sdk/lib/key.h"
#include "sdk/lib/probe.h"
#include "sdk/lib/settings.h"
#include "sdk/lib/storage.h"
#include "store.h"

#include "sdk/lib/ban.h"

static const struct bp_config_key settings[] = {
    {.name = "root",
     .type = BP_CONFIG_PATH,
     .flags = BP_CONFIG_REQUIRED,
     .help = "directory that holds the objects; it has to exist"},
};

static bp_status
open_storage(const struct bp_host *host, const struct bp_op *op, const struct bp_config *config,
             struct bp_storage **out, struct bp_error *error)
{
    (void)op; /* only settings are looked at; a share that hangs must not hang `bakplane list` */
    const char *root = bp_setting_text(host, config, "root");
    if (root == NULL || strlen(root) >= ROOT_MAX) {
        return bp_fail(error, BP_ERR_INVALID, "root: a path of 1 to %d bytes is needed",
                       ROOT_MAX - 1);
    }
    struct bp_storage *storage = calloc(1, sizeof(*storage));
    if (storage == NULL) {
        return bp_fail(error, BP_ERR_NOMEM, "no memory to open %s", root);
    }
    storage->host = host;
    storage->root_fd = -1;
    (void)snprintf(storage->root, sizeof(storage->root), "%s", root);
    pthread_mutex_init(&storage->lock, NULL);
    *out = storage;
    return BP_OK;
}

static void
close_storage(struct bp_storage *storage)
{
    if (storage->root_fd >= 0) {
        (void)close(storage->root_fd); /* opened for reading */
    }
    pthread_mutex_destroy(&storage->lock);
    free(storage);
}

static bp_status
info(struct bp_storage *storage, struct bp_storage_info *out, struct bp_error *error)
{
    (void)error;
    out->caps = BP_STORE_RANGE_READ | BP_STORE_ATOMIC_REPLACE | BP_STORE_IF_NONE_MATCH |
                BP_STORE_LIST_SORTED | BP_STORE_UNKNOWN_SIZE | BP_STORE_STRONG_LIST;
    out->max_object = BP_UNKNOWN;
    out->max_list = LIST_MAX;
    out->max_key_part = NAME_MAX;
    out->best_io = CHUNK;
    (void)bp_put_identity(out->identity, sizeof(out->identity), "@NAME@:%s", storage->root);
    (void)snprintf(out->local_root, sizeof(out->local_root), "%s%s", storage->root,
                   storage->root[strlen(storage->root) - 1] == '/' ? "" : "/");
    return BP_OK;
}

bp_status
check_key(const char *key, struct bp_error *error)
{
    const char *why = NULL;
    if (bp_key_check(key, &why) != 0) {
        return bp_fail(error, BP_ERR_INVALID, "key %s: %s", key, why);
    }
    size_t n = strlen(TMP_DIR);
    if (strncmp(key, TMP_DIR, n) == 0 && (key[n] == '/' || key[n] == '\0')) {
        return bp_fail(error, BP_ERR_INVALID, "key %s: " TMP_DIR " is this plugin's own", key);
    }
    return BP_OK;
}

/* A root that is not there is no empty storage: all its objects would seem to be gone. */
bp_status
open_root(struct bp_storage *storage, struct bp_error *error)
{
    int errnum = 0;
    (void)pthread_mutex_lock(&storage->lock);
    if (storage->root_fd < 0) {
        storage->root_fd = open(storage->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        errnum = errno;
    }
    bool open = storage->root_fd >= 0;
    (void)pthread_mutex_unlock(&storage->lock);
    return open ? BP_OK : bp_fail_errno(error, errnum, "root directory %s", storage->root);
}

bp_status
begin(struct bp_storage *storage, const struct bp_op *op, const char *key, struct bp_error *error)
{
    bp_status status = bp_check_op(storage->host, op, error);
    if (status == BP_OK) {
        status = check_key(key, error);
    }
    return status == BP_OK ? open_root(storage, error) : status;
}

bp_status
fail_key(const struct bp_storage *storage, int errnum, const char *verb, const char *key,
         struct bp_error *error)
{
    if (errnum == ENOENT || errnum == ENOTDIR || errnum == EISDIR) {
        return bp_fail(error, BP_ERR_NOT_FOUND, "object %s/%s does not exist", storage->root, key);
    }
    return bp_fail_errno(error, errnum, "cannot %s %s/%s", verb, storage->root, key);
}

void
fill_meta(struct bp_object_meta *out, const struct stat *st)
{
    out->size = (uint64_t)st->st_size;
    out->mtime_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
    /* A new version is a new file, so at least one of these changes with the content. */
    (void)snprintf(out->etag, sizeof(out->etag), "%llx-%llx-%llx", (unsigned long long)st->st_ino,
                   (unsigned long long)out->mtime_ns, (unsigned long long)st->st_size);
}

static const struct bp_storage_ops operations;

static bp_status
probe(struct bp_storage *storage, const struct bp_op *op, const struct bp_probe_args *args,
      struct bp_error *error)
{
    const struct bp_probe_params params = {.storage = storage,
                                           .ops = &operations,
                                           .where = storage->root,
                                           .advice = "keep backups on another file system"};
    bp_status status = open_root(storage, error);
    if (status == BP_OK && (args->need & BP_NEED_WRITE) != 0) {
        sweep_tmp(storage);
    }
    status = status == BP_OK ? bp_probe_rights(&params, op, args, error) : status;
    if (status == BP_OK && (args->need & BP_NEED_SERVER_READ) != 0) {
        status = bp_fail(error, BP_ERR_UNSUPPORTED, "%s: whether others may read is not looked at",
                         storage->root);
    }
    return status;
}

static const struct bp_storage_ops operations = {
    .struct_size = sizeof(operations),
    .open = open_storage,
    .close = close_storage,
    .info = info,
    .probe = probe,
    .stat = stat_object,
    .list = list,
    .read_open = read_open,
    .read = read_some,
    .read_close = read_close,
    .write_open = write_open,
    .write = write_all,
    .write_commit = write_commit,
    .write_abort = write_abort,
    .remove = remove_object,
};

static const struct bp_plugin plugin = {
    .struct_size = sizeof(plugin),
    .abi_major = BP_ABI_MAJOR,
    .abi_minor = BP_ABI_MINOR,
    .thread_model = BP_THREADS_PARALLEL,
    .name = "@NAME@",
    .version = "0.1.0",
    .summary = "objects as files below a mounted directory",
    .license = "Apache-2.0",
    .keys = settings,
    .key_stride = sizeof(settings[0]),
    .n_keys = sizeof(settings) / sizeof(settings[0]),
    .storage = &operations,
};

bp_status
bp_plugin_entry_v1(const struct bp_host *host, const struct bp_plugin **out, struct bp_error *error)
{
    (void)host, (void)error;
    *out = &plugin;
    return BP_OK;
}
