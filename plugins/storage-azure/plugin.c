/* SPDX-License-Identifier: Apache-2.0
 *
 * Storage plugin "azure": objects as block blobs in one container of Azure Blob Storage, over its
 * REST API.  This file has the descriptor, the table of operations, and the life of an instance.
 */
#include <string.h>

#include "plugins/storage-azure/azure.h"
#include "plugins/storage-azure/buffers.h"
#include "plugins/storage-azure/copy.h"
#include "plugins/storage-azure/info.h"
#include "plugins/storage-azure/list.h"
#include "plugins/storage-azure/parts.h"
#include "plugins/storage-azure/read.h"
#include "plugins/storage-azure/remove.h"
#include "plugins/storage-azure/token.h"
#include "plugins/storage-azure/uploads.h"
#include "plugins/storage-azure/write.h"
#include "sdk/http/http.h"
#include "sdk/http/settings.h"

#include "sdk/lib/ban.h"

#define VERSION "0.1.0"
/* Connections kept without use: as many as workers that a job may have by default, and some. */
#define MAX_IDLE 64

static void
close_storage(struct bp_storage *storage)
{
    bp_azure_tokens_free(storage->tokens);
    bp_azure_buffers_free(storage->buffers);
    bp_http_client_free(storage->login_client);
    bp_http_client_free(storage->client);
    bp_azure_delegation_free(storage->delegation);
    bp_azure_config_clear(&storage->set);
    pthread_mutex_destroy(&storage->lock);
    g_free(storage);
}

/* Tokens come from elsewhere: the metadata service of this machine is never behind the proxy. */
static bp_status
open_tokens(struct bp_storage *storage, const struct bp_http_config *http, struct bp_error *error)
{
    const struct bp_azure_config *set = &storage->set;
    bp_http_client *client = storage->client;
    if (set->login == BP_AZURE_KEY || set->login == BP_AZURE_SAS) {
        return BP_OK;
    }
    if (set->login == BP_AZURE_MANAGED_IDENTITY && http->proxy != NULL) {
        struct bp_http_config near = *http;
        near.proxy = NULL;
        bp_status status = bp_http_client_new(storage->host, &near, &storage->login_client, error);
        if (status != BP_OK) {
            return status;
        }
        client = storage->login_client;
    }
    storage->tokens = bp_azure_tokens_new(storage->host, set, client);
    return BP_OK;
}

static bp_status
open_storage(const struct bp_host *host, const struct bp_op *op, const struct bp_config *config,
             struct bp_storage **out, struct bp_error *error)
{
    (void)op; /* no I/O yet, nothing to cancel */
    struct bp_http_config http;
    struct bp_storage *storage = g_new0(struct bp_storage, 1);
    storage->host = host;
    pthread_mutex_init(&storage->lock, NULL);
    bp_status status = bp_azure_config_load(&storage->set, host, config, error);
    if (status == BP_OK) {
        /* Even where the service is not https, the one that gives tokens may be. */
        status = bp_http_config_load(&http, host, config, 1, error);
    }
    if (status == BP_OK) {
        storage->buffers = bp_azure_buffers_new(host, storage->set.memory, storage->set.block_size);
        http.user_agent = "bakplane-storage-azure/" VERSION;
        http.max_idle = MAX_IDLE;
        status = bp_http_client_new(host, &http, &storage->client, error);
    }
    if (status == BP_OK) {
        status = open_tokens(storage, &http, error);
    }
    if (status != BP_OK) {
        close_storage(storage);
        return status;
    }
    *out = storage;
    return BP_OK;
}

/* No `sync`: what was committed is durable.  No `space`: there is no bound. */
static const struct bp_storage_ops operations = {
    .struct_size = sizeof(operations),
    .open = open_storage,
    .close = close_storage,
    .info = bp_azure_info,
    .probe = bp_azure_probe,
    .stat = bp_azure_stat,
    .list = bp_azure_list,
    .read_open = bp_azure_read_open,
    .read = bp_azure_read,
    .read_close = bp_azure_read_close,
    .write_open = bp_azure_write_open,
    .write = bp_azure_write,
    .write_commit = bp_azure_write_commit,
    .write_abort = bp_azure_write_abort,
    .remove = bp_azure_remove,
    .remove_many = bp_azure_remove_many,
    .copy = bp_azure_copy,
    .part_begin = bp_azure_part_begin,
    .part_open = bp_azure_part_open,
    .part_copy = bp_azure_part_copy,
    .part_complete = bp_azure_part_complete,
    .part_abort = bp_azure_part_abort,
    .uploads_list = bp_azure_uploads_list,
    .uploads_abort = bp_azure_uploads_abort,
};

static const struct bp_plugin plugin = {
    .struct_size = sizeof(plugin),
    .abi_major = BP_ABI_MAJOR,
    .abi_minor = BP_ABI_MINOR,
    .thread_model = BP_THREADS_PARALLEL,
    .name = "azure",
    .version = VERSION,
    .summary = "objects as blobs in a container of Azure Blob Storage",
    .license = "Apache-2.0",
    .keys = bp_azure_keys,
    .key_stride = sizeof(struct bp_config_key),
    .n_keys = BP_AZURE_N_KEYS,
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
