/* SPDX-License-Identifier: Apache-2.0
 *
 * What a backup knows about a Milvus: databases, collections, partitions, segments and their logs,
 * as plain structures between the server's answers, the documents and the restore.
 *
 * Text members are owned and may be NULL, which means the same as "".  Lists are never NULL; they
 * own their elements.  Numbers have the server's meaning and are kept even when they are unknown.
 */
#ifndef BAKPLANE_MILVUS_MODEL_H
#define BAKPLANE_MILVUS_MODEL_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/** The partition of segments whose deletes apply to all partitions of a collection. */
#define MILVUS_ALL_PARTITIONS INT64_C(-1)

/** A count that nobody has determined yet. */
#define MILVUS_COUNT_UNKNOWN INT64_C(-1)

/** Numbers of schemapb.DataType that this plugin has to tell apart; all others pass through. */
enum milvus_data_type {
    MILVUS_TYPE_INT64 = 5,
    MILVUS_TYPE_VARCHAR = 21,
    MILVUS_TYPE_ARRAY = 22,
    MILVUS_TYPE_JSON = 23,
    MILVUS_TYPE_VECTOR_FIRST = 100,
    MILVUS_TYPE_ARRAY_OF_VECTOR = 106,
    MILVUS_TYPE_VECTOR_LAST = 106
};

enum milvus_load_state {
    MILVUS_LOAD_NOT_EXIST = 0,
    MILVUS_LOAD_NOT_LOADED = 1,
    MILVUS_LOAD_LOADING = 2,
    MILVUS_LOAD_LOADED = 3
};

/** One parameter or property.  Lists keep order and duplicates. */
struct milvus_kv {
    char *key, *value;
};

struct milvus_field {
    int64_t id;
    char *name, *description;
    int32_t data_type, element_type, state;
    bool is_primary_key, auto_id, is_dynamic, is_partition_key, is_clustering_key;
    bool nullable, element_nullable, is_function_output;
    GArray *type_params, *index_params; /**< struct milvus_kv */
    GBytes *default_value;              /**< serialised schemapb.ValueField, or NULL */
    char *external_field;
};

struct milvus_function {
    char *name, *description;
    int64_t id;
    int32_t type;
    GPtrArray *input_names, *output_names; /**< char * */
    GArray *input_ids, *output_ids;        /**< int64_t */
    GArray *params;                        /**< struct milvus_kv */
};

struct milvus_struct_field {
    int64_t id;
    char *name, *description;
    GPtrArray *fields;   /**< struct milvus_field * */
    GArray *type_params; /**< struct milvus_kv */
    bool nullable;
};

struct milvus_schema {
    char *name, *description;
    bool auto_id, enable_dynamic_field, enable_namespace;
    int32_t version;
    char *external_source;
    GPtrArray *fields;        /**< struct milvus_field *, in the server's order */
    GPtrArray *functions;     /**< struct milvus_function * */
    GPtrArray *struct_fields; /**< struct milvus_struct_field * */
    GArray *properties;       /**< struct milvus_kv */
    GBytes *raw; /**< schemapb.CollectionSchema as the server sent it, or NULL in foreign backups */
};

struct milvus_index {
    int64_t id;
    char *field_name, *name;
    GArray *params; /**< struct milvus_kv, all of DescribeIndex in the server's order */
};

#define MILVUS_LOG_MISSING INT64_C(-1)

/** One file of a segment.  Without an id (0) the file cannot be named: never stored like that. */
struct milvus_log {
    int64_t field_id; /**< directory of an insert log: field or column group; 0 for delta logs */
    int64_t log_id;
    int64_t size;  /**< as documented; 0 = not documented */
    int64_t found; /**< size of the file, or MILVUS_LOG_MISSING; of a settled backup only */
};

struct milvus_segment {
    int64_t id, collection_id;
    int64_t partition_id; /**< MILVUS_ALL_PARTITIONS for a collection's own L0 segments */
    int64_t group_id;     /**< directory above the segment's in a backup; 0 = there is none */
    int64_t num_rows;     /**< before deletes */
    int64_t delta_rows;   /**< rows of its delta logs, or MILVUS_COUNT_UNKNOWN */
    int64_t storage_version;
    int32_t level;
    bool is_l0;
    bool trust_files; /**< its documented logs are unsafe: what lies in its directories counts */
    bool is_exact;    /**< its group's directories in the backup hold the listed logs, no others */
    char *channel;
    GArray *insert_logs, *delta_logs; /**< struct milvus_log */
};

struct milvus_partition {
    int64_t id, collection_id;
    char *name;
    enum milvus_load_state load_state;
    bool is_exact;       /**< its directories in the backup hold the listed logs, no others */
    GPtrArray *segments; /**< struct milvus_segment * */
};

/** Position of one virtual channel when the collection was flushed. */
struct milvus_checkpoint {
    char *channel;
    GBytes *position; /**< serialised msgpb.MsgPosition */
};

struct milvus_collection {
    int64_t id, db_id;
    char *db_name; /**< never NULL: "default" when the server or the document says nothing */
    char *name;
    struct milvus_schema *schema; /**< never NULL */
    int32_t shards_num, consistency_level, replica_number;
    int64_t num_partitions; /**< of a collection with partition key, as the server says; else 0 */
    enum milvus_load_state load_state;
    uint64_t created_timestamp;         /**< hybrid */
    uint64_t backup_timestamp;          /**< hybrid: newest checkpoint, 0 = the server gave none */
    uint64_t backup_physical_timestamp; /**< unix seconds: when it was sealed */
    int64_t start_s, end_s;             /**< unix seconds: when its capture began and ended */
    GArray *properties;                 /**< struct milvus_kv */
    GPtrArray *indexes;                 /**< struct milvus_index * */
    GPtrArray *aliases;                 /**< char * */
    GPtrArray *partitions;              /**< struct milvus_partition * */
    GPtrArray *l0_segments;             /**< struct milvus_segment *, of all partitions */
    GPtrArray *virtual_channels, *physical_channels; /**< char * */
    GArray *checkpoints;                             /**< struct milvus_checkpoint */
};

struct milvus_database {
    int64_t id;
    char *name;
    GArray *properties; /**< struct milvus_kv */
};

struct milvus_backup {
    char *id; /**< uuid of the run */
    char *name;
    int32_t state_code;
    int64_t start_ms, end_ms;
    char *server_version;   /**< build tag with its leading "v" */
    char *format;           /**< NULL = binlogs */
    char *log_root;         /**< where the server's logs lay: "files", "/var/lib/milvus/data" */
    GPtrArray *databases;   /**< struct milvus_database * */
    GPtrArray *collections; /**< struct milvus_collection * */
};

struct milvus_backup *milvus_backup_new(void);
void milvus_backup_free(struct milvus_backup *backup);
struct milvus_database *milvus_database_new(const char *name);
void milvus_database_free(struct milvus_database *database);
struct milvus_collection *milvus_collection_new(const char *db_name, const char *name);
void milvus_collection_free(struct milvus_collection *collection);
struct milvus_partition *milvus_partition_new(int64_t collection_id, int64_t id, const char *name);
void milvus_partition_free(struct milvus_partition *partition);
struct milvus_segment *milvus_segment_new(int64_t collection_id, int64_t partition_id, int64_t id);
void milvus_segment_free(struct milvus_segment *segment);
struct milvus_schema *milvus_schema_new(void);
void milvus_schema_free(struct milvus_schema *schema);
struct milvus_field *milvus_field_new(int64_t id, const char *name, int32_t data_type);
void milvus_field_free(struct milvus_field *field);
struct milvus_function *milvus_function_new(void);
void milvus_function_free(struct milvus_function *function);
struct milvus_struct_field *milvus_struct_field_new(void);
void milvus_struct_field_free(struct milvus_struct_field *field);
struct milvus_index *milvus_index_new(const char *field_name, const char *name);
void milvus_index_free(struct milvus_index *index);

/** A list of struct milvus_kv that frees what it holds. */
GArray *milvus_kv_list_new(void);
void milvus_kv_add(GArray *list, const char *key, const char *value);
/** Value of the last entry named `key`, or NULL. */
const char *milvus_kv_get(const GArray *list, const char *key);

void milvus_log_add(GArray *logs, int64_t field_id, int64_t log_id, int64_t size);
/** Sorts by field and log and drops repetitions. */
void milvus_logs_sort(GArray *logs);
void milvus_checkpoint_add(struct milvus_collection *collection, const char *channel,
                           GBytes *position);

/** True for the types that are searched by vector index, also inside struct fields. */
bool milvus_type_is_vector(int32_t data_type);

/** Sum of a segment's, partition's or collection's log sizes; a collection's includes its L0. */
int64_t milvus_segment_size(const struct milvus_segment *segment);
int64_t milvus_partition_size(const struct milvus_partition *partition);
int64_t milvus_collection_size(const struct milvus_collection *collection);

/** The documents' words: "NotExist", "NotLoad", "Loading", "Loaded". */
const char *milvus_load_state_text(enum milvus_load_state state);
enum milvus_load_state milvus_load_state_parse(const char *text);

/* Names for g_autoptr, which takes no struct tags. */
typedef struct milvus_backup milvus_backup;
typedef struct milvus_database milvus_database;
typedef struct milvus_collection milvus_collection;
typedef struct milvus_partition milvus_partition;
typedef struct milvus_segment milvus_segment;
typedef struct milvus_schema milvus_schema;
typedef struct milvus_field milvus_field;
typedef struct milvus_function milvus_function;
typedef struct milvus_struct_field milvus_struct_field;
typedef struct milvus_index milvus_index;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(milvus_backup, milvus_backup_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(milvus_database, milvus_database_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(milvus_collection, milvus_collection_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(milvus_partition, milvus_partition_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(milvus_segment, milvus_segment_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(milvus_schema, milvus_schema_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(milvus_field, milvus_field_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(milvus_function, milvus_function_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(milvus_struct_field, milvus_struct_field_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(milvus_index, milvus_index_free)

#endif
