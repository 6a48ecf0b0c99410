/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of restore: the targets, what they share, and how one goes from its unit to rows that
 * are proven to be there.
 */
#ifndef BP_CORE_VERB_RESTORE_RUN_H
#define BP_CORE_VERB_RESTORE_RUN_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/catalog/journal.h"
#include "core/copy/copy.h"
#include "core/verb/restore_journal.h"
#include "core/verb/restore_reads.h"
#include "core/verb/view.h"

typedef enum {
    BP_TARGET_UNTOUCHED,  /* not begun (yet) */
    BP_TARGET_COMPLETE,   /* proven */
    BP_TARGET_UNPROVABLE, /* all was done, but what came in cannot be counted */
    BP_TARGET_FAILED,     /* what is there is not complete */
} bp_target_state;

typedef struct bp_target {
    const bp_manifest_unit *unit;
    char *from, *parent, *name, *path; /* "db.coll", "db2", "coll2", "db2.coll2"; without levels
                                          "coll", "", "coll2", "coll2" */
    bp_target_state state;
    guint64 found;
    char *error;     /* why it failed, or why it cannot be proven; of a complete one, a remark */
    int error_class; /* of its failure */
    bool prepared;
    const char *earlier; /* identity of what an interrupted run made complete, or NULL.  Borrowed */
    guint64 earlier_found;
} bp_target;

typedef struct bp_restoring {
    const bp_verb *verb;
    const bp_restore_params *params;
    bp_settings *settings;
    bp_cancel *cancel; /* child of the user's */
    bp_call call;
    bp_view view;
    bp_store *source_store; /* where the server keeps its own data, or NULL */
    GPtrArray *targets;     /* bp_target* */
    GPtrArray *parents;     /* char*: target names of all parents that are to exist */
    char *run_id;
    bp_restore_journal *journal;
    bp_source_restore *restore;
    struct bp_restore_info info;
    bp_store *staging;            /* or NULL */
    pthread_mutex_t staging_lock; /* guards the making of the next two; see core/base/README.md */
    bp_proven *index;        /* size and checksum of the backup's items; NULL for a foreign one */
    bp_restore_reads *reads; /* or NULL: the source reads its own storage */
    bool staged;             /* the journal knows of our staging */
    guint parallel;          /* targets that are worked on at once */
    atomic_uint next_target;
    atomic_ullong found_sum; /* of proven targets, for the progress */
    pthread_mutex_t lock;    /* guards free_jobs, failed */
    pthread_cond_t jobs_changed;
    guint free_jobs;
    bool failed;
} bp_restoring;

void bp_restoring_clear(bp_restoring *restore);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(bp_restoring, bp_restoring_clear)

/* restore_plan.c */

/** Opens the backup, chooses and names the targets.  Touches nothing. */
bool bp_restore_plan(bp_restoring *restore, GError **error);
/** Targets, their states and proofs, for the result.  Returns: (transfer full) */
json_t *bp_restore_targets_json(const bp_restoring *restore);

/** Some target was begun: the source is not as it was. */
bool bp_restore_touched(const bp_restoring *restore);

/* restore_target.c */

/** All targets, several at a time.  Each ends in one of the states above. */
void bp_restore_run_targets(bp_restoring *restore);

/* restore_place.c */

/** Makes a target's bytes readable for the source: proves the place, or fills staging. */
bool bp_restore_place(bp_restoring *restore, guint32 target, GError **error);
/** Removes everything staged, also of dead runs, and says so in the journal. */
bool bp_restore_sweep(bp_restoring *restore, GError **error);

#endif
