/* SPDX-License-Identifier: Apache-2.0
 *
 * storage-libs3: descriptor, settings, what it can do, and whether it may.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/key.h"
#include "sdk/lib/probe.h"
#include "sdk/lib/secret.h"
#include "sdk/lib/settings.h"
#include "sdk/lib/storage.h"

#include "sdk/lib/ban.h"

#define MAX_OBJECT (UINT64_C(5) << 30)

static void
storage_close(struct bp_storage *storage)
{
    if (storage->secret_key != NULL) {
        bp_secret_wipe(storage->secret_key, strlen(storage->secret_key));
    }
    free(storage->address);
    free(storage->bucket);
    free(storage->access_key);
    free(storage->secret_key);
    free(storage);
}

static char *
text_of(const struct bp_host *host, const struct bp_config *config, const char *key)
{
    const char *text = bp_setting_text(host, config, key);
    return strdup(text != NULL ? text : "");
}

/* "http://host:port" -> "host:port"; without a scheme it is https. */
static bp_status
take_endpoint(struct bp_storage *storage, const char *endpoint, struct bp_error *error)
{
    bool http = strncmp(endpoint, "http://", 7) == 0;
    bool https = strncmp(endpoint, "https://", 8) == 0;
    const char *address = endpoint + (http ? 7 : https ? 8 : 0);
    size_t n = strcspn(address, "/");
    if (n == 0 || n >= S3_MAX_HOSTNAME_SIZE || strspn(address + n, "/") != strlen(address + n)) {
        return bp_fail(error, BP_ERR_INVALID, "endpoint: \"%s\" is not http://HOST:PORT", endpoint);
    }
    storage->https = !http;
    storage->address = calloc(1, n + 1);
    if (storage->address == NULL) {
        return bp_fail(error, BP_ERR_NOMEM, "no memory for a storage");
    }
    memcpy(storage->address, address, n);
    return BP_OK;
}

static bp_status
take_prefix(struct bp_storage *storage, const char *text, struct bp_error *error)
{
    const char *why = NULL;
    if (bp_key_root(storage->prefix, sizeof(storage->prefix), text, &why) != 0) {
        return bp_fail(error, BP_ERR_INVALID, "prefix: \"%s\" %s", text, why);
    }
    if (strchr(storage->prefix, ' ') != NULL) {
        return bp_fail(error, BP_ERR_INVALID, "prefix: libs3 cannot name one with a blank");
    }
    return BP_OK;
}

static bp_status
take_settings(struct bp_storage *storage, const struct bp_config *config, struct bp_error *error)
{
    static const char *const required[] = {"endpoint", "bucket", "access_key", "secret_key"};
    const struct bp_host *host = storage->host;
    for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++) {
        const char *text = bp_setting_text(host, config, required[i]);
        if (text == NULL || text[0] == '\0') {
            return bp_fail(error, BP_ERR_INVALID, "setting %s is missing", required[i]);
        }
    }
    storage->bucket = text_of(host, config, "bucket");
    storage->access_key = text_of(host, config, "access_key");
    storage->secret_key = text_of(host, config, "secret_key");
    storage->max_object = bp_setting_u64(host, config, "max_object", MAX_OBJECT);
    if (storage->bucket == NULL || storage->access_key == NULL || storage->secret_key == NULL) {
        return bp_fail(error, BP_ERR_NOMEM, "no memory for a storage");
    }
    if (S3_validate_bucket_name(storage->bucket, S3UriStylePath) != S3StatusOK) {
        return bp_fail(error, BP_ERR_INVALID, "bucket: \"%s\" is no name of one", storage->bucket);
    }
    bp_status status = take_prefix(storage, bp_setting_text(host, config, "prefix"), error);
    return status == BP_OK
               ? take_endpoint(storage, bp_setting_text(host, config, "endpoint"), error)
               : status;
}

static bp_status
storage_open(const struct bp_host *host, const struct bp_op *op, const struct bp_config *config,
             struct bp_storage **out, struct bp_error *error)
{
    (void)op;
    struct bp_storage *storage = calloc(1, sizeof(*storage));
    if (storage == NULL) {
        return bp_fail(error, BP_ERR_NOMEM, "no memory for a storage");
    }
    storage->host = host;
    bp_status status = take_settings(storage, config, error);
    if (status != BP_OK) {
        storage_close(storage);
        return status;
    }
    storage->context =
        (S3BucketContext){.hostName = storage->address,
                          .bucketName = storage->bucket,
                          .protocol = storage->https ? S3ProtocolHTTPS : S3ProtocolHTTP,
                          .uriStyle = S3UriStylePath,
                          .accessKeyId = storage->access_key,
                          .secretAccessKey = storage->secret_key};
    *out = storage;
    return BP_OK;
}

static bp_status
storage_info(struct bp_storage *storage, struct bp_storage_info *out, struct bp_error *error)
{
    (void)error;
    /* No IF_NONE_MATCH, so the host asks for `lock: advisory`; no UNKNOWN_SIZE and no PARTS, so it
     * refuses what has no size or too much of it, before the first byte. */
    out->caps = BP_STORE_RANGE_READ | BP_STORE_ATOMIC_REPLACE | BP_STORE_LIST_SORTED |
                BP_STORE_LIST_START_AFTER | BP_STORE_KEY_IS_PREFIX;
    out->max_object = storage->max_object;
    out->max_copy = 0;
    out->max_list = PAGE_MAX;
    out->max_key_part = BP_KEY_MAX;
    out->best_io = 8 << 20; /* each read is a request */
    (void)bp_put_identity(out->identity, sizeof(out->identity), "s3v2://%s/%s/%s", storage->address,
                          storage->bucket, storage->prefix);
    return BP_OK;
}

static const struct bp_storage_ops ops;

static bp_status
storage_probe(struct bp_storage *storage, const struct bp_op *op, const struct bp_probe_args *args,
              struct bp_error *error)
{
    const struct bp_probe_params params = {
        .storage = storage, .ops = &ops, .where = storage->bucket};
    if (bp_check_flags(args->need, BP_NEED_SERVER_READ * 2 - 1, error) != BP_OK) {
        return BP_ERR_INVALID;
    }
    if ((args->need & BP_NEED_EXCLUSIVE) != 0) {
        return bp_fail(error, BP_ERR_UNSUPPORTED,
                       "libs3 cannot create exclusively: set lock: advisory, and let only one run "
                       "write at a time");
    }
    if ((args->need & BP_NEED_SERVER_READ) != 0) {
        return bp_fail(error, BP_ERR_UNSUPPORTED, "which server may read is not known here");
    }
    return bp_probe_rights(&params, op, args, error);
}

static bp_status
plugin_init(const struct bp_host *host, struct bp_error *error)
{
    (void)host;
    S3Status status = S3_initialize("bakplane-libs3", S3_INIT_ALL, NULL);
    return status == S3StatusOK ? BP_OK
                                : bp_fail(error, BP_ERR_PERMANENT, "libs3 does not start: %s",
                                          S3_get_status_name(status));
}

static void
plugin_fini(void)
{
    S3_deinitialize();
}

static const struct bp_config_key keys[] = {
    {.name = "endpoint",
     .type = BP_CONFIG_STRING,
     .flags = BP_CONFIG_REQUIRED,
     .help = "address of the server, as http://HOST:PORT or https://HOST:PORT"},
    {.name = "bucket",
     .type = BP_CONFIG_STRING,
     .flags = BP_CONFIG_REQUIRED,
     .help = "bucket, which has to exist"},
    {.name = "prefix", .type = BP_CONFIG_STRING, .def = "", .help = "where in it everything lies"},
    {.name = "access_key",
     .type = BP_CONFIG_STRING,
     .flags = BP_CONFIG_REQUIRED,
     .help = "name of the key"},
    {.name = "secret_key",
     .type = BP_CONFIG_STRING,
     .flags = BP_CONFIG_REQUIRED | BP_CONFIG_SECRET,
     .help = "the key"},
    {.name = "max_object",
     .type = BP_CONFIG_SIZE,
     .def = "5GiB",
     .min = 1 << 20,
     .max = (int64_t)MAX_OBJECT,
     .unit = "bytes",
     .help = "largest object that the server takes in one request"},
};

static const struct bp_storage_ops ops = {
    .struct_size = sizeof(ops),
    .open = storage_open,
    .close = storage_close,
    .info = storage_info,
    .probe = storage_probe,
    .stat = storage_stat,
    .list = storage_list,
    .read_open = storage_read_open,
    .read = storage_read,
    .read_close = storage_read_close,
    .write_open = storage_write_open,
    .write = storage_write,
    .write_commit = storage_write_commit,
    .write_abort = storage_write_abort,
    .remove = storage_remove,
};

static const struct bp_plugin plugin = {
    .struct_size = sizeof(plugin),
    .abi_major = BP_ABI_MAJOR,
    .abi_minor = BP_ABI_MINOR,
    .thread_model = BP_THREADS_PARALLEL,
    .name = "libs3",
    .version = "1.0",
    .summary = "a bucket with signatures of version 2, for old appliances",
    .license = "Apache-2.0",
    .keys = keys,
    .key_stride = sizeof(keys[0]),
    .n_keys = sizeof(keys) / sizeof(keys[0]),
    .storage = &ops,
    .init = plugin_init,
    .fini = plugin_fini,
};

bp_status
bp_plugin_entry_v1(const struct bp_host *host, const struct bp_plugin **out, struct bp_error *error)
{
    (void)host;
    (void)error;
    *out = &plugin;
    return BP_OK;
}
