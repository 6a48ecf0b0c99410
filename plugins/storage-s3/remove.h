/* SPDX-License-Identifier: Apache-2.0
 *
 * Removing, one by one and many at once; see bp_storage_ops.
 */
#ifndef BAKPLANE_STORAGE_S3_REMOVE_H
#define BAKPLANE_STORAGE_S3_REMOVE_H

#include "plugins/storage-s3/s3.h"

bp_status bp_s3_remove(struct bp_storage *storage, const struct bp_op *op, const char *key,
                       const char *if_match, struct bp_error *error);
bp_status bp_s3_remove_many(struct bp_storage *storage, const struct bp_op *op,
                            const char *const *keys, size_t n, const struct bp_key_sink *sink,
                            struct bp_error *error);

#endif
