/* SPDX-License-Identifier: Apache-2.0
 *
 * The directories that were used last, kept open for a moment: neighbours need not walk down from
 * the root again.  A directory that is moved away meanwhile is still used for at most a second; one
 * that is removed answers ENOENT, and then _forget and another _get tell the truth.
 *
 * Any thread.
 */
#ifndef BAKPLANE_STORAGE_LOCAL_DIRS_H
#define BAKPLANE_STORAGE_LOCAL_DIRS_H

#include "plugins/storage-local/local.h"

/** An open directory; counted. */
struct bp_local_dir {
    _Atomic unsigned refs;
    int fd;
    int64_t opened_us;
    char path[];
};

/** A reference to the directory of `key`, made if it is missing and `make`; NULL and *errnum. */
struct bp_local_dir *bp_local_dir_get(struct bp_storage *storage, const char *key, bool make,
                                      int *errnum);
void bp_local_dir_put(struct bp_local_dir *dir);

/** Puts it, and does not hand it out again. */
void bp_local_dir_forget(struct bp_storage *storage, struct bp_local_dir *dir);

/** At close. */
void bp_local_dirs_clear(struct bp_storage *storage);

#endif
