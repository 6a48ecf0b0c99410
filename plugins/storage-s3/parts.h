/* SPDX-License-Identifier: Apache-2.0
 *
 * Uploads in parts, and those that were left behind; see bp_storage_ops.
 */
#ifndef BAKPLANE_STORAGE_S3_PARTS_H
#define BAKPLANE_STORAGE_S3_PARTS_H

#include "plugins/storage-s3/s3.h"

bp_status bp_s3_part_begin(struct bp_storage *storage, const struct bp_op *op,
                           const struct bp_write_args *args, const struct bp_text_sink *id,
                           struct bp_error *error);
bp_status bp_s3_part_open(struct bp_storage *storage, const struct bp_op *op,
                          const struct bp_part_args *args, struct bp_writer **out,
                          struct bp_error *error);
bp_status bp_s3_part_copy(struct bp_storage *storage, const struct bp_op *op,
                          const struct bp_part_args *args, struct bp_object_meta *out,
                          struct bp_error *error);
bp_status bp_s3_part_complete(struct bp_storage *storage, const struct bp_op *op,
                              const struct bp_complete_args *args, struct bp_object_meta *out,
                              struct bp_error *error);
bp_status bp_s3_part_abort(struct bp_storage *storage, const struct bp_op *op, const char *key,
                           const char *upload, struct bp_error *error);

/** A part that lies in memory whole. */
bp_status bp_s3_part_put(struct bp_storage *storage, const struct bp_op *op,
                         const struct bp_part_args *args, const void *bytes,
                         struct bp_object_meta *out, struct bp_error *error);

/* uploads.c */

/** MinIO lists uploads of one key only: `prefix` finds nothing there unless it is that key. */
bp_status bp_s3_uploads_list(struct bp_storage *storage, const struct bp_op *op, const char *prefix,
                             const struct bp_key_sink *sink, struct bp_error *error);
bp_status bp_s3_uploads_abort(struct bp_storage *storage, const struct bp_op *op,
                              const char *prefix, int64_t before_ns, const struct bp_key_sink *sink,
                              struct bp_error *error);

#endif
