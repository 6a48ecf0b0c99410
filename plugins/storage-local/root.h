/* SPDX-License-Identifier: Apache-2.0
 *
 * Everything below the root is opened here, and nowhere else: no path leads out of the root and
 * no symbolic link below it is followed (the root's own path may contain links).  openat2 lets
 * the kernel see to it; where that is missing each component is opened by itself.
 *
 * Any thread.  Functions that return int give a descriptor or 0, or -errno.
 */
#ifndef BAKPLANE_STORAGE_LOCAL_ROOT_H
#define BAKPLANE_STORAGE_LOCAL_ROOT_H

#include "plugins/storage-local/local.h"

/** For tests: behave as on a kernel without openat2 (for roots opened from now on). */
extern _Atomic bool bp_local_no_openat2;

/** What to do when the root is missing. */
enum bp_local_missing { BP_LOCAL_FAIL = 0, BP_LOCAL_MAKE_ROOT = 1 };

/** The root's descriptor, valid until close, through *fd.  NOT_FOUND names the root. */
bp_status bp_local_root(struct bp_storage *storage, enum bp_local_missing missing, int *fd,
                        struct bp_error *error);

/** Opens `path`, relative to the root, "" for the root itself. */
int bp_local_open(struct bp_storage *storage, const char *path, int flags);

/** Length of the parent's part of a key, 0 for none; `key + that (+ 1)` is the last part. */
size_t bp_local_parent_len(const char *key);
const char *bp_local_base(const char *key);

/** Opens the directory of `key` (O_PATH), without making it. */
int bp_local_open_parent(struct bp_storage *storage, const char *key);

/** The same, but makes missing directories with the configured mode and owner. */
int bp_local_make_parent(struct bp_storage *storage, const char *key);

/** Sets mode and owner of a new file or directory as configured. */
int bp_local_adopt(struct bp_storage *storage, int fd, bool is_dir);

/** Removes the directories of `key` that are empty, from below, sparing the root. */
void bp_local_prune(struct bp_storage *storage, const char *key);

/**
 * Fills *error for a failed system call on `key`: "cannot <verb> <root>/<key>: why".  A symbolic
 * link on the way (ELOOP) is DENIED and named; a part that is a file is named, too.
 */
bp_status bp_local_fail(struct bp_storage *storage, int errnum, const char *verb, const char *key,
                        struct bp_error *error);

#endif
