/* SPDX-License-Identifier: Apache-2.0
 *
 * Facts of an instance: info, space and probe of bp_storage_ops.
 */
#ifndef BAKPLANE_STORAGE_LOCAL_INFO_H
#define BAKPLANE_STORAGE_LOCAL_INFO_H

#include "plugins/storage-local/local.h"

bp_status bp_local_info(struct bp_storage *storage, struct bp_storage_info *out,
                        struct bp_error *error);
bp_status bp_local_space(struct bp_storage *storage, const struct bp_op *op, struct bp_space *out,
                         struct bp_error *error);
bp_status bp_local_probe(struct bp_storage *storage, const struct bp_op *op,
                         const struct bp_probe_args *args, struct bp_error *error);

/**
 * Whether the database server's user can list and read what lies below `prefix`: every directory
 * from / down to there, and the first object.  DENIED names the obstacle and what to do.
 */
bp_status bp_local_check_server(struct bp_storage *storage, const struct bp_op *op,
                                const struct bp_probe_args *args, struct bp_error *error);

#endif
