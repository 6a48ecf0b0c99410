/* SPDX-License-Identifier: Apache-2.0
 *
 * The verbs.  Each takes a workspace and parameters, works, and fills a JSON result: the one form
 * that --json prints, --report writes and the tables for people are made from.
 *
 * Returned: BP_VERB_OK, BP_VERB_DIFFERENT (finished, but with differences or something that cannot
 * be proven) or BP_VERB_FAILED (error set).  `result` is filled in any case, as far as it got.
 * Verbs run on the calling thread and start their own workers; one at a time per workspace.
 */
#ifndef BP_CORE_VERB_VERB_H
#define BP_CORE_VERB_VERB_H

#include <jansson.h>

#include "core/verb/monitor.h"
#include "core/verb/select.h"
#include "core/verb/workspace.h"

typedef enum { BP_VERB_OK, BP_VERB_DIFFERENT, BP_VERB_FAILED } bp_verb_outcome;

/** What all verbs take.  Borrowed. */
typedef struct bp_verb {
    bp_workspace *workspace;
    bp_monitor *monitor;
    json_t *result; /* an object, filled by the verb */
    const char *id; /* in the job directory: what is left of it is found by this; or NULL */
    /**
     * A restore is complete, and `result` says so, while its journal is still there: what is kept
     * of the result now is all that tells of it once the journal is gone.  Main thread; may be
     * NULL.
     */
    void (*complete)(void *ctx, bp_verb_outcome outcome);
    void *ctx;
} bp_verb;

typedef struct bp_create_params {
    const char *name; /* NULL = generated */
    bp_select_text select;
    const char *const *overrides; /* settings of `backup` from flags, or NULL */
    const char *label;            /* of the series that it is one of, by bp_label_check, or NULL */
    bool resume, replace, dry_run, without_items;
} bp_create_params;
bp_verb_outcome bp_verb_create(const bp_verb *verb, const bp_create_params *params, GError **error);

typedef struct bp_copy_verb_params {
    const char *name, *to;        /* to: a storage by its name in the configuration */
    const char *from;             /* likewise; NULL = `backup.storage` */
    const char *const *overrides; /* settings of `backup` from flags, or NULL */
    bool resume, replace, dry_run;
} bp_copy_verb_params;
/** A finished backup, ours or another tool's, to another storage under the same name. */
bp_verb_outcome bp_verb_copy(const bp_verb *verb, const bp_copy_verb_params *params,
                             GError **error);

typedef struct bp_restore_params {
    const char *name;
    bp_select_text select;        /* names as stored in the backup; `filter` is not used */
    const char *target_filter;    /* matched against names after renaming, or NULL */
    const char *rename, *suffix;  /* or NULL */
    const char *const *overrides; /* settings of `restore` from flags, or NULL */
    bool dry_run, force, continue_on_error, without_items;
} bp_restore_params;
bp_verb_outcome bp_verb_restore(const bp_verb *verb, const bp_restore_params *params,
                                GError **error);

/** @deep: read everything and compare or seal checksums. */
bp_verb_outcome bp_verb_verify(const bp_verb *verb, const char *name, bool deep, GError **error);

/** @child: only backups that hold it ("coll", "db.coll", "*.coll" below any parent), or NULL. */
bp_verb_outcome bp_verb_list(const bp_verb *verb, const char *child, GError **error);
/** @detail: with all units and documents. */
bp_verb_outcome bp_verb_get(const bp_verb *verb, const char *name, bool detail, GError **error);
/** One document of a backup, whoever wrote it, as "text" in the result; at most 256 MiB. */
bp_verb_outcome bp_verb_document(const bp_verb *verb, const char *name, const char *key,
                                 GError **error);
bp_verb_outcome bp_verb_delete(const bp_verb *verb, const char *name, bool force, GError **error);

typedef struct bp_prune_params {
    guint keep_last;
    gint64 keep_within_ns;
    bool dry_run, foreign;
} bp_prune_params;
bp_verb_outcome bp_verb_prune(const bp_verb *verb, const bp_prune_params *params, GError **error);

/** Configuration, plugins, connections, rights, plausibility of the source's storage. */
bp_verb_outcome bp_verb_check(const bp_verb *verb, GError **error);

#endif
