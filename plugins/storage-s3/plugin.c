/* SPDX-License-Identifier: Apache-2.0
 *
 * Storage plugin "s3": objects in a bucket of a store that speaks S3.  This file has the
 * descriptor, the table of operations, and the life of an instance.
 */
#include <string.h>

#include "plugins/storage-s3/copy.h"
#include "plugins/storage-s3/credentials.h"
#include "plugins/storage-s3/info.h"
#include "plugins/storage-s3/list.h"
#include "plugins/storage-s3/parts.h"
#include "plugins/storage-s3/read.h"
#include "plugins/storage-s3/remove.h"
#include "plugins/storage-s3/sums.h"
#include "plugins/storage-s3/write.h"
#include "sdk/http/http.h"
#include "sdk/http/settings.h"
#include "sdk/lib/errors.h"

#include "sdk/lib/ban.h"

#define VERSION "0.1.0"
#define MAX_IDLE 64
#define NEAR_CONNECT_MS 1000
#define NEAR_IDLE_MS 5000

static void
close_storage(struct bp_storage *storage)
{
    bp_http_client_free(storage->http);
    bp_http_client_free(storage->near);
    bp_s3_wallet_free(storage->wallet);
    bp_s3_config_clear(&storage->set);
    pthread_cond_destroy(&storage->changed);
    pthread_mutex_destroy(&storage->lock);
    g_free(storage);
}

static bp_status
make_clients(struct bp_storage *storage, const struct bp_config *config, struct bp_error *error)
{
    struct bp_http_config far;
    const struct bp_http_config near = {
        .user_agent = "bakplane-storage-s3/" VERSION,
        .connect_timeout_ms = NEAR_CONNECT_MS,
        .idle_timeout_ms = NEAR_IDLE_MS,
        .max_idle = 1,
    };
    bp_status status =
        bp_http_config_load(&far, storage->host, config, storage->set.endpoint.tls, error);
    if (status == BP_OK) {
        far.user_agent = "bakplane-storage-s3/" VERSION;
        far.max_idle = MAX_IDLE;
        status = bp_http_client_new(storage->host, &far, &storage->http, error);
    }
    return status == BP_OK ? bp_http_client_new(storage->host, &near, &storage->near, error)
                           : status;
}

static bp_status
open_storage(const struct bp_host *host, const struct bp_op *op, const struct bp_config *config,
             struct bp_storage **out, struct bp_error *error)
{
    (void)op; /* no I/O yet, nothing to cancel */
    pthread_condattr_t attr;
    struct bp_storage *storage = g_new0(struct bp_storage, 1);
    storage->host = host;
    storage->wallet = bp_s3_wallet_new();
    pthread_mutex_init(&storage->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&storage->changed, &attr);
    pthread_condattr_destroy(&attr);

    bp_status status = bp_s3_config_load(&storage->set, host, config, error);
    if (status == BP_OK) {
        g_strlcpy(storage->region, storage->set.region, sizeof(storage->region));
        atomic_store(&storage->sums, (int)bp_s3_sums_first(&storage->set));
        status = make_clients(storage, config, error);
    }
    if (status != BP_OK) {
        close_storage(storage);
        return status;
    }
    *out = storage;
    return BP_OK;
}

static const struct bp_storage_ops operations = {
    .struct_size = sizeof(operations),
    .open = open_storage,
    .close = close_storage,
    .info = bp_s3_info,
    .probe = bp_s3_probe,
    .stat = bp_s3_stat,
    .list = bp_s3_list,
    .read_open = bp_s3_read_open,
    .read = bp_s3_read,
    .read_close = bp_s3_read_close,
    .write_open = bp_s3_write_open,
    .write = bp_s3_write,
    .write_commit = bp_s3_write_commit,
    .write_abort = bp_s3_write_abort,
    .remove = bp_s3_remove,
    .copy = bp_s3_copy,
    .remove_many = bp_s3_remove_many,
    .part_begin = bp_s3_part_begin,
    .part_open = bp_s3_part_open,
    .part_copy = bp_s3_part_copy,
    .part_complete = bp_s3_part_complete,
    .part_abort = bp_s3_part_abort,
    .uploads_list = bp_s3_uploads_list,
    .uploads_abort = bp_s3_uploads_abort,
};

static const struct bp_plugin plugin = {
    .struct_size = sizeof(plugin),
    .abi_major = BP_ABI_MAJOR,
    .abi_minor = BP_ABI_MINOR,
    .thread_model = BP_THREADS_PARALLEL,
    .name = "s3",
    .version = VERSION,
    .summary = "objects in a bucket of Amazon S3, MinIO or another store that speaks S3",
    .license = "Apache-2.0",
    .keys = bp_s3_keys,
    .key_stride = sizeof(struct bp_config_key),
    .n_keys = BP_S3_N_KEYS,
    .storage = &operations,
    .init = bp_http_plugin_init,
    .fini = bp_http_fini,
};

bp_status
bp_plugin_entry_v1(const struct bp_host *host, const struct bp_plugin **out, struct bp_error *error)
{
    (void)host;
    (void)error;
    *out = &plugin;
    return BP_OK;
}
