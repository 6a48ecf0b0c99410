/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of copy: one finished backup on its way to another storage.
 *
 * A backup of ours arrives with the record it has.  One of another tool gets a record for the time
 * of the copy (one unit that holds every object), so that it is seen, resumed and verified like
 * any other; it is removed at the end.
 */
#ifndef BP_CORE_VERB_COPY_RUN_H
#define BP_CORE_VERB_COPY_RUN_H

#include "core/verb/view.h"
#include "core/verb/writing.h"

typedef struct bp_copying {
    const bp_verb *verb;
    const bp_copy_verb_params *params;
    bp_settings *settings;
    bp_cancel *cancel;     /* child of the user's: a lost lease stops the rest */
    bp_call call;          /* with that cancel */
    bp_view view;          /* the original */
    const bp_catalog *to;  /* where the copy will be */
    bp_catalog under_call; /* what it points to, from the settings on */
    char *run_id;          /* of this run; the manifest's is that of the original */
    bp_manifest *manifest; /* of the copy */
    guint64 bytes;         /* of all that has to be copied */
    bp_writing writing;
    bp_copy *copy;
    guint64 named; /* items given to the engine */
} bp_copying;

void bp_copying_clear(bp_copying *c);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(bp_copying, bp_copying_clear)

/** The unit of a foreign backup's record for the time of the copy. */
#define BP_COPY_UNIT "objects"

/* copy_open.c: before anything but a scratch object is written. */

/** All that can be refused: storages that are one, a backup that is not finished, its name. */
bool bp_copying_open(bp_copying *c, GError **error);
/** What --resume finds at the target is an unfinished copy of this very backup: EXISTS else. */
bool bp_copying_check_origin(const bp_copying *c, GError **error);

/* copy_items.c: what moves bytes. */

/** An engine that writes the journal.  Returns: (transfer full) */
bp_copy *bp_copying_engine(bp_copying *c);
/** All items, proven when this returns true. */
bool bp_copying_items(bp_copying *c, GError **error);
/** All documents but the last, or the last alone; proven likewise. */
bool bp_copying_documents(bp_copying *c, bool last, GError **error);
/**
 * After a failure: says so if the original is gone, or names what it lacks.  The error is replaced
 * only where that explains it.
 */
void bp_copying_explain(bp_copying *c, GError **error);

/* copy_seal.c: when all items are copied. */

/** Items files, documents, sizes by listing, manifest "success", commit document, in this order. */
bool bp_copying_seal(bp_copying *c, GError **error);

#endif
