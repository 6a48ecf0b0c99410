/* SPDX-License-Identifier: Apache-2.0
 *
 * Removing many: remove_many of bp_storage_ops, by Blob Batch, or by a request for each where the
 * service or the login does not allow that.
 */
#ifndef BAKPLANE_STORAGE_AZURE_REMOVE_H
#define BAKPLANE_STORAGE_AZURE_REMOVE_H

#include "plugins/storage-azure/azure.h"

bp_status bp_azure_remove_many(struct bp_storage *storage, const struct bp_op *op,
                               const char *const *keys, size_t n, const struct bp_key_sink *sink,
                               struct bp_error *error);

#endif
