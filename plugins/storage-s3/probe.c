/* SPDX-License-Identifier: Apache-2.0
 *
 * Trying the rights that a job is going to need.
 */
#include <string.h>

#include "plugins/storage-s3/info.h"
#include "plugins/storage-s3/list.h"
#include "plugins/storage-s3/read.h"
#include "plugins/storage-s3/remove.h"
#include "plugins/storage-s3/request.h"
#include "plugins/storage-s3/write.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/hostlog.h"
#include "sdk/lib/probe.h"

#include "sdk/lib/ban.h"

/* Not bp_s3_write_open, which looks at once whether the key is taken. */
static const struct bp_storage_ops tried = {
    .struct_size = sizeof(tried),
    .list = bp_s3_list,
    .read_open = bp_s3_read_open,
    .read_close = bp_s3_read_close,
    .write_open = bp_s3_writer_new,
    .write = bp_s3_write,
    .write_commit = bp_s3_write_commit,
    .write_abort = bp_s3_write_abort,
    .remove = bp_s3_remove,
};

static bp_status
create_bucket(struct bp_storage *storage, const struct bp_op *op, struct bp_error *error)
{
    struct bp_s3_request request;
    g_autofree char *region = bp_s3_region(storage);
    g_autofree char *body =
        g_strdup_printf("<CreateBucketConfiguration><LocationConstraint>%s</LocationConstraint>"
                        "</CreateBucketConfiguration>",
                        region);
    bp_s3_request_init(&request, "PUT", "create bucket", NULL);
    if (strcmp(region, "us-east-1") != 0 && strcmp(region, "auto") != 0) {
        request.body = body;
        request.body_size = strlen(body);
    }
    bp_status status = bp_s3_send_simple(storage, op, &request, error);
    bp_s3_request_clear(&request);
    if (status == BP_OK) {
        bp_hostlog(storage->host, op, BP_LOG_INFO, "created bucket %s in region %s",
                   storage->set.bucket, region);
    }
    /* Another run was faster. */
    return strcmp(error->code, "BucketAlreadyOwnedByYou") == 0 ? BP_OK : status;
}

bp_status
bp_s3_probe(struct bp_storage *storage, const struct bp_op *op, const struct bp_probe_args *args,
            struct bp_error *error)
{
    g_autofree char *where = g_strdup_printf("the store of bucket %s", storage->set.bucket);
    const struct bp_probe_params params = {
        .storage = storage,
        .ops = &tried,
        .where = where,
        .advice = "set conditional_writes: false for this storage and lock: advisory for backups",
    };
    bool writes = (args->need & (BP_NEED_WRITE | BP_NEED_EXCLUSIVE)) != 0;
    bp_status status = bp_probe_rights(&params, op, args, error);
    if (status == BP_ERR_NOT_FOUND && strcmp(error->code, "NoSuchBucket") == 0 && writes &&
        storage->set.create_bucket) {
        error->code[0] = '\0';
        status = create_bucket(storage, op, error);
        if (status == BP_OK) {
            status = bp_probe_rights(&params, op, args, error);
        }
    }
    if (status == BP_OK && (args->need & BP_NEED_SERVER_READ) != 0) {
        status = bp_fail(error, BP_ERR_UNSUPPORTED,
                         "with which rights another program reads bucket %s cannot be seen from "
                         "here",
                         storage->set.bucket);
    }
    return status;
}
