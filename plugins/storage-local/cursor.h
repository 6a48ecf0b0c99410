/* SPDX-License-Identifier: Apache-2.0
 *
 * The walk through the directories behind a listing: one frame per directory on the way, each
 * with the sorted names that are still to come.  One thread at a time.
 */
#ifndef BAKPLANE_STORAGE_LOCAL_CURSOR_H
#define BAKPLANE_STORAGE_LOCAL_CURSOR_H

#include "plugins/storage-local/local.h"

struct bp_local_cursor {
    uint64_t id;
    char *prefix;     /**< of the keys that are wanted */
    bool grouped;     /**< directories are reported, not entered */
    char *after;      /**< only what comes after this key, or NULL */
    bool after_group; /**< `after` is a reported directory: nothing below it either */
    GString *path;    /**< of the top frame, "" or ending in '/' */
    GPtrArray *frames;
};

/** What the walk found. */
struct bp_local_found {
    bool is_dir;
    const char *name; /**< in cursor->path; valid until the next call */
    struct stat st;   /**< of a file */
};

struct bp_local_cursor *bp_local_cursor_new(const char *prefix, bool grouped, const char *after,
                                            bool after_group);
void bp_local_cursor_free(struct bp_local_cursor *cursor);

/**
 * The next file, or directory when grouped; *more is false at the end.  What vanished meanwhile
 * is skipped.  DENIED for a symbolic link among what is wanted, or an unreadable directory.
 */
bp_status bp_local_cursor_next(struct bp_storage *storage, const struct bp_op *op,
                               struct bp_local_cursor *cursor, struct bp_local_found *found,
                               bool *more, struct bp_error *error);

/** Makes the next call answer the same again. */
void bp_local_cursor_step_back(struct bp_local_cursor *cursor);

/** Closes descriptors until the next call. */
void bp_local_cursor_park(struct bp_local_cursor *cursor);

#endif
