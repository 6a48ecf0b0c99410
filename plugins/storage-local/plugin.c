/* SPDX-License-Identifier: Apache-2.0
 *
 * Storage plugin "local": objects as files below one directory of this machine.  This file has
 * the descriptor, the table of operations, and the life of an instance.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "plugins/storage-local/copy.h"
#include "plugins/storage-local/dirs.h"
#include "plugins/storage-local/durable.h"
#include "plugins/storage-local/info.h"
#include "plugins/storage-local/list.h"
#include "plugins/storage-local/local.h"
#include "plugins/storage-local/parts.h"
#include "plugins/storage-local/publish.h"
#include "plugins/storage-local/read.h"
#include "plugins/storage-local/tmp.h"
#include "plugins/storage-local/upload.h"
#include "plugins/storage-local/write.h"
#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

static void
close_storage(struct bp_storage *storage)
{
    bp_local_list_clear(storage);
    bp_local_dirs_clear(storage);
    bp_local_drop_lock_file(storage);
    g_clear_pointer(&storage->durable, g_hash_table_unref);
    g_clear_pointer(&storage->uploads, g_hash_table_unref);
    bp_local_tmp_close(storage);
    bp_local_pending_free(storage->pending);
    if (storage->root_fd >= 0) {
        (void)close(storage->root_fd); /* opened for reading */
    }
    bp_local_config_clear(&storage->set);
    pthread_cond_destroy(&storage->changed);
    pthread_mutex_destroy(&storage->lock);
    g_free(storage);
}

static bp_status
open_storage(const struct bp_host *host, const struct bp_op *op, const struct bp_config *config,
             struct bp_storage **out, struct bp_error *error)
{
    (void)op; /* no I/O yet, nothing to cancel */
    pthread_condattr_t attr;
    struct bp_storage *storage = g_new0(struct bp_storage, 1);
    storage->host = host;
    storage->root_fd = -1;
    pthread_mutex_init(&storage->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&storage->changed, &attr);
    pthread_condattr_destroy(&attr);
    storage->pending = bp_local_pending_new();
    storage->durable = bp_local_durable_new();
    storage->uploads = bp_local_uploads_new();
    g_queue_init(&storage->cursors);

    bp_status status = bp_local_config_load(&storage->set, host, config, error);
    if (status != BP_OK) {
        close_storage(storage);
        return status;
    }
    *out = storage;
    return BP_OK;
}

static bp_status
remove_many(struct bp_storage *storage, const struct bp_op *op, const char *const *keys, size_t n,
            const struct bp_key_sink *sink, struct bp_error *error)
{
    for (size_t i = 0; i < n; i++) {
        struct bp_error one = {.struct_size = sizeof(one)};
        bp_status status = bp_local_remove(storage, op, keys[i], NULL, &one);
        if (status == BP_ERR_CANCELLED || status == BP_ERR_TIMEOUT) {
            return bp_fail(error, status, "%s", one.message);
        }
        if (sink->key(sink->ctx, keys[i], NULL, 0, status == BP_OK ? NULL : &one) != 0) {
            return bp_fail(error, BP_ERR_CANCELLED, "stopped by the receiver of the results");
        }
    }
    return BP_OK;
}

static const struct bp_storage_ops operations = {
    .struct_size = sizeof(operations),
    .open = open_storage,
    .close = close_storage,
    .info = bp_local_info,
    .probe = bp_local_probe,
    .stat = bp_local_stat,
    .list = bp_local_list,
    .read_open = bp_local_read_open,
    .read = bp_local_read,
    .read_close = bp_local_read_close,
    .write_open = bp_local_write_open,
    .write = bp_local_write,
    .write_commit = bp_local_write_commit,
    .write_abort = bp_local_write_abort,
    .remove = bp_local_remove,
    .sync = bp_local_sync,
    .copy = bp_local_copy,
    .remove_many = remove_many,
    .part_begin = bp_local_part_begin,
    .part_open = bp_local_part_open,
    .part_copy = bp_local_part_copy,
    .part_complete = bp_local_part_complete,
    .part_abort = bp_local_part_abort,
    .uploads_list = bp_local_uploads_list,
    .uploads_abort = bp_local_uploads_abort,
    .space = bp_local_space,
};

static const struct bp_plugin plugin = {
    .struct_size = sizeof(plugin),
    .abi_major = BP_ABI_MAJOR,
    .abi_minor = BP_ABI_MINOR,
    .thread_model = BP_THREADS_PARALLEL,
    .name = "local",
    .version = "0.1.0",
    .summary = "objects as files below a directory of this machine",
    .license = "Apache-2.0",
    .keys = bp_local_keys,
    .key_stride = sizeof(struct bp_config_key),
    .n_keys = BP_LOCAL_N_KEYS,
    .storage = &operations,
};

bp_status
bp_plugin_entry_v1(const struct bp_host *host, const struct bp_plugin **out, struct bp_error *error)
{
    (void)host;
    (void)error;
    *out = &plugin;
    return BP_OK;
}
