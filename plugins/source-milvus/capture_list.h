/* SPDX-License-Identifier: Apache-2.0
 *
 * Finding the files of segments on the storage of Milvus.
 */
#ifndef BAKPLANE_MILVUS_CAPTURE_LIST_H
#define BAKPLANE_MILVUS_CAPTURE_LIST_H

#include <bakplane/error.h>
#include <bakplane/host.h>
#include <bakplane/op.h>

#include "model.h"
#include "source.h"

/**
 * Lists the directory of one segment and replaces its insert_logs by what is there; of an L0
 * segment by nothing.
 *
 * @versions: NULL, or takes the storage's version tag of each key, both as text of its own.
 *
 * Errors: CORRUPT when a key below is no log; whatever storage_list raises.
 */
bp_status milvus_list_inserts(const struct bp_source *source, const struct bp_op *op,
                              struct milvus_segment *segment, GHashTable *versions,
                              struct bp_error *error);

/**
 * The same for the delta_logs of all segments of a collection, in one listing.  To be done right
 * after the flush: a delete that came later would get in without the row that replaces its own.
 *
 * @segments: struct milvus_segment *
 */
bp_status milvus_list_deltas(const struct bp_source *source, const struct bp_op *op,
                             int64_t collection_id, const GPtrArray *segments, GHashTable *versions,
                             struct bp_error *error);

/**
 * NULL when the logs can be a whole segment with rows, else what is wrong with them: no insert
 * logs at all, fields with unequal numbers of files, or a field of the schema without any.
 * @schema: NULL = not known.  Owned by the caller.
 */
char *milvus_segment_defect(const struct milvus_segment *segment,
                            const struct milvus_schema *schema);

/**
 * For errors: where a segment was looked for, what lies there instead, and which setting to
 * check.  Never fails; owned by the caller.
 */
char *milvus_describe_place(const struct bp_source *source, const struct bp_op *op,
                            const struct milvus_segment *segment);

#endif
