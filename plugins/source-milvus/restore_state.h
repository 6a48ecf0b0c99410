/* SPDX-License-Identifier: Apache-2.0
 *
 * One restore under way: what the files restore_*.c share.
 *
 * After restore_begin everything but the targets is only read; one target is never used by two
 * threads at a time.
 */
#ifndef BAKPLANE_MILVUS_RESTORE_STATE_H
#define BAKPLANE_MILVUS_RESTORE_STATE_H

#include <bakplane/source.h>

#include "api.h"
#include "model.h"
#include "rest.h"
#include "restore_keys.h"
#include "source.h"

/** One import: a partition, groups of segments in it, or one L0 segment. */
struct milvus_task {
    GPtrArray *dirs;       /**< struct milvus_dirs *, as the server sees them; several: REST */
    const char *partition; /**< borrowed name; "" = all partitions */
    const char *channel;   /**< borrowed, of its segments; NULL = not known */
    bool is_l0, has_deltas, is_uncounted;
    int64_t storage_version;
    int64_t rows;    /**< before deletes */
    int64_t deleted; /**< rows of delete logs, unless is_uncounted */
    uint64_t bytes;  /**< of its logs */
    int64_t job;     /**< the server's number; 0 = not started */
    bool is_done;
    int64_t found;                /**< rows that came in, once it is done */
    int64_t seen_rows, seen_mark; /**< last progress */
    int64_t moved_at_us;          /**< when the progress last changed, monotonic */
};
void milvus_task_free(struct milvus_task *task);

/** What becomes of a collection that exists under the target's name. */
enum milvus_fate {
    MILVUS_FATE_CREATE,
    MILVUS_FATE_REPLACE,
    MILVUS_FATE_USE,
    MILVUS_FATE_KEEP, /**< an earlier run completed it: nothing is done */
};

struct milvus_target {
    const struct milvus_collection *from; /**< in the backup */
    char *db, *name;
    char *ours, *done;  /**< see struct bp_restore_pair */
    uint64_t low, high; /**< rows that have to come in; 0 and BP_UNKNOWN: nobody counted them */
    enum milvus_fate fate;
    bool was_loaded;     /**< released to replace its indexes */
    int64_t id;          /**< of the prepared collection */
    GHashTable *earlier; /**< int64_t: segments that were there before; of MILVUS_FATE_USE */
    GPtrArray *tasks;    /**< struct milvus_task *, L0 last; NULL until it is placed */
    guint n_started;
    int64_t refused_at_us; /**< since when the server takes no import, monotonic; 0 = it does */
};

struct bp_restore {
    struct bp_source *source; /* borrowed */
    const struct bp_host *host;
    struct milvus_api *api;
    struct milvus_rest *rest; /* NULL = imports go over gRPC */
    struct milvus_restore_options options;
    bool without_items; /* only what describes the collections */
    struct milvus_backup *backup;
    char *backup_ref, *run_id;
    char *staging_prefix; /* below the source's storage, ends in '/' */
    GPtrArray *targets;   /* struct milvus_target * */
};

/**
 * Text by which a later run recognises a collection as the one that was made; owned by the caller.
 * The number alone would not do: a server that was set up anew counts from the start.
 */
char *milvus_target_identity(const struct milvus_collection *found);

/** The backup has deletes in L0 segments for it. */
bool milvus_target_has_l0(const struct milvus_target *target);

/** Prefixes error->message with "collection shop.items: " and answers its class. */
bp_status milvus_target_fail(const struct milvus_target *target, struct bp_error *error);

/** One note, if anybody listens.  CANCELLED when the sink stops. */
bp_status milvus_note(const struct bp_note_sink *notes, int32_t level, const char *code,
                      struct bp_error *error, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* --- restore_check.c: before anything is touched ------------------------------------------- */

/** Versions, features and data of the backup against the server. */
bp_status milvus_restore_check_server(struct bp_restore *restore,
                                      const struct bp_restore_args *args,
                                      const struct bp_note_sink *notes, struct bp_error *error);
/** INVALID when the server can read a target's files neither where they are nor from staging. */
bp_status milvus_restore_check_place(struct bp_restore *restore, const struct bp_op *op,
                                     struct bp_error *error);
/** Decides the fate of each target; conflicts are errors. */
bp_status milvus_restore_check_targets(struct bp_restore *restore, const struct bp_op *op,
                                       const struct bp_note_sink *notes, bool is_dry_run,
                                       struct bp_error *error);
/** Creates the databases that targets and `parents` need, or only says so. */
bp_status milvus_restore_databases(struct bp_restore *restore, const struct bp_op *op,
                                   const struct bp_restore_args *args,
                                   const struct bp_note_sink *notes, struct bp_error *error);

/* --- restore_schema.c ----------------------------------------------------------------------- */

/** A collection to create, and the fields to add to it afterwards (borrowed from the backup). */
struct milvus_blueprint {
    struct milvus_collection *collection;
    GPtrArray *late_fields; /**< const struct milvus_field *, in ascending id */
};

/**
 * UNSUPPORTED when the server would number the fields differently than the backup's files do, and
 * when it lacks what the schema needs.
 */
bp_status milvus_blueprint_make(const struct bp_restore *restore,
                                const struct milvus_target *target, struct milvus_blueprint *out,
                                struct bp_error *error);
void milvus_blueprint_clear(struct milvus_blueprint *blueprint);

/** PERMANENT names the first field that differs between the backup and what is there. */
bp_status milvus_schema_compare(const struct milvus_schema *backup,
                                const struct milvus_schema *actual, struct bp_error *error);

/** Type of a field by the name that indexes use ("f" or "struct[f]"); 0 = no such field. */
int32_t milvus_schema_type_of(const struct milvus_schema *schema, const char *field_name);

/* --- restore_tasks.c ------------------------------------------------------------------------ */

/** Servers before 2.4 find segments at any depth; later ones take each child for a segment. */
bool milvus_takes_partitions(const struct bp_restore *restore);

/** One import of the partition's whole directory is possible and wise. */
bool milvus_is_one_task(const struct bp_restore *restore, const struct milvus_partition *partition,
                        bool is_staged);

/** An L0 segment's deletes, or a segment without files, are no data. */
bool milvus_has_data(const struct milvus_segment *segment);

/**
 * The segment as it lies where the server reads it (its lists are borrowed).  Staging gives each a
 * group level: every server understands that form.
 */
struct milvus_segment milvus_segment_placed(const struct milvus_segment *segment, bool is_staged);

/** Makes target->tasks for a backup that the server sees below `base`. */
void milvus_tasks_make(const struct bp_restore *restore, struct milvus_target *target,
                       const char *base, bool is_staged);

#endif
