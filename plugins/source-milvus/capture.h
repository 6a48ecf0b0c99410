/* SPDX-License-Identifier: Apache-2.0
 *
 * One capture: struct bp_run, its units, and the operations on them.
 *
 * The set of units is fixed when the run begins; each unit is worked on by one thread at a time,
 * different units by several.
 */
#ifndef BAKPLANE_MILVUS_CAPTURE_H
#define BAKPLANE_MILVUS_CAPTURE_H

#include <bakplane/source.h>

#include "gc_pause.h"
#include "source.h"

/** One collection of a run. */
struct milvus_unit {
    char *id;
    const struct milvus_collection *planned; /**< database, name, id; the plan's */
    struct milvus_collection *collection;    /**< from unit_begin on: everything known */
    GPtrArray *segments;                     /**< borrowed struct milvus_segment *, page order */
    uint32_t generation;                     /**< counts listings of the segments */
    GHashTable *delta_versions;              /**< of the delete logs: key -> tag, both owned */
    struct milvus_flush flush;               /**< that is waited for */
    bool is_flushing;                        /**< … if there is one */
    bool is_early;     /**< this generation's segments are not known yet, only those before it */
    GHashTable *early; /**< id -> GArray of struct milvus_log: insert logs named in that time */
    bool is_done;      /**< ended well: goes into the documents */
};

struct bp_run {
    struct bp_source *source;
    struct milvus_create_options options;
    bool is_dry; /**< only looks: nothing is flushed or paused, the plan is given back */
    milvus_plan *plan;
    GHashTable *units;                   /**< id -> struct milvus_unit *; fixed after run_begin */
    struct milvus_gc_pause_state *pause; /**< NULL = nothing is paused */
    char *run_id, *backup;
    char *log_root; /**< where Milvus keeps its logs, as documents say it */
    int64_t start_ms;
};

/** The unit of an id; INVALID when the run does not have it. */
bp_status milvus_run_unit(struct bp_run *run, const char *unit_id, struct milvus_unit **out,
                          struct bp_error *error);

/** "collection shop.items". */
char *milvus_unit_text(const struct milvus_unit *unit);

/**
 * Describes the collection as it is now: schema, indexes, aliases, properties, load state.
 * NOT_FOUND when it is gone, STALE when another collection has its name by now.
 */
bp_status milvus_capture_describe(struct bp_run *run, const struct bp_op *op,
                                  struct milvus_unit *unit, struct bp_error *error);

/** Asks for a flush and returns while the server is at it. */
bp_status milvus_capture_flush_begin(struct bp_run *run, const struct bp_op *op,
                                     struct milvus_unit *unit, struct bp_error *error);

/** Waits until the server says that the flush is done; at once when there is none. */
bp_status milvus_capture_flush_await(struct bp_run *run, const struct bp_op *op,
                                     struct milvus_unit *unit, struct bp_error *error);

/** A new generation: partitions, flushed segments and their delete logs; insert logs, which never
 * change, are listed page by page. */
bp_status milvus_capture_segments(struct bp_run *run, const struct bp_op *op,
                                  struct milvus_unit *unit, struct bp_error *error);

/** It has insert logs, in files that can be copied. */
bool milvus_segment_has_rows(const struct milvus_segment_info *info);

/** Returns: (transfer full), its logs not listed. */
struct milvus_segment *milvus_segment_from(const struct milvus_collection *collection,
                                           const struct milvus_segment_info *info);

/** True when the server still names this segment as flushed. */
bp_status milvus_segment_is_named(struct bp_run *run, const struct bp_op *op,
                                  const struct milvus_unit *unit, int64_t segment_id, bool *out,
                                  struct bp_error *error);

/* Operations of struct bp_source_ops. */
bp_status milvus_run_begin(struct bp_source *source, const struct bp_op *op,
                           const struct bp_run_args *args, struct bp_run_info *info,
                           struct bp_run **out, struct bp_error *error);
bp_status milvus_run_keepalive(struct bp_run *run, const struct bp_op *op, struct bp_error *error);
bp_status milvus_run_end(struct bp_run *run, const struct bp_op *op, int32_t outcome,
                         struct bp_error *error);
bp_status milvus_unit_begin(struct bp_run *run, const struct bp_op *op,
                            const struct bp_unit_args *args, struct bp_error *error);
bp_status milvus_unit_items(struct bp_run *run, const struct bp_op *op, const char *unit_id,
                            const char *token, const struct bp_item_sink *sink,
                            struct bp_error *error);
bp_status milvus_unit_refresh(struct bp_run *run, const struct bp_op *op,
                              const struct bp_unit_args *args, struct bp_error *error);
bp_status milvus_unit_end(struct bp_run *run, const struct bp_op *op, const char *unit_id,
                          int32_t outcome, struct bp_error *error);
bp_status milvus_unit_prove(struct bp_run *run, const struct bp_op *op, const char *unit_id,
                            struct bp_proof *out, struct bp_error *error);
bp_status milvus_run_documents(struct bp_run *run, const struct bp_op *op,
                               const struct bp_document_sink *sink, struct bp_error *error);

#endif
