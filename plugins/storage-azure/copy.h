/* SPDX-License-Identifier: Apache-2.0
 *
 * Copying by the service: copy of bp_storage_ops.
 */
#ifndef BAKPLANE_STORAGE_AZURE_COPY_H
#define BAKPLANE_STORAGE_AZURE_COPY_H

#include "plugins/storage-azure/azure.h"

/** What Copy Blob From URL takes at most. */
#define BP_AZURE_MAX_SYNC_COPY (UINT64_C(256) << 20)

bp_status bp_azure_copy(struct bp_storage *storage, const struct bp_op *op,
                        const struct bp_copy_args *args, struct bp_object_meta *out,
                        struct bp_error *error);

#endif
