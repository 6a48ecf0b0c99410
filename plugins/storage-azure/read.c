/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading objects: Get Blob Properties and Get Blob.
 */
#include "plugins/storage-azure/read.h"

#include <string.h>

#include "plugins/storage-azure/request.h"
#include "sdk/http/range.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/storage.h"

#include "sdk/lib/ban.h"

struct bp_reader {
    struct bp_azure_exchange *x; /* NULL where there is nothing to read */
    struct bp_http_body body;
};

/* Accounts with a hierarchical namespace have directories, which look like empty blobs. */
static bool
is_directory(const struct bp_azure_exchange *x)
{
    const char *type = bp_azure_header(x, "x-ms-resource-type");
    const char *folder = bp_azure_header(x, "x-ms-meta-hdi_isfolder");
    return (type != NULL && strcmp(type, "directory") == 0) ||
           (folder != NULL && g_ascii_strcasecmp(folder, "true") == 0);
}

bp_status
bp_azure_stat_version(struct bp_storage *storage, const struct bp_op *op, const char *key,
                      const char *if_match, struct bp_object_meta *out, struct bp_error *error)
{
    struct bp_azure_exchange *x = NULL;
    struct bp_azure_request request;
    bp_azure_request_init(&request, BP_AZURE_BLOB, "HEAD", key, "look at it");
    bp_azure_add_conditions(&request, if_match, false);
    bp_status status = bp_azure_call(storage, op, &request, &x, error);
    bp_azure_request_clear(&request);
    if (status != BP_OK) {
        return status;
    }
    if (is_directory(x)) {
        status =
            bp_fail(error, BP_ERR_NOT_FOUND, "object %s: it is a directory, not an object", key);
    } else {
        bp_azure_take_meta(x, out);
    }
    bp_azure_end(x);
    return status;
}

bp_status
bp_azure_stat(struct bp_storage *storage, const struct bp_op *op, const char *key,
              struct bp_object_meta *out, struct bp_error *error)
{
    bp_status status = bp_azure_check_key(storage, key, error);
    return status == BP_OK ? bp_azure_stat_version(storage, op, key, NULL, out, error) : status;
}

/* Nothing is wanted, or the service says that nothing is there: what is right depends on the size.
 */
static bp_status
open_empty(struct bp_storage *storage, const struct bp_op *op, const struct bp_read_args *args,
           struct bp_object_meta *meta, struct bp_reader **out, struct bp_error *error)
{
    bp_status status = bp_azure_stat_version(storage, op, args->key, args->if_match, meta, error);
    if (status != BP_OK) {
        return status;
    }
    status = bp_check_empty_read(args, meta->size, error);
    if (status == BP_OK) {
        *out = g_new0(struct bp_reader, 1);
    }
    return status;
}

static bp_status
take_reader(const struct bp_read_args *args, struct bp_azure_exchange *take_x,
            struct bp_object_meta *meta, struct bp_reader **out, struct bp_error *error)
{
    struct bp_reader *reader = g_new0(struct bp_reader, 1);
    reader->x = take_x;
    bp_azure_take_meta(take_x, meta);
    bp_status status =
        bp_http_body_open(&reader->body, bp_azure_http(take_x), args, &meta->size, error);
    if (status == BP_OK && args->if_match != NULL && strcmp(args->if_match, meta->etag) != 0) {
        status = bp_fail(error, BP_ERR_EXISTS, "object %s: its version is %s, not %s", args->key,
                         meta->etag, args->if_match);
    }
    if (status == BP_OK && is_directory(take_x)) {
        status = bp_fail(error, BP_ERR_NOT_FOUND, "object %s: it is a directory, not an object",
                         args->key);
    }
    if (status != BP_OK) {
        bp_azure_read_close(reader);
        return status;
    }
    *out = reader;
    return BP_OK;
}

bp_status
bp_azure_read_open(struct bp_storage *storage, const struct bp_op *op,
                   const struct bp_read_args *args, struct bp_object_meta *meta,
                   struct bp_reader **out, struct bp_error *error)
{
    struct bp_azure_exchange *x = NULL;
    bp_status status = bp_azure_check_flags(args->flags, 0, error);
    if (status == BP_OK) {
        status = bp_azure_check_key(storage, args->key, error);
    }
    if (status != BP_OK) {
        return status;
    }
    if (args->length == 0) {
        return open_empty(storage, op, args, meta, out, error);
    }
    char range[BP_HTTP_RANGE];
    struct bp_azure_request request;
    bp_azure_request_init(&request, BP_AZURE_BLOB, "GET", args->key, "read it");
    bp_http_range(args, range);
    if (range[0] != '\0') {
        bp_azure_add_header(&request, "x-ms-range", "%s", range);
    }
    bp_azure_add_conditions(&request, args->if_match, false);
    status = bp_azure_begin(storage, op, &request, &x, error);
    bp_azure_request_clear(&request);
    if (status == BP_OK) {
        status = bp_azure_head(x, op, error);
    }
    if (status == BP_OK) {
        return take_reader(args, x, meta, out, error);
    }
    bp_azure_end(x);
    return status == BP_ERR_RANGE ? open_empty(storage, op, args, meta, out, error) : status;
}

bp_status
bp_azure_read(struct bp_reader *reader, const struct bp_op *op, void *buffer, size_t cap, size_t *n,
              struct bp_error *error)
{
    return bp_http_body_read(&reader->body, op, buffer, cap, n, error);
}

void
bp_azure_read_close(struct bp_reader *reader)
{
    bp_azure_end(reader->x);
    g_free(reader);
}
