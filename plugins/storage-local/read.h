/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading: stat, read_open, read, read_close of bp_storage_ops, and opening a source file.
 */
#ifndef BAKPLANE_STORAGE_LOCAL_READ_H
#define BAKPLANE_STORAGE_LOCAL_READ_H

#include "plugins/storage-local/local.h"

bp_status bp_local_stat(struct bp_storage *storage, const struct bp_op *op, const char *key,
                        struct bp_object_meta *out, struct bp_error *error);
bp_status bp_local_read_open(struct bp_storage *storage, const struct bp_op *op,
                             const struct bp_read_args *args, struct bp_object_meta *meta,
                             struct bp_reader **out, struct bp_error *error);
bp_status bp_local_read(struct bp_reader *reader, const struct bp_op *op, void *buffer, size_t cap,
                        size_t *n, struct bp_error *error);
void bp_local_read_close(struct bp_reader *reader);

/**
 * Opens the regular file of a key for reading.  NOT_FOUND for directories, too; DENIED for links
 * and for what is neither (a socket, a device); EXISTS when it is not `if_match` (or NULL).
 */
bp_status bp_local_open_object(struct bp_storage *storage, const char *key, const char *if_match,
                               int *fd, struct stat *st, struct bp_error *error);

#endif
