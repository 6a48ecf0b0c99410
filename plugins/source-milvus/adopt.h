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
 * Names all units, items and proofs of the backup behind `backup_ref`.  Logs that its documents
 * list are named as they are documented, also those that are missing or have another size: whoever
 * asks compares.  What rests on such delete logs is unprovable.  Needs no server.
 *
 * CORRUPT: a document is broken or missing, a delete log cannot be read, or it cannot be known
 * which files there should be.  UNSUPPORTED: a snapshot, or a storage format that only the server
 * itself can export.
 */
bp_status milvus_adopt(const struct bp_host *host, const struct bp_op *op, const char *backup_ref,
                       const struct bp_adopt_sink *sink, struct bp_adopt_info *info,
                       struct bp_error *error);

#endif
