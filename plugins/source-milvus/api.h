/* SPDX-License-Identifier: Apache-2.0
 *
 * One typed function per call of the Milvus service, in terms of the model.
 *
 * Each does one request, never retries, and answers the class of the failure with the server's
 * own words; a message names the call and its object.  Any thread may call any function at any
 * time.  A database of NULL or "" means "default".  Results are owned by the caller; on failure
 * nothing is returned, and lists keep what they had.
 */
#ifndef BAKPLANE_MILVUS_API_H
#define BAKPLANE_MILVUS_API_H

#include <bakplane/error.h>
#include <bakplane/host.h>
#include <bakplane/op.h>

#include "config.h"
#include "model.h"
#include "version.h"

struct milvus_api; /**< one server */

/** Names of collections, databases … longer than this are not the server's. */
#define MILVUS_DEFAULT_DATABASE "default"

/* --- connection --------------------------------------------------------------------------- */

/** Never connects.  INVALID when TLS files cannot be read.  `config` is copied. */
bp_status milvus_api_new(const struct bp_host *host, const struct milvus_config *config,
                         struct milvus_api **out, struct bp_error *error);
void milvus_api_free(struct milvus_api *api);

/** Where the server is, for messages. */
const char *milvus_api_address(const struct milvus_api *api);

/**
 * Learns version and identifier on the first call; later calls answer at once.  Every function
 * below that needs them calls it.
 */
bp_status milvus_api_connect(struct milvus_api *api, const struct bp_op *op,
                             struct bp_error *error);

/** Build tag as the server said, e.g. "v2.3.5-lite".  "" before the first connect. */
const char *milvus_api_version(const struct milvus_api *api);

/** Before the first connect: false. */
bool milvus_api_can(const struct milvus_api *api, enum milvus_feature feature);

/* --- databases ---------------------------------------------------------------------------- */

/** Appends struct milvus_database * with name and id.  Servers without databases: "default". */
bp_status milvus_api_list_databases(struct milvus_api *api, const struct bp_op *op,
                                    GPtrArray *databases, struct bp_error *error);
/** Completes id and properties.  UNSUPPORTED before 2.4.3. */
bp_status milvus_api_describe_database(struct milvus_api *api, const struct bp_op *op,
                                       struct milvus_database *database, struct bp_error *error);
/** Properties are sent only where the server knows them. */
bp_status milvus_api_create_database(struct milvus_api *api, const struct bp_op *op,
                                     const struct milvus_database *database,
                                     struct bp_error *error);

/* --- collections -------------------------------------------------------------------------- */

/** Appends struct milvus_collection * with database, name and id only. */
bp_status milvus_api_list_collections(struct milvus_api *api, const struct bp_op *op,
                                      const char *db, GPtrArray *collections,
                                      struct bp_error *error);
/** Everything that DescribeCollection answers, under the real name (not an alias). */
bp_status milvus_api_describe_collection(struct milvus_api *api, const struct bp_op *op,
                                         const char *db, const char *collection,
                                         struct milvus_collection **out, struct bp_error *error);
/**
 * Creates `collection` from: db_name, name, schema (its name is replaced by the collection's),
 * shards_num, consistency_level, properties and, with a partition key, num_partitions.
 */
bp_status milvus_api_create_collection(struct milvus_api *api, const struct bp_op *op,
                                       const struct milvus_collection *collection,
                                       struct bp_error *error);
/** UNSUPPORTED before 2.6. */
bp_status milvus_api_add_field(struct milvus_api *api, const struct bp_op *op, const char *db,
                               const char *collection, const struct milvus_field *field,
                               struct bp_error *error);
/** Refused by the server while aliases point to it. */
bp_status milvus_api_drop_collection(struct milvus_api *api, const struct bp_op *op, const char *db,
                                     const char *collection, struct bp_error *error);
/** Sets properties (struct milvus_kv). */
bp_status milvus_api_alter_collection(struct milvus_api *api, const struct bp_op *op,
                                      const char *db, const char *collection,
                                      const GArray *properties, struct bp_error *error);

/* --- partitions --------------------------------------------------------------------------- */

/** Appends struct milvus_partition * with ids and name. */
bp_status milvus_api_list_partitions(struct milvus_api *api, const struct bp_op *op,
                                     const struct milvus_collection *collection,
                                     GPtrArray *partitions, struct bp_error *error);
bp_status milvus_api_create_partition(struct milvus_api *api, const struct bp_op *op,
                                      const char *db, const char *collection, const char *partition,
                                      struct bp_error *error);

/* --- indexes ------------------------------------------------------------------------------ */

/** How far the builds of a collection's indexes are. */
struct milvus_index_progress {
    uint32_t n_indexes, n_unfinished, n_failed;
    int64_t indexed_rows, total_rows; /**< summed over the indexes */
    char failed[256];                 /**< first failed index and the server's reason, or "" */
};

/** Appends struct milvus_index *; a collection without any is fine. */
bp_status milvus_api_list_indexes(struct milvus_api *api, const struct bp_op *op, const char *db,
                                  const char *collection, GPtrArray *indexes,
                                  struct bp_error *error);
bp_status milvus_api_index_progress(struct milvus_api *api, const struct bp_op *op, const char *db,
                                    const char *collection, struct milvus_index_progress *out,
                                    struct bp_error *error);
/** Sends field_name, name (may be empty) and params.  The build itself runs later. */
bp_status milvus_api_create_index(struct milvus_api *api, const struct bp_op *op, const char *db,
                                  const char *collection, const struct milvus_index *index,
                                  struct bp_error *error);
bp_status milvus_api_drop_index(struct milvus_api *api, const struct bp_op *op, const char *db,
                                const char *collection, const struct milvus_index *index,
                                struct bp_error *error);

/* --- segments and flush ------------------------------------------------------------------- */

enum milvus_segment_state {
    MILVUS_SEGMENT_GROWING = 2,
    MILVUS_SEGMENT_SEALED = 3,
    MILVUS_SEGMENT_FLUSHED = 4,
    MILVUS_SEGMENT_FLUSHING = 5,
    MILVUS_SEGMENT_DROPPED = 6,
    MILVUS_SEGMENT_IMPORTING = 7
};

#define MILVUS_LEVEL_L0 1

struct milvus_segment_info {
    int64_t id, collection_id, partition_id, num_rows, storage_version;
    int32_t state; /**< enum milvus_segment_state */
    int32_t level; /**< 0 where the server has none */
};

/** What a flush started, and what it says of the moment. */
struct milvus_flush {
    GArray *segments;        /**< int64_t: sealed now, to be waited for */
    GArray *checkpoints;     /**< struct milvus_checkpoint; older servers send none */
    uint64_t flush_ts;       /**< hybrid, or 0 */
    uint64_t seal_time_s;    /**< unix seconds, or 0 */
    uint64_t checkpoint_max; /**< newest timestamp of the checkpoints, or 0 */
};

/** Appends struct milvus_segment_info, as the server answers: all states. */
bp_status milvus_api_list_segments(struct milvus_api *api, const struct bp_op *op, const char *db,
                                   const char *collection, GArray *segments,
                                   struct bp_error *error);
/** THROTTLED with a pause when the server limits flushes.  `out` is for milvus_flush_clear. */
bp_status milvus_api_flush(struct milvus_api *api, const struct bp_op *op, const char *db,
                           const char *collection, struct milvus_flush *out,
                           struct bp_error *error);
void milvus_flush_clear(struct milvus_flush *flush);
bp_status milvus_api_flush_done(struct milvus_api *api, const struct bp_op *op,
                                const struct milvus_collection *collection,
                                const struct milvus_flush *flush, bool *out,
                                struct bp_error *error);

/* --- load --------------------------------------------------------------------------------- */

struct milvus_load_query {
    const char *db, *collection;
    const char *partition; /**< NULL = the whole collection */
};

bp_status milvus_api_load_state(struct milvus_api *api, const struct bp_op *op,
                                const struct milvus_load_query *query, enum milvus_load_state *out,
                                struct bp_error *error);
/** 0 to 100; 0 when it is not loaded. */
bp_status milvus_api_load_progress(struct milvus_api *api, const struct bp_op *op,
                                   const struct milvus_load_query *query, int64_t *out,
                                   struct bp_error *error);
/** Number of replicas of a loaded collection; 0 when it is not loaded. */
bp_status milvus_api_replicas(struct milvus_api *api, const struct bp_op *op,
                              const struct milvus_collection *collection, int32_t *out,
                              struct bp_error *error);
struct milvus_load {
    const char *db, *collection;
    GPtrArray *partitions; /**< char *: only these; NULL = the whole collection */
    int32_t replicas;      /**< 0 = the server's default */
};

/** Starts loading. */
bp_status milvus_api_load(struct milvus_api *api, const struct bp_op *op,
                          const struct milvus_load *load, struct bp_error *error);
bp_status milvus_api_release(struct milvus_api *api, const struct bp_op *op, const char *db,
                             const char *collection, struct bp_error *error);

/* --- aliases ------------------------------------------------------------------------------ */

bp_status milvus_api_create_alias(struct milvus_api *api, const struct bp_op *op, const char *db,
                                  const char *collection, const char *alias,
                                  struct bp_error *error);
bp_status milvus_api_drop_alias(struct milvus_api *api, const struct bp_op *op, const char *db,
                                const char *alias, struct bp_error *error);

/* --- import ------------------------------------------------------------------------------- */

enum milvus_import_phase {
    MILVUS_IMPORT_PENDING = 0,
    MILVUS_IMPORT_FAILED = 1,
    MILVUS_IMPORT_STARTED = 2,
    MILVUS_IMPORT_PERSISTED = 5,
    MILVUS_IMPORT_COMPLETED = 6,
    MILVUS_IMPORT_FAILED_AND_CLEANED = 7,
    MILVUS_IMPORT_FLUSHED = 8
};

struct milvus_import {
    const char *db, *collection;
    const char *partition;    /**< NULL or "" = none named */
    const char *const *files; /**< NULL-terminated; "" is sent as such */
    const GArray *options;    /**< struct milvus_kv */
};

struct milvus_import_state {
    int32_t phase;   /**< enum milvus_import_phase */
    int32_t percent; /**< -1 = not said */
    int64_t rows;    /**< imported so far */
    int64_t collection_id;
    uint32_t n_segments; /**< how many segments it made */
    char reason[512];    /**< the server's words when it failed, or "" */
};

/** Not idempotent: a failure with OUTCOME_UNKNOWN may have started a task. */
bp_status milvus_api_import(struct milvus_api *api, const struct bp_op *op,
                            const struct milvus_import *import, int64_t *task,
                            struct bp_error *error);
/** NOT_FOUND when the server does not know the task. */
bp_status milvus_api_import_state(struct milvus_api *api, const struct bp_op *op, int64_t task,
                                  struct milvus_import_state *out, struct bp_error *error);
/** Number of tasks into a collection that have not ended; 0 where the server cannot list them. */
bp_status milvus_api_count_imports(struct milvus_api *api, const struct bp_op *op, const char *db,
                                   const struct milvus_collection *collection, uint32_t *running,
                                   struct bp_error *error);

#endif
