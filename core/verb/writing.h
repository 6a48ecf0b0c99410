/* SPDX-License-Identifier: Apache-2.0
 *
 * A backup that is being written, whoever writes it: whether its name may be used, its lease, what
 * an earlier run proved, and what its manifest says when it fails.  Shared by create and copy.
 */
#ifndef BP_CORE_VERB_WRITING_H
#define BP_CORE_VERB_WRITING_H

#include "core/catalog/journal.h"
#include "core/catalog/sizes.h"
#include "core/catalog/uploads.h"
#include "core/copy/copy.h"
#include "core/verb/verb.h"

/** One run that writes.  Filled by the verb; borrowed but for the last five, which are made here.
 */
typedef struct bp_writing {
    const bp_verb *verb;
    const char *verb_name; /* static: "create", "copy" */
    const char *name;      /* of the backup */
    const bp_catalog *catalog;
    const bp_settings *settings; /* of `backup` */
    const bp_call *call;         /* of the verb */
    bp_cancel *on_loss;          /* triggered when somebody else takes the lease */
    const char *run_id;          /* of this run: its lease, its chunks of the journal */
    bp_manifest *manifest;       /* to be written; not needed before bp_writing_run */
    bool resume, replace;
    bool copies;         /* from another storage */
    char *seen;          /* run of the whole backup that check_name found there, or NULL */
    bp_proven *proven;   /* of earlier runs, or NULL */
    bp_sizes *listed;    /* what these left, or NULL when that is little */
    bp_journal *journal; /* of this run */
    bp_uploads *uploads; /* of this run */
} bp_writing;

void bp_writing_clear(bp_writing *writing);

/**
 * What stands under the name, and whether the flags allow to go on.  Changes nothing.
 * EXISTS; NOT_FOUND for --resume of nothing; UNSUPPORTED for a newer bakplane's.
 */
bool bp_writing_check_name(bp_writing *writing, GError **error);

typedef struct bp_writing_steps {
    /** Under the lease, before the manifest: may it begin? */
    bool (*ready)(void *ctx, GError **error);
    /** All of it, until the last document has been read again. */
    bool (*write)(void *ctx, GError **error);
    void *ctx;
} bp_writing_steps;
/**
 * From the lease to its end: looks at the name again, clears for --replace, loads what is proven
 * for --resume, writes the manifest "running", lets `write` do its work.  A failure of that is
 * recorded in the manifest, unless the lease was lost.  `error` is not NULL.
 */
bool bp_writing_run(bp_writing *writing, const bp_writing_steps *steps, GError **error);

/**
 * Rights on the storage, and that it keeps writers apart where the lease counts on that.  Leaves
 * nothing behind.
 */
bool bp_writing_probe(const bp_writing *writing, GError **error);

/** An engine's parameters as the settings want them; the caller adds `proven`, `upload` and `ctx`.
 */
bp_copy_params bp_writing_copy_params(const bp_writing *writing);

/** Of a resumed run: the listing of what is there has that key, with that size. */
bool bp_writing_sees(const bp_writing *writing, const char *key, guint64 size);

/**
 * For the engine's `upload`: it goes on only when that is on record.  @key: with the backup's name.
 * Any thread.
 */
bool bp_writing_upload(bp_writing *writing, const char *key, const char *upload, bool finished,
                       GError **error);

/** What the result says of a run: state, totals and units of `manifest`, duration. */
void bp_writing_describe(const bp_writing *writing, const bp_manifest *manifest, bool fine,
                         gint64 started_mono);

#endif
