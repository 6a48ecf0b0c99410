/* SPDX-License-Identifier: Apache-2.0
 *
 * What a restore has begun, kept on this machine (state_dir/restore), because the backup storage
 * may be read-only.  A run that is killed leaves its file; the next one learns from it which
 * targets are half made by us (and may be replaced), which are complete (and need not be made
 * again), which staging is to be swept and which uploads are to be aborted.
 *
 * The file of a live run is locked (flock), which also is the lock on its targets.
 */
#ifndef BP_CORE_VERB_RESTORE_JOURNAL_H
#define BP_CORE_VERB_RESTORE_JOURNAL_H

#include <glib.h>
#include <stdbool.h>

typedef struct bp_restore_journal bp_restore_journal;

/** What a dead run left behind on a storage: a staging prefix, or an upload in parts. */
typedef struct bp_leftover {
    char *ref, *key; /* a prefix, if `upload` is NULL */
    char *upload;    /* its id, "" before it had one; NULL: a staging prefix */
} bp_leftover;

typedef struct bp_restore_journal_params {
    const char *state_dir;
    const char *address; /* of the source; only journals of the same one count */
    const char *run_id, *backup;
    const char *job;            /* in the job directory, or NULL */
    const char *wanted;         /* backup and options as text: equal = the same would come out */
    const char *const *targets; /* "parent.child", up to NULL */
} bp_restore_journal_params;

/** Register a run for its targets.  EXISTS when a live run works on one of them.
 * Returns: (transfer full) (nullable) */
bp_restore_journal *bp_restore_journal_open(const bp_restore_journal_params *params,
                                            GError **error);
/**
 * What bp_restore_journal_open would find, errors included; nothing is registered, taken over or
 * written, also later.  For a dry run.  Returns: (transfer full) (nullable)
 */
bp_restore_journal *bp_restore_journal_look(const bp_restore_journal_params *params,
                                            GError **error);
/** Closes and unlocks; removes the file when nothing in it is unfinished. */
void bp_restore_journal_free(bp_restore_journal *journal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_restore_journal, bp_restore_journal_free)

/** Identity of a target that a dead run of ours left half made, or NULL.  Borrowed. */
const char *bp_restore_journal_ours(const bp_restore_journal *journal, const char *target);
/**
 * Identity of a target that a dead run, which wanted the same, completed, or NULL.  Borrowed.
 * @found: (out) what it had counted; BP_UNKNOWN = it could prove nothing.
 */
const char *bp_restore_journal_finished(const bp_restore_journal *journal, const char *target,
                                        guint64 *found);
/**
 * bp_leftover* of dead runs, and uploads of this one that are not over.  Borrowed; for when nothing
 * is uploaded any more.
 */
const GPtrArray *bp_restore_journal_leftovers(const bp_restore_journal *journal);

/* Each is on disk when it returns true.  Any thread. */
bool bp_restore_journal_staging(bp_restore_journal *journal, const char *ref, const char *prefix,
                                GError **error);
/** An upload in parts was begun, or is over (complete or aborted). */
bool bp_restore_journal_upload(bp_restore_journal *journal, const bp_leftover *upload, bool over,
                               GError **error);
/** Not all targets came to be: the next run has to know those that did.  Any thread. */
void bp_restore_journal_failed(bp_restore_journal *journal);
/** All staging, also that of dead runs, is gone, and with it all uploads. */
bool bp_restore_journal_swept(bp_restore_journal *journal, GError **error);
bool bp_restore_journal_prepared(bp_restore_journal *journal, const char *target,
                                 const char *identity, GError **error);
/** A prepared target is complete; `found` is what was counted, or BP_UNKNOWN. */
bool bp_restore_journal_done(bp_restore_journal *journal, const char *target, guint64 found,
                             GError **error);

#endif
