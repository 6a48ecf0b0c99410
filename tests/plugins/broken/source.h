/* SPDX-License-Identifier: Apache-2.0
 *
 * A small source in this process: two tables in a database, whose rows are streamed items.  Right
 * in every way unless the environment names another (source_breaks.h).  One thread at a time.
 */
#ifndef BP_TESTS_BROKEN_SOURCE_H
#define BP_TESTS_BROKEN_SOURCE_H

#include <bakplane/plugin.h>
#include <stdbool.h>

#include "tests/plugins/broken/source_breaks.h"

#define ROWS_MAX 8
#define TABLES_MAX 64
#define ROW_BYTES 3000
#define ROW_VERSION "v1"
#define DATABASE "shop"
#define COMMIT_DOCUMENT "meta/tables.json"
#define VERSION_TEXT "{\"version\": 1}\n" /* of every document */

struct table {
    char name[200];
    char identity[64];
    unsigned n; /* rows */
    unsigned char rows[ROWS_MAX][ROW_BYTES];
};

struct bp_source {
    const struct bp_host *host;
};

struct bp_run {
    struct bp_source *source;
    int pin; /* descriptor, or -1 */
};

struct bp_item_reader {
    const unsigned char *bytes;
    size_t at, end;
};

struct bp_restore {
    struct bp_source *source;
    char backup_ref[256], unit[256], target[200], ours[64], done[64];
    bool dry, started, loaded;
};

/* NULL when there is none of that name. */
struct table *source_table(const char *name);
/* A new one without rows. */
struct table *source_make_table(const char *name);
struct table *source_table_at(size_t i);
/* CANCELLED or TIMEOUT when the operation should stop. */
bp_status source_check_op(const struct bp_source *source, const struct bp_op *op,
                          struct bp_error *error);

/* source_restore.c */
bp_status source_restore_begin(struct bp_source *source, const struct bp_op *op,
                               const struct bp_restore_args *args, struct bp_restore_info *info,
                               struct bp_restore **out, struct bp_error *error);
bp_status source_prepare(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                         const struct bp_note_sink *notes, const struct bp_text_sink *identity,
                         struct bp_error *error);
bp_status source_place(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                       const struct bp_place_sink *sink, struct bp_error *error);
bp_status source_step(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                      const struct bp_job_sink *sink, struct bp_step_state *out,
                      struct bp_error *error);
bp_status source_poll(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                      const char *token, struct bp_job_state *out, struct bp_error *error);
bp_status source_target_prove(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                              struct bp_proof *out, struct bp_error *error);
bp_status source_finish(struct bp_restore *restore, const struct bp_op *op, uint32_t target,
                        const struct bp_note_sink *notes, struct bp_error *error);
bp_status source_restore_end(struct bp_restore *restore, const struct bp_op *op, int32_t outcome,
                             struct bp_error *error);

#endif
