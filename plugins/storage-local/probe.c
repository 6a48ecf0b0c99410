/* SPDX-License-Identifier: Apache-2.0
 *
 * Trying the rights that a job is going to need.
 */
#include "sdk/lib/probe.h"
#include "plugins/storage-local/info.h"
#include "plugins/storage-local/list.h"
#include "plugins/storage-local/publish.h"
#include "plugins/storage-local/read.h"
#include "plugins/storage-local/root.h"
#include "plugins/storage-local/write.h"

#include "sdk/lib/ban.h"

static const struct bp_storage_ops tried = {
    .struct_size = sizeof(tried),
    .list = bp_local_list,
    .read_open = bp_local_read_open,
    .read_close = bp_local_read_close,
    .write_open = bp_local_write_open,
    .write = bp_local_write,
    .write_commit = bp_local_write_commit,
    .write_abort = bp_local_write_abort,
    .remove = bp_local_remove,
};

bp_status
bp_local_probe(struct bp_storage *storage, const struct bp_op *op, const struct bp_probe_args *args,
               struct bp_error *error)
{
    int root;
    const struct bp_probe_params params = {
        .storage = storage,
        .ops = &tried,
        .where = storage->set.root,
    };
    bool writes = (args->need & (BP_NEED_WRITE | BP_NEED_EXCLUSIVE)) != 0;
    bp_status status = bp_local_check_op(storage, op, error);
    if (status == BP_OK) {
        status = bp_local_root(storage, writes ? BP_LOCAL_MAKE_ROOT : BP_LOCAL_FAIL, &root, error);
    }
    if (status == BP_OK) {
        status = bp_probe_rights(&params, op, args, error);
    }
    if (status == BP_OK && (args->need & BP_NEED_SERVER_READ) != 0) {
        status = bp_local_check_server(storage, op, args, error);
    }
    return status;
}
