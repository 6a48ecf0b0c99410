/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading: stat, read_open, read, read_close of bp_storage_ops.
 */
#ifndef BAKPLANE_STORAGE_AZURE_READ_H
#define BAKPLANE_STORAGE_AZURE_READ_H

#include "plugins/storage-azure/azure.h"

bp_status bp_azure_stat(struct bp_storage *storage, const struct bp_op *op, const char *key,
                        struct bp_object_meta *out, struct bp_error *error);
bp_status bp_azure_read_open(struct bp_storage *storage, const struct bp_op *op,
                             const struct bp_read_args *args, struct bp_object_meta *meta,
                             struct bp_reader **out, struct bp_error *error);
bp_status bp_azure_read(struct bp_reader *reader, const struct bp_op *op, void *buffer, size_t cap,
                        size_t *n, struct bp_error *error);
void bp_azure_read_close(struct bp_reader *reader);

/** stat of the version `if_match` only, or NULL; else EXISTS. */
bp_status bp_azure_stat_version(struct bp_storage *storage, const struct bp_op *op, const char *key,
                                const char *if_match, struct bp_object_meta *out,
                                struct bp_error *error);

#endif
