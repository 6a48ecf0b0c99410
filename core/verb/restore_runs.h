/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of other runs say: read only, by the journal of a restore and by whoever settles
 * one that was killed.  See restore_journal.h.
 */
#ifndef BP_CORE_VERB_RESTORE_RUNS_H
#define BP_CORE_VERB_RESTORE_RUNS_H

#include "core/verb/restore_journal.h"

/** A complete target. */
typedef struct bp_restore_finished {
    char *identity;
    guint64 found;
} bp_restore_finished;

/** What one file of another run says. */
typedef struct bp_restore_run {
    char *path;
    char *backup, *wanted;
    char *job;            /* "" = of none in the job directory */
    GHashTable *targets;  /* all it registered */
    GHashTable *prepared; /* target -> identity, not done */
    GHashTable *finished; /* target -> bp_restore_finished* */
    GPtrArray *leftovers; /* bp_leftover* */
    bool live;
} bp_restore_run;

/** Returns: (transfer full) */
bp_restore_finished *bp_restore_finished_new(const char *identity, guint64 found);
void bp_restore_finished_free(gpointer data);

void bp_leftover_free(gpointer data);
/** @upload: NULL = a staging prefix. */
void bp_leftover_add(GPtrArray *leftovers, const char *ref, const char *key, const char *upload);
void bp_leftover_forget(GPtrArray *leftovers, const char *key, const char *upload);

/**
 * NULL for a file that is gone, of another source, or says nothing.  @address: NULL = any source.
 * Returns: (transfer full) (nullable)
 */
bp_restore_run *bp_restore_run_read(const char *path, const char *address);
void bp_restore_run_free(bp_restore_run *run);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_restore_run, bp_restore_run_free)

#endif
