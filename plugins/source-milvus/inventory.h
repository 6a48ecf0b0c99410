/* SPDX-License-Identifier: Apache-2.0
 *
 * The log files of one collection as they lie in a backup, and their comparison with what the
 * documents say.  Documents of other writers are not always right; files that a restore would hand
 * to a server have to be known exactly.
 */
#ifndef BAKPLANE_MILVUS_INVENTORY_H
#define BAKPLANE_MILVUS_INVENTORY_H

#include <bakplane/error.h>
#include <bakplane/host.h>
#include <bakplane/op.h>

#include "model.h"

struct milvus_inventory; /**< files of one collection */

/** Lists both log directories of the collection.  Directories that are missing count as empty. */
bp_status milvus_inventory_load(const struct bp_host *host, const struct bp_op *op,
                                const char *backup_ref, int64_t collection_id,
                                struct milvus_inventory **out, struct bp_error *error);
void milvus_inventory_free(struct milvus_inventory *inventory);

/**
 * Corrects the model by the files: segments wrongly called L0, logs wrongly listed, sizes not
 * recorded; and sets `found` of each log, is_exact of partitions and segments.  CORRUPT when it
 * cannot be known which files a segment has.  `server_version` is the captured server's: before 2.4
 * there are no L0 segments.
 */
bp_status milvus_inventory_settle(const struct milvus_inventory *inventory,
                                  struct milvus_collection *collection, const char *server_version,
                                  struct bp_error *error);

/** The file is there with the documented size.  Of a settled backup. */
bool milvus_inventory_is_whole(const struct milvus_log *log);

/** CORRUPT when a log of the settled collection is not whole; the first ones are named. */
bp_status milvus_inventory_check(const struct milvus_collection *collection,
                                 struct bp_error *error);

typedef struct milvus_inventory milvus_inventory;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(milvus_inventory, milvus_inventory_free)

#endif
