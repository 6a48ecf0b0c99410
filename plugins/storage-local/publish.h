/* SPDX-License-Identifier: Apache-2.0
 *
 * From temporary file to key.  A durable or conditional write is published at once: fsync, rename
 * (or exclusive link), fsync of the directories.  All others wait for the barrier: one syncfs for
 * the bytes of all of them, then the renames, then one syncfs for the directories, so that no
 * name ever shows bytes that a power failure could take away.
 *
 * A newer write or remove of a key overtakes one that still waits.  Any thread.
 */
#ifndef BAKPLANE_STORAGE_LOCAL_PUBLISH_H
#define BAKPLANE_STORAGE_LOCAL_PUBLISH_H

#include "plugins/storage-local/local.h"

/** A finished temporary file. */
struct bp_local_publish {
    uint64_t number; /**< of the file; it is gone afterwards, also on failure */
    int take_fd;     /**< of the file; closed here */
    const char *key;
    uint32_t flags;       /**< BP_WRITE_… */
    const char *if_match; /**< or NULL */
};

/** Publishes now or at the next barrier.  *out tells of the file. */
bp_status bp_local_publish(struct bp_storage *storage, const struct bp_op *op,
                           const struct bp_local_publish *file, struct bp_object_meta *out,
                           struct bp_error *error);

/** The barrier.  A failed one may have lost bytes, so every later one fails, too. */
bp_status bp_local_sync(struct bp_storage *storage, const struct bp_op *op, struct bp_error *error);

/** Removes a key and then-empty directories; see bp_storage_ops.remove. */
bp_status bp_local_remove(struct bp_storage *storage, const struct bp_op *op, const char *key,
                          const char *if_match, struct bp_error *error);

/** At close: removes the lock file of conditional changes, unless somebody holds it. */
void bp_local_drop_lock_file(struct bp_storage *storage);

/** How many committed files may wait before a commit runs the barrier by itself. */
#define BP_LOCAL_MAX_PENDING 16384u

struct bp_local_pending *bp_local_pending_new(void);
void bp_local_pending_free(struct bp_local_pending *pending);

/** For tests: behave as on a file system without RENAME_NOREPLACE (NFS). */
extern _Atomic bool bp_local_no_noreplace;

#endif
