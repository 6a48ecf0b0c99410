/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading: stat, read_open, read, read_close of bp_storage_ops.
 */
#ifndef BAKPLANE_STORAGE_S3_READ_H
#define BAKPLANE_STORAGE_S3_READ_H

#include "plugins/storage-s3/s3.h"

bp_status bp_s3_stat(struct bp_storage *storage, const struct bp_op *op, const char *key,
                     struct bp_object_meta *out, struct bp_error *error);
bp_status bp_s3_read_open(struct bp_storage *storage, const struct bp_op *op,
                          const struct bp_read_args *args, struct bp_object_meta *meta,
                          struct bp_reader **out, struct bp_error *error);
bp_status bp_s3_read(struct bp_reader *reader, const struct bp_op *op, void *buffer, size_t cap,
                     size_t *n, struct bp_error *error);
void bp_s3_read_close(struct bp_reader *reader);

/** Fills all of *out (its struct_size stays) from the headers of an answer about one object. */
void bp_s3_meta_fill(struct bp_object_meta *out, bp_http_exchange *http, uint64_t size);

/** stat, only when the object still has that version, or `if_match` is NULL; else EXISTS. */
bp_status bp_s3_stat_version(struct bp_storage *storage, const struct bp_op *op, const char *key,
                             const char *if_match, struct bp_object_meta *out,
                             struct bp_error *error);

#endif
