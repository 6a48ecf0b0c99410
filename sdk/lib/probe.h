/* SPDX-License-Identifier: Apache-2.0
 *
 * Trying the rights that a job is going to need, by means of a plugin's own operations: most of
 * what a storage plugin's `probe` has to do.  Any thread.
 */
#ifndef BAKPLANE_LIB_PROBE_H
#define BAKPLANE_LIB_PROBE_H

#include <bakplane/storage.h>

BP_BEGIN_DECLS

struct bp_probe_params {
    struct bp_storage *storage;
    /** The plugin's own functions: list, read_open, read_close, write_open, write, write_commit,
     *  write_abort, remove.  All others may be NULL.  A write_open that looks by itself whether the
     *  key is taken would spoil the trial of EXCLUSIVE: give one that leaves it to the store. */
    const struct bp_storage_ops *ops;
    const char *where;  /**< in messages: "the store of bucket b" */
    const char *advice; /**< what to set where exclusive creation is not kept, or NULL */
};

/**
 * LIST: the beginning of the prefix is listed.  WRITE: a scratch object below it is written, opened
 * again (READ) and removed.  EXCLUSIVE: it is created exclusively, twice, of which the second has
 * to fail.  READ: the first object that was listed is opened.  SERVER_READ is the caller's
 * business.
 *
 * Errors are those of the operations; INVALID for an unknown need and for what is no prefix;
 * UNSUPPORTED where a second creation was accepted.
 */
bp_status bp_probe_rights(const struct bp_probe_params *params, const struct bp_op *op,
                          const struct bp_probe_args *args, struct bp_error *error);

BP_END_DECLS

#endif
