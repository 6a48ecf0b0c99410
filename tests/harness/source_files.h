/* SPDX-License-Identifier: Apache-2.0
 *
 * For tests and the bench only: a source whose database is a storage.  Each first-level directory
 * of it is a unit, each object below is an item; what is restored ends up below "restored/".  With
 * `databases` there are two levels, as in most databases: first-level directories are parents.
 */
#ifndef BP_TESTS_HARNESS_SOURCE_FILES_H
#define BP_TESTS_HARNESS_SOURCE_FILES_H

#include <bakplane/plugin.h>
#include <glib.h>
#include <stdbool.h>

#define FILES_ITEMS "items/"       /* where items go in the backup */
#define FILES_RESTORED "restored/" /* where restored units end up */
#define FILES_STAGING "restored-"  /* followed by the run's id */
#define FILES_PARENT "database"    /* kind of the parents */

struct bp_source {
    const struct bp_host *host;
    char *storage;  /* reference of the storage that is the database */
    bool databases; /* two levels: parents and units */
};

/** Called for each object; non-zero stops with that status, which has filled `error`. */
typedef bp_status (*files_visit)(void *ctx, const char *key, const struct bp_object_meta *meta,
                                 struct bp_error *error);
/** All objects below `prefix`, page by page. */
bp_status files_each(struct bp_source *self, const struct bp_op *op, const char *ref,
                     const char *prefix, files_visit visit, void *ctx, struct bp_error *error);
/** How many objects there are below `prefix`. */
bp_status files_count(struct bp_source *self, const struct bp_op *op, const char *ref,
                      const char *prefix, guint64 *n, struct bp_error *error);

extern const struct bp_config_key files_restore_keys[3];

/* source_files_restore.c */
bp_status files_restore_begin(struct bp_source *self, const struct bp_op *op,
                              const struct bp_restore_args *args, struct bp_restore_info *info,
                              struct bp_restore **out, struct bp_error *error);
bp_status files_target_prepare(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                               const struct bp_note_sink *notes,
                               const struct bp_text_sink *identity, struct bp_error *error);
bp_status files_target_place(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                             const struct bp_place_sink *sink, struct bp_error *error);
bp_status files_target_step(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                            const struct bp_job_sink *sink, struct bp_step_state *out,
                            struct bp_error *error);
bp_status files_job_poll(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                         const char *token, struct bp_job_state *out, struct bp_error *error);
bp_status files_target_prove(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                             struct bp_proof *out, struct bp_error *error);
bp_status files_target_finish(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                              const struct bp_note_sink *notes, struct bp_error *error);
bp_status files_restore_end(struct bp_restore *restore, const struct bp_op *op, int32_t outcome,
                            struct bp_error *error);

#endif
