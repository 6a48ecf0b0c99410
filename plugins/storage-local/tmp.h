/* SPDX-License-Identifier: Apache-2.0
 *
 * Temporary files: .bakplane-tmp/<host>-<pid>-<random>/ in the root, one folder per instance,
 * made at the first write and removed at close.  The instance holds a lock (flock) on the file
 * `lock` in its folder as long as it lives, however it ends; so whoever gets that lock knows that
 * the folder is a leftover and removes it.
 *
 * A file is known by its number.  Any thread.
 */
#ifndef BAKPLANE_STORAGE_LOCAL_TMP_H
#define BAKPLANE_STORAGE_LOCAL_TMP_H

#include "plugins/storage-local/local.h"

/** Room for a temporary file's name. */
#define BP_LOCAL_TMP_NAME 24

struct bp_local_tmp {
    int dir_fd;
    int lock_fd;
    char name[128]; /**< of the folder */
    _Atomic uint64_t last;
};

/** Sees to the folder (and the root), removing leftovers of others when it makes it. */
bp_status bp_local_tmp_get(struct bp_storage *storage, const struct bp_op *op,
                           struct bp_local_tmp **out, struct bp_error *error);

/** A new file, opened for reading and writing with the configured mode and owner. */
bp_status bp_local_tmp_create(struct bp_storage *storage, const struct bp_op *op, int *fd,
                              uint64_t *number, struct bp_error *error);

/** A number for a file that the caller makes by himself, and the name that belongs to it. */
uint64_t bp_local_tmp_next(struct bp_local_tmp *tmp);
void bp_local_tmp_name(uint64_t number, char *name);

/** Removes a file of ours; one that is gone is fine. */
void bp_local_tmp_remove(struct bp_storage *storage, uint64_t number);

/** Removes folders whose owner is gone. */
void bp_local_tmp_sweep(struct bp_storage *storage, const struct bp_op *op);

/** At close: removes our folder with all that is in it, and .bakplane-tmp when empty. */
void bp_local_tmp_close(struct bp_storage *storage);

/**
 * Takes the lock of a folder in .bakplane-tmp (an O_PATH or readable descriptor `tmp_fd` of it) to
 * prove its owner dead.  A lock descriptor to close; -EWOULDBLOCK = alive; else -errno.
 */
int bp_local_tmp_claim(struct bp_storage *storage, int tmp_fd, const char *name);

#endif
