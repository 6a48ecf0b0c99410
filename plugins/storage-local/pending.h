/* SPDX-License-Identifier: Apache-2.0
 *
 * Committed files that wait for the barrier, by key.  A barrier takes the whole table as its
 * batch; meanwhile a new table fills.  Only bookkeeping: files are touched by publish.c.
 */
#ifndef BAKPLANE_STORAGE_LOCAL_PENDING_H
#define BAKPLANE_STORAGE_LOCAL_PENDING_H

#include "plugins/storage-local/local.h"

enum bp_local_entry_state {
    BP_LOCAL_WAITING = 0,
    BP_LOCAL_PUBLISHING = 1, /* the barrier renames it right now */
    BP_LOCAL_DONE = 2,       /* renamed, or taken out */
};

struct bp_local_entry {
    uint64_t number;
    enum bp_local_entry_state state; /* guarded by the instance's lock */
    char key[];
};

/** Adds a file; `*waiting` is how many wait now. */
void bp_local_pending_add(struct bp_storage *storage, const char *key, uint64_t number,
                          size_t *waiting);

/**
 * Takes out what waits for `key`, waiting for a rename of it to end; 0 = nothing.  _settle follows:
 * `done` = a newer write or a remove took its place (its file goes), else it waits again.
 */
uint64_t bp_local_pending_overtake(struct bp_storage *storage, const char *key);
void bp_local_pending_settle(struct bp_storage *storage, const char *key, uint64_t number,
                             bool done);

/**
 * Begins a barrier, when no other runs: entries sorted by key, owned by the table until _end.
 * Fails like the barrier that failed before, or when cancelled while waiting.
 */
bp_status bp_local_pending_begin(struct bp_storage *storage, const struct bp_op *op,
                                 GPtrArray **batch, struct bp_error *error);

/** True when the caller shall rename it now; then _renamed must follow. */
bool bp_local_pending_take(struct bp_storage *storage, struct bp_local_entry *entry);
void bp_local_pending_renamed(struct bp_storage *storage, struct bp_local_entry *entry, bool done);

/**
 * Ends the barrier.  What was not renamed waits again.  `lost` (or NULL) is an error after which
 * nothing can be proven any more: later barriers answer it.
 */
void bp_local_pending_end(struct bp_storage *storage, GPtrArray *batch,
                          const struct bp_error *lost);

#endif
