/* SPDX-License-Identifier: Apache-2.0
 *
 * Versions of Milvus, and the one table of what depends on them.  Everything that a server may or
 * may not know is a feature here; no other file compares version numbers.
 */
#ifndef BAKPLANE_MILVUS_VERSION_H
#define BAKPLANE_MILVUS_VERSION_H

#include <stdbool.h>
#include <stdint.h>

struct milvus_version {
    uint32_t major, minor, patch;
};

/** What a server can do, as far as its version tells.  Bits of milvus_features(). */
enum milvus_feature {
    MILVUS_CAN_DATABASES,         /**< CreateDatabase, dbname header (ListDatabases is probed) */
    MILVUS_CAN_ARRAYS,            /**< data type Array */
    MILVUS_CAN_DESCRIBE_DATABASE, /**< DescribeDatabase and properties of databases */
    MILVUS_CAN_L0,                /**< segments have levels; deletes may lie in L0 segments */
    MILVUS_CAN_IMPORT_ONE_PATH,   /**< Import takes [insert] and not only [insert, delta] */
    MILVUS_CAN_IMPORT_REST,       /**< /v2/vectordb/jobs/import */
    MILVUS_CAN_IMPORT_L0,         /**< option l0_import */
    MILVUS_CAN_REINSERT,          /**< import keeps a key deleted and inserted again in a segment */
    MILVUS_CAN_FLUSH_DELETES,     /**< Flush writes deletes of rows flushed before, too */
    MILVUS_CAN_NULLABLE,          /**< nullable fields and default values */
    MILVUS_CAN_FUNCTIONS,         /**< functions in schemas */
    MILVUS_CAN_ADD_FIELD,         /**< AddCollectionField */
    MILVUS_CAN_STRUCT_FIELDS,     /**< struct array fields */
    MILVUS_CAN_STORAGE_V2,        /**< segments in column groups */
    MILVUS_CAN_FUNCTION_UNCHECKED, /**< property disable_func_runtime_check */
    MILVUS_FEATURE_COUNT
};

/**
 * Reads a build tag: "v2.3.5-lite", "2.3.22.6", "milvus-2.4".  A text without a version counts as
 * the newest (99.0.0); the answer is then false.
 */
bool milvus_version_parse(const char *text, struct milvus_version *out);

/** Less than, equal to or greater than 0.  Pre-releases count as the release itself. */
int milvus_version_compare(const struct milvus_version *a, const struct milvus_version *b);

/** Set of `1 << enum milvus_feature`. */
uint64_t milvus_features(const struct milvus_version *version);

/** For messages: "describe a database", and "2.4.3", the release that brought it. */
const char *milvus_feature_text(enum milvus_feature feature);
const char *milvus_feature_since(enum milvus_feature feature);

#endif
