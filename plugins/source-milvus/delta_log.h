/* SPDX-License-Identifier: Apache-2.0
 *
 * How many deletes a delta log holds, without reading its data.
 */
#ifndef BAKPLANE_MILVUS_DELTA_LOG_H
#define BAKPLANE_MILVUS_DELTA_LOG_H

#include <bakplane/error.h>
#include <bakplane/host.h>
#include <bakplane/op.h>

/** An object on one of the operator's storages, or of a backup. */
struct milvus_object {
    const char *ref, *key;
    int64_t size;
};

/**
 * Rows of a delta log: a Milvus binlog, or a bare Parquet file.  Reads a few KiB.
 *
 * Errors: CORRUPT names the key and what is wrong; whatever storage_read_small raises.
 */
bp_status milvus_delta_log_rows(const struct bp_host *host, const struct bp_op *op,
                                const struct milvus_object *log, int64_t *rows,
                                struct bp_error *error);

#endif
