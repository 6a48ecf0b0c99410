/* SPDX-License-Identifier: Apache-2.0
 *
 * Trying the rights that a job is going to need.
 */
#include "sdk/lib/probe.h"
#include "plugins/storage-azure/info.h"
#include "plugins/storage-azure/list.h"
#include "plugins/storage-azure/read.h"
#include "plugins/storage-azure/request.h"
#include "plugins/storage-azure/write.h"
#include "sdk/lib/errors.h"
#include "sdk/lib/hostlog.h"

#include "sdk/lib/ban.h"

static const struct bp_storage_ops tried = {
    .struct_size = sizeof(tried),
    .list = bp_azure_list,
    .read_open = bp_azure_read_open,
    .read_close = bp_azure_read_close,
    .write_open = bp_azure_write_open,
    .write = bp_azure_write,
    .write_commit = bp_azure_write_commit,
    .write_abort = bp_azure_write_abort,
    .remove = bp_azure_remove,
};

static bp_status
make_container(struct bp_storage *storage, const struct bp_op *op, struct bp_error *error)
{
    struct bp_azure_request request;
    bp_azure_request_init(&request, BP_AZURE_CONTAINER, "PUT", NULL, "make it");
    bp_azure_add_query(&request, "restype", "container");
    bp_status status = bp_azure_call(storage, op, &request, NULL, error);
    bp_azure_request_clear(&request);
    if (status == BP_OK) {
        bp_hostlog(storage->host, op, BP_LOG_INFO, "made container %s of account %s",
                   storage->set.container, storage->set.account);
    }
    return status == BP_ERR_EXISTS ? BP_OK : status; /* somebody was faster */
}

bp_status
bp_azure_probe(struct bp_storage *storage, const struct bp_op *op, const struct bp_probe_args *args,
               struct bp_error *error)
{
    const struct bp_probe_params params = {
        .storage = storage,
        .ops = &tried,
        .where = storage->set.endpoint,
    };
    bool writes = (args->need & (BP_NEED_WRITE | BP_NEED_EXCLUSIVE)) != 0;
    bp_status status = bp_probe_rights(&params, op, args, error);
    if (status == BP_ERR_NOT_FOUND && writes && storage->set.create_container) {
        status = make_container(storage, op, error);
        if (status == BP_OK) {
            status = bp_probe_rights(&params, op, args, error);
        }
    }
    if (status == BP_OK && (args->need & BP_NEED_SERVER_READ) != 0) {
        status = bp_fail(error, BP_ERR_UNSUPPORTED,
                         "what another login may read in container %s cannot be seen from here",
                         storage->set.container);
    }
    return status;
}
