/* SPDX-License-Identifier: Apache-2.0
 *
 * Facts of an instance, and trying what a job needs: info and probe of bp_storage_ops.
 */
#ifndef BAKPLANE_STORAGE_AZURE_INFO_H
#define BAKPLANE_STORAGE_AZURE_INFO_H

#include "plugins/storage-azure/azure.h"

bp_status bp_azure_info(struct bp_storage *storage, struct bp_storage_info *out,
                        struct bp_error *error);
bp_status bp_azure_probe(struct bp_storage *storage, const struct bp_op *op,
                         const struct bp_probe_args *args, struct bp_error *error);

#endif
