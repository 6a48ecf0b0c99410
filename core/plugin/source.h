/* SPDX-License-Identifier: Apache-2.0
 *
 * A source instance as the core sees it: the only caller of source operations.  As store.h: keys
 * and answers are checked, errors become GError, nothing is retried.
 *
 * A run or restore may be used by several threads, one unit or target by one at a time.
 */
#ifndef BP_CORE_PLUGIN_SOURCE_H
#define BP_CORE_PLUGIN_SOURCE_H

#include <bakplane/source.h>

#include "core/base/retry.h"
#include "core/plugin/call.h"
#include "core/plugin/plugins.h"

typedef struct bp_source_inst bp_source_inst;
typedef struct bp_source_run bp_source_run;
typedef struct bp_source_reader bp_source_reader;
typedef struct bp_source_restore bp_source_restore;

bp_source_inst *bp_source_open(bp_module *module, bp_settings *take_settings, const bp_call *call,
                               GError **error);
void bp_source_free(bp_source_inst *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bp_source_inst, bp_source_free)

/** Facts; server_version only after a probe.  Borrowed until the next probe. */
const struct bp_source_info *bp_source_facts(bp_source_inst *source);
const char *bp_source_kind(const bp_source_inst *source); /* name of its plugin */
/** It has all operations of a restore. */
bool bp_source_can_restore(const bp_source_inst *source);
bool bp_source_can_adopt(const bp_source_inst *source);

/* What an operation tells goes to a table of functions and their ctx, borrowed for the call.
 * Strings are valid for the call of the function.  false stops the operation (then it returns false
 * with CANCELLED, or with the error the function set aside itself). */

/** Where notes go; a NULL table drops them. */
typedef struct bp_note_fns {
    void (*note)(void *ctx, enum bp_note_level level, const char *code, const char *text);
    void *ctx;
} bp_note_fns;
bool bp_source_probe(bp_source_inst *source, const bp_call *call, const bp_note_fns *notes,
                     GError **error);

typedef struct bp_plan_fns {
    bool (*wants)(void *ctx, const struct bp_unit *unit); /* NULL = everything */
    bool (*unit)(void *ctx, const struct bp_unit *unit);
    void *ctx;
} bp_plan_fns;
bool bp_source_plan(bp_source_inst *source, const bp_call *call, const bp_plan_fns *fns,
                    GError **error);

bp_source_run *bp_source_run_begin(bp_source_inst *source, const bp_call *call,
                                   const struct bp_run_args *args, guint32 *keepalive_ms,
                                   GError **error);
bool bp_source_run_keepalive(bp_source_run *run, const bp_call *call, GError **error);
/** Ends and frees the run; uses its own deadline. */
bool bp_source_run_end(bp_source_run *run, const bp_call *call, enum bp_outcome outcome,
                       GError **error);
bool bp_source_unit_begin(bp_source_run *run, const bp_call *call, const char *unit,
                          GError **error);
typedef struct bp_item_fns {
    bool (*item)(void *ctx, const struct bp_item *item);
    void *ctx;
    const bp_retry_params *retry; /* of each page; NULL = one attempt */
} bp_item_fns;
/**
 * All pages of the unit's current generation.  A page is handed on when it is whole, and while that
 * goes on the next one is asked for, by another thread.
 */
bool bp_source_unit_items(bp_source_run *run, const bp_call *call, const char *unit,
                          const bp_item_fns *fns, GError **error);
bool bp_source_unit_refresh(bp_source_run *run, const bp_call *call, const char *unit,
                            GError **error);
bool bp_source_unit_end(bp_source_run *run, const bp_call *call, const char *unit,
                        enum bp_outcome outcome, GError **error);
bool bp_source_unit_prove(bp_source_run *run, const bp_call *call, const char *unit,
                          struct bp_proof *out, GError **error);

/* STREAM items.  A reader is closed before its run ends. */
bp_source_reader *bp_source_item_open(bp_source_run *run, const bp_call *call,
                                      const struct bp_item_open_args *args, GError **error);
/** *n == 0 is the end. */
bool bp_source_item_read(bp_source_reader *reader, const bp_call *call, void *buffer, gsize cap,
                         gsize *n, GError **error);
void bp_source_item_close(bp_source_reader *reader);

typedef struct bp_document_fns {
    bool (*begin)(void *ctx, const char *key, bool commit);
    bool (*write)(void *ctx, const void *bytes, gsize n);
    bool (*end)(void *ctx);
    void *ctx;
} bp_document_fns;
/** Checked: exactly one document carries COMMIT, it is the last, no key below "bakplane/". */
bool bp_source_documents(bp_source_run *run, const bp_call *call, const bp_document_fns *fns,
                         GError **error);

typedef struct bp_adopt_fns {
    bool (*unit)(void *ctx, const struct bp_unit *unit);
    bool (*item)(void *ctx, const char *unit_id, const struct bp_item *item);
    bool (*proof)(void *ctx, const char *unit_id, const struct bp_proof *proof);
    void *ctx;
} bp_adopt_fns;
bool bp_source_adopt(bp_source_inst *source, const bp_call *call, const char *backup_ref,
                     const bp_adopt_fns *fns, struct bp_adopt_info *info, GError **error);

/** args->notes is set here, from `notes`. */
bp_source_restore *bp_source_restore_begin(bp_source_inst *source, const bp_call *call,
                                           const struct bp_restore_args *args,
                                           const bp_note_fns *notes, struct bp_restore_info *info,
                                           GError **error);
/** @identity: (out) (transfer full) (nullable) */
bool bp_source_target_prepare(bp_source_restore *restore, const bp_call *call, guint32 target,
                              const bp_note_fns *notes, char **identity, GError **error);
typedef struct bp_place_fns {
    bool (*in_place)(void *ctx, const char *prefix);
    bool (*stage)(void *ctx, const char *item_key, const char *ref, const char *key);
    void *ctx;
} bp_place_fns;
bool bp_source_target_place(bp_source_restore *restore, const bp_call *call, guint32 target,
                            const bp_place_fns *fns, GError **error);
typedef struct bp_step_params {
    guint32 target, free_jobs; /* at most so many jobs are started */
    bool (*job)(void *ctx, const char *token, guint64 weight);
    void *ctx;
} bp_step_params;
bool bp_source_target_step(bp_source_restore *restore, const bp_call *call,
                           const bp_step_params *params, bool *all_started, GError **error);
bool bp_source_job_poll(bp_source_restore *restore, const bp_call *call, guint32 target,
                        const char *token, struct bp_job_state *out, GError **error);
bool bp_source_target_prove(bp_source_restore *restore, const bp_call *call, guint32 target,
                            struct bp_proof *out, GError **error);
bool bp_source_target_finish(bp_source_restore *restore, const bp_call *call, guint32 target,
                             const bp_note_fns *notes, GError **error);
/** Ends and frees; uses its own deadline. */
bool bp_source_restore_end(bp_source_restore *restore, const bp_call *call, enum bp_outcome outcome,
                           GError **error);

#endif
