/* SPDX-License-Identifier: Apache-2.0
 *
 * What an instance can do and where it is, and trying the rights that a job needs; see
 * bp_storage_ops.
 */
#ifndef BAKPLANE_STORAGE_S3_INFO_H
#define BAKPLANE_STORAGE_S3_INFO_H

#include "plugins/storage-s3/s3.h"

bp_status bp_s3_info(struct bp_storage *storage, struct bp_storage_info *out,
                     struct bp_error *error);

/** Stores of equal scope can copy from each other. */
#define BP_S3_SCOPE 320
void bp_s3_copy_scope(const struct bp_storage *storage, char out[BP_S3_SCOPE]);

/* probe.c */
bp_status bp_s3_probe(struct bp_storage *storage, const struct bp_op *op,
                      const struct bp_probe_args *args, struct bp_error *error);

#endif
