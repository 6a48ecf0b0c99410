/* SPDX-License-Identifier: Apache-2.0
 *
 * Uploads in parts: part_begin, part_open, part_copy, part_complete of bp_storage_ops.  Nothing of
 * an upload is kept here: its id and the etags of its parts say all, so that any process can go on.
 */
#ifndef BAKPLANE_STORAGE_AZURE_PARTS_H
#define BAKPLANE_STORAGE_AZURE_PARTS_H

#include "plugins/storage-azure/azure.h"

/* Parts times the blocks of each stay below the service's 50,000 blocks. */
#define BP_AZURE_MAX_PARTS 9000
#define BP_AZURE_MAX_PART (UINT64_C(4) * 4000 << 20)

bp_status bp_azure_part_begin(struct bp_storage *storage, const struct bp_op *op,
                              const struct bp_write_args *args, const struct bp_text_sink *id,
                              struct bp_error *error);
bp_status bp_azure_part_open(struct bp_storage *storage, const struct bp_op *op,
                             const struct bp_part_args *args, struct bp_writer **out,
                             struct bp_error *error);
bp_status bp_azure_part_copy(struct bp_storage *storage, const struct bp_op *op,
                             const struct bp_part_args *args, struct bp_object_meta *out,
                             struct bp_error *error);
bp_status bp_azure_part_complete(struct bp_storage *storage, const struct bp_op *op,
                                 const struct bp_complete_args *args, struct bp_object_meta *out,
                                 struct bp_error *error);

/** The end of a part's writer; *out has the part's etag. */
bp_status bp_azure_commit_part(struct bp_writer *writer, const struct bp_op *op,
                               struct bp_object_meta *out, struct bp_error *error);

#endif
