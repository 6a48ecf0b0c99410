/* SPDX-License-Identifier: Apache-2.0
 *
 * Copying between two places of this machine without the host: hard link, clone, in-kernel copy
 * or a loop that computes the checksum in the same pass, whichever the request allows first.
 */
#ifndef BAKPLANE_STORAGE_LOCAL_COPY_H
#define BAKPLANE_STORAGE_LOCAL_COPY_H

#include "plugins/storage-local/local.h"

bp_status bp_local_copy(struct bp_storage *storage, const struct bp_op *op,
                        const struct bp_copy_args *args, struct bp_object_meta *out,
                        struct bp_error *error);

/** One run of bytes from an open source object to an open temporary file. */
struct bp_local_range {
    const char *src_key; /**< for messages */
    const char *dst_key;
    int src_fd, dst_fd;
    uint64_t src_offset, dst_offset, size;
    bool want_checksum;
};

/** Copies it; *sum is of these bytes, kind NONE unless wanted.  RETRYABLE when they end early. */
bp_status bp_local_copy_range(struct bp_storage *storage, const struct bp_op *op,
                              const struct bp_local_range *range, struct bp_checksum *sum,
                              struct bp_error *error);

#endif
