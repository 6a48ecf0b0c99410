/* SPDX-License-Identifier: Apache-2.0
 *
 * Backups that another program wrote: their units, items and proofs, from documents and files.
 */
#ifndef BAKPLANE_MILVUS_ADOPT_H
#define BAKPLANE_MILVUS_ADOPT_H

#include <bakplane/error.h>
#include <bakplane/host.h>
#include <bakplane/op.h>
#include <bakplane/source.h>

/**
 * Names all units, items and proofs of the backup behind `backup_ref`.  Every log that its
 * documents list has been found with its size.  Needs no server.
 *
 * CORRUPT: a document or file is broken or missing, or the data is not there.  UNSUPPORTED: a
 * snapshot, or a storage format that only the server itself can export.
 */
bp_status milvus_adopt(const struct bp_host *host, const struct bp_op *op, const char *backup_ref,
                       const struct bp_adopt_sink *sink, struct bp_adopt_info *info,
                       struct bp_error *error);

#endif
