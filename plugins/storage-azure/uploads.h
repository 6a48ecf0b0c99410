/* SPDX-License-Identifier: Apache-2.0
 *
 * Unfinished uploads: part_abort, uploads_list, uploads_abort of bp_storage_ops.
 *
 * The service has no verb to drop uncommitted blocks.  They vanish after a week, or when something
 * is committed under their name.  So an upload is ended by committing an empty object where there
 * is none and nobody else's blocks lie, and removing it at once; else it is left to its week.
 */
#ifndef BAKPLANE_STORAGE_AZURE_UPLOADS_H
#define BAKPLANE_STORAGE_AZURE_UPLOADS_H

#include "plugins/storage-azure/azure.h"

bp_status bp_azure_part_abort(struct bp_storage *storage, const struct bp_op *op, const char *key,
                              const char *upload, struct bp_error *error);
bp_status bp_azure_uploads_list(struct bp_storage *storage, const struct bp_op *op,
                                const char *prefix, const struct bp_key_sink *sink,
                                struct bp_error *error);
bp_status bp_azure_uploads_abort(struct bp_storage *storage, const struct bp_op *op,
                                 const char *prefix, int64_t before_ns,
                                 const struct bp_key_sink *sink, struct bp_error *error);

/** Drops the blocks of one upload, as said above.  BP_OK also when they are left to expire. */
bp_status bp_azure_discard_blocks(struct bp_storage *storage, const struct bp_op *op,
                                  const char *key, const char *upload, struct bp_error *error);

#endif
